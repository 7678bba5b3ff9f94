"""Jobs and runs to store, and what the database then holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ghjobs_async import Job
from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch, Listing
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.models import Actor, Repository, Run, Step

REPO = "octo-org/octo-repo"
API = f"https://api.github.com/repos/{REPO}"
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def a_step(number: int = 1, **changes: Any) -> Step:
    given: dict[str, Any] = {
        "name": f"Step {number}",
        "status": "completed",
        "conclusion": "success",
        "number": number,
        "started_at": at(10 * (number % 100)),
        "completed_at": at(10 * (number % 100) + 5),
    }
    return Step(**given | changes)


def a_job(job_id: int = 1, run_id: int = 7, run_attempt: int | None = 1, **changes: Any) -> Job:
    given: dict[str, Any] = {
        "id": job_id,
        "run_id": run_id,
        "workflow_name": "CI",
        "head_branch": "main",
        "run_url": f"{API}/actions/runs/{run_id}",
        "run_attempt": run_attempt,
        "node_id": f"CR_{job_id}",
        "head_sha": "ab" * 20,
        "url": f"{API}/actions/jobs/{job_id}",
        "html_url": f"https://github.com/{REPO}/actions/runs/{run_id}/job/{job_id}",
        "status": "completed",
        "conclusion": "success",
        "created_at": at(0),
        "started_at": at(5),
        "completed_at": at(65),
        "name": "build",
        "steps": (a_step(1), a_step(2)),
        "check_run_url": f"{API}/check-runs/{job_id}",
        "labels": ("ubuntu-latest",),
        "runner_id": 3,
        "runner_name": "GitHub Actions 3",
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
    }
    return Job(**given | changes)


def a_run(run_id: int = 7, **changes: Any) -> Run:
    given: dict[str, Any] = {
        "id": run_id,
        "name": "CI",
        "node_id": f"WFR_{run_id}",
        "head_branch": "main",
        "head_sha": "ab" * 20,
        "path": ".github/workflows/ci.yml",
        "display_title": "Fix it",
        "run_number": 12,
        "event": "push",
        "status": "completed",
        "conclusion": "success",
        "workflow_id": 5,
        "url": f"{API}/actions/runs/{run_id}",
        "html_url": f"https://github.com/{REPO}/actions/runs/{run_id}",
        "created_at": at(0),
        "updated_at": at(100),
        "run_started_at": at(1),
        "run_attempt": 1,
        "actor": Actor(login="octocat"),
        "triggering_actor": Actor(login="hubot"),
        "repository": Repository(id=1, full_name=REPO),
    }
    return Run(**given | changes)


def listing(*jobs: Job, run_id: int | None = None, **changes: Any) -> Listing:
    run_id = jobs[0].run_id if run_id is None else run_id
    return Listing(REPO, run_id, jobs, **changes)


def store_in(folder: Path, *batches: Batch) -> AuditStore:
    """Write batches, each in a transaction of its own."""
    store = AuditStore(folder)
    for batch in batches or (Batch(at=AT),):
        with store.write() as connection:
            write_batch(connection, batch)
    return store


def rows(store: AuditStore, query: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found
