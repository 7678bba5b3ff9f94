"""Answers as values, and how they are to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import attrs

from ghjobs_async.testing.server.calls import Call
from ghjobs_async.testing.world.blobs import Blob

Body: TypeAlias = bytes | tuple[Blob, int, int]


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
