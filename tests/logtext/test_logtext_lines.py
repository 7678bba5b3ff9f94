from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.logtext import LineKind, LogLine, LogParser, parse_log

STAMP = b"2026-03-01T12:00:00.1234567Z "
BOM = b"\xef\xbb\xbf"
PIECES = st.sampled_from([
    STAMP, BOM, b"\n", b"\r\n", b"\r", b" ", b"x", "é✓😀".encode(), b"\xff\xc3", b"##[group]",
    b"##[endgroup]", b"##[error]", b"[command]", b"##[section]", STAMP[:-1], b"2026-03-01T", b"##[",
])  # fmt: skip
LOGS = st.lists(PIECES, max_size=40).map(b"".join)


def one(log: bytes) -> LogLine:
    (line,) = parse_log([log])
    return line


@given(LOGS, st.lists(st.integers(0, 300), max_size=12), st.integers(1, 60))
def test_any_split_gives_the_same_lines(log: bytes, cuts: list[int], max_line: int) -> None:
    """However a log is split into chunks, capped lines or not, its lines are the same."""
    whole = list(parse_log([log], max_line=max_line))
    places = [0, *sorted(cut for cut in cuts if cut < len(log)), len(log)]
    chunks = [log[a:b] for a, b in pairwise(places)]
    assert list(parse_log(chunks, max_line=max_line)) == whole
    bytewise = (log[at : at + 1] for at in range(len(log)))
    assert list(parse_log(bytewise, max_line=max_line)) == whole
    assert sum(line.size for line in whole) == len(log)


@given(LOGS)
def test_no_byte_is_lost(log: bytes) -> None:
    """Joining the raw lines gives the log back."""
    lines = list(parse_log([log]))
    assert b"".join(line.raw for line in lines) == log
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(line.depth >= 0 for line in lines)


@given(LOGS, LOGS)
def test_skipped_lines_count_as_fed(before: bytes, after: bytes) -> None:
    """Lines that are skipped leave numbers and times as if they had been fed."""
    before += b"\n"
    fed, skipped = LogParser(groups=False), LogParser(groups=False)
    fed.feed(before)
    skipped.skip(before)
    assert fed.feed(after) + fed.close() == skipped.feed(after) + skipped.close()


def test_skip_takes_whole_lines_only() -> None:
    """Skipping part of a line is an error."""
    with pytest.raises(ValueError, match="whole lines"):
        LogParser().skip(b"x")


@pytest.mark.parametrize(
    ("marker", "kind"),
    [(f"##[{kind}]", kind) for kind in LineKind if kind not in {"plain", "action"}]
    + [("[command]", LineKind.COMMAND), ("##[section]", LineKind.PLAIN), ("", LineKind.PLAIN)],
)
def test_markers_are_kinds_and_not_text(marker: str, kind: LineKind) -> None:
    """A marker decides the line's kind and is not part of its text."""
    line = one(STAMP + marker.encode() + b"some text\r\n")
    assert (line.kind, line.text) == (kind, "some text")


@pytest.mark.parametrize("text", ["##[add-matcher]x", "##[errors]", "# ##[error]", " [command]"])
def test_other_texts_are_no_markers(text: str) -> None:
    """A text that is not exactly a marker stays in the line."""
    line = one(STAMP + text.encode())
    assert (line.kind, line.text) == (LineKind.PLAIN, text)


def test_time_keeps_seven_digits_as_text() -> None:
    """The time is aware and exact to the microsecond; the timestamp's text has all digits."""
    line = one(STAMP + b"x\n")
    assert line.time_text == "2026-03-01T12:00:00.1234567Z"
    assert line.time is not None
    assert line.time.isoformat() == "2026-03-01T12:00:00.123456+00:00"


def test_an_impossible_timestamp() -> None:
    """A timestamp that is not a valid time is kept as text only."""
    line = one(b"2026-13-41T99:00:00.1234567Z x")
    assert (line.time, line.time_text, line.text) == (None, "2026-13-41T99:00:00.1234567Z", "x")


@pytest.mark.parametrize("start", [b"", BOM, BOM + BOM])
def test_a_byte_order_mark_is_not_text(start: bytes) -> None:
    """A byte-order mark at the start of any line is kept in raw only."""
    lines = list(
        parse_log([start + STAMP + b"a\n" + start + STAMP + b"##[error]b\n" + start + b"c"])
    )
    assert [line.text for line in lines] == ["a", "b", "c"]
    assert {line.time_text for line in lines} == {"2026-03-01T12:00:00.1234567Z"}


def test_continuations_inherit_the_time() -> None:
    """A line without a timestamp has the time of the message before it, if there is one."""
    lines = list(parse_log([b"head\n" + STAMP + b"a\n  b\n\n" + STAMP[:-1] + b"\n"]))
    assert [line.continuation for line in lines] == [True, False, True, True, False]
    assert [line.time_text for line in lines] == [None, *[STAMP.decode().strip()] * 4]
    assert [line.text for line in lines] == ["head", "a", "  b", "", ""]


def test_a_bare_carriage_return_is_text() -> None:
    """Only a newline ends a line; a carriage return before it belongs to the end."""
    lines = list(parse_log([STAMP + b"10%\r20%\r\n" + STAMP + b"x\r"]))
    assert [line.text for line in lines] == ["10%\r20%", "x\r"]


def test_invalid_utf8_is_replaced_and_kept() -> None:
    """Bytes that are not valid UTF-8 are replaced in the text and kept in raw."""
    line = one(STAMP + b"a\xffb\n")
    assert (line.text, line.raw[-4:]) == ("a\ufffdb", b"a\xffb\n")


def test_groups_enclose_what_is_between() -> None:
    """A group's first and last line have the depth outside it, and the depth is never negative."""
    texts = [b"##[endgroup]", b"##[group]a", b"x", b"##[group]b", b"y", b"##[endgroup]"] + [
        b"##[endgroup]"
    ] * 2
    lines = parse_log(STAMP + text + b"\n" for text in texts)
    assert [line.depth for line in lines] == [0, 0, 1, 0, 1, 0, 0, 0]


def test_long_lines_are_capped() -> None:
    """A line beyond the cap keeps its beginning and its size; the lines after it are complete."""
    lines = list(parse_log([STAMP + b"x" * 100 + b"\n" + STAMP + b"y\n"], max_line=40))
    assert [line.capped for line in lines] == [True, False]
    assert (len(lines[0].raw), lines[0].size, lines[1].text) == (40, 130, "y")


def test_a_line_without_colours() -> None:
    """The plain text has no marker and no escape sequences; the text keeps the latter."""
    line = one(STAMP + b"##[error]\x1b[31mbro\x1b[0mken\x1b]8;;http://x\x07 link\n")
    assert line.plain == "broken link"
    assert line.text.startswith("\x1b[31m")


def test_lines_are_immutable() -> None:
    """A line cannot be changed."""
    with pytest.raises(AttributeError):
        one(STAMP).number = 2  # type: ignore[misc]


def test_the_cap_is_positive() -> None:
    """A cap of zero bytes is an error."""
    with pytest.raises(ValueError, match="positive"):
        LogParser(0)


def test_without_groups_every_line_has_the_same_depth() -> None:
    """A parser that does not count groups gives each line the depth 0, and changes nothing else."""
    log = b"##[group]a\nb\n##[endgroup]\n"
    parser = LogParser(groups=False)
    lines = parser.feed(log)
    assert [line.depth for line in lines] == [0, 0, 0]
    assert [line.kind for line in lines] == [line.kind for line in parse_log([log])]
