"""``ghjobs audit`` and ``ghjobs demo``."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from ghjobs_async import GitHubJobs
from ghjobs_async.audit import AuditStore, Counts, Estimate, RepoEstimate
from ghjobs_async.audit.results.readable import LOOKS
from ghjobs_async.cli.output.audit import audit_bars
from ghjobs_async.cli.output.progress import Progress, count_bars
from ghjobs_async.models import RateLimit, Wait
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario

REPO = "octo-org/octo-repo"
BAR = "\u2501"
OTHER = "octo-org/hello-world"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
SOON = RateLimit(limit=5000, remaining=100, reset_at=NOW + timedelta(seconds=600))


@pytest.fixture
def runs(fake: FakeGitHub) -> None:
    fake.add_run(REPO, attempts=scenario.rerun_failed([scenario.failing("test / unit")]))
    fake.add_run(REPO, jobs=[scenario.failing("a"), scenario.skipped("b")], branch="dev")
    fake.add_run(OTHER, jobs=3)


def rows(folder: Path, sql: str) -> list[Any]:
    with AuditStore(folder).read() as connection:
        return connection.execute(sql).fetchall()


def asked(fake: FakeGitHub, operation: str) -> int:
    return sum(one.operation == operation for one in fake.requests)


def logs_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "logs").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("runs")
def test_an_audit_fills_its_folder(ghjobs: Any, tmp_path: Path) -> None:
    """Jobs of every attempt with their repository, no failures, and the logs of the failed jobs."""
    out = tmp_path / "out"
    ran = ghjobs("audit", REPO, OTHER, "-o", out)
    assert ran.status == 0
    jobs = rows(out, "SELECT repository, name, run_attempt FROM jobs ORDER BY ALL")
    assert jobs[-4:] == [
        (REPO, "a", 1),
        (REPO, "b", 1),
        (REPO, "test / unit", 1),
        (REPO, "test / unit", 2),
    ]
    assert rows(out, "FROM failures") == []
    logs = logs_in(out)
    names = sorted(path.name.partition("-")[2] for path in logs)
    assert names == ["a.log", "test-unit.log"]
    assert all(b"##[error]" in log.read_bytes() for log in logs)
    kept = rows(out, "SELECT path FROM logs ORDER BY path")
    assert kept == sorted((log.relative_to(out).as_posix(),) for log in logs)
    assert "octo-org/hello-world" in ran.out
    assert str(out) in ran.err


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("options", "jobs", "logs"),
    [
        (["--logs", "none"], 4, 0),
        (["--logs", "all"], 4, 3),
        (["--latest"], 3, 1),
        (["--branch", "dev"], 2, 1),
        (["--since", "2000-01-01", "--until", "2000-01-02"], 0, 0),
        (["--since", "7d"], 4, 2),
        (["--event", "schedule"], 0, 0),
        (["--actor", "octocat", "--status", "failure"], 2, 1),
        (["--workflow", "ci.yml"], 4, 2),
    ],
)
def test_an_audit_takes_what_is_asked(
    ghjobs: Any, tmp_path: Path, options: list[str], jobs: int, logs: int
) -> None:
    """Filters, attempts and logs are as asked; the summary says the same as JSON."""
    total = ghjobs("audit", REPO, *options, "-o", tmp_path, "--json").json["total"]
    assert (total["jobs"], total["logs"]) == (jobs, logs)
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(jobs,)]
    assert len(logs_in(tmp_path)) == logs


@pytest.mark.usefixtures("runs")
def test_what_is_missing_is_written_down(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """A repository, a run and a log that fail cost nothing else; the status is 3."""
    first, second, _ = fake.runs
    first.attempts[-1].jobs[0].data["id"] = None
    fake.set_log(second.jobs[0].id, state="expired")
    ran = ghjobs("audit", "octo-org/nope", REPO, "-o", tmp_path)
    assert ran.status == 3
    failures = {
        row[0]: row[1:]
        for row in rows(
            tmp_path, "SELECT what, repository, run_id, error, reason, text FROM failures"
        )
    }
    assert failures["search"][:3] == ("octo-org/nope", None, "NotFoundError")
    assert failures["jobs"][1:4] == (first.id, "Incomplete", None)
    assert "2 expected, 1 got" in failures["jobs"][4]
    assert "jobs[1].id" in failures["jobs"][4]
    assert failures["log"][3] == "expired"
    assert "check the name, octo-org/nope" in ran.err
    assert (
        f"2 things missing: the next audit tries again, and ghjobs findings incomplete --audit {tmp_path} says"
        in ran.err
    )
    assert "Missing" in ran.out


@pytest.mark.usefixtures("runs")
def test_a_misspelt_repository_spoils_no_later_audit(ghjobs: Any, tmp_path: Path) -> None:
    """The status tells of the repositories that are asked for, not of all that the folder knows."""
    assert ghjobs("audit", "octo-org/nope", REPO, "-o", tmp_path).status == 3
    ran = ghjobs("audit", REPO, "-o", tmp_path)
    assert (ran.status, "missing" in ran.err) == (0, False)
    assert ghjobs("audit", "octo-org/nope", REPO, "-o", tmp_path).status == 3


def test_a_repository_that_is_not_there(ghjobs: Any, tmp_path: Path) -> None:
    """Where nothing could be searched, that is the error, with status 1."""
    ran = ghjobs("audit", "octo-org/nope", "-o", tmp_path)
    assert ran.status == 1
    assert ran.out == ""
    assert "404" in ran.err


@pytest.mark.usefixtures("runs")
def test_the_same_again_continues(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """A second audit of the folder asks only for what is new, and says what it saved."""
    (tmp_path / "mine.txt").write_text("mine")
    assert ghjobs("audit", REPO, "-o", tmp_path).status == 0
    fake.add_run(REPO, jobs=[scenario.failing("c")])
    fake.clear_requests()
    ran = ghjobs("audit", REPO, "-o", tmp_path)
    assert ran.status == 0
    assert [one.operation for one in fake.requests] == ["runs", "jobs", "log", "storage"]
    assert "1 run, 1 job of all attempts came to" in ran.err
    assert "2 runs were known" in ran.err
    fake.clear_requests()
    ran = ghjobs("audit", REPO, "-o", tmp_path)
    assert [(one.operation, one.status) for one in fake.requests] == [("runs", 304)]
    assert "1 request, of which 1 cost nothing" in ran.err
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(5,)]
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.usefixtures("runs")
def test_what_is_no_audit_is_left_alone(ghjobs: Any, tmp_path: Path) -> None:
    """A database of another kind is refused, and stays as it is."""
    (tmp_path / "audit.duckdb").write_bytes(b"mine" * 5000)
    ran = ghjobs("audit", REPO, "-o", tmp_path)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert (tmp_path / "audit.duckdb").read_bytes() == b"mine" * 5000


def test_a_folder_that_cannot_be(ghjobs: Any, tmp_path: Path) -> None:
    """A folder that cannot be made ends with status 2 and one line."""
    (tmp_path / "file").write_text("")
    ran = ghjobs("audit", REPO, "-o", tmp_path / "file" / "out")
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert "file" in ran.err


def test_no_name_leaves_the_folder(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """Jobs of every awkward name have each a log of their own, below ``logs``."""
    run = fake.add_run(REPO, jobs=scenario.awkward_names())
    assert ghjobs("audit", REPO, "--logs", "all", "-o", tmp_path / "out").status == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    logs = [path for path in files if path.suffix == ".log"]
    assert len(logs) == len({str(path).lower() for path in logs}) == len(run.jobs)
    assert all(path.is_relative_to(tmp_path / "out" / "logs") for path in logs)
    assert len(files) == len(logs) + 1


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
    counts = Counts(expected=1234, listed=617, jobs=7890, failed=56, missing=7, estimated=True)
    counts.logs_wanted, counts.logs, counts.log_bytes = 56, 20, 3_400_000
    with progress.showing(REPO, lambda: count_bars(counts, counts.logs)):
        progress.on_wait(Wait(60, datetime.now(UTC) + timedelta(seconds=60), "primary rate limit"))
    shown = screen.getvalue()
    for part in ("617/1,234", "7,890 jobs", "56 failed", "7 missing", "20/56", "3.4 MB"):
        assert part in shown
    assert "waiting" in shown
    assert "primary rate limit" in shown
    assert "left" in shown


@pytest.mark.parametrize(
    ("windows", "done", "shown"), [(0, 0, "73/200"), (4, 4, "73/200"), (4, 1, "73/about 200")]
)
def test_a_total_that_is_an_estimate_is_marked(windows: int, done: int, shown: str) -> None:
    """Only where all windows were read, or GitHub told it, the number of runs is known."""
    counts = Counts(expected=200, listed=73, estimated=True, windows=windows, windows_done=done)
    assert count_bars(counts, 0)[0].text == shown
    counts.estimated = False
    assert count_bars(counts, 0)[0].text == "73"


@pytest.mark.parametrize(
    ("width", "drawn", "shown"),
    [
        (80, True, "617/1,234  7,890 jobs  56 failed  7 missing"),
        (60, False, "617/1,234  7,890 jobs  56 failed  7 missing"),
        (40, False, "617/1,234  7,890 jobs  56 failed"),
        (30, False, "617/1,234  7,890 jobs"),
        (20, False, "617/1,234"),
    ],
)
def test_the_progress_fits(
    monkeypatch: pytest.MonkeyPatch, width: int, drawn: bool, shown: str
) -> None:
    """Where there is little room, the bars go first, then the last fields; no number is cut."""
    monkeypatch.setattr("ghjobs_async.cli.output.progress._DELAY", 0)
    monkeypatch.setattr("ghjobs_async.cli.output.progress.is_terminal", lambda stream: True)
    screen = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    monkeypatch.setattr("ghjobs_async.cli.output.progress.console", lambda stream: screen)
    counts = Counts(expected=1234, listed=617, jobs=7890, failed=56, missing=7, estimated=True)
    with Progress(quiet=False).showing(REPO, lambda: count_bars(counts, 0)):
        pass
    assert isinstance(screen.file, io.StringIO)
    line = next(line for line in screen.file.getvalue().splitlines() if "  runs" in line)
    assert line.rstrip().endswith(f"  {shown}")
    assert (BAR in line) is drawn


def test_the_progress_tells_the_requests(tmp_path: Path) -> None:
    """How many there were, what the ETags saved, and what is left of the hour."""
    gh = SimpleNamespace(rate_limit=SOON)
    audit = SimpleNamespace(counts=Counts(), requests=1234, not_modified=567)
    bar = audit_bars(cast("Any", audit), cast("Any", gh))[-1]
    assert (bar.name, bar.done, bar.drawn) == ("requests", 1234, False)
    assert bar.more.plain == "567 cost nothing  100 left until 00:10 UTC"


def test_the_time_left_goes_by_the_windows() -> None:
    """Once a quarter of the windows was read, they tell how many runs there are."""
    counts = Counts(found=30, windows=12, windows_done=2)
    counts.expect()
    assert (counts.expected, counts.estimated) == (180, False)
    counts.windows_done = 3
    counts.expect()
    assert (counts.expected, counts.estimated) == (120, True)
    counts.windows_done, counts.found = 12, 121
    counts.expect()
    assert counts.expected == 121


def test_the_demo(ghjobs: Any, tmp_path: Path) -> None:
    """``demo`` audits its own GitHub, shows what that tells, and says what to open and to try."""
    tmp_path /= "my demo"
    ran = ghjobs("demo", "--runs", 40, "-o", tmp_path)
    assert ran.status == 0
    assert "Repository" in ran.out
    assert "demo --serve" in ran.err
    assert f"query --audit '{tmp_path}' " in ran.out
    assert f"more: ghjobs findings failure_rates --audit '{tmp_path}'\n" in ran.out
    for name in ("flaky_jobs", "failure_rates", "failure_reasons"):
        assert LOOKS[name].head in ran.out
    assert f"open {tmp_path / 'audit.html'} " in ran.err
    assert "</html>" in (tmp_path / "audit.html").read_text()
    assert "</svg>" in (tmp_path / "run.svg").read_text()
    assert rows(tmp_path, "SELECT count(*) > 20 FROM jobs") == [(True,)]


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
    while not script or not script[-1].startswith("ghjobs findings"):
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
    assert sum(line.startswith("ghjobs ") for line in script) == 8
    assert rows(tmp_path / "demo-audit", "SELECT count(*) > 0 FROM jobs") == [(True,)]


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
    assert ghjobs(*argv, "-q", "--allow-empty").err == ""
    assert ghjobs(*argv, "--allow-empty").status == 0


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
    total = ghjobs("audit", REPO, "-o", tmp_path, "--json").json["total"]
    assert (total["runs"], total["runs_without_jobs"], total["jobs"]) == (2, 1, 1)


# Whose repositories.


@pytest.fixture
def owned(fake: FakeGitHub) -> None:
    for name in ("octo-org/one", "octo-org/two", "octo-org/old", "octo-org/copy", "mona/hers"):
        fake.add_run(name)
    fake.repo("octo-org/old").archived = True
    fake.repo("octo-org/copy").fork = True


@pytest.mark.usefixtures("owned")
@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--org", "octo-org"], ["octo-org/one", "octo-org/two"]),
        (["--org", "octo-org", "--archived"], ["octo-org/old", "octo-org/one", "octo-org/two"]),
        (["--org", "octo-org", "--forks"], ["octo-org/copy", "octo-org/one", "octo-org/two"]),
        (["--user", "mona"], ["mona/hers"]),
        (["--user", "mona", "--org", "octo-org"], ["mona/hers", "octo-org/one", "octo-org/two"]),
        (["mona/hers", "--org", "OCTO-org"], ["mona/hers", "octo-org/one", "octo-org/two"]),
    ],
)
def test_an_owner_stands_for_its_repositories(
    ghjobs: Any, tmp_path: Path, options: list[str], names: list[str]
) -> None:
    """Those of organizations and users; archived ones and forks only where they are asked for."""
    ran = ghjobs("audit", *options, "-o", tmp_path)
    assert ran.status == 0
    assert rows(tmp_path, "SELECT DISTINCT repository FROM jobs ORDER BY ALL") == [
        (name,) for name in names
    ]
    assert ("left out" in ran.err) == ("--org" in options)


def test_an_owner_has_many_repositories(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """All pages of its list are read."""
    for n in range(130):
        fake.repo(f"octo-org/repo-{n}")
    ghjobs("audit", "--org", "octo-org", "-o", tmp_path)
    assert asked(fake, "org_repos") == 2
    assert asked(fake, "runs") == 130


def test_an_owner_that_is_not_there(ghjobs: Any, tmp_path: Path) -> None:
    """It is an error, and nothing is written."""
    ran = ghjobs("audit", "--org", "nobody", "-o", tmp_path / "out")
    assert ran.status == 1
    assert "404" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("owned")
def test_a_file_names_repositories(ghjobs: Any, tmp_path: Path) -> None:
    """One on each line; comments and empty lines are left out."""
    names = tmp_path / "names.txt"
    names.write_text("# ours\nocto-org/one\n\nmona/hers  # hers\n")
    assert ghjobs("audit", "octo-org/two", "--repos", names, "-o", tmp_path / "out").status == 0
    assert len(rows(tmp_path / "out", "SELECT DISTINCT repository FROM jobs")) == 3


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "not a repository\n"])
def test_a_file_that_names_none(ghjobs: Any, tmp_path: Path, text: str | None) -> None:
    """A file that is not there, empty or malformed ends with status 2."""
    names = tmp_path / "names.txt"
    if text is not None:
        names.write_text(text)
    ran = ghjobs("audit", "--repos", names, "-o", tmp_path / "out")
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


# Parts, plans, interruptions.


@pytest.mark.usefixtures("runs")
def test_shards_are_audited_and_merged(ghjobs: Any, tmp_path: Path) -> None:
    """The merge of all parts has what one audit has."""
    assert ghjobs("audit", REPO, OTHER, "-o", tmp_path / "whole").status == 0
    for part in ("1/2", "2/2"):
        folder = tmp_path / part[0]
        assert ghjobs("audit", REPO, OTHER, "--shard", part, "-o", folder).status == 0
    merged = tmp_path / "merged"
    assert ghjobs("merge", tmp_path / "1", tmp_path / "2", "-o", merged).status == 0
    sql = "SELECT repository, run_id, job_id, name, run_attempt FROM jobs ORDER BY ALL"
    assert rows(merged, sql) == rows(tmp_path / "whole", sql)
    assert len(logs_in(merged)) == len(logs_in(tmp_path / "whole"))


@pytest.mark.parametrize(("options", "share"), [([], 1), (["--shard", "2/4"], 4)])
def test_a_shard_keeps_to_its_share_of_the_pace(
    ghjobs: Any, monkeypatch: pytest.MonkeyPatch, options: list[str], share: int
) -> None:
    """N processes together send as many requests a minute as one."""
    paces: list[float] = []

    def run_audit(gh: GitHubJobs, *_: object, **__: object) -> int:
        paces.append(gh.requests_per_minute or 0)
        return 0

    monkeypatch.setattr("ghjobs_async.cli.commands.audit.run_audit", run_audit)
    ghjobs("audit", REPO, *options, "--base-url", "https://api.github.com")
    assert paces == [900 / share]


def test_what_is_no_shard(ghjobs: Any, tmp_path: Path) -> None:
    """Anything but I/N is refused before anything is written."""
    ran = ghjobs("audit", REPO, "--shard", "3/2", "-o", tmp_path / "out")
    assert ran.status == 2
    assert "a shard reads" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("runs")
def test_a_plan_counts_what_is_stored(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """What the folder has need not be asked for again."""
    assert ghjobs("audit", REPO, "-o", tmp_path).status == 0
    fake.add_run(REPO)
    [found] = ghjobs("audit", REPO, "-o", tmp_path, "--plan", "--json").json["repositories"]
    assert (found["runs"], found["known"], found["listings"]) == (3, 2, 1)


@pytest.mark.usefixtures("runs")
def test_a_plan_says_what_it_was_estimated_from(ghjobs: Any, tmp_path: Path) -> None:
    """A sample is named only where one was taken."""
    found = ghjobs("audit", REPO, "-o", tmp_path, "--plan").out
    assert "estimated from a sample of runs; to find that out took 3 requests" in found
    assert ghjobs("audit", REPO, "-o", tmp_path).status == 0
    found = ghjobs("audit", REPO, "-o", tmp_path, "--plan").out
    assert "no run is new; to find that out took 1 request" in found
    assert "sample" not in found


@pytest.mark.usefixtures("runs")
def test_two_numbers_of_jobs_are_explained(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """Where the summary has fewer jobs than the attempts, the reason is said."""
    assert "summed up once" not in ghjobs("audit", REPO, "-o", tmp_path).err
    first = scenario.rerun_failed([scenario.failing("unit"), JobSpec("lint")])
    fake.add_run(OTHER, attempts=first)
    ran = ghjobs("audit", OTHER, "-o", tmp_path / "other")
    assert "jobs of all attempts came to" in ran.err
    assert ran.err.rstrip().endswith("; a job that a re-run took over is summed up once")


def test_a_log_that_never_comes_is_no_failure(
    ghjobs: Any, fake: FakeGitHub, tmp_path: Path
) -> None:
    """The status is 0: nothing is missing that may still come."""
    run = fake.add_run(REPO, jobs=[scenario.failing()])
    fake.set_log(run.jobs[0].id, state="expired")
    assert ghjobs("audit", REPO, "-o", tmp_path).status == 0
    assert rows(tmp_path, "SELECT reason FROM failures") == [("expired",)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by another way there")
def test_ctrl_c_keeps_what_has_come(fake: FakeGitHub, start: Any, tmp_path: Path) -> None:
    """It ends with status 130 and one line that counts all jobs; the same command continues."""
    for _ in range(300):
        fake.add_run(REPO, jobs=[scenario.failing()])
    fake.latency = 0.02
    counted = []
    for more in (60, 120):
        process = start("audit", REPO, "--concurrency", "4", "-o", tmp_path)
        while asked(fake, "jobs") < more:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err.count(b"\n") == 1
        found = re.search(r"interrupted: (\d+) jobs so far are in", err.decode())
        assert found
        counted.append(int(found[1]))
        assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(counted[-1],)]
    assert 40 < counted[0] < counted[1] < 300
    assert (
        rows(tmp_path, "SELECT outcome, ended_at IS NULL FROM audits")
        == [("interrupted", False)] * 2
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by another way there")
def test_ctrl_c_in_the_demo(
    ghjobs: Any, start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that it names continues it, though the folder is a temporary one."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start("demo", "--runs", "150")
    # The rate limit is hit half-way.
    assert process.stderr.readline().startswith(b"waiting")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    again = re.search(r"; \S+ (.+) continues it", err.decode())
    assert again
    ran = ghjobs(*shlex.split(again[1]))
    assert ran.status == 0
    assert "were known" in ran.err
