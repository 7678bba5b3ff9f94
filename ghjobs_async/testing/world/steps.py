"""The steps of a job: names, numbers with gaps, times in whole seconds, outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ghjobs_async.testing.world.specs import JobSpec, StepSpec
from ghjobs_async.testing.world.times import iso

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


@lru_cache(maxsize=64)
def standard_steps(count: int, seconds: int) -> tuple[StepSpec, ...]:
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
    steps = standard_steps(spec.steps, spec.seconds) if isinstance(spec.steps, int) else spec.steps
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
