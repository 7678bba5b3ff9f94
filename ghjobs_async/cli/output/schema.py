"""The tables of an audit, and their columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import attrs
from rich.table import Table as Grid
from rich.text import Text

from ghjobs_async.audit import Table
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.console import console, is_terminal, row
from ghjobs_async.display import clean


def print_schema(tables: Sequence[Table], *, json: bool) -> None:
    """Print tables: as JSON, drawn on a terminal, else as lines with tabs."""
    if json:
        print_json([attrs.asdict(table) for table in tables])
    elif is_terminal(sys.stdout):
        _draw(tables)
    else:
        for table in tables:
            row(table.name, "", "", table.comment)
            for column in table.columns:
                row(table.name, column.name, column.type, column.comment)


def _draw(tables: Sequence[Table]) -> None:
    screen = console(sys.stdout)
    for place, table in enumerate(tables):
        title = Text.assemble((clean(table.name), "bold"), "  ", clean(table.comment))
        screen.print(*([""] if place else []), title, sep="\n")
        grid = Grid.grid(padding=(0, 2), pad_edge=False)
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for column in table.columns:
            cells = (column.name, column.type.lower(), column.comment)
            grid.add_row(
                *(
                    Text(f"  {clean(cell)}" if n == 0 else clean(cell))
                    for n, cell in enumerate(cells)
                )
            )
        screen.print(grid)
