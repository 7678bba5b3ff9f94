"""The pager."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ghjobs_async.cli.output.pager import pager_command
from ghjobs_async.testing import FakeGitHub, FakeJob, faults

REPO = "octo-org/octo-repo"
LINE = b"2026-11-21T16:37:40.0005085Z line\n"


@pytest.fixture
def job(fake: FakeGitHub) -> FakeJob:
    job = fake.add_run(REPO).jobs[0]
    fake.set_log(job.id, LINE * 3)
    return job


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on stdout, without colours, and no pager yet."""
    for name in ("GH_PAGER", "PAGER", "LESS", "LV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    for module in ("pager", "log_lines"):
        monkeypatch.setattr(
            f"ghjobs_async.cli.output.{module}.is_terminal", lambda stream: stream is sys.stdout
        )


@pytest.fixture
def pager(tmp_path: Path) -> Callable[[str], str]:
    """Make a pager: a program that does as its lines say, with its output file as *out*."""

    def make(body: str) -> str:
        script = tmp_path / "a pager.py"
        script.write_text(f"import os, sys\nout = open({str(tmp_path / 'out')!r}, 'w')\n{body}\n")
        return f"{sys.executable} '{script}'"

    return make


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({}, None),
        ({"PAGER": "less"}, "less"),
        ({"PAGER": "less", "GH_PAGER": "more -d"}, "more -d"),
        ({"PAGER": "less", "GH_PAGER": ""}, None),
        ({"PAGER": "less", "GH_PAGER": "cat"}, None),
        ({"PAGER": "cat"}, None),
        ({"PAGER": " "}, None),
    ],
)
def test_which_pager(environ: dict[str, str], command: str | None) -> None:
    """``GH_PAGER`` comes before ``PAGER``; empty, cat or neither set is none."""
    assert pager_command(environ) == command


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("name", ["PAGER", "GH_PAGER"])
def test_a_log_goes_through_the_pager(
    ghjobs: Any,
    job: FakeJob,
    pager: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
) -> None:
    """The pager gets what the terminal would, and LESS and LV as gh sets them."""
    keys = "[os.environ.get(name) for name in ('LESS', 'LV', 'PAGER')]"
    monkeypatch.setenv(name, pager(f"out.write(sys.stdin.read() + str({keys}))"))
    ran = ghjobs("log", "-R", REPO, job.id, "--no-color")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert (tmp_path / "out").read_text() == "line\n" * 3 + "['FRX', '-c', None]"


@pytest.mark.usefixtures("terminal")
def test_settings_of_the_pager_are_kept(
    ghjobs: Any,
    job: FakeJob,
    pager: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """LESS and LV stay as the user has them, even empty."""
    monkeypatch.setenv("PAGER", pager("out.write(os.environ['LESS'] + '|' + os.environ['LV'])"))
    monkeypatch.setenv("LESS", "S")
    monkeypatch.setenv("LV", "")
    ghjobs("log", "-R", REPO, job.id)
    assert (tmp_path / "out").read_text() == "S|"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("quiet", ["-q", "--output"])
def test_no_pager_where_none_is_wanted(
    ghjobs: Any,
    job: FakeJob,
    pager: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    quiet: str,
) -> None:
    """With ``-q`` and ``--output`` no pager starts."""
    monkeypatch.setenv("PAGER", pager(""))
    argv = ["--output", tmp_path / "job.log"] if quiet == "--output" else ["-q"]
    assert ghjobs("log", "-R", REPO, job.id, *argv).status == 0
    assert not (tmp_path / "out").exists()


def test_no_pager_in_a_pipe(
    ghjobs: Any, job: FakeJob, pager: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where stdout is no terminal, no pager starts, and the log goes through byte for byte."""
    monkeypatch.setenv("PAGER", pager(""))
    assert ghjobs("log", "-R", REPO, job.id).raw == LINE * 3


@pytest.mark.usefixtures("terminal")
def test_no_pager_for_an_error(
    ghjobs: Any,
    job: FakeJob,
    pager: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A log that is not there is an error as without a pager; the pager does not start."""
    monkeypatch.setenv("PAGER", pager(""))
    ran = ghjobs("log", "-R", REPO, job.id + 1)
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("command", ["no-such-pager -R", "less 'unclosed"])
def test_a_pager_that_cannot_start(
    ghjobs: Any, job: FakeJob, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The log is printed all the same, after one line about the pager."""
    monkeypatch.setenv("PAGER", command)
    ran = ghjobs("log", "-R", REPO, job.id, "--no-color")
    assert (ran.status, ran.out) == (0, "line\n" * 3)
    assert ran.err.startswith("ghjobs: cannot start the pager ")
    assert command in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.usefixtures("terminal")
def test_leaving_the_pager_early(
    ghjobs: Any,
    job: FakeJob,
    fake: FakeGitHub,
    pager: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Who leaves the pager early has seen enough: no failure, and the rest is not downloaded."""
    fake.set_log(job.id, LINE * 200_000)
    # The rest would never come.
    fake.fail("storage", faults.stall_body(after=len(LINE) * 100_000), times=None)
    monkeypatch.setenv("PAGER", pager("out.write(sys.stdin.readline())"))
    ran = ghjobs("log", "-R", REPO, job.id)
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert (tmp_path / "out").read_text() == "line\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals and terminals")
def test_ctrl_c_leaves_the_pager_to_the_user(
    start: Any,
    job: FakeJob,
    fake: FakeGitHub,
    pager: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """After Ctrl-C the download ends, the pager has all that came, and then the status is 130."""
    fake.set_log(job.id, LINE * 20_000)
    fake.fail("storage", faults.stall_body(after=len(LINE) * 10_000), times=None)
    reads = "out.write(sys.stdin.readline()); print('ready', file=sys.stderr, flush=True)\n"
    monkeypatch.setenv("GH_PAGER", pager(f"{reads}out.write(sys.stdin.read())"))
    main, terminal = os.openpty()
    process = start("log", "-R", REPO, job.id, "--no-color", stdout=terminal)
    try:
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait(10) == 130
        assert b"Traceback" not in err
    finally:
        os.close(main)
        os.close(terminal)
    assert (tmp_path / "out").read_text() == "line\n" * 10_000
