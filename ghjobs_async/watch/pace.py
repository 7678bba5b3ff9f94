"""When to look again: often while things move, seldom in a queue, and within a share of the budget."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ghjobs_async.errors import NotFoundError, RateLimitError
from ghjobs_async.watch.courses import Course, RunCourse

# The next look comes after a share of the time in which nothing has changed, within these bounds.
_SHARE: Final = 0.25
_NOT_YET: Final = (1.0, 5.0)
_MOVING: Final = (2.0, 15.0)
_QUEUED: Final = (4.0, 30.0)
# What a run that has ended still lacks comes soon.
_LAGGING: Final = (1.0, 10.0)
# After errors: twice as long each time.
_FIRST_RETRY: Final = 2.0
_LAST_RETRY: Final = 60.0
#: Each run is looked at by itself at least this often, whatever a list of runs says.
SWEEP: Final = 300.0

_HOUR: Final = 3600.0
# A tenth of an hour's requests may leave at once, the rest follow steadily: so no hour has more.
_BURST: Final = 0.1


def pause(course: Course[Any], now: float, interval: float | None) -> float:
    """
    Return how many seconds to wait before the next look.

    Args:
        course: What is watched.
        now: The time of the last look, in epoch seconds.
        interval: The caller's own pace, or None.
    """
    seconds = _pause(course, now, interval)
    if isinstance(course, RunCourse) and course.lags_until is not None:
        return min(seconds, course.lags_until - now)
    return seconds


def _pause(course: Course[Any], now: float, interval: float | None) -> float:
    error = course.error
    if isinstance(error, RateLimitError):
        return max(1.0, error.retry_at.timestamp() - now)
    asked = getattr(error, "retry_after", None) or 0.0
    if interval is not None:
        return max(interval, asked)
    if error is not None and not isinstance(error, NotFoundError):
        return max(asked, min(_LAST_RETRY, _FIRST_RETRY * 2.0 ** min(course.failures - 1, 30)))
    since = course.changed_at
    if not course.found:
        bounds = _NOT_YET
    elif isinstance(course, RunCourse) and course.ended_at is not None:
        bounds, since = _LAGGING, course.ended_at
    else:
        bounds = _MOVING if course.moving else _QUEUED
    return min(max(bounds[0], (now - since) * _SHARE), bounds[1])


@attrs.define
class Allowance:
    """
    How many requests that cost budget a watch may send with one credential.

    Args:
        share: The share of the hourly limit, from 0 to 1.
    """

    share: float
    _next_at: float = 0.0

    def spend(self, limit: int | None, now: float) -> None:
        """Count one answer that cost budget; *limit* is the hourly limit, where there is one."""
        if limit is not None:
            self._next_at = max(self._next_at, now) + self._gap(limit)

    def count(self, limit: int | None, now: float) -> int | None:
        """Return how many requests may be sent at once; None for any number."""
        if limit is None:
            return None
        room = _HOUR * _BURST - max(0.0, self._next_at - now)
        return max(0, int(room / self._gap(limit) + 1e-6))

    def ready_at(self, limit: int | None, now: float) -> float:
        """Return when the next request may be sent."""
        if limit is None or self.count(limit, now):
            return now
        return self._next_at + self._gap(limit) - _HOUR * _BURST

    def _gap(self, limit: int) -> float:
        return _HOUR / (max(1.0, limit * self.share) * (1 - _BURST))
