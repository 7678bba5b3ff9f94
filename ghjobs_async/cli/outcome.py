"""What counts as failed, why jobs failed, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Fetched
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import FailureExcerpt
from ghjobs_async.models import Job, JobList
from ghjobs_async.refs import JobRef

# What gh's own --exit-status counts as failed.
# https://github.com/cli/cli/blob/trunk/pkg/cmd/run/shared/shared.go
_FAILURES: Final = frozenset({"action_required", "failure", "startup_failure", "timed_out"})
#: What a job's log says about its failure, or why it could not be read; None: there is no log.
Cause: TypeAlias = FailureExcerpt | GHJobsError | None


def has_failed(status: object, conclusion: object) -> bool:
    """Return whether it has completed, and failed. Both may be anything that JSON holds."""
    completed = status is None or status == "completed"
    return completed and isinstance(conclusion, str) and conclusion in _FAILURES


def missing(jobs: JobList) -> list[str]:
    """Report what is missing in a list of jobs."""
    if jobs.complete:
        return []
    lost = f", {len(jobs.undecodable)} of them not decodable" if jobs.undecodable else ""
    return [f"incomplete: {jobs.expected} jobs expected, {jobs.got} got{lost}"]


async def read_failures(
    gh: GitHubJobs,
    repo: str,
    failed: Iterable[Job],
    take: Callable[[Job, Cause], None],
    *,
    context: int | None = None,
) -> None:
    """Read why each of the *failed* jobs failed, and give it to *take* as soon as it is known."""
    jobs = {job.id: job for job in failed}

    async def read(log: JobLog) -> FailureExcerpt | None:
        return await log.failure(jobs[log.ref.job_id], context=context)

    for job in jobs.values():
        if not job.ran:
            take(job, None)
    refs = [JobRef(repo, job.id) for job in jobs.values() if job.ran]
    async with gh.fan_out_logs(refs, read) as outcomes:
        async for outcome in outcomes:
            cause = outcome.value if isinstance(outcome, Fetched) else outcome.error
            if isinstance(cause, Exception) and not isinstance(cause, GHJobsError):
                raise cause
            take(jobs[outcome.ref.job_id], cause)
