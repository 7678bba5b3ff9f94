"""Why a job failed, as a screen shows it: the reason comes first."""

from __future__ import annotations

from typing import Any

import pytest

from ghjobs_async.testing import FakeGitHub, FakeRun, JobSpec, faults

REPO = "octo-org/octo-repo"
CAUSE = "sum.c:7:1: error: bad"
BUILD = {
    "name": "Build",
    "number": 2,
    "status": "completed",
    "conclusion": "failure",
    "started_at": "2026-11-21T16:37:43Z",
    "completed_at": "2026-11-21T16:37:44Z",
}


def log(*output: str) -> bytes:
    lines = ("##[group]Run ./build", "shell: bash", "##[endgroup]", *output)
    return "".join(f"2026-11-21T16:37:43.0005085Z {line}\n" for line in lines).encode()


MUTE = log(CAUSE, *(f"line {n}" for n in range(60)), "##[error]Process completed with exit code 2.")


@pytest.fixture
def run(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """A job whose only error is an exit code, on a screen without colours."""
    monkeypatch.setenv("GH_FORCE_TTY", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    return fake.add_run(
        REPO, jobs=[JobSpec("mute", "failure", log=MUTE, overrides={"steps": [BUILD]})]
    )


def test_the_reason_comes_first_on_a_screen(ghjobs: Any, run: FakeRun) -> None:
    """It stands far above the exit code: it is shown before the 50 lines around that."""
    (job,) = run.jobs
    ran = ghjobs("log", "-R", REPO, job.id, "--failed")
    lines = ran.out.splitlines()
    assert ran.err == ""
    assert lines[:4] == [
        "failed at 'Build' (compile), likely with these lines",
        CAUSE,
        "",
        "line 10",
    ]
    assert lines[-1] == "Error: Process completed with exit code 2."
    of_run = ghjobs("log", "-R", REPO, "--run", run.id, "--failed").out.splitlines()
    assert of_run == [f"mute  {job.id}", *lines]


def test_an_error_that_says_why_is_not_repeated(
    ghjobs: Any, fake: FakeGitHub, run: FakeRun
) -> None:
    """Its headline is in the first line; its lines are those around the error."""
    (job,) = run.jobs
    fake.set_log(job.id, log("begun", "##[error]the sum is wrong"))
    lines = ghjobs("log", "-R", REPO, job.id, "--failed").out.splitlines()
    assert lines[0].endswith(": the sum is wrong (action)")
    assert [line for line in lines[1:] if "sum is wrong" in line] == ["Error: the sum is wrong"]


def test_in_a_pipe_the_lines_are_the_logs_own(
    ghjobs: Any, run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the reason is on stderr, and stdout has the lines in the log's order."""
    monkeypatch.delenv("GH_FORCE_TTY")
    ran = ghjobs("log", "-R", REPO, run.jobs[0].id, "--failed", "--no-color")
    assert ran.err == f"failed at 'Build', likely with these lines: {CAUSE} (compile)\n"
    assert ran.out.splitlines()[0] == "line 10"


def test_a_list_has_the_reason_first(ghjobs: Any, run: FakeRun) -> None:
    """Below the job's name: its reason with the kind as words, then the step."""
    lines = ghjobs("list", "-R", REPO, run.id, "--failed").out.splitlines()
    assert lines[1:3] == [f"  {CAUSE} (compile)", "  at Build"]


def test_an_empty_log_may_have_annotations(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, run: FakeRun
) -> None:
    """They are shown all the same."""
    spec = JobSpec(
        "gone",
        "failure",
        log=b"",
        overrides={"steps": [BUILD]},
        annotations=("The runner is broken",),
    )
    run = fake.add_run(REPO, jobs=[spec])
    ran = ghjobs("log", "-R", REPO, "--run", run.id, "--failed")
    assert "The runner is broken (action)" in ran.out
    assert "its log is empty" not in ran.out


LOST = "The self-hosted runner lost communication with the server."


def test_a_job_that_lost_its_runner(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log was never uploaded: its annotations tell the reason, and nothing is missing."""
    step = {**BUILD, "status": "in_progress", "conclusion": None, "completed_at": None}
    times = {"started_at": "2026-10-01T10:00:00Z", "completed_at": "2026-10-01T10:15:00Z"}
    spec = JobSpec(
        "lost",
        "failure",
        log_state="not_ready",
        annotations=(LOST,),
        overrides={"steps": [step], **times},
    )
    run = fake.add_run(REPO, jobs=[spec])
    (job,) = run.jobs
    ran = ghjobs("list", "-R", REPO, run.id, "--failed", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert (ran.json[0]["headline"], ran.json[0]["kind"]) == (LOST, "runner_lost")
    assert ran.json[0]["fingerprint"] == LOST
    said = f"failed at 'Build': {LOST} (runner lost)\n"
    ran = ghjobs("log", "-R", REPO, "--run", run.id, "--failed")
    assert (ran.status, ran.out, ran.err) == (0, "", f"lost ({job.id}): {said}")
    ran = ghjobs("log", "-R", REPO, job.id, "--failed")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.startswith(said)
    assert "was never uploaded" in ran.err
    fake.fail("annotations", faults.missing_permission(), times=None)
    assert ghjobs("log", "-R", REPO, job.id, "--failed").status == 1
    ran = ghjobs("list", "-R", REPO, run.id, "--failed")
    assert (ran.status, ran.rows[0][5]) == (3, "")
    assert "was never uploaded" in ran.err


@pytest.mark.parametrize("of_run", [False, True])
def test_how_many_lines_around_an_error(ghjobs: Any, run: FakeRun, of_run: bool) -> None:
    """``--context`` says how many, also for the jobs of a run."""
    which = ("--run", run.id) if of_run else (run.jobs[0].id,)
    for context in (0, 2):
        lines = ghjobs("log", "-R", REPO, *which, "--failed", "-C", context).out.splitlines()
        below = lines[lines.index("") + 1 :]
        assert below == [*(f"line {60 - n}" for n in range(context, 0, -1)), lines[-1]]
