"""A small body, as it comes from the socket."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from ghjobs_async.transport.body import Response
from ghjobs_async.transport.stats import Counters


def response(*chunks: bytes) -> Response:
    """A response whose body comes in these pieces."""
    left = [*chunks, b""]

    async def readany() -> bytes:
        return left.pop(0)

    content = SimpleNamespace(readany=readany, is_eof=lambda: False, total_bytes=0)
    inner: Any = SimpleNamespace(
        status=200, headers={}, content=content, release=lambda: None, close=lambda: None
    )
    started = asyncio.get_running_loop().time()
    return Response(inner, "GET", "/", "/", started=started, total=60, counters=Counters())


@pytest.mark.parametrize("pieces", [0, 1, 2, 3])
async def test_a_body_is_whole_in_however_many_pieces(pieces: int) -> None:
    """Each piece is part of the answer, once and in order."""
    chunks = [b"%d;" % number for number in range(pieces)]
    assert (await response(*chunks).read_whole()).raw == b"".join(chunks)
