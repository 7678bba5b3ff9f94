"""``ghjobs log`` of a run: why its jobs failed."""

from __future__ import annotations

import sys
from typing import Any

import attrs
import pytest

from ghjobs_async.testing import AttemptSpec, FakeGitHub, FakeRun, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"
FAILED = ("lint", "test\t(3)", "unit")


@pytest.fixture
def run(fake: FakeGitHub) -> FakeRun:
    return fake.add_run(
        REPO, jobs=[JobSpec("build"), *map(scenario.failing, FAILED), scenario.skipped()]
    )


@pytest.fixture
def address(fake: FakeGitHub, run: FakeRun) -> str:
    return f"{fake.base_url.removesuffix('/api/v3')}/{REPO}/actions/runs/{run.id}"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ghjobs_async.cli.output.log_lines.is_terminal", lambda stream: stream is sys.stdout
    )


def test_every_failed_job_of_a_run(ghjobs: Any, fake: FakeGitHub, address: str) -> None:
    """Elsewhere than on a terminal each line is JOB, STEP and GitHub's own LINE, in jobs' order."""
    ran = ghjobs("log", address, "--failed")
    assert (ran.status, ran.err) == (0, "")
    rows = [line.split("\t", 2) for line in ran.out.splitlines()]
    assert list(dict.fromkeys(row[0] for row in rows)) == ["lint", "test (3)", "unit"]
    assert {row[1] for row in rows} == {"Run tests"}
    errors = [row[2] for row in rows if "##[error]tests: expected 4, got 5" in row[2]]
    assert len(errors) == 3
    assert errors[0].startswith("20")
    assert len([asked for asked in fake.requests if asked.operation == "log"]) == 3


def test_a_run_by_its_number(ghjobs: Any, run: FakeRun, address: str) -> None:
    """``--run`` takes a number or an address."""
    whole = ghjobs("log", address, "--failed").raw
    assert ghjobs("log", "-R", REPO, "--run", run.id, "--failed").raw == whole
    assert ghjobs("log", "--run", address, "--failed").raw == whole


def test_a_bare_number_may_be_a_run(
    ghjobs: Any, fake: FakeGitHub, run: FakeRun, address: str
) -> None:
    """``log NUMBER --failed`` takes a run where there is no such job, as ``gh run view`` does."""
    whole = ghjobs("log", address, "--failed").raw
    asked = len(fake.requests)
    ghjobs("log", "-R", REPO, "--run", run.id, "--failed")
    needed = len(fake.requests) - asked
    asked = len(fake.requests)
    ran = ghjobs("log", "-R", REPO, run.id, "--failed")
    assert (ran.status, ran.raw, ran.err) == (0, whole, "")
    assert len(fake.requests) - asked == needed + 1


def test_a_number_of_nothing(ghjobs: Any, fake: FakeGitHub) -> None:
    """Where neither a job nor a run has the number, one line says so; an address means a job only."""
    ran = ghjobs("log", "-R", REPO, 5, "--failed")
    assert ran.status == 1
    assert ran.err == (
        f"ghjobs: check the number, {REPO} job or run 5: 404, "
        "no such thing, or the token cannot see it\n"
    )
    web = fake.base_url.removesuffix("/api/v3")
    asked = len(fake.requests)
    ran = ghjobs("log", f"{web}/{REPO}/actions/runs/1/job/5", "--failed")
    assert "job 5: 404" in ran.err
    assert len(fake.requests) == asked + 1


def test_the_attempt_of_the_address(ghjobs: Any, fake: FakeGitHub) -> None:
    """An address of an attempt means its jobs; the address of the run, those of the latest."""
    first, second = [scenario.failing("first")], [scenario.failing("second")]
    run = fake.add_run(REPO, attempts=[AttemptSpec(first), AttemptSpec(second)])
    address = f"{fake.base_url.removesuffix('/api/v3')}/{REPO}/actions/runs/{run.id}"
    assert ghjobs("log", f"{address}/attempts/1", "--failed").out.startswith("first\t")
    assert ghjobs("log", address, "--failed").out.startswith("second\t")


def test_the_order_is_that_of_the_jobs(ghjobs: Any, fake: FakeGitHub, address: str) -> None:
    """A log that comes late delays those after it, and changes no order."""
    whole = ghjobs("log", address, "--failed").raw
    fake.fail("storage", faults.status(503), times=1)
    assert ghjobs("log", address, "--failed").raw == whole


def test_lines_for_people_in_a_pipe(ghjobs: Any, address: str) -> None:
    """``--no-color`` and ``--tail`` apply to each job's lines; the columns stay."""
    out = ghjobs("log", address, "--failed", "--no-color", "--tail", "1").out
    assert out.splitlines() == [
        f"{name}\tRun tests\tError: Process completed with exit code 1."
        for name in ("lint", "test (3)", "unit")
    ]


def test_jobs_of_one_name_are_told_apart(ghjobs: Any, fake: FakeGitHub) -> None:
    """Where a name repeats, the job's number stands behind it; a last line without end gets one."""
    run = fake.add_run(REPO, jobs=[scenario.failing("same"), scenario.failing("same")])
    for job in run.jobs:
        fake.set_log(job.id, b"2026-11-21T16:37:43.0005085Z ##[error]no end")
    rows = ghjobs("log", "-R", REPO, "--run", run.id, "--failed").rows
    assert [row[0] for row in rows] == [f"same ({job.id})" for job in run.jobs]
    assert [row[2].partition(" ")[2] for row in rows] == ["##[error]no end"] * 2


@pytest.mark.usefixtures("terminal")
def test_headings_on_a_terminal(ghjobs: Any, run: FakeRun, address: str) -> None:
    """On a terminal each job has a heading with name and number, and its excerpt below."""
    lines = ghjobs("log", address, "--failed", "--tail", "1").out.splitlines()
    jobs = {job.payload()["name"]: job.id for job in run.jobs}
    expected = []
    for name in FAILED:
        expected += [
            f"{name.replace(chr(9), ' ')}  {jobs[name]}",
            "failed at 'Run tests': tests: expected 4, got 5 (action)",
            "Error: Process completed with exit code 1.",
            "",
        ]
    assert lines == expected[:-1]


@pytest.mark.usefixtures("terminal")
def test_a_log_of_a_run_that_cannot_be_read(
    ghjobs: Any, fake: FakeGitHub, run: FakeRun, address: str
) -> None:
    """One log that is gone costs no other one: it is reported, and the status is 3."""
    fake.set_log(run.jobs[1].id, state="expired")
    ran = ghjobs("log", address, "--failed")
    assert ran.status == 3
    assert f"lint  {run.jobs[1].id}\nits log cannot be read: " in ran.out
    assert ran.out.count("Error: Process completed") == 2
    assert ran.err.startswith(f"ghjobs: log of job {run.jobs[1].id}: ")
    assert ran.err.count("\n") == 1


@pytest.fixture
def without_lines(fake: FakeGitHub) -> FakeRun:
    """A run with a failed check of another app, and a failed job whose log is empty."""
    run = fake.add_run(
        REPO, jobs=[scenario.check_run("check", "failure"), scenario.failing("mute")]
    )
    fake.set_log(run.jobs[1].id, b"")
    return run


@pytest.mark.usefixtures("terminal")
def test_a_failed_job_without_a_log(ghjobs: Any, fake: FakeGitHub, without_lines: FakeRun) -> None:
    """A failed check of another app has no log: none is asked for, and that is no error."""
    check, mute = without_lines.jobs
    ran = ghjobs("log", "-R", REPO, "--run", without_lines.id, "--failed")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"check  {check.id}\nit has no log\n\nmute  {mute.id}\nits log is empty\n"
    assert len([asked for asked in fake.requests if asked.operation == "log"]) == 1


def test_jobs_without_lines_in_a_pipe(ghjobs: Any, without_lines: FakeRun) -> None:
    """In a pipe, stderr names the failed jobs of which there is no line to print."""
    check, mute = without_lines.jobs
    ran = ghjobs("log", "-R", REPO, "--run", without_lines.id, "--failed")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == f"check ({check.id}): it has no log\nmute ({mute.id}): its log is empty\n"


def test_a_run_without_failed_jobs(ghjobs: Any, fake: FakeGitHub) -> None:
    """A run in which no job failed says what its jobs are; one without jobs, what it is."""
    good = fake.add_run(REPO, jobs=[JobSpec("a"), JobSpec("b"), scenario.skipped()])
    ran = ghjobs("log", "-R", REPO, "--run", good.id, "--failed")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"ghjobs: no job of {REPO} run {good.id} failed: 2 success, 1 skipped\n"
    broken = scenario.startup_failure(fake, REPO)
    ran = ghjobs("log", "-R", REPO, "--run", broken.id, "--failed")
    assert (ran.status, ran.out) == (1, "")
    assert "has no jobs: it is startup_failure" in ran.err


def test_an_incomplete_list_is_reported(ghjobs: Any, fake: FakeGitHub) -> None:
    """Where a job is not decodable, the others are printed and the status is 3."""
    bad = attrs.evolve(scenario.failing("bad"), overrides={"id": "x"})
    run = fake.add_run(REPO, jobs=[scenario.failing("good"), bad])
    ran = ghjobs("log", "-R", REPO, "--run", run.id, "--failed")
    assert ran.status == 3
    assert ran.out.startswith("good\t")
    assert "incomplete: 2 jobs expected, 1 got" in ran.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["https://github.com/o/r/actions/runs/1"], "add --failed for why its jobs failed"),
        (["https://github.com/o/r/actions/runs/1/attempts/2", "--step", "x"], "add --failed"),
        (["--run", "1", "-R", REPO], "add --failed"),
        (["--run", "1", "-R", REPO, "--tail", "3"], "add --failed"),
        (["--run", "1", "--failed"], "needs its repository"),
        (["--run", "x", "-R", REPO, "--failed"], "a run is a number"),
        (["1", "--run", "1", "-R", REPO, "--failed"], "leave one of them out"),
        (["--run", "1", "-R", REPO, "--failed", "--output", "x"], "whole log"),
        (["--run", "1", "-R", REPO, "--failed", "--step", "x"], "not both"),
        ([], "which job"),
        (["https://github.com/o/r/actions/runs/1/jobs/2", "--failed"], "not the job's id"),
        (["https://github.com/o/r", "--failed"], "not the URL of a job"),
    ],
)
def test_a_run_needs_failed(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, argv: list[str], said: str
) -> None:
    """What cannot be is a usage error in one line that says what to do, before any request."""
    monkeypatch.delenv("GITHUB_API_URL")
    ran = ghjobs("log", *argv)
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert said in ran.err
    assert not fake.requests
