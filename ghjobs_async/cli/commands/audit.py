"""``ghjobs audit``: many runs into a folder, and what they sum up to."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from ghjobs_async.audit import Audit, AuditFolder, AuditPlan, Logs, Tally
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect, find_auth
from ghjobs_async.cli.filters import Filters
from ghjobs_async.cli.options import HELP_FORMAT, Common
from ghjobs_async.cli.output.console import console, print_json
from ghjobs_async.cli.output.estimate import print_estimate
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.summary import print_summary
from ghjobs_async.cli.output.text import note, plural, report
from ghjobs_async.cli.target import repos_target
from ghjobs_async.client import GitHubJobs

_INCOMPLETE: Final = 3
#: The hourly budget is back within an hour: an audit rather waits for it than ends half done.
_MAX_WAIT: Final = 3900.0

app = App(
    name="audit",
    usage="Usage: ghjobs audit OWNER/REPO... [OPTIONS]",
    help_format=HELP_FORMAT,
    help_epilogue="""\
The folder gets jobs.ndjson (GitHub's JSON of each job, and its repository),
failures.ndjson (what could not be had, and why) and logs/. Interrupted, it
keeps what had come, in whole lines.

Examples:

    ghjobs audit octo-org/octo-repo --since 7d
    ghjobs audit octo-org/octo-repo octo-org/hello-world --since 2026-10-01
    ghjobs audit octo-org/octo-repo --workflow ci.yml --status failure
    ghjobs audit octo-org/octo-repo --all-attempts --logs all --output october
    ghjobs audit octo-org/octo-repo --since 30d --plan
    jq 'select(.conclusion == "failure") | .html_url' ghjobs-audit/jobs.ndjson
""",
)


@app.default
def audit_command(
    *repos: Annotated[str, Parameter(help="Repositories, OWNER/REPO, one or more; else GH_REPO.")],
    logs: Annotated[
        Literal["none", "failed", "all"], Parameter(help="Which jobs' logs to fetch.")
    ] = "failed",
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="The folder to write to.")
    ] = Path("ghjobs-audit"),
    force: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="Write into a folder that is not empty; replaces an audit.",
        ),
    ] = False,
    estimate_only: Annotated[
        bool,
        Parameter(
            name="--plan",
            negative=(),
            show_default=False,
            help="Only estimate the requests and the time it takes, against what is left of the budget.",
        ),
    ] = False,
    max_wait: Annotated[
        float, Parameter(help="The longest wait for a rate limit, in seconds.")
    ] = _MAX_WAIT,
    json: Annotated[
        bool,
        Parameter(
            name="--json", negative=(), show_default=False, help="Print the summary as JSON."
        ),
    ] = False,
    filters: Filters = Filters(),  # noqa: B008 -- frozen
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Fetch the jobs and logs of many runs into a folder, and sum them up.

    The folder gets jobs.ndjson (GitHub's JSON of each job, and its repository), failures.ndjson (what
    could not be had, and why) and logs/. Interrupted, it keeps what had come, in whole lines.
    """
    target = repos_target(repos, common.base_url, os.environ, find_repository)
    plan = filters.plan(target.ref, Logs(logs))
    progress = Progress(quiet=common.quiet)
    # Before the folder is made: what is wrong with the options shall leave no trace.
    auth = find_auth(target.root)
    gh = connect(target.root, common, auth=auth, on_wait=progress.on_wait, max_wait=max_wait)
    if estimate_only:
        return print_estimate(gh, plan, common.concurrency, json=json)
    with AuditFolder(output, force=force) as folder:
        return run_audit(gh, plan, folder, progress, json=json)


def run_audit(
    gh: GitHubJobs, plan: AuditPlan, folder: AuditFolder, progress: Progress, *, json: bool
) -> int:
    """Run an audit with its progress, and print its summary; the exit status."""
    audit = Audit(gh, plan, folder)

    async def run() -> Tally:
        async with gh:
            return await audit.run()

    try:
        with progress.showing(audit.tally, ", ".join(plan.repos)):
            tally = asyncio.run(run())
    except KeyboardInterrupt:
        jobs = plural(audit.tally.total.jobs, "job")
        report(f"interrupted: {jobs} so far in {folder.path}")
        return 130
    finish(tally, folder, json=json, quiet=progress.quiet)
    return 0 if audit.complete else _INCOMPLETE


def finish(tally: Tally, folder: AuditFolder, *, json: bool, quiet: bool) -> None:
    """Print what came of an audit."""
    if json:
        print_json(tally.to_dict())
    else:
        print_summary(console(sys.stdout), tally)
    if not quiet:
        note(f"jobs, failures and logs are in {folder.path}")
    if failures := tally.total.failures:
        report(
            f"incomplete: {failures:,} of the searches, runs or logs could not be had, "
            f"see {folder.path / 'failures.ndjson'}"
        )
