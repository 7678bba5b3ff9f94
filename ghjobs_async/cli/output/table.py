"""Tables that stay readable at any width: long names are shortened, no other cell is ever cut."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Final

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from ghjobs_async.cli.output.console import glyph

_GAPS: Final = (2, 1)
#: The widest that a place becomes beside a name.
_PLACE_WIDTH: Final = 28
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
        places: The columns that say where: on the left, and shortened unless the row is split.
        min_name: How narrow the names may become before each row is split.
        sentences: Whether the names are sentences: these are never shortened.
    """

    def __init__(
        self,
        name: str,
        *columns: str,
        id_column: str | None = None,
        left: Collection[str] = (),
        places: Collection[str] = (),
        min_name: int = 20,
        sentences: bool = False,
    ) -> None:
        self._name = name
        self._titles = columns if id_column is None else (*columns, id_column)
        self._has_id = id_column is not None
        self._left = {*left, *places}
        self._places = places
        self._min_name = min_name
        self._sentences = sentences
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

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        titles = _Row(Text(), Text(self._name), tuple(map(Text, self._titles)), None, "bold")
        rows = [titles, *self._rows]
        signs = max(row.sign.cell_len for row in rows)
        lead = signs + 1 if signs else 0
        width = options.max_width - lead
        widths = [max(row.cells[i].cell_len for row in rows) for i in range(len(self._titles))]
        for i, title in enumerate(self._titles):
            if title in self._places:
                widths[i] = min(widths[i], _PLACE_WIDTH)
        longest = max(row.name.cell_len for row in rows)
        rooms = {gap: width - sum(widths) - gap * len(widths) for gap in _GAPS}
        least = longest if self._sentences else min(longest, self._min_name)
        gap = next((g for g, room in rooms.items() if room >= least), None)
        for row in rows:
            if gap is not None:
                lines = [self._line(row, lead, min(longest, rooms[gap]), widths, gap)]
            else:
                room = longest if self._sentences else max(1, width)
                lines = _wrapped(console, self._line(row, lead, room), 0, options.max_width)
                if row is not titles:
                    for line in self._below(row, options.max_width - (lead or 2)):
                        lines += _wrapped(console, line, lead or 2, options.max_width)
            for line in lines:
                # Without Rich's own wrapping, which takes most of the time of a long table.
                yield from line.render(console, "\n")
            if row.note is not None:
                yield Padding(row.note, (0, 0, 0, lead))

    def _line(
        self, row: _Row, lead: int, room: int, widths: Sequence[int] = (), gap: int = 0
    ) -> Text:
        name = shorten(row.name, room)
        line = Text().append_text(row.sign)
        line.append(" " * (lead - row.sign.cell_len)).append_text(name)
        blanks = room - name.cell_len
        for title, width, whole in zip(self._titles, widths, row.cells, strict=False):
            cell = shorten(whole, width) if title in self._places else whole
            fill = width - cell.cell_len
            before, blanks = (blanks, fill) if title in self._left else (blanks + fill, 0)
            line.append(" " * (gap + before)).append_text(cell)
        line.rstrip()
        line.stylize_before(row.style)
        return line

    def _below(self, row: _Row, width: int) -> Iterator[Text]:
        """Return the lines that hold a row's cells, each with its title."""
        parts = [
            Text(f"{title.lower()} ").append_text(cell)
            for title, cell in zip(self._titles, row.cells, strict=True)
            if cell.plain
        ]
        if self._has_id:
            parts = [row.cells[-1], *parts[:-1]]
        line = Text()
        for part in parts:
            if line and line.cell_len + part.cell_len > width:
                yield line
                line = Text()
            line.append_text(part).append("  ")
        yield line


def _wrapped(console: Console, line: Text, indent: int, width: int) -> list[Text]:
    """Return an indented line as lines that are not wider than the screen."""
    line.rstrip()
    fits = indent + line.cell_len <= width
    parts = [line] if fits else line.wrap(console, max(1, width - indent), overflow="fold")
    return [Text(" " * indent).append_text(part) for part in parts]


def shorten(text: str | Text, width: int) -> Text:
    """Shorten *text* to *width* columns, in the middle: names mostly differ at their ends."""
    text = Text.assemble(text)
    if text.cell_len <= width:
        return text
    mark = glyph("…", "...")
    room = width - len(mark)
    if room < 1:
        return Text(mark[: max(0, width)])
    start = (room + 1) // 2
    end = room - start
    if not text.plain.isascii():
        parts = _characters(text.plain)
        head = _that_fit(parts, start)
        tail = _that_fit(parts[::-1], room - cell_len("".join(parts[:head])))
        start = len("".join(parts[:head]))
        end = len("".join(parts[len(parts) - tail :]))
    first, _, last = text.divide((start, len(text) - end))
    return first + Text(mark) + last


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
