"""Text that is safe to show, and numbers and times for people. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from operator import sub
from typing import Final, TypeAlias

from ghjobs_async.display import UNSAFE, clean

#: Colours and text styles: the only escape sequences that a log may send to a terminal.
_SGR: Final = re.compile(r"\x1b\[([0-9;:]*)m")

_Colour: TypeAlias = tuple[int, ...]

# https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
_FRONT, _BACK, _UNDERLINE = 38, 48, 58
#: Colours and styles, without 8, which hides the text, and without 10 to 20, which choose fonts.
_ALLOWED: Final = frozenset({*range(8), 9, *range(21, 50), 53, 55, 59, *range(90, 108)})
#: The codes of the sixteen basic colours: what they set, and the number of the colour.
_BASIC: Final = {
    start + n: (what, first + n)
    for start, what, first in ((30, _FRONT, 0), (90, _FRONT, 8), (40, _BACK, 0), (100, _BACK, 8))
    for n in range(8)
}
#: By how much of 255 the red, green or blue of text and background must differ.
_MIN_CONTRAST: Final = 24


def clean_line(text: str, *, colour: bool) -> str:
    """Return a line of a log for a terminal: its tabs are kept, its colours if so asked."""
    if text.isascii() and text.isprintable():
        return text
    colours = Colours()
    # Texts and the parameters of sequences take turns.
    parts = _SGR.split(text)
    parts[::2] = ["\t".join(map(clean, part.split("\t"))) for part in parts[::2]]
    parts[1::2] = [colours.visible(part) if colour else "" for part in parts[1::2]]
    # No colour may run on into what follows the log.
    return "".join(parts) + ("\x1b[0m" if any(parts[1::2]) else "")


def escape_unsafe(text: str) -> str:
    """Escape in JSON what `clean` would drop; newlines between values stay."""
    return UNSAFE.sub(lambda m: m[0] if m[0] == "\n" else json.dumps(m[0])[1:-1], text)


class Colours:
    """Follow the colours of a line, and keep its text visible."""

    def __init__(self) -> None:
        self._now: dict[int, _Colour] = {}

    def visible(self, parameters: str) -> str:
        """Return the sequence that sets *parameters*, but for what hides text; it may be empty."""
        kept: list[int] = []
        rest = [[int(part[-9:] or 0) for part in one.split(":")] for one in parameters.split(";")]
        while rest:
            code, *values = rest.pop(0)
            if code in {_FRONT, _BACK, _UNDERLINE}:
                if not values:
                    # 38;5;N or 38;2;R;G;B: without colons, each value is a parameter of its own.
                    count = 4 if rest[:1] == [[2]] else 2
                    values = [one[0] for one in rest[:count]]
                    del rest[:count]
                elif values[0] == 2:
                    # A colour space may stand before the three.
                    values = [2, *values[1:][-3:]]
                if (colour := _extended(values)) is None:
                    # Terminals disagree on what the rest means.
                    break
                self._now[code] = colour
                kept += [code, *values]
            elif code in _ALLOWED:
                kept.append(code)
                self._take(code)
        front, back = self._now.get(_FRONT), self._now.get(_BACK)
        if front and back and max(map(abs, map(sub, front, back))) < _MIN_CONTRAST:
            kept.append(_BACK + 1)
            self._take(_BACK + 1)
        return f"\x1b[{';'.join(map(str, kept))}m" if kept else ""

    def _take(self, code: int) -> None:
        if code == 0:
            self._now.clear()
        elif code in _BASIC:
            what, number = _BASIC[code]
            self._now[what] = _numbered(number)
        else:
            # 39, 49 and 59 return to the terminal's own.
            self._now.pop(code - 1, None)


def _extended(values: list[int]) -> _Colour | None:
    """Return the colour that ``5, N`` or ``2, R, G, B`` stands for; None where it is none."""
    if values[:1] == [5] and len(values) == 2 and values[1] <= 255:
        return _numbered(values[1])
    if values[:1] == [2] and len(values) == 4 and max(values) <= 255:
        return tuple(values[1:])
    return None


def _numbered(number: int) -> _Colour:
    """Return a colour of the palette: 16 basic ones, a cube of 216, and 24 greys."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    if number >= 16:
        steps = ((number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6)
        return tuple(55 + 40 * step if step else 0 for step in steps)
    return tuple((85 if number > 7 else 0) + 170 * (number >> bit & 1) for bit in range(3))


def moment(value: datetime | None) -> str:
    """Format a time in UTC, as GitHub does: ``2026-11-21T16:37:39Z``; empty where unknown."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def size(count: int) -> str:
    """Format a number of bytes: ``812 B``, ``3.4 MB``."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit != "B" else f"{count} B"


def plural(count: int, word: str) -> str:
    """Format a count: ``1 job``, ``2,000 jobs``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
