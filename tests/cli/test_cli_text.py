"""Text that is safe to show, and words for numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.cli.output.text import clean_line, escape_unsafe, moment, size
from ghjobs_async.display import clean, duration

CONTROLS = st.text(st.sampled_from("\x1b[]0;1m\x07\x9b\u202e\r\nab\t\x00P\\^"))


@given(CONTROLS)
def test_no_control_survives(text: str) -> None:
    """Whatever stands in a name, what is shown is printable."""
    assert clean(text).isprintable()


@given(CONTROLS)
def test_only_colours_and_tabs_survive_in_a_log(text: str) -> None:
    """Without its colours, a line of a log is printable but for tabs."""
    shown = clean_line(text, colour=False)
    assert shown.replace("\t", "").isprintable()
    coloured = clean_line(text, colour=True)
    assert "\x1b" not in coloured or coloured.endswith("\x1b[0m")


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("8", ""),
        ("0;8", "0"),
        ("8;31", "31"),
        ("00000000008", ""),
        (":8", "0"),
        ("38;5;8", "38;5;8"),
        ("38:5:8", "38;5;8"),
        ("48;2;8;8;8;1", "48;2;8;8;8;1"),
        ("38:2::8:80:200", "38;2;8;80;200"),
        ("38;5;8;8", "38;5;8"),
        ("38;8", ""),
        ("1;38;5;999;8", "1"),
        ("38;5", ""),
        ("4:3", "4"),
        ("11", ""),
        ("", "0"),
        ("1;4;7;31;42;97;100", "1;4;7;31;42;97;100"),
    ],
)
def test_what_hides_text_does_not_pass(sent: str, passed: str) -> None:
    """Colours and styles of a log pass; conceal, other fonts and what is none are left out."""
    sequence = f"\x1b[{passed}m" if passed else ""
    end = "\x1b[0m" if passed else ""
    assert clean_line(f"\x1b[{sent}mtext", colour=True) == f"{sequence}text{end}"


@pytest.mark.parametrize(
    "colours",
    [
        ("30;40",),
        ("38;5;231;48;2;255;255;255",),
        ("97", "107"),
        ("41", "1", "31"),
        ("40;38;5;16",),
        ("38;5;237;48;5;238",),
        ("38:2::1:2:3", "48:2:1:2:3"),
    ],
)
def test_text_in_the_colour_of_its_background_is_shown(colours: tuple[str, ...]) -> None:
    """Where text and background are as good as equal, the background is the terminal's own."""
    line = "".join(f"\x1b[{one}m" for one in colours) + "secret"
    shown = clean_line(line, colour=True)
    assert re.search(r"\x1b\[(.*;)?49msecret", shown)


@pytest.mark.parametrize("colours", ["30;47", "41;30", "30;49", "37;0;47", "40;39", "97;104"])
def test_a_background_that_shows_the_text_is_kept(colours: str) -> None:
    """Other backgrounds stay as they are."""
    assert clean_line(f"\x1b[{colours}ma", colour=True).startswith(f"\x1b[{colours}ma")


@given(st.text(st.sampled_from("0123456789;:"), max_size=30))
def test_no_parameters_conceal(parameters: str) -> None:
    """Whatever the parameters are, the sequence that passes is well-formed and does not conceal."""
    shown = clean_line(f"\x1b[{parameters}ma", colour=True)
    found = re.fullmatch(r"(?:\x1b\[([0-9]+(?:;[0-9]+)*)m)?a(?:\x1b\[0m)?", shown)
    assert found
    bare = re.sub(r"[345]8;(5;\d+|2;\d+;\d+;\d+)", "", found[1] or "")
    assert not {"8", "11"} & set(bare.split(";"))


@pytest.mark.parametrize("char", ["\u2060", "\u00ad", "\u3164", "\U000e0041", "\u202e"])
def test_what_nobody_sees_is_left_out(char: str) -> None:
    """Invisible characters and marks that reverse the writing do not pass, in JSON as escapes."""
    assert clean(f"a{char}b") == clean_line(f"a{char}b", colour=True) == "ab"
    assert escape_unsafe(f'"{char}"').isascii()


@pytest.mark.parametrize("hours", [0, 2, -8])
def test_times_are_shown_in_utc(hours: int) -> None:
    """A time with an offset is converted before a ``Z`` is written behind it."""
    there = datetime(2026, 11, 21, 23, 30, tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert moment(there) == "2026-11-21T23:30:00Z"
    assert moment(None) == ""


def test_json_on_a_terminal_is_still_json() -> None:
    """What is unsafe is written as JSON's escapes."""
    assert escape_unsafe('{"a":\n"\u202e\x9b"}') == '{"a":\n"\\u202e\\u009b"}'


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        (0, "0s"),
        (59.9, "59s"),
        (timedelta(minutes=1, seconds=5), "1m05s"),
        (2 * 3600 + 180, "2h03m"),
        (86_400 * 3 + 4 * 3600, "3d04h"),
    ],
)
def test_durations_are_said_shortly(value: timedelta | float | None, said: str) -> None:
    """The two largest units are enough."""
    assert duration(value) == said


@pytest.mark.parametrize(
    ("count", "said"), [(812, "812 B"), (3_400_000, "3.4 MB"), (5 * 10**15, "5000.0 TB")]
)
def test_sizes_are_said_shortly(count: int, said: str) -> None:
    """Bytes are said in the largest unit that fits."""
    assert size(count) == said
