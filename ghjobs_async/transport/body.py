"""An open response: its body as it comes, or read to its end; unpacked, bounded, in time."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Mapping
from typing import Final

import aiohttp

from ghjobs_async.errors import TransportError
from ghjobs_async.transport.failures import BROKEN, transport_error
from ghjobs_async.wire.messages import Answer

_log: Final = logging.getLogger("ghjobs_async")

#: The largest answer of the API that is read: a page of 100 runs has some 2 MB.
MAX_ANSWER: Final = 16 * 2**20
# Pages of jobs pack to a twentieth of their size. What unpacks to a hundred times its size, and to
# more than 4 MB, is not a page.
_MAX_RATIO: Final = 100
_MIN_UNPACKED: Final = 4 * 2**20
# A packed log is given in pieces of at most this size.
_PIECE: Final = 2**18
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})


class Response:
    """
    An open response. Whoever gets it reads it to its end, or closes it.

    Args:
        response: aiohttp's response.
        method: Method of the request.
        url: The address that was asked.
        safe_url: The address without secrets, for errors and logging.
        started: When the request left, by the loop's clock.
        total: How many seconds after that a small body must have come; None does not bound it.

    Attributes:
        packed: Whether the body is compressed. An encoding that is none (``aws-chunked``,
            ``utf-8``) leaves the bytes as they are.
        received: How many bytes have come, before unpacking.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        method: str,
        url: str,
        safe_url: str,
        *,
        started: float,
        total: float | None,
    ) -> None:
        self._response = response
        self._started = started
        self._deadline = None if total is None else started + total
        self._ahead: list[bytes] = []
        self._open = True
        self.method = method
        self.url = url
        self.safe_url = safe_url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.received = 0
        self.packed = self.headers.get("Content-Encoding", "").strip().lower() in _PACKED
        # aiohttp does not tell a gzip stream that was cut from one that has ended.
        self._stream = _Stream()

    @property
    def head(self) -> Answer:
        """Status and headers, without a body."""
        return Answer(self.status, self.headers, b"", self.method, self.safe_url)

    @property
    def framed(self) -> bool:
        """Whether the end of the body can be told from the end of the connection."""
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        return self.packed or chunked or self.headers.get("Content-Length", "").isdecimal()

    async def read(self) -> bytes:
        """
        Return the next bytes, as many as have come; none at the end.

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
        Return the first bytes: *size* of them or more, fewer where the body ends or breaks off.

        `read` returns them again, and raises what broke. They have to come within the total timeout.

        Raises:
            RequestTimeoutError: They took too long.
        """
        have = sum(map(len, self._ahead))
        try:
            async with asyncio.timeout_at(self._deadline):
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

    async def read_whole(self) -> Answer:
        """
        Read a small body to its end, and let go of the connection.

        Raises:
            TransportError: It broke off, took longer than the total timeout, or is larger than
                `MAX_ANSWER`: a small packed body can hold gigabytes.
        """
        try:
            body = await self._whole()
            if body is not None:
                return Answer(self.status, self.headers, body, self.method, self.safe_url)
        except BROKEN as error:
            failure = transport_error(error, self.method, self.safe_url)
        else:
            failure = TransportError(
                f"{self.method} {self.safe_url}: the answer is larger than {MAX_ANSWER >> 20} MB; "
                "ask for less",
                retryable=False,
                method=self.method,
                url=self.safe_url,
            )
        finally:
            self.close()
        failure.request_id = self.headers.get("X-GitHub-Request-Id")
        raise failure

    def close(self) -> None:
        """Let go of the connection; it is cut where bytes are left. Twice is fine."""
        if not self._open:
            return
        self._open = False
        self._ahead.clear()
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s %s: %d, request id %s, %.3f s, %d bytes",
                self.method,
                self.safe_url,
                self.status,
                self.headers.get("X-GitHub-Request-Id", "-"),
                asyncio.get_running_loop().time() - self._started,
                self.received,
            )

    def drop(self) -> None:
        """Close the connection, even where it has gone back to the others already."""
        self.close()
        # aiohttp lets go of a connection as soon as the body has come; only this still names it.
        protocol = getattr(self._response, "_protocol", None)
        if protocol is not None:
            protocol.close()

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
        return chunk

    async def _whole(self) -> bytes | None:
        """Read the body and unpack it; None where it is too large."""
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > MAX_ANSWER:
            return None
        chunks: list[bytes] = []
        async with asyncio.timeout_at(self._deadline):
            while chunk := await self._raw():
                chunks.append(chunk)
                if self.received > MAX_ANSWER:
                    return None
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        # An answer without a body (a redirect, say) may name an encoding all the same.
        return self._unpacked(body) if self.packed and body else body

    def _unpacked(self, body: bytes) -> bytes | None:
        limit = min(MAX_ANSWER, max(_MIN_UNPACKED, len(body) * _MAX_RATIO))
        self._stream.feed(body)
        pieces: list[bytes] = []
        size = 0
        while piece := self._stream.unpack(limit + 1 - size):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                return None
        self._stream.end()
        return b"".join(pieces)


class _Stream:
    """A gzip or zlib stream: one or several members, and nothing but zeros behind them."""

    _ZLIB_OR_GZIP: Final = 47

    def __init__(self) -> None:
        self._member = zlib.decompressobj(self._ZLIB_OR_GZIP)
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes; those before have been unpacked."""
        self._data = data

    def unpack(self, limit: int) -> bytes:
        """Return the next *limit* bytes or fewer; none where more has to be fed first."""
        while self._data:
            if self._member.eof:
                self._data = self._data.lstrip(b"\0")
                if not self._data:
                    break
                self._member = zlib.decompressobj(self._ZLIB_OR_GZIP)
            piece = self._member.decompress(self._data, limit)
            self._data = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                return piece
        return b""

    def end(self) -> None:
        """Check that the stream has ended."""
        if not self._member.eof:
            raise EOFError("the packed answer was cut off")
