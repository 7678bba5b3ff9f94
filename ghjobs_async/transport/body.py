"""An open response, whose body is streamed or read whole, within bounds of size and time."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cached_property
from typing import Final

import aiohttp
import attrs

from ghjobs_async.errors import one_line
from ghjobs_async.transport.failures import BROKEN, transport_error
from ghjobs_async.transport.stats import Counters
from ghjobs_async.wire.messages import MAX_ANSWER, Answer
from ghjobs_async.wire.packed import Stream, is_packed
from ghjobs_async.wire.urls import location

_log: Final = logging.getLogger("ghjobs_async")

# More bytes than any body has.
_ALL: Final = sys.maxsize
# A packed log is given in pieces of at most this size.
_PIECE: Final = 2**18


@attrs.define(eq=False, repr=False, slots=False)
class Response:
    """
    An open response. Its user reads it to its end, or closes it.

    Args:
        safe_url: The address without secrets, for errors and logging.
        started: When the request left, by the loop's clock.
        total: Within how many seconds after that a small body has to come; None is no bound.
        counters: Count the bytes.

    Attributes:
        packed: Whether the body is compressed.
        received: How many bytes have come, before unpacking.
    """

    _response: aiohttp.ClientResponse
    method: str
    url: str
    safe_url: str
    _started: float = attrs.field(kw_only=True)
    _total: float | None = attrs.field(kw_only=True)
    _counters: Counters = attrs.field(kw_only=True)
    received: int = attrs.field(default=0, init=False)
    _ahead: list[bytes] = attrs.field(factory=list, init=False)
    _open: bool = attrs.field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self.status = self._response.status
        self.headers: Mapping[str, str] = self._response.headers
        self.packed = is_packed(self.headers)
        self._deadline = None if self._total is None else self._started + self._total

    @cached_property
    def _stream(self) -> Stream:
        """What unpacks a log: some 80 KB, which other answers do not need."""
        # aiohttp's own decompression does not notice that a gzip stream was cut off.
        return Stream()

    @property
    def head(self) -> Answer:
        """Status and headers, without a body."""
        return Answer(self.status, self.headers, b"", self.method, self.safe_url)

    @cached_property
    def target(self) -> str:
        """The address that this redirect leads to, checked as in `location`."""
        return location(self.head, self.url)

    @property
    def framed(self) -> bool:
        """Whether the body marks its own end, so that a cut connection is noticed."""
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        return self.packed or chunked or self.headers.get("Content-Length", "").isdecimal()

    async def read(self) -> bytes:
        """
        Return the bytes that have come; none at the end.

        Raises:
            TransportError: The connection broke off, or a read took too long.
        """
        if self._ahead:
            return self._ahead.pop(0)
        try:
            return await self._next()
        except BROKEN as error:
            failure = transport_error(error, self.method, self.safe_url)
        raise failure

    async def peek(self, size: int) -> bytes:
        """
        Return the first *size* bytes or more; fewer where the body ends or breaks off.

        `read` returns them again, and raises the error. They have to come within the total timeout.

        Raises:
            RequestTimeoutError: They took too long.
        """
        have = sum(map(len, self._ahead))
        try:
            async with self._in_time(_ALL if self.packed else size):
                while have < size and (chunk := await self._next()):
                    self._ahead.append(chunk)
                    have += len(chunk)
        except TimeoutError as error:
            failure = transport_error(error, self.method, self.safe_url)
        except BROKEN:
            return b"".join(self._ahead)
        else:
            return b"".join(self._ahead)
        raise failure

    async def read_whole(self, secret: str = "") -> Answer:
        """
        Read a small body to its end, without unpacking it, and release the connection.

        Raises:
            TransportError: It broke off, took longer than the total timeout, or is too large.
        """
        try:
            raw = await self._whole()
        except BROKEN as error:
            failure = transport_error(error, self.method, self.safe_url)
        else:
            if raw is not None:
                return Answer(self.status, self.headers, raw, self.method, self.safe_url, secret)
            failure = self.head.too_large()
        finally:
            self.close()
        failure.request_id = self.headers.get("X-GitHub-Request-Id")
        raise failure

    def close(self) -> None:
        """Release the connection, or close it where bytes are left. Twice is fine."""
        if not self._open:
            return
        self._open = False
        self._ahead.clear()
        # A connection whose body has ended is back in the pool already: this closes only others.
        self._response.close()
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s %s: %d, request id %s, %.3f s, %d bytes",
                self.method,
                self.safe_url,
                self.status,
                one_line(self.headers.get("X-GitHub-Request-Id", "-")),
                asyncio.get_running_loop().time() - self._started,
                self.received,
            )

    def drop(self) -> None:
        """Close the connection, even if it is back in the pool already."""
        self.close()
        # aiohttp returns a connection to the pool as soon as the body has come; this still has it.
        protocol = getattr(self._response, "_protocol", None)
        if protocol is not None:
            protocol.close()

    def _in_time(self, size: int) -> AbstractAsyncContextManager[object]:
        """Bound the wait for *size* bytes. Where they have come, there is nothing to wait for."""
        content = self._response.content
        come = content.is_eof() or content.total_bytes >= size
        return nullcontext() if come else asyncio.timeout_at(self._deadline)

    async def _next(self) -> bytes:
        if not self.packed:
            return await self._raw()
        while True:
            if piece := self._stream.unpack(_PIECE):
                return piece
            data = await self._raw()
            if not data:
                self._stream.end()
                return b""
            self._stream.feed(data)

    async def _raw(self) -> bytes:
        chunk = await self._response.content.readany()
        self.received += len(chunk)
        self._counters.bytes += len(chunk)
        return chunk

    async def _whole(self) -> bytes | None:
        """Read the body; None where it is too large."""
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > MAX_ANSWER:
            return None
        chunks: list[bytes] = []
        async with self._in_time(_ALL):
            while chunk := await self._raw():
                chunks.append(chunk)
                if self.received > MAX_ANSWER:
                    return None
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
