"""Estimate how many requests an audit needs, and how long it takes, from a small sample."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import attrs

from ghjobs_async.audit.collect.known import count_settled
from ghjobs_async.audit.collect.plan import AuditPlan
from ghjobs_async.audit.database.store import AuditStore
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Fetched
from ghjobs_async.listing.pages import SIZES
from ghjobs_async.models import RateLimit
from ghjobs_async.refs import RunRef
from ghjobs_async.wire.operations import Filter

#: How many runs of each repository to look at; each costs a request.
_SAMPLE: Final = 8
_MINUTE: Final = 60
_HOUR: Final = 3600


@attrs.frozen
class RepoEstimate:
    """
    The estimate for one repository.

    Attributes:
        repository: Its name.
        runs: The number of runs, as GitHub reports it.
        known: How many of them are stored already.
        jobs: The number of jobs, estimated from the sample.
        searches, listings, logs: The number of requests for runs, for jobs, and for logs.
    """

    repository: str
    runs: int
    jobs: int
    searches: int
    listings: int
    logs: int
    known: int = 0

    @property
    def requests(self) -> int:
        """All requests to the API; those to the log storage are not limited."""
        return self.searches + self.listings + self.logs


@attrs.frozen
class Estimate:
    """
    The estimate for an audit.

    Attributes:
        repos: The estimate for each repository.
        spent: The number of requests that the estimate itself needed.
        seconds_per_request: The average time of such a request.
        pace: The most requests a minute that the client sends; None where there is no such limit.
        limit: The rest of the hourly budget; None where there is no such limit.
    """

    repos: tuple[RepoEstimate, ...]
    spent: int
    seconds_per_request: float
    pace: float | None = None
    limit: RateLimit | None = None

    @property
    def requests(self) -> int:
        """All requests to the API."""
        return sum(repo.requests for repo in self.repos)

    def seconds(self, concurrency: int, now: datetime) -> float:
        """Return how many seconds the audit takes with *concurrency* requests at a time."""
        beyond = 0 if self.limit is None else self.requests - self.limit.remaining
        if self.limit is None or beyond <= 0:
            return self._busy(self.requests, concurrency)
        # Requests beyond the budget wait for its reset, and then for further hours.
        hourly = max(1, self.limit.limit or beyond)
        waits = max(0.0, (self.limit.reset_at - now).total_seconds())
        waits += (beyond - 1) // hourly * _HOUR
        return waits + self._busy((beyond - 1) % hourly + 1, concurrency)

    def _busy(self, requests: int, concurrency: int) -> float:
        paced = 0.0 if self.pace is None else requests / self.pace * _MINUTE
        return max(requests * self.seconds_per_request / concurrency, paced)


async def estimate(
    gh: GitHubJobs,
    plan: AuditPlan,
    store: AuditStore | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Estimate:
    """
    Estimate how many requests *plan* needs and how long it takes.

    Args:
        gh: The client.
        plan: The audit.
        store: What was audited before.
        clock: Returns the time in seconds.

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
        # Take runs from the whole page, since the newest ones are often alike.
        step = max(1, len(runs) // _SAMPLE)
        sample = [RunRef(repo, run.id) for run in runs[::step][:_SAMPLE]]
        now = datetime.fromtimestamp(gh.clock.now(), UTC)
        known = 0 if store is None else await asyncio.to_thread(_known, store, plan, repo, now)
        searches = _searches(total, len(plan.days(now)))
        new = max(0, total // (1 if plan.shard is None else plan.shard.of) - known)
        sample = sample if new else []
        spent += 1 + len(sample)
        one = await _estimate(gh, plan, sample, new)
        repos.append(attrs.evolve(one, repository=repo, runs=total, known=known, searches=searches))
    each = seconds / max(1, len(repos))
    return Estimate(tuple(repos), spent, each, gh.requests_per_minute, gh.rate_limit)


def _known(store: AuditStore, plan: AuditPlan, repo: str, now: datetime) -> int:
    with store.read() as connection:
        return count_settled(connection, repo, plan, now)


def _searches(runs: int, days: int) -> int:
    """Return how many pages a search has: one, or some of each window of days."""
    return 1 if runs <= SIZES[0] or days <= 1 else 1 + days + runs // SIZES[0]


async def _estimate(
    gh: GitHubJobs, plan: AuditPlan, sample: list[RunRef], runs: int
) -> RepoEstimate:
    """Estimate the jobs and requests of *runs* runs from those in *sample*."""
    which: Filter = "latest" if plan.latest else "all"
    jobs = pages = logs = seen = 0
    async with gh.fan_out(sample, filter=which) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Fetched):
                seen += 1
                jobs += len(outcome.value)
                pages += max(1, math.ceil(len(outcome.value) / SIZES[0]))
                logs += sum(plan.wants_log(job) for job in outcome.value)
            elif not isinstance(outcome.error, GHJobsError):
                raise outcome.error
    share = runs / seen if seen else 0.0
    return RepoEstimate(
        repository="",
        runs=runs,
        jobs=round(jobs * share),
        searches=0,
        listings=round(pages * share),
        logs=round(logs * share),
    )
