"""The events of a watch, and its verdicts."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, TypeAlias

import attrs

from ghjobs_async.errors import GHJobsError, one_line
from ghjobs_async.models import Conclusion, Job, Run, Step
from ghjobs_async.refs import RunRef

#: What happens when a new attempt of a run begins: its watch ends, or goes on with that attempt.
Follow: TypeAlias = Literal["attempt", "run"]
RunEventKind: TypeAlias = Literal["found", "changed", "new_attempt", "ended"]


class Verdict(StrEnum):
    """How a watch of a run or of a job ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"
    SKIPPED = "skipped"
    #: The list of jobs was still empty at the deadline.
    NO_JOBS = "no_jobs"
    #: A new attempt began before the end of the watched one was seen.
    SUPERSEDED = "superseded"
    #: It had not ended at the deadline.
    DEADLINE = "deadline"
    #: It does not exist, GitHub refused access, or the last answer before the deadline was an error.
    UNREACHABLE = "unreachable"


_VERDICTS: Final[dict[str | None, Verdict]] = {
    Conclusion.SUCCESS: Verdict.SUCCESS,
    Conclusion.NEUTRAL: Verdict.SUCCESS,
    Conclusion.CANCELLED: Verdict.CANCELLED,
    Conclusion.STALE: Verdict.CANCELLED,
    Conclusion.TIMED_OUT: Verdict.TIMED_OUT,
    Conclusion.ACTION_REQUIRED: Verdict.ACTION_REQUIRED,
    Conclusion.SKIPPED: Verdict.SKIPPED,
}


def verdict_of(conclusion: str | None) -> Verdict:
    """Return the verdict for a conclusion; an unknown one counts as a failure."""
    return _VERDICTS.get(conclusion, Verdict.FAILURE)


def _change(what: str, now: Job | Step, before: Job | Step | None) -> str:
    """Return what changed, on one line: names are untrusted."""
    return one_line(f"{what}: {'' if before is None else f'{before.state}, now '}{now.state}")


@attrs.frozen
class JobEvent:
    """
    A job appeared, or its status or conclusion changed.

    Attributes:
        ref: The run that is watched.
        job: The job as it is now.
        previous: The job as the last `JobEvent` reported it; None when it appears.
    """

    ref: RunRef
    job: Job
    previous: Job | None = None

    def __str__(self) -> str:
        return _change(f"{self.ref}, job {self.job.name}", self.job, self.previous)


@attrs.frozen
class StepEvent:
    """
    A step appeared, or its status or conclusion changed.

    Attributes:
        ref: The run that is watched.
        job: The step's job as it is now.
        step: The step as it is now.
        previous: The step as it was last reported; None when it appears.
    """

    ref: RunRef
    job: Job
    step: Step
    previous: Step | None = None

    def __str__(self) -> str:
        what = f"{self.ref}, job {self.job.name}, step {self.step.name}"
        return _change(what, self.step, self.previous)


@attrs.frozen
class RunEvent:
    """
    A run was found, its status changed, a new attempt of it began, or its watch ended.

    Attributes:
        ref: The run that is watched.
        run: The run as it is now; None where it was never seen.
        kind: ``found`` is the first event of a run, ``ended`` its last one.
        verdict: How it ended; None before.
        error: The last answer, if this error ended the watch.
    """

    ref: RunRef
    run: Run | None
    kind: RunEventKind
    verdict: Verdict | None = None
    error: GHJobsError | None = None

    def __str__(self) -> str:
        state = self.verdict or ("unknown" if self.run is None else self.run.state)
        return one_line(f"{self.ref} {self.kind}: {state}")


#: What iterating over a `Watch` gives.
WatchEvent: TypeAlias = RunEvent | JobEvent | StepEvent


@attrs.frozen(kw_only=True)
class Waited:
    """
    How waiting for a run or a job ended. What does not apply is None.

    Attributes:
        verdict: The verdict.
        run: The run as it was last seen.
        jobs: The jobs of the watched attempt.
        job: The watched job.
        attempt: The number of the watched attempt.
        reason: The reason for the verdict, as a text for people.
        error: The last answer, if it was an error.
    """

    verdict: Verdict
    run: Run | None = None
    jobs: tuple[Job, ...] | None = None
    job: Job | None = None
    attempt: int | None = None
    reason: str = ""
    error: GHJobsError | None = None

    def __str__(self) -> str:
        what = "" if self.job is None else f"job {self.job.name}: "
        what = what if self.run is None else f"{self.run.ref}: "
        return one_line(f"{what}{self.verdict}{', ' * bool(self.reason)}{self.reason}")
