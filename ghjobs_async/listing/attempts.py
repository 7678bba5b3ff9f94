"""Jobs across the attempts of a run: the newest execution of each, and which were not run again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ghjobs_async.models import Job, Status

# How far ``in_progress`` is, and a status that is not known.
_STARTED: Final = 2
_PROGRESS: Final[dict[str, int]] = {
    Status.REQUESTED: 0,
    Status.PENDING: 0,
    Status.WAITING: 0,
    Status.QUEUED: 1,
    Status.IN_PROGRESS: _STARTED,
    Status.COMPLETED: 3,
}


def latest_jobs(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """
    Return the newest execution of each job, as GitHub's page of a run shows it.

    A job has the same name in every attempt. For each name, all jobs of the newest attempt that has
    it are kept, since names repeat within an attempt. An inherited job is there once, as the newest
    attempt lists it.

    Args:
        jobs: The jobs of all attempts (``list_jobs(run, filter="all")``), of one run or of several,
            in any order.

    Returns:
        The jobs in the order of their runs and ids.
    """
    newest: dict[tuple[int, str], tuple[int, dict[int, Job]]] = {}
    # Of two answers about one job, the one with more progress is newer.
    for job in sorted(jobs, key=lambda job: (_attempt(job), progress(job.status))):
        attempt, kept = newest.get((job.run_id, job.name), (0, {}))
        if attempt != _attempt(job):
            newest[job.run_id, job.name] = _attempt(job), (kept := {})
        kept[job.id] = job
    found = (job for _, kept in newest.values() for job in kept.values())
    return tuple(sorted(found, key=lambda job: (job.run_id, job.id)))


def inherited(job: Job, jobs: Iterable[Job]) -> bool:
    """
    Return whether a job is a copy: an earlier attempt has the same execution.

    A re-run of the failed jobs lists the other jobs too, with their earlier times and runner.

    Args:
        job: A job of any attempt.
        jobs: The jobs of all attempts; those of other runs do not matter.
    """
    if job.completed_at is None:
        return False
    same = execution(job)
    return any(_attempt(one) < _attempt(job) and execution(one) == same for one in jobs)


def progress(status: str | None) -> int:
    """Return how far a job or a step with this status has come; that never goes back."""
    return _PROGRESS.get(status or "", _STARTED)


def _attempt(job: Job) -> int:
    # Older servers do not send it.
    return job.run_attempt or 1


def execution(job: Job) -> tuple[object, ...]:
    """Return the values that a job shares with its copies in later attempts."""
    runner = (job.runner_id, job.runner_name)
    return job.run_id, job.name, job.started_at, job.completed_at, *runner
