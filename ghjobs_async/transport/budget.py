"""The limits of one credential: how many requests may leave, and when."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

from ghjobs_async.wire.limits import MAX_WAIT, Limited, Scope, remaining

# For a limit without a time, GitHub asks to wait a minute at least, then exponentially longer.
_DEFAULT_WAIT: Final = 60.0
# A tenth of a minute's requests may leave at once, the rest follow steadily. So no span of 60
# seconds has more requests than the rate allows.
_BURST: Final = 0.1
# Answers that arrive together report the same pause, with ends that differ by less than this.
_SAME_PAUSE: Final = 1.0
# Two clocks are read at different moments: resets that differ by less belong to one window.
_SAME_WINDOW: Final = 2.0


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
    What is known of one credential's limits, and which request may leave.

    Args:
        requests_per_minute: The pace; None does not pace.
    """

    requests_per_minute: float | None = None
    #: When the wait for a limit ends (epoch seconds), and which limit it is.
    until: float = 0.0
    scope: Scope = "secondary"
    in_flight: int = 0
    #: How many requests an hour this credential has, as the server last said.
    limit: int | None = None
    #: The end of the last wait that was reported to the user.
    reported: float = 0.0
    _remaining: int | None = None
    _reset_at: float = 0.0
    _paused_at: float = 0.0
    # How often a limit was hit without a request served in between.
    _hits: int = 0
    _next_at: float = 0.0

    def left(self, now: float) -> tuple[int, float] | None:
        """Return how many requests remain and when they reset (epoch seconds), where known."""
        if self._remaining is None or now >= self._reset_at:
            return None
        return self._remaining, self._reset_at

    def turn(self, now: float) -> tuple[Turn, float]:
        """Return what the next request has to do, and until when (epoch seconds)."""
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
        """Read the remaining budget. Answers come out of order, so the lowest of a window counts."""
        reported = remaining(headers, now)
        if reported is None:
            return
        self.limit = reported.limit
        reset_at = now + reported.reset_in
        if self._remaining is not None and abs(reset_at - self._reset_at) < _SAME_WINDOW:
            self._remaining = min(self._remaining, reported.remaining)
        elif reset_at > self._reset_at or self._remaining is None:
            self._remaining, self._reset_at = reported.remaining, reset_at

    def pause(self, limited: Limited, departed: float, now: float) -> None:
        """
        Hold everything back for a limit that was hit by a request that left at *departed*.

        Many answers may report the same limit; only a request that left after the last pause
        counts as having hit it once more.
        """
        if self._hits == 0 or departed > self._paused_at:
            self._hits += 1
            self._paused_at = now
        longer = 2.0 ** min(self._hits - 1, 30)
        if limited.wait is None:
            wait = min(_DEFAULT_WAIT * longer, MAX_WAIT)
        else:
            # A repeated `Retry-After: 0` must not cause a busy loop, so back off anyway.
            wait = max(limited.wait, min(longer, _DEFAULT_WAIT))
        if now + wait > self.until + _SAME_PAUSE:
            self.until, self.scope = now + wait, limited.scope

    def relax(self, departed: float) -> None:
        """Forget the hits: a request that left after the last pause was served."""
        if self._hits and departed > self._paused_at:
            self._hits = 0
