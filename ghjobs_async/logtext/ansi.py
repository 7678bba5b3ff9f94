"""Remove terminal escape sequences from text."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

import attrs

# ECMA-48, as terminals implement it. A string sequence without an end loses only its introducer:
# removing the rest of the line would lose text.
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
    """A text without escape sequences, with the original place of each of its characters."""

    text: str
    # For each piece of text between sequences: where it begins in `text`, and how much was removed
    # before it.
    _starts: tuple[int, ...] = attrs.field(default=(0,), repr=False)
    _shifts: tuple[int, ...] = attrs.field(default=(0,), repr=False)
    _end: int = attrs.field(default=0, repr=False)

    def offset(self, index: int) -> int:
        """
        Return the place in the original of a character of `text`.

        Args:
            index: From 0 to ``len(text)``, which stands for the end of the original.

        Raises:
            IndexError: There is no such character.
        """
        if not 0 <= index <= len(self.text):
            raise IndexError(f"{index} is not within 0 to {len(self.text)}")
        if index == len(self.text):
            return self._end
        return index + self._shifts[bisect_right(self._starts, index) - 1]

    def __str__(self) -> str:
        return self.text


def plain(text: str) -> PlainText:
    """Remove ANSI escape sequences: colours and other CSI sequences, links and other OSC ones."""
    # Most lines contain no sequence; both tests are fast.
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
