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
_REFRESHES_PER_SECOND: Final = 8
#: Work that is done sooner shows nothing: it would only flicker.
_DELAY: Final = 0.3
#: A shorter wait is over before its line is read.
_MIN_WAIT: Final = 0.5


@attrs.frozen
class Bar:
    """
    One line of progress: how much is *done*, *of* how much; None where that is unknown.

    Where that may still be *growing*, no time left is shown. *amount* writes both, and *more*
    stands behind them. What has no end is not *drawn* as a bar.
    """

    name: str
    done: int
    of: int | None
    growing: bool = False
    drawn: bool = True
    amount: Callable[[int], str] = "{:,}".format
    more: Text = attrs.field(factory=Text)


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
        spinner = Spinner("dots", style="cyan")

        def render() -> RenderableType:
            seconds = time.monotonic() - began
            if seconds < _DELAY:
                return Text()
            bars = view()
            text = f"{duration(seconds)}{_left(bars, seconds)}  {clean(title)}"
            spinner.update(text=Text(text, style="bold", no_wrap=True, overflow="ellipsis"))
            return Group(spinner, *([_table(bars)] if bars else []), *self._waiting())

        with self._drawn(console(sys.stderr), render):
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
            waiting = self._waiting()
            for line in waiting:
                line.truncate(screen.width)
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
    bars = [
        Bar("runs", counts.listed, counts.expected, growing=not counts.estimated, more=jobs),
    ]
    if counts.logs_wanted:
        more = Text(size(counts.log_bytes) if counts.log_bytes else "")
        bars.append(Bar("logs", logs, counts.logs_wanted, growing=True, more=more))
    return bars


def _table(bars: Sequence[Bar]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for style in ("dim", "", "", ""):
        table.add_column(style=style, no_wrap=True)
    for bar in bars:
        known = bar.of or None
        text = bar.amount(bar.done) + ("" if known is None else f"/{bar.amount(known)}")
        drawn: RenderableType = ""
        if bar.drawn:
            pulse = known is None
            drawn = ProgressBar(total=known, completed=bar.done, width=_BAR_WIDTH, pulse=pulse)
        table.add_row(f"  {bar.name}", drawn, text, bar.more)
    return table


def _left(bars: Sequence[Bar], seconds: float) -> str:
    bar = bars[0] if bars else None
    if bar is None or bar.of is None or bar.growing or not 0 < bar.done < bar.of:
        return ""
    return f", about {duration((bar.of - bar.done) * seconds / bar.done)} left"
