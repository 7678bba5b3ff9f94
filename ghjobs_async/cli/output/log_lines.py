"""Print lines of a log: as GitHub's page shows them, or byte for byte."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final, Self

import attrs

from ghjobs_async.cli.output.console import colours, is_terminal
from ghjobs_async.cli.output.text import clean, clean_line
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
    LineKind.GROUP: "▸ ",
    LineKind.ERROR: "Error: ",
    LineKind.WARNING: "Warning: ",
    LineKind.NOTICE: "Notice: ",
    LineKind.DEBUG: "Debug: ",
}


@attrs.frozen
class LineWriter:
    """
    Write lines to stdout.

    Args:
        terminal: Write for a terminal, which nothing but colours may control.
        raw: Write what GitHub has; on a terminal, the part of it that is safe there.
        timestamps: Write each line's time before it.
        colour: Write colours.
    """

    terminal: bool
    raw: bool
    timestamps: bool
    colour: bool

    @classmethod
    def of_options(cls, *, raw: bool, timestamps: bool, no_color: bool) -> Self:
        """Make the writer that the options and stdout ask for."""
        terminal = is_terminal(sys.stdout)
        raw = raw or not (terminal or timestamps or no_color)
        return cls(terminal, raw, timestamps, colours(sys.stdout) and not no_color)

    @property
    def untouched(self) -> bool:
        """Whether the log goes through byte for byte, so that it need not be split into lines."""
        return self.raw and not self.terminal

    def write(self, line: LogLine, prefix: str = "") -> None:
        """Write one line, after *prefix*."""
        if self.untouched:
            # After a prefix, every line ends: what follows the log's last one has a prefix too.
            end = b"\n" if prefix and not line.raw.endswith(b"\n") else b""
            sys.stdout.buffer.write(prefix.encode() + line.raw + end)
        elif self.raw:
            text = line.raw.decode("utf-8", "replace").rstrip("\r\n")
            sys.stdout.write(f"{prefix}{clean_line(text, colour=self.colour)}\n")
        elif line.kind not in {LineKind.ENDGROUP, LineKind.ACTION}:
            stamp = f"{line.time_text or '':28} " if self.timestamps else ""
            sys.stdout.write(f"{prefix}{stamp}{shown(line, colour=self.colour)}\n")

    def write_excerpt(self, lines: Iterable[LogLine], prefix: str = "") -> None:
        """Write some lines of a log, with a mark where lines between them are left out."""
        last = 0
        for line in lines:
            if last and line.number > last + 1 and not self.untouched:
                sys.stdout.write(f"{prefix}...\n")
            last = line.number
            self.write(line, prefix)


def shown(line: LogLine, *, colour: bool) -> str:
    """Return the line as it is shown: indented in its group, its kind as a word or a colour."""
    indent = "  " * line.depth
    style = _STYLES.get(line.kind)
    if style is None:
        return indent + clean_line(line.text, colour=colour)
    text = _WORDS.get(line.kind, "") + clean(line.text)
    return f"{indent}\x1b[{style}m{text}\x1b[0m" if colour else indent + text
