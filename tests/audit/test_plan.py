"""What to audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import ConfigurationError, Job
from ghjobs_async.audit import AuditPlan, Counts, Shard, parse_when
from ghjobs_async.audit.collect.plan import failed

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
    counts = Counts()
    counts.add([again, attrs.evolve(again, conclusion="skipped")])
    counts.add([])
    assert (counts.jobs, counts.failed, counts.listed, counts.without_jobs) == (2, 0, 2, 1)


@given(st.integers(1, 2**63 - 1), st.integers(1, 12))
def test_a_run_is_in_one_shard(run_id: int, of: int) -> None:
    """Each run belongs to one part, and only to that."""
    assert [Shard(n, of).holds(run_id) for n in range(1, of + 1)].count(True) == 1


@pytest.mark.parametrize("step", [1, 2, 3, 16, 1000])
def test_shards_are_equal(step: int) -> None:
    """Ids with a common factor spread as others do, and always in the same way."""
    ids = range(30_000_000_001, 30_000_000_001 + 4000 * step, step)
    sizes = [sum(Shard(n, 4).holds(run_id) for run_id in ids) for n in range(1, 5)]
    assert all(900 < size < 1100 for size in sizes)
    assert [Shard(n, 3).holds(30_000_000_001) for n in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "a/b", "1/2/3", "-1/4", "1/99999"])
def test_what_is_no_shard(text: str) -> None:
    """I is from 1 to N, and N is not huge."""
    with pytest.raises(ConfigurationError, match="a shard reads"):
        Shard.parse(text)


def test_a_shard_is_read_as_it_is_written() -> None:
    """The form is I/N."""
    assert Shard.parse("2/4") == Shard(2, 4)
    assert str(Shard(2, 4)) == "2/4"


def test_the_days_begin_and_end_whole() -> None:
    """The first day is that of since, the last one that of until or of now."""
    days = AuditPlan(repos=("o/r",), since="2026-11-20T15:00:00Z").days(NOW)
    assert [day.start for day in days] == [datetime(2026, 11, n, tzinfo=UTC) for n in (22, 21, 20)]
    plan = AuditPlan(repos=("o/r",), since="2026-11-20", until="2026-11-21")
    assert [day.start for day in plan.days(NOW)] == [day.start for day in days[1:]]
    assert AuditPlan(repos=("o/r",), since="2027-01-01").days(NOW) == ()
    assert AuditPlan(repos=("o/r",), until="2001-01-01").days(NOW) == ()


def test_a_search_has_a_key_of_its_own() -> None:
    """What is known of a page counts for the same filters and the same shard only."""
    plans = [
        AuditPlan(repos=("o/r",)),
        AuditPlan(repos=("o/r",), branch="main"),
        AuditPlan(repos=("o/r",), event="main"),
        AuditPlan(repos=("o/r",), shard=Shard(1, 2)),
        AuditPlan(repos=("o/r",), shard=Shard(2, 2)),
    ]
    assert len({plan.key for plan in plans}) == len(plans)
    assert AuditPlan(repos=("x/y",), since="2026-10-01").key == plans[0].key
