"""
Turn the answers about a run or a job into events and a verdict.

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

# After a run has ended, its list of jobs may lag behind: it is read again for at most this long.
_LAG: Final = 60.0
# A run ends at most this long after its last job. If the last known job ended earlier, the list is
# incomplete; but not if the run ended long ago, since no replica is so far behind.
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
    Track a run or a job: its errors, its grace and its deadline.

    All times are in epoch seconds.

    Args:
        ref: The run or the job.
        begun: When the watch began.
        until: The deadline; infinite for none.
        grace: For how many seconds a 404 means "not yet".
    """

    ref: R
    begun: float
    until: float = inf
    grace: float = 60.0
    #: The last answer where it was an error, else None.
    error: GHJobsError | None = None
    #: When something last changed.
    changed_at: float = attrs.field(init=False)
    verdict: Verdict | None = None
    reason: str = ""
    #: Whether the watch ended with a refusal or a 404, which `wait_for_run` raises.
    refused: bool = False
    _missing_since: float | None = None

    def __attrs_post_init__(self) -> None:
        self.changed_at = self.begun

    @property
    def latest(self) -> Run | Job | None:
        """The run or the job as it was last seen; None before."""
        raise NotImplementedError

    @property
    def found(self) -> bool:
        """Whether it was seen."""
        return self.latest is not None

    @property
    def moving(self) -> bool:
        """Whether it has left the queue."""
        latest = self.latest
        return latest is not None and progress(latest.status) >= progress(Status.IN_PROGRESS)

    def fail(self, error: GHJobsError, now: float) -> None:
        """
        Take in an error: a refusal ends the watch, as does a 404 after the grace.

        Any other error only matters if it is the last answer before the deadline.
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
        """Set the verdict if the watch is over."""
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
    """Track one job."""

    job: Job | None = None

    @property
    def latest(self) -> Job | None:
        """The job as it was last seen; None before."""
        return self.job

    def see(self, job: Job, now: float) -> None:
        """Take in an answer about the job; an older one is dropped."""
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
    Track one run: one attempt of it, or the later ones too.

    Args:
        follow: What happens when a new attempt begins.
    """

    follow: Follow = "attempt"
    run: Run | None = None
    #: Events that were not taken yet, in order.
    events: list[WatchEvent] = attrs.field(factory=list)
    #: When the run was first seen to have ended.
    ended_at: float | None = None
    #: Until when its list of jobs is read again; None until the list was read after `ended_at`.
    lags_until: float | None = None
    # The state in the last event of the run.
    _run_told: tuple[str | None, str | None] | None = None
    # The jobs by id: their newest known states, the last answers, and the states in their last events.
    _jobs: dict[int, Job] = attrs.field(factory=dict)
    _came: dict[int, Job] = attrs.field(factory=dict)
    _told: dict[int, Job] = attrs.field(factory=dict)
    _steps_told: dict[int, dict[tuple[int, str], Step]] = attrs.field(factory=dict)
    # The total_count of the last list, without undecodable jobs; None before the first list.
    _total: int | None = None
    # Whether the list was read since the run changed.
    _fresh: bool = False

    @property
    def latest(self) -> Run | None:
        """The run as it was last seen; None before."""
        return self.run

    @property
    def attempt(self) -> RunRef:
        """The reference to the attempt that is watched."""
        number = None if self.run is None else self.run.run_attempt
        return attrs.evolve(self.ref, attempt=number or self.ref.attempt)

    @property
    def jobs(self) -> tuple[Job, ...] | None:
        """The jobs of the attempt as last known; None before the first list."""
        return None if self._total is None else tuple(self._jobs.values())

    @property
    def wants_jobs(self) -> bool:
        """
        Whether the list of jobs has to be read although the run itself has not changed.

        The entry of a run does not change when its steps move.
        """
        return self.found and (self.moving or not self._fresh or not self._jobs)

    def see_run(self, run: Run, now: float) -> None:
        """Take in an answer about the run; an older one is dropped."""
        self.error = None
        if not self.wants_jobs:
            # While the list of jobs is wanted, a 404 may be about that list, so it still counts.
            self._missing_since = None
        known = self.run
        if self.verdict is not None or run is known or (known and _is_older(run, known)):
            return
        if known is None or (run.run_attempt or 1) == (known.run_attempt or 1):
            self._update(run, known, now)
        elif self.ended_at is not None:
            # The watched attempt had ended before the new one began.
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
        """Take in the list of the attempt's jobs; jobs that are older than known are dropped."""
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
            # A list that was not asked for by attempt may already be that of the next attempt.
            late = attempt is not None and (job.run_attempt or attempt) > attempt
            if not late and self._came.get(job.id) is not job:
                self._came[job.id] = job
                self._see_job(job)
        if len(self.events) > before:
            self.changed_at = now

    def close(self, now: float) -> None:
        """Set the verdict if the watch is over, and add the last event."""
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
            # After an error the wait for the list goes on.
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
        """Return whether all of a run that has ended is known."""
        if run.conclusion is None or not self._fresh or self._total is None:
            return False
        if self._lacks_end(run, now):
            return False
        if not self._jobs:
            return self._total == 0 and run.conclusion in _WITHOUT_JOBS
        completed = all(job.status == Status.COMPLETED for job in self._jobs.values())
        return completed and len(self._jobs) >= self._total

    def _lacks_end(self, run: Run, now: float) -> bool:
        """Return whether the list seems older than the end of the run: no job ended near it."""
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
        # A job starts before its steps and ends after them: the events come in that order.
        ends = told is not None and job.status == Status.COMPLETED
        self.events += [*step_events, event] if ends else [event, *step_events]


def _state(part: Run | Job | Step) -> tuple[str | None, str | None]:
    return part.status, part.conclusion


def _key(step: Step) -> tuple[int, str]:
    return step.number, step.name


def _far(part: Job | Step) -> tuple[int, bool]:
    """Return how far a job or a step has come: it never goes back, so less far is older."""
    completed = part.status == Status.COMPLETED
    return progress(part.status), completed and part.conclusion is not None


def _newer_steps(known: tuple[Step, ...], came: tuple[Step, ...]) -> tuple[Step, ...]:
    """Merge the steps of two answers about one job: each in its newest state, none lost."""
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
