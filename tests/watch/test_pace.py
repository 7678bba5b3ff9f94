"""The pace of looks, and the share of the budget: pure, on any clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from async_tools import EPOCH
from hypothesis import given, settings
from hypothesis import strategies as st

from ghjobs_async import RateLimitError, RunRef, ServerError
from ghjobs_async.watch.pace import Allowance, backoff, pause
from ghjobs_async.watch.trackers import RunTracker

HOUR = 3600.0


@given(
    st.sampled_from([60, 500, 1000]),
    st.sampled_from([0.05, 0.2, 1.0]),
    st.lists(st.floats(0, 600), min_size=1, max_size=30),
)
@settings(deadline=None)
def test_no_hour_has_more_than_its_share(limit: int, share: float, pauses: list[float]) -> None:
    """Whoever sends as much as it may at any time stays within the share in every hour."""
    allowance = Allowance(share)
    sent: list[float] = []
    now = EPOCH
    for pause_ in pauses:
        now = max(now + pause_, allowance.ready_at(limit, now) if sent else now)
        for _ in range(int(allowance.count(limit, now))):
            allowance.spend(limit, now)
            sent.append(now)
    for begin in sent:
        assert sum(begin <= at < begin + HOUR for at in sent) <= max(1, limit * share)


@given(st.sampled_from([60, 5000]), st.integers(0, 500))
def test_what_waits_is_ready_when_it_was_told(limit: int, spent: int) -> None:
    """At the moment that was named a request may be sent, and something was sent before."""
    allowance = Allowance(0.2)
    for _ in range(spent):
        allowance.spend(limit, EPOCH)
    ready = allowance.ready_at(limit, EPOCH)
    assert allowance.count(limit, ready) >= 1
    assert allowance.ready_at(limit, EPOCH, queue=3) >= ready


def test_without_a_limit_there_is_none() -> None:
    """A server that names no limit sets none."""
    allowance = Allowance(0.2)
    allowance.spend(None, EPOCH)
    assert allowance.count(None, EPOCH) > 10**9


@pytest.mark.parametrize(
    ("failures", "interval", "seconds"), [(1, None, 2), (2, None, 4), (9, None, 30), (9, 1.0, 1)]
)
def test_errors_slow_it_down(failures: int, interval: float | None, seconds: float) -> None:
    """After errors the next look comes later each time, but at the caller's pace if it has one."""
    error = ServerError("GET /: 502", status=502)
    assert backoff(error, EPOCH, interval, failures) == seconds
    error.retry_after = 45.0
    assert backoff(error, EPOCH, interval, failures) == 45


def test_a_limit_is_waited_for() -> None:
    """After a limit the next look comes when the limit ends."""
    when = datetime.fromtimestamp(EPOCH + 900, UTC)
    error = RateLimitError("limit", status=429, scope="primary", retry_at=when)
    assert backoff(error, EPOCH, 1.0, 1) == 900


def test_a_quiet_queue_is_looked_at_less_often() -> None:
    """The longer nothing changes, the longer the pause, within bounds."""
    tracker = RunTracker(RunRef("octo-org/octo-repo", 1), EPOCH)
    pauses = [pause(tracker, EPOCH + after, None) for after in (0, 10, 1000)]
    assert pauses == [1.0, 2.5, 5.0]
    assert pause(tracker, EPOCH + 1000, 0.5) == 0.5
