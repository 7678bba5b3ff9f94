"""``ghjobs log``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from ghjobs_async.testing import FakeGitHub, FakeJob, scenario

REPO = "octo-org/octo-repo"
AWKWARD = (
    b"\xef\xbb\xbf2026-11-21T16:37:39.0005085Z \x1b[32mok\x1b[0m \xff\r\n"
    b"2026-11-21T16:37:40.0005085Z \x1b[2J\x1b]0;owned\x07clear\n"
    b"2026-11-21T16:37:41.0005085Z ##[group]Run it\n"
    b"2026-11-21T16:37:41.0005085Z \ttab\n"
    b"2026-11-21T16:37:42.0005085Z ##[endgroup]\n"
    b"2026-11-21T16:37:43.0005085Z ##[error]bad\x07 luck"
)


@pytest.fixture
def job(fake: FakeGitHub) -> FakeJob:
    return fake.add_run(REPO, jobs=[scenario.failing("test")]).jobs[0]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ghjobs_async.cli.output.log_lines.is_terminal", lambda stream: stream is sys.stdout
    )
    monkeypatch.setattr("ghjobs_async.cli.output.log_lines.colours", lambda stream: True)


def test_a_log_goes_through_byte_for_byte(ghjobs: Any, job: FakeJob, fake: FakeGitHub) -> None:
    """Into a pipe, a log is what GitHub has."""
    fake.set_log(job.id, AWKWARD)
    assert ghjobs("log", "-R", REPO, job.id).raw == AWKWARD


def test_a_log_is_saved_byte_for_byte(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, tmp_path: Path
) -> None:
    """``--output`` saves it, prints nothing, and tells the size."""
    fake.set_log(job.id, AWKWARD)
    ran = ghjobs("log", "-R", REPO, job.id, "--output", tmp_path / "job.log")
    assert (tmp_path / "job.log").read_bytes() == AWKWARD
    assert ran.raw == b""
    assert f"{len(AWKWARD)} B" in ran.err


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("option", [(), ("--raw",), ("--timestamps",), ("--tail", "50")])
def test_only_colours_reach_a_terminal(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, option: tuple[str, ...]
) -> None:
    """On a terminal, every control but colour is gone, however the log is asked for."""
    fake.set_log(job.id, AWKWARD)
    out = ghjobs("log", "-R", REPO, job.id, *option).out
    assert "\x1b[32mok\x1b[0m" in out
    for unsafe in ("\x1b[2J", "\x1b]", "\x07", "\r", "\ufeff"):
        assert unsafe not in out
    assert "clear\n" in out
    assert "bad luck" in out


@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_readable_lines(ghjobs: Any, job: FakeJob, fake: FakeGitHub) -> None:
    """Groups are indented, markers become words, timestamps come when asked for."""
    fake.set_log(job.id, AWKWARD)
    lines = ghjobs("log", "-R", REPO, job.id, "--no-color").out.splitlines()
    assert lines == ["ok \ufffd", "clear", "\u25b8 Run it", "  \ttab", "Error: bad luck"]
    stamped = ghjobs("log", "-R", REPO, job.id, "--no-color", "--timestamps").out.splitlines()
    assert stamped[1] == "2026-11-21T16:37:40.0005085Z clear"


def test_the_failure_alone(ghjobs: Any, job: FakeJob) -> None:
    """``--failed`` prints the failing step's errors and names the step on stderr."""
    ran = ghjobs("log", "-R", REPO, job.id, "--failed", "--no-color")
    assert "Error: tests: expected 4, got 5" in ran.out
    assert "Set up job" not in ran.out
    assert "failed at 'Run tests'" in ran.err


def test_a_job_that_did_not_fail_has_no_failure(ghjobs: Any, fake: FakeGitHub) -> None:
    """``--failed`` on a good job says so, with status 1."""
    good = fake.add_run(REPO).jobs[0]
    ran = ghjobs("log", "-R", REPO, good.id, "--failed")
    assert ran.status == 1
    assert "did not fail: it is success" in ran.err


@pytest.mark.parametrize("name", ["Run tests", "run TESTS", "tests", "5"])
def test_a_step_alone(ghjobs: Any, job: FakeJob, name: str) -> None:
    """``--step`` takes a name in any case, a part of one, or a number."""
    ran = ghjobs("log", "-R", REPO, job.id, "--step", name, "--no-color")
    assert ran.status == 0
    assert "tests: expected 4, got 5" in ran.out
    assert "Upload" not in ran.out


def test_the_end_alone(ghjobs: Any, job: FakeJob) -> None:
    """``--tail`` prints the last lines, also of a step."""
    whole = ghjobs("log", "-R", REPO, job.id).raw.splitlines(keepends=True)
    assert ghjobs("log", "-R", REPO, job.id, "--tail", "3").raw == b"".join(whole[-3:])
    assert ghjobs("log", "-R", REPO, job.id, "--tail", "0").raw == b""
    step = ghjobs("log", "-R", REPO, job.id, "--step", "Run tests", "--tail", "1").raw
    assert step.endswith(b"##[error]Process completed with exit code 1.\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--step", "nope"], "no step is named 'nope'; there are: 1 Set up job"),
        (["--step", "run"], "several steps are named 'run': 2 Run actions/checkout@v4"),
        (["--step", "x", "--failed"], "not both"),
        (["--tail", "-1"], "tail"),
        (["--output", "nowhere/at/all.log"], "not nowhere"),
        (["--output", "x.log", "--failed"], "whole log"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    ghjobs: Any, job: FakeJob, argv: list[str], said: str
) -> None:
    """Options that cannot be right end with status 2 and one line."""
    ran = ghjobs("log", "-R", REPO, job.id, *argv)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert said in ran.err


@pytest.mark.parametrize(
    ("state", "said"), [("expired", "retention"), ("deleted", ""), ("not_ready", "")]
)
def test_a_log_that_is_not_there(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, state: Any, said: str
) -> None:
    """No log is an error in one line, with status 1, and leaves stdout empty."""
    fake.set_log(job.id, state=state)
    ran = ghjobs("log", "-R", REPO, job.id)
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("ghjobs: ")
    assert said in ran.err


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("option", [(), ("--raw",), ("--tail", "5"), ("--failed",)])
def test_a_log_hides_nothing_on_a_terminal(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, option: tuple[str, ...]
) -> None:
    """Concealed text is shown, in a log, a part of it and an excerpt; colours stay."""
    step = b"2026-11-21T16:37:40.0005085Z "
    hidden = b"\x1b[31;8mcurl\x1b[0;8m evil\x1b[30;40m host\n"
    fake.set_log(job.id, step + hidden + step + b"##[error]\x1b[8mfailed\x1b[0m\n")
    ran = ghjobs("log", "-R", REPO, job.id, *option)
    assert ran.status == 0
    assert "\x1b[31mcurl\x1b[0m evil\x1b[30;40;49m host\x1b[0m\n" in ran.out
    assert "failed" in ran.out
    assert not re.search(r"\x1b\[(?:[0-9]+;)*8m", ran.out)
