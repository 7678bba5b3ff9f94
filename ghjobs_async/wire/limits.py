"""
Read GitHub's rate limit headers.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final, Literal

import attrs

# The longest wait that a server may ask for: a year.
MAX_WAIT: Final = 366 * 86400.0
# An hourly budget resets within the hour. A reset further away than this is ignored.
_MAX_RESET: Final = 86400.0
# Epoch seconds have ten digits, milliseconds have thirteen.
_MILLISECONDS: Final = 1e11
# Where headers are missing, only the message names a limit. Its wording has changed before.
_LIMIT_PROSE: Final = re.compile(
    rb"rate.?limit|abuse.?detection|too many requests|retry your request again later", re.IGNORECASE
)
_SECONDARY_PROSE: Final = re.compile(rb"secondary|abuse", re.IGNORECASE)
_MAX_PROSE: Final = 4096
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,9})?")

#: The statuses that may report a limit.
LIMIT_STATUSES: Final = frozenset({403, 429})
#: Which limit: the hourly budget, or too much at once.
Scope = Literal["primary", "secondary"]


@attrs.frozen
class Limited:
    """An answer that hit a limit."""

    scope: Scope
    #: How many seconds to wait, where the answer says so.
    wait: float | None


@attrs.frozen
class Remaining:
    """The hourly budget, as an answer reports it."""

    limit: int | None
    remaining: int
    #: In how many seconds the budget resets; a day at most.
    reset_in: float


def find_limit(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Limited | None:
    """
    Return the limit that an answer hit, or None.

    GitHub answers 403 or 429, with ``Retry-After``, with no requests remaining, or with only a
    message or a link to its documentation. A 403 that shows none of these is about permissions.
    """
    if status not in LIMIT_STATUSES:
        return None
    wait = retry_after(headers, now)
    spent = _is_core(headers) and headers.get("X-RateLimit-Remaining") == "0"
    prose = body[:_MAX_PROSE]
    if status == 403 and wait is None and not spent and not _LIMIT_PROSE.search(prose):
        return None
    secondary = _SECONDARY_PROSE.search(prose) is not None
    scope: Scope = "primary" if spent and not secondary else "secondary"
    if wait is not None:
        return Limited(scope, wait)
    if spent and (reset := _reset_in(headers, now)) is not None:
        return Limited(scope, reset)
    if not spent and not secondary and b"API rate limit exceeded" in prose:
        scope = "primary"
    return Limited(scope, None)


def remaining(headers: Mapping[str, str], now: float) -> Remaining | None:
    """Read the hourly budget; None where the answer does not report it."""
    left = _number(headers.get("X-RateLimit-Remaining"))
    reset_in = _reset_in(headers, now)
    if left is None or reset_in is None or not _is_core(headers):
        return None
    limit = _number(headers.get("X-RateLimit-Limit"))
    return Remaining(None if limit is None else int(limit), int(left), reset_in)


def _is_core(headers: Mapping[str, str]) -> bool:
    """Return whether the headers report the budget that this library's requests use."""
    return headers.get("X-RateLimit-Resource", "core").strip().lower() == "core"


def _number(text: str | None) -> float | None:
    """Read a header's number; None where absent, negative, or not a plain number."""
    if text is None or not _NUMBER.fullmatch(text.strip()):
        return None
    return float(text)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait by ``Retry-After``: a number of seconds, or an HTTP date."""
    text = headers.get("Retry-After")
    seconds = _number(text)
    if seconds is None and text is not None and (date := _date(text)) is not None:
        seconds = max(0.0, date - (_date(headers.get("Date")) or now))
    return None if seconds is None else min(seconds, MAX_WAIT)


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the server's time when it answered; None where the answer does not say."""
    date = _date(headers.get("Date"))
    return None if date is None else datetime.fromtimestamp(date, UTC)


def _reset_in(headers: Mapping[str, str], now: float) -> float | None:
    """
    Return the seconds until the reset, by the server's own clock where it sends a date.

    None where it does not say so, or the time is too far away.
    """
    reset = _number(headers.get("X-RateLimit-Reset"))
    if reset is None:
        return None
    if reset >= _MILLISECONDS:
        reset /= 1000
    seconds = max(0.0, reset - (_date(headers.get("Date")) or now))
    return seconds if seconds <= _MAX_RESET else None


# All answers of one second have the same date.
@lru_cache(maxsize=64)
def _date(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
