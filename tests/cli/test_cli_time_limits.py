"""Jobs that were cancelled because their time was over: they count as failed."""

from __future__ import annotations

from typing import Any

import pytest

from ghjobs_async.testing import FakeGitHub, FakeRun, Fault, JobSpec, StepSpec, faults, scenario

REPO = "octo-org/octo-repo"
LIMIT = "The job has exceeded the maximum execution time of 5m0s"
BY_HAND = "The run was canceled by @octocat."


def stopped(name: str, *annotations: str, report: str | None = None) -> JobSpec:
    """A cancelled job; *report* is the conclusion of a step that runs always, behind the cancelled."""
    steps = [StepSpec("Set up job"), StepSpec("Slow tests", "cancelled", seconds=60)]
    if report:
        steps.append(StepSpec("Report", report))
    return JobSpec(name, "cancelled", steps=steps, annotations=annotations)


@pytest.fixture
def run(fake: FakeGitHub) -> FakeRun:
    return fake.add_run(
        REPO,
        jobs=[
            JobSpec("good"),
            stopped("by hand", BY_HAND),
            stopped("by limit", "The operation was canceled.", LIMIT),
            stopped("by its steps", BY_HAND, report="failure"),
            JobSpec("by word", "timed_out"),
            scenario.failing("broken"),
            scenario.cancelled_before_start("never begun"),
        ],
    )


LATE = ["by limit", "by its steps", "by word", "broken"]


def asked(fake: FakeGitHub, run: FakeRun) -> list[str]:
    names = {str(job.id): job.name for job in run.jobs}
    paths = [one.path.split("/") for one in fake.requests if one.operation == "annotations"]
    return sorted(names[path[-2]] for path in paths)


def test_jobs_that_ran_out_of_time_have_failed(ghjobs: Any, fake: FakeGitHub, run: FakeRun) -> None:
    """``list --failed`` has them, told by conclusion, steps or annotations; a person's cancel is none."""
    ran = ghjobs("list", "-R", REPO, run.id, "--failed")
    assert (ran.status, ran.err) == (0, "")
    assert [row[1] for row in ran.rows] == LATE
    assert ran.rows[0][4:6] == ["Slow tests", LIMIT]


def test_annotations_are_asked_for_once_and_only_where_needed(
    ghjobs: Any, fake: FakeGitHub, run: FakeRun
) -> None:
    """One request for each cancelled job that ran and whose steps do not tell."""
    for job in run.jobs[3:6]:
        fake.set_log(job.id, b"2026-11-21T16:37:43.0005085Z ##[error]the sum is wrong\n")
    ghjobs("list", "-R", REPO, run.id)
    assert asked(fake, run) == []
    ghjobs("list", "-R", REPO, run.id, "--failed")
    assert asked(fake, run) == ["by hand", "by limit"]


@pytest.mark.parametrize("fault", [faults.missing_permission(), faults.status(404)])
def test_a_token_that_may_not_read_checks(
    ghjobs: Any, fake: FakeGitHub, run: FakeRun, fault: Fault
) -> None:
    """A 403 or 404 is no error: the job stays a cancelled one."""
    fake.fail("annotations", fault, times=None)
    ran = ghjobs("list", "-R", REPO, run.id, "--failed")
    assert (ran.status, ran.err) == (0, "")
    assert [row[1] for row in ran.rows] == LATE[1:]


def test_a_check_run_of_another_host(ghjobs: Any, fake: FakeGitHub, run: FakeRun) -> None:
    """It is not asked, and that is no error."""
    run.jobs[2].data["check_run_url"] = "https://evil.example/repos/o/r/check-runs/7"
    ran = ghjobs("list", "-R", REPO, run.id, "--failed")
    assert (ran.status, ran.err) == (0, "")
    assert [row[1] for row in ran.rows] == LATE[1:]


def test_annotations_that_cannot_be_read_are_reported(
    ghjobs: Any, fake: FakeGitHub, run: FakeRun
) -> None:
    """Where the server fails, a job may be missing: that is said, and the status is 3."""
    fake.fail("annotations", faults.bad_credentials(), times=None)
    for argv in (("list", run.id), ("log", "--run", run.id)):
        ran = ghjobs(*argv, "-R", REPO, "--failed")
        assert ran.status == 3
        assert f"annotations of job {run.jobs[2].id}: " in ran.err
        assert "by limit" not in ran.out


def test_their_logs_are_printed(ghjobs: Any, run: FakeRun) -> None:
    """``log --run RUN --failed`` takes the same jobs."""
    ran = ghjobs("log", "-R", REPO, "--run", run.id, "--failed")
    assert (ran.status, ran.err) == (0, "")
    assert list(dict.fromkeys(row[0] for row in ran.rows)) == LATE
