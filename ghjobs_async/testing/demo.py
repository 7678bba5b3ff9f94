"""A realistic organisation, for `ghjobs demo` and for trying things out."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Final

from ghjobs_async.testing import scenario
from ghjobs_async.testing.fake import FakeGitHub
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec, JobSpec

_REPOS: Final = ("octo-org/octo-repo", "octo-org/hello-world")
_DAYS: Final = 30
_DAY: Final = 86_400
_BRANCHES: Final = ("main", "main", "main", "release/2.x", "fix/flaky-upload", "docs")
_ACTORS: Final = ("octocat", "hubot", "monalisa")
_EVENTS: Final = ("push", "push", "pull_request", "schedule")
_WORKFLOWS: Final = ("CI", "CI", "CI", "Nightly", "Release")
#: The share of attempts with a failing job.
_FAILING: Final = 0.22
#: Every Nth run is a large matrix, and every Nth is of an unusual kind.
_LARGE_EVERY: Final = 40
_ODD_EVERY: Final = 25
_MAX_ATTEMPTS: Final = 3


def fill_demo(fake: FakeGitHub, runs: int = 200, seed: int = 1) -> list[FakeRun]:
    """
    Fill *fake* with two repositories and *runs* runs of the last 30 days.

    Args:
        fake: The fake to fill.
        runs: The number of runs.
        seed: Another seed makes another month; the same seed makes the same one.

    Returns:
        The runs, the oldest first.
    """
    rng = random.Random(seed)  # noqa: S311 - chance for a demo, not for secrets
    # The newest run is an hour old, so that completed runs end in the past.
    end = int(fake.clock()) - 3600
    ages = sorted((rng.randrange((_DAYS - 1) * _DAY) for _ in range(runs)), reverse=True)
    return [_add(fake, rng, number, end - age) for number, age in enumerate(ages)]


def _add(fake: FakeGitHub, rng: random.Random, number: int, created: int) -> FakeRun:
    workflow = rng.choice(_WORKFLOWS)
    repo = _REPOS[0] if rng.random() < 0.8 else _REPOS[1]
    return fake.add_run(
        repo,
        jobs=0,
        attempts=_attempts(rng, number, workflow),
        event="schedule" if workflow == "Nightly" else rng.choice(_EVENTS),
        branch="main" if workflow == "Nightly" else rng.choice(_BRANCHES),
        workflow=workflow,
        created_at=datetime.fromtimestamp(created, UTC),
        actor=rng.choice(_ACTORS),
    )


def _attempts(rng: random.Random, number: int, workflow: str) -> list[AttemptSpec]:
    if number % _ODD_EVERY == _ODD_EVERY - 1:
        return [_odd(number // _ODD_EVERY)]
    if number % _LARGE_EVERY == _LARGE_EVERY // 2:
        jobs = scenario.matrix(rng.randrange(150, 420), "integration", failing=(3, 77))
        return scenario.rerun_failed(jobs)
    jobs = _jobs(rng, workflow)
    attempts = [AttemptSpec(jobs)]
    for _ in range(_MAX_ATTEMPTS - 1):
        failed = any(job.conclusion == "failure" for job in jobs)
        if not failed or rng.random() >= 0.7:
            break
        again = scenario.rerun_failed(jobs)[1].jobs
        if rng.random() < 0.3:
            # The failed job failed again.
            pairs = zip(jobs, again, strict=True)
            again = [job if job.conclusion == "failure" else new for job, new in pairs]
        attempts.append(AttemptSpec(again))
        jobs = list(again)
    return attempts


def _jobs(rng: random.Random, workflow: str) -> list[JobSpec]:
    jobs = [JobSpec("lint", seconds=rng.randrange(15, 40))]
    jobs += scenario.matrix(rng.choice((3, 6, 9, 12)), "test")
    if workflow == "Nightly":
        jobs += scenario.matrix(12, "slow tests", steps=7)
    if rng.random() < _FAILING:
        position = rng.randrange(1, len(jobs))
        step = rng.choice(("Install dependencies", "Run tests", "Run tests"))
        jobs[position] = scenario.failing(jobs[position].name, step)
        return [*jobs, scenario.skipped("deploy")]
    if workflow == "Release":
        return [*jobs, JobSpec("deploy / production", seconds=90), scenario.check_run("codecov")]
    return jobs


def _odd(kind: int) -> AttemptSpec:
    kinds: tuple[AttemptSpec, ...] = (
        AttemptSpec([], "startup_failure"),
        AttemptSpec([JobSpec("lint"), scenario.cancelled_before_start("test")]),
        AttemptSpec([JobSpec("lint"), scenario.in_progress("deploy"), scenario.queued("notify")]),
        AttemptSpec([scenario.inverted_clocks("build"), scenario.expired_steps("test")]),
        AttemptSpec([JobSpec("lint"), JobSpec("test", "timed_out", seconds=21_600)]),
        AttemptSpec([JobSpec("build / caf\u00e9 \U0001f680"), JobSpec("build: x86")]),
    )
    return kinds[kind % len(kinds)]
