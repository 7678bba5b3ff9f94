"""The findings of an audit, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from ghjobs_async.audit import Finding
from ghjobs_async.audit.results.readable import LOOKS, lines, more
from ghjobs_async.cli.output.table import Table

#: Columns of text, besides the place.
_LEFT: Final = ("What", "Kind", "Hour")


def draw(screen: Console, finding: Finding, options: Sequence[str] = ()) -> None:
    """Draw one finding: what to do, a table, and the command with these options for more."""
    look = LOOKS[finding.name]
    screen.print(Text(look.head, style="bold"))
    if not finding.rows:
        screen.print(Text("nothing found", style="dim"))
        return
    rows = list(lines(finding))
    shared, places = "", [line.place for line in rows]
    if len(set(places)) == 1:
        shared, places = places[0], []
    elif len({line.repository for line in rows}) == 1:
        shared, places = rows[0].repository, [line.within for line in rows]
    screen.print(Text(look.text + (f" These are of {shared}." if shared else ""), style="dim"))
    where = ("Where",) if places else ()
    table = Table(
        look.title,
        *(*where, *look.columns),
        left=_LEFT,
        places=where,
        sentences=look.name == "reason",
    )
    for line, place in zip(rows, places or [""] * len(rows), strict=True):
        table.add(line.name, *((Text(place, style="dim"),) if places else ()), *line.cells)
    screen.print(table)
    if hidden := more(finding, options):
        screen.print(Text(hidden, style="dim"), soft_wrap=True)


def draw_all(screen: Console, found: Sequence[Finding], options: Sequence[str] = ()) -> None:
    """Draw several findings; those without a row are named at the end."""
    for finding in found:
        if finding.rows:
            draw(screen, finding, options)
            screen.print()
    if empty := [finding.name for finding in found if not finding.rows]:
        screen.print(Text(f"nothing found: {', '.join(empty)}", style="dim"))
