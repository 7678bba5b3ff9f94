"""What an audit will take, and what it found."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from rich.console import Console
from rich.text import Text

from ghjobs_async.audit import Audit, Estimate, Summary
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.console import console
from ghjobs_async.cli.output.progress import Bar, count_bars
from ghjobs_async.cli.output.table import Table
from ghjobs_async.cli.output.text import plural
from ghjobs_async.display import clean, duration

if TYPE_CHECKING:
    from ghjobs_async.client import GitHubJobs

_ESTIMATED = ("runs", "known", "jobs", "searches", "listings", "logs", "requests")
#: A narrower terminal has no room for every column.
_ROOMY = 100
_SECONDS_PER_MINUTE = 60
_PLACES = ("Where",)


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
    # One search for each repository; a sample is taken where runs are new.
    sampled = found.spent > len(found.repos)
    from_what = "jobs and logs are estimated from a sample of runs" if sampled else "no run is new"
    screen.print(
        f"\nabout {plural(found.requests, 'request')} in {duration(max(1.0, seconds))}; {limit}\n"
        f"{from_what}; to find that out took {plural(found.spent, 'request')}",
        soft_wrap=True,
    )


def audit_bars(audit: Audit, gh: GitHubJobs) -> list[Bar]:
    """Return the view of an audit: its runs, jobs and logs, its requests, and what is left of them."""
    bars = count_bars(audit.counts, audit.counts.logs)
    more = Text(f"{audit.not_modified:,} cost nothing" if audit.not_modified else "")
    if (left := gh.rate_limit) is not None:
        more.append(f"  {left.remaining:,} left until {left.reset_at.astimezone(UTC):%H:%M} UTC")
    return [*bars, Bar("requests", audit.requests, None, drawn=False, more=more)]


def print_summary(screen: Console, found: Summary) -> None:
    """Print the summary."""
    screen.print(_repositories(found, roomy=screen.width >= _ROOMY))
    # The first table names the only repository.
    several = len(found.repositories) > 1
    if found.failing:
        table = Table("Fails most", "Where", "Failed", "Of", places=_PLACES)
        for row in found.failing:
            place = _where(f"{row['repository'] if several else ''} {row['workflow']}")
            failed = Text(f"{row['failed']:,}", "red")
            table.add(clean(row["name"]), place, failed, f"{row['ran']:,}")
        screen.print("", table)
    if found.slowest:
        where = _PLACES if several else ()
        table = Table("Slowest", *where, "Elapsed", id_column="Job", places=_PLACES)
        for row in found.slowest:
            places = [_where(row["repository"])] if several else []
            table.add(clean(row["name"]), *places, duration(row["seconds"]), str(row["job_id"]))
        screen.print("", table)


def _repositories(found: Summary, *, roomy: bool) -> Table:
    total = found.total
    left_out = {
        # The JSON has it.
        "Skipped": not roomy,
        "No jobs": not total["runs_without_jobs"],
        "Missing": not total["failures"],
    }
    names = [name for name in _cells(total) if not left_out.get(name)]
    table = Table("Repository", *names)
    for row in found.repositories:
        cells = _cells(row)
        table.add(clean(row["repository"]), *(cells[name] for name in names))
    if len(found.repositories) > 1:
        cells = _cells(total)
        table.add("all", *(cells[name] for name in names), style="bold")
    return table


def _cells(row: Mapping[str, Any]) -> dict[str, Text]:
    minutes = row["total_seconds"] / _SECONDS_PER_MINUTE
    return {
        "Runs": Text(f"{row['runs']:,}"),
        "No jobs": _count(row["runs_without_jobs"], "yellow"),
        "Attempts": Text(f"{row['attempts']:,}"),
        "Jobs": Text(f"{row['jobs']:,}"),
        "Failed": _count(row["failed"], "red"),
        "Skipped": Text(f"{row['skipped']:,}"),
        "Median": Text(duration(row["median_seconds"])),
        "95 %": Text(duration(row["p95_seconds"])),
        "Minutes": Text(f"{minutes:,.0f}"),
        "Logs": Text(f"{row['logs']:,}"),
        "Missing": _count(row["failures"], "yellow"),
    }


def _count(number: int, style: str) -> Text:
    return Text(f"{number:,}", style=style if number else "")


def _where(text: str) -> Text:
    return Text(clean(text).strip(), style="dim")
