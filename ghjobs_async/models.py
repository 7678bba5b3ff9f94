"""
Values: what GitHub answers and what this library hands back.

Field names are GitHub's own, verbatim. Everything here is frozen, slotted and hashable, and knows
nothing of how it was fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, TypeAlias, overload

import attrs
from msgspec import Meta

from ghjobs_async.errors import Undecodable
from ghjobs_async.refs import RunRef

#: A date-time of GitHub's: aware, its offset as it was sent.
Timestamp: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Status(StrEnum):
    """
    The known values of ``status``.

    Fields hold plain strings, since GitHub adds values about once a year; a member equals its text.
    """

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    WAITING = "waiting"
    REQUESTED = "requested"
    PENDING = "pending"


class Conclusion(StrEnum):
    """The known values of ``conclusion``; as open as `Status`."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"
    STALE = "stale"
    STARTUP_FAILURE = "startup_failure"


NOT_STARTED = frozenset({Status.QUEUED, Status.WAITING, Status.REQUESTED, Status.PENDING})


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """The time from *start* to *end*; None where either is missing or the clocks are inverted."""
    if start is None or end is None or end < start:
        return None
    return end - start


@attrs.frozen(kw_only=True)
class Step:
    """
    One step of a job.

    Numbers have gaps and steps may run in parallel: never index a job's steps by ``number``.
    """

    name: str
    status: str
    conclusion: str | None = None
    number: int
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None

    @property
    def duration(self) -> timedelta | None:
        """How long the step ran; None where unknown or where GitHub's clocks are inverted."""
        return _between(self.started_at, self.completed_at)


@attrs.frozen(kw_only=True)
class Job:
    """
    One job of one attempt of a run.

    https://docs.github.com/rest/actions/workflow-jobs

    Keys that older servers do not send have their default: None, or an empty tuple.
    """

    id: int
    run_id: int
    workflow_name: str | None = None
    head_branch: str | None = None
    run_url: str
    run_attempt: int | None = None
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
    def duration(self) -> timedelta | None:
        """How long the job ran; None where unknown or where GitHub's clocks are inverted."""
        return _between(self.started_at, self.completed_at)

    @property
    def queued_for(self) -> timedelta | None:
        """
        How long the job waited for a runner; None while it waits, where unknown, and for a job
        that a re-run inherited, whose start lies before its creation.
        """
        if self.status in NOT_STARTED:
            return None
        return _between(self.created_at, self.started_at)

    @property
    def ran(self) -> bool:
        """
        Whether a runner took this job: False for skipped jobs, jobs still waiting or cancelled
        while they waited, and other apps' check runs, which GitHub lists as jobs.

        Empty ``steps`` do not tell: GitHub deletes the steps of old runs before their jobs.
        """
        if self.conclusion == Conclusion.SKIPPED or self.status in NOT_STARTED:
            return False
        if self.steps or self.runner_id or self.runner_name:
            return True
        # Servers before labels and runners: only a passage of time tells. A check run has none.
        concluded = self.conclusion in {"success", "failure", "timed_out"}
        return concluded and bool(self.duration)


@attrs.frozen(kw_only=True)
class Actor:
    """Who triggered a run: as much of GitHub's user object as an audit needs."""

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
    One run of a workflow, as its latest (or the asked) attempt stands.

    https://docs.github.com/rest/actions/workflow-runs
    """

    id: int
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
    run_attempt: int | None = None
    run_started_at: Timestamp | None = None
    triggering_actor: Actor | None = None
    repository: Repository

    @property
    def ref(self) -> RunRef:
        """This run, for `GitHubJobs.list_jobs` and `GitHubJobs.fan_out`."""
        return RunRef(self.repository.full_name, self.id)

    @property
    def attempts(self) -> tuple[RunRef, ...]:
        """Every attempt of this run, the first one first."""
        last = self.run_attempt or 1
        return tuple(
            RunRef(self.repository.full_name, self.id, attempt=n) for n in range(1, last + 1)
        )


@attrs.frozen
class JobList(Sequence[Job]):
    """
    The jobs of one run or attempt: a sequence of `Job`, and a verdict on whether it is whole.

    Attributes:
        total_count: How many jobs GitHub says there are, as last told.

        undecodable: What came but could not be decoded.
    """

    jobs: tuple[Job, ...]
    total_count: int
    undecodable: tuple[Undecodable, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every job that GitHub counts is here, decoded, once."""
        return len(self.jobs) == self.total_count

    @property
    def expected(self) -> int:
        """How many jobs there should be: ``total_count``."""
        return self.total_count

    @property
    def got(self) -> int:
        """How many jobs there are."""
        return len(self.jobs)

    @overload
    def __getitem__(self, index: int) -> Job: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Job, ...]: ...

    def __getitem__(self, index: int | slice) -> Job | tuple[Job, ...]:
        return self.jobs[index]

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
    The signed link of a log. It opens the log to whoever holds it, so its repr hides the query.

    Attributes:
        url: Where the log lies, signature and all.

        expires_at: When the link dies, where the link itself says so.
    """

    url: str
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"LogLink(url={self.url.partition('?')[0]!r}, expires_at={self.expires_at!r})"

    __str__ = __repr__


@attrs.frozen(repr=False)
class InstallationToken:
    """An App's installation token and when it ends; its repr hides the token."""

    token: str
    expires_at: Timestamp

    def __repr__(self) -> str:
        return f"InstallationToken(token=..., expires_at={self.expires_at!r})"


@attrs.frozen
class RateLimit:
    """
    What is left of the hourly budget, as the server last said.

    Attributes:
        limit: How many requests an hour there are.

        remaining: How many of them are left.

        reset_at: When all are there again.
    """

    limit: int | None
    remaining: int
    reset_at: datetime


@attrs.frozen
class Wait:
    """
    A wait, told to ``on_wait`` before it begins.

    Attributes:
        seconds: How long it is.

        until: When it ends.

        reason: What for, for example ``"secondary rate limit"`` or ``"retry after 502"``.
    """

    seconds: float
    until: datetime
    reason: str

    def __str__(self) -> str:
        return f"waiting {self.seconds:.0f} s, until {self.until:%H:%M:%S} UTC: {self.reason}"
