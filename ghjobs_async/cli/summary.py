"""What an audit found, as tables; or as lines for other programs."""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ghjobs_async.audit import RepoTally, Tally
from ghjobs_async.cli.text import clean, duration, size

_COLUMNS = (
    "Repository",
    "Runs",
    "Attempts",
    "Jobs",
    "Failed",
    "Skipped",
    "Median",
    "95 %",
    "Total",
    "Logs",
    "Not had",
)


def print_summary(screen: Console, tally: Tally, *, wide: bool) -> None:
    """Print the summary."""
    screen.print(_repositories(tally))
