"""Why the jobs of a run failed: read their logs side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Failed, Fetched
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import FailureExcerpt
from ghjobs_async.models import Job
from ghjobs_async.refs import JobRef

#: What a job's log says about its failure, or why it could not be read; None: there is no log.
Cause: TypeAlias = FailureExcerpt | GHJobsError | None


async def read_failures(
    gh: GitHubJobs, repo: str, failed: Iterable[Job], take: Callable[[Job, Cause], None]
) -> None:
    """Read why each of the *failed* jobs failed, and give it to *take* as soon as it is known."""
    jobs = {job.id: job for job in failed}

    async def read(log: JobLog) -> FailureExcerpt | None:
        return await log.failure(jobs[log.ref.job_id])

    for job in jobs.values():
        if not job.ran:
            take(job, None)
    refs = [JobRef(repo, job.id) for job in jobs.values() if job.ran]
    async with gh.fan_out_logs(refs, read) as outcomes:
        async for outcome in outcomes:
            match outcome:
                case Fetched(ref, cause):
                    take(jobs[ref.job_id], cause)
                case Failed(ref, GHJobsError() as error):
                    take(jobs[ref.job_id], error)
                case Failed(_, error):
                    raise error
