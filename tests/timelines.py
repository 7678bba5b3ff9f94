"""Jobs of made-up runs, for tests of the timeline."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ghjobs_async import Job, Step

START = datetime(2026, 11, 21, 16, 37, tzinfo=UTC)
STEPS = (
    *("Set up job", "Run actions/checkout@v4", "Set up Python 3.13", "Restore cache"),
    *("Install dependencies", "Check style", "Build", "Run unit tests", "Run integration tests"),
    *("Upload results", "Post Run actions/checkout@v4", "Complete job"),
)
#: Names that strangers may give to jobs.
HOSTILE = (
    *("<script>alert(1)</script>", "a ]]> b", "<!--", "'\"quotes\"' &amp; &#0;", "javascript:x"),
    *("\u202eright to left\u202c \u05d0\u05d1\u05d2", "\u0627\u0644\u0639\u0631\u0628 " * 9),
    *("x" * 300, "W" * 300, "\u6f22" * 300, "\U0001f680" * 300, "\u0416" * 60),
    *("\x1b[2Jclear\x00\x07\x0b\ufffe\ud800", "same", "same", "Same", " ", "\u200b"),
    *("e" + "\u0301" * 50, "\ufdfd" * 20, "a\u200d" * 50, "{braces} {0} %s %(x)s", "\\u003c"),
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def job(
    number: int,
    name: str = "build",
    *,
    created: float | None = 0,
    wait: float = 5,
    seconds: float = 60,
    state: str = "success",
    steps: int | Sequence[Step] = 0,
    failing: int | None = None,
    **fields: Any,
) -> Job:
    """Make a job that was *created* so many seconds after `START`, waited and ran."""
    started = (created or 0) + wait
    ended = state not in {"in_progress", "queued", "waiting"}
    api = "https://api.github.com/repos/octo-org/octo-repo"
    web = "https://github.com/octo-org/octo-repo/actions/runs/29679449"
    made: Mapping[str, Any] = {
        "id": number,
        "run_id": 29679449,
        "run_attempt": 1,
        "name": name,
        "workflow_name": "CI",
        "status": "completed" if ended else state,
        "conclusion": state if ended else None,
        "created_at": None if created is None else at(created),
        "started_at": at(started),
        "completed_at": at(started + seconds) if ended else None,
        "runner_id": number,
        "node_id": "CR_1",
        "head_sha": "a" * 40,
        "url": f"{api}/actions/jobs/{number}",
        "run_url": f"{api}/actions/runs/29679449",
        "check_run_url": f"{api}/check-runs/{number}",
        "html_url": f"{web}/job/{number}",
        "steps": _steps(number, started, seconds, steps, failing)
        if isinstance(steps, int)
        else tuple(steps),
    }
    return Job(**{**made, **fields})


def skipped(number: int, name: str = "deploy", created: float = 0) -> Job:
    """Make a job that was skipped: it has no runner, and took no time."""
    return job(number, name, created=created, wait=0, seconds=0, state="skipped", runner_id=None)


def step(
    name: str, start: float | None, end: float | None, state: str = "success", number: int = 1
) -> Step:
    """Make a step that ran between two times, in seconds after `START`."""
    return Step(
        name=name,
        number=number,
        status="in_progress" if end is None else "completed",
        conclusion=None if end is None else state,
        started_at=None if start is None else at(start),
        completed_at=None if end is None else at(end),
    )


def _steps(
    seed: int, started: float, seconds: float, count: int, failing: int | None
) -> tuple[Step, ...]:
    """Make steps that share the time of a job, by chance."""
    rng = random.Random(seed)
    cuts = sorted(round(seconds * rng.random()) for _ in range(max(0, count - 1)))
    times = [0, *cuts, seconds]
    return tuple(
        step(
            STEPS[n % len(STEPS)],
            started + times[n],
            started + times[n + 1],
            "failure" if n == failing else "success",
            n + 1,
        )
        for n in range(count)
    )


def three_jobs() -> list[Job]:
    """Make a run that shows its steps."""
    return [
        job(1, "lint", wait=4, seconds=25, steps=6),
        job(2, "test", wait=9, seconds=140, steps=12, failing=7),
        job(3, "deploy / production", created=150, wait=15, steps=5),
    ]


def forty_jobs() -> list[Job]:
    """Make a matrix with a failed job, and a re-run of that job, three hours later."""
    rng = random.Random(2)
    jobs = [job(1, wait=6, seconds=95, steps=12), job(2, "docs", wait=3, seconds=50, steps=12)]
    systems = ("ubuntu-latest", "windows-latest", "macos-latest")
    for number in range(3, 39):
        name = f"test ({systems[number % 3]}, 3.{11 + number % 4}, part {number})"
        failed = number == 9
        jobs.append(
            job(
                number,
                name,
                created=102,
                wait=rng.randint(3, 90),
                seconds=rng.randint(60, 400),
                state="failure" if failed else "success",
                steps=12,
                failing=7 if failed else None,
            )
        )
    later = 3 * 3600
    return [
        *jobs,
        skipped(39, created=620),
        job(103, jobs[8].name, created=later, seconds=210, steps=12, run_attempt=2),
        job(104, "deploy", created=later + 216, wait=30, seconds=75, steps=9, run_attempt=2),
    ]


def many_jobs(count: int = 600, steps: int = 12) -> list[Job]:
    """Make a large matrix between two other jobs."""
    rng = random.Random(3)
    jobs = [job(1, "plan", seconds=45, steps=steps)]
    for number in range(2, count):
        failed = number % 97 == 0
        jobs.append(
            job(
                number,
                f"integration (ubuntu-latest, shard {number} of {count})",
                created=51,
                wait=number * 2.0 + rng.randint(0, 40),
                seconds=rng.randint(80, 700),
                state="failure" if failed else "success",
                steps=steps,
                failing=7 if failed else None,
            )
        )
    end = max(one.completed_at for one in jobs if one.completed_at)
    report = (end - START).total_seconds() + 2
    return [*jobs, job(count, "report", created=report, steps=steps)]


def odd_jobs() -> list[Job]:
    """Make a run of all that strangers and broken clocks do."""
    jobs = [
        job(n + 1, name, created=n * 3, seconds=50 + n, steps=0 if n % 2 else 4)
        for n, name in enumerate(HOSTILE)
    ]
    year_one = datetime(1, 1, 1, tzinfo=UTC)
    return [
        *jobs,
        job(50, "no times", created=None, started_at=None, completed_at=None),
        job(51, "backwards", wait=30, seconds=-20),
        job(52, "no time at all", wait=0, seconds=0, steps=2),
        job(53, "year one", created_at=year_one, steps=3),
        job(54, "a year long", completed_at=at(366 * 86_400)),
        job(55, "running", state="in_progress", steps=[step("runs", 6, None)]),
        job(56, "queued", state="queued"),
        job(57, "unheard of", state="<b>gone & forgotten for good</b>", html_url="javascript:x"),
        job(58, "cancelled", state="cancelled", runner_id=None),
        job(59, HOSTILE[0], steps=[step(name, 5, 60, number=n) for n, name in enumerate(HOSTILE)]),
    ]
