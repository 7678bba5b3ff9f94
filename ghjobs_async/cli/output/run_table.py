"""Runs, as a table or as lines with tabs: ``ghjobs runs``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghjobs_async.cli.outcome import state_of
from ghjobs_async.cli.output.console import row, sign, style_of
from ghjobs_async.cli.output.text import clean, duration
from ghjobs_async.models import Run

#: From this width on there is room for every column, and for most of them.
_WIDE = 110
_MEDIUM = 70
#: The most that a workflow or a branch takes of a line.
_NAME_WIDTH = 20


def print_runs(screen: Console, runs: Sequence[Run], now: datetime) -> None:
    """
    Print the table: what there is no room for is left out, but never the number or the title.

    Args:
        screen: What draws.

        runs: The runs.

        now: The time, for how long ago a run was created.
    """
    width = screen.width
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("Title", no_wrap=True, overflow="ellipsis", ratio=1)
    if width >= _MEDIUM:
        for name in ("Workflow", "Branch"):
            table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    if width >= _WIDE:
        table.add_column("Event", no_wrap=True, overflow="ellipsis")
        table.add_column("Elapsed", justify="right", no_wrap=True)
    table.add_column("Age", justify="right", no_wrap=True)
    table.add_column("Number", no_wrap=True)
    for run in runs:
        status, conclusion = run.status, _conclusion(run)
        style = style_of(status, conclusion)
        cells = [
            sign(status, conclusion),
            Text(clean(_title(run)), style=style if style in {"dim", "red"} else ""),
        ]
        if width >= _MEDIUM:
            cells += [Text(clean(run.name or "")), Text(clean(run.head_branch or ""))]
        if width >= _WIDE:
            cells += [Text(clean(run.event)), Text(duration(_elapsed(run, now)))]
        cells += [Text(duration(max(now - run.created_at, timedelta()))), Text(str(run.id))]
        table.add_row(*cells)
    screen.print(table)


def print_run_line(run: Run, now: datetime) -> None:
    """Print one run for other programs."""
    row(
        state_of(run.status, run.conclusion),
        _title(run),
        run.name,
        run.head_branch,
        run.event,
        run.id,
        duration(_elapsed(run, now)),
        f"{run.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        run.html_url,
    )


def _conclusion(run: Run) -> str | None:
    return run.conclusion if run.status in {None, "completed"} else None


def _title(run: Run) -> str:
    return run.display_title or run.name or ""


def _elapsed(run: Run, now: datetime) -> timedelta | None:
    """How long a run took, or has taken so far; None where it has not started."""
    started = run.run_started_at or run.created_at
    if run.status == "completed":
        elapsed = None if run.updated_at is None else run.updated_at - started
    else:
        elapsed = now - started if run.status == "in_progress" else None
    return None if elapsed is None or elapsed < timedelta() else elapsed
