"""Text that is safe to show, and numbers for people. Pure but for `note` and `report`."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import Final

from ghjobs_async.logtext import plain

# Strangers write names and logs. Control characters, and marks that reverse the direction of
# writing, would let them draw on the terminal or show one thing as another.
_BLANKS: Final = re.compile("[\t\n\r\v\f\x85\u2028\u2029]+")
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
#: Colours and text styles: the only escape sequences that a log may send to a terminal.
_SGR: Final = re.compile(r"\x1b\[[0-9;:]*m")
_RESET: Final = "\x1b[0m"

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_KILO: Final = 1000


def clean(text: str) -> str:
    """Return *text* without control characters; every run of line breaks and tabs is a space."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub("", _BLANKS.sub(" ", plain(text).text))


def clean_line(text: str, *, colour: bool) -> str:
    """Return a line of a log for a terminal: its tabs are kept, its colours if so asked."""
    if text.isascii() and text.isprintable():
        return text
    parts: list[str] = []
    at = 0
    coloured = False
    for found in _SGR.finditer(text):
        parts.append(_but_tabs(text[at : found.start()]))
        if colour:
            parts.append(found[0])
            coloured = True
        at = found.end()
    parts.append(_but_tabs(text[at:]))
    # No colour may run on into what follows the log.
    return "".join(parts) + (_RESET if coloured else "")


def _but_tabs(text: str) -> str:
    return "\t".join(clean(part) for part in text.split("\t"))


def escape_unsafe(json: str) -> str:
    """Escape what `clean` would drop, as JSON does; newlines between values stay."""
    return _UNSAFE.sub(lambda m: m[0] if m[0] == "\n" else f"\\u{ord(m[0]):04x}", json)


def duration(value: timedelta | float | None) -> str:
    """Format a duration in its two largest units: ``1m15s``, ``2h03m``; empty where unknown."""
    if value is None:
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m{seconds % _MINUTE:02}s"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h{seconds % _HOUR // _MINUTE:02}m"
    return f"{seconds // _DAY}d{seconds % _DAY // _HOUR:02}h"


def size(count: int) -> str:
    """Format a number of bytes: ``812 B``, ``3.4 MB``."""
    if count < _KILO:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= _KILO
        if value < _KILO:
            return f"{value:.1f} {unit}"
    return f"{value / _KILO:.1f} TB"


def plural(count: int, word: str) -> str:
    """Format a count: ``1 job``, ``2,000 jobs``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def note(text: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"{clean(text)}\n")
    sys.stderr.flush()


def report(error: BaseException | str) -> None:
    """Write an error as one line to stderr."""
    note(f"ghjobs: {error}")
