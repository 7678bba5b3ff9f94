"""What a test describes, without ids or times: attempts, jobs, and the steps that they imply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

import attrs

from ghjobs_async.testing.world.blobs import LogContent
from ghjobs_async.testing.world.payloads import iso

#: How a request for a log is answered; `FakeGitHub.set_log` explains each.
LogState: TypeAlias = Literal["ok", "expired", "deleted", "not_ready", "direct"]

_MAIN = (
    "Run actions/checkout@v4",
    "Set up Python",
    "Install dependencies",
    "Run tests",
    "Upload results",
)
#: Post steps are numbered after a gap, so no client may index steps by number.
_POST_GAP = 5
_ENDS = frozenset({"Set up job", "Complete job"})
#: How the step ended at which a job went wrong.
_STEP_CONCLUSIONS = {"failure": "failure", "timed_out": "failure", "cancelled": "cancelled"}


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
        listed_after: Seconds after the start of its attempt until it is listed, as a job that needs
            others.
        labels: The labels in ``runs-on``.
        runner: ``hosted``, ``self-hosted``, or ``none`` (no runner took it).
        inherited: In a later attempt: not run again, with the start and the end of the attempt
            before.
        check_run: Whether this is another app's check run, which GitHub lists as a job.
        log: Its log; None generates one.
        log_state: How a request for the log is answered; None decides by status.
        annotations: The messages of its check run's annotations, or keys of their JSON objects; None
            gives the one that the conclusion implies.
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
    listed_after: int = 0
    labels: tuple[str, ...] = ("ubuntu-latest",)
    runner: Literal["hosted", "self-hosted", "none"] = "hosted"
    inherited: bool = False
    check_run: bool = False
    log: LogContent | None = None
    log_state: LogState | None = None
    annotations: Sequence[str | Mapping[str, object]] | None = None
    overrides: Mapping[str, object] = attrs.field(factory=dict)
    without: tuple[str, ...] = ()


@attrs.frozen
class AttemptSpec:
    """
    One attempt of a run.

    Args:
        jobs: Its jobs.
        conclusion: How it ended; None derives it from the jobs.
        after: Seconds between the end of the attempt before and its start.
    """

    jobs: Sequence[JobSpec] = ()
    conclusion: str | None = None
    after: int = 300


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


@lru_cache(maxsize=64)
def _standard_steps(count: int, seconds: int) -> tuple[StepSpec, ...]:
    """Give a believable list with *count* steps between set-up and post steps."""
    if count <= 0:
        return ()
    names = [_MAIN[n] if n < len(_MAIN) else f"Check part {n - 3}" for n in range(count)]
    posts = [f"Post {name}" for name in reversed(names[:2])]
    first_post = count + 1 + _POST_GAP
    # The main steps share what set-up and post steps leave, and the last one has the rest.
    share, rest = divmod(max(0, seconds - 2 - len(posts)), count)
    shares = [share] * (count - 1) + [share + rest]
    return (
        StepSpec("Set up job", seconds=2, number=1),
        *(StepSpec(names[n], seconds=shares[n], number=n + 2) for n in range(count)),
        *(StepSpec(name, number=first_post + n) for n, name in enumerate(posts)),
        StepSpec("Complete job", seconds=0, number=first_post + len(posts)),
    )


def steps_of(spec: JobSpec, started: int) -> list[dict[str, object]]:
    """Make the JSON objects of a job's steps; *started* is in seconds since the epoch."""
    counted = isinstance(spec.steps, int)
    steps = _standard_steps(spec.steps, spec.seconds) if isinstance(spec.steps, int) else spec.steps
    outcomes = [(step.status, step.conclusion) for step in steps]
    if steps and (counted or spec.fails_at):
        outcomes = _outcomes(spec, steps)
    made: list[dict[str, object]] = []
    now, number = started, 0
    for step, (status, conclusion) in zip(steps, outcomes, strict=True):
        number = step.number if step.number is not None else number + 1
        lasts = status == "completed" and conclusion != "skipped"
        end = now + (step.seconds if lasts else 0)
        made.append(
            {
                "name": step.name,
                "status": status,
                "conclusion": conclusion,
                "number": number,
                "started_at": iso(now) if status in {"completed", "in_progress"} else None,
                "completed_at": iso(end) if status == "completed" else None,
            }
        )
        now = end
    return made


def _outcomes(spec: JobSpec, steps: Sequence[StepSpec]) -> list[tuple[str, str | None]]:
    """Give status and conclusion of each step, as the job's own imply them."""
    posts = {
        i for i, step in enumerate(steps) if step.name.startswith("Post ") or step.name in _ENDS
    }
    main = [i for i in range(len(steps)) if i not in posts] or [0]
    turning = main[-2] if len(main) > 1 else main[-1]
    if spec.fails_at is not None:
        turning = next((i for i, s in enumerate(steps) if s.name == spec.fails_at), turning)
    outcomes: list[tuple[str, str | None]] = [("completed", "success")] * len(steps)
    if spec.status == "in_progress":
        outcomes[turning:] = [("pending", None)] * (len(steps) - turning)
        outcomes[turning : turning + 1] = [("in_progress", None)]
    elif spec.conclusion in _STEP_CONCLUSIONS:
        for index in main:
            if index > turning:
                outcomes[index] = ("completed", "skipped")
        outcomes[turning] = ("completed", _STEP_CONCLUSIONS[spec.conclusion])
    return outcomes
