"""Turn untrusted names into labels of a known width, safe in XML."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

from ghjobs_async.display import clean

# How wide characters are in the widest of the usual fonts (DejaVu Sans and Verdana), in parts of
# the font's size. A label that is narrower than thought only leaves room.
_ASCII: Final = {
    **dict.fromkeys("iIjJl|'.,:;!/\\()[] ftr-`", 0.41),
    **dict.fromkeys("cksvxyz_L", 0.6),
    **dict.fromkeys("mwMW@%", 1.0),
    **dict.fromkeys("#+=<>~^", 0.84),
    **dict.fromkeys("ABCDEFGHKNOPQRSTUVXYZ&", 0.79),
}
_OTHER_ASCII: Final = 0.64
_BOLD: Final = 1.13
_MARKS: Final = frozenset({"Mn", "Me", "Cf"})
#: No script needs more marks on one letter; more would be drawn over other rows.
_MOST_MARKS: Final = 2
#: A family of four with the colours of their skins has eleven.
_MOST_JOINED: Final = 12
#: Single characters that are as wide as words: Arabic phrases, and cuneiform.
_PHRASES: Final = (range(0xFDF0, 0xFE00), range(0x12000, 0x12550))


@lru_cache(maxsize=8192)
def name(text: str) -> str:
    """Return a name as it is shown: clean, and never empty."""
    shown, marks = [], 0
    for char in clean(text).strip():
        marks = marks + 1 if _width(char) == 0 else 0
        if marks <= _MOST_MARKS:
            shown.append(char)
    return "".join(shown) or "(no name)"


def width(text: str, *, bold: bool = False) -> float:
    """Return about how wide *text* is at most, in parts of the font's size."""
    return sum(map(_width, text)) * (_BOLD if bold else 1.0)


@lru_cache(maxsize=4096)
def _width(char: str) -> float:
    if char.isascii():
        return _ASCII.get(char, _OTHER_ASCII)
    if unicodedata.category(char) in _MARKS:
        return 0.0
    if any(ord(char) in phrase for phrase in _PHRASES):
        return 12.0
    return 1.4 if unicodedata.east_asian_width(char) in {"W", "F"} else 1.15


def shorten(text: str, room: float, *, bold: bool = False) -> str:
    """Shorten *text* in its middle, since names mostly differ at their ends."""
    if width(text, bold=bold) <= room:
        return text
    parts = _characters(text)
    room = room / (_BOLD if bold else 1.0) - _width("\u2026")
    head: list[str] = []
    tail: list[str] = []
    first, last = 0, len(parts) - 1
    while first <= last:
        # In turns, so that both ends get about the same.
        part = parts[first] if len(head) <= len(tail) else parts[last]
        room -= width(part)
        if room < 0:
            break
        if len(head) <= len(tail):
            head.append(part)
            first += 1
        else:
            tail.append(part)
            last -= 1
    return "".join(head) + "\u2026" + "".join(reversed(tail))


def _characters(text: str) -> list[str]:
    """Split *text* so that no mark stands without its letter."""
    parts: list[str] = []
    for char in text:
        joined = parts and (_width(char) == 0 or parts[-1].endswith("\u200d"))
        if joined and len(parts[-1]) < _MOST_JOINED:
            parts[-1] += char
        else:
            parts.append(char)
    return parts


@lru_cache(maxsize=8192)
def fit(text: str, size: int) -> str:
    """Escape *text* for XML, shortened at its end to at most *size* bytes."""
    escaped = escape(text)
    if len(escaped) * 4 <= size or len(escaped.encode()) <= size:
        return escaped
    kept = ""
    size -= len("\u2026".encode())
    for part in _characters(text):
        size -= len(escape(part).encode())
        if size < 0:
            break
        kept += escape(part)
    return f"{kept}\u2026"
