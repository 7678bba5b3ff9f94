"""The progress of an audit, live on stderr; or nothing, where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ghjobs_async.audit import Tally
from ghjobs_async.cli.connect import tell_wait
from ghjobs_async.cli.output.console import console, is_terminal, one_terminal
from ghjobs_async.cli.output.text import clean, duration, size
from ghjobs_async.models import Wait

_BAR_WIDTH = 24
_REFRESHES_PER_SECOND = 8


class Progress:
    """
    Show how far an audit is.

    Args:
        quiet: Show nothing.

    Attributes:
        logs: Tells how many logs are done, where the tally does not count them.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.logs: Callable[[], int] | None = None
        self._draws = not quiet and is_terminal(sys.stderr)
        self._live: Live | None = None
        self._wait: Wait | None = None
        self._began = time.monotonic()
        self._title = ""
        self._tally = Tally()
        self._spinner = Spinner("dots", style="cyan")

    def on_wait(self, wait: Wait) -> None:
        """Take a wait: shown until it ends, or told in a line."""
        if self._draws:
            # The longest one is what people wonder about.
            if self._wait is None or wait.until > self._wait.until:
                self._wait = wait
        elif not self.quiet:
            tell_wait(wait)

    @contextmanager
    def showing(self, tally: Tally, title: str) -> Iterator[None]:
        """Show the progress while the block runs."""
        if not self._draws:
            yield
            return
        self._tally, self._title, self._began = tally, clean(title), time.monotonic()
        with Live(
            get_renderable=self._render,
            console=console(sys.stderr),
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as live:
            self._live = live if one_terminal() else None
            try:
                yield
            finally:
                self._live = None

    def print(self, text: str) -> None:
        """Print a line of data to stdout; where the progress is drawn there too, above it."""
        if self._live is not None:
            self._live.console.print(Text.from_ansi(text), soft_wrap=True)
            return
        sys.stdout.write(f"{text}\n")
        # As they come, also into a pipe: a search may take an hour.
        sys.stdout.flush()

    def _render(self) -> RenderableType:
        total = self._tally.total
        seconds = time.monotonic() - self._began
        self._spinner.update(
            text=Text(f"{self._title}  {duration(seconds)}{self._left(seconds)}", style="bold")
        )
        bars = Table.grid(padding=(0, 2, 0, 0))
        bars.add_column(style="dim", no_wrap=True)
        bars.add_column(no_wrap=True)
        bars.add_column(no_wrap=True)
        bars.add_column(no_wrap=True, overflow="ellipsis")
        bars.add_row(
            "  runs",
            self._bar(total.listed, total.expected),
            f"{total.listed:,}/{total.expected:,}",
            self._jobs(),
        )
        if total.logs_wanted:
            logs = total.logs if self.logs is None else self.logs()
            bars.add_row(
                "  logs",
                self._bar(logs, total.logs_wanted),
                f"{logs:,}/{total.logs_wanted:,}",
                size(total.log_bytes) if total.log_bytes else "",
            )
        return Group(self._spinner, bars, *self._waiting())

    def _jobs(self) -> Text:
        total = self._tally.total
        text = Text(f"{total.jobs:,} jobs")
        if total.failed:
            text.append(f"  {total.failed:,} failed", style="red")
        if total.failures:
            text.append(f"  {total.failures:,} not had", style="yellow")
        return text

    def _bar(self, done: int, of: int) -> ProgressBar:
        known = of or None
        return ProgressBar(total=known, completed=done, width=_BAR_WIDTH, pulse=known is None)

    def _left(self, seconds: float) -> str:
        total = self._tally.total
        if not self._tally.estimated or not total.listed or total.listed >= total.expected:
            return ""
        left = (total.expected - total.listed) * seconds / total.listed
        return f", about {duration(left)} left"

    def _waiting(self) -> list[Text]:
        if self._wait is None:
            return []
        left = (self._wait.until - datetime.now(UTC)).total_seconds()
        if left <= 0:
            self._wait = None
            return []
        return [Text(f"  waiting {left:.0f} s: {clean(self._wait.reason)}", style="yellow")]
