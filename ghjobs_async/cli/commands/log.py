"""``ghjobs log``: the log of a job, or of one of its steps."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.options import HELP_FORMAT, Common, Repo
from ghjobs_async.cli.output.console import is_pipe
from ghjobs_async.cli.output.log_lines import LineWriter
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.text import note, size
from ghjobs_async.cli.target import job_target
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import Certainty, LogLine
from ghjobs_async.models import Job, Step
from ghjobs_async.refs import JobRef

_TAIL_MOST: Final = 10_000_000

#: How sure it is that an excerpt is of the step that failed.
_SURE: Final = {
    Certainty.CERTAIN: "",
    Certainty.LIKELY: ", likely its lines",
    Certainty.UNKNOWN: "; the log does not tell its lines, these are the errors",
}

app = App(
    name="log",
    usage="Usage: ghjobs log JOB [OPTIONS]",
    help_format=HELP_FORMAT,
    help_epilogue="""\
On a terminal the log comes without timestamps, and nothing in it but colours
reaches the terminal's controls. Elsewhere, and in a file, it is what GitHub
has, byte for byte.

Examples:

    ghjobs log -R octo-org/octo-repo 399444496 | grep error
    ghjobs log -R octo-org/octo-repo 399444496 --failed
    ghjobs log -R octo-org/octo-repo 399444496 --step 'Run tests' --tail 20
    ghjobs log -R octo-org/octo-repo 399444496 --output job.log
    ghjobs log https://github.com/OWNER/REPO/actions/runs/1/job/2
""",
)


@app.default
def log_command(
    job: Annotated[str, Parameter(help="Number of the job, or its address.")],
    /,
    *,
    repo: Repo = None,
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
        int | None, Parameter(name=["--tail", "-n"], help="Only so many lines from the end.")
    ] = None,
    timestamps: Annotated[
        bool,
        Parameter(name=["--timestamps", "-t"], negative=(), show_default=False, help="Show them."),
    ] = False,
    no_color: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="Lines to read, also in a pipe, without colours."
        ),
    ] = False,
    raw: Annotated[
        bool,
        Parameter(negative=(), show_default=False, help="As it came, markers, timestamps and all."),
    ] = False,
    output: Annotated[
        Path | None,
        Parameter(name=["--output", "-o"], help="Save the whole log to this file instead."),
    ] = None,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Print the log of a job, or save it.

    On a terminal it comes without timestamps, and nothing in it but colours reaches the terminal's
    controls. Elsewhere, and in a file, it is what GitHub has, byte for byte.
    """
    target = job_target(job, repo, common.base_url, os.environ, find_repository)
    if output is not None:
        _check_output(output, part=bool(step or failed or tail is not None))
    if step is not None and failed:
        raise ConfigurationError("--step names one step, --failed means the failing one: not both")
    if tail is not None and not 0 <= tail <= _TAIL_MOST:
        raise ConfigurationError(f"--tail is 0 or more lines, not {tail}")
    writer = LineWriter.of_options(raw=raw, timestamps=timestamps, no_color=no_color)
    progress = Progress(quiet=common.quiet, verbose=common.verbose)

    async def run() -> None:
        async with connect(target.root, common, on_wait=progress.on_wait) as gh:
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

    asyncio.run(run())
    sys.stdout.flush()
    return 0


def _check_output(output: Path, *, part: bool) -> None:
    if part:
        raise ConfigurationError("--output saves the whole log: for a part of it, use > instead")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise ConfigurationError(f"--output is a file in a folder that is there, not {output}")


async def _print_all(log: JobLog, tail: int | None, writer: LineWriter, progress: Progress) -> None:
    if tail is not None:
        with progress.reading(log, str(log.ref)):
            last = await log.tail(tail)
        for line in last:
            writer.write(line)
    elif writer.untouched:
        # Into a file; what reads a pipe may draw on the terminal itself.
        shows = nullcontext() if is_pipe(sys.stdout) else progress.reading(log, str(log.ref))
        async with aclosing(log.chunks()) as chunks:
            with shows:
                async for chunk in chunks:
                    sys.stdout.buffer.write(chunk)
    else:
        async with aclosing(log.lines()) as lines:
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
        raise GHJobsError(f"the log does not tell which of its lines are of the step {step.name!r}")
    if found.certainty is Certainty.LIKELY and found.lines:
        note(f"these are likely, not certainly, the lines of the step {step.name!r}")
    if not found.lines:
        note(f"the step {step.name!r} has no lines in the log")
    for line in _last(found.lines, tail):
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
    if excerpt.step is not None:
        note(f"failed at {excerpt.step.name!r}{_SURE[excerpt.certainty]}")
    if not excerpt.lines:
        note("the log is empty")
    for line in _last(excerpt.lines, tail):
        writer.write_excerpt(line)


def _last(lines: Sequence[LogLine], tail: int | None) -> Sequence[LogLine]:
    return lines if tail is None else lines[max(0, len(lines) - tail) :]


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
