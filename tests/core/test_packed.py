"""Bodies that stay packed until they are decoded, by zlib and by its faster stand-in."""

from __future__ import annotations

import gzip
import importlib
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import TransportError
from ghjobs_async.wire import packed
from ghjobs_async.wire.messages import MAX_ANSWER, Answer

BODY = b'{"total_count": 0, "jobs": []}' * 500


@pytest.fixture(params=["zlib", "isal.isal_zlib"], autouse=True)
def _backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test runs with both."""
    backend = pytest.importorskip(request.param)
    with monkeypatch.context() as patch:
        patch.setattr(packed, "_zlib", backend)
        yield


def answer(raw: bytes, encoding: str | None = "gzip") -> Answer:
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return Answer(200, headers, raw, "GET", "https://api.github.com/x")


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(BODY), " GZIP "),
        (zlib.compress(BODY), "deflate"),
        (gzip.compress(BODY[:99]) + gzip.compress(b"") + gzip.compress(BODY[99:]), "x-gzip"),
        (gzip.compress(BODY) + bytes(8), "gzip"),
        (BODY, None),
        (BODY, "utf-8"),
    ],
)
def test_a_body_is_unpacked_when_it_is_read(raw: bytes, encoding: str | None) -> None:
    """Gzip, zlib, several members, or none of it; its head is the first 4 KB."""
    one = answer(raw, encoding)
    assert one.raw is raw
    assert one.body == BODY
    assert BODY.startswith(one.head)
    assert one.head


def test_no_body_is_no_stream() -> None:
    """A redirect may name an encoding, and have nothing that is encoded."""
    assert (answer(b"").body, answer(b"").head) == (b"", b"")


@pytest.mark.parametrize("raw", [gzip.compress(BODY)[:-5], b"nonsense", gzip.compress(BODY) + b"x"])
def test_a_broken_body_is_asked_for_again(raw: bytes) -> None:
    """Cut off, not packed at all, or followed by something else: a TransportError."""
    with pytest.raises(TransportError, match="broken") as caught:
        _ = answer(raw).body
    assert caught.value.retryable


@pytest.mark.parametrize("size", [MAX_ANSWER + 1, 5 * 2**20])
def test_a_bomb_is_an_error(size: int) -> None:
    """More than 16 MB, or than a hundred times its packed size: refused, and not asked for again."""
    with pytest.raises(TransportError, match="larger than") as caught:
        _ = answer(gzip.compress(bytes(size))).body
    assert not caught.value.retryable


@given(st.binary(max_size=5000), st.integers(1, 700), st.integers(1, 700))
def test_any_stream_comes_whole(data: bytes, piece: int, limit: int) -> None:
    """However it is cut into pieces, and however little is taken at once."""
    raw = gzip.compress(data)
    stream = packed.Stream()
    found = b""
    for start in range(0, len(raw), piece):
        stream.feed(raw[start : start + piece])
        while part := stream.unpack(limit):
            assert len(part) <= limit
            found += part
    stream.end()
    assert found == data


def test_the_faster_one_is_taken_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra `speed` brings it; without it, zlib does the same work."""

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert packed._backend() is zlib
