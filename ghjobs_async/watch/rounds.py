"""Rounds of looks: sleep until something is due, look at all that is, decide what is over."""

from __future__ import annotations

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
from ghjobs_async.listing.pages import Listing
from ghjobs_async.models import Run, Wait
from ghjobs_async.transport.retries import reason_of
from ghjobs_async.watch.boards import REST, Board, halves, is_listed, windows, worth_listing
from ghjobs_async.watch.courses import Course, RunCourse
from ghjobs_async.watch.looks import Looks
from ghjobs_async.watch.pace import SWEEP, pause

# A look at a run asks for the run and for its jobs.
_COST: Final = 2
_REFUSALS: Final = (AuthError, ForbiddenError, NotFoundError)


@attrs.define(eq=False)
class _Watched:
    """A course, and when to look at it again."""

    course: Course[Any]
    due: float
    #: The list of runs that tells about it; None where it is looked at by itself.
    board: Board | None = None
    #: When to look at it by itself again all the same.
    sweep_at: float = 0.0


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
    _boards: list[Board] = attrs.field(factory=list, init=False)
    # The end of the last wait for a limit that was reported.
    _reported: float = attrs.field(default=0.0, init=False)

    @property
    def over(self) -> bool:
        """Whether every course has ended."""
        return not self._watched

    def add(self, course: Course[Any]) -> None:
        """Watch this course from now on."""
        self._watched[id(course)] = _Watched(course, self.looks.now())

    async def next(self) -> list[Course[Any]]:
        """Sleep until the next look is due, and look; return the courses that may have changed."""
        await self._sleep()
        self._make_boards()
        now = self.looks.now()
        for board in [board for board in self._boards if board.due <= now]:
            await self._read(board)
        due = [one for one in self._watched.values() if min(one.due, one.course.until) <= now]
        chosen = await self._affordable(due, now)
        if chosen:
            concurrency = min(self.concurrency, len(chosen))
            await fanout.gather(chosen, self._look, concurrency=concurrency)
        courses = [one.course for one in self._watched.values()]
        for course in courses:
            course.close(self.looks.now())
            if course.verdict is not None:
                del self._watched[id(course)]
        return courses

    async def _sleep(self) -> None:
        dues = [min(one.due, one.course.until) for one in self._watched.values()]
        dues += [board.due for board in self._boards]
        clock = self.looks.etags.requester.clock
        while (left := min(dues, default=0.0) - clock.now()) > 0:
            await clock.sleep(left)

    # -- looks at one run or job -------------------------------------------------------------

    async def _look(self, one: _Watched) -> None:
        course = one.course
        whole = one.board is None or self.looks.now() >= one.sweep_at
        await self.looks.look(course, only_jobs=not whole)
        now = self.looks.now()
        one.due = now + pause(course, now, self.interval)
        if course.error is not None:
            self._report(course.error, one.due)
            return
        if whole:
            one.sweep_at = now + SWEEP
        if one.board is not None and isinstance(course, RunCourse):
            one.due = min(one.due, one.sweep_at) if course.wants_jobs else one.sweep_at

    async def _affordable(self, due: list[_Watched], now: float) -> list[_Watched]:
        """Return the looks that the budget allows, those at what moves first; the others wait."""
        if self.interval is not None:
            return due
        left: dict[int, float] = {}
        chosen = []
        for one in sorted(due, key=lambda one: not one.course.moving):
            purse = await self.looks.purse(one.course.ref.repo)
            if id(purse) not in left:
                count = purse.count(now)
                left[id(purse)] = inf if count is None else count
            if left[id(purse)] > 0:
                left[id(purse)] -= _COST
                chosen.append(one)
            else:
                one.due = max(purse.ready_at(now), now + 1.0)
        return chosen

    # -- lists of runs -----------------------------------------------------------------------

    def _make_boards(self) -> None:
        """Keep a list for each repository with several runs."""
        repos: dict[str, list[RunCourse]] = {}
        for one in self._watched.values():
            if isinstance(one.course, RunCourse) and is_listed(one.course):
                repos.setdefault(one.course.ref.repo, []).append(one.course)
        for board in self._boards:
            board.courses = {k: c for k, c in board.courses.items() if id(c) in self._watched}
        self._boards = [board for board in self._boards if board.courses]
        newest = {board.repo: board for board in self._boards if not board.query}
        for repo, courses in repos.items():
            if repo in newest:
                newest[repo].courses = {course.ref.run_id: course for course in courses}
            elif worth_listing(courses):
                of_all = {course.ref.run_id: course for course in courses}
                self._boards.append(Board(repo, {}, of_all))

    async def _read(self, board: Board) -> None:
        purse = await self.looks.purse(board.repo)
        now = self.looks.now()
        if self.interval is None and purse.count(now) == 0:
            board.due = max(purse.ready_at(now), now + 1.0)
            return
        try:
            listing = await self.looks.list_runs(board.repo, board.query)
        except ConfigurationError:
            raise
        except _REFUSALS:
            board.shown, board.due = set(), self.looks.now() + REST
        except GHJobsError as error:
            self._list_failed(board, error)
            return
        else:
            self._told(board, listing)
        for course in board.courses.values():
            one = self._watched[id(course)]
            if one.board is board and course.ref.run_id not in board.shown:
                one.board, one.due = None, self.looks.now()

    def _told(self, board: Board, listing: Listing[Run]) -> None:
        now = self.looks.now()
        for course in board.tell(listing.items, now):
            one = self._watched[id(course)]
            if one.board is None:
                one.board, one.sweep_at = board, now + SWEEP
            if course.wants_jobs:
                one.due = min(one.due, now)
            elif one.due <= now < one.sweep_at:
                one.due = one.sweep_at
        pauses = [pause(board.courses[number], now, self.interval) for number in board.shown]
        board.due = now + min(pauses, default=REST)
        if board.query and listing.total_count > len(listing.items):
            self._boards.remove(board)
            self._boards += halves(board)
        elif not board.query:
            known = {id(course) for b in self._boards if b.query for course in b.courses.values()}
            behind = board.courses.keys() - board.shown
            strays = [board.courses[k] for k in behind if id(board.courses[k]) not in known]
            self._boards += windows(board.repo, strays)

    def _list_failed(self, board: Board, error: GHJobsError) -> None:
        now = self.looks.now()
        told = [course for k, course in board.courses.items() if k in board.shown]
        courses = told or list(board.courses.values())
        for course in courses:
            course.fail(error, now)
        board.due = now + max(pause(course, now, self.interval) for course in courses)
        for course in courses:
            one = self._watched[id(course)]
            one.due = max(one.due, board.due)
        self._report(error, board.due)

    # -- waits -------------------------------------------------------------------------------

    def _report(self, error: GHJobsError, until: float) -> None:
        """Report a wait for a limit or after an error once, however many runs have to wait."""
        if isinstance(error, NotFoundError) or until <= self._reported:
            return
        self._reported = until
        wait = Wait(until - self.looks.now(), datetime.fromtimestamp(until, UTC), reason_of(error))
        self.looks.etags.requester.gate.report(wait)
