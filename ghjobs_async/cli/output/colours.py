"""The colours that a log may set on a terminal: those that leave its text visible. Pure."""

from __future__ import annotations

from operator import sub
from typing import Final, TypeAlias

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
    match values:
        case [5, number] if number <= 255:
            return _numbered(number)
        case [2, *levels] if len(levels) == 3 and max(levels) <= 255:
            return tuple(levels)
        case _:
            return None


def _numbered(number: int) -> _Colour:
    """Return a colour of the palette: 16 basic ones, a cube of 216, and 24 greys."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    if number >= 16:
        steps = ((number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6)
        return tuple(55 + 40 * step if step else 0 for step in steps)
    return tuple((85 if number > 7 else 0) + 170 * (number >> bit & 1) for bit in range(3))
