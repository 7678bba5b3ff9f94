"""The steps of a job: names, numbers with gaps, times in whole seconds, outcomes."""

from __future__ import annotations

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
_FAILED = frozenset({"failure", "timed_out"})


@lru_cache(maxsize=64)
def standard_steps(count: int) -> tuple[StepSpec, ...]:
    """Give a believable list with *count* steps between set-up and post steps."""
    if count <= 0:
        return ()
    names = [_MAIN[n] if n < len(_MAIN) else f"Check part {n - 3}" for n in range(count)]
    first_post = count + 1 + _POST_GAP
    posts = [f"Post {name}" for name in names[:2]][::-1]
    return (
        StepSpec("Set up job", seconds=2, number=1),
        *(StepSpec(name, number=n + 2) for n, name in enumerate(names)),
        *(StepSpec(name, seconds=1, number=first_post + n) for n, name in enumerate(posts)),
        StepSpec("Complete job", seconds=0, number=first_post + len(posts)),
    )


def steps_of(spec: JobSpec, started: int) -> list[dict[str, object]]:
    """Make the JSON objects of a job's steps; *started* is in seconds since the epoch."""
    counted = isinstance(spec.steps, int)
    steps = standard_steps(spec.steps) if isinstance(spec.steps, int) else tuple(spec.steps)
    if not steps:
        return []
    outcomes = _outcomes(spec, steps) if counted or spec.fails_at else None
    budget = max(0, spec.seconds)
    # The main steps share what set-up and post steps leave.
    shared = [i for i, s in enumerate(steps) if counted and s.seconds == 1 and not _is_post(s)]
    fixed = sum(s.seconds for i, s in enumerate(steps) if i not in set(shared))
    share, rest = divmod(max(0, budget - fixed), len(shared) or 1)
    made: list[dict[str, object]] = []
    now, number = started, 0
    for index, step in enumerate(steps):
        status, conclusion = outcomes[index] if outcomes else (step.status, step.conclusion)
        number = step.number if step.number is not None else number + 1
        seconds = share + (rest if index == shared[-1] else 0) if index in shared else step.seconds
        if conclusion == "skipped" or status != "completed":
            seconds = 0
        begun, ended = status in {"completed", "in_progress"}, status == "completed"
        made.append(
            {
                "name": step.name,
                "status": status,
                "conclusion": conclusion,
                "number": number,
                "started_at": iso(now) if begun else None,
                "completed_at": iso(now + seconds) if ended else None,
            }
        )
        now += seconds
    return made


def _is_post(step: StepSpec) -> bool:
    return step.name.startswith("Post ") or step.name in {"Set up job", "Complete job"}


def _outcomes(spec: JobSpec, steps: tuple[StepSpec, ...]) -> list[tuple[str, str | None]]:
    """Give status and conclusion of each step, as the job's own imply them."""
    main = [i for i, step in enumerate(steps) if not _is_post(step)] or [0]
    turning = main[-2] if len(main) > 1 else main[-1]
    if spec.fails_at is not None:
        turning = next((i for i, s in enumerate(steps) if s.name == spec.fails_at), turning)
    outcomes: list[tuple[str, str | None]] = []
    for index, step in enumerate(steps):
        if spec.status == "in_progress" and index >= turning:
            outcomes.append(("in_progress" if index == turning else "pending", None))
        elif spec.conclusion in _FAILED and index == turning:
            outcomes.append(("completed", "failure"))
        elif spec.conclusion == "cancelled" and index == turning:
            outcomes.append(("completed", "cancelled"))
        elif spec.conclusion in _FAILED | {"cancelled"} and index > turning and not _is_post(step):
            outcomes.append(("completed", "skipped"))
        else:
            outcomes.append(("completed", "success"))
    return outcomes
