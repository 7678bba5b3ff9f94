"""
The tracker of a run or a job: what answers and time say about it, as events and a verdict.

Pure: answers and times come in, events and a verdict go out.
"""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Final, Generic, TypeVar

import attrs

from ghjobs_async.errors import AuthError, ForbiddenError, GHJobsError, NotFoundError, one_line
from ghjobs_async.listing.attempts import progress
from ghjobs_async.models import Conclusion, Job, JobList, Run, Status, Step
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.watch.events import (
    Follow,
    JobEvent,
    RunEvent,
    RunEventKind,
    StepEvent,
    Verdict,
    Waited,
    WatchEvent,
    verdict_of,
)

R = TypeVar("R", RunRef, JobRef)

# After a run has ended, its list of jobs may lag: it is read again for at most this long.
_LAG: Final = 60.0
# A run ends within this time of its last job. Where no job ended then, some are still to come, unless
# the run ended long ago: no replica is behind by that much.
_LAST_JOB: Final = 30.0
_REPLICA_LAG: Final = 120.0
# A run that ends like this may have no jobs at all.
_WITHOUT_JOBS: Final = frozenset(
    {
        *(Conclusion.STARTUP_FAILURE, Conclusion.ACTION_REQUIRED, Conclusion.SKIPPED),
        *(Conclusion.CANCELLED, Conclusion.STALE),
    }
)
# A reason names this many jobs.
_NAMED: Final = 3


@attrs.define(eq=False)
class Tracker(Generic[R]):
    """
    What is common to the tracker of a run and of a job: errors, grace and deadline.

    Args:
        ref: What is watched.
        begun: When the watch began, in epoch seconds; so are all times here.
        until: The deadline; infinite for none.
        grace: For how many seconds a 404 means "not yet".
    """

    ref: R
    begun: float
    until: float = inf
    grace: float = 60.0
    #: The last answer, if it was an error.
    error: GHJobsError | None = None
    #: When something last changed.
    changed_at: float = attrs.field(init=False)
    verdict: Verdict | None = None
    reason: str = ""
    #: Whether its error is to be raised: it is refused, or is not there.
    refused: bool = False
    _missing_since: float | None = None

    def __attrs_post_init__(self) -> None:
        self.changed_at = self.begun

    @property
    def found(self) -> bool:
        """Whether it was seen."""
        raise NotImplementedError

    @property
    def moving(self) -> bool:
        """Whether it is in progress, not in a queue."""
        raise NotImplementedError

    def fail(self, error: GHJobsError, now: float) -> None:
        """
        See an error: a refusal ends the tracker, as does a 404 after the grace.

        Anything else only matters where it is the last answer before the deadline.
        """
        self.error = error
        if isinstance(error, NotFoundError):
            since = self.begun if not self.found else now
            self._missing_since = since if self._missing_since is None else self._missing_since
            if now - self._missing_since < self.grace:
                return
        elif not isinstance(error, (AuthError, ForbiddenError)):
            return
        self.refused = True
        self._end(Verdict.UNREACHABLE, str(error))

    def close(self, now: float) -> None:
        """Decide whether it is over: then there is a verdict."""
        if self.verdict is None:
            self._conclude(now)

    def _conclude(self, now: float) -> None:
        raise NotImplementedError

    def _seen(self) -> None:
        self.error = None
        self._missing_since = None

    def _end(self, verdict: Verdict, reason: str) -> None:
        self.verdict, self.reason = verdict, one_line(reason)


@attrs.define(eq=False)
class JobTracker(Tracker[JobRef]):
    """The tracker of one job."""

    job: Job | None = None

    @property
    def found(self) -> bool:
        """Whether it was seen."""
        return self.job is not None

    @property
    def moving(self) -> bool:
        """Whether it is in progress, not in a queue."""
        return self.job is not None and progress(self.job.status) >= progress(Status.IN_PROGRESS)

    def see(self, job: Job, now: float) -> None:
        """See an answer about the job; an older one is dropped."""
        self._seen()
        if self.job is None or _far(job) >= _far(self.job):
            if self.job is None or job.status != self.job.status or job.steps != self.job.steps:
                self.changed_at = now
            self.job = job

    def _conclude(self, now: float) -> None:
        job = self.job
        if job is not None and job.status == Status.COMPLETED:
            # The conclusion may lag.
            if job.conclusion is not None or now >= min(self.until, self.changed_at + _LAG):
                ended_with = job.conclusion or "no conclusion"
                self._end(verdict_of(job.conclusion), f"the job ended with {ended_with}")
        elif now >= self.until and (self.error is not None or job is None):
            self._end(Verdict.UNREACHABLE, str(self.error or "there was no answer"))
        elif now >= self.until and job is not None:
            self._end(Verdict.DEADLINE, f"the job was still {job.state} at the deadline")

    def waited(self) -> Waited:
        """Return how the wait ended."""
        assert self.verdict is not None
        attempt = None if self.job is None else self.job.run_attempt
        return Waited(
            verdict=self.verdict,
            job=self.job,
            attempt=attempt,
            reason=self.reason,
            error=self.error,
        )


@attrs.define(eq=False)
class RunTracker(Tracker[RunRef]):
    """
    The tracker of one run: of one attempt, or of each that follows.

    Args:
        follow: What a new attempt does.
    """

    follow: Follow = "attempt"
    run: Run | None = None
    #: Events that were not taken yet, in order.
    events: list[WatchEvent] = attrs.field(factory=list)
    #: When the run was first seen to have ended.
    ended_at: float | None = None
    #: Until when its list of jobs is read again, once it was read after that.
    lags_until: float | None = None
    # The state in which the run was last reported.
    _run_told: tuple[str | None, str | None] | None = None
    # The jobs by id as far as they have come, as they last came, and as they were last reported.
    _jobs: dict[int, Job] = attrs.field(factory=dict)
    _came: dict[int, Job] = attrs.field(factory=dict)
    _told: dict[int, Job] = attrs.field(factory=dict)
    _steps_told: dict[int, dict[tuple[int, str], Step]] = attrs.field(factory=dict)
    # How many jobs the last list had by its own count; None before the first one.
    _total: int | None = None
    # Whether the list was read since the run changed.
    _fresh: bool = False

    @property
    def found(self) -> bool:
        """Whether it was seen."""
        return self.run is not None

    @property
    def moving(self) -> bool:
        """Whether it is in progress, not in a queue."""
        return self.run is not None and progress(self.run.status) >= progress(Status.IN_PROGRESS)

    @property
    def attempt(self) -> RunRef:
        """The reference to the attempt that is watched."""
        number = None if self.run is None else self.run.run_attempt
        return attrs.evolve(self.ref, attempt=number or self.ref.attempt)

    @property
    def jobs(self) -> tuple[Job, ...] | None:
        """The jobs of the attempt, as far as they have come; None where none were listed yet."""
        return None if self._total is None else tuple(self._jobs.values())

    @property
    def wants_jobs(self) -> bool:
        """
        Whether the list of jobs has to be read although the run itself has not changed.

        The entry of a run does not change when its steps move.
        """
        return self.found and (self.moving or not self._fresh or not self._jobs)

    def see_run(self, run: Run, now: float) -> None:
        """See an answer about the run; an older one is dropped."""
        self.error = None
        if not self.wants_jobs:
            # Otherwise it may be the list of its jobs that is missing.
            self._missing_since = None
        known = self.run
        if self.verdict is not None or run is known or (known and _is_older(run, known)):
            return
        if known is None or (run.run_attempt or 1) == (known.run_attempt or 1):
            self._update(run, known, now)
        elif self.ended_at is not None:
            # It had ended before it was run again.
            return
        elif self.follow == "attempt":
            self._end(Verdict.SUPERSEDED, f"attempt {run.run_attempt} began")
        else:
            self._forget_jobs()
            self._update(run, known, now, "new_attempt")

    def _update(
        self, run: Run, known: Run | None, now: float, kind: RunEventKind = "changed"
    ) -> None:
        self.run = run
        self._fresh = self._fresh and run == known
        ended = run.status == Status.COMPLETED
        if known is None or kind == "new_attempt":
            self._tell("found" if known is None else kind, now)
        elif _state(run) != _state(known):
            self.changed_at = now
            if not ended and _state(run) != self._run_told:
                self._tell(kind, now)
        self.ended_at = (self.ended_at or now) if ended else None
        self.lags_until = self.lags_until if ended else None

    def see_jobs(self, listing: JobList, now: float) -> None:
        """See the list of the attempt's jobs; what is older than known is dropped."""
        self._seen()
        if self.verdict is not None:
            return
        self._fresh = True
        if self.ended_at is not None and self.lags_until is None:
            self.lags_until = now + _LAG
        self._total = listing.total_count - len(listing.undecodable)
        before = len(self.events)
        attempt = self.attempt.attempt
        for job in listing:
            # A list without an attempt in its address may be that of the next attempt already.
            late = attempt is not None and (job.run_attempt or attempt) > attempt
            if not late and self._came.get(job.id) is not job:
                self._came[job.id] = job
                self._see_job(job)
        if len(self.events) > before:
            self.changed_at = now

    def close(self, now: float) -> None:
        """Decide whether the watch is over; its last event is then among the events."""
        super().close(now)
        if self.verdict is not None:
            self._tell("ended", now)

    def waited(self) -> Waited:
        """Return how the wait ended."""
        assert self.verdict is not None
        return Waited(
            verdict=self.verdict,
            run=self.run,
            jobs=self.jobs,
            attempt=self.attempt.attempt,
            reason=self.reason,
            error=self.error,
        )

    def _conclude(self, now: float) -> None:
        run, late = self.run, now >= self.until
        if run is not None and self.ended_at is not None:
            # Where the list could not be read, it did not lag.
            lagged = self.error is None and now >= (self.lags_until or inf)
            if late or lagged or self._is_whole(run, now):
                self._end(verdict_of(run.conclusion), self._why(run))
        elif late and (self.error is not None or run is None):
            self._end(Verdict.UNREACHABLE, str(self.error or "there was no answer"))
        elif late and self._total is not None and not self._jobs:
            self._end(Verdict.NO_JOBS, "no jobs were listed until the deadline")
        elif late and run is not None:
            self._end(Verdict.DEADLINE, f"the run was still {run.state} at the deadline")

    def _is_whole(self, run: Run, now: float) -> bool:
        """Return whether nothing more is to come of a run that has ended."""
        if run.conclusion is None or not self._fresh or self._total is None:
            return False
        if self._lacks_end(run, now):
            return False
        if not self._jobs:
            return self._total == 0 and run.conclusion in _WITHOUT_JOBS
        completed = all(job.status == Status.COMPLETED for job in self._jobs.values())
        return completed and len(self._jobs) >= self._total

    def _lacks_end(self, run: Run, now: float) -> bool:
        """Return whether the list seems older than the end of the run, which ended with a job."""
        times = [time for job in self._jobs.values() for time in (job.created_at, job.completed_at)]
        last = max((time for time in times if time is not None), default=None)
        if last is None or run.updated_at is None:
            return False
        recent = now - run.updated_at.timestamp() < _REPLICA_LAG
        return recent and (run.updated_at - last).total_seconds() > _LAST_JOB

    def _why(self, run: Run) -> str:
        words = f"the run ended with {run.conclusion or 'no conclusion'}"
        good = {Verdict.SUCCESS, Verdict.SKIPPED}
        bad = [job for job in self._jobs.values() if verdict_of(job.conclusion) not in good]
        if verdict_of(run.conclusion) in good or not bad:
            return words
        names = ", ".join(f"{one_line(job.name, 80)} ({job.state})" for job in bad[:_NAMED])
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        return f"{words}: {names}{more}"

    def _tell(self, kind: RunEventKind, now: float) -> None:
        error = self.error if self.verdict == Verdict.UNREACHABLE else None
        self.events.append(RunEvent(self.ref, self.run, kind, self.verdict, error))
        self._run_told = None if self.run is None else _state(self.run)
        self.changed_at = now

    def _forget_jobs(self) -> None:
        self._jobs.clear()
        self._came.clear()
        self._told.clear()
        self._steps_told.clear()
        self._total, self._fresh = None, False

    def _see_job(self, job: Job) -> None:
        known = self._jobs.get(job.id)
        if known is not None:
            if _far(job) < _far(known):
                return
            steps = _newer_steps(known.steps, job.steps)
            job = job if steps == job.steps else attrs.evolve(job, steps=steps)
        self._jobs[job.id] = job
        told = self._told.get(job.id)
        steps_told = self._steps_told.setdefault(job.id, {})
        step_events: list[WatchEvent] = []
        for step in job.steps:
            before = steps_told.get(_key(step))
            if before is None or _state(step) != _state(before):
                step_events.append(StepEvent(self.ref, job, step, before))
                steps_told[_key(step)] = step
        if told is not None and _state(job) == _state(told):
            self.events += step_events
            return
        self._told[job.id] = job
        event = JobEvent(self.ref, job, told)
        # A job begins before its steps, and ends after them.
        ends = told is not None and job.status == Status.COMPLETED
        self.events += [*step_events, event] if ends else [event, *step_events]


def _state(part: Run | Job | Step) -> tuple[str | None, str | None]:
    return part.status, part.conclusion


def _key(step: Step) -> tuple[int, str]:
    return step.number, step.name


def _far(part: Job | Step) -> tuple[int, bool]:
    """Return how far a job or a step has come; an answer in which it is less far is older."""
    completed = part.status == Status.COMPLETED
    return progress(part.status), completed and part.conclusion is not None


def _newer_steps(known: tuple[Step, ...], came: tuple[Step, ...]) -> tuple[Step, ...]:
    """Merge the steps of two answers about one job: none goes back, and none gets lost."""
    steps = {_key(step): step for step in known}
    for step in came:
        before = steps.get(_key(step))
        if before is None or _far(step) >= _far(before):
            steps[_key(step)] = step
    return tuple(steps.values())


def _is_older(run: Run, known: Run) -> bool:
    """Return whether an answer is older than what is known, as one from a replica may be."""
    attempts = run.run_attempt or 1, known.run_attempt or 1
    if attempts[0] != attempts[1]:
        return attempts[0] < attempts[1]
    times: tuple[datetime | None, datetime | None] = run.updated_at, known.updated_at
    return times[0] is not None and times[1] is not None and times[0] < times[1]
