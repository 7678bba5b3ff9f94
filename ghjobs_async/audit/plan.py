"""What to audit: a value, and what counts as a failure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import attrs

from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.listing.run_search import RunSearch, parse_age
from ghjobs_async.models import Job, Run, Status
from ghjobs_async.refs import check_repo

_FAILURES: Final = frozenset({"failure", "timed_out", "startup_failure"})


class Logs(StrEnum):
    """Which logs to fetch."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"


def failed(one: Job | Run) -> bool:
    """Check whether a job or run failed by itself or ran out of time: not cancelled or skipped."""
    return one.state in _FAILURES or (isinstance(one, Job) and one.ran_out_of_time)


@attrs.frozen(kw_only=True)
class AuditPlan:
    """
    What to audit.

    Args:
        repos: The repositories.
        since, until: When the runs were created, as `parse_when` returns it.
        workflow, branch, event, status, actor: GitHub's own filters.
        all_attempts: Take every attempt, not only the latest.
        logs: Which logs to fetch.

    Raises:
        ConfigurationError: A repository is malformed, or ``since`` is after ``until``.
    """

    repos: tuple[str, ...]
    since: str | None = None
    until: str | None = None
    workflow: str | None = None
    branch: str | None = None
    event: str | None = None
    status: str | None = None
    actor: str | None = None
    all_attempts: bool = False
    logs: Logs = Logs.FAILED

    def __attrs_post_init__(self) -> None:
        for repo in self.repos:
            check_repo(repo)
        if self.since and self.until and _start(self.since) > _start(self.until):
            raise ConfigurationError(
                f"no run is since {self.since} and until {self.until}: the start is after the end"
            )

    @property
    def created(self) -> str | None:
        """Return the window of creation times in GitHub's syntax."""
        if self.since and self.until:
            return f"{self.since}..{self.until}"
        if self.since:
            return f">={self.since}"
        return f"<={self.until}" if self.until else None

    def search(self, gh: GitHubJobs, repo: str, *, head_sha: str | None = None) -> RunSearch:
        """
        Search *repo* for its runs. Nothing is requested before the search is iterated over.

        Raises:
            ConfigurationError: GitHub cannot know one of the filters.
        """
        return gh.iter_runs(
            repo,
            workflow=self.workflow,
            actor=self.actor,
            branch=self.branch,
            event=self.event,
            status=self.status,
            created=self.created,
            head_sha=head_sha,
            exclude_pull_requests=True,
        )

    def wants_log(self, job: Job) -> bool:
        """Check whether to fetch the log of *job*: it was asked for, and one can exist."""
        if not job.ran or job.status != Status.COMPLETED:
            return False
        return self.logs is Logs.ALL or (self.logs is Logs.FAILED and failed(job))


def parse_when(text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """
    Parse an age (``7d``, ``24h``, ``30m``, ``2w``), a day or a moment into GitHub's form.

    Raises:
        ConfigurationError: It is none of these.
    """
    given = text.strip()
    try:
        if ago := parse_age(given, now()):
            return f"{ago.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        moment = datetime.fromisoformat(given)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
            return given
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"a time reads 7d, 24h, 2026-10-01 or 2026-10-01T12:00:00Z, not {text[:80]!r}"
        ) from None


def _start(when: str) -> datetime:
    moment = datetime.fromisoformat(when)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
