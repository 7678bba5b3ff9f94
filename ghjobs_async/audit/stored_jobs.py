"""Read jobs from the store as the models that GitHub's answers become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ghjobs_async.models import Job
from ghjobs_async.wire.convert import load

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def read_jobs(connection: DuckDBPyConnection, repo: str, ids: Sequence[int]) -> list[Job]:
    """Return the jobs with these ids, as far as they are stored."""
    found = connection.execute(_JOBS, {"repo": repo, "ids": list(ids)}).fetchall()
    return [load(text.encode(), Job) for (text,) in found]


def _time(name: str) -> str:
    return f"{name} := strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')"


_JOBS: Final = f"""
    SELECT to_json(struct_pack(
        id := job_id, run_id, run_attempt, node_id, name, workflow_name, head_branch, head_sha,
        status, conclusion, {_time("created_at")}, {_time("started_at")}, {_time("completed_at")},
        labels, runner_id, runner_name, runner_group_id, runner_group_name, html_url,
        url := concat(api_url, '/actions/jobs/', job_id),
        run_url := concat(api_url, '/actions/runs/', run_id),
        check_run_url := concat(api_url, '/check-runs/', job_id),
        steps := coalesce(steps, [])
    ))
    FROM jobs LEFT JOIN (
        SELECT job_id, list(struct_pack(
            number, name, status, conclusion, {_time("started_at")}, {_time("completed_at")}
        ) ORDER BY rowid) AS steps
        FROM steps WHERE repository = $repo AND list_contains($ids, job_id) GROUP BY job_id
    ) USING (job_id)
    WHERE repository = $repo AND list_contains($ids, job_id)
    ORDER BY job_id
"""
