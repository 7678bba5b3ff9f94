"""The jobs of a run, out of the database of an audit."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from ghjobs_async.models import Job, Status, Step

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_JOB: Final = (
    *("repository", "run_attempt", "job_id", "node_id", "name", "workflow_name", "head_branch"),
    *("head_sha", "status", "conclusion", "created_at", "started_at", "completed_at", "labels"),
    *("runner_id", "runner_name", "runner_group_id", "runner_group_name", "html_url"),
)
_STEP: Final = ("job_id", "number", "name", "status", "conclusion", "started_at", "completed_at")
_WHICH: Final = (
    "run_id = $run_id AND ($repo IS NULL OR lower(repository) = lower($repo))"
    " AND ($attempt IS NULL OR run_attempt = $attempt)"
)


@attrs.frozen
class StoredRun:
    """
    A run as an audit stored it.

    Attributes:
        jobs: Its jobs, of every attempt that is stored.
        ended: Whether it had ended then.
        missing: What the audit could not have of it.
    """

    repository: str
    jobs: tuple[Job, ...]
    ended: bool
    missing: tuple[str, ...]


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
    which = {"run_id": run_id, "repo": repo, "attempt": attempt}
    rows = _select(connection, "jobs", _JOB, f"{_WHICH} ORDER BY run_attempt, job_id", which)
    if not rows:
        return None
    steps: dict[int, list[Step]] = defaultdict(list)
    for row in _select(connection, "steps", _STEP, f"{_WHICH} ORDER BY number", which):
        steps[row.pop("job_id")].append(Step(**row))
    repository = rows[0]["repository"]
    of_run = {"run_id": run_id, "repo": repository}
    states = _select(connection, "runs", ("status",), _of_run(""), of_run)
    failures = _select(connection, "failures", ("text",), _of_run(" AND what = 'jobs'"), of_run)
    return StoredRun(
        repository,
        tuple(_job(run_id, row, tuple(steps[row["job_id"]])) for row in rows),
        all(row["status"] == Status.COMPLETED for row in states),
        tuple(str(row["text"]) for row in failures),
    )


def _of_run(more: str) -> str:
    return f"run_id = $run_id AND repository = $repo{more}"


def _select(
    connection: DuckDBPyConnection,
    table: str,
    columns: tuple[str, ...],
    which: str,
    values: dict[str, Any],
) -> list[dict[str, Any]]:
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {which}"
    found = connection.execute(sql, values).fetchall()
    return [dict(zip(columns, map(_value, row), strict=True)) for row in found]


def _value(value: Any) -> Any:
    # The database holds times in UTC, without saying so.
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _job(run_id: int, row: dict[str, Any], steps: tuple[Step, ...]) -> Job:
    job_id, repository = row["job_id"], row["repository"]
    # Only the repository in them is read: which host it is on is not stored.
    api = f"https://api.github.com/repos/{repository}"
    fields = {name: value for name, value in row.items() if name not in {"repository", "job_id"}}
    return Job(
        **{**fields, "labels": tuple(row["labels"] or ())},
        id=job_id,
        run_id=run_id,
        steps=steps,
        url=f"{api}/actions/jobs/{job_id}",
        run_url=f"{api}/actions/runs/{run_id}",
        check_run_url=f"{api}/check-runs/{job_id}",
    )
