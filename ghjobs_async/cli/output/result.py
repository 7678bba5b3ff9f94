"""The result of a query: a table for people, lines with tabs, CSV or JSON for programs."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from rich.text import Text

from ghjobs_async.audit import is_formula
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.console import console, is_terminal, row
from ghjobs_async.cli.output.table import Table
from ghjobs_async.cli.output.text import plural
from ghjobs_async.display import clean


class Result(Protocol):
    """Rows, and the names of their columns."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names."""

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        """Return the rows."""


def show_result(result: Result) -> None:
    """Show a result: drawn on a terminal, else as lines with tabs below the names."""
    if is_terminal(sys.stdout):
        _draw(result)
    else:
        print_lines(result)


def print_lines(result: Result) -> None:
    """Print a result as lines with tabs, below the names."""
    row(*result.columns)
    for values in result:
        row(*map(_text, values))


def print_csv(result: Result) -> None:
    """Print a result as CSV."""
    shown = clean if is_terminal(sys.stdout) else str
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(shown, map(_defused, result.columns)))
    for values in result:
        writer.writerow([shown(_defused(value)) for value in values])


def print_objects(result: Result) -> None:
    """Print a result as a JSON list of objects; in a pipe row by row, however many there are."""
    if is_terminal(sys.stdout):
        print_json(list(objects(result)))
        return
    sys.stdout.write("[")
    for place, one in enumerate(objects(result)):
        sys.stdout.write("," * bool(place) + json.dumps(one, separators=(",", ":")))
    sys.stdout.write("]\n")


def objects(result: Result) -> Iterator[dict[str, object]]:
    """Return a result as objects for JSON."""
    return (dict(zip(result.columns, map(_plain, values), strict=True)) for values in result)


def _draw(result: Result) -> None:
    rows = [tuple(values) for values in result]
    left = {
        name
        for place, name in enumerate(result.columns)
        if any(isinstance(values[place], str) for values in rows)
    }
    titles = [clean(name) for name in result.columns]
    table = Table(titles[0], *titles[1:], left={clean(name) for name in left})
    for values in rows:
        first, *others = (clean(_text(value)) for value in values)
        table.add(first, *others)
    screen = console(sys.stdout)
    screen.print(table)
    screen.print(Text(plural(len(rows), "row"), style="dim"))


def _plain(value: object) -> object:
    """Return a value as JSON has it: times in GitHub's form, NaN as null."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="auto")
        return text if value.tzinfo else f"{text}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value) if value % 1 else int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(_plain(name)): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _text(value: object) -> str:
    found = _plain(value)
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _defused(value: object) -> str:
    text = _text(value)
    return f"'{text}" if isinstance(value, str) and is_formula(value) else text
