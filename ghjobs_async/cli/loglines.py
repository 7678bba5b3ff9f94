"""A log on a terminal: its lines as GitHub's own page shows them."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import Final

from ghjobs_async.cli.console import colours
from ghjobs_async.cli.text import clean, clean_line
from ghjobs_async.logs import JobLog
from ghjobs_async.logtext import LineKind, LogLine

_BOLD: Final = "1"
_STYLES: Final = {
    LineKind.GROUP: _BOLD,
    LineKind.ERROR: "31",
    LineKind.WARNING: "33",
    LineKind.NOTICE: "36",
    LineKind.COMMAND: "34",
    LineKind.DEBUG: "2",
}
_WORDS: Final = {
    LineKind.ERROR: "Error: ",
    LineKind.WARNING: "Warning: ",
    LineKind.NOTICE: "Notice: ",
    LineKind.DEBUG: "Debug: ",
}


async def write_lines(log: JobLog) -> None:
    """Write all lines of *log* to stdout."""
    colour = colours(sys.stdout)
    async with aclosing(log.lines()) as lines:
        async for line in lines:
            if line.kind is not LineKind.ENDGROUP:
                sys.stdout.write(shown(line, colour=colour) + "\n")


def shown(line: LogLine, *, colour: bool) -> str:
    """Give one line as it is shown: indented in its group, its kind as a word or a colour."""
    inside = line.depth - (line.kind is LineKind.GROUP)
    indent = "  " * max(0, inside)
    style = _STYLES.get(line.kind)
    if style is None:
        return indent + clean_line(line.text, colour=colour)
    text = ("▸ " if line.kind is LineKind.GROUP else "") + _WORDS.get(line.kind, "")
    text += clean(line.text)
    return f"{indent}\x1b[{style}m{text}\x1b[0m" if colour else indent + text
