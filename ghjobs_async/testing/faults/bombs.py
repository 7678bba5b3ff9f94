"""Answers of any size that take neither memory nor time to make."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ghjobs_async.testing.faults.script import Fault
from ghjobs_async.testing.server.messages import Answer
from ghjobs_async.testing.world.blobs import Blob

_BLOCK: Final = 1 << 20
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def blanks(size: int) -> Iterator[bytes]:
    """Give an empty JSON object, padded with blanks to *size* bytes."""
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
    # A full flush resets the compressor, so every block compresses to the same bytes.
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


def gzip_bomb(size: int = 100_000_000) -> Fault:
    """Answer with a small body that unpacks to *size* bytes of valid JSON."""
    kind = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return Fault(
        "gzip_bomb", lambda *_: Answer(200, gzip_of_blanks(size), dict(kind), encoded=True)
    )


def huge_answer(size: int = 100_000_000) -> Fault:
    """Answer with *size* bytes of valid JSON."""
    blob = Blob(lambda: blanks(size), size, '"huge"')
    kind = {"Content-Type": "application/json"}
    return Fault("huge_answer", lambda *_: Answer(200, (blob, 0, size), dict(kind)))
