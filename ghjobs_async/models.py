"""
Models: what GitHub answers and what this library returns.

Field names are GitHub's own. Everything here is frozen and hashable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, TypeAlias, overload

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override
from msgspec import Meta

from ghjobs_async.errors import ConfigurationError, Undecodable
from ghjobs_async.records import record
from ghjobs_async.refs import MAX_ATTEMPT, MAX_ID, JobRef, RunRef, find_repo

#: A date-time from GitHub: aware, with the offset that was sent.
Timestamp: TypeAlias = Annotated[datetime, Meta(tz=True)]
#: An id: positive, an int64 as on GitHub's side.
Id: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_ID)]
#: The number of an attempt. All attempts up to it are asked for, so that it has to be a sane one.
AttemptNumber: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_ATTEMPT)]


class Status(StrEnum):
    """
    The known values of ``status``.

    Fields hold plain strings, since GitHub adds values about once a year. A member equals its text.
    """

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    WAITING = "waiting"
    REQUESTED = "requested"
    PENDING = "pending"


class Conclusion(StrEnum):
    """The known values of ``conclusion``; like `Status`, not a closed list."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"
    STALE = "stale"
    STARTUP_FAILURE = "startup_failure"


#: What the ``status`` filter of a run search takes: either a status or a conclusion.
RUN_STATUSES: Final[tuple[str, ...]] = (*Status, *Conclusion)

_NOT_STARTED: Final = frozenset({Status.QUEUED, Status.WAITING, Status.REQUESTED, Status.PENDING})


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """Return the time from *start* to *end*; None where one is missing or *end* is the earlier."""
    if start is None or end is None or end < start:
        return None
    return end - start


def _state(status: str | None, conclusion: str | None) -> str:
    # A job that runs again may still have the conclusion of its last run.
    if status is None or status == Status.COMPLETED:
        return conclusion or status or "unknown"
    return status


@record
@attrs.frozen(kw_only=True)
class Step:
    """
    One step of a job.

    Numbers have gaps and steps may run in parallel, so never index a job's steps by ``number``.
    """

    name: str
    status: str
    conclusion: str | None = None
    number: int
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None

    @property
    def duration(self) -> timedelta | None:
        """The time from start to end; None where unknown or where the end is before the start."""
        return _between(self.started_at, self.completed_at)

    @property
    def state(self) -> str:
        """What to show to people: the status until it is ``completed``, then the conclusion."""
        return _state(self.status, self.conclusion)

    def to_dict(self) -> dict[str, object]:
        """Return the step in the shape of GitHub's JSON, as `to_dict` does."""
        return to_dict(self)


@record
@attrs.frozen(kw_only=True)
class Job:
    """
    One job of one attempt of a run.

    https://docs.github.com/rest/actions/workflow-jobs

    Keys that older servers do not send have a default: None, or an empty tuple.
    """

    id: Id
    run_id: Id
    workflow_name: str | None = None
    head_branch: str | None = None
    run_url: str
    run_attempt: AttemptNumber | None = None
    node_id: str
    head_sha: str
    url: str
    html_url: str | None = None
    status: str
    conclusion: str | None = None
    created_at: Timestamp | None = None
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    name: str
    steps: tuple[Step, ...] = ()
    check_run_url: str
    labels: tuple[str, ...] = ()
    runner_id: int | None = None
    runner_name: str | None = None
    runner_group_id: int | None = None
    runner_group_name: str | None = None

    @property
    def ref(self) -> JobRef:
        """
        The reference to this job, with the repository that the job's own URLs name.

        Raises:
            ConfigurationError: None of the URLs names a repository.
        """
        for url in (self.url, self.run_url, self.check_run_url, self.html_url or ""):
            if repo := find_repo(url):
                return JobRef(repo, self.id)
        raise ConfigurationError(
            f"the URLs of job {self.id} do not name its repository: give repository and id instead"
        )

    @property
    def state(self) -> str:
        """What to show to people: the status until it is ``completed``, then the conclusion."""
        return _state(self.status, self.conclusion)

    @property
    def ran_out_of_time(self) -> bool:
        """Whether a time limit stopped it: GitHub cancels a step, and one that runs always fails."""
        if self.state != Conclusion.CANCELLED:
            return self.state == Conclusion.TIMED_OUT
        states = [step.state for step in self.steps]
        at = states.index(Conclusion.CANCELLED) if Conclusion.CANCELLED in states else len(states)
        return Conclusion.FAILURE in states[at:]

    @property
    def duration(self) -> timedelta | None:
        """
        The time from start to end; None where unknown, where the end is before the start, and for a
        job that runs again and still has the end of its last run.
        """
        ended = self.completed_at if self.status == Status.COMPLETED else None
        return _between(self.started_at, ended)

    @property
    def queued_for(self) -> timedelta | None:
        """
        How long the job waited for a runner, until its first step began.

        None while it waits, where the times do not tell, and for a job that a re-run inherited,
        which started before it was created.
        """
        created, started = self.created_at, self.started_at
        if created is None or started is None or started < created or self.status in _NOT_STARTED:
            return None
        first = min((step.started_at for step in self.steps if step.started_at), default=None)
        if first is not None and first >= started:
            return first - created
        # Some self-hosted runners report the time of queueing as the start.
        return started - created if started > created else None

    @property
    def ran(self) -> bool:
        """
        Whether a runner took this job: not skipped, cancelled while it waited, or another app's
        check run. Empty ``steps`` do not matter: GitHub deletes those of old runs before their jobs.
        """
        if self.state == Conclusion.SKIPPED or self.status in _NOT_STARTED:
            return False
        if self.steps or self.runner_id or self.runner_name:
            return True
        # Older servers send no runner. There, only a job that took time ran: check runs take none.
        concluded = self.state in {Conclusion.SUCCESS, Conclusion.FAILURE, Conclusion.TIMED_OUT}
        return concluded and bool(self.duration)

    def to_dict(self) -> dict[str, object]:
        """Return the job in the shape of GitHub's JSON, as `to_dict` does."""
        return to_dict(self)


@attrs.frozen(kw_only=True)
class Actor:
    """Who triggered a run: the part of GitHub's user object that an audit needs."""

    login: str
    id: int | None = None
    type: str | None = None


@attrs.frozen(kw_only=True)
class Repository:
    """The repository of a run."""

    id: int
    full_name: str
    private: bool | None = None
    html_url: str | None = None


@attrs.frozen(kw_only=True)
class Run:
    """
    One run of a workflow, in the state of its latest attempt or of the one that was asked for.

    https://docs.github.com/rest/actions/workflow-runs
    """

    id: Id
    name: str | None = None
    node_id: str
    head_branch: str | None = None
    head_sha: str
    path: str | None = None
    display_title: str | None = None
    run_number: int
    event: str
    status: str | None = None
    conclusion: str | None = None
    workflow_id: int
    check_suite_id: int | None = None
    url: str
    html_url: str | None = None
    created_at: Timestamp
    updated_at: Timestamp | None = None
    actor: Actor | None = None
    run_attempt: AttemptNumber | None = None
    run_started_at: Timestamp | None = None
    triggering_actor: Actor | None = None
    repository: Repository

    @property
    def ref(self) -> RunRef:
        """The reference to this run as a whole, not to one attempt."""
        return RunRef(self.repository.full_name, self.id)

    @property
    def attempts(self) -> tuple[RunRef, ...]:
        """The references to every attempt of this run, the first one first."""
        numbers = range(1, (self.run_attempt or 1) + 1)
        return tuple(RunRef(self.repository.full_name, self.id, attempt=n) for n in numbers)

    @property
    def state(self) -> str:
        """What to show to people: the status until it is ``completed``, then the conclusion."""
        return _state(self.status, self.conclusion)

    def to_dict(self) -> dict[str, object]:
        """Return the run in the shape of GitHub's JSON, as `to_dict` does."""
        return to_dict(self)


@attrs.frozen(kw_only=True)
class CheckAnnotation:
    """What GitHub or an action says about a job, besides its log."""

    message: str
    annotation_level: str | None = None
    title: str | None = None
    path: str | None = None
    start_line: int | None = None
    end_line: int | None = None
    raw_details: str | None = None


def to_dict(value: Job | Run | Step) -> dict[str, object]:
    """
    Return a model in the shape of GitHub's JSON: the same names, nesting and texts.

    Keys that the model does not have are missing. Date-times keep their offset and the fraction of
    a second, without trailing zeros.
    """
    unstructured: dict[str, object] = _to_json.unstructure(value)
    return unstructured


def _iso(value: datetime) -> str:
    """Write a date-time as GitHub does: ``Z`` for UTC, no fraction where there is none."""
    if value.utcoffset():
        return value.isoformat(timespec="milliseconds" if value.microsecond else "auto")
    timespec = "milliseconds" if value.microsecond else "seconds"
    return value.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_unstructure_hook(datetime, _iso)
    # Older servers leave these out and never send null, so None is left out again.
    absent = override(omit_if_default=True)
    converter.register_unstructure_hook(
        Job, make_dict_unstructure_fn(Job, converter, created_at=absent, run_attempt=absent)
    )
    return converter


_to_json: Final = _converter()


@attrs.frozen
class JobList(Sequence[Job]):
    """
    The jobs of one run or attempt: a sequence of `Job` that says whether it is complete.

    Attributes:
        total_count: The number of jobs by GitHub's own, latest count.
        undecodable: The jobs that came but could not be decoded, or are another run's.
        settled: Whether the pages agreed: on the total, and no job came twice.
    """

    jobs: tuple[Job, ...]
    total_count: int
    undecodable: tuple[Undecodable, ...] = ()
    settled: bool = True

    @property
    def complete(self) -> bool:
        """Whether every job that GitHub counts is here and decoded, and the pages agreed."""
        return self.settled and not self.undecodable and len(self.jobs) == self.total_count

    @property
    def expected(self) -> int:
        """The number of jobs that there should be: ``total_count``."""
        return self.total_count

    @property
    def got(self) -> int:
        """The number of jobs that are here."""
        return len(self.jobs)

    @overload
    def __getitem__(self, index: int) -> Job: ...

    @overload
    def __getitem__(self, index: slice) -> list[Job]: ...

    def __getitem__(self, index: int | slice) -> Job | list[Job]:
        return list(self.jobs[index]) if isinstance(index, slice) else self.jobs[index]

    def __len__(self) -> int:
        return len(self.jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def __repr__(self) -> str:
        verdict = "complete" if self.complete else f"incomplete: {self.got} of {self.expected}"
        return f"<JobList of {len(self.jobs)} jobs, {verdict}>"


@attrs.frozen(repr=False)
class LogLink:
    """
    The signed link of a log. Anyone who has it can read the log, so its repr hides the query.

    Attributes:
        url: The whole link, with its signature.
        expires_at: When the link expires, where the link itself says so.
    """

    url: str
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"LogLink(url={self.url.partition('?')[0]!r}, expires_at={self.expires_at!r})"

    __str__ = __repr__


@attrs.frozen(repr=False)
class InstallationToken:
    """An App's installation token and when it expires; its repr hides the token."""

    token: str
    expires_at: Timestamp

    def __repr__(self) -> str:
        return f"InstallationToken(token=..., expires_at={self.expires_at!r})"


@attrs.frozen
class RateLimit:
    """
    The rest of the hourly budget, as the server last reported it.

    Attributes:
        limit: How many requests an hour are allowed.
        remaining: How many of them are left.
        reset_at: When the full budget is available again.
    """

    limit: int | None
    remaining: int
    reset_at: datetime


@attrs.frozen
class Wait:
    """
    A wait, reported to ``on_wait`` before it begins.

    Attributes:
        seconds: How long it takes; for what is not there yet, at most.
        until: When it ends.
        reason: Its cause: ``"secondary rate limit"``, ``"retry after 502"``, ``"... not there yet"``.
    """

    seconds: float
    until: datetime
    reason: str

    def __str__(self) -> str:
        return f"waiting {self.seconds:.0f} s, until {self.until:%H:%M:%S} UTC: {self.reason}"
