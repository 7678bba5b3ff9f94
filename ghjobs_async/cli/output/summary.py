"""What an audit found, as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghjobs_async.audit import RepoTally, Tally
from ghjobs_async.cli.output.text import clean, duration

#: A terminal this wide has room between the columns.
_ROOMY = 100
_SECONDS_PER_MINUTE = 60


def print_summary(screen: Console, tally: Tally) -> None:
    """Print the summary."""
    screen.print(_repositories(tally, roomy=screen.width >= _ROOMY))
    if failing := tally.failing:
        table = _table("Fails most", "Failed", "Of", gap=2)
        for repo, workflow, name, failed, ran in failing:
            table.add_row(_name(repo, workflow, name), Text(f"{failed:,}", "red"), f"{ran:,}")
        screen.print("", table)
    if slowest := tally.slowest:
        table = _table("Slowest", "Elapsed", "Job", gap=2)
        for slow in slowest:
            job = _name(slow.repository, "", slow.name)
            table.add_row(job, duration(slow.seconds), str(slow.job_id))
        screen.print("", table)


def _table(first: str, *numbers: str, gap: int) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(first, overflow="ellipsis", no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _repositories(tally: Tally, *, roomy: bool) -> Table:
    total = tally.total
    # What there is least room for is what the JSON has as well.
    left_out = {"Skipped"} if not roomy else set[str]()
    if not total.failures:
        left_out.add("Not had")
    names = [name for name in _cells(total) if name not in left_out]
    table = _table("Repository", *names, gap=2 if roomy else 1)
    for repo, one in tally.repos.items():
        cells = _cells(one)
        table.add_row(clean(repo), *(cells[name] for name in names))
    if len(tally.repos) > 1:
        cells = _cells(total)
        table.add_row("all", *(cells[name] for name in names), style="bold")
    return table


def _cells(one: RepoTally) -> dict[str, Text]:
    minutes = sum(one.seconds) / _SECONDS_PER_MINUTE
    return {
        "Runs": Text(f"{one.listed:,}"),
        "Attempts": Text(f"{one.attempts:,}"),
        "Jobs": Text(f"{one.jobs:,}"),
        "Failed": Text(f"{one.failed:,}", style="red" if one.failed else ""),
        "Skipped": Text(f"{one.skipped:,}"),
        "Median": Text(duration(one.quantile(0.5))),
        "95 %": Text(duration(one.quantile(0.95))),
        "Minutes": Text(f"{minutes:,.0f}"),
        "Logs": Text(f"{one.logs:,}"),
        "Not had": Text(f"{one.failures:,}", style="yellow" if one.failures else ""),
    }


def _name(repo: str, workflow: str, name: str) -> Text:
    text = Text(clean(name))
    text.append(f"  {clean(f'{repo} {workflow}'.strip())}", style="dim")
    return text
