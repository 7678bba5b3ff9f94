"""What a test describes: jobs, steps and attempts, without ids or times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from ghjobs_async.testing.world.blobs import LogContent

#: How a request for a log is answered; `FakeGitHub.set_log` explains each.
LogState: TypeAlias = Literal["ok", "expired", "deleted", "not_ready", "direct"]


@attrs.frozen
class StepSpec:
    """
    One step.

    Args:
        name: Its name, as the web page shows it.
        conclusion: How it ended; None if it has not.
        status: ``completed``, ``in_progress``, ``pending`` or ``queued``.
        seconds: How long it ran.
        number: Its number; None takes the next one.
    """

    name: str
    conclusion: str | None = "success"
    status: str = "completed"
    seconds: int = 1
    number: int | None = None


@attrs.frozen
class JobSpec:
    """
    One job.

    Args:
        name: Its name.
        conclusion: How it ended; None if it has not.
        status: ``completed``, ``in_progress``, ``queued``, ``waiting`` and so on.
        steps: The number of steps between the set-up and the post steps, or the steps themselves.
        fails_at: Name of the failing step if ``conclusion`` is a failure; None takes the last
            main step but one.
        queued_for: Seconds between its creation and its start; negative inverts the clocks.
        seconds: How long it ran; negative inverts the clocks.
        labels: The labels in ``runs-on``.
        runner: ``hosted``, ``self-hosted``, or ``none`` (no runner took it).
        inherited: In a later attempt: not run again, with the start and the end of the attempt
            before.
        check_run: Whether this is another app's check run, which GitHub lists as a job.
        log: Its log; None generates one.
        log_state: How a request for the log is answered; None decides by status.
        overrides: Keys of the JSON object to replace or add, with any value.
        without: Keys to leave out of the JSON object, as older servers do.
    """

    name: str = "build"
    conclusion: str | None = "success"
    status: str = "completed"
    steps: int | Sequence[StepSpec] = 5
    fails_at: str | None = None
    queued_for: int = 4
    seconds: int = 75
    labels: tuple[str, ...] = ("ubuntu-latest",)
    runner: Literal["hosted", "self-hosted", "none"] = "hosted"
    inherited: bool = False
    check_run: bool = False
    log: LogContent | None = None
    log_state: LogState | None = None
    overrides: Mapping[str, object] = attrs.field(factory=dict)
    without: tuple[str, ...] = ()


@attrs.frozen
class AttemptSpec:
    """
    One attempt of a run.

    Args:
        jobs: Its jobs.
        conclusion: How it ended; None derives it from the jobs.
    """

    jobs: Sequence[JobSpec] = ()
    conclusion: str | None = None


def plain_jobs(count: int, conclusion: str | None) -> list[JobSpec]:
    """Give *count* jobs whose outcome together is *conclusion*."""
    if count < 0:
        raise ValueError("a run cannot have fewer than 0 jobs")
    names = ["build"] if count == 1 else [f"build ({n})" for n in range(1, count + 1)]
    if conclusion == "skipped":
        return [JobSpec(name, "skipped", runner="none", labels=(), steps=0) for name in names]
    jobs = [JobSpec(name) for name in names]
    if jobs and conclusion is None:
        jobs[-1] = JobSpec(names[-1], None, "in_progress")
    elif jobs and conclusion != "success":
        jobs[-1] = JobSpec(names[-1], conclusion)
    return jobs


def outcome_of(jobs: Sequence[JobSpec]) -> tuple[str, str | None]:
    """Give status and conclusion of an attempt with *jobs*, as GitHub sums them up."""
    own = [job for job in jobs if not job.check_run]
    if any(job.status != "completed" for job in own):
        started = any(job.status in {"in_progress", "completed"} for job in own)
        return ("in_progress" if started else "queued"), None
    ends = {job.conclusion for job in own}
    for worst in ("failure", "timed_out", "cancelled", "action_required"):
        if worst in ends:
            return "completed", "failure" if worst == "timed_out" else worst
    return "completed", "skipped" if ends == {"skipped"} else "success"
