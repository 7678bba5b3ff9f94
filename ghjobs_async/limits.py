"""
What GitHub's limit headers say; how long to wait, or whether to give up. Pure.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal

import attrs

# Without a word from the server, GitHub asks for a minute at the least, then exponentially longer.
UNTOLD_WAIT: Final = 60.0
# A server's word is not trusted beyond this: a year.
_LONGEST: Final = 366 * 86400.0
# A limit is told in prose where headers are missing. The wording has changed before.
_LIMIT_PROSE: Final = re.compile(
    rb"rate.?limit|abuse.?detection|too many requests|retry your request again later", re.IGNORECASE
)
_SECONDARY_PROSE: Final = re.compile(rb"secondary|abuse", re.IGNORECASE)
# A tenth of a minute's requests may leave at once, the other nine come steadily: so in no minute,
# wherever it begins, do more leave than the rate says.
_BURST: Final = 0.1

# Answers that arrive together tell of one pause: so many seconds more do not make it another one.
_SAME_PAUSE: Final = 1.0

#: What a hit limit was: the hourly budget, or too much at once.
Scope = Literal["primary", "secondary"]
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,9})?")


@attrs.frozen
class Hit:
    """An answer that says a limit was hit: which one, and how many seconds to wait, if told."""

    scope: Scope
    wait: float | None


def hit(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Hit | None:
    """
    Tell whether an answer means that a limit was hit.

    GitHub answers 403 or 429, with ``Retry-After``, with no requests remaining, or with nothing but
    a message or a link to its documentation. A 403 that shows none of these is about permissions.
    """
    if status not in {403, 429}:
        return None
    told = retry_after(headers, now)
    spent = headers.get("X-RateLimit-Remaining") == "0"
    prose = _LIMIT_PROSE.search(body[:4096]) is not None
    if status == 403 and told is None and not spent and not prose:
        return None
    secondary = _SECONDARY_PROSE.search(body[:4096]) is not None
    scope: Scope = "primary" if spent and not secondary else "secondary"
    if told is not None:
        return Hit(scope, told)
    if spent and (reset := _reset_in(headers, now)) is not None:
        return Hit(scope, reset)
    if not spent and not secondary and b"API rate limit exceeded" in body[:4096]:
        scope = "primary"
    return Hit(scope, None)


def _number(text: str | None) -> float | None:
    """A header's number; None where absent, negative, or not a plain number."""
    if text is None or not _NUMBER.fullmatch(text.strip()):
        return None
    return float(text)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by ``Retry-After``: a number of seconds, or an HTTP date."""
    text = headers.get("Retry-After")
    seconds = _number(text)
    if seconds is None and text is not None and (date := _date(text)) is not None:
        seconds = max(0.0, date - (_date(headers.get("Date")) or now))
    return None if seconds is None else min(seconds, _LONGEST)


def _reset_in(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the reset, by the server's own clock where it tells the time."""
    reset = _number(headers.get("X-RateLimit-Reset"))
    if reset is None:
        return None
    return min(max(0.0, reset - (_date(headers.get("Date")) or now)), _LONGEST)


# Answers of one second have one date.
@lru_cache(maxsize=64)
def _date(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


class Turn(StrEnum):
    """What a request that wants to leave has to do."""

    GO = "go"
    #: Wait until an answer comes back: the requests under way may have used up what remains.
    ANSWER = "answer"
    #: Wait for a limit to pass.
    LIMIT = "limit"
    #: Wait a moment, to keep the pace.
    PACE = "pace"


@attrs.define
class Budget:
    """
    What is known of one credential's limits, and what may leave because of it.

    Args:
        requests_per_minute: The pace; None leaves without pacing.
    """

    requests_per_minute: float | None = None
    #: When the wait for a limit ends (epoch seconds), and which limit it is.
    until: float = 0.0
    scope: Scope = "secondary"
    in_flight: int = 0
    #: How many requests an hour this credential has, as the server last said.
    limit: int | None = None
    #: The end of the last wait that was told to the user.
    told: float = 0.0
    _remaining: int | None = None
    _reset_at: float = 0.0
    _paused_at: float = 0.0
    _strikes: int = 0
    _next_at: float = 0.0

    def left(self, now: float) -> tuple[int, float] | None:
        """How many requests remain and when they are reset (epoch seconds), where that is known."""
        if self._remaining is None or now >= self._reset_at:
            return None
        return self._remaining, self._reset_at

    def turn(self, now: float) -> tuple[Turn, float]:
        """What the next request has to do, and until when (epoch seconds)."""
        if now < self.until:
            return Turn.LIMIT, self.until
        if self._remaining is not None and now >= self._reset_at:
            self._remaining = None
        if self._remaining is not None and self._remaining <= self.in_flight:
            if self.in_flight:
                return Turn.ANSWER, now
            self.until, self.scope = self._reset_at, "primary"
            return Turn.LIMIT, self.until
        if self.requests_per_minute is not None:
            earliest = self._next_at - 60.0 * _BURST
            if earliest > now:
                return Turn.PACE, earliest
        return Turn.GO, now

    def depart(self, now: float) -> None:
        """Count a request that leaves."""
        self.in_flight += 1
        if self.requests_per_minute is not None:
            interval = 60.0 / (self.requests_per_minute * (1 - _BURST))
            self._next_at = max(self._next_at, now) + interval

    def land(self) -> None:
        """Count a request that came back, or never will."""
        self.in_flight -= 1

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Read what remains. Answers come out of order: within one window the lowest counts."""
        remaining = _number(headers.get("X-RateLimit-Remaining"))
        reset_in = _reset_in(headers, now)
        if remaining is None or reset_in is None:
            return
        limit = _number(headers.get("X-RateLimit-Limit"))
        self.limit = None if limit is None else int(limit)
        reset_at = now + reset_in
        # The two clocks are read at different moments: a second's difference is the same window.
        same = self._remaining is not None and abs(reset_at - self._reset_at) < 2
        if same and self._remaining is not None:
            self._remaining = min(self._remaining, int(remaining))
        elif reset_at > self._reset_at or self._remaining is None:
            self._remaining, self._reset_at = int(remaining), reset_at

    def pause(self, limit: Hit, departed: float, now: float) -> None:
        """
        Hold everything back for a limit that was hit by a request that left at *departed*.

        Many answers may tell of one and the same limit; only a request that left after the last
        pause counts as having hit it once more.
        """
        if self._strikes == 0 or departed > self._paused_at:
            self._strikes += 1
            self._paused_at = now
        again = 2.0 ** min(self._strikes - 1, 30)
        if limit.wait is None:
            wait = min(UNTOLD_WAIT * again, _LONGEST)
        else:
            # A word of no seconds, told again and again, is no leave to hammer.
            wait = max(limit.wait, min(again, UNTOLD_WAIT))
        if now + wait > self.until + _SAME_PAUSE:
            self.until, self.scope = now + wait, limit.scope

    def relax(self, departed: float) -> None:
        """Forget the strikes: a request that left after the last pause was served."""
        if self._strikes and departed > self._paused_at:
            self._strikes = 0
