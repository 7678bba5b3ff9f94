"""What to audit, and its sums."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from ghjobs_async import ConfigurationError, Job
from ghjobs_async.audit import AuditPlan, RepoTally, Tally, parse_when
from ghjobs_async.audit.plan import failed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("7d", "2026-11-15T12:00:00Z"),
        ("24h", "2026-11-21T12:00:00Z"),
        ("30m", "2026-11-22T11:30:00Z"),
        ("2w", "2026-11-08T12:00:00Z"),
        ("2026-10-01", "2026-10-01"),
        ("2026-10-01T12:00:00", "2026-10-01T12:00:00Z"),
        ("2026-10-01T12:00:00+02:00", "2026-10-01T10:00:00Z"),
    ],
)
def test_times_are_taken_as_people_write_them(text: str, when: str) -> None:
    """So long ago, a day, or a moment."""
    assert parse_when(text, lambda: NOW) == when


def test_an_age_is_counted_in_utc() -> None:
    """What now is may have any offset."""
    now = NOW.astimezone(timezone(timedelta(hours=-8)))
    assert parse_when("7d", lambda: now) == "2026-11-15T12:00:00Z"


@pytest.mark.parametrize("text", ["", "7", "d", "7y", "yesterday", "2026-13-01", "999999w"])
def test_what_is_no_time(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ConfigurationError):
        parse_when(text, lambda: NOW)


@pytest.mark.parametrize(
    ("since", "until", "created"),
    [
        (None, None, None),
        ("2026-10-01", None, ">=2026-10-01"),
        (None, "2026-10-01", "<=2026-10-01"),
        ("2026-10-01", "2026-10-31", "2026-10-01..2026-10-31"),
    ],
)
def test_the_window_in_githubs_syntax(
    since: str | None, until: str | None, created: str | None
) -> None:
    """Both ends, one or none."""
    assert AuditPlan(repos=("o/r",), since=since, until=until).created == created


def test_sums_of_nothing() -> None:
    """Where no job ran there is no median, and nothing fails."""
    assert RepoTally().quantile(0.5) is None
    assert Tally().to_dict()["slowest"] == []


def test_the_state_is_the_status_until_a_job_has_completed() -> None:
    """A conclusion from an earlier attempt neither shows nor counts as a failure."""
    done = Job(
        id=1,
        run_id=2,
        name="test",
        run_url="",
        url="",
        check_run_url="",
        node_id="",
        head_sha="",
        status="completed",
        conclusion="failure",
    )
    again = attrs.evolve(done, status="queued")
    assert (done.state, failed(done)) == ("failure", True)
    assert (again.state, failed(again)) == ("queued", False)
    tally = RepoTally()
    tally.add([again, attrs.evolve(again, conclusion="skipped")])
    assert (tally.failed, tally.skipped) == (0, 0)


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.0, 1.0), (0.5, 51.0), (0.95, 96.0), (0.99, 100.0), (1.0, 100.0)]
)
def test_the_seconds_that_a_share_of_jobs_took(share: float, seconds: float) -> None:
    """A quantile is one of the times, whatever their order; the last one bounds all."""
    tally = RepoTally(seconds=array("d", [float(n) for n in range(100, 0, -1)]))
    assert tally.quantile(share) == seconds
    assert RepoTally(seconds=array("d", [7.0])).quantile(share) == 7.0


def test_the_sums_have_median_and_95_percent() -> None:
    """Both quantiles are among the sums of a repository."""
    sums = RepoTally(seconds=array("d", [float(n) for n in range(1, 101)])).to_dict()
    assert (sums["median_seconds"], sums["p95_seconds"]) == (51.0, 96.0)
    assert sums["total_seconds"] == 5050.0
