"""Ask GitHub once about a run or a job, only for what has changed, and count the cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from math import inf
from typing import Any, Final, TypeAlias, TypeVar

import attrs

from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.listing.pages import Listing, MakeRequest, Pages
from ghjobs_async.models import Job, JobList, Run
from ghjobs_async.refs import RunRef
from ghjobs_async.transport.budget import Budget
from ghjobs_async.transport.etags import EtagMemory
from ghjobs_async.watch.pace import SOON, Allowance
from ghjobs_async.watch.trackers import JobTracker, RunTracker, Tracker
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.operations import get_job, get_run, list_jobs, list_runs

T = TypeVar("T")
Item = TypeVar("Item", Job, Run)

# Near the deadline a request still has this many seconds of real time for its answer.
_LEAST: Final = 1.0


@attrs.define(eq=False)
class WatchBudget:
    """The requests that all watches of a client may send with one credential."""

    allowance: Allowance
    hourly: Budget
    #: Whether there was an answer: before that, nobody knows whether there is a limit.
    answered: bool = False
    #: The cost of the looks under way.
    reserved: int = 0

    def spend(self, now: float) -> None:
        """Count one answer that cost budget."""
        self.answered = True
        self.allowance.spend(self.hourly.limit, now)

    def affords(self, now: float, taken: int = 0) -> bool:
        """Return whether one more request may be sent now, besides *taken* others."""
        taken += self.reserved
        if self.hourly.limit is None and not self.answered:
            return taken == 0
        return self.allowance.count(self.hourly.limit, now) > taken

    def ready_at(self, now: float, taken: int = 0) -> float:
        """Return when one more request may be sent, after *taken* others."""
        if self.hourly.limit is None:
            return now + (SOON if self.reserved else 0.0)
        return self.allowance.ready_at(self.hourly.limit, now, taken + self.reserved)


#: The budgets of a client, by the credential and the share.
WatchBudgets: TypeAlias = dict[tuple[int, float], WatchBudget]


@attrs.define(eq=False)
class Looks:
    """
    Asks once, without retries and without waits for limits: the next look comes anyway.

    Args:
        etags: Remembers the answers.
        concurrency: How many pages of one list are asked for at once.
        share: The share of the hourly limit that may be used.
        budgets: The budgets of the client.
    """

    etags: EtagMemory
    concurrency: int
    share: float
    budgets: WatchBudgets
    _pages: Pages = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pages = Pages(self.etags.requester, self.concurrency, self.etags)

    def now(self) -> float:
        """Return the time by the client's clock."""
        return self.etags.requester.clock.now()

    async def budget(self, repo: str) -> WatchBudget:
        """Return the budget of the credential for this repository."""
        credential = await self.etags.requester.credentials.get(repo.partition("/")[0])
        fresh = WatchBudget(Allowance(self.share), credential.budget)
        return self.budgets.setdefault((id(credential), self.share), fresh)

    async def look(self, tracker: Tracker[Any], *, only_jobs: bool = False) -> None:
        """
        Look once, and give the answers to the tracker.

        Args:
            tracker: The tracker of a run or a job.
            only_jobs: Whether to ask only for the jobs, since a list of runs has the run.
        """
        left = tracker.until - self.now()
        try:
            async with asyncio.timeout(None if left == inf else max(_LEAST, left)):
                await self._look(tracker, only_jobs=only_jobs)
        except ConfigurationError:
            raise
        except GHJobsError as error:
            await self._failed(tracker.ref.repo, error)
            tracker.fail(error, self.now())
        except TimeoutError:
            # No answer came before the deadline, so the one before counts.
            pass

    async def list_runs(
        self, repo: str, query: Mapping[str, str], *, whole: bool = False
    ) -> Listing[Run]:
        """List the runs of a repository that fit a query: the first page, or the *whole* list."""
        make = partial(list_runs, repo, None, query)
        try:
            return await self._read(repo, "runs", make, limit=None if whole else 1)
        except GHJobsError as error:
            await self._failed(repo, error)
            raise

    async def _look(self, tracker: Tracker[Any], *, only_jobs: bool) -> None:
        if isinstance(tracker, JobTracker):
            job = await self._ask(tracker.ref.repo, get_job(tracker.ref.repo, tracker.ref.job_id))
            tracker.see(job, self.now())
        elif isinstance(tracker, RunTracker):
            if not only_jobs:
                run = await self._ask(tracker.ref.repo, get_run(tracker.ref))
                tracker.see_run(run, self.now())
            if tracker.verdict is None:
                tracker.see_jobs(await self._list_jobs(tracker.attempt), self.now())

    async def _list_jobs(self, ref: RunRef) -> JobList:
        found = await self._read(ref.repo, "jobs", partial(list_jobs, ref, "latest"))
        return JobList(found.items, found.total_count, found.undecodable, found.settled)

    async def _read(
        self, repo: str, kind: str, make: MakeRequest[Item], limit: int | None = None
    ) -> Listing[Item]:
        budget = await self.budget(repo)
        reading = await self._pages.fetch(
            (repo, kind), lambda size, page: self._polled(budget, make(size, page)), limit=limit
        )
        return await self._pages.decode(reading)

    async def _ask(self, repo: str, request: Request[T]) -> T:
        return (await self.etags.send(self._polled(await self.budget(repo), request))).value

    def _polled(self, budget: WatchBudget, request: Request[T]) -> Request[T]:
        """Return the request without waits for limits; a new answer counts against the budget."""

        def decode(answer: Answer) -> T:
            # A 304 is not decoded and costs no budget.
            budget.spend(self.now())
            return request.decode(answer)

        return attrs.evolve(request, decode=decode, patient=False)

    async def _failed(self, repo: str, error: GHJobsError) -> None:
        if getattr(error, "status", None) is not None:
            (await self.budget(repo)).spend(self.now())
