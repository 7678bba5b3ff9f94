"""
Decide from the storage's answers whether a log can be continued, and whether it has ended.

Two bodies are joined only where they are proven to be the same log: by a validator (``ETag``,
``Last-Modified``), or by reading the log from its start again and comparing a checksum of the bytes
that had come before. A log has ended where a known total is reached, where a body that marks its end
(chunked, gzip) ends properly, or where two readings ended at the same place.

https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

_SPAN: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_NO_SPAN: Final = re.compile(r"bytes \*/([0-9]{1,18})")


class ChangedError(Exception):
    """The log may be another one than before, so it cannot be continued."""

    def __str__(self) -> str:
        return "the log changed meanwhile, or its length was not as announced"


class Next(StrEnum):
    """What to do after the head of an answer."""

    #: Read the body.
    BODY = "body"
    #: Stop: the log has ended.
    END = "end"
    #: Send another request: this answer proves nothing.
    ASK = "ask"


def version_of(headers: Mapping[str, str]) -> dict[str, str]:
    """
    Return the headers that ask for the version that an answer names; none where it names none.

    A weak ETag does not count: bytes may differ.
    """
    etag = headers.get("ETag", "").strip()
    if etag and not etag.startswith("W/"):
        return {"If-Match": etag}
    modified = headers.get("Last-Modified", "").strip()
    return {"If-Unmodified-Since": modified, "If-Range": modified} if modified else {}


@attrs.define
class Continuity:
    """
    The state of one log that is being read.

    Attributes:
        received: How many of its bytes have come.
        expected: How many there are, where an answer said so.
        promised: The largest length that any answer announced, also for a reading before this one.
    """

    received: int = 0
    expected: int | None = None
    promised: int = 0
    _version: dict[str, str] = attrs.field(factory=dict)
    # Of all bytes that came; None where a version makes it unnecessary.
    _checksum: int | None = 0
    # Whether the rest can be asked for by Range.
    _ranges: bool = True
    # Whether the end of the current body is the end of the log, and where the body has to end.
    _whole: bool = True
    _until: int | None = None
    # How many bytes of the current body had come before, and their checksum so far.
    _skip: int = 0
    _skipped: int = 0
    # How much had come when a body ended without a proof that it was complete.
    _ended_at: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the next request: the rest of this version, or the log from its start."""
        if not (self.received and self._version and self._ranges):
            return {}
        return {"Range": f"bytes={self.received}-", **self._version}

    def begin(self, status: int, headers: Mapping[str, str], *, framed: bool, packed: bool) -> Next:
        """
        Judge the head of an answer to a request with `headers`.

        Args:
            status: 200; or, to a request with a Range, 206, 412 or 416.
            headers: The answer's.
            framed: Whether the body marks its own end.
            packed: Whether the body is compressed: then no header says how long the log is.

        Raises:
            ChangedError: It is not proven to be the same log.
        """
        if not self.received:
            self._version = version_of(headers)
            self.expected = None if packed else _length(headers)
            self._checksum = None if self._version and not packed else 0
            self._ranges = not packed
        elif status == 416:
            return self._beyond(headers)
        elif self._version and version_of(headers) != self._version:
            raise ChangedError
        self._skip = self._skipped = 0
        if status == 206:
            self._part(headers)
        elif status == 200:
            self._from_start(headers, framed=framed, packed=packed)
        else:
            raise ChangedError
        self.promised = max(self.promised, self.expected or 0)
        return Next.BODY

    def _beyond(self, headers: Mapping[str, str]) -> Next:
        """Judge a 416, by which the storage says that the log has no more bytes."""
        named = _NO_SPAN.fullmatch(headers.get("Content-Range", "").strip())
        version = version_of(headers)
        if version and version != self._version:
            raise ChangedError
        if not named or not version:
            # It proves nothing, so the log is read from its start instead.
            self._ranges = False
            return Next.ASK
        if int(named[1]) != self.received or self.expected not in {None, self.received}:
            raise ChangedError
        self.expected = self.received
        return Next.END

    def _part(self, headers: Mapping[str, str]) -> None:
        """Judge a 206: it has to be the part that was asked for, of a log of the known length."""
        span = _SPAN.fullmatch(headers.get("Content-Range", "").strip())
        if not span or int(span[1]) != self.received:
            raise ChangedError
        self._whole, self._until = False, int(span[2]) + 1
        if span[3] != "*":
            total = int(span[3])
            if self.expected not in {None, total} or self._until > total:
                raise ChangedError
            self.expected = total

    def _from_start(self, headers: Mapping[str, str], *, framed: bool, packed: bool) -> None:
        length = None if packed else _length(headers)
        if length is not None and (self.expected not in {None, length} or length < self.received):
            raise ChangedError
        self.expected = self.expected if length is None else length
        self._whole, self._until, self._skip = framed, length, self.received

    def take(self, chunk: bytes) -> bytes:
        """
        Add bytes of the body; return those that are new.

        Raises:
            ChangedError: Bytes that had come before differ, or there are more than announced.
        """
        if self._skip:
            old, chunk = chunk[: self._skip], chunk[self._skip :]
            self._skip -= len(old)
            if self._checksum is not None:
                self._skipped = zlib.crc32(old, self._skipped)
                if not self._skip and self._skipped != self._checksum:
                    raise ChangedError
        come = self.received + len(chunk)
        for bound in (self._until, self.expected):
            if bound is not None and come > bound:
                raise ChangedError
        if self._checksum is not None:
            self._checksum = zlib.crc32(chunk, self._checksum)
        self.received = come
        return chunk

    def ended(self) -> bool:
        """
        Return whether the end of this body is the end of the log, or the rest has to be requested.

        Raises:
            ChangedError: The log is shorter than before, or empty where it was not.
        """
        if self._skip or (self.promised and not self.received and not self.expected):
            raise ChangedError
        if self.expected is not None:
            return self.received == self.expected
        if self._whole or self._ended_at == self.received:
            return True
        # The connection or a part of the log ended, which does not prove the end of the log.
        if self._until is None:
            self._ended_at = self.received
        return False


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None
