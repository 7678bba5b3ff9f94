"""
Read the runs of a window page by page, and only the pages that have changed since the last time.

A page is asked for with the ETag that it had: GitHub answers an unchanged one with a 304, which costs
no quota. Pages are read one after another, so that few are in memory; windows are read side by side.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias

import attrs

from ghjobs_async.errors import ServerError, TransportError, Undecodable
from ghjobs_async.listing.pages import SIZES, TOO_LARGE, Pages, resend
from ghjobs_async.listing.windows import CAP, Window
from ghjobs_async.models import Run
from ghjobs_async.wire.convert import Page
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import list_runs

# A window that changes while it is read is read this often.
_READINGS: Final = 2


@attrs.frozen
class KnownPage:
    """
    What is known of a page from an earlier search.

    Attributes:
        etag: Its ETag.
        label: The label of the credential that got the ETag: it is sent with no other.
        total_count: How many runs the window had.
        run_ids: The runs of the page.
    """

    etag: str | None
    label: str
    total_count: int
    run_ids: Sequence[int]


#: Returns what is known of a window's page by its number.
KnownPages: TypeAlias = Callable[[Window, int], KnownPage | None]


@attrs.frozen
class RunPage:
    """
    One page of a window as it was found.

    Attributes:
        known: What to keep of it for the next search.
        fresh: The runs that were not known to be unchanged.
        changed: Whether it differs from what was known.
        divided: How many windows are read in place of this one; 0 where it stays whole.
    """

    window: Window
    number: int
    known: KnownPage
    fresh: tuple[Run, ...] = ()
    changed: bool = True
    divided: int = 0


@attrs.frozen
class WindowEnd:
    """
    The end of a window.

    Attributes:
        pages: How many pages it has.
        expected: How many runs GitHub counts.
        got: How many came.
        undecodable: What came but could not be decoded.
        settled: Whether all pages agree, so that a run that is not among theirs does not exist.
    """

    window: Window
    pages: int
    expected: int
    got: int
    undecodable: tuple[Undecodable, ...]
    settled: bool


@attrs.frozen
class RunPages:
    """
    The pages of a search's runs, by windows.

    Most repositories have few runs: where all of them fit on a page, one window is read. Otherwise
    it is divided into *days*, and each of these into halves where it has more runs than GitHub
    lists. What was divided once is read by its parts from then on: their pages are known.

    Args:
        pages: Reads whole lists, for a server that fails on large pages.
        repo: The repository.
        workflow: Only the runs of this workflow.
        query: GitHub's filters, without ``created``.
        days: The windows that together are searched, the newest first.
        known: Returns what an earlier search knew of a page.
    """

    pages: Pages
    repo: str
    workflow: str | int | None
    query: Mapping[str, str]
    days: Sequence[Window]
    known: KnownPages

    def windows(self) -> Iterator[Window]:
        """Return the windows to read, the newest first."""
        if self.days:
            yield from self._parts(Window(self.days[-1].start, self.days[0].end))

    async def read(self, window: Window) -> AsyncGenerator[RunPage | WindowEnd, None]:
        """
        Read a window, or its parts where it has too many runs.

        Raises:
            TransportError: The server ignores the window.
        """
        reading = _Reading(self, window)
        async with aclosing(reading.read()) as found:
            async for one in found:
                yield one
        for divided in reading.divided:
            for part in self._parts(divided):
                async with aclosing(self.read(part)) as found:
                    async for one in found:
                        yield one

    def divide(self, window: Window, total: int) -> Sequence[Window]:
        """Return the parts of a window with *total* runs, the newest first; none if it stays whole."""
        whole = len(self.days) > 1 and window == Window(self.days[-1].start, self.days[0].end)
        if whole:
            return self.days if total > SIZES[0] else ()
        return (window.halves() or ())[::-1] if total >= CAP else ()

    def _parts(self, window: Window) -> Iterator[Window]:
        before = self.known(window, 1)
        parts = () if before is None else self.divide(window, before.total_count)
        if not parts:
            yield window
        for part in parts:
            yield from self._parts(part)


def check_created(repo: str, window: Window, runs: Iterable[Run]) -> None:
    """
    Check that the server does not ignore the window.

    Raises:
        TransportError: A run was created outside of it.
    """
    if any(not window.holds(run.created_at) for run in runs):
        raise TransportError(
            f"the search for runs of {repo} created {window} gives others: this server ignores "
            "created, so more than 1,000 runs, or what has changed, cannot be found",
            retryable=False,
        )


@attrs.define(eq=False)
class _Reading:
    """The reading of one window; a second time where it changed meanwhile."""

    search: RunPages
    window: Window
    divided: Sequence[Window] = ()
    _latest: dict[int, KnownPage] = attrs.field(factory=dict)
    _undecodable: dict[int, tuple[Undecodable, ...]] = attrs.field(factory=dict)
    _given: set[int] = attrs.field(factory=set)

    async def read(self) -> AsyncGenerator[RunPage | WindowEnd, None]:
        for left in reversed(range(_READINGS)):
            number, total = 0, 1
            while number * SIZES[0] < total:
                number += 1
                try:
                    page = await self._page(number)
                except ServerError as error:
                    if error.status not in TOO_LARGE:
                        raise
                    page, end = await self._in_small_pages()
                    yield page
                    yield end
                    return
                total = page.known.total_count
                if number == 1 and (parts := self.search.divide(self.window, total)):
                    self.divided = parts
                    # These runs come again with the parts, whose pages have ETags of their own.
                    known = attrs.evolve(page.known, run_ids=())
                    yield attrs.evolve(page, known=known, fresh=(), divided=len(parts))
                    return
                yield page
                # Beyond these there is no page, whatever the total says.
                total = min(total, CAP)
            end = self._end(number)
            if end.settled or not left:
                yield end
                return

    async def _page(self, number: int) -> RunPage:
        request = self._request(SIZES[0], number)
        known = self._latest.get(number) or self.search.known(self.window, number)

        def etag_of(label: str) -> str | None:
            return known.etag if known is not None and known.label == label else None

        changed = await self.search.pages.requester.send_if_changed(
            request, etag_of, resend=resend(resize=True)
        )
        if changed is None:
            assert known is not None, "a 304 answers an ETag"
            self._latest[number] = known
            return RunPage(self.window, number, known, changed=False)
        page = changed.value
        etag = None if page.undecodable else changed.etag
        return self._took(number, page, etag, changed.label)

    async def _in_small_pages(self) -> tuple[RunPage, WindowEnd]:
        """Read the whole window in pages as large as the server can make, without ETags."""
        pages = self.search.pages
        listing = await pages.decode(await pages.fetch((self.search.repo, "runs"), self._request))
        page = Page(listing.total_count, listing.items, listing.undecodable)
        self._latest.clear()
        self._undecodable.clear()
        taken = self._took(1, page, None, "")
        return taken, attrs.evolve(self._end(1), settled=listing.settled)

    def _took(self, number: int, page: Page[Run], etag: str | None, label: str) -> RunPage:
        check_created(self.search.repo, self.window, page.items)
        fresh = tuple(run for run in page.items if run.id not in self._given)
        self._given.update(run.id for run in fresh)
        known = KnownPage(etag, label, page.total_count, [run.id for run in page.items])
        self._latest[number] = known
        self._undecodable[number] = page.undecodable
        return RunPage(self.window, number, known, fresh)

    def _request(self, per_page: int, page: int) -> Request[Page[Run]]:
        search = self.search
        query = {**search.query, "created": str(self.window)}
        return list_runs(search.repo, search.workflow, query, per_page, page)

    def _end(self, last: int) -> WindowEnd:
        pages = [self._latest[number] for number in range(1, last + 1)]
        ids = [run_id for page in pages for run_id in page.run_ids]
        undecodable = tuple(one for n in range(1, last + 1) for one in self._undecodable.get(n, ()))
        total = pages[-1].total_count
        settled = (
            len(ids) == len(set(ids)) == total
            and not undecodable
            and all(page.total_count == total for page in pages)
        )
        return WindowEnd(self.window, last, total, len(set(ids)), undecodable, settled)
