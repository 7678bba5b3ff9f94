"""Answers of any size that cost neither memory nor time to make."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK: Final = 1 << 20
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def blanks(size: int) -> Iterator[bytes]:
    """Give an empty JSON object and so many blanks that it is *size* bytes long."""
    yield b"{}"[:size]
    left = max(0, size - 2)
    while left > 0:
        yield b" " * min(left, _BLOCK)
        left -= _BLOCK


@lru_cache(maxsize=4)
def gzip_of_blanks(size: int) -> bytes:
    """Compress what `blanks` gives."""
    blocks, rest = divmod(max(0, size - 2), _BLOCK)
    whole = b" " * _BLOCK
    # After a full flush deflate starts afresh, so one compressed block serves for all.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(b"{}"[:size]) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(whole) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(b" " * rest) + packer.flush(zlib.Z_FINISH)
    crc = zlib.crc32(b"{}"[:size])
    for _ in range(blocks):
        crc = zlib.crc32(whole, crc)
    crc = zlib.crc32(b" " * rest, crc)
    trailer = struct.pack("<II", crc, size & 0xFFFFFFFF)
    return _GZIP_HEADER + first + block * blocks + last + trailer
