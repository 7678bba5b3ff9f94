"""What an audit will take, and what it found."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import attrs
from rich.console import Console
from rich.text import Text

from ghjobs_async.audit import Estimate, RepoTally, Tally
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.console import console
from ghjobs_async.cli.output.table import Table, shorten
from ghjobs_async.cli.output.text import clean, duration, plural

_ESTIMATED = ("runs", "jobs", "searches", "listings", "logs", "requests")
#: A narrower terminal has no room for every column.
_ROOMY = 100
#: The widest that a repository and workflow become beside a job's name.
_WHERE_WIDTH = 28
_SECONDS_PER_MINUTE = 60


def print_estimate(found: Estimate, concurrency: int, *, json: bool) -> None:
    """Print an estimate, for that many requests at once."""
    seconds = found.seconds(concurrency, datetime.now(UTC))
    left = found.limit
    if json:
        repos = [{**attrs.asdict(repo), "requests": repo.requests} for repo in found.repos]
        print_json(
            {
                "repositories": repos,
                "requests": found.requests,
                "seconds": seconds,
                "requests_left": left and left.remaining,
                "requests_per_hour": left and left.limit,
            }
        )
        return
    screen = console(sys.stdout)
    table = Table("Repository", *(name.capitalize() for name in _ESTIMATED))
    for repo in found.repos:
        table.add(clean(repo.repository), *(f"{getattr(repo, name):,}" for name in _ESTIMATED))
    screen.print(table)
    limit = "this server reports no limit"
    if left is not None:
        reset = left.reset_at.astimezone(UTC)
        limit = f"{left.remaining:,} are left until {reset:%H:%M} UTC"
    screen.print(
        f"\nabout {plural(found.requests, 'request')} in {duration(max(1.0, seconds))}; {limit}\n"
        "jobs and logs are estimated from a sample of the newest runs, "
        f"which took {plural(found.spent, 'request')}",
        soft_wrap=True,
    )


def print_summary(screen: Console, tally: Tally) -> None:
    """Print the summary."""
    screen.print(_repositories(tally, roomy=screen.width >= _ROOMY))
    if failing := tally.failing:
        table = Table("Fails most", "Where", "Failed", "Of")
        for repo, workflow, name, failed, ran in failing:
            where = _where(f"{repo} {workflow}")
            table.add(clean(name), where, Text(f"{failed:,}", "red"), f"{ran:,}")
        screen.print("", table)
    if slowest := tally.slowest:
        table = Table("Slowest", "Where", "Elapsed", id_column="Job")
        for slow in slowest:
            where = _where(slow.repository)
            table.add(clean(slow.name), where, duration(slow.seconds), str(slow.job_id))
        screen.print("", table)


def _repositories(tally: Tally, *, roomy: bool) -> Table:
    total = tally.total
    left_out = {
        # The JSON has it.
        "Skipped": not roomy,
        "No jobs": not total.without_jobs,
        "Missing": not total.failures,
    }
    names = [name for name in _cells(total) if not left_out.get(name)]
    table = Table("Repository", *names)
    for repo, one in tally.repos.items():
        cells = _cells(one)
        table.add(clean(repo), *(cells[name] for name in names))
    if len(tally.repos) > 1:
        cells = _cells(total)
        table.add("all", *(cells[name] for name in names), style="bold")
    return table


def _cells(one: RepoTally) -> dict[str, Text]:
    minutes = sum(one.seconds) / _SECONDS_PER_MINUTE
    return {
        "Runs": Text(f"{one.listed:,}"),
        "No jobs": Text(f"{one.without_jobs:,}", style="yellow" if one.without_jobs else ""),
        "Attempts": Text(f"{one.attempts:,}"),
        "Jobs": Text(f"{one.jobs:,}"),
        "Failed": Text(f"{one.failed:,}", style="red" if one.failed else ""),
        "Skipped": Text(f"{one.skipped:,}"),
        "Median": Text(duration(one.quantile(0.5))),
        "95 %": Text(duration(one.quantile(0.95))),
        "Minutes": Text(f"{minutes:,.0f}"),
        "Logs": Text(f"{one.logs:,}"),
        "Missing": Text(f"{one.failures:,}", style="yellow" if one.failures else ""),
    }


def _where(text: str) -> Text:
    return shorten(Text(clean(text).strip(), style="dim"), _WHERE_WIDTH)
