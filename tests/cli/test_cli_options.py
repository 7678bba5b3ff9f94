"""``--web``, ``--exit-status``, ``--verbose``, and shell completion."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclopts.completion import detect

from ghjobs_async.client import GitHubJobs
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario

REPO = "octo-org/octo-repo"
BASH = shutil.which("bash")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the browser of these tests writes what it is to open."""
    script, into = tmp_path / "browser.py", tmp_path / "opened"
    script.write_text(
        "import pathlib, sys\n"
        f"pathlib.Path({str(into)!r}).write_text('|'.join(sys.argv[1:]))\n"
        "sys.exit(sys.argv[1] == '--fail')\n"
    )
    monkeypatch.setenv("BROWSER", f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}")
    monkeypatch.delenv("GH_BROWSER", raising=False)
    return into


def test_the_page_of_a_run(ghjobs: Any, fake: FakeGitHub, opened: Path) -> None:
    """``list --web`` opens the page of the run or of its attempt, without a request."""
    web = fake.base_url.removesuffix("/api/v3")
    ran = ghjobs("list", "-R", REPO, 5, "--web")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == f"opening {web}/{REPO}/actions/runs/5\n"
    assert opened.read_text() == f"{web}/{REPO}/actions/runs/5"
    assert ghjobs("list", "-R", REPO, 5, "-a", 2, "--web", "-q").err == ""
    assert opened.read_text() == f"{web}/{REPO}/actions/runs/5/attempts/2"
    assert not fake.requests


def test_the_page_of_a_job(ghjobs: Any, fake: FakeGitHub, opened: Path) -> None:
    """``job --web`` opens the page that GitHub names."""
    job = fake.add_run(REPO).jobs[0]
    assert ghjobs("job", "-R", REPO, job.id, "--web").status == 0
    assert opened.read_text() == str(job.payload()["html_url"]).replace(
        "https://github.com", fake.base_url.removesuffix("/api/v3")
    )


@pytest.mark.parametrize("page", ["https://evil.example/x", "file:///etc/passwd", "-h", None])
def test_no_page_of_another_host_is_opened(
    ghjobs: Any, fake: FakeGitHub, opened: Path, page: str | None
) -> None:
    """Where a job names a page of another host, its own page on this host is opened."""
    run = fake.add_run(REPO)
    run.jobs[0].data["html_url"] = page
    assert ghjobs("job", "-R", REPO, run.jobs[0].id, "--web").status == 0
    web = fake.base_url.removesuffix("/api/v3")
    assert opened.read_text() == f"{web}/{REPO}/actions/runs/{run.id}/job/{run.jobs[0].id}"


def test_which_browser(
    ghjobs: Any, fake: FakeGitHub, opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``GH_BROWSER`` comes before ``BROWSER``; ``%s`` stands for the address."""
    monkeypatch.setenv("GH_BROWSER", os.environ["BROWSER"] + " --new %s 'a b'")
    monkeypatch.setenv("BROWSER", "no-such-browser")
    page = f"{fake.base_url.removesuffix('/api/v3')}/{REPO}/actions/runs/5"
    assert ghjobs("list", "-R", REPO, 5, "--web").status == 0
    assert opened.read_text() == f"--new|{page}|a b"


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("no-such-browser-here", 1, "BROWSER: no-such-browser-here cannot be started"),
        ("'unclosed", 2, "BROWSER is not a command"),
        (" ", 2, "BROWSER is not a command"),
    ],
)
def test_a_browser_that_is_none(
    ghjobs: Any, monkeypatch: pytest.MonkeyPatch, command: str, status: int, said: str
) -> None:
    """A browser that cannot be run is an error in one line."""
    monkeypatch.delenv("GH_BROWSER", raising=False)
    monkeypatch.setenv("BROWSER", command)
    ran = ghjobs("list", "-R", REPO, 5, "--web", "-q")
    assert ran.status == status
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_browser_that_fails(ghjobs: Any, opened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser's own failure is ours."""
    monkeypatch.setenv("BROWSER", os.environ["BROWSER"] + " --fail")
    ran = ghjobs("list", "-R", REPO, 5, "--web")
    assert ran.status == 1
    assert "ended with status 1" in ran.err


@pytest.mark.parametrize(("found", "status"), [(True, 0), (False, 1)])
def test_the_systems_browser(
    ghjobs: Any, monkeypatch: pytest.MonkeyPatch, found: bool, status: int
) -> None:
    """Without a variable the system's browser is asked; where there is none, one line says so."""
    asked: list[str] = []

    def open_(url: str) -> bool:
        asked.append(url)
        return found

    for name in ("GH_BROWSER", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("webbrowser.open", open_)
    ran = ghjobs(
        "list", f"https://github.com/{REPO}/actions/runs/5", "--web", "--base-url", "github.com"
    )
    assert ran.status == status
    assert asked == [f"https://github.com/{REPO}/actions/runs/5"]
    assert ("set BROWSER" in ran.err) is not found


@pytest.mark.parametrize("option", [("--json",), ("--jq", "."), ("--exit-status",)])
@pytest.mark.parametrize("command", ["list", "job"])
def test_web_stands_alone(ghjobs: Any, command: str, option: tuple[str, ...]) -> None:
    """``--web`` prints nothing, so what says how to print is a usage error beside it."""
    ran = ghjobs(command, "-R", REPO, 5, "--web", *option)
    assert ran.status == 2
    assert "--web only opens a page" in ran.err


@pytest.mark.parametrize(
    ("status", "conclusion", "ends"),
    [
        ("completed", "failure", 1),
        ("completed", "timed_out", 1),
        ("completed", "action_required", 1),
        ("completed", "success", 0),
        ("completed", "cancelled", 0),
        ("completed", "skipped", 0),
        ("in_progress", None, 0),
        ("queued", "failure", 0),
    ],
)
def test_the_exit_status(
    ghjobs: Any, fake: FakeGitHub, status: str, conclusion: str | None, ends: int
) -> None:
    """``--exit-status`` is 1 where a job has completed and failed, as gh counts it."""
    spec = JobSpec(name="odd", overrides={"status": status, "conclusion": conclusion})
    run = fake.add_run(REPO, jobs=[scenario.skipped(), spec])
    for option in ((), ("--json",), ("--failed",)):
        assert ghjobs("list", "-R", REPO, run.id, *option).status == 0
        assert ghjobs("list", "-R", REPO, run.id, *option, "--exit-status").status == ends
    for option in ((), ("--json",)):
        assert ghjobs("job", "-R", REPO, run.jobs[1].id, *option).status == 0
        assert ghjobs("job", "-R", REPO, run.jobs[1].id, *option, "--exit-status").status == ends


def test_a_failure_counts_in_an_incomplete_list(ghjobs: Any, fake: FakeGitHub) -> None:
    """With ``--exit-status``, a failure is 1 even where jobs are missing; else that is 3."""
    run = fake.add_run(REPO, jobs=[scenario.failing(), scenario.skipped()])
    run.jobs[1].data["id"] = None
    assert ghjobs("list", "-R", REPO, run.id, "--exit-status").status == 1
    run.jobs[0].data["conclusion"] = "success"
    assert ghjobs("list", "-R", REPO, run.id, "--exit-status").status == 3


@pytest.mark.parametrize("argv", [("--verbose", "list"), ("list", "--verbose")])
def test_verbose_shows_the_log_messages(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """``--verbose``, before or after the command, prints the logger's messages as plain lines."""
    run = fake.add_run(REPO)
    listed = GitHubJobs.list_jobs

    async def list_jobs(self: GitHubJobs, *args: Any, **kwargs: Any) -> Any:
        logging.getLogger("ghjobs_async.transport").debug("GET %s", "one\x1b[2J\ntwo")
        return await listed(self, *args, **kwargs)

    monkeypatch.setattr(GitHubJobs, "list_jobs", list_jobs)
    ran = ghjobs(*argv, "-R", REPO, run.id)
    assert ran.status == 0
    assert "GET one two" in [line[13:] for line in ran.err.splitlines()]
    assert ghjobs("list", "-R", REPO, run.id).err == ""
    assert logging.getLogger("ghjobs_async").handlers == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(ghjobs: Any, shell: str) -> None:
    """``--show-completion`` prints a script that knows the commands and their options."""
    ran = ghjobs("--show-completion", shell)
    assert ran.status == 0
    assert "exit-status" in ran.out
    assert "runs" in ran.out


@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", ".local/share/bash-completion/completions/ghjobs"),
        ("zsh", ".zsh/completions/_cyclopts_ghjobs"),
        ("fish", ".config/fish/completions/ghjobs.fish"),
    ],
)
def test_completion_is_installed(
    ghjobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, path: str
) -> None:
    """``--install-completion`` writes the script where the shell looks, and says where."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ZSH", "ZSH_CUSTOM"):
        monkeypatch.delenv(name, raising=False)
    ran = ghjobs("--install-completion", shell)
    assert (ran.status, ran.out) == (0, "")
    assert str(tmp_path / path) in ran.err
    assert "exit-status" in (tmp_path / path).read_text()


def test_an_unknown_shell(ghjobs: Any) -> None:
    """A shell that is not known is a usage error in one line that names those that are."""
    ran = ghjobs("--install-completion", "csh")
    assert ran.status == 2
    assert "fish" in ran.err
    assert ran.err.count("\n") == 1


def test_a_shell_that_cannot_be_found_out(ghjobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the shell cannot be found out, one line asks for its name."""

    def nowhere() -> str:
        raise detect.ShellDetectionError

    monkeypatch.setattr(detect, "detect_shell", nowhere)
    ran = ghjobs("--show-completion")
    assert ran.status == 2
    assert "which shell?" in ran.err


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes(ghjobs: Any, tmp_path: Path) -> None:
    """In bash the script completes commands and options."""
    script = tmp_path / "completion"
    script.write_text(ghjobs("--show-completion", "bash").out)
    asked = (
        f". {script}; complete -p ghjobs >{tmp_path}/how; "
        "f=$(sed 's/.*-F \\([^ ]*\\).*/\\1/' " + f"{tmp_path}/how); "
        "COMP_WORDS=(ghjobs runs --li); COMP_CWORD=2; $f ghjobs --li runs; echo ${COMPREPLY[*]}"
    )
    ran = subprocess.run(
        [str(BASH), "--norc", "-c", asked], capture_output=True, text=True, timeout=20, check=True
    )
    assert ran.stdout == "--limit\n"


@pytest.mark.parametrize(
    ("argv", "absent"),
    [
        (("--version",), ("jq", "webbrowser", "ghjobs_async.cli.commands")),
        (("--help",), ("jq", "webbrowser", "ghjobs_async.cli.commands")),
        (("runs", "--help"), ("jq", "webbrowser", "ghjobs_async.cli.commands.list")),
    ],
)
def test_start_up_stays_light(argv: tuple[str, ...], absent: tuple[str, ...]) -> None:
    """What a command does not need is not imported: no other command, no jq, no browser."""
    code = (
        "import sys; from ghjobs_async.cli import main; status = main(sys.argv[1:]);"
        f"sys.exit(status or {set(absent)!r} & set(sys.modules) or 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
