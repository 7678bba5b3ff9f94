"""Iterate over the events of many runs with `Watch`; wait for one run or job."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Iterable
from math import inf
from typing import Final, Self, get_args

import attrs

from ghjobs_async.checks import RunLike, check_number, check_refs, resolve_run
from ghjobs_async.errors import ConfigurationError, GHJobsError, shown
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.watch.events import Follow, Waited, WatchEvent
from ghjobs_async.watch.rounds import Rounds
from ghjobs_async.watch.run_lists import Source
from ghjobs_async.watch.trackers import JobTracker, RunTracker

DEFAULT_TIMEOUT: Final = 3600.0
_LEAST_INTERVAL: Final = 0.01


@attrs.frozen(kw_only=True)
class Options:
    """How to watch; the arguments of ``watch`` and ``wait_for_run``."""

    timeout: float | None
    grace: float
    interval: float | None
    budget_share: float = 1.0
    follow: Follow = "attempt"

    def __attrs_post_init__(self) -> None:
        check_number("grace", self.grace, least=0)
        if self.timeout is not None:
            check_number("timeout", self.timeout, least=0)
        if self.interval is not None:
            check_number("interval", self.interval, least=_LEAST_INTERVAL)
        check_number("budget_share", self.budget_share, least=0.001)
        if self.budget_share > 1:
            raise ConfigurationError(f"budget_share is 1 or less, not {shown(self.budget_share)}")
        if self.follow not in get_args(Follow):
            raise ConfigurationError(f'follow is "attempt" or "run", not {shown(self.follow)}')

    def until(self, now: float) -> float:
        """Return the deadline of a watch that begins now."""
        return inf if self.timeout is None else now + self.timeout


def _tracker(ref: RunRef, options: Options, now: float, until: float | None = None) -> RunTracker:
    until = options.until(now) if until is None else until
    return RunTracker(ref, now, until, options.grace, follow=options.follow)


async def wait_for_run(rounds: Rounds, ref: RunRef, options: Options) -> Waited:
    """Wait until a run has ended; see `GitHubJobs.wait_for_run`."""
    return await _wait(rounds, _tracker(ref, options, rounds.looks.now()))


async def wait_for_job(rounds: Rounds, ref: JobRef, options: Options) -> Waited:
    """Wait until a job has ended; see `GitHubJobs.wait_for_job`."""
    now = rounds.looks.now()
    return await _wait(rounds, JobTracker(ref, now, options.until(now), options.grace))


async def _wait(rounds: Rounds, tracker: RunTracker | JobTracker) -> Waited:
    rounds.add(tracker)
    while not rounds.over:
        await rounds.next()
        if isinstance(tracker, RunTracker):
            tracker.events.clear()
    if tracker.refused and tracker.error is not None:
        raise tracker.error
    return tracker.waited()


class Watch:
    """
    The events of many runs: ``async with gh.watch(refs) as events``, then ``async for``.

    For a commit, runs that appear later are watched too. If none appears within the grace, iterating
    raises.

    Requests are sent only during iteration, and nothing is held between events: leaving the block ends
    the watch at once.
    """

    def __init__(
        self,
        rounds: Rounds,
        refs: Iterable[RunLike] | AsyncIterable[RunLike],
        options: Options,
        commit: tuple[str, str] | None = None,
    ) -> None:
        check_refs(refs)
        self._refs = refs
        self._options = options
        self._commit = commit
        self._source: Source | None = None
        self._rounds = rounds
        self._ready: deque[WatchEvent] = deque()
        self._entered = self._open = False

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("a watch is entered once; call `watch` again for another one")
        self._entered = True
        if isinstance(self._refs, AsyncIterable):
            found = [resolve_run(ref) async for ref in self._refs]
        else:
            found = [resolve_run(ref) for ref in self._refs]
        now = self._rounds.looks.now()
        for ref in dict.fromkeys(found):
            self._rounds.add(_tracker(ref, self._options, now))
        if self._commit is not None:
            self._source = self._make_source(*self._commit, now)
            self._rounds.add_source(self._source)
        self._open = True
        return self

    def _make_source(self, repo: str, sha: str, now: float) -> Source:
        until, grace = self._options.until(now), self._options.grace

        def tracker(ref: RunRef) -> RunTracker:
            return _tracker(ref, self._options, self._rounds.looks.now(), until)

        return Source(repo, {"head_sha": sha}, until, tracker=tracker, begun=now, grace=grace)

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        self._ready.clear()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WatchEvent:
        if not self._open:
            raise RuntimeError("iterate over a watch inside its `async with` block")
        while not self._ready:
            if self._rounds.over:
                if self._source is not None and not self._source.known:
                    self._check_found(self._source)
                raise StopAsyncIteration
            for tracker in await self._rounds.next():
                if isinstance(tracker, RunTracker):
                    self._ready += tracker.events
                    tracker.events.clear()
        return self._ready.popleft()

    def _check_found(self, source: Source) -> None:
        """Raise why no run was found, unless the deadline came before the end of the grace."""
        if source.error is not None:
            raise source.error
        if self._rounds.looks.now() - source.begun >= source.grace:
            raise GHJobsError(
                f"no run of commit {source.base['head_sha']} in {source.repo} has appeared: is it "
                "pushed, and does it start a workflow?"
            )
