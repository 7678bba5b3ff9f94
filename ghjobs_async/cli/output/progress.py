"""The progress of long work, live on stderr; nothing where nobody would see it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import attrs
from rich.console import Console, ConsoleRenderable, Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import ControlType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ghjobs_async.audit import Counts
from ghjobs_async.cli.output.console import console, is_terminal, note, one_terminal
from ghjobs_async.cli.output.text import plural, size
from ghjobs_async.display import clean, duration
from ghjobs_async.models import Wait
from ghjobs_async.watch.rounds import YET

if TYPE_CHECKING:
    from ghjobs_async.logs.job_log import JobLog

_BAR_WIDTH: Final = 24
#: Between columns, and between the fields behind them.
_GAP: Final = 2
_REFRESHES_PER_SECOND: Final = 8
#: Work that is done sooner shows nothing: it would only flicker.
_DELAY: Final = 0.3
#: A shorter wait is over before its line is read.
_MIN_WAIT: Final = 0.5


@attrs.frozen
class Bar:
    """
    One line of progress: how much is *done*, *of* how much; None where that is unknown.

    Where that is an estimate, it is written as *about* so much. *amount* writes both.
    *more* stands behind them: fields, two blanks between them, of which the last ones are left out
    where there is no room. What has no end is not *drawn* as a bar.
    """

    name: str
    done: int
    of: int | None
    about: bool = False
    drawn: bool = True
    amount: Callable[[int], str] = "{:,}".format
    more: Text = attrs.field(factory=Text)

    @property
    def text(self) -> str:
        """Return how much is done, of how much."""
        of = f"/{'about ' * self.about}{self.amount(self.of)}" if self.of else ""
        return f"{self.amount(self.done)}{of}"


class _Display(Live):
    """A live display whose cursor stands at the start of its last line: no echo of ^C can wrap it."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        drawn = super().process_renderables(renderables)
        return [*drawn, Control(ControlType.CARRIAGE_RETURN)] if drawn else drawn


class Progress:
    """
    Show how far long work is.

    Args:
        quiet: Show nothing.
        verbose: Draw nothing, and report no wait: on stderr there are log messages, waits too.
        draws: Draw where stderr is a terminal. False where something else, such as the reader of
            our output in a pipe, may write to it: a line per long wait remains.
    """

    def __init__(self, *, quiet: bool, verbose: bool = False, draws: bool = True) -> None:
        self.quiet = quiet
        self._silent = quiet or verbose
        self._draws = draws and not self._silent and is_terminal(sys.stderr)
        self._live: Live | None = None
        self._wait: Wait | None = None

    def on_wait(self, wait: Wait) -> None:
        """Show a wait until it ends, or report it in a line."""
        if self._live is not None:
            # People wonder about the longest one.
            if self._wait is None or wait.until > self._wait.until:
                self._wait = wait
        elif not self._silent and wait.seconds >= _MIN_WAIT:
            note(str(wait))

    def appeared(self) -> None:
        """End the wait for what was not there yet."""
        if self._wait is not None and self._wait.reason.endswith(YET):
            self._wait = None

    @contextmanager
    def showing(self, title: str, view: Callable[[], Sequence[Bar]] = tuple) -> Iterator[None]:
        """Show *title* and *view* while the block runs."""
        if not self._draws:
            yield
            return
        began = time.monotonic()
        screen = console(sys.stderr)
        spinner = Spinner("dots", style="cyan")

        def render() -> RenderableType:
            seconds = time.monotonic() - began
            if seconds < _DELAY:
                return Text()
            bars = view()
            text = f"{duration(seconds)}{_left(bars, seconds)}  {clean(title)}"
            spinner.update(text=Text(text, style="bold", no_wrap=True, overflow="ellipsis"))
            return Group(spinner, *([_table(bars, screen.width)] if bars else []), *self._waiting())

        with self._drawn(screen, render):
            yield

    @contextmanager
    def drawing(self, lines: Callable[[int, int | None], list[Text]]) -> Iterator[None]:
        """
        Draw a table on stdout while the block runs, with waits below it; at the end it stays there.

        Args:
            lines: Returns the table for that many columns and lines; None for all lines.
        """
        screen = console(sys.stdout)

        def render() -> RenderableType:
            waiting = [part for line in self._waiting() for part in line.wrap(screen, screen.width)]
            return Group(*lines(screen.width, screen.height - 1 - len(waiting)), *waiting)

        try:
            with self._drawn(screen, render):
                yield
        finally:
            for line in lines(screen.width, None):
                screen.print(line)

    @contextmanager
    def _drawn(self, screen: Console, render: Callable[[], RenderableType]) -> Iterator[None]:
        """Draw on *screen* while the block runs, and erase it at the end."""
        self._live = _Display(
            get_renderable=render,
            console=screen,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        try:
            with self._live:
                yield
        finally:
            self._live = None

    def reading(self, log: JobLog, title: str) -> AbstractContextManager[None]:
        """Show how much of *log* has come while the block runs."""
        return self.showing(title, lambda: [Bar("bytes", log.received, log.expected, amount=size)])

    def print(self, text: str) -> None:
        """Print a line of data to stdout; above the progress where both are on one terminal."""
        if self._live is not None and one_terminal():
            self._live.console.print(Text.from_ansi(text), soft_wrap=True)
            return
        sys.stdout.write(f"{text}\n")
        # At once, also into a pipe: a search may take an hour.
        sys.stdout.flush()

    def _waiting(self) -> list[Text]:
        if self._wait is None:
            return []
        left = (self._wait.until - datetime.now(UTC)).total_seconds()
        if left <= 0:
            self._wait = None
            return []
        return [Text(f"  waiting {left:.0f} s: {clean(self._wait.reason)}", style="yellow")]


def count_bars(counts: Counts, logs: int) -> list[Bar]:
    """Return the bars of an audit or a search that has finished with this many *logs*."""
    jobs = Text(plural(counts.jobs, "job"))
    if counts.failed:
        jobs.append(f"  {counts.failed:,} failed", style="red")
    if counts.missing:
        jobs.append(f"  {counts.missing:,} missing", style="yellow")
    known = max(counts.expected, counts.found) if counts.estimated else None
    bars = [Bar("runs", max(0, counts.listed), known, about=not counts.exact, more=jobs)]
    if counts.logs_wanted:
        more = Text(size(counts.log_bytes) if counts.log_bytes else "")
        bars.append(Bar("logs", logs, counts.logs_wanted, more=more))
    return bars


def _table(bars: Sequence[Bar], width: int) -> Table:
    """Draw *bars* at most so wide: without their bars, then without their last fields."""
    table = Table.grid(padding=(0, _GAP, 0, 0))
    names = max(len(bar.name) for bar in bars)
    texts = max(len(bar.text) for bar in bars)
    room = width - names - texts - 3 * _GAP
    left = room - _BAR_WIDTH - _GAP
    drawn = left >= max(bar.more.cell_len for bar in bars)
    for style in ("dim", "", "", "")[not drawn :]:
        table.add_column(style=style, no_wrap=True)
    for bar in bars:
        cells: list[RenderableType] = [f"{' ' * _GAP}{bar.name}"]
        if drawn:
            done, of = bar.done, bar.of or None
            shape = ProgressBar(total=of, completed=done, width=_BAR_WIDTH, pulse=of is None)
            cells.append(shape if bar.drawn else "")
        table.add_row(*cells, bar.text, _fields(bar.more, left if drawn else room))
    return table


def _fields(more: Text, room: int) -> Text:
    """Return as many of the fields, from the first one on, as have room."""
    fields = more.split(" " * _GAP)
    while fields and sum(field.cell_len + _GAP for field in fields) - _GAP > room:
        fields.pop()
    return Text(" " * _GAP).join(fields)


def _left(bars: Sequence[Bar], seconds: float) -> str:
    bar = bars[0] if bars else None
    if bar is None or bar.of is None or not 0 < bar.done < bar.of:
        return ""
    return f", about {duration((bar.of - bar.done) * seconds / bar.done)} left"
