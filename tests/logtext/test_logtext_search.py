import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghjobs_async.logtext import (
    AnnotationFinder,
    Hit,
    LineGrep,
    LogLine,
    LogParser,
    LogSearch,
    parse_log,
)
from ghjobs_async.logtext.annotate import MAX_CONTINUATION
from ghjobs_async.logtext.lines import MAX_LINE
from ghjobs_async.logtext.search import find, literals

STAMP = "2026-03-01T12:00:00.1234567Z "
PIECES = st.sampled_from([
    STAMP.encode(), b"\xef\xbb\xbf", b"\n", b"\r\n", b"a", b"B", b"ks", b"foo", b"fo\x1b[1mo", b"\x1b]0;",
    b"\x07", b"\x1b", b"\x1b[", b"[", b"1", b"\xc2", b"\xc2\x9b", "\u212a\u017f\u0131\u0130".encode(), b"\xff", "é".encode(),
    b"##[group]", b"##[endgroup]", b"##[error]", b"\r",
])  # fmt: skip
LOGS = st.lists(PIECES, max_size=40).map(b"".join)
PATTERNS = st.sampled_from([
    "foo", "fo+", "^a", "a|B", "ks", "i", "a.*o", r"\[1", "é", "o$", "[ab]foo", "f?oo", "x{0}foo", "(foo)",
    "\ufffd", "group", "",
])  # fmt: skip


def lines(*texts: str) -> bytes:
    return "".join(f"{STAMP}{text}\n" for text in texts).encode()


def grep(log: Iterable[LogLine], pattern: str | re.Pattern[str], **options: Any) -> list[Hit]:
    """Find hits by matching every line."""
    by_line = LineGrep(pattern, **options)
    return by_line.feed(log) + by_line.close()


@given(
    log=LOGS,
    source=PATTERNS,
    fold=st.booleans(),
    size=st.integers(1, 50),
    context=st.integers(0, 2) | st.tuples(st.integers(0, 2), st.integers(0, 2)),
    invert=st.booleans(),
    max_count=st.none() | st.integers(1, 3),
    max_line=st.integers(5, 200) | st.just(MAX_LINE),
)
def test_search_finds_what_matching_each_line_finds(
    *,
    log: bytes,
    source: str,
    fold: bool,
    size: int,
    context: int | tuple[int, int],
    invert: bool,
    max_count: int | None,
    max_line: int,
) -> None:
    """Searching bytes gives the same hits as making and matching every line."""
    pattern = re.compile(source, re.IGNORECASE if fold else 0)
    parser = LogParser(max_line, groups=False)
    lines = parser.feed(log) + parser.close()
    expected = grep(lines, pattern, context=context, invert=invert, max_count=max_count)
    by_line = LineGrep(pattern, context=context, invert=invert, max_count=max_count)
    search = LogSearch(by_line, max_line)
    found: list[Hit] = []
    for at in range(0, len(log), size):
        found += search.feed(log[at : at + size])
    assert found + search.close() == expected
    selected = [line for line in lines if (find(pattern, line) is None) == invert]
    assert [hit.line for hit in expected] == selected[:max_count]


COLOURS = st.sampled_from([
    b"f", b"o", b"oo", b"foo", b"m", b"\x1b[1m", b"\x1b[0;36m", b"\x1b[K", b"\x1b]0;f\x07", b"\x1b(B", b"\x1b[", b"\x1b",
    b"\x1b\\", b" ", b"\n" + STAMP.encode(), b"F", b"O", b"\x1bPo\x1b\\", b"\x1bXf\x1b\\",
])  # fmt: skip


@given(
    log=st.lists(COLOURS, max_size=60).map(b"".join),
    source=st.sampled_from(["foo", "mf|oo"]),
    flags=st.sampled_from([0, re.IGNORECASE]),
)
@example(b"f\x1bPm\x1b\\Oo\n", "foo", re.IGNORECASE)
def test_escapes_hide_no_hit(log: bytes, source: str, flags: int) -> None:
    """A text is found in blocks of lines with escapes before, in and after it."""
    pattern = re.compile(source, flags)
    parser, search = LogParser(), LogSearch(LineGrep(pattern))
    expected = grep(parser.feed(log) + parser.close(), pattern)
    assert [*search.feed(log), *search.close()] == expected


@pytest.mark.parametrize(
    ("text", "source", "flags"),
    [
        ("fo\x1b[1mo", "foo", 0),
        ("fo\x9b1mo", "foo", 0),
        ("mas\u212a", "mask", re.IGNORECASE),
        ("foo", "f o o  # spaces", re.VERBOSE),
        ("foo" + "." * 3000, "foo", 0),
        ("." * 3000 + "foo", "foo$", 0),
    ],
    ids=["colour", "C1", "folded", "verbose", "capped", "beyond the cap"],
)
def test_a_hit_keeps_its_place(text: str, source: str, flags: int) -> None:
    """After lines with colours, and in every notation, a hit has the right line and number."""
    log = lines(*["\x1b[36;1mo\x1b[0m"] * 40, text, "\x1b[31mbar", text, "tail")
    pattern = re.compile(source, flags)
    parser = LogParser(2000, groups=False)
    expected = grep(parser.feed(log) + parser.close(), pattern)
    search = LogSearch(LineGrep(pattern), 2000)
    found = [hit for at in range(0, len(log), 700) for hit in search.feed(log[at : at + 700])]
    assert found + search.close() == expected
    assert [hit.line.number for hit in expected] == ([] if source == "foo$" else [41, 43])


@pytest.mark.parametrize("cap", [20, 45])
def test_no_line_hides_behind_the_cap(cap: int) -> None:
    """Where the cap cuts off the end of an escape, or a timestamp, the rest is text."""
    log = lines("begin", "too\x1b]0;foo and more\x07", "no") + b"foo\n"
    parser, search = LogParser(cap, groups=False), LogSearch(LineGrep("foo"), cap)
    expected = grep(parser.feed(log), "foo")
    assert search.feed(log) == expected
    assert search.capped == parser.capped > 0


def test_a_line_is_matched_as_people_see_it() -> None:
    """Timestamp, marker and escapes do not match; the place of a match refers to the line's text."""
    log = lines("##[error]\x1b[31mbro\x1b[0mken\x1b[0m thing")
    (hit,) = grep(parse_log([log]), "^broken")
    assert hit.match == "broken"
    assert hit.line.text[hit.start : hit.end] == "bro\x1b[0mken"
    assert not grep(parse_log([log]), "2026|31m|error")


def test_hits_have_context() -> None:
    """A hit has the lines around it, other hits included, as far as they exist."""
    hits = grep(parse_log([lines("a", "x1", "x2", "b", "c")]), "x", context=2)
    assert [[line.text for line in hit.before] for hit in hits] == [["a"], ["a", "x1"]]
    assert [[line.text for line in hit.after] for hit in hits] == [["x2", "b"], ["b", "c"]]


def test_context_may_differ_before_and_after() -> None:
    """A pair gives how many lines to show before and after each hit."""
    log = parse_log([lines("a", "b", "x", "c", "d")])
    (hit,) = grep(log, "x", context=(1, 2))
    assert [line.text for line in hit.before] == ["b"]
    assert [line.text for line in hit.after] == ["c", "d"]


def test_an_inverted_hit_has_no_match() -> None:
    """An inverted search gives the lines that do not match; there is no match in them."""
    hits = grep(parse_log([lines("a", "x", "b")]), "x", invert=True)
    assert [(hit.line.text, hit.match) for hit in hits] == [("a", ""), ("b", "")]


def test_the_last_hit_ends_the_search() -> None:
    """After ``max_count`` hits and the context of the last one, no further line counts."""
    log = parse_log([lines("x1", "x2", "x3", "x4", "x5")])
    hits = grep(log, "x", context=(0, 1), max_count=2)
    assert [hit.line.text for hit in hits] == ["x1", "x2"]
    assert [line.text for line in hits[1].after] == ["x3"]


def test_a_search_reports_when_it_is_done() -> None:
    """``done`` is true once the last hit has come out, and what is fed then gives nothing."""
    search = LogSearch(LineGrep("x", max_count=1))
    fed = [(len(search.feed(lines(text))), search.done) for text in ("a", "x", "x")]
    assert fed == [(0, False), (1, True), (0, True)]
    assert search.close() == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("uses: .+@v[0-9]", (b"uses: ",)),
        ("foo|barb?", (b"foo", b"bar")),
        (r"a\.b", (b"a.b",)),
        ("a{|b", ()),
        ("(x)y", ()),
        (r"\x41", ()),
        ("x|.", ()),
    ],
)
def test_what_every_match_contains(pattern: str, expected: tuple[bytes, ...]) -> None:
    """Only texts that every match contains are used to skip lines."""
    assert literals(re.compile(pattern)) == expected


def test_annotations_have_their_group_and_continuation() -> None:
    """Annotations have their group, and errors also the following lines without a timestamp."""
    log = lines("##[group]Run x", "##[warning]w", "##[endgroup]", "##[error]e") + b"more\n\n"
    log += lines("##[notice]n") + b"not the notice's\n"
    finder = AnnotationFinder()
    found = finder.feed(parse_log([log])) + finder.close()
    assert [(a.kind, a.text, a.group) for a in found] == [
        ("warning", "w", "Run x"),
        ("error", "e\nmore\n", None),
        ("notice", "n", None),
    ]


def test_the_continuation_of_an_error_is_capped() -> None:
    """Of a very long message the first lines are kept and the others counted."""
    finder = AnnotationFinder()
    log = lines("##[error]e") + b"more\n" * (MAX_CONTINUATION + 5)
    assert not finder.feed(parse_log([log]))
    (found,) = finder.close()
    assert (len(found.continuation), found.dropped) == (MAX_CONTINUATION, 5)
