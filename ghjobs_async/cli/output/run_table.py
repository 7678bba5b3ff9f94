"""Runs, as a table or as lines with tabs: ``ghjobs runs``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghjobs_async.cli.output.console import row as print_row
from ghjobs_async.cli.output.console import sign, style_of
from ghjobs_async.cli.output.table import shorten
from ghjobs_async.cli.output.text import clean, duration
from ghjobs_async.models import Run

#: From this width on there is room for workflow and branch, and for every column.
_MEDIUM: Final = 70
_WIDE: Final = 110
_GAP: Final = 2
#: The widest that a workflow, a branch or an event becomes, and the narrowest title.
_NAME_WIDTH: Final = 18
_MIN_TITLE: Final = 8


def print_runs(screen: Console, runs: Sequence[Run], now: datetime) -> None:
    """
    Print the table. Columns are left out where there is no room, and titles are shortened; numbers never.

    Args:
        screen: What draws.
        runs: The runs.
        now: The time, for how long ago a run was created.
    """
    rows = [_cells(run, now, screen.width) for run in runs]
    used = {
        name: max(cell_len(name), *(row[name].cell_len for row in rows))
        for name in rows[0]
        if name != "Title"
    }
    room = screen.width - sum(used.values()) - _GAP * len(used)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for name in rows[0]:
        right = name in {"Elapsed", "Age"}
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        row["Title"] = shorten(row["Title"], max(room, _MIN_TITLE))
        table.add_row(*row.values())
    screen.print(table)


def _cells(run: Run, now: datetime, width: int) -> dict[str, Text]:
    """The cells of one run by the names of their columns."""
    style = style_of(run.state)
    cells = {
        "": sign(run.state),
        "Title": Text(clean(_title(run)), style=style if style in {"dim", "red"} else ""),
    }
    if width >= _MEDIUM:
        cells |= {"Workflow": _short(run.name), "Branch": _short(run.head_branch)}
    if width >= _WIDE:
        cells |= {"Event": _short(run.event), "Elapsed": Text(duration(_elapsed(run, now)))}
    age = duration(max(now - run.created_at, timedelta()))
    return {**cells, "Age": Text(age), "Number": Text(str(run.id))}


def _short(name: str | None) -> Text:
    return shorten(clean(name or ""), _NAME_WIDTH)


def print_run_line(run: Run, now: datetime) -> None:
    """Print one run for other programs."""
    print_row(
        run.state,
        _title(run),
        run.name,
        run.head_branch,
        run.event,
        run.id,
        duration(_elapsed(run, now)),
        f"{run.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        run.html_url,
    )


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
