"""Tables that stay readable at any width: long names are shortened, no other cell is ever cut."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Final

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.padding import Padding
from rich.text import Text

from ghjobs_async.cli.output.console import glyph

_GAPS: Final = (2, 1)
_JOINER: Final = "\u200d"


@attrs.frozen
class _Row:
    sign: Text
    name: Text
    cells: tuple[Text, ...]
    note: Text | None
    style: str


class Table:
    """
    A table to print on a console. Where a row does not fit, its cells go below its name.

    Args:
        name, columns, id_column: The titles. Below a name the id comes first, without a title.
        left: The columns that are aligned to the left.
        min_name: How narrow the names may become before each row is split.
    """

    def __init__(
        self,
        name: str,
        *columns: str,
        id_column: str | None = None,
        left: Collection[str] = (),
        min_name: int = 20,
    ) -> None:
        self._name = name
        self._titles = columns if id_column is None else (*columns, id_column)
        self._has_id = id_column is not None
        self._left = left
        self._min_name = min_name
        self._rows: list[_Row] = []

    def add(
        self,
        name: str | Text,
        *cells: str | Text,
        sign: Text | None = None,
        note: Text | None = None,
        style: str = "",
    ) -> None:
        """Add a row: a *name*, which may be shortened, after a *sign*; and a *note* below it."""
        self._rows.append(
            _Row(sign or Text(), Text.assemble(name), tuple(map(Text.assemble, cells)), note, style)
        )

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Text | Padding]:
        titles = _Row(Text(), Text(self._name), tuple(map(Text, self._titles)), None, "bold")
        rows = [titles, *self._rows]
        signs = max(row.sign.cell_len for row in rows)
        lead = signs + 1 if signs else 0
        width = options.max_width - lead
        widths = [max(row.cells[i].cell_len for row in rows) for i in range(len(self._titles))]
        longest = max(row.name.cell_len for row in rows)
        rooms = {gap: width - sum(widths) - gap * len(widths) for gap in _GAPS}
        gap = next((g for g, room in rooms.items() if room >= min(longest, self._min_name)), None)
        for row in rows:
            if gap is not None:
                yield self._line(row, lead, min(longest, rooms[gap]), widths, gap)
            else:
                yield self._line(row, lead, max(1, width), (), 0)
                if row is not titles:
                    yield from self._below(row, lead or 2, options.max_width)
            if row.note is not None:
                yield Padding(row.note, (0, 0, 0, lead))

    def _line(self, row: _Row, lead: int, room: int, widths: Sequence[int], gap: int) -> Text:
        name = shorten(row.name, room)
        line = Text(style=row.style).append_text(row.sign)
        line.append(" " * (lead - row.sign.cell_len)).append_text(name)
        blanks = room - name.cell_len
        for title, width, cell in zip(self._titles, widths, row.cells, strict=False):
            fill = width - cell.cell_len
            before, blanks = (blanks, fill) if title in self._left else (blanks + fill, 0)
            line.append(" " * (gap + before)).append_text(cell)
        return _whole(line)

    def _below(self, row: _Row, indent: int, width: int) -> Iterator[Text]:
        """Return the lines that hold a row's cells, each with its title."""
        parts = [
            Text(f"{title.lower()} ").append_text(cell)
            for title, cell in zip(self._titles, row.cells, strict=True)
            if cell.plain
        ]
        if self._has_id:
            parts = [row.cells[-1], *parts[:-1]]
        line = Text(" " * indent)
        for part in parts:
            if line.plain.strip() and line.cell_len + part.cell_len > width:
                yield _folded(line, width)
                line = Text(" " * indent)
            line.append_text(part).append("  ")
        yield _folded(line, width)


def shorten(text: str | Text, width: int) -> Text:
    """Shorten *text* to *width* columns, in the middle: names mostly differ at their ends."""
    text = Text.assemble(text)
    if text.cell_len <= width:
        return text
    mark = glyph("…", "...")
    room = width - len(mark)
    if room < 1:
        return Text(mark[: max(0, width)])
    parts = _characters(text.plain)
    head = _that_fit(parts, (room + 1) // 2)
    tail = _that_fit(parts[::-1], room - cell_len("".join(parts[:head])))
    start = len("".join(parts[:head]))
    end = len("".join(parts[len(parts) - tail :]))
    return text[:start] + Text(mark) + text[len(text) - end :]


def _folded(line: Text, width: int) -> Text:
    """Let nothing wrap *line* but one value that is wider than the screen."""
    line.rstrip()
    if line.cell_len <= width:
        return _whole(line)
    line.overflow = "fold"
    return line


def _whole(line: Text) -> Text:
    """Let nothing wrap or cut *line*."""
    line.rstrip()
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _characters(text: str) -> list[str]:
    """Split *text* into what people see as one character, so that none is cut in half."""
    parts: list[str] = []
    for char in text:
        if parts and (cell_len(char) == 0 or parts[-1].endswith(_JOINER)):
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _that_fit(parts: list[str], width: int) -> int:
    return sum(end <= width for end in accumulate(map(cell_len, parts)))
