"""``ghjobs log``: print the log of a job, a step of it, or why the jobs of a run failed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from ghjobs_async.audit.plan import failed as is_failed
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.options import HELP_FORMAT, Common, Repo
from ghjobs_async.cli.output.console import is_pipe
from ghjobs_async.cli.output.excerpts import ExcerptPrinter, failed_at, last
from ghjobs_async.cli.output.log_lines import LineWriter
from ghjobs_async.cli.output.pager import paging
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.text import note, report, size
from ghjobs_async.cli.target import Target, job_target, run_target
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.fanout import Failed, Fetched
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import MAX_LINE, Certainty, FailureExcerpt
from ghjobs_async.models import Job, JobList, Step
from ghjobs_async.refs import JobRef, RunRef

# How much of a line is printed: in a pipe, nearly any line is whole.
_WHOLE: Final = 256 << 20
_MAX_TAIL: Final = 10_000_000
_NONE_FAILED: Final = 1
_INCOMPLETE: Final = 3

app = App(
    name="log",
    usage="""\
Usage: ghjobs log JOB [OPTIONS]
       ghjobs log --run RUN --failed [OPTIONS]""",
    help_format=HELP_FORMAT,
    help_epilogue="""\
On a terminal the log comes without timestamps, through the pager that
GH_PAGER or PAGER names, and nothing in it but colours can control the
terminal. Elsewhere, and in a file, it is what GitHub has, byte for byte.

With --failed and a run, each failed job has a heading on a terminal;
elsewhere each line is JOB, STEP and LINE with tabs between.

Examples:

    ghjobs log -R octo-org/octo-repo 399444496 | grep error
    ghjobs log -R octo-org/octo-repo 399444496 --failed
    ghjobs log -R octo-org/octo-repo --run 29679449 --failed
    ghjobs log -R octo-org/octo-repo 399444496 --step 'Run tests' --tail 20
    ghjobs log -R octo-org/octo-repo 399444496 --output job.log
    ghjobs log https://github.com/OWNER/REPO/actions/runs/1/job/2
    ghjobs log https://github.com/OWNER/REPO/actions/runs/1 --failed

Exit status: 0 all well, 1 no log or nothing failed, 2 wrong usage,
3 some logs of a run could not be read.
""",
)


@app.default
def log_command(
    job: Annotated[
        str | None,
        Parameter(help="Number of the job, or its address; with --failed, the address of a run."),
    ] = None,
    /,
    *,
    repo: Repo = None,
    run: Annotated[
        str | None,
        Parameter(help="With --failed: all failed jobs of this run, given as number or address."),
    ] = None,
    step: Annotated[
        str | None, Parameter(help="Only this step: its name, a part of it, or its number.")
    ] = None,
    failed: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="Only why it failed: the failing step's errors."
        ),
    ] = False,
    tail: Annotated[
        int | None, Parameter(name=["--tail", "-n"], help="Only this many lines from the end.")
    ] = None,
    timestamps: Annotated[
        bool,
        Parameter(
            name=["--timestamps", "-t"],
            negative=(),
            show_default=False,
            help="Show the time of each line.",
        ),
    ] = False,
    no_color: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="Lines for people, without colours, also in a pipe.",
        ),
    ] = False,
    raw: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="Show the log as GitHub has it, with markers and timestamps.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        Parameter(name=["--output", "-o"], help="Save the whole log to this file instead."),
    ] = None,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Print the log of a job, or save it; or print why the jobs of a run failed.

    On a terminal the log comes without timestamps, through the pager that GH_PAGER or PAGER names.
    Elsewhere, and in a file, it is what GitHub has, byte for byte.
    """
    _check(step, tail, output, failed=failed)
    target = _target(job, run, repo, common.base_url, failed=failed)
    writer = LineWriter.of_options(raw=raw, timestamps=timestamps, no_color=no_color)
    troubles: list[str] = []
    progress = Progress(quiet=common.quiet, verbose=common.verbose)

    async def print_log() -> int:
        async with connect(target.root, common, on_wait=progress.on_wait) as gh:
            if isinstance(target.ref, RunRef):
                return await _print_failures(gh, target.ref, tail, writer, troubles)
            if output is not None:
                async with gh.open_log(target.ref) as log:
                    with progress.reading(log, str(log.ref)):
                        written = await log.save(output)
                if not common.quiet:
                    note(f"{output}: {size(written)}")
            elif step is not None:
                await _print_step(gh, target.ref, step, tail, writer, progress)
            elif failed:
                await _print_failure(gh, target.ref, tail, writer, progress)
            else:
                async with gh.open_log(target.ref) as log:
                    await _print_all(log, tail, writer, progress)
            return 0

    status = 0
    try:
        with paging(quiet=common.quiet):
            status = asyncio.run(print_log())
    finally:
        # Not before the user has left the pager: it has the whole screen.
        for trouble in troubles:
            report(trouble)
    sys.stdout.flush()
    return status


def _target(
    job: str | None, run: str | None, repo: str | None, base_url: str | None, *, failed: bool
) -> Target[JobRef] | Target[RunRef]:
    """Return the job, or the run whose failed jobs are meant."""
    target: Target[JobRef] | Target[RunRef]
    if run is not None and job is not None:
        raise ConfigurationError("JOB and --run name two things: leave one of them out")
    if run is not None:
        target = run_target(run, repo, None, base_url, os.environ, find_repository)
    elif job is None:
        raise ConfigurationError("which job? Name its number or address, or --run RUN --failed")
    else:
        target = _job_or_run(job, repo, base_url)
    if isinstance(target.ref, RunRef) and not failed:
        raise ConfigurationError(
            f"{target.ref} has a log for each job: add --failed for why its jobs failed, "
            "or name one job (`ghjobs list` shows them)"
        )
    return target


def _job_or_run(
    text: str, repo: str | None, base_url: str | None
) -> Target[JobRef] | Target[RunRef]:
    try:
        return job_target(text, repo, base_url, os.environ, find_repository)
    except ConfigurationError as no_job:
        # An old .../jobs/NUMBER address names a job, but not by its id.
        if text.strip().isdecimal() or re.search("/jobs/[0-9]", text):
            raise
        try:
            return run_target(text, repo, None, base_url, os.environ, find_repository)
        except ConfigurationError:
            raise no_job from None


def _check(step: str | None, tail: int | None, output: Path | None, *, failed: bool) -> None:
    if step is not None and failed:
        raise ConfigurationError("--step names one step, --failed means the failing one: not both")
    if tail is not None and not 0 <= tail <= _MAX_TAIL:
        raise ConfigurationError(f"--tail is 0 or more lines, not {tail}")
    if output is None:
        return
    if step or failed or tail is not None:
        raise ConfigurationError("--output saves the whole log: for a part of it, use > instead")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise ConfigurationError(f"--output is a file in a folder that exists, not {output}")


async def _print_all(log: JobLog, tail: int | None, writer: LineWriter, progress: Progress) -> None:
    if tail is not None:
        with progress.reading(log, str(log.ref)):
            lines_at_end = await log.tail(tail)
        for line in lines_at_end:
            writer.write(line)
    elif writer.untouched:
        # Into a file; what reads a pipe may draw on the terminal itself.
        shows = nullcontext() if is_pipe(sys.stdout) else progress.reading(log, str(log.ref))
        async with aclosing(log.chunks()) as chunks:
            with shows:
                async for chunk in chunks:
                    sys.stdout.buffer.write(chunk)
    else:
        async with aclosing(log.lines(max_line=MAX_LINE if writer.terminal else _WHOLE)) as lines:
            async for line in lines:
                writer.write(line)


async def _print_step(
    gh: GitHubJobs,
    ref: JobRef,
    name: str,
    tail: int | None,
    writer: LineWriter,
    progress: Progress,
) -> None:
    job = await gh.get_job(ref)
    step = find_step(job, name)
    async with gh.open_log(ref) as log:
        with progress.reading(log, str(ref)):
            logs = await log.steps(job)
    found = logs.steps[job.steps.index(step)]
    if found.certainty is Certainty.UNKNOWN:
        raise GHJobsError(f"the log does not show which lines belong to the step {step.name!r}")
    if found.certainty is Certainty.LIKELY and found.lines:
        note(f"these lines likely, but not certainly, belong to the step {step.name!r}")
    if not found.lines:
        note(f"the step {step.name!r} has no lines in the log")
    for line in last(found.lines, tail):
        writer.write(line)


async def _print_failure(
    gh: GitHubJobs, ref: JobRef, tail: int | None, writer: LineWriter, progress: Progress
) -> None:
    job = await gh.get_job(ref)
    async with gh.open_log(ref) as log:
        with progress.reading(log, str(ref)):
            excerpt = await log.failure(job)
    if excerpt is None:
        raise GHJobsError(f"{ref} did not fail: it is {job.state}")
    if about := failed_at(excerpt):
        note(about)
    if not excerpt.lines:
        note("the log is empty")
    writer.write_excerpt(last(excerpt.lines, tail))


async def _print_failures(
    gh: GitHubJobs, ref: RunRef, tail: int | None, writer: LineWriter, troubles: list[str]
) -> int:
    """Print why each failed job of a run failed; append to *troubles* what could not be read."""
    jobs = await gh.list_jobs(ref)
    if not jobs.complete:
        troubles.append(f"incomplete: {jobs.expected} jobs expected, {jobs.got} got")
    failed_jobs = [job for job in jobs if is_failed(job)]
    if not failed_jobs:
        troubles.append(await _none_failed(gh, ref, jobs))
        return _NONE_FAILED if jobs.complete else _INCOMPLETE
    printer = ExcerptPrinter(failed_jobs, writer, tail)
    try:
        await _read_failures(gh, ref.repo, printer)
    finally:
        troubles += [f"log of job {job.id}: {error}" for job, error in printer.unread]
    return _INCOMPLETE if troubles else 0


async def _read_failures(gh: GitHubJobs, repo: str, printer: ExcerptPrinter) -> None:
    """Read the logs of the printer's jobs side by side."""
    jobs = {job.id: job for job in printer.jobs}

    async def read(log: JobLog) -> FailureExcerpt | None:
        return await log.failure(jobs[log.ref.job_id])

    for job in printer.jobs:
        if not job.ran:
            printer.take(job.id, None)
    async with gh.fan_out_logs(
        [JobRef(repo, job.id) for job in printer.jobs if job.ran], read
    ) as outcomes:
        async for outcome in outcomes:
            match outcome:
                case Fetched(ref, excerpt):
                    printer.take(ref.job_id, excerpt)
                case Failed(ref, GHJobsError() as error):
                    printer.take(ref.job_id, error)
                case Failed(_, error):
                    raise error


async def _none_failed(gh: GitHubJobs, ref: RunRef, jobs: JobList) -> str:
    if not jobs:
        run = await gh.get_run(ref)
        return f"{ref} has no jobs: it is {run.state}"
    counts = Counter(job.state for job in jobs)
    return f"no job of {ref} failed: {', '.join(f'{n:,} {state}' for state, n in counts.items())}"


def find_step(job: Job, name: str) -> Step:
    """
    Find the step that a user names: by its name, a part of its name, or its number.

    Raises:
        ConfigurationError: There is no such step, or there are several.
    """
    wanted = name.strip().casefold()
    ways = (
        [step for step in job.steps if step.name.casefold() == wanted],
        [step for step in job.steps if str(step.number) == wanted],
        [step for step in job.steps if wanted in step.name.casefold()],
    )
    found = next((way for way in ways if way), [])
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{step.number} {step.name}" for step in found or job.steps)
    if found:
        raise ConfigurationError(f"several steps are named {name!r}: {listed}")
    raise ConfigurationError(f"no step is named {name!r}; there are: {listed or 'none'}")
