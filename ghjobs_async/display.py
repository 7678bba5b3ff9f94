"""Text from strangers that is safe to show, and durations for people. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from ghjobs_async.logtext import plain

_BLANKS: Final = re.compile("[\t\n\r\v\f\x85\u2028\u2029]+")
#: Control characters, and marks that reverse the direction of writing or that nobody sees: they
#: would let strangers draw on the terminal or show one thing as another.
UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def clean(text: str) -> str:
    """Return *text* without control characters; every run of line breaks and tabs is a space."""
    if text.isascii() and text.isprintable():
        return text
    return UNSAFE.sub("", _BLANKS.sub(" ", plain(text).text))


def duration(value: timedelta | float | None) -> str:
    """Format a duration in its two largest units: ``1m15s``, ``2h03m``; empty where unknown."""
    if value is None:
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def brief(seconds: float) -> str:
    """Format the seconds of a mark on an axis: a ``duration`` without a second unit that is zero."""
    if seconds < 60:
        return f"{seconds:g}s" if seconds else "0"
    return re.sub(r"(?<=[mhd])00[smh]$", "", duration(seconds))
