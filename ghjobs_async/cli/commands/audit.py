"""``ghjobs audit``: fetch many runs into a folder, and sum them up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ghjobs_async.audit import Audit, AuditFolder, AuditPlan, Logs, estimate
from ghjobs_async.cli.options import BUDGET_WAIT, Common, Filters, command, run_with
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.audit import print_estimate, print_summary
from ghjobs_async.cli.output.console import Exit, console, note, report
from ghjobs_async.cli.output.progress import Progress, tally_bars
from ghjobs_async.cli.output.text import plural
from ghjobs_async.client import GitHubJobs

app = command(
    "audit",
    "ghjobs audit OWNER/REPO... [OPTIONS]",
    """\
The folder gets jobs.ndjson (the fields of each job, and its repository),
failures.ndjson (what is missing, and why) and logs/. An interrupted audit
keeps what it has, in whole lines.

Exit status: 0 all well, 1 failed, 2 wrong usage, 3 incomplete or no run found.

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
def audit_command(  # noqa: D417 -- what commands share describes itself
    *repos: str,
    logs: Literal["none", "failed", "all"] = "failed",
    output: Annotated[Path, Parameter(alias="-o")] = Path("ghjobs-audit"),
    force: bool = False,
    estimate_only: Annotated[bool, Parameter(name="--plan")] = False,
    max_wait: float = BUDGET_WAIT,
    json: bool = False,
    filters: Filters = Filters(),  # noqa: B008 -- frozen
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Fetch the jobs and logs of many runs into a folder, and sum them up.

    Args:
        repos: Repositories, OWNER/REPO, one or more; else GH_REPO.
        logs: The logs of which jobs to fetch.
        output: The folder to write to.
        force: Write into a folder that is not empty; replaces an audit there.
        estimate_only: Only estimate the requests and the time, against what is left of the budget.
        max_wait: The longest wait for a rate limit, in seconds.
        json: Print the summary as JSON.
    """
    target = common.targets.repos(*repos)
    plan = filters.plan(target.ref, Logs(logs))
    # Before the folder is created: wrong options leave no trace.
    gh, progress = common.connect(target.root, max_wait=max_wait)
    for name in plan.repos:
        plan.search(gh, name)
    if estimate_only:
        with progress.showing(f"estimate of {', '.join(plan.repos)}"):
            found = run_with(gh, lambda gh: estimate(gh, plan))
        print_estimate(found, common.concurrency, json=json)
        runs = sum(one.runs for one in found.repos)
        return Exit.OK if filters.check_found(runs, plan.repos) else Exit.INCOMPLETE
    with AuditFolder(output, force=force) as folder:
        return run_audit(gh, plan, folder, progress, json=json, filters=filters)


def run_audit(
    gh: GitHubJobs,
    plan: AuditPlan,
    folder: AuditFolder,
    progress: Progress,
    *,
    json: bool,
    filters: Filters = Filters(),  # noqa: B008 -- frozen
) -> int:
    """Run an audit, show its progress, print its summary and return the exit status."""
    audit = Audit(gh, plan, folder)
    tally = audit.tally
    try:
        with progress.showing(", ".join(plan.repos), lambda: tally_bars(tally, tally.total.logs)):
            run_with(gh, lambda _: audit.run())
    except KeyboardInterrupt:
        report(f"interrupted: {plural(tally.total.jobs, 'job')} so far in {folder.path}")
        return Exit.INTERRUPTED
    if json:
        print_json(tally.to_dict())
    else:
        print_summary(console(sys.stdout), tally)
    total = tally.total
    if not progress.quiet:
        note(f"jobs, failures and logs are in {folder.path}")
        if total.without_jobs:
            runs = plural(total.without_jobs, "run")
            note(f"no jobs in {runs}: a run that fails at startup has none")
    if total.failures:
        report(
            f"incomplete: {total.failures:,} of the searches, runs or logs are missing, "
            f"see {folder.path / 'failures.ndjson'}"
        )
    complete = audit.complete and filters.check_found(total.found, plan.repos)
    return Exit.OK if complete else Exit.INCOMPLETE
