"""Watch in rounds: sleep until something is due, ask for it, decide which watches are over."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from math import inf
from typing import Any, Final

import attrs

from ghjobs_async import fanout
from ghjobs_async.errors import (
    AuthError,
    ConfigurationError,
    ForbiddenError,
    GHJobsError,
    NotFoundError,
)
from ghjobs_async.models import Wait
from ghjobs_async.transport.retries import reason_of
from ghjobs_async.watch.looks import Looks, WatchBudget
from ghjobs_async.watch.pace import SWEEP, backoff, pause
from ghjobs_async.watch.run_lists import RunList, RunLists, Source
from ghjobs_async.watch.trackers import RunTracker, Tracker

# A look at a run asks for the run and for its jobs.
_COST: Final = 2
# With at least this many watched runs in a repository, a list of runs saves requests.
_FEW: Final = 3
#: Ends the reason of a wait for what may still appear.
YET: Final = " yet"
_REFUSALS: Final = (AuthError, ForbiddenError, NotFoundError)


@attrs.define(eq=False)
class _Watched:
    """A tracker, and when to look at it again."""

    tracker: Tracker[Any]
    due: float
    #: Whether a list of runs has it, and when to look at it by itself all the same.
    listed: bool = False
    sweep_at: float = 0.0
    #: How many looks in a row failed, and until when to wait after them.
    failures: int = 0
    rests_until: float = 0.0

    @property
    def priority(self) -> tuple[bool, bool]:
        """The sort key: what is in progress comes first, a sweep last."""
        tracker = self.tracker
        swept = isinstance(tracker, RunTracker) and tracker.found and not tracker.wants_jobs
        return not tracker.moving, swept


@attrs.define(eq=False)
class Rounds:
    """
    Looks at runs and jobs until all of them have a verdict.

    Args:
        looks: Asks GitHub.
        concurrency: How many looks are under way at once.
        interval: Seconds between two looks, whatever the budget; None adapts them to it.
    """

    looks: Looks
    concurrency: int
    interval: float | None = None
    _watched: dict[int, _Watched] = attrs.field(factory=dict, init=False)
    _lists: dict[str, RunLists] = attrs.field(factory=dict, init=False)
    # When the last reported wait ends.
    _reported: float = attrs.field(default=0.0, init=False)
    # Until when what is not there yet may appear, as last reported.
    _expected: float = attrs.field(default=0.0, init=False)

    @property
    def over(self) -> bool:
        """Whether every tracker has a verdict, and no more runs are expected."""
        now = self.looks.now()
        return not self._watched and all(lists.over(now) for lists in self._lists.values())

    def add(self, tracker: Tracker[Any]) -> None:
        """Watch this tracker from now on."""
        self._watched[id(tracker)] = _Watched(tracker, self.looks.now())

    def add_source(self, source: Source) -> None:
        """Watch every run of this list from now on."""
        self._lists[source.repo] = source

    async def next(self) -> list[Tracker[Any]]:
        """Sleep until a look is due, and look; return the trackers that may have changed."""
        await self._sleep()
        await self._read_lists()
        now = self.looks.now()
        due = [one for one in self._watched.values() if min(one.due, one.tracker.until) <= now]
        if chosen := await self._affordable(due, now):
            await self._look_at(chosen)
        trackers = [one.tracker for one in self._watched.values()]
        for tracker in trackers:
            tracker.close(self.looks.now())
            if tracker.verdict is not None:
                del self._watched[id(tracker)]
        if trackers and not self._watched:
            for lists in self._lists.values():
                lists.ask_again(self.looks.now())
        return trackers

    async def _sleep(self) -> None:
        dues = [min(one.due, one.tracker.until) for one in self._watched.values()]
        dues += [run_list.due for lists in self._lists.values() for run_list in lists.all]
        dues += [lists.until for lists in self._lists.values()]
        clock = self.looks.etags.requester.clock
        while (left := min(dues, default=0.0) - clock.now()) > 0:
            await clock.sleep(left)

    # -- looks at one run or job -------------------------------------------------------------

    async def _look_at(self, chosen: list[tuple[_Watched, WatchBudget]]) -> None:
        for _, budget in chosen:
            budget.reserved += _COST
        try:
            ones = [one for one, _ in chosen]
            await fanout.gather(ones, self._look, concurrency=min(self.concurrency, len(ones)))
        finally:
            for _, budget in chosen:
                budget.reserved -= _COST

    async def _look(self, one: _Watched) -> None:
        tracker = one.tracker
        # After an error of its list, the run is asked for by itself.
        untold = not one.listed or tracker.error is not None
        whole = untold or self.looks.now() >= one.sweep_at
        await self.looks.look(tracker, only_jobs=not whole)
        now = self.looks.now()
        one.failures = 0 if tracker.error is None else one.failures + 1
        one.due = now + pause(tracker, now, self.interval, one.failures)
        if tracker.error is not None:
            one.rests_until = one.due
            if tracker.verdict is not None:
                return
            if not isinstance(tracker.error, NotFoundError):
                self._report(tracker.error, one.due)
            elif not tracker.found:
                self._expect(tracker, f"{tracker.ref} is not there{YET}")
            return
        if whole:
            one.sweep_at = now + SWEEP
        if one.listed and isinstance(tracker, RunTracker):
            one.due = min(one.due, one.sweep_at) if tracker.wants_jobs else one.sweep_at

    async def _affordable(
        self, due: list[_Watched], now: float
    ) -> list[tuple[_Watched, WatchBudget]]:
        """Return the looks that the budget allows, by priority; the others become due later."""
        taken: Counter[int] = Counter()
        chosen = []
        for one in sorted(due, key=lambda one: one.priority):
            budget = await self.looks.budget(one.tracker.ref.repo)
            if self.interval is not None or budget.affords(now, taken[id(budget)]):
                chosen.append((one, budget))
            else:
                one.due = budget.ready_at(now, taken[id(budget)])
            taken[id(budget)] += _COST
        return chosen

    # -- lists of runs -----------------------------------------------------------------------

    def _listable(self) -> dict[str, dict[int, RunTracker]]:
        """Return the runs by repository and id, where a list of runs saves requests."""
        repos: dict[str, dict[int, RunTracker]] = {}
        for one in self._watched.values():
            tracker = one.tracker
            # A list shows only the latest attempt of each run.
            if isinstance(tracker, RunTracker) and tracker.ref.attempt is None:
                repos.setdefault(tracker.ref.repo, {})[tracker.ref.run_id] = tracker
        few = {repo for repo, trackers in repos.items() if len(trackers) < _FEW}
        sources = {repo for repo, lists in self._lists.items() if lists.is_source}
        return {repo: repos.get(repo, {}) for repo in (repos.keys() - few) | sources}

    async def _read_lists(self) -> None:
        """Read the lists of runs that are due."""
        repos = self._listable()
        self._lists = {repo: self._lists.get(repo) or RunLists(repo) for repo in repos}
        listed: set[int] = set()
        # At the deadline of a run, its list is read once more.
        last = min((one.tracker.until for one in self._watched.values()), default=inf)
        for repo, trackers in repos.items():
            lists, done = self._lists[repo], list[RunList]()
            if last <= self.looks.now():
                lists.ask_again(self.looks.now())
            while run_list := next((one for one in lists.due(self.looks.now(), done)), None):
                done.append(run_list)
                await self._read(lists, run_list, trackers)
            listed |= {id(trackers[number]) for number in lists.shown() & trackers.keys()}
        for key, one in self._watched.items():
            if one.listed and key not in listed:
                one.due = min(one.due, self.looks.now())
            one.listed = key in listed

    async def _read(
        self, lists: RunLists, run_list: RunList, trackers: dict[int, RunTracker]
    ) -> None:
        budget, now = await self.looks.budget(lists.repo), self.looks.now()
        if self.interval is None and not budget.affords(now):
            run_list.due = budget.ready_at(now)
            return
        try:
            query, whole = lists.query(run_list), lists.is_source
            listing = await self.looks.list_runs(lists.repo, query, whole=whole)
        except ConfigurationError:
            raise
        except _REFUSALS as error:
            lists.failed(error, self.looks.now())
            # The runs are asked for one by one instead; each gets the error of its own request.
            run_list.shown, run_list.due = frozenset(), self.looks.now() + lists.rest
        except GHJobsError as error:
            lists.failed(error, self.looks.now())
            self._list_failed(run_list, error, trackers)
        else:
            now, run_list.failures = self.looks.now(), 0
            if isinstance(lists, Source) and not (lists.known or listing.items):
                self._expect(
                    lists, f"{lists.repo} has no run of commit {lists.base['head_sha'][:7]}{YET}"
                )
            for tracker in lists.appeared(listing.items):
                self.add(tracker)
                trackers[tracker.ref.run_id] = tracker
            told = lists.tell(run_list, listing, trackers, now)
            pauses = [pause(tracker, now, self.interval) for tracker in told]
            run_list.due = now + min(pauses, default=lists.rest)
            for tracker in told:
                one = self._watched[id(tracker)]
                one.sweep_at = one.sweep_at or now + SWEEP
                one.due = max(now, one.rests_until) if tracker.wants_jobs else one.sweep_at

    def _list_failed(
        self, run_list: RunList, error: GHJobsError, trackers: dict[int, RunTracker]
    ) -> None:
        """Give the error to the runs that the list had; the others are asked for by themselves."""
        now = self.looks.now()
        run_list.failures += 1
        run_list.due = now + backoff(error, now, self.interval, run_list.failures)
        for number in (run_list.shown or frozenset()) & trackers.keys():
            trackers[number].fail(error, now)
        self._report(error, run_list.due)

    # -- waits -------------------------------------------------------------------------------

    def _report(self, error: GHJobsError, until: float) -> None:
        """Report a wait once, even if many runs have to wait."""
        if until <= self._reported:
            return
        self._reported = until
        wait = Wait(until - self.looks.now(), datetime.fromtimestamp(until, UTC), reason_of(error))
        self.looks.etags.requester.gate.report(wait)

    def _expect(self, what: Tracker[Any] | Source, reason: str) -> None:
        """Report once that something is not there yet, and until when it is looked for."""
        until, now = min(what.begun + what.grace, what.until), self.looks.now()
        if now < until and until > self._expected:
            self._expected = until
            wait = Wait(until - now, datetime.fromtimestamp(until, UTC), reason)
            self.looks.etags.requester.gate.tell(wait)
