"""Why the jobs of a run failed: ``ghjobs list --failed``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import attrs
from rich.text import Text

from ghjobs_async.audit.feed import JobOf
from ghjobs_async.audit.plan import failed
from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.console import console, is_terminal, row, sign
from ghjobs_async.cli.output.progress import Bar, Progress
from ghjobs_async.cli.output.table import shorten
from ghjobs_async.cli.output.text import clean, duration, note
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Fetched
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import FailureExcerpt, failing_step
from ghjobs_async.models import Job, JobList, to_dict

#: What the JSON has besides a job's own fields.
FAILURE_FIELDS: Final = ("failing_step", "first_error")
_INCOMPLETE: Final = 3


@attrs.frozen
class FailedJob:
    """
    A job that failed.

    Attributes:
        job: The job.
        error: Why it failed, in one line; None where neither log nor annotations say it.
        unread: Why its log could not be read, if so.
    """

    job: Job
    error: str | None = None
    unread: str | None = None

    @property
    def step(self) -> str | None:
        """Return the name of the step that failed, where GitHub reports one."""
        step = failing_step(self.job)
        return None if step is None else step.name


async def failures(gh: GitHubJobs, repo: str, jobs: JobList, progress: Progress) -> list[FailedJob]:
    """Find the failed ones of *jobs* and read their logs, many at a time; in their order."""
    found = {job.id: FailedJob(job) for job in jobs if failed(job)}
    refs = [JobOf(repo, one.job.id, one.job) for one in found.values() if one.job.ran]
    done = 0

    async def read(log: JobLog) -> FailureExcerpt | None:
        return await log.failure(found[log.ref.job_id].job)

    with progress.showing(f"{repo}: failed jobs", lambda: [Bar("logs", done, len(refs))]):
        async with gh.fan_out_logs(refs, read) as outcomes:
            async for outcome in outcomes:
                done += 1
                job = found[outcome.ref.job_id].job
                if not isinstance(outcome, Fetched):
                    if not isinstance(outcome.error, GHJobsError):
                        raise outcome.error
                    found[job.id] = FailedJob(job, unread=str(outcome.error))
                elif outcome.value is not None:
                    found[job.id] = FailedJob(job, error=outcome.value.headline)
    return list(found.values())


def print_failures(found: Sequence[FailedJob], printer: JsonPrinter | None) -> int:
    """Print the failed jobs; 3 where a log could not be read, else 0."""
    if printer is not None:
        printer.print([_to_dict(one) for one in found])
    elif is_terminal(sys.stdout):
        screen = console(sys.stdout)
        for one in found:
            screen.print(_entry(one, screen.width), soft_wrap=True)
        if not found:
            screen.print(Text("no job failed", style="dim"))
    else:
        for one in found:
            job = one.job
            row(
                *(job.state, job.name, job.id, job.run_attempt),
                *(one.step, one.error, job.html_url),
            )
    unread = [one for one in found if one.unread is not None]
    for one in unread:
        note(f"ghjobs: log of job {one.job.id}: {one.unread}")
    return _INCOMPLETE if unread else 0


def _to_dict(one: FailedJob) -> dict[str, object]:
    return {**to_dict(one.job), **dict(zip(FAILURE_FIELDS, (one.step, one.error), strict=True))}


def _entry(one: FailedJob, width: int) -> Text:
    job = one.job
    facts = f"  {duration(job.duration)}  {job.id}"
    name = shorten(Text(clean(job.name), style="bold"), max(1, width - 2 - len(facts)))
    text = Text.assemble(sign(job.state), " ", name, (facts, "dim"))
    if one.step is not None:
        text.append(f"\n  at {clean(one.step)}")
    if one.error is not None:
        text.append(f"\n  {clean(one.error)}", style="red")
    if job.html_url:
        text.append(f"\n  {clean(job.html_url)}", style="dim")
    return text
