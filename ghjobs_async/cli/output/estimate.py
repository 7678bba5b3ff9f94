"""``ghjobs audit --plan``: what an audit will take, before it starts."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import attrs
from rich.table import Table

from ghjobs_async.audit import AuditPlan, Estimate, estimate
from ghjobs_async.cli.output.console import console, print_json
from ghjobs_async.cli.output.text import clean, duration, plural
from ghjobs_async.client import GitHubJobs

_NUMBERS = ("runs", "jobs", "searches", "listings", "logs", "requests")


def print_estimate(gh: GitHubJobs, plan: AuditPlan, concurrency: int, *, json: bool) -> int:
    """Estimate *plan* and print it; the exit status."""

    async def run() -> Estimate:
        async with gh:
            return await estimate(gh, plan)

    found = asyncio.run(run())
    seconds = found.seconds(concurrency, datetime.now(UTC))
    left = found.limit
    if json:
        print_json(
            {
                "repositories": [
                    {**attrs.asdict(repo), "requests": repo.requests} for repo in found.repos
                ],
                "requests": found.requests,
                "seconds": seconds,
                "requests_left": left and left.remaining,
                "requests_per_hour": left and left.limit,
            }
        )
        return 0
    screen = console(sys.stdout)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Repository", no_wrap=True, overflow="ellipsis")
    for name in _NUMBERS:
        table.add_column(name.capitalize(), justify="right", no_wrap=True)
    for repo in found.repos:
        cells = [f"{getattr(repo, name):,}" for name in _NUMBERS]
        table.add_row(clean(repo.repository), *cells)
    screen.print(table)
    limit = "this server tells no limit"
    if left is not None:
        limit = f"{left.remaining:,} are left until {left.reset_at:%H:%M} UTC"
    screen.print(
        f"\nabout {plural(found.requests, 'request')} in {duration(max(1.0, seconds))}; {limit}\n"
        f"jobs and logs by a sample of the newest runs, which took {plural(found.spent, 'request')}",
        soft_wrap=True,
    )
    return 0
