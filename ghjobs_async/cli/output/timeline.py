"""The timeline of a run as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

import attrs
from rich.console import Console
from rich.text import Text

from ghjobs_async.audit.gantt.axis import Lane, lanes, texts
from ghjobs_async.audit.gantt.chart import HOW_INFERRED, Bar, Chart, Row, Span, StepRow
from ghjobs_async.audit.gantt.labels import name
from ghjobs_async.cli.output.console import glyph, in_state, sign, style_of
from ghjobs_async.cli.output.table import shorten
from ghjobs_async.display import clean, duration

#: A narrower screen has names above their bars.
_ROOMY: Final = 60
#: Up to this many rows, each step has a row of its own.
_DETAILED: Final = 40
#: The most of the width that names take, in parts of it.
_NAMES: Final = 0.4
#: The least and the most columns of what stands behind a row; the most where a screen is narrow.
_AFTER: Final = (8, 15, 9)
#: How far the texts of ticks are apart, in columns.
_APART: Final = 9
#: The most columns of a line of prose.
_TEXT: Final = 80


@attrs.frozen
class _Marks:
    """The characters of bars: of waiting, of work, of both on the critical path, of an edge."""

    waiting: str
    work: str
    path_waiting: str
    path_work: str
    edge: str

    @classmethod
    def of_terminal(cls) -> _Marks:
        pairs = (
            ("\u00b7", "."),
            ("\u2501", "="),
            ("\u2591", ":"),
            ("\u2588", "#"),
            ("\u2502", "|"),
        )
        return cls(*(glyph(fancy, plain) for fancy, plain in pairs))


def draw_timeline(screen: Console, chart: Chart) -> None:
    """Draw *chart* as wide as *screen* is."""
    for line in _View(chart, screen.width).lines():
        line.rstrip()
        screen.print(line, soft_wrap=True)


class _View:
    def __init__(self, chart: Chart, width: int) -> None:
        self._chart = chart
        self._lanes = lanes(chart)
        self._critical = chart.critical
        self._marks = _Marks.of_terminal()
        self._short = chart.is_short(_DETAILED)
        self._width = max(20, width)
        titles = [name(row.name) for row in chart.rows]
        if self._short:
            titles += [f"  {name(step.name)}" for row in chart.rows for step in row.steps]
        longest = max((Text(title).cell_len for title in titles), default=0)
        self._beside = width >= _ROOMY
        least, most, narrow = _AFTER
        figures = max((len(_figure(row.bars[-1])) for row in chart.rows), default=0)
        self._after = min(max(least, figures), most if self._beside else narrow)
        if self._beside:
            self._names = min(longest, int(self._width * _NAMES))
            self._before = self._names + 3
            self._bars = self._width - self._before - 1 - self._after
        else:
            self._names = self._width - 2 - 1 - self._after
            self._before, self._bars = 2, self._width - 2

        # Before each attempt but the first is its edge, and before that the last column of another.
        placed = list(self._lanes.values())
        self._edges = [max(0, self._column(lane.left) - 1) for lane in placed[1:]]
        lasts = [*(edge - 1 for edge in self._edges), self._bars - 1]
        self._lasts = dict(zip(self._lanes, lasts, strict=False))

    def lines(self) -> Iterator[Text]:
        chart = self._chart
        title, *more = map(clean, chart.titles)
        yield shorten(Text(title, style="bold"), self._width)
        for line in (", ".join(more), *chart.figures):
            yield from self._wrapped(line)
        if not chart.rows:
            return
        yield Text()
        if len(self._lanes) > 1:
            yield self._placed(
                {lane.left: f"attempt {number}" for number, lane in self._lanes.items()}
            )
        kept, _ = texts(self._lanes, min(1.0, _APART / self._bars))
        yield self._placed({tick.at: tick.text for tick in kept})
        for row in chart.rows:
            yield from self._row(row)
            for step in row.steps if self._short else ():
                yield from self._step(step)
        yield Text()
        yield from self._legend()

    def _row(self, row: Row) -> Iterator[Text]:
        last = row.bars[-1]
        state = last.job.state
        label = in_state(name(row.name), state)
        if any(bar.job.id in self._critical for bar in row.bars):
            label.stylize("bold")
        line = Text.assemble(sign(state), " ", self._padded(label), " ")
        bars = self._empty()
        for bar in row.bars:
            self._add(bars, bar)
        yield from self._joined(line, bars, _figure(last))

    def _step(self, row: StepRow) -> Iterator[Text]:
        bars = self._empty()
        for bar, step in row.bars:
            style = style_of(step.step.state)
            self._fill(bars, self._lanes[bar.attempt], step.span, (self._marks.work, style))
        last = row.bars[-1][1]
        label = self._padded(Text("  ").append_text(in_state(name(row.name), last.step.state)))
        label.stylize("dim")
        yield from self._joined(Text.assemble("  ", label, " "), bars, duration(last.span.seconds))

    def _add(self, bars: list[tuple[str, str]], bar: Bar) -> None:
        marks = self._marks
        critical = bar.job.id in self._critical
        if bar.waiting is not None:
            mark = marks.path_waiting if critical else marks.waiting
            self._fill(bars, self._lanes[bar.attempt], bar.waiting, (mark, "dim"))
        if bar.work is not None:
            mark = marks.path_work if critical else marks.work
            style = style_of(bar.job.state)
            self._fill(bars, self._lanes[bar.attempt], bar.work, (mark, style))

    def _fill(
        self, bars: list[tuple[str, str]], lane: Lane, span: Span, mark: tuple[str, str]
    ) -> None:
        """Draw *span*: at least one column of it, and none of another attempt's."""
        first, last = (self._column(lane.at(time)) for time in (span.start, span.end))
        most = max(self._column(lane.left), self._lasts[lane.attempt.number])
        first = min(first, most)
        for column in range(first, min(most + 1, max(first + 1, last))):
            bars[column] = mark

    def _column(self, at: float) -> int:
        return min(self._bars - 1, int(at * self._bars))

    def _empty(self) -> list[tuple[str, str]]:
        bars = [(" ", "")] * self._bars
        for edge in self._edges:
            bars[edge] = (self._marks.edge, "dim")
        return bars

    def _joined(self, line: Text, bars: list[tuple[str, str]], figure: str) -> Iterator[Text]:
        drawn = Text.assemble(*bars)
        figures = shorten(Text(figure, style="dim"), self._after)
        figures.pad_left(self._after - figures.cell_len)
        if self._beside:
            yield Text.assemble(line, drawn, " ", figures)
        else:
            yield Text.assemble(line, figures)
            yield Text.assemble(" " * self._before, drawn)

    def _padded(self, label: Text) -> Text:
        label = shorten(label, self._names)
        label.pad_right(self._names - label.cell_len)
        return label

    def _placed(self, found: dict[float, str]) -> Text:
        """Return a line of texts at their places, those left out that have no room."""
        line = " " * self._before
        for at, text in sorted(found.items()):
            column = self._before + self._column(at)
            if column >= len(line) and column + len(text) <= self._before + self._bars:
                line = f"{line:{column}}{text} "
        return Text(line, style="dim")

    def _legend(self) -> Iterator[Text]:
        marks = self._marks
        yield Text.assemble(
            *(f"{marks.waiting * 2} waiting  ", f"{marks.work * 2} work  "),
            f"{marks.path_waiting}{marks.path_work} critical path",
            " of each attempt" if len(self._lanes) > 1 else "",
            style="dim",
        )
        yield from self._wrapped(" ".join(HOW_INFERRED))

    def _wrapped(self, text: str) -> list[Text]:
        return [Text(line, style="dim") for line in textwrap.wrap(text, min(self._width, _TEXT))]


def _figure(bar: Bar) -> str:
    """Return what stands behind a row: how long it ran, or why it did not."""
    return duration(bar.work.seconds) if bar.work else name(bar.job.state)
