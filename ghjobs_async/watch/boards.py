"""
Which list of runs tells about which run.

One request for the newest runs of a repository tells about many of them. What is older is told by
lists that are closed to what is new: the newest runs up to a moment. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from ghjobs_async.listing.pages import Listing
from ghjobs_async.models import Run
from ghjobs_async.watch.courses import RunCourse

# Lists that show this few of the runs in question are not worth theirs.
_SPARSE: Final = 3


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

    @property
    def query(self) -> dict[str, str]:
        """The query of its request."""
        if self.until is None:
            return {}
        return {"created": f"<={self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}


@attrs.define(eq=False)
class Boards:
    """
    The lists of one repository, and the runs that are looked for in them.

    Args:
        repo: The repository.
    """

    repo: str
    lists: list[Board] = attrs.field(factory=lambda: [Board()])
    # The runs that no list is made for: they are looked at by themselves.
    _alone: set[int] = attrs.field(factory=set)

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

    def due(self, now: float, done: Sequence[Board]) -> list[Board]:
        """Return the lists to read now, but for those that are done."""
        return [board for board in self.lists if board.due <= now and board not in done]

    def shown(self) -> set[int]:
        """Return the ids of the runs that the lists tell about."""
        return {number for board in self.lists for number in board.shown or ()}

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


def _may_be_older(course: RunCourse, moment: datetime | None) -> bool:
    return course.run is None or moment is None or course.run.created_at <= moment
