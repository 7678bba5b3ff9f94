"""What counts as failed, why jobs failed, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ghjobs_async.audit.collect.plan import failed
from ghjobs_async.errors import (
    ConfigurationError,
    ForbiddenError,
    GHJobsError,
    LogUnavailableError,
    NotFoundError,
)
from ghjobs_async.fanout import Fetched, gather
from ghjobs_async.logtext import Certainty, FailureExcerpt, failing_step
from ghjobs_async.logtext.reason import tells_time_limit, told
from ghjobs_async.models import CheckAnnotation, Conclusion, Job, JobList
from ghjobs_async.refs import JobRef

if TYPE_CHECKING:
    from ghjobs_async.client import GitHubJobs
    from ghjobs_async.logs.job_log import JobLog

# What gh's own --exit-status counts as failed.
# https://github.com/cli/cli/blob/trunk/pkg/cmd/run/shared/shared.go
_FAILURES: Final = frozenset({"action_required", "failure", "startup_failure", "timed_out"})
# How many jobs are asked for their annotations at once.
_AT_ONCE: Final = 16
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


@attrs.frozen
class FailedJobs:
    """
    The jobs that failed, in their order.

    Attributes:
        jobs: The jobs.
        annotations: What GitHub says about those that it was asked about, by their ids.
        troubles: Why some jobs may be missing.
    """

    jobs: list[Job]
    annotations: Mapping[int, tuple[CheckAnnotation, ...]]
    troubles: list[str]


async def find_failed(gh: GitHubJobs, jobs: JobList) -> FailedJobs:
    """
    Find the jobs that failed. GitHub cancels a job whose time is over, as it does at a person's wish:
    where the steps of a cancelled job do not tell, its annotations may.
    """
    unclear = [job for job in jobs if job.state == Conclusion.CANCELLED and job.ran]
    unclear = [job for job in unclear if not failed(job)]
    troubles = missing(jobs)

    async def ask(job: Job) -> tuple[CheckAnnotation, ...]:
        try:
            return await gh.list_annotations(job)
        except (ForbiddenError, NotFoundError, ConfigurationError):
            # The token may not read checks, or the check run is not in this API.
            return ()
        except GHJobsError as error:
            troubles.append(f"annotations of job {job.id}: {error}")
            return ()

    said = await gather(unclear, ask, concurrency=min(_AT_ONCE, len(unclear))) if unclear else []
    limited = {
        job.id: found
        for job, found in zip(unclear, said, strict=True)
        if tells_time_limit(one.message for one in found)
    }
    return FailedJobs([job for job in jobs if failed(job) or job.id in limited], limited, troubles)


async def explain_lost(gh: GitHubJobs, job: Job, error: GHJobsError) -> FailureExcerpt | None:
    """
    Return what annotations tell about a job that lost its runner, and with it its log.

    None where they tell nothing, and where *error* is another one.
    """
    if not isinstance(error, LogUnavailableError) or error.reason != "lost":
        return None
    try:
        found = await gh.list_annotations(job)
    except GHJobsError:
        return None
    reason = told(one.message for one in found if one.annotation_level == "failure")
    if reason is None:
        return None
    return FailureExcerpt(failing_step(job), (), (), Certainty.UNKNOWN, capped=False, reason=reason)


async def read_failures(
    gh: GitHubJobs,
    repo: str,
    found: FailedJobs,
    take: Callable[[Job, Cause], None],
    *,
    context: int | None = None,
) -> None:
    """Read why each of the jobs failed, and give it to *take* as soon as it is known."""
    jobs = {job.id: job for job in found.jobs}

    async def read(log: JobLog) -> FailureExcerpt | None:
        job = jobs[log.ref.job_id]
        known = found.annotations.get(job.id, True)
        return await log.failure(job, context=context, annotations=known)

    for job in jobs.values():
        if not job.ran:
            take(job, None)
    refs = [JobRef(repo, job.id) for job in jobs.values() if job.ran]
    async with gh.fan_out_logs(refs, read) as outcomes:
        async for outcome in outcomes:
            cause = outcome.value if isinstance(outcome, Fetched) else outcome.error
            job = jobs[outcome.ref.job_id]
            if isinstance(cause, GHJobsError):
                cause = await explain_lost(gh, job, cause) or cause
            elif isinstance(cause, Exception):
                raise cause
            take(job, cause)
