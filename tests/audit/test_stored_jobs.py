"""The jobs of a run, out of the database of an audit."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from timelines import START, forty_jobs, job, step

from ghjobs_async import Job
from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch, Failure, Listing
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.database.stored_jobs import StoredRun, read_run
from ghjobs_async.errors import ConfigurationError

REPO = "octo-org/octo-repo"
RUN = 29679449


def stored(
    folder: Path, jobs: list[Job], *failures: Failure, repo: str | None = REPO, attempt: int = 0
) -> StoredRun | None:
    """Store jobs and what failed, and read them again."""
    store = AuditStore(folder)
    with store.write() as connection:
        listing = Listing(REPO, RUN, jobs)
        write_batch(connection, Batch(at=START, listings=[listing], failures=[*failures]))
    with store.read() as connection:
        return read_run(connection, RUN, repo, attempt or None)


def test_jobs_come_back_as_they_were(tmp_path: Path) -> None:
    """What a timeline needs is as GitHub sent it: names, states, times, runners, labels, steps."""
    jobs = [
        *forty_jobs(),
        job(200, "running", state="in_progress", steps=[step("a", 6, None)]),
        job(201, "bare", created=None, started_at=None, labels=("x", "y"), html_url=None),
    ]
    found = stored(tmp_path, jobs)
    assert found is not None
    assert found.repository == REPO
    assert [attrs.evolve(one) for one in found.jobs] == sorted(
        jobs, key=lambda one: (one.run_attempt or 1, one.id)
    )


@pytest.mark.parametrize("repo", [REPO, "OCTO-org/octo-REPO", None])
def test_the_repository_has_no_case_and_may_be_unknown(tmp_path: Path, repo: str | None) -> None:
    """A run is found by its number, in its repository however that is written, or in any."""
    assert stored(tmp_path, [job(1)], repo=repo) is not None


def test_what_is_not_stored(tmp_path: Path) -> None:
    """Another repository's run, and one without jobs, are not there."""
    assert stored(tmp_path, [job(1)], repo="octo-org/other") is None
    assert stored(tmp_path / "b", []) is None


def test_one_attempt(tmp_path: Path) -> None:
    """One attempt has its own jobs only."""
    found = stored(tmp_path, [job(1), job(2, run_attempt=2, created=900)], attempt=2)
    assert found is not None
    assert [one.id for one in found.jobs] == [2]


def test_what_the_audit_could_not_have_is_said(tmp_path: Path) -> None:
    """A list that came short is reported; a log that is missing is not a timeline's matter."""
    short = Failure(REPO, RUN, None, "jobs", "DecodeError", "3 jobs expected, 2 got")
    log = Failure(REPO, RUN, 1, "log", "LogUnavailableError", "expired")
    found = stored(tmp_path, [job(1)], short, log)
    assert found is not None
    assert found.missing == ("3 jobs expected, 2 got",)


def test_odd_jobs_are_an_error(tmp_path: Path) -> None:
    """Jobs of a file from elsewhere that do not have GitHub's shape are an error of one line."""
    stored(tmp_path, [job(1)])
    store = AuditStore(tmp_path)
    with store.write() as connection:
        connection.execute("UPDATE jobs SET name = NULL")
    with store.read() as connection, pytest.raises(ConfigurationError, match="not as an audit"):
        read_run(connection, RUN)
