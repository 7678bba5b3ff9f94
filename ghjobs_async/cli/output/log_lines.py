"""Lines of a log, as GitHub's own page shows them or as they came."""

from __future__ import annotations

import sys
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


@attrs.define
class LineWriter:
    """
    Write lines to stdout.

    Args:
        as_came: The bytes as they came; on a terminal, what of them is safe there.

        timestamps: Each line's time before it.

        colour: Whether in colours.
    """

    as_came: bool
    timestamps: bool
    colour: bool
    _last: int = 0

    @classmethod
    def of_options(cls, *, raw: bool, timestamps: bool, no_color: bool) -> Self:
        """Make the one that the options and the place of stdout ask for."""
        as_came = raw or not (is_terminal(sys.stdout) or timestamps or no_color)
        return cls(as_came, timestamps, colours(sys.stdout) and not no_color)

    @property
    def untouched(self) -> bool:
        """Whether the log may go through byte for byte, without being made lines at all."""
        return self.as_came and not is_terminal(sys.stdout)

    def write(self, line: LogLine) -> None:
        """Write one line."""
        if self.untouched:
            sys.stdout.buffer.write(line.raw)
        elif self.as_came:
            text = line.raw.decode("utf-8", "replace").rstrip("\r\n")
            sys.stdout.write(clean_line(text, colour=self.colour) + "\n")
        elif line.kind is not LineKind.ENDGROUP:
            self._write_shown(line)

    def write_excerpt(self, line: LogLine) -> None:
        """Write one line of a few, with a mark where there are others between."""
        if self._last and line.number > self._last + 1 and not self.untouched:
            sys.stdout.write("...\n")
        self._last = line.number
        self.write(line)

    def _write_shown(self, line: LogLine) -> None:
        stamp = f"{line.time_text or '':28} " if self.timestamps else ""
        sys.stdout.write(stamp + shown(line, colour=self.colour) + "\n")


def shown(line: LogLine, *, colour: bool) -> str:
    """Give one line as it is shown: indented in its group, its kind as a word or a colour."""
    indent = "  " * line.depth
    style = _STYLES.get(line.kind)
    if style is None:
        return indent + clean_line(line.text, colour=colour)
    text = _WORDS.get(line.kind, "") + clean(line.text)
    return f"{indent}\x1b[{style}m{text}\x1b[0m" if colour else indent + text
