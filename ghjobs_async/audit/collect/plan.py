"""What to audit: a value, and what counts as a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self
from zlib import crc32

import attrs

from ghjobs_async.errors import ConfigurationError, shown
from ghjobs_async.listing.windows import Window, days, parse_age
from ghjobs_async.models import Conclusion, Job, Run, Status
from ghjobs_async.refs import check_repo

if TYPE_CHECKING:
    from ghjobs_async.client import GitHubJobs
    from ghjobs_async.listing.run_search import RunSearch

_FAILURES: Final = frozenset({"failure", "timed_out", "startup_failure"})
_MAX_SHARDS: Final = 10_000


class Logs(StrEnum):
    """Which logs to fetch."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"


def failed(one: Job | Run) -> bool:
    """Check whether a job or run failed by itself or ran out of time: not cancelled or skipped."""
    if one.conclusion == Conclusion.SUCCESS:
        # Nearly all of them.
        return False
    return one.state in _FAILURES or (isinstance(one, Job) and one.ran_out_of_time)


@attrs.frozen
class Shard:
    """
    One of several equal parts of all runs, the same in every audit.

    Args:
        number: Which part, from 1.
        of: How many parts there are.

    Raises:
        ConfigurationError: There is no such part.
    """

    number: int
    of: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.number <= self.of <= _MAX_SHARDS:
            raise ConfigurationError(f"a shard reads 1/4, 2/4, 3/4 or 4/4, not {self}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Parse ``I/N``.

        Raises:
            ConfigurationError: *text* has another form, or I is not from 1 to N.
        """
        found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text.strip())
        if found is None:
            raise ConfigurationError(f"a shard reads 1/4, 2/4, 3/4 or 4/4, not {shown(text)}")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, run_id: int) -> bool:
        """Return whether the run belongs to this part."""
        # Ids of one repository may have a common factor, so they are not taken as they are.
        return crc32(run_id.to_bytes(8, "big")) % self.of == self.number - 1


@attrs.frozen(kw_only=True)
class AuditPlan:
    """
    What to audit.

    Args:
        repos: The repositories.
        since, until: When the runs were created, as `parse_when` returns it.
        workflow, branch, event, status, actor: GitHub's own filters.
        latest: Take only the latest attempt of each run, not all of them.
        logs: Which logs to fetch.
        shard: Take only this part of the runs.

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
    latest: bool = False
    logs: Logs = Logs.FAILED
    shard: Shard | None = None

    def __attrs_post_init__(self) -> None:
        for repo in self.repos:
            check_repo(repo)
        if self.since and self.until and start_of(self.since) > start_of(self.until):
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

    @property
    def filters(self) -> dict[str, str]:
        """Return GitHub's filters that were given, without the window."""
        names = ("workflow", "branch", "event", "status", "actor")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def key(self) -> str:
        """Return what tells this search from others in the store: equal for equal pages and runs."""
        found: dict[str, str] = dict(self.filters)
        if self.shard is not None:
            # What is known of a page counts for the runs of one part only.
            found["shard"] = str(self.shard)
        return json.dumps(found, sort_keys=True)

    def takes(self, run_id: int) -> bool:
        """Check whether a run belongs to the shard; without a shard, every run does."""
        return self.shard is None or self.shard.holds(run_id)

    def days(self, now: datetime) -> tuple[Window, ...]:
        """Return the windows of whole days that hold all runs to take, the newest first."""
        end = now if self.until is None else min(now, start_of(self.until))
        return tuple(days(start_of(self.since) if self.since else None, end))

    def search(
        self, gh: GitHubJobs, repo: str, *, head_sha: str | None = None, created: bool = True
    ) -> RunSearch:
        """
        Search *repo* for its runs. Nothing is requested before the search is iterated over.

        Args:
            gh: The client.
            repo: The repository.
            head_sha: Only the runs of this commit.
            created: Only those of the window.

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
            created=self.created if created else None,
            head_sha=head_sha,
            exclude_pull_requests=True,
        )

    def wants_log(self, job: Job) -> bool:
        """Check whether to fetch the log of *job*: it was asked for, and one can exist."""
        if self.logs is Logs.NONE or (self.logs is Logs.FAILED and not failed(job)):
            return False
        return job.status == Status.COMPLETED and job.ran


def parse_when(text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """
    Parse an age (``7d``, ``24h``, ``30m``, ``2w``), a day or a moment into GitHub's form.

    Raises:
        ConfigurationError: It is none of these.
    """
    given = text.strip()
    try:
        if ago := parse_age(given, now()):
            return f"{ago:%Y-%m-%dT%H:%M:%SZ}"
        moment = datetime.fromisoformat(given)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
            return given
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"a time reads 7d, 24h, 2026-10-01 or 2026-10-01T12:00:00Z, not {shown(text)}"
        ) from None


def start_of(when: str) -> datetime:
    """Return the moment at which what `parse_when` returned begins."""
    moment = datetime.fromisoformat(when)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
