"""The findings of an audit, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from ghjobs_async.audit import Finding
from ghjobs_async.audit.results.readable import LOOKS, lines, more
from ghjobs_async.cli.output.table import Table, shorten

#: The widest that a repository and a workflow become beside a name.
_PLACE_WIDTH: Final = 28
#: Columns of text.
_LEFT: Final = ("Where", "What", "Kind", "Hour")


def draw(screen: Console, finding: Finding) -> None:
    """Draw one finding: what to do, and a table."""
    look = LOOKS[finding.name]
    screen.print(Text(look.head, style="bold"))
    if not finding.rows:
        screen.print(Text("nothing found", style="dim"))
        return
    rows = list(lines(finding))
    places = {line.place for line in rows}
    with_place = len(places) > 1
    shared = "" if with_place else places.pop()
    screen.print(Text(look.text + (f" These are of {shared}." if shared else ""), style="dim"))
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
