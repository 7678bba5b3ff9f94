"""``ghjobs audit``: fetch many runs into a local database, and sum them up."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Parameter

from ghjobs_async.audit import Audit, AuditPlan, AuditStore, Logs, Shard, estimate, summarize
from ghjobs_async.cli.options import BUDGET_WAIT, Common, Filters, command, run_with
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.audit import audit_bars, print_estimate, print_summary
from ghjobs_async.cli.output.console import Exit, console, note, report
from ghjobs_async.cli.output.problems import explain
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.text import plural
from ghjobs_async.cli.owners import Owners
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError

app = command(
    "audit",
    "ghjobs audit OWNER/REPO... [OPTIONS]",
    """\
The folder has audit.duckdb, for ghjobs query, ghjobs export and any other SQL
tool, and logs/. The same command again continues it: it asks for new runs, for
what has changed and for what could not be fetched before; pages that have not
changed cost no quota. It may be interrupted at any moment.

Runs are searched by whole days (UTC): --since begins with its day, and --until
ends with its day. Without --since, all runs are searched.

Exit status: 0 the folder has all that there is, 1 failed, 2 wrong usage,
3 something is missing that the next audit may get, or no run was found. A log
that has expired or was deleted will never come, and does not count; runs that
are still under way are asked for again.

Examples:

    ghjobs audit octo-org/octo-repo --since 7d
    ghjobs audit octo-org/octo-repo octo-org/hello-world --since 2026-10-01
    ghjobs audit octo-org/octo-repo --workflow ci.yml --status failure
    ghjobs audit --org octo-org --since 30d --logs all --output october
    ghjobs audit octo-org/octo-repo --since 30d --plan
    ghjobs audit octo-org/octo-repo --shard 1/4 --output part1
    ghjobs query "SELECT name, count(*) FROM jobs GROUP BY ALL"
""",
)


@app.default
def audit_command(  # noqa: D417 -- what commands share describes itself
    *repos: str,
    logs: Literal["none", "failed", "all"] = "failed",
    latest: bool = False,
    shard: str | None = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("ghjobs-audit"),
    estimate_only: Annotated[bool, Parameter(name="--plan")] = False,
    max_wait: float = BUDGET_WAIT,
    json: bool = False,
    owners: Owners = Owners(),  # noqa: B008 -- frozen
    filters: Filters = Filters(),  # noqa: B008 -- frozen
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Fetch the jobs and logs of many runs into a local database, and sum them up.

    Args:
        repos: Repositories, OWNER/REPO, one or more; else GH_REPO.
        logs: The logs of which jobs to fetch.
        latest: Only the latest attempt of each run.
        shard: Only a part of the runs, such as 1/4; see ghjobs merge.
        output: The folder to write to, or to continue.
        estimate_only: Only estimate the requests and the time, against what is left of the budget.
        max_wait: The longest wait for a rate limit, in seconds.
        json: Print the summary as JSON.
    """
    target = owners.named(common.targets, repos)
    part = None if shard is None else Shard.parse(shard)
    plan = filters.plan(target.ref, Logs(logs), latest=latest, shard=part)
    processes = 1 if part is None else part.of
    # Before anything is written: wrong options leave no trace.
    gh, progress = common.connect(target.root, max_wait=max_wait, processes=processes)
    plan.search(gh, "owner/name")
    if owners.given:
        with progress.showing("repositories"):
            found = run_with(gh, lambda gh: owners.find(gh, target.ref))
        plan = attrs.evolve(plan, repos=found)
        gh, progress = common.connect(target.root, max_wait=max_wait, processes=processes)
    if estimate_only:
        return _estimate(gh, plan, progress, common.concurrency, output, json=json, filters=filters)
    return run_audit(gh, plan, output, progress, json=json, filters=filters)


def run_audit(
    gh: GitHubJobs,
    plan: AuditPlan,
    folder: Path,
    progress: Progress,
    *,
    json: bool,
    filters: Filters = Filters(),  # noqa: B008 -- frozen
    again: str = "the same command continues it",
) -> int:
    """
    Run an audit, show its progress, print its summary and return the exit status.

    *again* says, after Ctrl-C, what continues it.
    """
    audit = Audit(gh, plan, folder)
    counts = audit.counts
    try:
        with progress.showing(", ".join(plan.repos), lambda: audit_bars(audit, gh)):
            run_with(gh, lambda _: audit.run())
    except KeyboardInterrupt:
        jobs = plural(_count(audit.store), "job")
        report(f"interrupted: {jobs} so far are in {folder}; {again}")
        return Exit.INTERRUPTED
    with audit.store.read() as connection:
        found = summarize(connection)
    asked = {"requests": audit.requests, "not_modified": audit.not_modified}
    if json:
        mine = {**asked, "runs": counts.asked, "jobs": counts.jobs, "may_come": audit.may_come}
        print_json({**attrs.asdict(found), "audit": mine})
    else:
        print_summary(console(sys.stdout), found)
    if not progress.quiet:
        _tell(audit, folder, plan, summed_up=found.total["jobs"])
    for error in audit.unsearched.values():
        report(explain(error))
    if audit.may_come:
        command = shlex.join(("ghjobs", "findings", "incomplete", "--audit", str(folder)))
        report(
            f"incomplete, {plural(audit.may_come, 'thing')} missing: the next audit tries again, and "
            f"{command} says what and why"
        )
    complete = audit.complete and filters.check_found(counts.found + counts.elsewhere, plan.repos)
    return Exit.OK if complete else Exit.INCOMPLETE


def _count(store: AuditStore) -> int:
    """Return how many jobs the folder has, those of earlier audits too."""
    try:
        with store.read() as connection:
            [(jobs,)] = connection.execute("SELECT count(*) FROM jobs").fetchall()
    except ConfigurationError:
        # It was interrupted before it had a database.
        return 0
    return int(jobs)


def _tell(audit: Audit, folder: Path, plan: AuditPlan, *, summed_up: int) -> None:
    counts = audit.counts
    saved = ""
    if audit.not_modified:
        pages = "its page has" if audit.not_modified == 1 else "their pages have"
        saved = f", of which {audit.not_modified:,} cost nothing: {pages} not changed"
    note(f"{plural(audit.requests, 'request')}{saved}")
    kept = counts.found - counts.asked
    known = f"; {plural(kept, 'run')} were known" if kept > 0 else ""
    jobs = plural(counts.jobs, "job") + ("" if plan.latest else " of all attempts")
    # Those of the attempts are more than the summary has.
    once = "; a job that a re-run took over is summed up once" if counts.jobs > summed_up else ""
    note(f"{plural(counts.asked, 'run')}, {jobs} came to {folder}{known}{once}")
    if counts.without_jobs:
        runs = plural(counts.without_jobs, "run")
        note(f"no jobs in {runs}: a run that fails at startup has none")


def _estimate(
    gh: GitHubJobs,
    plan: AuditPlan,
    progress: Progress,
    concurrency: int,
    folder: Path,
    *,
    json: bool,
    filters: Filters,
) -> int:
    store = AuditStore(folder)
    with progress.showing(f"estimate of {', '.join(plan.repos)}"):
        found = run_with(gh, lambda gh: estimate(gh, plan, store if store.path.exists() else None))
    print_estimate(found, concurrency, json=json)
    runs = sum(one.runs for one in found.repos)
    return Exit.OK if filters.check_found(runs, plan.repos) else Exit.INCOMPLETE
