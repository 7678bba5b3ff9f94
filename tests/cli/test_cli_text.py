"""Text that is safe to show, and words for numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.cli.output.text import clean, clean_line, duration, escape_unsafe, size

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
