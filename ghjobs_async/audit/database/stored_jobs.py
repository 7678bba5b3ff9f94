"""Read jobs from the store as the models that GitHub's answers become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.errors import ConfigurationError, one_line
from ghjobs_async.models import Job, Status
from ghjobs_async.wire.convert import ShapeError, load

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@attrs.frozen
class StoredRun:
    """
    A run as an audit stored it.

    Attributes:
        jobs: Its jobs, of every attempt that is stored.
        ended: Whether it had ended then.
        missing: What the audit could not get of it.
    """

    repository: str
    jobs: tuple[Job, ...]
    ended: bool
    missing: tuple[str, ...]


def read_jobs(connection: DuckDBPyConnection, repo: str, ids: Sequence[int]) -> list[Job]:
    """Return the jobs with these ids, as far as they are stored."""
    which = "repository = $repo AND list_contains($ids, job_id)"
    return [job for _, job in _read(connection, which, repo=repo, ids=list(ids))]


def read_run(
    connection: DuckDBPyConnection,
    run_id: int,
    repo: str | None = None,
    attempt: int | None = None,
) -> StoredRun | None:
    """
    Return a run with its jobs; None where no job of it is stored.

    Args:
        connection: To the database of an audit.
        run_id: Number of the run.
        repo: Its repository; None takes the one that has it.
        attempt: Only the jobs of this attempt.
    """
    which = (
        "run_id = $run_id AND ($repo IS NULL OR lower(repository) = lower($repo))"
        " AND ($attempt IS NULL OR run_attempt = $attempt)"
    )
    found = _read(connection, which, run_id=run_id, repo=repo, attempt=attempt)
    if not found:
        return None
    repository = found[0][0]
    of_run = "WHERE repository = $repo AND run_id = $run_id"
    given = {"repo": repository, "run_id": run_id}
    states = connection.execute(f"SELECT status FROM runs {of_run}", given).fetchall()
    missing = f"SELECT text FROM failures {of_run} AND what = 'jobs'"
    return StoredRun(
        repository,
        tuple(job for _, job in found),
        all(status == Status.COMPLETED for (status,) in states),
        tuple(text for (text,) in connection.execute(missing, given).fetchall()),
    )


def _read(connection: DuckDBPyConnection, which: str, **given: object) -> list[tuple[str, Job]]:
    """Return repository and job of what is asked for."""
    found = connection.execute(_JOBS.format(which=which), given).fetchall()
    try:
        return [(repository, load(text.encode(), Job)) for repository, text in found]
    except ShapeError as error:
        raise ConfigurationError(
            f"the jobs in this audit are not as an audit wrote them ({one_line(str(error))}): "
            "audit the repository into another folder"
        ) from error


def _time(name: str) -> str:
    # The models have no other years.
    held = f"{name} >= '0001-01-01' AND {name} < '10000-01-01'"
    return f"{name} := CASE WHEN {held} THEN strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') END"


_JOBS: Final = f"""
    SELECT repository, to_json(struct_pack(
        id := job_id, run_id, run_attempt, node_id, name, workflow_name, head_branch, head_sha,
        status, conclusion, {_time("created_at")}, {_time("started_at")}, {_time("completed_at")},
        labels, runner_id, runner_name, runner_group_id, runner_group_name, html_url,
        url := concat(api_url, '/actions/jobs/', job_id),
        run_url := concat(api_url, '/actions/runs/', run_id),
        check_run_url := concat(api_url, '/check-runs/', job_id),
        steps := coalesce(steps, [])
    ))
    FROM jobs LEFT JOIN (
        SELECT repository, job_id, list(struct_pack(
            number, name, status, conclusion, {_time("started_at")}, {_time("completed_at")}
        ) ORDER BY rowid) AS steps
        FROM steps WHERE {{which}} GROUP BY repository, job_id
    ) USING (repository, job_id)
    WHERE {{which}}
    ORDER BY run_attempt, job_id
"""
