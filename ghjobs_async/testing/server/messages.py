"""Requests and answers as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from ghjobs_async.testing.world import payloads
from ghjobs_async.testing.world.blobs import Blob

Origin: TypeAlias = Literal["api", "storage"]

#: The path of the API below the web root, as on GHES.
PREFIX = "/api/v3"


@attrs.frozen
class Asked:
    """
    One request, as it came.

    Attributes:
        origin: ``api`` or ``storage``.
        method: The HTTP method.
        path: The requested path, ``/api/v3`` included, without the query.
        query: The query, decoded.
        headers: The headers, with their names in lower case.
        status: The status of the answer; 0 if there was none.
        operation: ``jobs``, ``job``, ``log``, ``runs``, ``run``, ``run_log``, ``artifacts``,
            ``annotations``, ``workflows``, ``workflow``, ``branch``, ``pull``, ``repo``, ``user``, ``token``,
            ``installation``, ``rate_limit``, ``root``, ``storage`` or ``unknown``.
    """

    origin: Origin
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int = 0
    operation: str = "unknown"


@attrs.frozen
class Call:
    """A request that is being answered."""

    asked: Asked
    #: Its path below the API's root.
    path: str
    #: The start of URLs in the answer.
    api_root: str
    web_root: str
    storage_root: str
    #: The variable parts of the operation's path, and the URL of its documentation.
    args: Mapping[str, str] = attrs.field(factory=dict)
    docs: str = ""

    @property
    def operation(self) -> str:
        """The operation, as in `Asked`."""
        return self.asked.operation

    @property
    def credential(self) -> str:
        """The Authorization header; empty if there is none."""
        return self.asked.headers.get("authorization", "")

    def header(self, name: str) -> str | None:
        """Give a header by its name in lower case."""
        return self.asked.headers.get(name)

    def number(self, name: str, default: int) -> int:
        """Give a positive number in the query, else *default*."""
        text = self.asked.query.get(name, "")
        return int(text) if text.isdecimal() and int(text) > 0 else default

    def holds(self, etag: str) -> bool:
        """Whether ``If-None-Match`` names this ETag: weak and strong are the same there."""
        named = self.header("if-none-match") or ""
        given = [part.strip().removeprefix("W/") for part in named.split(",")]
        return "*" in given or etag.removeprefix("W/") in given

    def asking(self, query: dict[str, str], headers: dict[str, str]) -> Call:
        """Give the same request with another query and other headers."""
        return attrs.evolve(self, asked=attrs.evolve(self.asked, query=query, headers=headers))


@attrs.define
class Answer:
    """An answer, and how it is sent."""

    status: int = 200
    body: bytes | Blob = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    #: Whether it does not come from GitHub's API, and so lacks the API's headers.
    bare: bool = False
    #: Whether the body is sent as it is, never compressed and without an ETag.
    encoded: bool = False
    #: The number of bytes by which Content-Length is wrong.
    lie: int = 0
    #: End after this many bytes of the body; -1: before the headers.
    end_after: int | None = None
    #: How it ends: with FIN, with RST, or with nothing more.
    end: Literal["close", "reset", "stall"] = "close"

    @classmethod
    def ok(cls, value: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Answer 200 with JSON."""
        return cls(200, payloads.encode(value), dict(headers or {}))

    @classmethod
    def fail(
        cls,
        message: str,
        status: int,
        docs: str = payloads.DOCS,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> Answer:
        """Answer with an error in GitHub's JSON, with *more* keys if given."""
        body = {"message": message, "documentation_url": docs, "status": str(status), **more}
        return cls(status, payloads.encode(body), dict(headers or {}))

    @classmethod
    def redirect(cls, url: str, status: int = 301) -> Answer:
        """Answer with a redirect within the API."""
        body = {"message": "Moved Permanently", "url": url, "documentation_url": payloads.DOCS}
        return cls(status, payloads.encode(body), {"Location": url})

    @classmethod
    def html(cls, status: int, body: str) -> Answer:
        """Answer with a page of HTML, which does not come from the API."""
        kind = {"Content-Type": "text/html; charset=utf-8"}
        return cls(status, body.encode(), kind, bare=True, encoded=True)

    @property
    def unsent(self) -> bool:
        """Whether not even the status is sent."""
        return self.end_after == -1

    def chunks(self) -> Iterator[bytes]:
        """Give the body piece by piece."""
        return iter([self.body]) if isinstance(self.body, bytes) else self.body.read()


Handler: TypeAlias = Callable[[Call], Answer]
