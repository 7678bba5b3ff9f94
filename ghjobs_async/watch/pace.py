"""When to look again: often while things change, rarely in a queue, within a share of the budget."""

from __future__ import annotations

from math import inf
from typing import Any, Final

import attrs

from ghjobs_async.errors import GHJobsError, NotFoundError, RateLimitError
from ghjobs_async.watch.trackers import RunTracker, Tracker

# The next look comes after a share of the time since the last change, within these bounds.
_SHARE: Final = 0.25
_NOT_YET: Final = (1.0, 5.0)
_MOVING: Final = (2.0, 10.0)
_QUEUED: Final = (4.0, 30.0)
# After errors: twice as long each time.
_FIRST_RETRY: Final = 2.0
_LAST_RETRY: Final = 30.0
#: After a rate limit, or where the budget is spent, the least number of seconds to wait.
SOON: Final = 1.0
#: Each run is asked for by itself at least this often, even if a list of runs has it.
SWEEP: Final = 300.0

_HOUR: Final = 3600.0
# A tenth of an hour's requests may leave at once, the rest follow steadily: so no hour has more.
_BURST: Final = 0.1


def backoff(error: GHJobsError, now: float, interval: float | None, failures: int) -> float:
    """
    Return how many seconds to wait after an error.

    Args:
        error: The last answer.
        now: The time, in epoch seconds.
        interval: The caller's own pace, or None.
        failures: How many answers in a row were errors, this one included.
    """
    if isinstance(error, RateLimitError):
        return max(SOON, error.retry_at.timestamp() - now)
    longer = min(_LAST_RETRY, _FIRST_RETRY * 2.0 ** min(failures - 1, 30))
    return max(getattr(error, "retry_after", None) or 0.0, longer if interval is None else interval)


def pause(tracker: Tracker[Any], now: float, interval: float | None, failures: int = 0) -> float:
    """
    Return how many seconds to wait before the next look.

    Args:
        tracker: The tracker of the run or the job.
        now: The time of the last look, in epoch seconds.
        interval: The caller's own pace, or None.
        failures: How many looks in a row failed.
    """
    since = tracker.changed_at
    if tracker.error is not None and not isinstance(tracker.error, NotFoundError):
        seconds = backoff(tracker.error, now, interval, failures)
    elif interval is not None:
        seconds = interval
    else:
        bounds = _NOT_YET if not tracker.found else _MOVING if tracker.moving else _QUEUED
        seconds = min(max(bounds[0], (now - since) * _SHARE), bounds[1])
    lags_until = tracker.lags_until if isinstance(tracker, RunTracker) else None
    if tracker.error is None and lags_until is not None and lags_until > now:
        return min(seconds, lags_until - now)
    return seconds


@attrs.define
class Allowance:
    """
    Spread the requests that cost budget over the hour.

    Args:
        share: The share of the hourly limit, from 0 to 1.
    """

    share: float
    _next_at: float = 0.0

    def spend(self, limit: int | None, now: float) -> None:
        """Count one answer that cost budget; *limit* is the hourly limit, where there is one."""
        if limit is not None:
            self._next_at = max(self._next_at, now) + self._gap(limit)

    def count(self, limit: int | None, now: float) -> float:
        """Return how many requests may be sent at once."""
        if limit is None:
            return inf
        room = _HOUR * _BURST - max(0.0, self._next_at - now)
        return max(0, int(room / self._gap(limit) + 1e-6))

    def ready_at(self, limit: int, now: float, queue: int = 0) -> float:
        """Return when a request may be sent, after *queue* others."""
        begin = max(self._next_at, now) - _HOUR * _BURST
        return max(now + SOON, begin + self._gap(limit) * (1 + queue))

    def _gap(self, limit: int) -> float:
        return _HOUR / (max(1.0, limit * self.share) * (1 - _BURST))
