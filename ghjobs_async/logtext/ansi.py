"""Text as a terminal would show it, without the terminal's escape sequences."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

import attrs

# ECMA-48, and what terminals make of it. A string sequence that never ends is no sequence: only its
# introducer goes, since hiding the rest of the line would lose text.
_ESCAPE: Final = re.compile(
    r"""
    (?: \x1b[\]PX^_] | [\x9d\x90\x98\x9e\x9f] ) [^\x07\x1b\x90\x98\x9c-\x9f]*
      (?: \x07 | \x1b\\ | \x9c )             # OSC, DCS, SOS, PM, APC
    | (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]?  # CSI
    | \x1b [ -/]* [0-~]?                      # others
    """,
    re.VERBOSE,
)


@attrs.frozen
class PlainText:
    """
    A text without escape sequences, and where each character of it came from.

    Attributes:
        text: The text without escape sequences.
    """

    text: str
    # For each run of text between sequences: where it begins here, and how much was cut before it.
    _starts: tuple[int, ...] = attrs.field(default=(0,), repr=False)
    _shifts: tuple[int, ...] = attrs.field(default=(0,), repr=False)
    _end: int = attrs.field(default=0, repr=False)

    def offset(self, index: int) -> int:
        """
        Where character *index* of `text` stands in the original.

        Args:
            index: From 0 to ``len(text)``, whose place is the original's end.

        Raises:
            IndexError: No such character.
        """
        if not 0 <= index <= len(self.text):
            raise IndexError(f"{index} is not within 0 to {len(self.text)}")
        if index == len(self.text):
            return self._end
        return index + self._shifts[bisect_right(self._starts, index) - 1]

    def __str__(self) -> str:
        return self.text


def plain(text: str) -> PlainText:
    """
    Strip ANSI escape sequences: colours and other CSI sequences, hyperlinks and other OSC sequences.

    Args:
        text: A line's text.
    """
    # Both tests cost next to nothing, and most lines end here.
    if "\x1b" not in text and text.isascii():
        return PlainText(text, end=len(text))
    parts: list[str] = []
    starts, shifts = [0], [0]
    length = at = 0
    for escape in _ESCAPE.finditer(text):
        parts.append(text[at : escape.start()])
        length += escape.start() - at
        at = escape.end()
        starts.append(length)
        shifts.append(at - length)
    if not parts:
        return PlainText(text, end=len(text))
    parts.append(text[at:])
    return PlainText("".join(parts), tuple(starts), tuple(shifts), len(text))
