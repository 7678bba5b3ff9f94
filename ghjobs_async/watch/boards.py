"""
Which list of runs tells about which run.

One request for the newest runs of a repository tells about many of them. Older ones are listed by
closed windows of their creation, which nothing new enters. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Final

import attrs

from ghjobs_async.models import Run
from ghjobs_async.watch.courses import RunCourse

# From this many runs on, a list is worth its request.
_FEW: Final = 2
# A window is made for this many runs; a page has 100, of which others may be strangers.
_WINDOW: Final = 50
#: For how long a list that is refused is not asked for again.
REST: Final = 300.0


@attrs.define(eq=False)
class Board:
    """
    One list of runs, and the runs that are looked for in it.

    Args:
        repo: The repository.
        query: What is listed; empty for the newest runs.
        courses: The runs by id.
        adopting: Whether every run of the list is watched.
    """

    repo: str
    query: dict[str, str]
    courses: dict[int, RunCourse] = attrs.field(factory=dict)
    adopting: bool = False
    due: float = 0.0
    #: The runs that the list had when it was last read.
    shown: set[int] = attrs.field(factory=set)

    def tell(self, runs: Iterable[Run], now: float) -> list[RunCourse]:
        """Tell each course what the list says of its run; return those that it tells about."""
        listed = {run.id: run for run in runs}
        self.shown = listed.keys() & self.courses.keys()
        for number in self.shown:
            self.courses[number].see_run(listed[number], now)
        return [self.courses[number] for number in self.shown]


def is_listed(course: RunCourse) -> bool:
    """Return whether a list of runs can tell about it: an attempt of its own has no entry."""
    return course.ref.attempt is None and course.verdict is None


def worth_listing(courses: Iterable[RunCourse]) -> bool:
    """Return whether there are enough runs for a list."""
    return sum(map(is_listed, courses)) >= _FEW


def windows(repo: str, courses: Iterable[RunCourse]) -> list[Board]:
    """Return lists by closed windows of creation for runs that the newest runs do not show."""
    found = [course for course in courses if course.run is not None and is_listed(course)]
    found.sort(key=_created)
    parts = [found[n : n + _WINDOW] for n in range(0, len(found), _WINDOW)]
    return [_window(repo, part) for part in parts if len(part) >= _FEW]


def halves(board: Board) -> list[Board]:
    """Return smaller windows for a list that has more than one page."""
    courses = sorted(board.courses.values(), key=_created)
    middle = len(courses) // 2
    parts = courses[:middle], courses[middle:]
    return [_window(board.repo, part) for part in parts if len(part) >= _FEW]


def _window(repo: str, courses: list[RunCourse]) -> Board:
    query = {"created": f"{_created(courses[0])}..{_created(courses[-1])}"}
    return Board(repo, query, {course.ref.run_id: course for course in courses})


def _created(course: RunCourse) -> str:
    assert course.run is not None
    return f"{course.run.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
