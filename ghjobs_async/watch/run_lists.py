"""
Watch many runs of a repository with few requests, each for a list of runs.

The first list has the newest runs. Each other list has the newest runs that were created until some
moment, so new runs do not push the watched ones out of it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import ClassVar, Final

import attrs

from ghjobs_async.errors import AuthError, ForbiddenError, GHJobsError, NotFoundError
from ghjobs_async.listing.pages import Listing
from ghjobs_async.models import Run
from ghjobs_async.refs import RunRef
from ghjobs_async.watch.pace import SWEEP
from ghjobs_async.watch.trackers import RunTracker

# A list of older runs that has fewer watched runs than this is not worth its request.
_SPARSE: Final = 3
# While a source has no run to watch, it is read again after this many seconds.
_EMPTY: Final = 5.0


@attrs.define(eq=False)
class RunList:
    """
    One list of runs.

    Args:
        until: Only runs created until then are listed; None for the newest of all.
        due: When to read it again, in epoch seconds.
        failures: How many reads in a row have failed.
    """

    until: datetime | None = None
    due: float = 0.0
    failures: int = 0
    #: The ids of the watched runs in the last answer; None before the first one.
    shown: frozenset[int] | None = None
    #: When the oldest run in the last answer was created; None where no older ones exist.
    follows: datetime | None = None


@attrs.define(eq=False)
class RunLists:
    """
    The lists of runs of one repository.

    Args:
        repo: The repository.
        base: The filters of every list; empty for all runs.
        until: The deadline for the runs that appear in a source, in epoch seconds.
    """

    repo: str
    base: Mapping[str, str] = attrs.field(factory=dict)
    until: float = inf
    all: list[RunList] = attrs.field(factory=lambda: [RunList()])
    #: Whether the lists are read although no run is watched yet, to find the runs.
    is_source: ClassVar[bool] = False
    #: After how many seconds a list that has no watched run is read again.
    rest: ClassVar[float] = SWEEP
    # The ids of runs that no further list is made for: each is asked for by itself.
    _alone: set[int] = attrs.field(factory=set)

    def query(self, run_list: RunList) -> dict[str, str]:
        """Return the query of the request for a list."""
        if run_list.until is None:
            return dict(self.base)
        created = f"<={run_list.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {**self.base, "created": created}

    def due(self, now: float, done: Sequence[RunList]) -> list[RunList]:
        """Return the lists to read now, without those that are done."""
        return [run_list for run_list in self.all if run_list.due <= now and run_list not in done]

    def shown(self) -> set[int]:
        """Return the ids of the watched runs that are in a list."""
        return {number for run_list in self.all for number in run_list.shown or ()}

    def over(self, now: float) -> bool:  # noqa: ARG002 -- for `Source`
        """Return whether no more runs are expected to appear."""
        return True

    def ask_again(self, now: float) -> None:
        """Make every list due: all watched runs have ended, or a deadline has come."""
        for run_list in self.all:
            run_list.due = min(run_list.due, now)

    def appeared(self, runs: Iterable[Run]) -> list[RunTracker]:  # noqa: ARG002
        """Return trackers for the runs that are not watched yet."""
        return []

    def failed(self, error: GHJobsError, now: float) -> None:
        """Take in that a list could not be read."""

    def tell(
        self,
        run_list: RunList,
        listing: Listing[Run],
        trackers: Mapping[int, RunTracker],
        now: float,
    ) -> list[RunTracker]:
        """
        Give each tracker the state of its run in a list; return the trackers of the listed runs.

        Where watched runs are in no list, this adds a list of older runs.

        Args:
            run_list: The list that was read.
            listing: The answer.
            trackers: The trackers of the watched runs, by run id.
            now: The time, in epoch seconds.
        """
        runs = {run.id: run for run in listing.items if run.id in trackers}
        run_list.shown = frozenset(runs)
        more = listing.items and listing.total_count > len(listing.items)
        run_list.follows = min(run.created_at for run in listing.items) if more else None
        for number, run in runs.items():
            trackers[number].see_run(run, now)
        self._extend(run_list, trackers)
        return [trackers[number] for number in runs]

    def _extend(self, run_list: RunList, trackers: Mapping[int, RunTracker]) -> None:
        """Add a list of older runs where watched ones are missing; drop a list that has too few."""
        missing = {
            number
            for number in trackers.keys() - self.shown() - self._alone
            if _may_be_older(trackers[number], run_list.follows)
        }
        if run_list.until is not None and len(run_list.shown or ()) < min(_SPARSE, len(trackers)):
            self.all.remove(run_list)
            self._alone |= missing
        elif run_list.follows is None or run_list.follows == run_list.until:
            self._alone |= trackers.keys() - self.shown()
        elif missing and all(one.shown is not None for one in self.all):
            self.all.append(RunList(run_list.follows))


@attrs.define(eq=False)
class Source(RunLists):
    """
    A list whose runs are watched as soon as they appear.

    Args:
        tracker: Makes the tracker of a run that appeared.
        begun: When the watch began, in epoch seconds.
        grace: For how many seconds an empty list means "not yet".
    """

    tracker: Callable[[RunRef], RunTracker] = attrs.field(kw_only=True)
    begun: float = attrs.field(kw_only=True)
    grace: float = attrs.field(kw_only=True)
    is_source = True
    rest = _EMPTY
    #: The ids of the runs that appeared.
    known: set[int] = attrs.field(factory=set)
    #: Why the list could not be read the last time.
    error: GHJobsError | None = None
    #: Whether the list was read after all its known runs had ended.
    settled: bool = False

    def over(self, now: float) -> bool:
        """Return whether no more runs are expected to appear."""
        if now >= self.until:
            return True
        if self.known:
            return self.settled
        # Only an answer can say that there is no run.
        empty = self.error is None and self.all[0].shown is not None
        return empty and now - self.begun >= self.grace

    def appeared(self, runs: Iterable[Run]) -> list[RunTracker]:
        """Return trackers for the runs that are not watched yet."""
        self.settled, self.error = True, None
        fresh = [run for run in runs if run.id not in self.known]
        self.known.update(run.id for run in fresh)
        return [self.tracker(RunRef(self.repo, run.id)) for run in fresh]

    def failed(self, error: GHJobsError, now: float) -> None:
        """Raise a refusal, and a 404 after the grace; remember other errors."""
        self.error = error
        refused = isinstance(error, (AuthError, ForbiddenError))
        missing = isinstance(error, NotFoundError) and now - self.begun >= self.grace
        if refused or missing:
            raise error

    def ask_again(self, now: float) -> None:
        """Make every list due: when all known runs have ended, others may have appeared."""
        super().ask_again(now)
        self.settled = False


def _may_be_older(tracker: RunTracker, moment: datetime | None) -> bool:
    return tracker.run is None or moment is None or tracker.run.created_at <= moment
