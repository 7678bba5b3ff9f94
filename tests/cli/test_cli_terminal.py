"""The live display, on a terminal that other programs draw on as well."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.testing import FakeGitHub, scenario

REPO = "octo-org/octo-repo"
COMMAND = f'"{sys.executable}" -c "import sys; from ghjobs_async.cli import main; sys.exit(main())"'


def on_a_terminal(script: str) -> str:
    """Run a line of shell on a pseudo-terminal; what the terminal gets."""
    import pty  # noqa: PLC0415 -- there is none on Windows

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["sh", "-c", script],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        # Whatever goes wrong, the test does not wait for ever.
        limit = threading.Timer(30, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        parts = []
        # A terminal whose last program has ended is an error on Linux, an end elsewhere.
        while part := _read(ours):
            parts.append(part)
        limit.cancel()
        limit.join()
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")
@pytest.mark.parametrize("reader", ["cat", "head -n 3", "sed -n p"])
def test_hits_in_a_pipe_are_not_drawn_over(fake: FakeGitHub, reader: str) -> None:
    """``ghjobs grep ... | cat`` on a terminal: the hits, and not one control sequence."""
    run = fake.add_run(REPO, jobs=3)
    for job in run.jobs:
        fake.set_log(job.id, b"2026-11-21T16:37:39.0005085Z a hit\n")
    web = fake.base_url.removesuffix("/api/v3")
    shown = on_a_terminal(f"{COMMAND} grep 'a hit' {REPO} | {reader}")
    assert "\x1b" not in shown
    assert sorted(shown.splitlines()) == [
        f"{web}/{REPO}/actions/runs/{run.id}/job/{job.id}:1:a hit" for job in run.jobs
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")
def test_a_log_in_a_pipe_is_not_drawn_over(fake: FakeGitHub) -> None:
    """``ghjobs log ... | cat`` on a terminal is the log alone."""
    job = fake.add_run(REPO).jobs[0]
    fake.set_log(job.id, b"2026-11-21T16:37:39.0005085Z a line\n")
    shown = on_a_terminal(f"{COMMAND} log -R {REPO} {job.id} | cat")
    assert shown == "2026-11-21T16:37:39.0005085Z a line\n"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is drawn on stderr, as if it were a terminal."""
    drawn = io.StringIO()
    monkeypatch.setattr("ghjobs_async.cli.output.progress._DELAY", 0)
    monkeypatch.setattr("ghjobs_async.cli.output.progress.is_terminal", lambda stream: True)
    monkeypatch.setattr(
        "ghjobs_async.cli.output.progress.console",
        lambda stream: Console(file=drawn, force_terminal=True, width=80),
    )
    return drawn


def test_the_reading_of_failed_logs_is_shown(
    ghjobs: Any, fake: FakeGitHub, screen: io.StringIO
) -> None:
    """``list --failed`` shows how many logs are read, and erases that at its end."""
    run = fake.add_run(REPO, jobs=[scenario.failing(f"job {n}") for n in range(7)])
    ran = ghjobs("list", "-R", REPO, run.id, "--failed")
    assert len(ran.rows) == 7
    drawn = screen.getvalue()
    assert "7/7" in drawn
    assert drawn.endswith("\x1b[2K")


@pytest.mark.parametrize("option", ["--quiet", "--verbose"])
def test_no_live_line_if_so_asked(
    ghjobs: Any, fake: FakeGitHub, screen: io.StringIO, option: str
) -> None:
    """With ``--quiet`` nothing is drawn, nor between the messages of ``--verbose``."""
    run = fake.add_run(REPO, jobs=[scenario.failing()])
    ghjobs("list", "-R", REPO, run.id, "--failed", option)
    ghjobs("audit", REPO, "--plan", option)
    assert screen.getvalue() == ""


@pytest.mark.parametrize("option", [("-o", "job.log"), ("--tail", "1"), ("--failed",)])
def test_the_reading_of_a_log_is_shown(
    ghjobs: Any,
    fake: FakeGitHub,
    screen: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    option: tuple[str, ...],
) -> None:
    """``log`` shows the bytes of a log that it reads before it prints anything."""
    monkeypatch.chdir(tmp_path)
    job = fake.add_run(REPO, jobs=[scenario.failing()]).jobs[0]
    assert ghjobs("log", "-R", REPO, job.id, *option).status == 0
    drawn = screen.getvalue()
    assert "bytes" in drawn
    assert "kB" in drawn
    assert drawn.endswith("\x1b[2K")


@attrs.define
class Reading:
    """A log that is being read."""

    received: int = 0
    expected: int | None = None


@pytest.mark.parametrize(
    ("expected", "said"), [(492_000_000, "123.0 MB/492.0 MB"), (None, "123.0 MB")]
)
def test_the_bytes_of_a_log_are_shown(screen: io.StringIO, expected: int | None, said: str) -> None:
    """While a log is read, its bytes are shown, and of how many where that is known."""
    log: Any = Reading(expected=expected)
    with Progress(quiet=False).reading(log, "octo-org/octo-repo job 1"):
        log.received = 123_000_000
    drawn = screen.getvalue()
    assert said in drawn
    assert ("left" in drawn) is (expected is not None)
    assert drawn.endswith("\x1b[2K")
