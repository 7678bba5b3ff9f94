"""Small scenarios: jobs as they occur on GitHub, for `FakeGitHub.add_run`."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ghjobs_async.testing.fake import FakeGitHub
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec, JobSpec, StepSpec

_SYSTEMS = ("ubuntu-latest", "windows-latest", "macos-latest")


def matrix(
    count: int, name: str = "test", *, failing: Sequence[int] = (), steps: int = 5
) -> list[JobSpec]:
    """
    Give the jobs of a matrix.

    Args:
        count: The number of jobs.
        name: The part of each name before the brackets.
        failing: The indices of those that fail, from 0.
        steps: The number of steps between set-up and post steps.
    """
    return [
        JobSpec(
            f"{name} ({_SYSTEMS[n % 3]}, {n // 3})",
            "failure" if n in failing else "success",
            steps=steps,
            labels=(_SYSTEMS[n % 3],),
            seconds=40 + n % 7 * 10,
        )
        for n in range(count)
    ]


def rerun_failed(jobs: Sequence[JobSpec]) -> list[AttemptSpec]:
    """
    Give two attempts: *jobs*, and a second one in which the failed ones ran again and succeeded.

    The others are inherited: they have new ids and the second attempt's number, but the old times.
    """
    again = [
        attrs.evolve(job, conclusion="success", fails_at=None)
        if job.conclusion in {"failure", "timed_out", "cancelled"}
        else attrs.evolve(job, inherited=True)
        for job in jobs
    ]
    return [AttemptSpec(jobs), AttemptSpec(again)]


def failing(name: str = "test", step: str = "Run tests") -> JobSpec:
    """Give a job in which the step of that name fails and those after it are skipped."""
    return JobSpec(name, "failure", fails_at=step)


def skipped(name: str = "deploy") -> JobSpec:
    """Give a skipped job: no labels, no runner, no steps, no duration."""
    return JobSpec(name, "skipped", labels=(), steps=0, runner="none")


def cancelled_before_start(name: str = "publish") -> JobSpec:
    """Give a job cancelled while it waited for a runner; it ended before it started."""
    return JobSpec(name, "cancelled", steps=0, runner="none")


def in_progress(name: str = "build") -> JobSpec:
    """Give a running job: some steps completed, one in progress, the rest pending."""
    return JobSpec(name, None, "in_progress", runner="self-hosted", labels=("self-hosted", "linux"))


def queued(name: str = "build", status: str = "queued") -> JobSpec:
    """Give a waiting job, which has a ``started_at`` all the same."""
    return JobSpec(name, None, status, steps=0)


def check_run(name: str = "ci/other-app", conclusion: str = "success") -> JobSpec:
    """Give another app's check run, which GitHub lists as a job."""
    return JobSpec(name, conclusion, labels=(), steps=0, runner="none", check_run=True)


def inverted_clocks(name: str = "build") -> JobSpec:
    """Give a job that ended before it started, and started before it was created."""
    return JobSpec(name, queued_for=-30, seconds=-3, steps=0)


def expired_steps(name: str = "build") -> JobSpec:
    """Give an old successful job whose steps GitHub has deleted."""
    return JobSpec(name, steps=0)


def older_server(name: str = "build") -> JobSpec:
    """Give a job as GHES 2.22 sends it: without many of today's keys."""
    missing = ("created_at", "head_branch", "workflow_name", "labels", "run_attempt")
    runner = ("runner_id", "runner_name", "runner_group_id", "runner_group_name")
    return JobSpec(name, without=missing + runner)


def unheard_of(name: str = "build") -> JobSpec:
    """Give a job with an unknown conclusion, an unknown step status and an unknown key."""
    steps = [StepSpec("Set up job"), StepSpec("Run it", "evaporated", "vanishing")]
    return JobSpec(name, "evaporated", steps=steps, overrides={"mood": "fine"})


def within_one_second(name: str = "quick") -> JobSpec:
    """Give a job whose steps all start within the same second."""
    names = ("Run true", "Run echo one", "Run echo two", "Post Run true")
    steps = [StepSpec("Set up job", seconds=0), *(StepSpec(step, seconds=0) for step in names)]
    return JobSpec(name, steps=[*steps, StepSpec("Complete job", seconds=0)], seconds=1)


def parallel_steps(name: str = "parallel") -> JobSpec:
    """Give a job with steps that ran at the same time, and GitHub's synthetic step for them."""
    start, end = "2026-07-01T10:00:02Z", "2026-07-01T10:00:30Z"
    done = {"status": "completed", "conclusion": "success", "completed_at": end}
    names = ("Set up job", "Parallel group", "Run lint", "Run unit", "Post Run lint")
    # The number of a post step comes after a gap.
    steps = [
        {"name": step, "number": number, "started_at": start, **done}
        for step, number in zip(names, (1, 2, 3, 4, 31), strict=True)
    ]
    times = {"created_at": "2026-07-01T10:00:00Z", "started_at": start, "completed_at": end}
    return JobSpec(name, overrides={"steps": steps, **times})


def awkward_names() -> list[JobSpec]:
    """Give jobs with names that break file systems, terminals and naive code."""
    names = (
        "build / linux",
        "build: x86",
        "../../etc/passwd",
        "same name",
        "same name",
        "SAME NAME",
        "caf\u00e9 \U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "CON",
        "dot.",
        " blank ",
        "\x1b[2Jclear \x07 bell",
        "long " * 60,
    )
    return [JobSpec(name) for name in names]


def startup_failure(fake: FakeGitHub, repo: str) -> FakeRun:
    """Add a run that failed at startup: it has no jobs."""
    return fake.add_run(repo, jobs=0, conclusion="startup_failure", workflow="Broken")


def everything(fake: FakeGitHub, repo: str = "octo-org/octo-repo") -> list[FakeRun]:
    """Add one run of each kind."""
    plain = [JobSpec("lint"), failing("test"), JobSpec("docs")]
    return [
        fake.add_run(repo, jobs=3),
        fake.add_run(repo, jobs=matrix(250, failing=(7, 101))),
        fake.add_run(repo, attempts=rerun_failed(plain)),
        fake.add_run(repo, jobs=[JobSpec("build"), skipped(), cancelled_before_start()]),
        fake.add_run(repo, jobs=[JobSpec("lint"), in_progress(), queued("deploy", "waiting")]),
        fake.add_run(repo, jobs=[queued()]),
        fake.add_run(repo, jobs=[JobSpec("build"), check_run()]),
        fake.add_run(repo, jobs=[inverted_clocks(), expired_steps(), older_server("old")]),
        fake.add_run(repo, jobs=[within_one_second(), parallel_steps(), unheard_of("new")]),
        fake.add_run(repo, jobs=awkward_names(), workflow="Release: v1/v2 \U0001f680"),
        startup_failure(fake, repo),
    ]
