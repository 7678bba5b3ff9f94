"""``ghjobs log``: print the log of a job, a step of it, or why the jobs of a run failed."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Annotated, Final, TypeVar

import attrs
from cyclopts import Parameter

from ghjobs_async.cli.options import Common, Repo, command, run_with
from ghjobs_async.cli.outcome import explain_lost, find_failed, read_failures
from ghjobs_async.cli.output.console import Exit, is_pipe, note, report
from ghjobs_async.cli.output.log_lines import ExcerptPrinter, LineWriter, failed_at
from ghjobs_async.cli.output.pager import paging
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.text import size
from ghjobs_async.cli.target import Target, Targets
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import (
    ConfigurationError,
    GHJobsError,
    LogUnavailableError,
    NotFoundError,
)
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import MAX_LINE, Certainty
from ghjobs_async.models import Job, Step
from ghjobs_async.refs import JobRef, RunRef

T = TypeVar("T")

# How much of a line is printed: in a pipe, nearly any line is whole.
_WHOLE: Final = 256 << 20

_MAX_TAIL: Final = 10_000_000

app = command(
    "log",
    """\
ghjobs log JOB [OPTIONS]
       ghjobs log RUN --failed [OPTIONS]""",
    """\
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
def log_command(  # noqa: D417 -- what commands share describes itself
    job: str | None = None,
    /,
    *,
    repo: Repo = None,
    run: str | None = None,
    step: str | None = None,
    failed: bool = False,
    context: Annotated[int | None, Parameter(alias="-C")] = None,
    tail: Annotated[int | None, Parameter(alias="-n")] = None,
    timestamps: Annotated[bool, Parameter(alias="-t")] = False,
    no_color: bool = False,
    raw: bool = False,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Print the log of a job, or save it; or print why the jobs of a run failed.

    Args:
        job: Number of the job, or its address; with --failed, also of a run.
        run: With --failed: all failed jobs of this run, given as number or address.
        step: Only this step: its name, a part of it, or its number.
        failed: Only why it failed: the reason, and the failing step's errors.
        context: With --failed: this many lines around each error.
        tail: Only this many lines from the end.
        timestamps: Show the time of each line.
        no_color: Lines for people, without colours, also in a pipe.
        raw: Show the log as GitHub has it, with markers and timestamps.
        output: Save the whole log to this file instead.
    """
    _check(step, tail, output, failed=failed)
    if context is not None and not failed:
        raise ConfigurationError("--context is for --failed")
    target = _target(common.targets, job, run, repo, failed=failed)
    writer = LineWriter(raw=raw, timestamps=timestamps, no_color=no_color, tail=tail)
    gh, progress = common.connect(target.root)
    logs = _Logs(gh, writer, progress, context)

    async def print_log(_: GitHubJobs) -> Exit:
        if isinstance(target.ref, RunRef):
            return await logs.print_failures(target.ref)
        if output is not None:
            written = await logs.read(target.ref, lambda log: log.save(output))
            if not common.quiet:
                note(f"{output}: {size(written)}")
        elif step is not None:
            await logs.print_step(target.ref, step)
        elif failed:
            return await logs.print_failure(target.ref, bare=job is not None and job.isdecimal())
        else:
            await logs.print_all(target.ref)
        return Exit.OK

    status = Exit.OK
    try:
        with paging(quiet=common.quiet):
            status = run_with(gh, print_log)
    finally:
        # Not before the user has left the pager: it has the whole screen.
        for trouble in logs.troubles:
            report(trouble)
    sys.stdout.flush()
    return status


def _target(
    targets: Targets, job: str | None, run: str | None, repo: str | None, *, failed: bool
) -> Target[JobRef] | Target[RunRef]:
    """Return the job, or the run whose failed jobs are meant."""
    target: Target[JobRef] | Target[RunRef]
    if run is not None:
        if job is not None:
            raise ConfigurationError("JOB and --run name two things: leave one of them out")
        target = targets.run(run, repo)
    elif job is None:
        raise ConfigurationError("which job? Name its number or address, or --run RUN --failed")
    else:
        target = _job_or_run(targets, job, repo)
    if isinstance(target.ref, RunRef) and not failed:
        raise ConfigurationError(
            f"{target.ref} has a log for each job: add --failed for why its jobs failed, "
            "or name one job (`ghjobs list` shows them)"
        )
    return target


def _job_or_run(targets: Targets, text: str, repo: str | None) -> Target[JobRef] | Target[RunRef]:
    try:
        return targets.job(text, repo)
    except ConfigurationError as no_job:
        # An old .../jobs/NUMBER address names a job, but not by its id.
        if text.strip().isdecimal() or re.search("/jobs/[0-9]", text):
            raise
        try:
            return targets.run(text, repo)
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


@attrs.frozen
class _Logs:
    """Read logs and print them. What cannot be read is in *troubles*."""

    gh: GitHubJobs
    writer: LineWriter
    progress: Progress
    context: int | None = None
    troubles: list[str] = attrs.field(factory=list)

    async def read(self, ref: JobRef, how: Callable[[JobLog], Awaitable[T]]) -> T:
        """Read a log before anything of it is printed, and show how much has come."""
        async with self.gh.open_log(ref) as log:
            with self.progress.reading(log, str(ref)):
                return await how(log)

    async def print_all(self, ref: JobRef) -> None:
        if (tail := self.writer.tail) is not None:
            self.writer.write_excerpt(await self.read(ref, lambda log: log.tail(tail)))
            return
        async with self.gh.open_log(ref) as log:
            if not self.writer.untouched:
                cap = MAX_LINE if self.writer.terminal else _WHOLE
                async with aclosing(log.lines(max_line=cap)) as lines:
                    async for line in lines:
                        self.writer.write(line)
                return
            # Into a file; what reads a pipe may draw on the terminal itself.
            into_pipe = is_pipe(sys.stdout)
            with nullcontext() if into_pipe else self.progress.reading(log, str(ref)):
                async with aclosing(log.chunks()) as chunks:
                    async for chunk in chunks:
                        sys.stdout.buffer.write(chunk)

    async def print_step(self, ref: JobRef, name: str) -> None:
        job = await self.gh.get_job(ref)
        step = find_step(job, name)
        logs = await self.read(ref, lambda log: log.steps(job))
        found = logs.steps[job.steps.index(step)]
        if found.certainty is Certainty.UNKNOWN:
            raise GHJobsError(f"the log does not show which lines belong to the step {step.name!r}")
        if found.certainty is Certainty.LIKELY and found.lines:
            note(f"these lines likely, but not certainly, belong to the step {step.name!r}")
        if not found.lines:
            note(f"the step {step.name!r} has no lines in the log")
        for line in self.writer.last(found.lines):
            self.writer.write(line)

    async def print_failure(self, ref: JobRef, *, bare: bool) -> Exit:
        """Print why a job failed; a *bare* number may be that of a run, as for ``gh run view``."""
        try:
            job = await self.gh.get_job(ref)
        except NotFoundError:
            if not bare:
                raise
            return await self._print_run(RunRef(ref.repo, ref.job_id))
        empty = "the log is empty"
        try:
            excerpt = await self.read(ref, lambda log: log.failure(job, context=self.context))
        except LogUnavailableError as error:
            excerpt = await explain_lost(self.gh, job, error)
            if excerpt is None:
                raise
            empty = str(error)
        if excerpt is None:
            raise GHJobsError(f"{ref} did not fail: it is {job.state}")
        if self.writer.terminal:
            self.writer.write_failure(excerpt)
        else:
            note(failed_at(excerpt))
            self.writer.write_excerpt(excerpt.lines)
        if not excerpt.lines:
            note(empty)
        return Exit.OK

    async def _print_run(self, ref: RunRef) -> Exit:
        try:
            return await self.print_failures(ref)
        except NotFoundError as error:
            raise GHJobsError(
                f"check the number, {ref.repo} job or run {ref.run_id}: 404, {error.hint}"
            ) from error

    async def print_failures(self, ref: RunRef) -> Exit:
        """Print why each failed job of a run failed, and return the exit status."""
        jobs = await self.gh.list_jobs(ref)
        found = await find_failed(self.gh, jobs)
        self.troubles.extend(found.troubles)
        if not found.jobs:
            states = Counter(job.state for job in jobs)
            counts = ", ".join(f"{n:,} {state}" for state, n in states.items())
            problem = f"no job of {ref} failed: {counts}"
            if not jobs:
                run = await self.gh.get_run(ref)
                problem = f"{ref} has no jobs: it is {run.state}"
            self.troubles.append(problem)
            return Exit.FAILED if jobs.complete else Exit.INCOMPLETE
        printer = ExcerptPrinter(found.jobs, self.writer, self.troubles)
        await read_failures(self.gh, ref.repo, found, printer.take, context=self.context)
        return Exit.INCOMPLETE if self.troubles else Exit.OK


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
