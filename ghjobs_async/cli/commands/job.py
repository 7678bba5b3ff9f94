"""``ghjobs job``: one job."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter
from rich.console import Group
from rich.table import Table as Grid
from rich.text import Text

from ghjobs_async.cli.browser import check_web, open_page
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.options import HELP_FORMAT, Common, ExitStatus, Jq, Json, Repo, Web
from ghjobs_async.cli.outcome import has_failed
from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.console import console, is_terminal, row, sign, style_of
from ghjobs_async.cli.output.table import Table
from ghjobs_async.cli.output.text import clean, duration
from ghjobs_async.cli.target import Target, job_target, web_root
from ghjobs_async.client import GitHubJobs
from ghjobs_async.models import Job
from ghjobs_async.refs import JobRef

_FIELDS: Final = tuple(field.name for field in attrs.fields(Job))

app = App(
    name="job",
    usage="Usage: ghjobs job JOB [OPTIONS]",
    help_format=HELP_FORMAT,
    help_epilogue="""\
Examples:

    ghjobs job -R octo-org/octo-repo 399444496
    ghjobs job https://github.com/OWNER/REPO/actions/runs/1/job/2
    ghjobs job -R octo-org/octo-repo 399444496 --json name,conclusion
    ghjobs job -R octo-org/octo-repo 399444496 --jq '.steps[].name'
    ghjobs job -R octo-org/octo-repo 399444496 --web

--json prints what GitHub sent: every key, also those that are new.
""",
)


@app.default
def job_command(
    job: Annotated[str, Parameter(help="Number of the job, or its address.")],
    /,
    *,
    repo: Repo = None,
    json: Json = None,
    jq: Jq = None,
    web: Web = False,
    exit_status: ExitStatus = False,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """Show one job: how it went, and its steps."""
    printer = JsonPrinter.of_options(json, jq)
    check_web(web, printer, exit_status=exit_status)
    target = job_target(job, repo, common.base_url, os.environ, find_repository)
    gh = connect(target.root, common)
    if printer is not None:
        sent = asyncio.run(_fetch_json(gh, target.ref))
        # GitHub may send more than the model knows.
        printer.check(tuple(dict.fromkeys((*_FIELDS, *sent))))
        printer.print(sent)
        failed = has_failed(sent.get("status"), sent.get("conclusion"))
        return int(exit_status and failed)
    found = asyncio.run(_fetch(gh, target.ref))
    if web:
        open_page(_page(target, found), quiet=common.quiet)
    elif is_terminal(sys.stdout):
        screen = console(sys.stdout)
        screen.print(_card(target.ref.repo, found))
        if found.html_url:
            # On a line of its own that no width breaks: to be clicked on, or copied.
            screen.print(f"\n{clean(found.html_url)}", soft_wrap=True, style="dim", markup=False)
    else:
        _lines(target.ref.repo, found)
    return int(exit_status and has_failed(found.status, found.conclusion))


async def _fetch(gh: GitHubJobs, ref: JobRef) -> Job:
    async with gh:
        return await gh.get_job(ref)


async def _fetch_json(gh: GitHubJobs, ref: JobRef) -> dict[str, object]:
    async with gh:
        return await gh.get_job_json(ref)


def _page(target: Target[JobRef], job: Job) -> str:
    """The address of a job's page; only a page of the host that was asked is opened."""
    web = web_root(target.root)
    if job.html_url and job.html_url.startswith(f"{web}/"):
        return job.html_url
    return f"{web}/{target.ref.repo}/actions/runs/{job.run_id}/job/{job.id}"


def _card(repo: str, job: Job) -> Group:
    state = job.state
    title = Text.assemble(
        sign(state), " ", (clean(job.name), "bold"), "  ", (clean(state), style_of(state))
    )
    facts = Grid.grid(padding=(0, 2), pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(repo, job):
        facts.add_row(name, value)
    if not job.steps:
        return Group(title, facts)
    steps = Table("Step", "Elapsed")
    for step in job.steps:
        state = step.state
        steps.add(
            Text(clean(step.name), style="red" if state == "failure" else ""),
            duration(step.duration),
            sign=Text.assemble(sign(state), (f" {step.number:3}", "dim")),
        )
    return Group(title, facts, "", steps)


def _lines(repo: str, job: Job) -> None:
    row("name:", job.name)
    row("state:", job.state)
    for name, value in _facts(repo, job):
        row(f"{name.lower()}:", value)
    if job.html_url:
        row("view:", job.html_url)
    row("--")
    for step in job.steps:
        row(step.state, step.number, step.name, duration(step.duration))


def _facts(repo: str, job: Job) -> list[tuple[str, str]]:
    attempt = "" if job.run_attempt is None else f" attempt {job.run_attempt}"
    times = ""
    if job.started_at is not None:
        times = f"{job.started_at:%Y-%m-%d %H:%M:%S}"
        if job.completed_at is not None:
            times += f" to {job.completed_at:%Y-%m-%d %H:%M:%S}"
        times += f" {job.started_at:%Z}"
    runner = job.runner_name or ""
    if job.labels:
        runner += f" on {', '.join(job.labels)}" if runner else ", ".join(job.labels)
    facts = [
        ("Run", f"{repo} {job.run_id}{attempt}"),
        ("Workflow", clean(job.workflow_name or "")),
        ("Branch", clean(f"{job.head_branch or ''} {job.head_sha[:7]}".strip())),
        ("Elapsed", duration(job.duration)),
        ("Queued", duration(job.queued_for)),
        ("Time", times),
        ("Runner", clean(runner)),
        ("Job", str(job.id)),
    ]
    return [(name, value) for name, value in facts if value]
