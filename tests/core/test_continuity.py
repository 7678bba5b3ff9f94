"""Whether a log may be continued, decided from the heads of answers, without any network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.logs.continuity import ChangedError, Continuity, Next, version_of

LOG = b"0123456789"
TAG = {"ETag": '"a"'}


def sized(body: bytes = LOG, more: dict[str, str] | None = None) -> dict[str, str]:
    return {"Content-Length": str(len(body)), **(more or {})}


def span(start: int, end: int, total: int | str = len(LOG)) -> dict[str, str]:
    return {"Content-Range": f"bytes {start}-{end - 1}/{total}", **TAG}


def begun(
    headers: dict[str, str], came: bytes = b"", *, framed: bool = True, packed: bool = False
) -> Continuity:
    """A reading whose first body broke off after some bytes."""
    log = Continuity()
    assert log.begin(200, headers, framed=framed, packed=packed) is Next.BODY
    if came:
        assert log.take(came) == came
    return log


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({}, {}),
        ({"ETag": '"a"'}, {"If-Match": '"a"'}),
        ({"ETag": '"a"', "Last-Modified": "x"}, {"If-Match": '"a"'}),
        ({"ETag": 'W/"a"', "Last-Modified": "x"}, {"If-Unmodified-Since": "x", "If-Range": "x"}),
        ({"ETag": 'W/"a"'}, {}),
    ],
)
def test_a_version_compares_bytes(headers: dict[str, str], version: dict[str, str]) -> None:
    """A strong ETag counts before Last-Modified; a weak one does not count."""
    assert version_of(headers) == version


def test_a_known_total_is_the_end() -> None:
    """A log of known length has ended when so many bytes have come, and not before."""
    log = begun(sized(more=TAG), LOG[:4])
    assert not log.ended()
    assert log.headers == {"Range": "bytes=4-", "If-Match": '"a"'}
    assert log.begin(206, span(4, 10), framed=True, packed=False) is Next.BODY
    assert log.take(LOG[4:]) == LOG[4:]
    assert log.ended()


def test_nothing_is_asked_by_range_without_a_version() -> None:
    """The log is read from its start again, and what had come is compared and passed over."""
    log = begun(sized(), LOG[:4])
    assert log.headers == {}
    assert log.begin(200, sized(), framed=True, packed=False) is Next.BODY
    assert log.take(LOG[:3]) == b""
    assert log.take(LOG[3:]) == LOG[4:]
    assert log.ended()


def test_a_length_that_comes_later_counts() -> None:
    """Where only the second answer says how long the log is, it has ended there and not before."""
    log = begun(TAG, LOG[:4])
    assert log.begin(200, sized(more=TAG), framed=True, packed=False) is Next.BODY
    assert log.take(LOG[:9]) == LOG[4:9]
    assert (log.expected, log.ended()) == (10, False)
    log.take(LOG[9:])
    assert log.ended()


def test_another_log_from_its_start_is_not_joined() -> None:
    """One differing byte in what had come is enough."""
    log = begun(sized(), LOG[:4])
    log.begin(200, sized(), framed=True, packed=False)
    with pytest.raises(ChangedError):
        log.take(b"012x456789")
    assert log.received == 4


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {**span(4, 10), "ETag": '"b"'}),
        (206, {"Content-Range": "bytes 4-9/10"}),
        (206, span(5, 10)),
        (206, span(4, 10, 11)),
        (206, span(4, 12)),
        (206, TAG),
        (200, sized(LOG + b"x", TAG)),
        (200, sized(more={"ETag": '"b"'})),
        (412, TAG),
        (416, {"Content-Range": "bytes */4", **TAG}),
        (416, {"Content-Range": "bytes */11", **TAG}),
        (416, {"Content-Range": "bytes */4", "ETag": '"b"'}),
    ],
)
def test_what_is_not_proven_is_not_joined(status: int, headers: dict[str, str]) -> None:
    """Another version, total, offset or end: the log changed."""
    log = begun(sized(more=TAG), LOG[:4])
    with pytest.raises(ChangedError):
        log.begin(status, headers, framed=True, packed=False)


@pytest.mark.parametrize(
    "named", [TAG, {"Content-Range": "bytes */*", **TAG}, {"Content-Range": "bytes */4"}]
)
def test_a_416_without_length_and_version_proves_nothing(named: dict[str, str]) -> None:
    """The log is read from its start instead, whose end will tell."""
    log = begun(TAG, LOG[:4], framed=False)
    assert log.begin(416, named, framed=True, packed=False) is Next.ASK
    assert log.headers == {}


def test_a_416_with_the_length_is_the_end() -> None:
    """There is nothing behind what has come."""
    log = begun(TAG, LOG, framed=False)
    assert not log.ended()
    answer = {"Content-Range": "bytes */10", **TAG}
    assert log.begin(416, answer, framed=True, packed=False) is Next.END
    assert log.expected == 10


def test_the_end_of_a_part_is_not_the_end_of_the_log() -> None:
    """A part whose total is unknown may end early: the rest is asked for."""
    log = begun(TAG, LOG[:4])
    log.begin(206, span(4, 6, "*"), framed=True, packed=False)
    log.take(LOG[4:6])
    assert not log.ended()
    assert log.headers["Range"] == "bytes=6-"


def test_a_part_gives_no_more_than_it_says() -> None:
    """Bytes behind the span are not the log's, and none of them is given."""
    log = begun(TAG, LOG[:4])
    log.begin(206, span(4, 6, "*"), framed=False, packed=False)
    with pytest.raises(ChangedError):
        log.take(LOG[4:7])
    assert log.received == 4


def test_an_end_that_proves_nothing_is_believed_twice() -> None:
    """Without length and framing, a log has ended where two readings end."""
    log = begun({}, LOG, framed=False)
    assert not log.ended()
    log.begin(200, {}, framed=False, packed=False)
    assert log.take(LOG) == b""
    assert log.ended()


def test_a_log_that_shrank_is_another_one() -> None:
    """A second reading that ends before the first one does not continue it."""
    log = begun({}, LOG, framed=False)
    assert not log.ended()
    log.begin(200, {}, framed=False, packed=False)
    log.take(LOG[:3])
    with pytest.raises(ChangedError):
        log.ended()


def test_the_length_of_a_packed_body_counts_other_bytes() -> None:
    """A packed log is read from its start again, whatever its version and length."""
    log = begun(sized(b"xx", TAG), LOG[:4], packed=True)
    assert (log.expected, log.headers) == (None, {})
    log.begin(200, sized(b"xx", TAG), framed=True, packed=True)
    assert log.take(LOG) == LOG[4:]
    assert log.ended()


def test_nothing_after_a_promise_is_not_an_empty_log() -> None:
    """A length was announced, then the log is empty: that is another one."""
    log = begun(sized())
    log.begin(200, sized(b""), framed=True, packed=False)
    with pytest.raises(ChangedError):
        log.ended()
    anew = Continuity(promised=log.promised)
    anew.begin(200, {}, framed=True, packed=False)
    with pytest.raises(ChangedError):
        anew.ended()


@given(
    st.text() | st.sampled_from(["0", "10", "9" * 30, "\N{ARABIC-INDIC DIGIT ONE}", "-1", "1.0"])
)
def test_any_length_is_survived(length: str) -> None:
    """A length that is not a plain number is no length."""
    log = begun({"Content-Length": length})
    assert log.expected is None or str(log.expected) == length.lstrip("0") or log.expected == 0
