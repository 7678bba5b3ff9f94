"""
Which list of runs tells about which run.

One request for the newest runs of a repository tells about many of them. What is older is told by
lists that are closed to what is new: the newest runs up to a moment. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Final

import attrs

from ghjobs_async.errors import AuthError, ForbiddenError, GHJobsError, NotFoundError
from ghjobs_async.listing.pages import Listing
from ghjobs_async.models import Run
from ghjobs_async.refs import RunRef
from ghjobs_async.watch.courses import RunCourse
from ghjobs_async.watch.pace import SWEEP

# Lists that show this few of the runs in question are not worth theirs.
_SPARSE: Final = 3
# A list in which a run is to appear, or which tells about none, is read again after so many seconds.
_EMPTY: Final = 5.0


@attrs.define(eq=False)
class Board:
    """
    One list of runs.

    Args:
        until: The list has the newest runs that were created until then; None for the newest of all.
        due: When to read it again.
        failures: How often in a row it could not be read.
    """

    until: datetime | None = None
    due: float = 0.0
    failures: int = 0
    #: The ids of the watched runs that it had when it was last read; None before.
    shown: frozenset[int] | None = None
    #: When the oldest of its runs was created, where older ones follow.
    follows: datetime | None = None


@attrs.define(eq=False)
class Boards:
    """
    The lists of one repository, and the runs that are looked for in them.

    Args:
        repo: The repository.
        base: What is listed of it; empty for every run.
        until: The deadline of what is listed.
    """

    repo: str
    base: Mapping[str, str] = attrs.field(factory=dict)
    until: float = inf
    lists: list[Board] = attrs.field(factory=lambda: [Board()])
    # The runs that no list is made for: they are looked at by themselves.
    _alone: set[int] = attrs.field(factory=set)

    def query(self, board: Board) -> dict[str, str]:
        """Return the query of the request for a list."""
        if board.until is None:
            return dict(self.base)
        created = f"<={board.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {**self.base, "created": created}

    def due(self, now: float, done: Sequence[Board]) -> list[Board]:
        """Return the lists to read now, but for those that are done."""
        return [board for board in self.lists if board.due <= now and board not in done]

    def shown(self) -> set[int]:
        """Return the ids of the runs that the lists tell about."""
        return {number for board in self.lists for number in board.shown or ()}

    @property
    def is_source(self) -> bool:
        """Whether it is read although no run of it is watched yet."""
        return False

    @property
    def rest(self) -> float:
        """How many seconds later a list is read again that tells about no run."""
        return SWEEP

    def over(self, now: float) -> bool:  # noqa: ARG002 -- a source has an end of its own
        """Return whether no run is waited for that is not watched yet."""
        return True

    def ask_again(self, now: float) -> None:
        """Make every list due: the last run that is watched has ended, or a deadline has come."""
        for board in self.lists:
            board.due = min(board.due, now)

    def appeared(self, runs: Iterable[Run]) -> list[RunCourse]:  # noqa: ARG002
        """Return the courses of runs that are to be watched, too."""
        return []

    def failed(self, error: GHJobsError, now: float) -> None:
        """See that a list could not be read."""

    def tell(
        self, board: Board, listing: Listing[Run], courses: Mapping[int, RunCourse], now: float
    ) -> list[RunCourse]:
        """
        Tell each course what a list says of its run; return those that it tells about.

        Where runs are not in any list, there is one more list for them afterwards.

        Args:
            board: The list that was read.
            listing: What it says.
            courses: The runs that are looked for, by id.
            now: The time, in epoch seconds.
        """
        runs = {run.id: run for run in listing.items if run.id in courses}
        board.shown = frozenset(runs)
        more = listing.items and listing.total_count > len(listing.items)
        board.follows = min(run.created_at for run in listing.items) if more else None
        for number, run in runs.items():
            courses[number].see_run(run, now)
        self._extend(board, courses)
        return [courses[number] for number in runs]

    def _extend(self, board: Board, courses: Mapping[int, RunCourse]) -> None:
        """Add a list for older runs where some are missing, unless it would not show many."""
        missing = {
            number
            for number in courses.keys() - self.shown() - self._alone
            if _may_be_older(courses[number], board.follows)
        }
        if board.until is not None and len(board.shown or ()) < min(_SPARSE, len(courses)):
            self.lists.remove(board)
            self._alone |= missing
        elif board.follows is None or board.follows == board.until:
            self._alone |= courses.keys() - self.shown()
        elif missing and all(one.shown is not None for one in self.lists):
            self.lists.append(Board(board.follows))


@attrs.define(eq=False)
class Source(Boards):
    """
    A list of runs, each of which is watched as soon as it appears.

    Args:
        course: Makes the course of a run that appeared.
        begun: When the watch began, in epoch seconds.
        grace: For how many seconds an empty list means "not yet".
    """

    course: Callable[[RunRef], RunCourse] = attrs.field(kw_only=True)
    begun: float = attrs.field(kw_only=True)
    grace: float = attrs.field(kw_only=True)
    #: The ids of the runs that appeared.
    known: set[int] = attrs.field(factory=set)
    #: Why the list could not be read the last time.
    error: GHJobsError | None = None
    #: Whether it was read since the last of its runs ended.
    settled: bool = False

    @property
    def is_source(self) -> bool:
        """Whether it is read although no run of it is watched yet."""
        return True

    @property
    def rest(self) -> float:
        """How many seconds later a list is read again that tells about no run."""
        return _EMPTY

    def over(self, now: float) -> bool:
        """Return whether no run is waited for that is not watched yet."""
        if now >= self.until:
            return True
        if self.known:
            return self.settled
        # Only a list that could be read tells that there is no run.
        empty = self.error is None and self.lists[0].shown is not None
        return empty and now - self.begun >= self.grace

    def appeared(self, runs: Iterable[Run]) -> list[RunCourse]:
        """Return the courses of runs that are to be watched, too."""
        self.settled, self.error = True, None
        fresh = [run for run in runs if run.id not in self.known]
        self.known.update(run.id for run in fresh)
        return [self.course(RunRef(self.repo, run.id)) for run in fresh]

    def failed(self, error: GHJobsError, now: float) -> None:
        """See that the list could not be read: a refusal is raised, a 404 after the grace."""
        self.error = error
        refused = isinstance(error, (AuthError, ForbiddenError))
        missing = isinstance(error, NotFoundError) and now - self.begun >= self.grace
        if refused or missing:
            raise error

    def ask_again(self, now: float) -> None:
        """Make every list due, since others may have appeared when all runs have ended."""
        super().ask_again(now)
        self.settled = False


def _may_be_older(course: RunCourse, moment: datetime | None) -> bool:
    return course.run is None or moment is None or course.run.created_at <= moment
