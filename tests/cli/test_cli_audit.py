"""``ghjobs audit`` and ``ghjobs demo``."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ghjobs_async.audit import Estimate, RepoEstimate, Tally
from ghjobs_async.cli.output.progress import Progress, tally_bars
from ghjobs_async.models import RateLimit, Wait
from ghjobs_async.testing import FakeGitHub, scenario

REPO = "octo-org/octo-repo"
OTHER = "octo-org/hello-world"


@pytest.fixture
def runs(fake: FakeGitHub) -> None:
    fake.add_run(REPO, attempts=scenario.rerun_failed([scenario.failing("test / unit")]))
    fake.add_run(REPO, jobs=[scenario.failing("a"), scenario.skipped("b")], branch="dev")
    fake.add_run(OTHER, jobs=3)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.usefixtures("runs")
def test_an_audit_fills_its_folder(ghjobs: Any, tmp_path: Path) -> None:
    """Jobs with their repository, no failures, and the logs of the failed jobs."""
    out = tmp_path / "out"
    ran = ghjobs("audit", REPO, OTHER, "-o", out)
    assert ran.status == 0
    jobs = lines(out / "jobs.ndjson")
    assert sorted((job["repository"], job["name"]) for job in jobs)[-3:] == [
        (REPO, "a"),
        (REPO, "b"),
        (REPO, "test / unit"),
    ]
    assert (out / "failures.ndjson").read_bytes() == b""
    (log,) = (path for path in (out / "logs").rglob("*") if path.is_file())
    assert log.name.endswith("-a.log")
    assert b"##[error]" in log.read_bytes()
    assert "octo-org/hello-world" in ran.out
    assert str(out) in ran.err


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("options", "jobs", "logs"),
    [
        (["--logs", "none"], 3, 0),
        (["--logs", "all"], 3, 2),
        (["--all-attempts"], 4, 2),
        (["--branch", "dev"], 2, 1),
        (["--since", "2000-01-01", "--until", "2000-01-02"], 0, 0),
        (["--since", "7d"], 3, 1),
        (["--event", "schedule"], 0, 0),
        (["--actor", "octocat", "--status", "failure"], 2, 1),
        (["--workflow", "ci.yml"], 3, 1),
    ],
)
def test_an_audit_takes_what_is_asked(
    ghjobs: Any, tmp_path: Path, options: list[str], jobs: int, logs: int
) -> None:
    """Filters, attempts and logs are as asked; the summary says the same as JSON."""
    total = ghjobs("audit", REPO, *options, "-o", tmp_path, "--json").json["total"]
    assert (total["jobs"], total["logs"]) == (jobs, logs)
    assert len(lines(tmp_path / "jobs.ndjson")) == jobs
    assert len([path for path in (tmp_path / "logs").rglob("*") if path.is_file()]) == logs


@pytest.mark.usefixtures("runs")
def test_what_is_missing_is_written_down(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """A repository, a run and a log that fail cost nothing else; the status is 3."""
    first, second, _ = fake.runs
    first.attempts[-1].jobs[0].data["id"] = None
    fake.set_log(second.jobs[0].id, state="expired")
    ran = ghjobs("audit", "octo-org/nope", REPO, "-o", tmp_path)
    assert ran.status == 3
    failures = {one["what"]: one for one in lines(tmp_path / "failures.ndjson")}
    assert failures["search"]["repository"] == "octo-org/nope"
    assert failures["search"]["error"] == "NotFoundError"
    assert failures["jobs"]["run_id"] == first.id
    assert (failures["jobs"]["expected"], failures["jobs"]["got"]) == (1, 0)
    assert failures["jobs"]["undecodable"][0]["path"] == "jobs[0].id"
    assert failures["log"]["reason"] == "expired"
    assert "3 of the searches, runs or logs are missing" in ran.err
    assert "Missing" in ran.out


def test_a_repository_that_is_not_there(ghjobs: Any, tmp_path: Path) -> None:
    """Where nothing could be searched, that is the error, with status 1."""
    ran = ghjobs("audit", "octo-org/nope", "-o", tmp_path)
    assert ran.status == 1
    assert ran.out == ""
    assert "404" in ran.err


@pytest.mark.usefixtures("runs")
def test_a_folder_with_something_in_it_is_left_alone(ghjobs: Any, tmp_path: Path) -> None:
    """A folder that is not empty is refused; with ``--force`` an audit there is replaced."""
    (tmp_path / "mine.txt").write_text("mine")
    ran = ghjobs("audit", REPO, "-o", tmp_path)
    assert ran.status == 2
    assert "--force" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    for _ in range(2):
        assert ghjobs("audit", REPO, "-o", tmp_path, "--force").status == 0
    assert len(lines(tmp_path / "jobs.ndjson")) == 3
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.usefixtures("runs")
def test_an_audit_of_nothing_is_replaced(ghjobs: Any, tmp_path: Path) -> None:
    """What an audit without runs has left does not block the next one."""
    assert ghjobs("audit", REPO, "-o", tmp_path, "-b", "nope").status == 3
    assert ghjobs("audit", REPO, "-o", tmp_path).status == 0
    assert len(lines(tmp_path / "jobs.ndjson")) == 3


def test_a_folder_that_cannot_be(ghjobs: Any, tmp_path: Path) -> None:
    """A folder that cannot be made ends with status 2 and one line."""
    (tmp_path / "file").write_text("")
    ran = ghjobs("audit", REPO, "-o", tmp_path / "file" / "out")
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert "cannot write to" in ran.err


def test_no_name_leaves_the_folder(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """Jobs of every awkward name have each a log of their own, below ``logs``."""
    run = fake.add_run(REPO, jobs=scenario.awkward_names())
    assert ghjobs("audit", REPO, "--logs", "all", "-o", tmp_path / "out").status == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    logs = [path for path in files if path.suffix == ".log"]
    assert len(logs) == len({str(path).lower() for path in logs}) == len(run.jobs)
    assert all(path.is_relative_to(tmp_path / "out" / "logs") for path in logs)
    assert len(files) == len(logs) + 2


@pytest.mark.usefixtures("runs")
def test_quiet_says_nothing(ghjobs: Any, tmp_path: Path) -> None:
    """``--quiet`` leaves stderr empty where all is well."""
    assert ghjobs("audit", REPO, "-o", tmp_path, "--quiet").err == ""


def test_the_progress_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, counts, failures and a wait are shown, within its width."""
    monkeypatch.setattr("ghjobs_async.cli.output.progress._DELAY", 0)
    screen = io.StringIO()
    monkeypatch.setattr("ghjobs_async.cli.output.progress.is_terminal", lambda stream: True)
    monkeypatch.setattr(
        "ghjobs_async.cli.output.progress.console",
        lambda stream: Console(file=screen, force_terminal=True, width=80),
    )
    progress = Progress(quiet=False)
    tally = Tally()
    one = tally.of(REPO)
    one.expected, one.listed, one.jobs, one.failed, one.failures = 1234, 617, 7890, 56, 7
    one.logs_wanted, one.logs, one.log_bytes = 56, 20, 3_400_000
    tally.estimated = True
    with progress.showing(REPO, lambda: tally_bars(tally, tally.total.logs)):
        progress.on_wait(Wait(60, datetime.now(UTC) + timedelta(seconds=60), "primary rate limit"))
    shown = screen.getvalue()
    for part in ("617/1,234", "7,890 jobs", "56 failed", "7 missing", "20/56", "3.4 MB"):
        assert part in shown
    assert "waiting" in shown
    assert "primary rate limit" in shown
    assert "left" in shown


def test_the_demo(ghjobs: Any, tmp_path: Path) -> None:
    """``demo`` audits its own GitHub, whole, and says what to try next."""
    ran = ghjobs("demo", "--runs", 12, "-o", tmp_path)
    assert ran.status == 0
    assert "Repository" in ran.out
    assert "demo --serve" in ran.err
    assert len(lines(tmp_path / "jobs.ndjson")) > 20


@pytest.mark.skipif(sys.platform == "win32", reason="the lines are for another shell there")
def test_the_lines_of_a_served_demo_work(start: Any, tmp_path: Path) -> None:
    """What ``demo --serve`` prints can be pasted into a shell, line by line."""
    code = "import sys; from ghjobs_async.cli import main; sys.exit(main())"
    ghjobs = tmp_path / "ghjobs"
    ghjobs.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n")
    ghjobs.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}
    demo = start("demo", "--serve", "--runs", "40", text=True)
    script: list[str] = []
    while not script or not script[-1].startswith("ghjobs audit"):
        script.append(demo.stdout.readline())
        assert script[-1]
    done = subprocess.run(
        ["sh", "-e"],
        input="".join(script),
        text=True,
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    demo.send_signal(signal.SIGINT)
    assert demo.wait(10) == 0
    assert done.returncode == 0, done.stderr
    assert sum(line.startswith("ghjobs ") for line in script) == 5
    assert (tmp_path / "demo-audit" / "jobs.ndjson").stat().st_size


@pytest.mark.parametrize(
    ("quiet", "seconds", "told"), [(False, 60.0, True), (False, 0.2, False), (True, 60.0, False)]
)
def test_waits_are_told(
    capsys: pytest.CaptureFixture[str], quiet: bool, seconds: float, told: bool
) -> None:
    """Where there is no terminal a wait is a line on stderr, unless it is over at once."""
    Progress(quiet=quiet).on_wait(Wait(seconds, datetime.now(UTC), "primary rate limit"))
    assert ("primary rate limit" in capsys.readouterr().err) is told


def test_a_plan_tells_what_an_audit_takes(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """``--plan`` estimates the requests, from few, and writes nothing."""
    for _ in range(40):
        fake.add_run(REPO, jobs=[scenario.failing(), *scenario.matrix(120)])
    out = tmp_path / "out"
    said = ghjobs("audit", REPO, "--plan", "-o", out, "--json").json
    assert not out.exists()
    assert len(fake.requests) < 20
    fake.clear_requests()
    assert ghjobs("audit", REPO, "-o", out).status == 0
    assert said["requests"] == fake.asked_count("api") == 1 + 80 + 40
    text = ghjobs("audit", REPO, "--plan", "-o", tmp_path / "other").out
    assert "this server reports no limit" in text
    assert "about 121 requests" in text


NOW = datetime(2026, 10, 1, tzinfo=UTC)
SOON = RateLimit(limit=5000, remaining=100, reset_at=NOW + timedelta(seconds=600))


@pytest.mark.parametrize(
    ("pace", "limit", "requests", "seconds"),
    [
        (None, None, 3200, 10),
        (900, None, 900, 60),
        (900, SOON, 90, 6),
        (900, SOON, 1000, 660),
        (900, SOON, 5100 + 900, 600 + 3600 + 60),
    ],
)
def test_time_goes_by_pace_and_budget(
    pace: float | None, limit: RateLimit | None, requests: int, seconds: float
) -> None:
    """The pace, what is left until the reset, and an hour for each budget that is used up."""
    one = RepoEstimate(REPO, runs=1, jobs=1, searches=requests, listings=0, logs=0)
    assert Estimate((one,), 1, 0.1, pace, limit).seconds(32, NOW) == pytest.approx(seconds)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_a_filter_that_matches_no_run_is_no_clean_result(
    ghjobs: Any, tmp_path: Path, plan: tuple[str, ...]
) -> None:
    """Where no run was searched, the filters are named and the status is 3."""
    argv = ["audit", REPO, OTHER, "--branch", "nope", "--event", "push", "-o", tmp_path, *plan]
    ran = ghjobs(*argv, "-q")
    assert ran.status == 3
    assert ran.err.count("\n") == 1
    assert f"no run matches --branch nope --event push in {REPO}, {OTHER}" in ran.err
    assert ghjobs(*argv, "-q", "--allow-empty", "--force").err == ""
    assert ghjobs(*argv, "--allow-empty", "--force").status == 0


@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_a_quiet_repository_is_no_clean_result(
    ghjobs: Any, fake: FakeGitHub, tmp_path: Path, plan: tuple[str, ...]
) -> None:
    """A repository without any run ends with status 3, too."""
    fake.repo(REPO)
    ran = ghjobs("audit", REPO, "-o", tmp_path, *plan)
    assert ran.status == 3
    assert f"there are no runs in {REPO}" in ran.err


def test_runs_without_jobs_are_counted(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """A run that failed at startup shows in the table, in JSON and in the last lines."""
    fake.add_run(REPO)
    scenario.startup_failure(fake, REPO)
    ran = ghjobs("audit", REPO, "-o", tmp_path)
    assert ran.status == 0
    assert "No jobs" in ran.out
    assert "no jobs in 1 run" in ran.err
    total = ghjobs("audit", REPO, "-o", tmp_path, "--force", "--json").json["total"]
    assert (total["runs"], total["runs_without_jobs"], total["jobs"]) == (2, 1, 1)
