"""
Search the runs of a repository or workflow, beyond the 1,000 results that GitHub lists.

A search with more results than that is split by time until each part has fewer.
https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Self

from ghjobs_async.checks import check_run_status
from ghjobs_async.clock import Clock
from ghjobs_async.errors import ConfigurationError, Undecodable, shown
from ghjobs_async.listing.pages import Listing, Pages
from ghjobs_async.listing.run_pages import KnownPages, RunPages, check_created
from ghjobs_async.listing.windows import CAP, Window, is_age
from ghjobs_async.models import Run
from ghjobs_async.refs import check_repo
from ghjobs_async.wire.convert import Page
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import list_runs

# A list without a filter has no cap, but a list this long is not held in memory at once.
_MAX_UNFILTERED: Final = 5000
_WORKFLOW: Final = re.compile(r"[^/\s][^/\x00-\x1f]{0,200}")


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
            if is_age(created):
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

    def by_window(self, days: Sequence[Window], known: KnownPages) -> RunPages:
        """Return the pages of this search's runs on *days*, of which only what changed comes anew."""
        query = {name: value for name, value in self._query.items() if name != "created"}
        return RunPages(self._pages, self._repo, self._workflow, query, days, known)

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
                check_created(self._repo, window, listing.items)
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

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    async def _list(self, query: Mapping[str, str], limit: int | None) -> Listing[Run]:
        def make(per_page: int, page: int) -> Request[Page[Run]]:
            return list_runs(self._repo, self._workflow, query, per_page, page)

        reading = await self._pages.fetch((self._repo, "runs"), make, limit=limit)
        return await self._pages.decode(reading)
