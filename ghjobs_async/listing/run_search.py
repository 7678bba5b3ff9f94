"""
Search the runs of a repository or workflow, beyond the 1,000 results that GitHub lists.

A search with more results than that is split by time until each part has fewer.
https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import attrs

from ghjobs_async.checks import check_run_status
from ghjobs_async.clock import Clock
from ghjobs_async.errors import ConfigurationError, TransportError, Undecodable, shown
from ghjobs_async.listing.pages import Listing, Pages
from ghjobs_async.models import Run
from ghjobs_async.refs import check_repo
from ghjobs_async.wire.convert import Page
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import list_runs

#: GitHub lists this many results of a search.
CAP: Final = 1000
#: How many runs a part of a split search should have: below the cap, since runs come unevenly.
PART: Final = 700
# A list without a filter has no cap, but a list this long is not held in memory at once.
_MAX_UNFILTERED: Final = 5000
_WORKFLOW: Final = re.compile(r"[^/\s][^/\x00-\x1f]{0,200}")
_SECOND: Final = timedelta(seconds=1)
# The start of GitHub Actions: no run is older.
_BEGINNING: Final = datetime(2018, 10, 16, tzinfo=UTC)
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE: Final = re.compile(r"([0-9]{1,6})([mhdw])")
_MOMENT: Final = rf"{_DAY}(?:T\d{{2}}:\d{{2}}(?::\d{{2}})?(?:Z|[+-]\d{{2}}:\d{{2}})?)?"


def parse_age(text: str, now: datetime) -> datetime | None:
    """
    Return the time ``30m``, ``24h``, ``7d`` or ``2w`` before *now*; None for any other text.

    Raises:
        OverflowError: It is before the year 1.
    """
    found = _AGE.fullmatch(text)
    if found is None:
        return None
    moment = now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    return moment.astimezone(UTC).replace(microsecond=0)


@attrs.frozen
class Window:
    """A span of creation times, both ends included, in whole seconds; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def parse(cls, text: str, now: datetime) -> Self:
        """
        Parse GitHub's date syntax: ``A..B``, ``>=A``, ``>A``, ``<=B``, ``<B``, or one day or moment;
        or an age such as ``7d``, which means everything since then.

        https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates

        Raises:
            ConfigurationError: It is none of these.
        """
        problem = ConfigurationError(
            "created reads 2026-10-01..2026-10-31, >=2026-10-01, <2026-10-01T12:00:00Z, "
            f"2026-10-01 or 7d, not {shown(text)}"
        )
        try:
            if since := parse_age(text, now):
                return cls(since, None)
            if found := re.fullmatch(rf"({_MOMENT}|\*)\.\.({_MOMENT}|\*)", text):
                start, end = found.groups()
                return cls(
                    None if start == "*" else _span(start)[0],
                    None if end == "*" else _span(end)[1],
                )
            if found := re.fullmatch(rf"([<>]=?)?({_MOMENT})", text):
                first, last = _span(found[2])
                match found[1]:
                    case ">=":
                        return cls(first, None)
                    case ">":
                        return cls(last + _SECOND, None)
                    case "<=":
                        return cls(None, last)
                    case "<":
                        return cls(None, first - _SECOND)
                return cls(first, last)
        except (ValueError, OverflowError):
            raise problem from None
        raise problem

    def holds(self, moment: datetime) -> bool:
        """Return whether *moment* is in this window, with a tolerance of one second."""
        after = self.start is None or moment >= self.start - _SECOND
        return after and (self.end is None or moment <= self.end + _SECOND)

    def __str__(self) -> str:
        start, end = (f"{m:%Y-%m-%dT%H:%M:%SZ}" if m else "" for m in (self.start, self.end))
        if start and end:
            return f"{start}..{end}"
        return f">={start}" if start else f"<={end}"

    def split(self, newest: Sequence[datetime], now: datetime) -> tuple[Window, Window] | None:
        """
        Return an older and a newer window that together are this one; None for a single second.

        *newest* are creation times of some of its runs. By them, the newer window is chosen to hold
        about `PART` runs; a window that is still too large is split once more.
        """
        start = self.start or _BEGINNING
        # The server's clock may be ahead of ours.
        end = self.end or max(now, *newest, now).replace(microsecond=0)
        if end - start < _SECOND:
            return None
        cut = start + (end - start) / 2
        if newest and (span := max(newest) - min(newest)):
            back = span * (PART / len(newest))
            if max(newest) - end < back < max(newest) - start:
                cut = max(newest) - back
        cut = max(cut.replace(microsecond=0), start + _SECOND)
        return Window(self.start, cut - _SECOND), Window(cut, self.end)


def _span(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last second of a day or moment, in UTC where it names no offset."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return (moment, moment if "T" in text else moment + timedelta(days=1) - _SECOND)


class RunSearch:
    """
    The runs that a search finds, the newest first: iterate over it with ``async for``.

    It holds no connection between its runs, so iteration may stop at any time. At its end,
    ``complete`` says whether it found all.

    Attributes:
        total_count: How many runs there are, by GitHub's first answer, and at the end by all of its
            answers.
        got: How many came.
        undecodable: What came but could not be decoded.
    """

    def __init__(
        self,
        pages: Pages,
        clock: Clock,
        repo: str,
        workflow: str | int | None,
        filters: Mapping[str, object],
    ) -> None:
        check_repo(repo)
        if workflow is not None and not _WORKFLOW.fullmatch(str(workflow)):
            raise ConfigurationError(f"a workflow is an id or a file name, not {shown(workflow)}")
        query = {name: str(value) for name, value in filters.items() if value is not None}
        if "status" in query:
            check_run_status(query["status"])
        self._pages = pages
        self._clock = clock
        self._repo = repo
        self._workflow = workflow
        self._window = Window()
        if created := query.get("created"):
            self._window = Window.parse(created, self._now())
            if _AGE.fullmatch(created):
                query["created"] = str(self._window)
        self._query = query
        # Without any filter, GitHub lists all runs.
        filtered = set(query) - {"exclude_pull_requests"}
        self._limit = CAP if filtered else _MAX_UNFILTERED
        self._seen: set[int] = set()
        self._runs = self._read()
        self.total_count = 0
        self.undecodable: tuple[Undecodable, ...] = ()

    @property
    def got(self) -> int:
        """How many runs came so far."""
        return len(self._seen)

    @property
    def complete(self) -> bool:
        """Whether every run that GitHub counts has come and was decoded."""
        return self.got == self.total_count and not self.undecodable

    def known_total(self) -> int | None:
        """Return how many runs there are; None before the first answer."""
        return self.total_count or None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Run:
        return await anext(self._runs)

    async def peek(self) -> tuple[int, tuple[Run, ...]]:
        """Ask once: return how many runs there are, and the first page of them."""
        listing = await self._list(self._query, 1)
        self.undecodable = listing.undecodable
        return listing.total_count, listing.items

    async def _read(self) -> AsyncGenerator[Run, None]:
        todo: list[tuple[Window, Mapping[str, str]]] = [(self._window, self._query)]
        counted = 0
        first: int | None = None
        while todo:
            window, query = todo.pop()
            listing = await self._list(query, self._limit)
            if query is not self._query:
                self._check(window, listing.items)
            if first is None:
                self.total_count = first = listing.total_count
            if listing.total_count >= self._limit:
                parts = window.split([run.created_at for run in listing.items], self._now())
                if parts is not None:
                    self._limit = CAP
                    todo += [(part, {**self._query, "created": str(part)}) for part in parts]
                    continue
                listing = await self._list(query, None)
            fresh = [run for run in listing.items if run.id not in self._seen]
            self._seen.update(run.id for run in fresh)
            # A run that a neighbouring part has given already is counted there.
            counted += listing.total_count - (len(listing.items) - len(fresh))
            self.undecodable += listing.undecodable
            if not todo:
                # Unless the first total is the cap itself, at least that many runs must come.
                self.total_count = counted if first == CAP else max(counted, first)
            for run in fresh:
                yield run

    def _check(self, window: Window, runs: tuple[Run, ...]) -> None:
        """Raise where the server ignores the window: it would be split again and again."""
        if any(not window.holds(run.created_at) for run in runs):
            raise TransportError(
                f"the search for runs of {self._repo} created {window} gives others: this server "
                "ignores created, so more than 1,000 runs cannot be found",
                retryable=False,
            )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    async def _list(self, query: Mapping[str, str], limit: int | None) -> Listing[Run]:
        def make(per_page: int, page: int) -> Request[Page[Run]]:
            return list_runs(self._repo, self._workflow, query, per_page, page)

        reading = await self._pages.fetch((self._repo, "runs"), make, limit=limit)
        return await self._pages.decode(reading)
