"""``ghjobs job`` and ``ghjobs list``."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ghjobs_async.testing import FakeGitHub, FakeRun, faults, scenario

REPO = "octo-org/octo-repo"


@pytest.fixture
def run(fake: FakeGitHub) -> FakeRun:
    jobs = [scenario.failing("test / unit"), scenario.skipped(), scenario.queued("later")]
    return fake.add_run(REPO, attempts=scenario.rerun_failed(jobs))


def test_a_job_is_shown_as_lines(ghjobs: Any, run: FakeRun) -> None:
    """Elsewhere than on a terminal, a job is lines of a name, a tab and a value."""
    ran = ghjobs("job", "-R", REPO, run.attempts[0].jobs[0].id)
    assert ran.status == 0
    assert ["name:", "test / unit"] in ran.rows
    assert ["state:", "failure"] in ran.rows
    assert any(row[0] == "failure" and row[2] == "Run tests" for row in ran.rows)


def test_a_job_on_a_terminal(
    ghjobs: Any, run: FakeRun, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps have the numbers that ``log --step`` takes; no width breaks the address."""
    monkeypatch.setenv("GH_FORCE_TTY", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    job = run.attempts[0].jobs[0]
    out = ghjobs("job", "-R", REPO, job.id).out
    web = fake.base_url.removesuffix("/api/v3")
    assert f"{web}/{REPO}/actions/runs/{run.id}/job/{job.id}" in out
    bare = re.sub(r"\x1b\[[0-9;]*m", "", out)
    steps = ghjobs("job", "-R", REPO, job.id, "--json").json["steps"]
    (number,) = [step["number"] for step in steps if step["name"] == "Run tests"]
    assert re.search(rf"{number} +Run tests", bare)


def test_a_job_is_githubs_json(ghjobs: Any, run: FakeRun) -> None:
    """``--json`` gives the keys and values that GitHub sends."""
    job = run.attempts[0].jobs[0]
    ran = ghjobs("job", "-R", REPO, job.id, "--json")
    assert ran.json["id"] == job.id
    assert ran.json["steps"][0]["name"] == "Set up job"
    assert ran.json["started_at"].endswith("Z")


def test_a_run_is_listed_with_tabs(ghjobs: Any, run: FakeRun) -> None:
    """A run's jobs, of the latest attempt, are one line each; those that never ran took no time."""
    ran = ghjobs("list", "-R", REPO, run.id)
    assert ran.status == 0
    assert [(row[0], row[1], row[3]) for row in ran.rows] == [
        ("success", "test / unit", "2"),
        ("skipped", "deploy", "2"),
        ("queued", "later", "2"),
    ]
    assert ran.rows[1][4] == ""


@pytest.mark.parametrize(("option", "attempts"), [(("--all",), "111222"), (("-a", "1"), "111")])
def test_attempts_are_listed_as_asked(
    ghjobs: Any, run: FakeRun, option: tuple[str, ...], attempts: str
) -> None:
    """``--all`` lists the jobs of every attempt, ``--attempt`` those of one."""
    ran = ghjobs("list", "-R", REPO, run.id, *option)
    assert "".join(sorted(row[3] for row in ran.rows)) == attempts


def test_a_pasted_address_needs_no_repository(ghjobs: Any, run: FakeRun, fake: FakeGitHub) -> None:
    """An address says repository, run and attempt."""
    web = fake.base_url.removesuffix("/api/v3")
    ran = ghjobs("list", f"{web}/{REPO}/actions/runs/{run.id}/attempts/1")
    assert {row[3] for row in ran.rows} == {"1"}


def test_the_repository_comes_from_the_environment(
    ghjobs: Any, run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``GH_REPO`` names the repository as gh has it."""
    monkeypatch.setenv("GH_REPO", REPO)
    assert ghjobs("list", run.id).status == 0


def test_a_run_is_a_json_array(ghjobs: Any, run: FakeRun) -> None:
    """``list --json`` prints one array of jobs, with GitHub's names of the fields."""
    ran = ghjobs("list", "-R", REPO, run.id, "--json")
    assert [job["name"] for job in ran.json] == ["test / unit", "deploy", "later"]


def test_an_incomplete_list_says_so(ghjobs: Any, run: FakeRun) -> None:
    """What came is printed, one line names expected and got, and the status is 3."""
    run.attempts[-1].jobs[0].data["id"] = None
    ran = ghjobs("list", "-R", REPO, run.id)
    assert ran.status == 3
    assert len(ran.rows) == 2
    assert "3 jobs expected, 2 got, 1 of them not decodable" in ran.err


def test_failed_jobs_come_with_their_reason(ghjobs: Any, run: FakeRun) -> None:
    """``list --failed`` gives each failed job's step and first error."""
    ran = ghjobs("list", "-R", REPO, run.id, "-a", "1", "--failed")
    assert [row[:2] + row[4:6] for row in ran.rows] == [
        ["failure", "test / unit", "Run tests", "tests: expected 4, got 5"]
    ]
    found = ghjobs("list", "-R", REPO, run.id, "-a", "1", "--failed", "--json").json
    assert found[0]["failing_step"] == "Run tests"


def test_a_failed_job_without_a_log_is_listed_all_the_same(
    ghjobs: Any, run: FakeRun, fake: FakeGitHub
) -> None:
    """A log that is gone costs the error, not the job; the status is 3."""
    job = run.attempts[0].jobs[0]
    fake.set_log(job.id, state="expired")
    ran = ghjobs("list", "-R", REPO, run.id, "-a", "1", "--failed")
    assert ran.status == 3
    assert ran.rows[0][4:6] == ["Run tests", ""]
    assert f"log of job {job.id}" in ran.err


def test_a_terminal_may_be_forced(
    ghjobs: Any, run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``GH_FORCE_TTY`` gives the terminal's table, in colours, to a pipe."""
    monkeypatch.setenv("GH_FORCE_TTY", "100")
    ran = ghjobs("list", "-R", REPO, run.id, "-a", "1")
    assert "\x1b[31m" in ran.out
    assert "at Run tests" in ran.out
    assert "3 jobs" in ran.out
    assert "\x1b[1m" in ghjobs("job", "-R", REPO, run.attempts[0].jobs[0].id).out
    assert "at Run tests" in ghjobs("list", "-R", REPO, run.id, "-a", "1", "--failed").out


@pytest.mark.parametrize("force", ["", "1"])
def test_names_bring_no_controls_to_the_terminal(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, force: str
) -> None:
    """No control sequence of a stranger's name comes through, in lines or in tables."""
    monkeypatch.setenv("GH_FORCE_TTY", force and "100")
    run = fake.add_run(REPO, jobs=[scenario.failing("\x1b]0;owned\x07\x1b[2Ja\tb\nc\u202ed")])
    for argv in (["list", run.id], ["list", run.id, "--failed"], ["job", run.jobs[0].id]):
        ran = ghjobs(*argv, "-R", REPO)
        assert "\x1b]" not in ran.out
        assert "\x1b[2J" not in ran.out
        assert "\u202e" not in ran.out
        assert "a b cd" in ran.out


def test_waits_are_told(ghjobs: Any, run: FakeRun, fake: FakeGitHub) -> None:
    """A wait longer than allowed is an error in one line, with status 1."""
    fake.fail("jobs", faults.secondary_limit(retry_after=5000))
    ran = ghjobs("list", "-R", REPO, run.id)
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert "rate limit" in ran.err


def test_colours_change_no_layout(
    ghjobs: Any, run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``CLICOLOR_FORCE`` leaves the lines for other programs as they are."""
    commands = [
        ("list", "-R", REPO, run.id, "-a", "1"),
        ("list", "-R", REPO, run.id, "-a", "1", "--failed"),
        ("job", "-R", REPO, run.attempts[0].jobs[0].id),
    ]
    plain = [ghjobs(*argv).out for argv in commands]
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    assert [ghjobs(*argv).out for argv in commands] == plain


def test_the_address_of_a_job_names_its_attempt(
    ghjobs: Any, run: FakeRun, fake: FakeGitHub
) -> None:
    """``list JOB-URL`` lists the attempt of that job, unless another or every one is asked for."""
    web = fake.base_url.removesuffix("/api/v3")
    job = run.attempts[0].jobs[0].id
    address = f"{web}/{REPO}/actions/runs/{run.id}/job/{job}"
    assert {row[3] for row in ghjobs("list", address).rows} == {"1"}
    assert {row[3] for row in ghjobs("list", address, "-a", "2").rows} == {"2"}
    assert {row[3] for row in ghjobs("list", address, "--all").rows} == {"1", "2"}
    api = f"{fake.base_url}/repos/{REPO}/actions/jobs/{job}"
    assert {row[3] for row in ghjobs("list", api).rows} == {"1"}
    assert ghjobs("list", address, "-a", "0").status == 2


@pytest.mark.parametrize("option", [(), ("--json",), ("--all",)])
def test_a_run_without_jobs_says_why(
    ghjobs: Any, fake: FakeGitHub, option: tuple[str, ...]
) -> None:
    """Where a run has no jobs, its own conclusion is reported."""
    run = scenario.startup_failure(fake, REPO)
    ran = ghjobs("list", "-R", REPO, run.id, *option)
    assert ran.status == 0
    assert "has no jobs: it is startup_failure" in ran.err


@pytest.mark.parametrize(
    ("conclusion", "status"), [("startup_failure", 1), ("failure", 1), ("cancelled", 0)]
)
def test_a_failed_run_without_jobs_is_no_clean_result(
    ghjobs: Any,
    fake: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    conclusion: str,
    status: int,
) -> None:
    """``list --failed`` ends with 1 for a run that failed without a job, and calls nothing good."""
    run = fake.add_run(REPO, jobs=0, conclusion=conclusion)
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    ran = ghjobs("list", "-R", REPO, run.id, "--failed")
    assert (ran.status, ran.out) == (status, "")
    assert f"it is {conclusion}" in ran.err
    assert ghjobs("list", "-R", REPO, run.id, "--failed", "--json").json == []


def test_a_job_that_runs_again_shows_its_status(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conclusion left over from an earlier attempt is shown nowhere."""
    run = fake.add_run(REPO, jobs=[scenario.failing("again")])
    job = run.jobs[0]
    job.data["status"] = "in_progress"
    assert ghjobs("list", "-R", REPO, run.id).rows[0][0] == "in_progress"
    assert ["state:", "in_progress"] in ghjobs("job", "-R", REPO, job.id).rows
    assert ghjobs("list", "-R", REPO, run.id, "--failed").out == ""
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    table = ghjobs("list", "-R", REPO, run.id).out
    assert "1 in_progress" in table
    assert "\u2717" not in table
    assert "in_progress" in ghjobs("job", "-R", REPO, job.id).out.splitlines()[0]


def test_times_with_an_offset_are_shown_in_utc(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever offset the server sends, ``list``, ``runs`` and ``job`` show UTC."""
    run = fake.add_run(REPO, overrides={"created_at": "2026-11-22T01:30:00+02:00"})
    job = run.jobs[0]
    job.data.update(
        started_at="2026-11-22T01:30:00+02:00", completed_at="2026-11-21T15:31:00-08:00"
    )
    assert ghjobs("list", "-R", REPO, run.id).rows[0][6] == "2026-11-21T23:30:00Z"
    assert ghjobs("runs", REPO).rows[0][7] == "2026-11-21T23:30:00Z"
    times = "2026-11-21 23:30:00 to 2026-11-21 23:31:00 UTC"
    assert ["time:", times] in ghjobs("job", "-R", REPO, job.id).rows
    monkeypatch.setenv("GH_FORCE_TTY", "100")
    assert times in ghjobs("job", "-R", REPO, job.id).out


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({}, True),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "1"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_whether_there_are_colours(
    ghjobs: Any,
    run: FakeRun,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    coloured: bool,
) -> None:
    """On a terminal there are colours, but for ``NO_COLOR``, ``CLICOLOR=0`` and a dumb TERM."""
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert (
        bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", ghjobs("list", "-R", REPO, run.id).out)) is coloured
    )
    job = run.attempts[0].jobs[0].id
    log = ghjobs("log", "-R", REPO, job, "--failed").out
    assert ("\x1b[31m" in log) is coloured
    # Without colours there is no bold and no dim either, as in gh.
    for argv in (("list", run.id), ("list", run.id, "--failed"), ("job", job), ("runs",)):
        assert ("\x1b[" in ghjobs(*argv, "-R", REPO).out) is coloured
