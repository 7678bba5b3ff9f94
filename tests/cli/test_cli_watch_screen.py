"""The live table of ``ghjobs watch``, as a terminal shows it at the end of every write."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rich.cells import cell_len

from ghjobs_async.testing import FakeGitHub, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"
#: The command, on a terminal of its own, so that Ctrl-C ends it.
COMMAND = (
    "import fcntl, signal, sys, termios; from ghjobs_async.cli import main;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
)
ECHO = "^C"
TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")


class Screen:
    """A terminal of some columns and rows: what it shows, and what went wrong."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines = [""] * rows
        self.history: list[str] = []
        self.row = self.column = 0
        self.odd: list[str] = []
        #: Everything that was written, line by line as it grew.
        self.written: list[str] = []

    def feed(self, text: str) -> None:
        for codes, kind, carriage, feed, plain in TOKEN.findall(text):
            if kind == "A":
                up = int(codes or 1)
                if up > self.row:
                    self.odd.append(f"the cursor goes up {up} from row {self.row}")
                self.row = max(0, self.row - up)
            elif kind == "K":
                self.lines[self.row] = ""
            elif kind and kind not in "mhl":
                self.odd.append(f"an unknown sequence {codes}{kind}")
            elif feed:
                self._feed()
            elif carriage:
                self.column = 0
            elif plain:
                self._write(plain)
            assert carriage or kind or feed or plain

    def _feed(self) -> None:
        if self.row < self.rows - 1:
            self.row += 1
        else:
            self.history.append(self.lines.pop(0))
            self.lines.append("")

    def _write(self, text: str) -> None:
        if text == ECHO and self.column + len(ECHO) > self.columns:
            self._feed()
            self.column = 0
        # The styles of one line come in several pieces.
        line = self.lines[self.row]
        rest = line[len(text) :] if self.column == 0 else ""
        self.lines[self.row] = (line if self.column else "") + text + rest
        self.column += cell_len(text)
        self.written.append(self.lines[self.row])
        if cell_len(self.lines[self.row]) > self.columns:
            self.odd.append(f"a line is wider than the terminal: {self.lines[self.row]!r}")

    @property
    def shown(self) -> list[str]:
        return [line.rstrip() for line in [*self.history, *self.lines] if line.strip()]


def record(argv: list[str], columns: int, rows: int, *, until: str | None = None) -> Screen:
    """
    Run the command on a pseudo-terminal of that size; return what it shows in the end.

    Where *until* is shown, press Ctrl-C.
    """
    import fcntl  # noqa: PLC0415 -- there is none on Windows
    import pty  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environ = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    screen = Screen(columns, rows)
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *argv],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        limit = threading.Timer(40, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        data = b""
        while part := _read(ours):
            data += part
            if until is not None and until in data.decode(errors="ignore"):
                os.write(ours, b"\x03")
                until = None
        limit.cancel()
        limit.join()
    os.close(ours)
    screen.feed(data.decode())
    return screen


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 24), (80, 20)])
def test_the_table_is_never_torn(fake: FakeGitHub, columns: int, rows: int) -> None:
    """Every write leaves a whole table, with waits below it; in the end it is there once."""
    count = 40 if rows == 20 else 6
    names = ["build (\u6771\u4eac)", "\U0001f680 deploy", "a name that is longer than it should be"]
    jobs = [
        JobSpec(f"{names[n % 3]} {n}", seconds=40 + n, queued_for=1 + n % 9, steps=2)
        for n in range(count - 1)
    ]
    run = fake.play(fake.add_run(REPO, jobs=[*jobs, scenario.failing("test")]), speed=20)
    fake.fail("jobs", faults.secondary_limit(retry_after=1), after=2)
    argv = ["watch", "-R", REPO, str(run.id), "--interval", "0.2", "--exit-status"]
    screen = record(argv, columns, rows)
    assert screen.odd == []
    assert len(screen.shown) == 1 + count + 1
    assert any("waiting" in line for line in screen.written)
    assert screen.shown[0].startswith("\u2717 CI")
    assert sum("at Run tests" in line for line in screen.shown) == (columns == 80)
    assert sum("expected 4, got 5" in line for line in screen.shown) == (columns == 80)
    assert not any("waiting" in line for line in screen.shown)


def test_an_error_does_not_tear_the_table(fake: FakeGitHub) -> None:
    """Why a run may no longer be seen stands below the table, once."""
    sha = "a" * 40
    runs = [
        fake.play(fake.add_run(REPO, jobs=[JobSpec("a", seconds=90)], head_sha=sha), speed=20)
        for _ in range(2)
    ]
    refused = str(runs[0].id)
    fake.fail("jobs", faults.missing_permission(), None, lambda asked: refused in asked.path, 1)
    argv = ["watch", "-R", REPO, "--commit", sha, "--interval", "0.2"]
    screen = record(argv, 80, 24)
    table = [odd for odd in screen.odd if "http://" not in odd]
    assert table == []
    assert sum("unreachable" in line for line in screen.shown) == 1
    assert sum("success" in line for line in screen.shown) == 1
    assert [n for n, line in enumerate(screen.shown) if "ghjobs: " in line] == [4]


@pytest.mark.parametrize("columns", [40, 80])
def test_the_wait_for_a_run_ends_when_it_appears(fake: FakeGitHub, columns: int) -> None:
    """That a run is not there yet is shown, and not cut, until it is there."""
    run = fake.play(fake.add_run(REPO, jobs=[JobSpec(seconds=60)]), speed=60)
    fake.fail("run", faults.status(404), times=2)
    screen = record(["watch", "-R", REPO, str(run.id), "--interval", "0.4"], columns, 24)
    waiting = [n for n, line in enumerate(screen.written) if "not there yet" in line]
    titles = [n for n, line in enumerate(screen.written) if "CI" in line]
    assert waiting
    assert waiting[-1] < titles[0]


@pytest.mark.parametrize("columns", [40, 70, 80, 120])
def test_ctrl_c_leaves_one_table(fake: FakeGitHub, columns: int) -> None:
    """The terminal echoes ^C where the cursor stands; the table is there once all the same."""
    run = fake.add_run(REPO, jobs=[scenario.in_progress("build"), scenario.in_progress("test")])
    screen = record(["watch", "-R", REPO, str(run.id)], columns, 24, until="test")
    assert any(ECHO in line for line in screen.written)
    # What the command says at its end takes several lines where the terminal is narrow.
    *table, last = [line.split()[1] for line in screen.shown[:4]]
    assert table == ["CI", "build", "test"]
    assert last == "interrupted:"


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_message_is_wrapped_between_words(fake: FakeGitHub, tmp_path: Path, columns: int) -> None:
    """On a terminal a long line on stderr breaks no word, but for one that is longer itself."""
    fake.add_run(REPO)
    argv = ["audit", REPO, "--branch", "b" * 90, "-o", str(tmp_path), "-q"]
    screen = record(argv, columns, 24)
    words = " ".join(screen.shown).split()
    assert [line for line in screen.shown if "bbb" in line] == ["b" * 90]
    assert words[-4:] == ["was", "found", "(see", "--allow-empty)"]
    assert all(len(line) <= columns for line in screen.shown if "bbb" not in line)
