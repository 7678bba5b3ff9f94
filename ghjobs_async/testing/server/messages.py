"""Requests and answers as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from ghjobs_async.testing.world.blobs import Blob

Origin: TypeAlias = Literal["api", "storage"]
Body: TypeAlias = bytes | tuple[Blob, int, int]

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
            ``annotations``, ``workflows``, ``workflow``, ``repo``, ``user``, ``token``,
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
    """
    A request that is being answered.

    Attributes:
        asked: The request.
        path: Its path below the API root.
        api_root, web_root, storage_root: The start of URLs in the answer.
        args: The variable parts of the operation's path.
        docs: The URL of its documentation.
    """

    asked: Asked
    path: str
    api_root: str
    web_root: str
    storage_root: str
    args: Mapping[str, str] = attrs.field(factory=dict)
    docs: str = ""

    @property
    def operation(self) -> str:
        """The operation, as in `Asked`."""
        return self.asked.operation

    @property
    def url(self) -> str:
        """The URL without its query."""
        return self.api_root + self.path

    @property
    def credential(self) -> str:
        """The Authorization header; empty if there is none."""
        return self.asked.headers.get("authorization", "")

    def header(self, name: str) -> str | None:
        """Give a header by its name in lower case."""
        return self.asked.headers.get(name)

    def without_header(self, name: str) -> Call:
        """Give the same request as if that header had not been sent."""
        headers = {key: value for key, value in self.asked.headers.items() if key != name}
        return attrs.evolve(self, asked=attrs.evolve(self.asked, headers=headers))

    def number(self, name: str, default: int) -> int:
        """Give a positive number in the query, else *default*."""
        text = self.asked.query.get(name, "")
        return int(text) if text.isdecimal() and int(text) > 0 else default

    def with_query(self, **query: str) -> Call:
        """Give the same request with other values in its query."""
        asked = attrs.evolve(self.asked, query={**self.asked.query, **query})
        return attrs.evolve(self, asked=asked)


@attrs.define
class Answer:
    """
    An answer, and how it is sent.

    Attributes:
        status: The HTTP status.
        body: The bytes, or a blob with the first byte and the one after the last.
        headers: Its own headers.
        bare: Whether it does not come from GitHub's API, and so lacks the API's headers.
        encoded: Whether the body is sent as it is, never compressed and without an ETag.
        lie: The number of bytes by which Content-Length is wrong.
        cut_after: Close the connection after this many bytes of the body.
        stall_after: Send nothing more after this many bytes of the body; -1: not even headers.
        hang_up: End the connection before any byte: ``reset`` with RST, ``close`` with FIN.
    """

    status: int = 200
    body: Body = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    bare: bool = False
    encoded: bool = False
    lie: int = 0
    cut_after: int | None = None
    stall_after: int | None = None
    hang_up: Literal["reset", "close"] | None = None

    @property
    def unsent(self) -> bool:
        """Whether not even the status is sent."""
        return self.hang_up is not None or self.stall_after == -1

    @property
    def size(self) -> int:
        """The number of bytes that the body really has."""
        return len(self.body) if isinstance(self.body, bytes) else self.body[2] - self.body[1]

    def chunks(self) -> Iterator[bytes]:
        """Give the body piece by piece."""
        if not isinstance(self.body, bytes):
            blob, start, stop = self.body
            yield from blob.chunks(start, stop)
        elif self.body:
            yield self.body


Handler: TypeAlias = Callable[[Call], Answer]
