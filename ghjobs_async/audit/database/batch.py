"""What an audit writes at once: runs, their jobs, and what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import attrs

from ghjobs_async.models import Job, Run


@attrs.frozen
class Listing:
    """
    The jobs of a run as GitHub listed them.

    Attributes:
        attempt: The attempt that was listed; None: all of them.
        complete: Whether these are all its jobs: then they replace those that are stored. Otherwise
            each job replaces only itself.
    """

    repository: str
    run_id: int
    jobs: Sequence[Job]
    attempt: int | None = None
    complete: bool = True


@attrs.frozen
class Attempt:
    """An attempt that is complete, so that it need not be listed again."""

    repository: str
    run_id: int
    run_attempt: int
    jobs: int


@attrs.frozen
class SavedLog:
    """A log in the folder; *path* is relative to it, with ``/``."""

    repository: str
    run_id: int
    job_id: int
    path: str
    bytes: int


@attrs.frozen(kw_only=True)
class Reason:
    """Why a job failed."""

    repository: str
    run_id: int
    job_id: int
    step: str | None = None
    kind: str | None = None
    headline: str | None = None
    fingerprint: str | None = None
    excerpt: str | None = None
    certainty: str | None = None


@attrs.frozen
class Missing:
    """What a failure is about; a job or a run may be None."""

    repository: str
    run_id: int | None
    job_id: int | None
    what: str


@attrs.frozen
class Failure(Missing):
    """What could not be fetched, and why. It replaces an earlier failure about the same."""

    error: str
    text: str
    reason: str | None = None


@attrs.frozen(kw_only=True)
class StoredPage:
    """A page of a run search, with what is needed to ask whether it has changed."""

    repository: str
    search: str
    credential: str
    window_start: datetime
    window_end: datetime
    page: int
    etag: str
    total: int
    run_ids: Sequence[int]


@attrs.frozen(kw_only=True)
class AuditRow:
    """An audit, as it stands; it replaces its earlier state."""

    id: str
    started_at: datetime
    ended_at: datetime | None = None
    arguments: str
    requests: int = 0
    not_modified: int = 0
    runs: int = 0
    jobs: int = 0
    outcome: str | None = None


@attrs.define(kw_only=True)
class Batch:
    """
    What is written in one transaction. It grows until then.

    Attributes:
        at: When it came: the time of its logs, pages, failures and complete attempts.
        audit_id: The audit that *failures* belong to: `merge` needs it to know which are settled.
        runs: Runs with their repository, by the name that the audit uses for it. They are not gone.
        gone: Repository and id of runs that GitHub no longer has.
        settled: What is no longer missing. It is removed before *failures* are added.
    """

    at: datetime
    audit_id: str | None = None
    runs: list[tuple[str, Run]] = attrs.field(factory=list)
    gone: list[tuple[str, int]] = attrs.field(factory=list)
    listings: list[Listing] = attrs.field(factory=list)
    attempts: list[Attempt] = attrs.field(factory=list)
    logs: list[SavedLog] = attrs.field(factory=list)
    reasons: list[Reason] = attrs.field(factory=list)
    settled: list[Missing] = attrs.field(factory=list)
    failures: list[Failure] = attrs.field(factory=list)
    pages: list[StoredPage] = attrs.field(factory=list)
    audit: AuditRow | None = None

    @property
    def jobs(self) -> int:
        """How many jobs it has."""
        return sum(len(listing.jobs) for listing in self.listings)
