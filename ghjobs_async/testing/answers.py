"""What is asked and what is answered: values that every room here passes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

Origin: TypeAlias = Literal["api", "storage"]


@attrs.frozen
class Asked:
    """
    One request, as it came.

    Attributes:
        origin: ``api`` or ``storage``.

        method: The HTTP method.

        path: The path as it was asked for, ``/api/v3`` included, without the query.

        query: The query, decoded.

        headers: The headers, their names in lower case.

        status: What it was answered; 0 where it never was.

        operation: ``jobs``, ``job``, ``log``, ``runs``, ``run``, ``repo``, ``user``, ``token``,
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
class Blob:
    """
    Content that can be sent from any byte on.

    Attributes:
        size: How many bytes there are.

        etag: A strong ETag.

        read: Gives the content from the start, each time anew.
    """

    size: int
    etag: str
    read: Callable[[], Iterator[bytes]]

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Give the bytes from *start* up to but without *stop*."""
        position = 0
        for chunk in self.read():
            if position >= stop:
                return
            piece = chunk[max(0, start - position) : stop - position]
            position += len(chunk)
            if piece:
                yield piece


Body: TypeAlias = bytes | tuple[Blob, int, int]


@attrs.define
class Answer:
    """
    An answer, and how it comes over the line.

    Attributes:
        status: The HTTP status.

        body: The bytes, or a blob with the first byte and the one after the last.

        headers: Its own headers.

        bare: Not of GitHub's own making: none of GitHub's headers are added.

        encoded: The body is sent as it is, never compressed and without an ETag.

        lie: How many bytes the claimed Content-Length is off.

        cut_after: The connection ends after so many bytes of the body.

        stall_after: Nothing more comes after so many bytes of the body; -1: not even headers.

        hang_up: The connection ends before any byte: ``reset`` with RST, ``close`` with FIN.
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
    def size(self) -> int:
        """How many bytes the body really has."""
        if isinstance(self.body, bytes):
            return len(self.body)
        return self.body[2] - self.body[1]

    def chunks(self) -> Iterator[bytes]:
        """Give the body piece by piece."""
        if isinstance(self.body, bytes):
            if self.body:
                yield self.body
            return
        blob, start, stop = self.body
        yield from blob.chunks(start, stop)


@attrs.frozen
class Call:
    """
    A request on its way to an answer.

    Attributes:
        asked: The request.

        path: Its path below the API root.

        api_root, web_root, storage_root: What URLs in the answer start with.

        operation: Which operation this is.

        args: What the operation's path holds.
    """

    asked: Asked
    path: str
    api_root: str
    web_root: str
    storage_root: str
    operation: str = "unknown"
    args: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def url(self) -> str:
        """The URL without its query."""
        return self.api_root + self.path

    def header(self, name: str) -> str | None:
        """Give a header by its name in lower case."""
        return self.asked.headers.get(name)

    def without_header(self, name: str) -> Call:
        """Give the same request as if that header had not been sent."""
        headers = {key: value for key, value in self.asked.headers.items() if key != name}
        return attrs.evolve(self, asked=attrs.evolve(self.asked, headers=headers))


Handler: TypeAlias = Callable[[Call], Answer]
