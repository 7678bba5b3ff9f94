"""``ghjobs list``: the jobs of a run."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from ghjobs_async.cli.browser import check_web, open_page
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.options import HELP_FORMAT, Common, ExitStatus, Jq, Json, Repo, Web
from ghjobs_async.cli.outcome import has_failed
from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.console import console, row, sign, style_of, styled
from ghjobs_async.cli.output.failures import FAILURE_FIELDS, FailedJob, failures, print_failures
from ghjobs_async.cli.output.text import clean, duration, note, plural
from ghjobs_async.cli.target import run_page, run_target
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import Job, JobList, to_dict
from ghjobs_async.refs import RunRef
from ghjobs_async.wire.operations import Filter

_FAILED: Final = 1
_INCOMPLETE: Final = 3
_FIELDS: Final = tuple(field.name for field in attrs.fields(Job))

app = App(
    name="list",
    usage="Usage: ghjobs list RUN [OPTIONS]",
    help_format=HELP_FORMAT,
    help_epilogue="""\
Elsewhere than on a terminal, each job is a line with tabs: conclusion (or
status), name, number, attempt, elapsed, queued, start, address.

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
    List the jobs of a run, of its latest attempt if nothing else is said.

    Elsewhere than on a terminal, each job is a line with tabs: conclusion (or status), name, number,
    attempt, elapsed, queued, start, address.
    """
    if all_ and attempt is not None:
        raise ConfigurationError("--attempt names one attempt, --all means every one: not both")
    printer = JsonPrinter.of_options(json, jq)
    check_web(web, printer, exit_status=exit_status)
    if printer is not None:
        printer.check((*_FIELDS, *FAILURE_FIELDS) if failed_only else _FIELDS)
    target = run_target(run, repo, attempt, common.base_url, os.environ, find_repository)
    if all_ and target.ref.attempt is not None:
        raise ConfigurationError("this address names one attempt, --all means every one: not both")
    if web:
        open_page(run_page(target), quiet=common.quiet)
        return 0

    which: Filter = "all" if all_ else "latest"

    async def fetch() -> tuple[JobList, list[FailedJob]]:
        async with connect(target.root, common) as gh:
            jobs = await gh.list_jobs(target.ref, filter=which)
            return jobs, await failures(gh, target.ref.repo, jobs) if failed_only else []

    jobs, failed_jobs = asyncio.run(fetch())
    status = 0
    if failed_only:
        status = print_failures(failed_jobs, printer)
    elif printer is not None:
        printer.print([to_dict(job) for job in jobs])
    else:
        _print(target.ref, jobs, attempts=all_)
    status = max(status, _verdict(jobs))
    failed = any(has_failed(job.status, job.conclusion) for job in jobs)
    return _FAILED if exit_status and failed else status


def _print(ref: RunRef, jobs: JobList, *, attempts: bool) -> None:
    if not styled():
        for job in jobs:
            _line(job)
        return
    screen = console(sys.stdout)
    if jobs:
        screen.print(_table(jobs, attempts=attempts))
    screen.print(Text(_footer(str(ref), jobs), style="dim"))


def _verdict(jobs: JobList) -> int:
    if jobs.complete:
        return 0
    lost = f", {len(jobs.undecodable)} of them not decodable" if jobs.undecodable else ""
    note(f"ghjobs: incomplete: {jobs.expected} jobs expected, {jobs.got} got{lost}")
    return _INCOMPLETE


def _table(jobs: Sequence[Job], *, attempts: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("Job", no_wrap=True, overflow="ellipsis")
    if attempts:
        table.add_column("Attempt", justify="right")
    table.add_column("Elapsed", justify="right", no_wrap=True)
    table.add_column("Queued", justify="right", no_wrap=True)
    table.add_column("Number", no_wrap=True)
    for job in jobs:
        style = style_of(job.status, job.conclusion)
        name = Text(clean(job.name), style=style if style in {"dim", "red"} else "")
        for step in job.steps:
            if step.conclusion == "failure":
                name.append(f"\n  at {clean(step.name)}", style="red")
        cells: list[str | Text] = [
            sign(job.status, job.conclusion),
            name,
            duration(job.duration) if job.ran else "",
            duration(job.queued_for) if job.ran else "",
            str(job.id),
        ]
        if attempts:
            cells.insert(2, str(job.run_attempt or ""))
        table.add_row(*cells)
    return table


def _footer(ref: str, jobs: JobList) -> str:
    counts = Counter(clean(job.conclusion or job.status) for job in jobs)
    parts = [f"{count:,} {state}" for state, count in counts.most_common()]
    total = sum((job.duration or timedelta() for job in jobs if job.ran), timedelta())
    if total:
        parts.append(f"{duration(total)} in all")
    return f"{ref}: {plural(len(jobs), 'job')}" + (f" ({', '.join(parts)})" if parts else "")


def _line(job: Job) -> None:
    row(
        job.conclusion or job.status,
        job.name,
        job.id,
        job.run_attempt,
        duration(job.duration) if job.ran else "",
        duration(job.queued_for) if job.ran else "",
        job.started_at and f"{job.started_at:%Y-%m-%dT%H:%M:%SZ}",
        job.html_url,
    )
