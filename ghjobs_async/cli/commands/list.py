"""``ghjobs list``: the jobs of a run."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter
from rich.text import Text

from ghjobs_async.audit.plan import failed
from ghjobs_async.cli.browser import check_web, open_page
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.options import HELP_FORMAT, Common, ExitStatus, Jq, Json, Repo, Web
from ghjobs_async.cli.outcome import has_failed
from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.console import console, is_terminal, row, sign, style_of
from ghjobs_async.cli.output.failures import FAILURE_FIELDS, FailedJob, failures, print_failures
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.table import Table
from ghjobs_async.cli.output.text import clean, duration, note, plural
from ghjobs_async.cli.target import Target, job_target, run_page, run_target
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import Job, JobList, Run, to_dict
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.wire.operations import Filter

_FAILED: Final = 1
_INCOMPLETE: Final = 3
_FIELDS: Final = tuple(field.name for field in attrs.fields(Job))

app = App(
    name="list",
    usage="Usage: ghjobs list RUN [OPTIONS]",
    help_format=HELP_FORMAT,
    help_epilogue="""\
In a pipe or a file, each job is a line with tabs: conclusion (or status),
name, number, attempt, elapsed, queued, start, address. With --failed:
conclusion, name, number, attempt, failing step, first error, address.

The address of a job stands for its attempt.

With --failed, a failed run that has no jobs ends with status 1.

Examples:

    ghjobs list -R octo-org/octo-repo 29679449
    ghjobs list -R octo-org/octo-repo 29679449 --all
    ghjobs list -R octo-org/octo-repo 29679449 --failed
    ghjobs list https://github.com/OWNER/REPO/actions/runs/1/attempts/2
    ghjobs list -R octo-org/octo-repo 29679449 --json name,conclusion
    ghjobs list -R octo-org/octo-repo 29679449 --jq '.[].name'
""",
)


@app.default
def list_command(
    run: Annotated[str, Parameter(help="Number of the run, or its address.")],
    /,
    *,
    repo: Repo = None,
    attempt: Annotated[
        int | None, Parameter(name=["--attempt", "-a"], help="The jobs of this attempt.")
    ] = None,
    all_: Annotated[
        bool,
        Parameter(name="--all", negative=(), show_default=False, help="The jobs of every attempt."),
    ] = False,
    failed_only: Annotated[
        bool,
        Parameter(
            name="--failed",
            negative=(),
            show_default=False,
            help="Only failed jobs, each with its failing step and first error.",
        ),
    ] = False,
    json: Json = None,
    jq: Jq = None,
    web: Web = False,
    exit_status: ExitStatus = False,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    List the jobs of a run: of its latest attempt, or of the attempt that the address names.

    In a pipe or a file, each job is a line with tabs: conclusion (or status), name, number, attempt,
    elapsed, queued, start, address.
    """
    if all_ and attempt is not None:
        raise ConfigurationError("--attempt names one attempt, --all means every one: not both")
    printer = JsonPrinter.of_options(json, jq)
    check_web(web, printer, exit_status=exit_status)
    if printer is not None:
        printer.check((*_FIELDS, *FAILURE_FIELDS) if failed_only else _FIELDS)
    target = _target(run, repo, attempt, common.base_url)
    if all_ and isinstance(target.ref, RunRef) and target.ref.attempt is not None:
        raise ConfigurationError("this address names one attempt, --all means every one: not both")
    if web:
        of_run = run_target(run, repo, attempt, common.base_url, os.environ, find_repository)
        open_page(run_page(of_run), quiet=common.quiet)
        return 0
    progress = Progress(quiet=common.quiet, verbose=common.verbose)

    async def fetch() -> _Found:
        async with connect(target.root, common, on_wait=progress.on_wait) as gh:
            with progress.showing(str(target.ref)):
                found = await _fetch(gh, target.ref, attempt, all_=all_)
            if not failed_only:
                return found
            why = await failures(gh, found.ref.repo, found.jobs, progress)
            return attrs.evolve(found, failed_jobs=why)

    found = asyncio.run(fetch())
    status = _verdict(found.jobs)
    if not failed_only:
        _show(found, printer, attempts=all_)
    elif printer is not None or found.empty_run is None:
        status = max(status, print_failures(found.failed_jobs, printer))
    if _failed(found, failed_only=failed_only, exit_status=exit_status):
        return _FAILED
    return status


@attrs.frozen
class _Found:
    """
    What was found.

    Attributes:
        ref: The run, or the attempt.
        jobs: Its jobs.
        empty_run: The run itself where it has no jobs: only it says why.
        failed_jobs: Its failed jobs, if asked for.
    """

    ref: RunRef
    jobs: JobList
    empty_run: Run | None
    failed_jobs: Sequence[FailedJob] = ()


async def _fetch(
    gh: GitHubJobs, ref: RunRef | JobRef, attempt: int | None, *, all_: bool
) -> _Found:
    which: Filter = "all" if all_ else "latest"
    if isinstance(ref, JobRef):
        job = await gh.get_job(ref)
        of_job = job.run_attempt if attempt is None and not all_ else attempt
        ref = RunRef(ref.repo, job.run_id, of_job)
    jobs = await gh.list_jobs(ref, filter=which)
    return _Found(ref, jobs, None if jobs.total_count else await gh.get_run(ref))


def _target(
    run: str, repo: str | None, attempt: int | None, base_url: str | None
) -> Target[RunRef] | Target[JobRef]:
    """Return the run that the user names, or the job if it is the address of one."""
    if not run.strip().isdecimal():
        with suppress(ConfigurationError):
            return job_target(run, repo, base_url, os.environ)
    return run_target(run, repo, attempt, base_url, os.environ, find_repository)


def _failed(found: _Found, *, failed_only: bool, exit_status: bool) -> bool:
    """Judge whether something failed; a run without jobs is reported."""
    of_run: Sequence[Job | Run] = found.jobs
    if found.empty_run is not None:
        note(f"ghjobs: {found.ref} has no jobs: it is {found.empty_run.state}")
        of_run = (found.empty_run,)
        if failed_only and failed(found.empty_run):
            return True
    return exit_status and any(has_failed(one.status, one.conclusion) for one in of_run)


def _verdict(jobs: JobList) -> int:
    if jobs.complete:
        return 0
    lost = f", {len(jobs.undecodable)} of them not decodable" if jobs.undecodable else ""
    note(f"ghjobs: incomplete: {jobs.expected} jobs expected, {jobs.got} got{lost}")
    return _INCOMPLETE


def _show(found: _Found, printer: JsonPrinter | None, *, attempts: bool) -> None:
    if printer is not None:
        printer.print([to_dict(job) for job in found.jobs])
        return
    if not is_terminal(sys.stdout):
        for job in found.jobs:
            _line(job)
        return
    screen = console(sys.stdout)
    if found.jobs:
        screen.print(_table(found.jobs, attempts=attempts))
    screen.print(Text(_footer(str(found.ref), found.jobs), style="dim"))


def _table(jobs: Sequence[Job], *, attempts: bool) -> Table:
    columns = ("Attempt",) if attempts else ()
    table = Table("Job", *columns, "Elapsed", "Queued", id_column="Number")
    for job in jobs:
        state = job.state
        style = style_of(state)
        steps = [clean(step.name) for step in job.steps if step.state == "failure"]
        table.add(
            Text(clean(job.name), style=style if style in {"dim", "red"} else ""),
            *((str(job.run_attempt or ""),) if attempts else ()),
            duration(job.duration) if job.ran else "",
            duration(job.queued_for) if job.ran else "",
            str(job.id),
            sign=sign(state),
            note=Text("\n".join(f"at {name}" for name in steps), style="red") if steps else None,
        )
    return table


def _footer(ref: str, jobs: JobList) -> str:
    counts = Counter(clean(job.state) for job in jobs)
    parts = [f"{count:,} {state}" for state, count in counts.most_common()]
    total = sum((job.duration or timedelta() for job in jobs if job.ran), timedelta())
    if total:
        parts.append(f"{duration(total)} in all")
    return f"{ref}: {plural(len(jobs), 'job')}" + (f" ({', '.join(parts)})" if parts else "")


def _line(job: Job) -> None:
    row(
        job.state,
        job.name,
        job.id,
        job.run_attempt,
        duration(job.duration) if job.ran else "",
        duration(job.queued_for) if job.ran else "",
        job.started_at and f"{job.started_at:%Y-%m-%dT%H:%M:%SZ}",
        job.html_url,
    )
