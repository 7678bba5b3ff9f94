"""Batches of runs and jobs as rows: each job once, its times and durations, and hostile values."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_tools import API, AT, REPO, a_job, a_run, a_step, at, listing, rows, store_in

from ghjobs_async import Job
from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import (
    Attempt,
    AuditRow,
    Batch,
    Failure,
    Missing,
    Reason,
    SavedLog,
    StoredPage,
)
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.refs import MAX_ID

NAIVE = AT.replace(tzinfo=None)


def stored(folder: Path, *jobs: Job) -> AuditStore:
    return store_in(folder, Batch(at=AT, listings=[listing(*jobs)]))


def test_a_run_is_a_row(tmp_path: Path) -> None:
    """A run's row has all of its columns, under the name that the audit uses."""
    store = store_in(tmp_path, Batch(at=AT, runs=[("Octo/Named", a_run())]))
    assert rows(store, "FROM runs") == [
        (
            *("Octo/Named", 7, 1, 5, "CI", ".github/workflows/ci.yml", "push", "completed"),
            *("success", "main", "ab" * 20, "octocat", "hubot", "Fix it", 12),
            *(NAIVE, NAIVE + timedelta(seconds=1), NAIVE + timedelta(seconds=100)),
            *(f"https://github.com/{REPO}/actions/runs/7", None),
        )
    ]


def test_a_job_and_its_steps_are_rows(tmp_path: Path) -> None:
    """A job's row has all of its columns; so has each of its steps, in their order."""
    store = stored(tmp_path, a_job(steps=(a_step(4), a_step(2))))
    seconds = timedelta(seconds=1)
    assert rows(store, "SELECT * EXCLUDE (api_url, other) FROM jobs") == [
        (
            *(REPO, 7, 1, 1, "CR_1", "build", "CI", "main", "ab" * 20, "completed", "success"),
            *(NAIVE, NAIVE + 5 * seconds, NAIVE + 65 * seconds, 20.0, 60.0, ["ubuntu-latest"]),
            *(3, "GitHub Actions 3", 0, "GitHub Actions"),
            *(f"https://github.com/{REPO}/actions/runs/7/job/1", False),
        )
    ]
    assert rows(store, "FROM steps") == [
        (
            *(REPO, 7, 1, 1, number, f"Step {number}", "completed", "success"),
            *(NAIVE + 10 * number * seconds, NAIVE + (10 * number + 5) * seconds, 5.0),
        )
        for number in (4, 2)
    ]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    """A batch that is written twice leaves what it left the first time."""
    batch = Batch(
        at=AT,
        audit_id="a",
        runs=[(REPO, a_run())],
        gone=[(REPO, 8)],
        listings=[listing(a_job(1), a_job(2, run_attempt=2)), listing(a_job(3, 9))],
        attempts=[Attempt(REPO, 7, 1, 1)],
        logs=[SavedLog(REPO, 7, 1, "logs/x.log", 10)],
        reasons=[Reason(repository=REPO, run_id=7, job_id=1, headline="No")],
        failures=[Failure(REPO, None, None, "search", "TransportError", "no")],
        pages=[page()],
        audit=AuditRow(id="a", started_at=AT, arguments="{}"),
    )
    tables = (*("runs", "attempts", "jobs", "steps", "reasons"), "logs", "failures", "pages")
    store = store_in(tmp_path, batch)
    before = [sorted(map(str, rows(store, f"FROM {table}"))) for table in (*tables, "audits")]
    assert all(before)
    store_in(tmp_path, batch)
    after = [sorted(map(str, rows(store, f"FROM {table}"))) for table in (*tables, "audits")]
    assert after == before


def test_a_new_listing_replaces_the_old_one(tmp_path: Path) -> None:
    """What a complete listing of a run no longer has is gone, with its steps; other runs stay."""
    first = Batch(at=AT, listings=[listing(a_job(1), a_job(2)), listing(a_job(3, run_id=8))])
    again = Batch(at=AT, listings=[listing(a_job(2, name="new", steps=(a_step(9),)))])
    store = store_in(tmp_path, first, again)
    assert rows(store, "SELECT job_id, name FROM jobs ORDER BY ALL") == [(2, "new"), (3, "build")]
    found = rows(store, "SELECT job_id, number FROM steps ORDER BY ALL")
    assert found == [(2, 9), (3, 1), (3, 2)]


def test_a_listing_of_one_attempt_replaces_that_attempt(tmp_path: Path) -> None:
    """The jobs of other attempts stay as they are."""
    first = Batch(at=AT, listings=[listing(a_job(1), a_job(2, run_attempt=2))])
    again = Batch(at=AT, listings=[listing(a_job(3, run_attempt=2), attempt=2)])
    store = store_in(tmp_path, first, again)
    found = rows(store, "SELECT run_attempt, job_id FROM jobs ORDER BY ALL")
    assert found == [(1, 1), (2, 3)]


def test_an_incomplete_listing_removes_nothing(tmp_path: Path) -> None:
    """A list that lacks jobs replaces those that it has."""
    first = Batch(at=AT, listings=[listing(a_job(1), a_job(2))])
    again = Batch(at=AT, listings=[listing(a_job(2, name="new"), complete=False)])
    store = store_in(tmp_path, first, again)
    assert rows(store, "SELECT job_id, name FROM jobs ORDER BY ALL") == [(1, "build"), (2, "new")]


def test_a_run_without_jobs(tmp_path: Path) -> None:
    """A run that failed at startup has no job: its listing is empty, and removes what was there."""
    first = Batch(at=AT, listings=[listing(a_job(1))])
    store = store_in(tmp_path, first, Batch(at=AT, listings=[listing(run_id=7)]))
    assert rows(store, "FROM jobs") == []


# Re-runs.

INHERITED = "SELECT job_id, run_attempt, inherited FROM jobs ORDER BY ALL"


def test_a_job_that_a_rerun_took_over_is_inherited(tmp_path: Path) -> None:
    """A re-run lists the jobs that it did not run again: same name, times and runner, another id."""
    ran = a_job(3, run_attempt=2, name="test", started_at=at(500), completed_at=at(600))
    store = stored(tmp_path, a_job(1), a_job(2, run_attempt=2), ran, a_job(4, run_attempt=3))
    assert rows(store, INHERITED) == [(1, 1, False), (2, 2, True), (3, 2, False), (4, 3, True)]
    assert rows(store, "SELECT sum(seconds) FROM jobs WHERE NOT inherited") == [(160.0,)]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"started_at": at(6)},
        {"completed_at": at(66)},
        {"runner_id": 4},
        {"runner_name": "other"},
        {"run_id": 8},
    ],
)
def test_what_ran_again_is_not_inherited(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A job of a re-run that differs in name, time or runner ran itself."""
    changed = a_job(**{"job_id": 2, "run_attempt": 2, **changes})
    listings = [listing(a_job(1)), listing(changed, complete=False)]
    store = store_in(tmp_path, Batch(at=AT, listings=listings))
    assert rows(store, INHERITED) == [(1, 1, False), (2, 2, False)]


def test_jobs_without_times_are_not_inherited(tmp_path: Path) -> None:
    """Two attempts of a job that has not ended say nothing about each other."""
    waiting: dict[str, Any] = {"status": "queued", "conclusion": None, "completed_at": None}
    store = stored(tmp_path, a_job(1, **waiting), a_job(2, run_attempt=2, **waiting))
    assert rows(store, INHERITED) == [(1, 1, False), (2, 2, False)]


def test_equal_jobs_of_one_attempt_are_not_inherited(tmp_path: Path) -> None:
    """A matrix may have jobs of the same name and times in one attempt."""
    store = stored(tmp_path, a_job(1), a_job(2))
    assert rows(store, INHERITED) == [(1, 1, False), (2, 1, False)]


def test_attempts_may_come_in_any_order(tmp_path: Path) -> None:
    """The first attempt may come last, as when its listing failed at first."""
    later = Batch(at=AT, listings=[listing(a_job(2, run_attempt=2), attempt=2)])
    first = Batch(at=AT, listings=[listing(a_job(1), attempt=1)])
    store = store_in(tmp_path, later)
    assert rows(store, INHERITED) == [(2, 2, False)]
    store_in(tmp_path, first)
    assert rows(store, INHERITED) == [(1, 1, False), (2, 2, True)]


@pytest.mark.parametrize("said", [1, 2])
def test_a_job_that_a_rerun_lists_again_stays_once(tmp_path: Path, said: int) -> None:
    """The list of attempt 2 may repeat a job under its old id: it stays in its first attempt."""
    again = (a_job(1, run_attempt=said), a_job(2, run_attempt=2, name="test"))
    two = [
        Batch(at=AT, listings=[listing(a_job(1))]),
        Batch(at=AT, listings=[listing(*again, attempt=2)]),
    ]
    one = [Batch(at=AT, listings=[listing(a_job(1), attempt=1), listing(*again, attempt=2)])]
    for number, batches in enumerate((two, one)):
        store = store_in(tmp_path / str(number), *batches)
        assert rows(store, INHERITED) == [(1, 1, False), (2, 2, False)]
        found = rows(
            store, "SELECT job_id, run_attempt, count(*) FROM steps GROUP BY ALL ORDER BY ALL"
        )
        assert found == [(1, 1, 2), (2, 2, 2)]


def test_a_server_that_names_no_attempt(tmp_path: Path) -> None:
    """Older servers send no attempt: it is the one that was asked for, or the first."""
    listings = [listing(a_job(1, run_attempt=None)), listing(a_job(2, 8, None), attempt=3)]
    store = store_in(tmp_path, Batch(at=AT, listings=listings))
    assert rows(store, "SELECT job_id, run_attempt FROM jobs ORDER BY ALL") == [(1, 1), (2, 3)]


# Durations.

times = st.none() | st.integers(0, 4).map(at)
statuses = st.sampled_from(["completed", "in_progress", "queued", "waiting", "new"])
conclusions = st.sampled_from([None, "", "success", "failure", "skipped", "cancelled", "timed_out"])
steps = st.builds(
    a_step,
    st.integers(1, 3),
    status=statuses,
    conclusion=conclusions,
    started_at=times,
    completed_at=times,
)
jobs = st.builds(
    a_job,
    status=statuses,
    conclusion=conclusions,
    created_at=times,
    started_at=times,
    completed_at=times,
    steps=st.lists(steps, max_size=2).map(tuple),
    runner_id=st.sampled_from([None, 0, 3]),
    runner_name=st.sampled_from([None, "", "x"]),
)


def seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(jobs, min_size=60, max_size=60))
def test_durations_are_those_of_the_models(some: list[Job]) -> None:
    """``seconds`` and ``queued_seconds`` are what `Job` and `Step` say, NULL where nothing ran."""
    listed = [attrs.evolve(job, id=number) for number, job in enumerate(some, 1)]
    with tempfile.TemporaryDirectory() as folder:
        store = stored(Path(folder), *listed)
        found = rows(store, "SELECT seconds, queued_seconds FROM jobs ORDER BY job_id")
        of_steps = rows(store, "SELECT seconds FROM steps ORDER BY job_id, rowid")
    assert found == [
        (seconds(job.duration), seconds(job.queued_for)) if job.ran else (None, None)
        for job in listed
    ]
    assert [one for (one,) in of_steps] == [
        None if step.state == "skipped" else seconds(step.duration)
        for job in listed
        for step in job.steps
    ]


def test_times_become_utc(tmp_path: Path) -> None:
    """A time with an offset is the same instant in UTC; fractions of a second are kept."""
    west = timezone(timedelta(hours=-8))
    started = datetime(2026, 10, 31, 23, 30, 0, 123000, tzinfo=west)
    job = a_job(started_at=started, steps=(a_step(started_at=started),))
    store = stored(tmp_path, job)
    expected = [(datetime(2026, 11, 1, 7, 30, 0, 123000),)]  # noqa: DTZ001
    assert rows(store, "SELECT started_at FROM jobs") == expected
    assert rows(store, "SELECT started_at FROM steps") == expected
    run = a_run(created_at=started)
    assert (
        rows(
            store_in(tmp_path, Batch(at=started, runs=[(REPO, run)])), "SELECT created_at FROM runs"
        )
        == expected
    )


# Hostile values.

HOSTILE = [
    *("a\0b", "x" * 300, "'; DROP TABLE jobs; --", '"}],[{', "\u2028\n\r\t\\", "é\U0001f600", ""),
    *("\x01\x1f\x7f", "=1+1", "{}", "null", "$1", "\ufeff"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_odd_texts_are_stored_as_they_are(tmp_path: Path, text: str) -> None:
    """Names, labels and branches may hold anything that JSON can."""
    job = a_job(name=text, labels=(text, text), head_branch=text, steps=(a_step(name=text),))
    batch = Batch(
        at=AT,
        runs=[(REPO, a_run(display_title=text))],
        listings=[listing(job)],
        failures=[Failure(REPO, 7, None, "jobs", "Error", text)],
    )
    store = store_in(tmp_path, batch)
    assert rows(store, "SELECT name, labels, head_branch FROM jobs") == [(text, [text] * 2, text)]
    assert rows(store, "SELECT name FROM steps") == [(text,)]
    assert rows(store, "SELECT display_title FROM runs") == [(text,)]
    assert rows(store, "SELECT text FROM failures") == [(text,)]


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    """A lone surrogate, which no database can hold, costs itself and nothing else."""
    batch = Batch(
        at=AT,
        runs=[(REPO, a_run(display_title="a\ud800"))],
        listings=[listing(a_job(1, name="a\udfff"), a_job(2))],
    )
    store = store_in(tmp_path, batch)
    assert rows(store, "SELECT name FROM jobs ORDER BY job_id") == [("a?",), ("build",)]
    assert rows(store, "SELECT display_title FROM runs") == [("a?",)]


def test_the_largest_ids_are_stored(tmp_path: Path) -> None:
    """Ids go up to 2^63 - 1."""
    job = a_job(MAX_ID, MAX_ID, MAX_ID, runner_id=MAX_ID, runner_group_id=-(2**63))
    batch = Batch(at=AT, runs=[(REPO, a_run(MAX_ID, run_number=MAX_ID))], listings=[listing(job)])
    store = store_in(tmp_path, batch)
    found = rows(store, "SELECT job_id, run_id, run_attempt, runner_id, runner_group_id FROM jobs")
    assert found == [(MAX_ID, MAX_ID, MAX_ID, MAX_ID, -(2**63))]
    assert rows(store, "SELECT run_id, run_number FROM runs") == [(MAX_ID, MAX_ID)]


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1])
def test_a_number_too_large_is_a_failure(tmp_path: Path, number: int) -> None:
    """A job that no row can hold is a failure; the other jobs of the batch are stored."""
    bad = [a_job(2, runner_id=number), a_job(3, steps=(a_step(number=number),))]
    batch = Batch(at=AT, listings=[listing(a_job(1), *bad, a_job(4))], audit_id="x")
    store = store_in(tmp_path, batch)
    assert rows(store, "SELECT job_id FROM jobs ORDER BY 1") == [(1,), (4,)]
    failures = rows(
        store, "SELECT run_id, job_id, what, failed_at, audit_id FROM failures ORDER BY ALL"
    )
    assert failures == [(7, 2, "jobs", NAIVE, "x"), (7, 3, "jobs", NAIVE, "x")]
    run = a_run(workflow_id=number)
    store_in(tmp_path, Batch(at=AT, runs=[(REPO, run)]))
    assert rows(store, "SELECT run_id, workflow_id FROM runs") == [(7, None)]


def test_the_last_years_are_stored(tmp_path: Path) -> None:
    """Every time that a model can hold is stored."""
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=12)))
    store = stored(tmp_path, a_job(created_at=first, completed_at=last))
    assert rows(store, "SELECT count(created_at), count(completed_at) FROM jobs") == [(1, 1)]


def test_a_large_batch_is_parsed_in_parts(tmp_path: Path) -> None:
    """Several thousand jobs of one batch are all there, each once."""
    some = [a_job(number, number % 50 + 1, steps=()) for number in range(1, 9001)]
    store = stored(tmp_path, *some)
    assert rows(store, "SELECT count(*), count(DISTINCT job_id) FROM jobs") == [(9000, 9000)]


# Everything else.


def page(**changes: Any) -> StoredPage:
    given: dict[str, Any] = {
        "repository": REPO,
        "search": "{}",
        "credential": "c",
        "window_start": AT,
        "window_end": at(60),
        "page": 1,
        "etag": 'W/"x"',
        "total": 2,
        "run_ids": [7, 8],
    }
    return StoredPage(**given | changes)


def test_a_run_that_is_gone_keeps_its_row(tmp_path: Path) -> None:
    """``gone_at`` is the first time that GitHub did not have it, and NULL when it comes back."""
    there = Batch(at=AT, runs=[(REPO, a_run())])
    gone = [Batch(at=at(n), gone=[(REPO, 7), (REPO, 99)]) for n in (10, 20)]
    store = store_in(tmp_path, there, *gone)
    query = "SELECT run_id, gone_at FROM runs"
    assert rows(store, query) == [(7, NAIVE + timedelta(seconds=10))]
    store_in(tmp_path, there)
    assert rows(store, query) == [(7, None)]


def test_a_failure_leaves_when_it_is_settled(tmp_path: Path) -> None:
    """A later failure about the same replaces the earlier one; what succeeds is removed."""
    failures = [
        Failure(REPO, 7, None, "jobs", "ServerError", "502"),
        Failure(REPO, 7, 1, "log", "LogUnavailableError", "later", "not_ready"),
        Failure(REPO, None, None, "search", "TransportError", "no"),
    ]
    store = store_in(tmp_path, Batch(at=AT, failures=failures))
    again = Failure(REPO, 7, 1, "log", "LogUnavailableError", "gone", "expired")
    settled = [Missing(REPO, 7, None, "jobs"), Missing(REPO, None, None, "search")]
    store_in(tmp_path, Batch(at=at(5), settled=settled, failures=[again], audit_id="b"))
    assert rows(store, "FROM failures") == [
        (
            REPO,
            7,
            1,
            "log",
            "LogUnavailableError",
            "expired",
            "gone",
            NAIVE + timedelta(seconds=5),
            "b",
        )
    ]


def test_pages_and_audits_are_replaced(tmp_path: Path) -> None:
    """A page and an audit have one row each, as they stand."""
    audit = AuditRow(id="a", started_at=AT, arguments="{}")
    store = store_in(tmp_path, Batch(at=AT, pages=[page(), page(page=2)], audit=audit))
    ended = attrs.evolve(audit, ended_at=at(9), runs=4, outcome="complete")
    store_in(tmp_path, Batch(at=at(3), pages=[page(etag="y", run_ids=[])], audit=ended))
    found = rows(store, "SELECT page, etag, run_ids FROM pages ORDER BY page")
    assert found == [(1, "y", []), (2, 'W/"x"', [7, 8])]
    assert rows(store, "SELECT id, runs, outcome FROM audits") == [("a", 4, "complete")]


def test_a_failed_batch_leaves_nothing(tmp_path: Path) -> None:
    """An error after the rows were written undoes them all."""
    store = store_in(tmp_path)

    def fail() -> None:
        with store.write() as connection:
            write_batch(connection, Batch(at=AT, listings=[listing(a_job())]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(store, "FROM jobs") == []
    assert AT.tzinfo is UTC


def test_the_urls_of_github_take_no_space(tmp_path: Path) -> None:
    """Addresses that follow from ids are not stored; those that do not are."""
    store = stored(tmp_path, a_job(1), a_job(2, check_run_url="https://x/2"))
    found = rows(store, "SELECT api_url, other FROM jobs ORDER BY job_id")
    assert found == [(API, None), (API, '{"check_run_url":"https://x/2"}')]


def test_compacting_keeps_everything(tmp_path: Path) -> None:
    """Free space that many batches leave is given back; the rows are the same."""
    many = tuple(a_step(n, name=f"{n * 7919 % 100_003:x}" * 9) for n in range(20_000))
    batches = [Batch(at=AT, listings=[listing(a_job(n, n, steps=many))]) for n in (1, 2, 3)]
    gone = Batch(at=AT, listings=[listing(run_id=1), listing(run_id=3)])
    store = store_in(tmp_path, *batches, gone)
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy)
    size = store.path.stat().st_size
    store.compact()
    assert store.path.stat().st_size < size - 1_000_000
    for query in ("FROM jobs", "FROM steps", "SELECT table_name, comment FROM duckdb_tables()"):
        assert rows(store, query) == rows(AuditStore(copy), query)
    assert [path.name for path in tmp_path.iterdir() if path != copy] == ["audit.duckdb"]
    store_in(tmp_path, Batch(at=AT, listings=[listing(a_job(9, 9))]))
    assert rows(store, "SELECT max(job_id) FROM jobs") == [(9,)]
