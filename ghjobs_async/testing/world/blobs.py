"""Content with a size and an ETag, to be sent from any byte on."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, Self, TypeAlias

import attrs

#: What a log holds: the bytes, or a function that makes them anew at each call.
LogContent: TypeAlias = bytes | Callable[[], Iterator[bytes]]

_BLOCK: Final = 65_536
_LARGE_BLOCK: Final = 1 << 20
_GZIP: Final = 31


@attrs.frozen
class Blob:
    """Content that can be sent from any byte on, its size in bytes, and a strong ETag."""

    content: LogContent
    size: int
    etag: str

    @classmethod
    def of(cls, content: LogContent, size: int | None = None, etag: str | None = None) -> Self:
        """Make a blob; a function is called once to find the size if *size* is None."""
        if size is None:
            size, digest = 0, hashlib.blake2b(digest_size=8)
            for chunk in [content] if isinstance(content, bytes) else content():
                size += len(chunk)
                digest.update(chunk)
            return cls(content, size, etag or f'"0x8{digest.hexdigest().upper()}"')
        return cls(content, size, etag or f'"0x8{size:X}"')

    def read(self) -> Iterator[bytes]:
        """Give the whole content, block by block."""
        if not isinstance(self.content, bytes):
            yield from self.content()
            return
        for start in range(0, len(self.content), _BLOCK):
            yield self.content[start : start + _BLOCK]

    def part(self, start: int, stop: int) -> Blob:
        """Give the bytes from *start* up to but without *stop*."""
        return Blob(lambda: self._part(start, stop), stop - start, self.etag)

    def _part(self, start: int, stop: int) -> Iterator[bytes]:
        position = 0
        for chunk in self.read():
            if position >= stop:
                return
            piece = chunk[max(0, start - position) : stop - position]
            position += len(chunk)
            if piece:
                yield piece


def blanks(size: int) -> Iterator[bytes]:
    """Give an empty JSON object, padded with blanks to *size* bytes."""
    yield b"{}"[:size]
    for start in range(2, size, _LARGE_BLOCK):
        yield b" " * min(_LARGE_BLOCK, size - start)


@lru_cache(maxsize=4)
def gzip_of_blanks(size: int) -> bytes:
    """Compress what `blanks` gives."""
    packer = zlib.compressobj(wbits=_GZIP)
    return b"".join([*map(packer.compress, blanks(size)), packer.flush()])
