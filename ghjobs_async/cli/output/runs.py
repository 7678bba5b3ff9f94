"""Runs: the newest of a repository or of a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
from rich.console import Console
from rich.text import Text

from ghjobs_async.cli.output.as_json import JsonPrinter, show
from ghjobs_async.cli.output.console import in_state, sign
from ghjobs_async.cli.output.table import Table, shorten
from ghjobs_async.cli.output.text import clean, duration, moment
from ghjobs_async.models import Run, to_dict

RUN_FIELDS: Final = tuple(field.name for field in attrs.fields(Run))
#: The columns between title and number, and from which width on there is room for them.
_COLUMNS: Final = {"Workflow": 70, "Branch": 70, "Event": 110, "Elapsed": 110, "Age": 0}
_NAMES: Final = frozenset({"Workflow", "Branch", "Event"})
_NAME_WIDTH: Final = 18
_MIN_TITLE: Final = 8


def show_runs(runs: Sequence[Run], printer: JsonPrinter | None, footer: str) -> None:
    """Show runs, on a terminal with a line below the table."""
    now = datetime.now(UTC)

    def cells(run: Run) -> tuple[object, ...]:
        return (
            *(run.state, _title(run), run.name, run.head_branch, run.event, run.id),
            *(duration(_elapsed(run, now)), moment(run.created_at), run.html_url),
        )

    def draw(screen: Console) -> None:
        if runs:
            screen.print(_table(runs, now, screen.width))
        screen.print(Text(footer, style="dim"), soft_wrap=True)

    show(runs, printer, to_dict=to_dict, cells=cells, draw=draw)


def _table(runs: Sequence[Run], now: datetime, width: int) -> Table:
    """Make the table: without the columns for which there is no room."""
    titles = [title for title, least in _COLUMNS.items() if width >= least]
    table = Table("Title", *titles, id_column="Number", left=_NAMES, min_name=_MIN_TITLE)
    for run in runs:
        cells: dict[str, str | Text] = {
            "Workflow": shorten(clean(run.name or ""), _NAME_WIDTH),
            "Branch": shorten(clean(run.head_branch or ""), _NAME_WIDTH),
            "Event": shorten(clean(run.event or ""), _NAME_WIDTH),
            "Elapsed": duration(_elapsed(run, now)),
            "Age": duration(max(now - run.created_at, timedelta())),
        }
        table.add(
            in_state(_title(run), run.state),
            *(cells[title] for title in titles),
            str(run.id),
            sign=sign(run.state),
        )
    return table


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
