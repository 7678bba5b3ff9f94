"""A GitHub in a thread of its own, and the command pointed at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from ghjobs_async.cli import main
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"
#: The command as a program. Ctrl-C ends it, even where what runs the tests ignores that.
CODE = (
    "import signal, sys; from ghjobs_async.cli import main;"
    "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
)


@attrs.frozen
class Ran:
    """The result of a run of the command."""

    status: int
    out: str
    err: str
    raw: bytes

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    for name in (
        *("GH_REPO", "CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "COLUMNS"),
        *("TTY_COMPATIBLE", "TTY_INTERACTIVE", "GH_FORCE_TTY"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    # No gh of this machine is asked.
    monkeypatch.setattr("shutil.which", lambda name: None)
    with FakeGitHub(rate_limit=None) as github:
        monkeypatch.setenv("GITHUB_API_URL", github.base_url)
        monkeypatch.setenv("GITHUB_TOKEN", "sesame")
        yield github


@pytest.fixture
def ghjobs(fake: FakeGitHub, capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ran]:
    def run(*argv: object) -> Ran:
        capsysbinary.readouterr()
        status = main([str(arg) for arg in argv])
        out, err = capsysbinary.readouterr()
        text = out.decode(errors="replace")
        assert "sesame" not in text + err.decode()
        return Ran(status, text, err.decode(), out)

    return run


@pytest.fixture
def start(fake: FakeGitHub) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the command as a process of its own, which ends with the test at the latest."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: object, **options: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        words = [str(arg) for arg in argv]
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, *words], env={**os.environ}, **{**pipes, **options}
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()
