"""The tables of an audit, and their columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import attrs
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from ghjobs_async.audit import Table
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.console import console, is_terminal, row
from ghjobs_async.display import clean

_GAP: Final = 2
#: A comment with less room than this stands below its column.
_MIN_COMMENT: Final = 24


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
        names = [Text(f"  {clean(column.name)}") for column in table.columns]
        types = [Text(clean(column.type.lower()), "dim") for column in table.columns]
        comments = [Text(clean(column.comment)) for column in table.columns]
        beside = max(name.cell_len for name in names) + max(type_.cell_len for type_ in types)
        rows = zip(names, types, comments, strict=True)
        if screen.width - beside - 2 * _GAP < _MIN_COMMENT:
            for name, type_, comment in rows:
                screen.print(Text.assemble(name, " " * _GAP, type_))
                screen.print(Padding(comment, (0, 0, 0, 2 * _GAP), expand=False))
            continue
        grid = Grid.grid(padding=(0, _GAP), pad_edge=False)
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for cells in rows:
            grid.add_row(*cells)
        screen.print(grid)
