"""Text that is safe to show, and numbers and times for people. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ghjobs_async.cli.output.colours import Colours
from ghjobs_async.logtext import plain

# Strangers write names and logs. Control characters, and marks that reverse the direction of
# writing or that nobody sees, would let them draw on the terminal or show one thing as another.
_BLANKS: Final = re.compile("[\t\n\r\v\f\x85\u2028\u2029]+")
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
#: Colours and text styles: the only escape sequences that a log may send to a terminal.
_SGR: Final = re.compile(r"\x1b\[([0-9;:]*)m")

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
    colours = Colours()
    # Texts and the parameters of sequences take turns.
    parts = _SGR.split(text)
    parts[::2] = ["\t".join(map(clean, part.split("\t"))) for part in parts[::2]]
    parts[1::2] = [colours.visible(part) if colour else "" for part in parts[1::2]]
    # No colour may run on into what follows the log.
    return "".join(parts) + ("\x1b[0m" if any(parts[1::2]) else "")


def escape_unsafe(text: str) -> str:
    """Escape in JSON what `clean` would drop; newlines between values stay."""
    return _UNSAFE.sub(lambda m: m[0] if m[0] == "\n" else json.dumps(m[0])[1:-1], text)


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


def moment(value: datetime | None) -> str:
    """Format a time in UTC, as GitHub does: ``2026-11-21T16:37:39Z``; empty where unknown."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


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
