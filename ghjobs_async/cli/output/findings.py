"""The findings of an audit: as tables for people, as TSV, CSV or JSON for programs."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

from rich.console import Console
from rich.text import Text

from ghjobs_async.audit import Finding
from ghjobs_async.audit.readable import LOOKS, lines, more
from ghjobs_async.cli.output.console import row
from ghjobs_async.cli.output.table import Table, shorten
from ghjobs_async.cli.output.text import moment

#: The widest that a repository and a workflow become beside a name.
_PLACE_WIDTH: Final = 28
#: A spreadsheet runs a text that begins so.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Columns of text.
_LEFT: Final = ("Where", "What", "Kind", "Hour")


def draw(screen: Console, finding: Finding) -> None:
    """Draw one finding: what to do, and a table."""
    look = LOOKS[finding.name]
    screen.print(Text(look.head, style="bold"))
    if not finding.rows:
        screen.print(Text("nothing found", style="dim"))
        return
    screen.print(Text(look.text, style="dim"))
    rows = list(lines(finding))
    # A place that all rows share says nothing.
    with_place = len({line.place for line in rows}) > 1
    titles = (*(("Where",) if with_place else ()), *look.columns)
    table = Table(look.title, *titles, left=_LEFT)
    for line in rows:
        place = (shorten(Text(line.place, style="dim"), _PLACE_WIDTH),) if with_place else ()
        table.add(line.name, *place, *line.cells)
    screen.print(table)
    if hidden := more(finding):
        screen.print(Text(hidden, style="dim"), soft_wrap=True)


def draw_all(screen: Console, found: Sequence[Finding]) -> None:
    """Draw several findings; those without a row are named at the end."""
    for finding in found:
        if finding.rows:
            draw(screen, finding)
            screen.print()
    if empty := [finding.name for finding in found if not finding.rows]:
        screen.print(Text(f"nothing found: {', '.join(empty)}", style="dim"))


def to_json(finding: Finding) -> list[dict[str, object]]:
    """Return the rows for JSON; times are written as GitHub does."""
    return [{name: _json(value) for name, value in one.items()} for one in finding.to_dicts()]


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return moment(value.replace(tzinfo=UTC))
    return value.isoformat() if isinstance(value, date) else value


def print_tsv(finding: Finding) -> None:
    """Print a header and the rows, with tabs between the cells."""
    row(*finding.columns)
    for one in finding.rows:
        row(*map(_text, one))


def print_csv(finding: Finding) -> None:
    """Print a header and the rows as CSV that no spreadsheet runs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(finding.columns)
    for one in finding.rows:
        writer.writerow([_defused(_text(value)) for value in one])
    sys.stdout.write(text.getvalue())


def _text(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else _json(value)


def _defused(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
