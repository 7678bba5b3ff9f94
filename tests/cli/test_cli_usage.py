"""How the command is called wrongly, and how it ends."""

from __future__ import annotations

import builtins
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ghjobs_async.audit import AuditStore
from ghjobs_async.cli import main
from ghjobs_async.testing import FakeGitHub, Fault, faults

REPO = "octo-org/octo-repo"
NOT_SEEN = "no such thing, or the token cannot see it"
COMMANDS = (
    *("job", "runs", "list", "log", "watch", "grep", "audit", "query", "schema", "export", "merge"),
    *("findings", "report", "timeline", "demo"),
)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["lst"], "Unknown command"),
        (["--bogus"], "unknown option --bogus: see ghjobs --help"),
        (["list"], "RUN is missing: see ghjobs list --help"),
        (["list", "-R", REPO, "1", "2"], "unexpected argument '2': see ghjobs list --help"),
        (["job", "-R", REPO, "1", "--concurrency"], "--concurrency needs a value"),
        (["list", "-R", REPO, "1", "--all", "--all"], "--all is given twice"),
        (["list", "-R", REPO, "1", "--all=maybe"], "--all takes no value, not 'maybe'"),
        (["list", "-R", REPO, "1", "--bogus"], "--bogus"),
        (["list", "1"], "needs its repository"),
        (["list", "-R", "octo", "1"], "OWNER/NAME"),
        (["list", "-R", "o/../r", "1"], "not"),
        (["list", "-R", REPO, "abc"], "a run is a number or its address"),
        (["list", "-R", REPO, "0"], "positive"),
        (["list", "-R", REPO, "1", "--attempt", "0"], "positive"),
        (["list", "-R", REPO, "1", "--attempt", "x"], "--attempt is a number, not 'x'"),
        (["list", "-R", REPO, "1", "--attempt", "1", "--all"], "not both"),
        (
            ["list", "https://github.com/o/r/actions/runs/1/attempts/2", "--all"],
            "names one attempt",
        ),
        (["job", "-R", REPO, "-5"], "-5"),
        (["job", "-R", REPO, "https://x"], "not the URL of a job"),
        (["job", "-R", REPO, "1", "--base-url", "ftp://x"], "base_url"),
        (["job", "-R", REPO, "1", "--concurrency", "0"], "concurrency"),
        (["job", "-R", REPO, "1", "--api-version", "a b"], "API version"),
        (
            ["job", "https://ghes.corp/o/r/actions/runs/1/job/2", "--base-url", "h"],
            "--base-url says",
        ),
        (["job", "-R", "a/b", "--base-url", "h", "https://h/o/r/actions/runs/1/job/2"], "--repo"),
        (["job", "-R", "x.ghe.com/o/r", "1", "--base-url", "h"], "leave one of them out"),
        (["grep", "(", REPO], "no regular expression"),
        (["grep", "x"], "which repository"),
        (["grep", "x", REPO, "-C", "-1"], "--context"),
        (["grep", "x", REPO, "-l", "-c"], "not two"),
        (["grep", "x", REPO, "--json", "-c"], "not two"),
        (["grep", "x", REPO, "--runs", "1", "--since", "3d", "-b", "x"], "--since, --branch"),
        (["grep", "x", "a/b", "c/d", "--runs", "1"], "one repository"),
        (["watch"], "name one thing"),
        (["watch", "-R", REPO, "1", "--branch", "x"], "name one thing"),
        (["watch", "-R", REPO, "1", "--timeout", "5"], "90s, 30m or 2h"),
        (["watch", "-R", REPO, "1", "--interval", "0.1"], "--interval"),
        (["watch", "-R", REPO, "--commit", "abc123"], "full id"),
        (["watch", "-R", REPO, "abc"], "a run is a number or its address"),
        (["audit"], "which repository"),
        (["audit", REPO, "--since", "yesterday"], "a time reads 7d"),
        (["audit", REPO, "--since", "2026-10-02", "--until", "2026-10-01"], "after the end"),
        (["audit", REPO, "--status", "failed"], "did you mean failure?"),
        (["audit", REPO, "--status", "failed", "--plan"], "did you mean failure?"),
        (["grep", "x", REPO, "--status", "sucess"], "did you mean success?"),
        (["audit", REPO, "--workflow", "a/b"], "a workflow is"),
        (["audit", REPO, "--workflow", "a/b", "--plan"], "a workflow is"),
        (["grep", "x", REPO, "--workflow", "a/b"], "a workflow is"),
        (["audit", REPO, "--logs", "some"], "--logs"),
        (["audit", "a.ghe.com/o/r", "b.ghe.com/o/r"], "one host at a time"),
        (["timeline", "-R", REPO, "abc"], "a run is a number or its address"),
        (["timeline", "-R", REPO, "1", "-o", "run.png"], ".svg, .html or .json, not run.png"),
        (["timeline", "-R", REPO, "1", "-o", "none/run.svg"], "a folder that exists"),
        (["findings"], "there is no audit"),
        (["findings", "flaky"], "flaky_jobs"),
        (["findings", "--csv"], "name it"),
        (["findings", "costs", "--csv", "--json"], "not both"),
        (["findings", "--repo", "octo"], "OWNER/NAME"),
        (["findings", "--since", "yesterday"], "a time reads 7d"),
        (["report"], "there is no audit"),
        (["report", "--repo", "octo"], "OWNER/NAME"),
        (["report", "--since", "yesterday"], "a time reads 7d"),
        (["demo", "--runs", "0"], "--runs"),
    ],
)
def test_wrong_usage_is_one_line(
    ghjobs: Any,
    fake: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    said: str,
) -> None:
    """Whatever cannot be right ends with status 2 and one plain line, before any request."""
    monkeypatch.chdir(tmp_path)
    ran = ghjobs(*argv)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("ghjobs: ")
    assert said in ran.err
    assert not fake.requests
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            ("job", 5),
            f"{REPO} job 5: 404, {NOT_SEEN} (if 5 is a run: ghjobs list 5)",
        ),
        (
            ("log", 5),
            f"{REPO} job 5: 404, {NOT_SEEN} (if 5 is a run: ghjobs list 5)",
        ),
        (("list", 5), f"{REPO} run 5: 404, {NOT_SEEN}"),
        (("runs",), f"check the name, {REPO}/actions/runs: 404, {NOT_SEEN}"),
        (("runs", "-w", "CI"), "a workflow is named by its file (ci.yml)"),
    ],
)
def test_what_is_not_there(
    ghjobs: Any, fake: FakeGitHub, argv: tuple[object, ...], said: str
) -> None:
    """A 404 is one short line that says what to check first."""
    ran = ghjobs(*argv, "-R", REPO)
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert said in ran.err
    assert len(ran.err) < 160


def test_what_is_not_there_without_a_token(ghjobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token, the line says that one may be needed."""
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "or it is private and needs a token" in ghjobs("list", "-R", REPO, 5).err


def test_a_token_with_a_newline_is_not_shown(ghjobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that cannot be one ends with status 2, its source named and itself not."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret\nX-Injected: 1")
    ran = ghjobs("job", "-R", REPO, 1)
    assert ran.status == 2
    assert "GITHUB_TOKEN" in ran.err
    assert "secret" not in ran.err


@pytest.mark.parametrize("argv", [(), *((name,) for name in COMMANDS)])
def test_help_has_examples(ghjobs: Any, argv: tuple[str, ...]) -> None:
    """``--help`` of the command and of every part of it shows how it is used, within 80 columns."""
    ran = ghjobs(*argv, "--help")
    assert ran.status == 0
    assert f"    ghjobs {argv[0]}" in ran.out if argv else "Examples:" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_version(ghjobs: Any) -> None:
    """``--version`` names command and version."""
    assert ghjobs("--version").out.startswith("ghjobs 0.")


def test_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where cyclopts is missing, one line tells what to install."""
    whole = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("cyclopts"):
            raise ModuleNotFoundError("No module named 'cyclopts'", name="cyclopts")
        return whole(name, *args)

    monkeypatch.delitem(sys.modules, "ghjobs_async.cli.app", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["--help"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ghjobs-async[cli]" in err


def test_what_is_not_found(ghjobs: Any) -> None:
    """An answer of 404 is one line and status 1."""
    ran = ghjobs("job", "-R", REPO, 1)
    assert ran.status == 1
    assert "404" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            ("list", "-R", REPO, 5, "--attempt", 7),
            f"check the number, {REPO} run 5, attempt 7: 404",
        ),
        (("list", "-R", REPO, 5), f"check the number, {REPO} run 5: 404"),
        (("grep", "x", "octo-org/octo-rep"), "check the name, octo-org/octo-rep/"),
        (("audit", "--org", "nope", "-o", "{folder}"), "check the name, org nope: 404"),
        (("audit", "--user", "nope", "-o", "{folder}"), "check the name, user nope: 404"),
        (("grep", "x", REPO, "--runs", 5), f"{REPO} jobs 5: 404"),
    ],
)
def test_what_to_check(
    ghjobs: Any, fake: FakeGitHub, tmp_path: Path, argv: tuple[Any, ...], said: str
) -> None:
    """A 404 says first what to check, in the user's own terms."""
    fake.add_run(REPO, run_id=4)
    ran = ghjobs(*(str(one).format(folder=tmp_path / "out") for one in argv))
    assert ran.err.startswith(f"ghjobs: {said}")


@pytest.mark.parametrize("fault", [faults.bad_credentials(), faults.missing_permission()])
def test_a_refusal_says_first_what_to_do(ghjobs: Any, fake: FakeGitHub, fault: Fault) -> None:
    """The address comes last, without its query."""
    fake.add_run(REPO, run_id=4)
    fake.fail("jobs", fault)
    err = ghjobs("list", "-R", REPO, 4).err
    assert re.match(r"ghjobs: 40[13] [^:]+; the token ", err)
    assert err.endswith(f"(GET {fake.base_url}/repos/{REPO}/actions/runs/4/jobs)\n")


def test_an_older_server_is_asked_without_a_version(ghjobs: Any, fake: FakeGitHub) -> None:
    """``--api-version none`` sends no version."""
    job = fake.add_run(REPO).jobs[0]
    assert ghjobs("job", "-R", REPO, job.id, "--api-version", "none").status == 0
    assert "x-github-api-version" not in fake.requests[-1].headers


def test_gh_is_asked_for_the_token(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the environment has no token, gh's is taken, of the host that is asked."""
    job = fake.add_run(REPO).jobs[0]
    asked: list[list[str]] = []

    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(argv)
        return subprocess.CompletedProcess(argv, 0, "from-gh\n", "")

    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    assert ghjobs("job", "-R", REPO, job.id).status == 0
    host = fake.base_url.removeprefix("http://").removesuffix("/api/v3")
    assert asked == [["/bin/gh", "auth", "token", "--hostname", host]]
    assert fake.requests[-1].headers["authorization"] == "Bearer from-gh"


@pytest.mark.parametrize("failure", [OSError("no"), subprocess.TimeoutExpired("gh", 5)])
def test_gh_may_fail_silently(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A gh that hangs or cannot be run is as if it were not there."""
    job = fake.add_run(REPO).jobs[0]

    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        raise failure

    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    ran = ghjobs("job", "-R", REPO, job.id)
    assert (ran.status, ran.err) == (0, "")
    assert "authorization" not in fake.requests[-1].headers


def until(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until a command has come so far, for a while."""
    end = time.monotonic() + 30
    while not done():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_a_closed_pipe_is_quiet(start: Any, fake: FakeGitHub) -> None:
    """Whoever reads a log may stop (``| head``): no traceback, no message."""
    job = fake.add_run(REPO).jobs[0]
    fake.set_log(job.id, b"2026-11-21T16:37:40.0005085Z line\n" * 100_000)
    process = start("log", "-R", REPO, job.id)
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(10) == 141


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["--help"], 0),
        (["grep", "--help"], 0),
        (["--version"], 0),
        (["audit", REPO, "-q", "-o", "out"], 141),
    ],
)
def test_a_pipe_that_is_closed_at_once(
    start: Any,
    fake: FakeGitHub,
    argv: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Help that is not read to its end (``| head -1``) is no failure; other output ends as usual."""
    fake.add_run(REPO)
    monkeypatch.chdir(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*argv, stdout=writer)
    os.close(writer)
    assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == status


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_interrupted_is_one_line(start: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """Ctrl-C ends an audit with status 130 and one line; what had come was stored before it."""
    for _ in range(3):
        fake.add_run(REPO, jobs=20)
    fake.fail("jobs", faults.stall_headers(), after=2, times=None)
    process = start("audit", REPO, "--output", tmp_path / "out")
    store = AuditStore(tmp_path / "out")

    def stored() -> bool:
        if not store.path.exists():
            return False
        with store.read() as connection:
            return connection.execute("SELECT count(*) FROM runs").fetchall() == [(2,)]

    until(stored, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert out == b""
    assert err.count(b"\n") == 1
    assert b"40 jobs so far" in err


def test_an_interruption_while_it_starts_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while modules are imported ends like any other."""

    class Stopped:
        @property
        def run(self) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "ghjobs_async.cli.app", Stopped())
    assert main(["job"]) == 130
    assert capsys.readouterr() == ("", "ghjobs: interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(
    ("argv", "operation"),
    [
        (("list", "-R", REPO, "1"), "jobs"),
        (("log", "-R", REPO, "1"), "log"),
        (("grep", "x", REPO), "runs"),
        (("audit", REPO, "--plan"), "runs"),
    ],
)
def test_every_command_says_that_it_was_interrupted(
    start: Any, fake: FakeGitHub, argv: tuple[str, ...], operation: str
) -> None:
    """Ctrl-C ends any command with status 130 and one line, without a traceback."""
    fake.fail(operation, faults.stall_headers(), times=None)
    process = start(*argv)
    until(lambda: bool(fake.requests), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, b"", b"ghjobs: interrupted\n")


def test_the_script_is_installed() -> None:
    """The package installs the command under its name."""
    assert any(Path(sysconfig.get_path("scripts")).glob("ghjobs*"))
