"""Rounds of looks: sleep until something is due, look at all that is, decide what is over."""

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
from ghjobs_async.watch.boards import Board, Boards, Source
from ghjobs_async.watch.courses import Course, RunCourse
from ghjobs_async.watch.looks import Looks, Purse
from ghjobs_async.watch.pace import SWEEP, backoff, pause

# A look at a run asks for the run and for its jobs.
_COST: Final = 2
# From this many runs of a repository on, a list of them is worth its request.
_FEW: Final = 3
_REFUSALS: Final = (AuthError, ForbiddenError, NotFoundError)


@attrs.define(eq=False)
class _Watched:
    """A course, and when to look at it again."""

    course: Course[Any]
    due: float
    #: Whether a list of runs tells about it, and when to look at it by itself all the same.
    listed: bool = False
    sweep_at: float = 0.0
    #: How many looks in a row failed, and until when it is left alone for that.
    failures: int = 0
    rests_until: float = 0.0

    @property
    def priority(self) -> tuple[bool, bool]:
        """What moves comes first, and a sweep last."""
        course = self.course
        swept = isinstance(course, RunCourse) and course.found and not course.wants_jobs
        return not course.moving, swept


@attrs.define(eq=False)
class Rounds:
    """
    Looks at courses until all of them have ended.

    Args:
        looks: Asks GitHub.
        concurrency: How many looks are under way at once.
        interval: The pace of the looks, which the budget then does not bound; None adapts it.
    """

    looks: Looks
    concurrency: int
    interval: float | None = None
    _watched: dict[int, _Watched] = attrs.field(factory=dict, init=False)
    _boards: dict[str, Boards] = attrs.field(factory=dict, init=False)
    # The end of the last wait that was reported.
    _reported: float = attrs.field(default=0.0, init=False)

    @property
    def over(self) -> bool:
        """Whether every course has ended, and no more are waited for."""
        now = self.looks.now()
        return not self._watched and all(boards.over(now) for boards in self._boards.values())

    def add(self, course: Course[Any]) -> None:
        """Watch this course from now on."""
        self._watched[id(course)] = _Watched(course, self.looks.now())

    def add_source(self, source: Source) -> None:
        """Watch every run of this list from now on."""
        self._boards[source.repo] = source

    async def next(self) -> list[Course[Any]]:
        """Sleep until the next look is due, and look; return the courses that may have changed."""
        await self._sleep()
        await self._read_lists()
        now = self.looks.now()
        due = [one for one in self._watched.values() if min(one.due, one.course.until) <= now]
        if chosen := await self._affordable(due, now):
            await self._look_at(chosen)
        courses = [one.course for one in self._watched.values()]
        for course in courses:
            course.close(self.looks.now())
            if course.verdict is not None:
                del self._watched[id(course)]
        if courses and not self._watched:
            for boards in self._boards.values():
                boards.ask_again(self.looks.now())
        return courses

    async def _sleep(self) -> None:
        dues = [min(one.due, one.course.until) for one in self._watched.values()]
        dues += [board.due for boards in self._boards.values() for board in boards.lists]
        dues += [boards.until for boards in self._boards.values()]
        clock = self.looks.etags.requester.clock
        while (left := min(dues, default=0.0) - clock.now()) > 0:
            await clock.sleep(left)

    # -- looks at one run or job -------------------------------------------------------------

    async def _look_at(self, chosen: list[tuple[_Watched, Purse]]) -> None:
        for _, purse in chosen:
            purse.reserved += _COST
        try:
            ones = [one for one, _ in chosen]
            await fanout.gather(ones, self._look, concurrency=min(self.concurrency, len(ones)))
        finally:
            for _, purse in chosen:
                purse.reserved -= _COST

    async def _look(self, one: _Watched) -> None:
        course = one.course
        # Where the list failed that tells about the run, it is asked itself.
        untold = not one.listed or course.error is not None
        whole = untold or self.looks.now() >= one.sweep_at
        await self.looks.look(course, only_jobs=not whole)
        now = self.looks.now()
        one.failures = 0 if course.error is None else one.failures + 1
        one.due = now + pause(course, now, self.interval, one.failures)
        if course.error is not None:
            one.rests_until = one.due
            if course.verdict is None:
                self._report(course.error, one.due)
            return
        if whole:
            one.sweep_at = now + SWEEP
        if one.listed and isinstance(course, RunCourse):
            one.due = min(one.due, one.sweep_at) if course.wants_jobs else one.sweep_at

    async def _affordable(self, due: list[_Watched], now: float) -> list[tuple[_Watched, Purse]]:
        """Return the looks that the budget allows, what moves first; the others wait in turn."""
        taken: Counter[int] = Counter()
        chosen = []
        for one in sorted(due, key=lambda one: one.priority):
            purse = await self.looks.purse(one.course.ref.repo)
            if self.interval is not None or purse.affords(now, taken[id(purse)]):
                chosen.append((one, purse))
            else:
                one.due = purse.ready_at(now, taken[id(purse)])
            taken[id(purse)] += _COST
        return chosen

    # -- lists of runs -----------------------------------------------------------------------

    def _listable(self) -> dict[str, dict[int, RunCourse]]:
        """Return the runs by repository and id, where a list of runs is worth its request."""
        repos: dict[str, dict[int, RunCourse]] = {}
        for one in self._watched.values():
            course = one.course
            # An attempt of its own has no entry in a list.
            if isinstance(course, RunCourse) and course.ref.attempt is None:
                repos.setdefault(course.ref.repo, {})[course.ref.run_id] = course
        few = {repo for repo, courses in repos.items() if len(courses) < _FEW}
        sources = {repo for repo, boards in self._boards.items() if boards.is_source}
        return {repo: repos.get(repo, {}) for repo in (repos.keys() - few) | sources}

    async def _read_lists(self) -> None:
        """Read the lists that are due, of each repository with several runs."""
        repos = self._listable()
        self._boards = {repo: self._boards.get(repo) or Boards(repo) for repo in repos}
        listed: set[int] = set()
        # At the deadline of a run the lists tell once more how it is.
        last = min((one.course.until for one in self._watched.values()), default=inf)
        for repo, courses in repos.items():
            boards, done = self._boards[repo], list[Board]()
            if last <= self.looks.now():
                boards.ask_again(self.looks.now())
            while board := next((one for one in boards.due(self.looks.now(), done)), None):
                done.append(board)
                await self._read(boards, board, courses)
            listed |= {id(courses[number]) for number in boards.shown() & courses.keys()}
        for key, one in self._watched.items():
            if one.listed and key not in listed:
                one.due = min(one.due, self.looks.now())
            one.listed = key in listed

    async def _read(self, boards: Boards, board: Board, courses: dict[int, RunCourse]) -> None:
        purse, now = await self.looks.purse(boards.repo), self.looks.now()
        if self.interval is None and not purse.affords(now):
            board.due = purse.ready_at(now)
            return
        try:
            query, whole = boards.query(board), boards.is_source
            listing = await self.looks.list_runs(boards.repo, query, whole=whole)
        except ConfigurationError:
            raise
        except _REFUSALS as error:
            boards.failed(error, self.looks.now())
            # Whoever cannot be listed is looked at by itself, and told why where that fails too.
            board.shown, board.due = frozenset(), self.looks.now() + boards.rest
        except GHJobsError as error:
            boards.failed(error, self.looks.now())
            self._list_failed(board, error, courses)
        else:
            now, board.failures = self.looks.now(), 0
            for course in boards.appeared(listing.items):
                self.add(course)
                courses[course.ref.run_id] = course
            told = boards.tell(board, listing, courses, now)
            pauses = [pause(course, now, self.interval) for course in told]
            board.due = now + min(pauses, default=boards.rest)
            for course in told:
                one = self._watched[id(course)]
                one.sweep_at = one.sweep_at or now + SWEEP
                one.due = max(now, one.rests_until) if course.wants_jobs else one.sweep_at

    def _list_failed(self, board: Board, error: GHJobsError, courses: dict[int, RunCourse]) -> None:
        """Tell those of whom the list has told before; the others are looked at by themselves."""
        now = self.looks.now()
        board.failures += 1
        board.due = now + backoff(error, now, self.interval, board.failures)
        for number in (board.shown or frozenset()) & courses.keys():
            courses[number].fail(error, now)
        self._report(error, board.due)

    # -- waits -------------------------------------------------------------------------------

    def _report(self, error: GHJobsError, until: float) -> None:
        """Report a wait for a limit or after an error once, however many runs have to wait."""
        if isinstance(error, NotFoundError) or until <= self._reported:
            return
        self._reported = until
        wait = Wait(until - self.looks.now(), datetime.fromtimestamp(until, UTC), reason_of(error))
        self.looks.etags.requester.gate.report(wait)
