"""Tables that stay readable at any width: long names are shortened, no other cell is ever cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.padding import Padding
from rich.text import Text

from ghjobs_async.cli.output.console import glyph

#: A column of names as narrow as this is still readable; below it each row becomes two.
_MIN_NAME: Final = 20
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
        name: The title of the first column, the names.
        columns: The titles of the other columns.
        id_column: The title of the last column, an id. Below a name it comes first, without a title.
    """

    def __init__(self, name: str, *columns: str, id_column: str | None = None) -> None:
        self._name = name
        self._titles = columns if id_column is None else (*columns, id_column)
        self._has_id = id_column is not None
        self._rows: list[_Row] = []

    def add(
        self,
        name: str | Text,
        *cells: str | Text,
        sign: Text | None = None,
        note: Text | None = None,
        style: str = "",
    ) -> None:
        """
        Add a row.

        Args:
            name: What may be shortened.
            cells: The other cells.
            sign: Stands before the name.
            note: Stands below the row.
            style: The style of the row.
        """
        self._rows.append(_Row(sign or Text(), _text(name), tuple(map(_text, cells)), note, style))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Text | Padding]:
        width = options.max_width
        signs = max((row.sign.cell_len for row in self._rows), default=0)
        lead = signs + 1 if signs else 0
        widths = [
            max(map(cell_len, (title, *(row.cells[i].plain for row in self._rows))))
            for i, title in enumerate(self._titles)
        ]
        longest = max(map(cell_len, (self._name, *(row.name.plain for row in self._rows))))
        rooms = {gap: width - lead - sum(widths) - gap * len(widths) for gap in _GAPS}
        gap = next((gap for gap in _GAPS if rooms[gap] >= min(longest, _MIN_NAME)), None)
        titles = _Row(Text(), Text(self._name), tuple(map(Text, self._titles)), None, "bold")
        if gap is None:
            yield _line(titles, lead, width - lead, [], 0)
        else:
            yield _line(titles, lead, min(longest, rooms[gap]), widths, gap)
        for row in self._rows:
            if gap is not None:
                yield _line(row, lead, min(longest, rooms[gap]), widths, gap)
            else:
                yield from self._stacked(row, lead, width)
            if row.note is not None:
                yield Padding(row.note, (0, 0, 0, lead))

    def _stacked(self, row: _Row, lead: int, width: int) -> Iterator[Text]:
        yield _line(row, lead, max(1, width - lead), [], 0)
        parts = [
            Text(f"{title.lower()} ").append_text(cell)
            for title, cell in zip(self._titles, row.cells, strict=True)
            if cell.plain
        ]
        if self._has_id:
            parts = [row.cells[-1], *parts[:-1]]
        indent = " " * (lead or 2)
        line = Text(indent)
        for part in parts:
            if line.plain.strip() and line.cell_len + part.cell_len > width:
                yield _whole(line)
                line = Text(indent)
            line.append_text(part).append("  ")
        yield _whole(line)


def shorten(text: str | Text, width: int) -> Text:
    """Shorten *text* to *width* columns, in the middle: names mostly differ at their ends."""
    text = _text(text)
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


def _text(value: str | Text) -> Text:
    return Text(value) if isinstance(value, str) else value


def _whole(line: Text) -> Text:
    """Let nothing wrap or cut *line*."""
    line.rstrip()
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _line(row: _Row, lead: int, room: int, widths: list[int], gap: int) -> Text:
    name = shorten(row.name, room)
    line = Text(style=row.style).append_text(row.sign)
    line.append(" " * (lead - row.sign.cell_len)).append_text(name)
    at = name.cell_len
    for width, cell in zip(widths, row.cells, strict=False):
        line.append(" " * (room - at + gap + width - cell.cell_len)).append_text(cell)
        at, room = 0, 0
    return _whole(line)


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
    """Return how many of *parts* fit into *width* columns."""
    return sum(end <= width for end in accumulate(map(cell_len, parts)))
