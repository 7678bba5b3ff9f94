"""What an audit will take: ``ghjobs audit --plan``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import attrs

from ghjobs_async.audit import Estimate
from ghjobs_async.cli.output.console import console, print_json
from ghjobs_async.cli.output.table import Table
from ghjobs_async.cli.output.text import clean, duration, plural

_NUMBERS = ("runs", "jobs", "searches", "listings", "logs", "requests")


def print_estimate(found: Estimate, concurrency: int, *, json: bool) -> None:
    """Print an estimate, for that many requests at once."""
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
        return
    screen = console(sys.stdout)
    table = Table("Repository", *(name.capitalize() for name in _NUMBERS))
    for repo in found.repos:
        table.add(clean(repo.repository), *(f"{getattr(repo, name):,}" for name in _NUMBERS))
    screen.print(table)
    limit = "this server reports no limit"
    if left is not None:
        limit = f"{left.remaining:,} are left until {left.reset_at:%H:%M} UTC"
    screen.print(
        f"\nabout {plural(found.requests, 'request')} in {duration(max(1.0, seconds))}; {limit}\n"
        "jobs and logs are estimated from a sample of the newest runs, "
        f"which took {plural(found.spent, 'request')}",
        soft_wrap=True,
    )
