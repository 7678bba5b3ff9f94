"""How many requests an audit will take, and how long: told before it starts, from a small sample."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import attrs

from ghjobs_async.audit.plan import AuditPlan
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Fetched
from ghjobs_async.listing.run_search import CAP
from ghjobs_async.models import RateLimit
from ghjobs_async.refs import RunRef
from ghjobs_async.wire.operations import Filter

#: So many runs of each repository are looked at: each costs a request.
_SAMPLE: Final = 8
_PER_PAGE: Final = 100
# As `RunSearch` splits what is longer than GitHub lists.
_PART: Final = 700
_MINUTE: Final = 60
_HOUR: Final = 3600


@attrs.frozen
class RepoEstimate:
    """
    What one repository will take, about.

    Attributes:
        repository: Its name.

        runs: How many runs there are; GitHub says so.

        jobs: How many jobs they have, going by the sample.

        searches, listings, logs: How many requests for runs, for jobs, and for logs.
    """

    repository: str
    runs: int
    jobs: int
    searches: int
    listings: int
    logs: int

    @property
    def requests(self) -> int:
        """All requests to the API; what the storage of logs is asked costs nothing."""
        return self.searches + self.listings + self.logs


@attrs.frozen
class Estimate:
    """
    What an audit will take, about.

    Attributes:
        repos: Each repository.

        spent: How many requests the estimate itself took.

        seconds_per_request: How long one of them took.

        pace: How many requests a minute the client sends at the most; None: no such limit.

        limit: What is left of the hourly budget; None: no such limit.
    """

    repos: tuple[RepoEstimate, ...]
    spent: int
    seconds_per_request: float
    pace: float | None = None
    limit: RateLimit | None = None

    @property
    def requests(self) -> int:
        """All requests."""
        return sum(repo.requests for repo in self.repos)

    def seconds(self, concurrency: int, now: datetime) -> float:
        """How long it will take with so many requests at once."""
        beyond = 0 if self.limit is None else self.requests - self.limit.remaining
        if self.limit is None or beyond <= 0:
            return self._busy(self.requests, concurrency)
        # What is beyond the budget waits for its reset, and for another hour each time again.
        hourly = max(1, self.limit.limit or beyond)
        waits = max(0.0, (self.limit.reset_at - now).total_seconds())
        waits += (beyond - 1) // hourly * _HOUR
        return waits + self._busy((beyond - 1) % hourly + 1, concurrency)

    def _busy(self, requests: int, concurrency: int) -> float:
        paced = 0.0 if self.pace is None else requests / self.pace * _MINUTE
        return max(requests * self.seconds_per_request / concurrency, paced)


async def estimate(
    gh: GitHubJobs, plan: AuditPlan, *, clock: Callable[[], float] = time.monotonic
) -> Estimate:
    """
    Estimate what *plan* will take, against what is left of the budget.

    Args:
        gh: The client.

        plan: What is to be audited.

        clock: Seconds that pass.

    Raises:
        GHJobsError: A repository cannot be searched.
    """
    repos: list[RepoEstimate] = []
    spent = 0
    seconds = 0.0
    for repo in plan.repos:
        began = clock()
        total, runs = await plan.search(gh, repo).peek()
        seconds += clock() - began
        # Spread over the page: the newest runs alone are much alike.
        step = max(1, len(runs) // _SAMPLE)
        sample = [RunRef(repo, run.id) for run in runs[::step][:_SAMPLE]]
        spent += 1 + len(sample)
        repos.append(await _estimate(gh, plan, repo, total, sample))
    each = seconds / max(1, len(repos))
    return Estimate(tuple(repos), spent, each, gh.requests_per_minute, gh.rate_limit)


async def _estimate(
    gh: GitHubJobs, plan: AuditPlan, repo: str, runs: int, sample: list[RunRef]
) -> RepoEstimate:
    which: Filter = "all" if plan.all_attempts else "latest"
    jobs = pages = logs = seen = 0
    async with gh.fan_out(sample, filter=which) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Fetched):
                seen += 1
                jobs += len(outcome.value)
                pages += max(1, math.ceil(len(outcome.value) / _PER_PAGE))
                logs += sum(plan.wants_log(job) for job in outcome.value)
            elif not isinstance(outcome.error, GHJobsError):
                raise outcome.error
    searches = max(1, math.ceil(runs / _PER_PAGE))
    if runs >= CAP:
        searches += math.ceil(runs / _PART)
    share = runs / seen if seen else 0.0
    return RepoEstimate(
        repo, runs, round(jobs * share), searches, round(pages * share), round(logs * share)
    )
