"""
Read one list completely: page 1 says how many items there are, the others are fetched concurrently.

Where the server fails on a large page, the list is read again in smaller ones. A list that is not
complete is read once more, and then returned with the verdict that it is not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import takewhile
from typing import Final, Generic, TypeVar

import attrs

from ghjobs_async import fanout
from ghjobs_async.errors import ServerError, TransportError, Undecodable
from ghjobs_async.models import Job, Run
from ghjobs_async.transport.etags import EtagMemory
from ghjobs_async.transport.requester import Requester
from ghjobs_async.wire.convert import Page, is_empty_page, peek_id, peek_total
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.urls import has_next

# GitHub always answers 502 for a page that takes it too long, and asking for the same size again
# never helps. A smaller page works.
SIZES: Final = (100, 50, 25, 10)
_TOO_LARGE: Final = frozenset({502, 504})
# This many later lists of the repository are read in smaller pages at once.
_KEEP: Final = 10
# This many pages, a few milliseconds' work, are decoded at once.
_BURST: Final = 4
# A page of this many bytes is decoded at once: unpacked, a page of runs has more than a megabyte, and
# a tenth of that when decoded.
_LARGE: Final = 2**19
# A page without items is smaller than this, packed or not.
_SMALL: Final = 200
# At most this many pages are read beyond the total, where the server says that there are more.
_MAX_BEYOND: Final = 100
# No real list is longer: a run has hundreds of jobs, and a few attempts.
_MAX_ITEMS: Final = 100_000
# A list that shifts may repeat an item at the start of a page; more repeats mean the same page again.
_MAX_REPEATS: Final = 3


T = TypeVar("T", bound=Job | Run)

#: Builds the request for a page of that size (first) and number (second).
MakeRequest = Callable[[int, int], Request[Page[T]]]


@attrs.frozen
class Listing(Generic[T]):
    """
    A list as it was read.

    Attributes:
        items: Each item once, in the server's order.
        total_count: How many there are, as the server last said.
        undecodable: What came but could not be decoded.
        settled: Whether all pages agree: no item came twice, the total did not change, and as many
            items came as it says.
    """

    items: tuple[T, ...]
    total_count: int
    undecodable: tuple[Undecodable, ...]
    settled: bool


@attrs.define
class _Size:
    """The page size that works for one repository's lists."""

    size: int = SIZES[0]
    #: How many more lists are read in pages of that size.
    left: int = 0


@attrs.define(eq=False)
class Pages:
    """
    Reads lists; remembers for each repository and kind of list which page size works.

    Args:
        concurrency: How many pages of one list are asked for at once.
        etags: Remembers the pages, decoded; None asks for each in full.
    """

    requester: Requester
    concurrency: int
    etags: EtagMemory | None = None
    _sizes: dict[tuple[str, str], _Size] = attrs.field(factory=dict, init=False)
    # Decode one list at a time.
    _decoding: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    async def fetch(
        self, key: tuple[str, str], make: MakeRequest[T], *, limit: int | None = None
    ) -> Reading[T]:
        """
        Fetch one list, in pages as large as the server can make.

        Args:
            key: The repository and the kind of list, for which the page size is remembered.
            make: Builds the request for one page.
            limit: Fetch only page 1 of a list that has this many items or more.
        """
        known = self._sizes.setdefault((key[0].lower(), key[1]), _Size())
        begun = known.size
        for size in SIZES[SIZES.index(begun) :]:
            smallest = size == SIZES[-1]
            reading = Reading(
                self.requester, self.etags, key, make, limit, size, resize=not smallest
            )
            try:
                await reading.fetch_all(self.concurrency)
            except ServerError as error:
                if smallest or error.status not in _TOO_LARGE:
                    raise
            else:
                if size != begun:
                    known.size, known.left = size, _KEEP
                elif known.left:
                    known.left -= 1
                else:
                    known.size = SIZES[0]
                return reading
        raise AssertionError("the smallest size returns or raises")

    async def decode(self, reading: Reading[T]) -> Listing[T]:
        """
        Decode a list that was fetched; read it once more where it changed meanwhile or came short.

        Decoding takes some milliseconds and much memory, so call this when the list is needed.
        """
        listing = await self._decode(reading)
        if listing.settled:
            return listing
        again = await self.fetch(reading.key, reading.make, limit=reading.limit)
        return await self._decode(again)

    async def _decode(self, reading: Reading[T]) -> Listing[T]:
        async with self._decoding:
            await reading.decode_all()
        return await reading.listing()


@attrs.define(eq=False)
class Reading(Generic[T]):
    """
    One reading of one list, in pages of one size.

    Pages stay packed until the list is needed: so they take a fraction of the memory of the decoded
    objects. Where they are remembered with their ETags, they are decoded once, when they come.
    """

    requester: Requester
    etags: EtagMemory | None
    key: tuple[str, str]
    make: MakeRequest[T]
    limit: int | None
    size: int
    resize: bool
    _answers: deque[Answer] = attrs.field(factory=deque)
    # The decoded pages, by number; None for half a page.
    _pages: dict[int, Page[T] | None] = attrs.field(factory=dict)
    # Whether only page 1 was read, since the list reaches the limit.
    _first_only: bool = False
    # Whether a page without items has come: then no page follows, whatever the total says.
    _exhausted: bool = False
    # The first item of each page, and how many pages began with one of an earlier page.
    _first_ids: set[int] = attrs.field(factory=set)
    _repeats: int = 0

    async def fetch_all(self, concurrency: int) -> None:
        """Fetch all pages, but only the first one of a list that reaches the limit."""
        first = await self._fetch(1)
        total = peek_total(first.head)
        if total is None:
            # It comes after the items, so the whole page has to be decoded.
            page = self._pages.get(1) or self._page(1, first) or await self._again(1)
            self._pages[1] = page
            total = page.total_count
        self._answers.append(first)
        self._first_only = self.limit is not None and total >= self.limit
        if not self._first_only:
            self._answers += await self._others(first, total, concurrency)

    async def decode_all(self) -> None:
        """Decode the pages, a few at a time, so that other tasks can run in between."""
        number = 0
        while self._answers:
            answer = self._answers.popleft()
            number += 1
            if number not in self._pages:
                self._pages[number] = self._page(number, answer)
            if number % _BURST == 0:
                await asyncio.sleep(0)

    async def listing(self) -> Listing[T]:
        """Join the decoded pages; fetch those again that came by half."""
        pages = [page or await self._again(number) for number, page in sorted(self._pages.items())]
        listing = _merged(pages)
        return attrs.evolve(listing, settled=True) if self._first_only else listing

    async def _fetch(self, number: int) -> Answer:
        request = self.make(self.size, number)
        if self.etags is None:
            answer = await self.requester.send(request.undecoded(), resend=self._resend())
        else:
            known = await self.etags.send(request, resend=self._resend())
            answer, self._pages[number] = known.answer, known.value
        small = len(answer.raw) < _SMALL
        self._exhausted = self._exhausted or (small and is_empty_page(answer.body))
        first = peek_id(answer.head)
        if first is not None:
            self._repeats += first in self._first_ids
            self._first_ids.add(first)
        if self._repeats >= _MAX_REPEATS:
            words = "the server gives the same page again and again: is something caching answers?"
            raise answer.unusable(words, retryable=False)
        return answer

    async def _fetch_other(self, number: int) -> Answer:
        answer = await self._fetch(number)
        if len(answer.raw) >= _LARGE and number not in self._pages:
            self._pages[number] = self._page(number, answer)
            answer = attrs.evolve(answer, raw=b"")
        return answer

    def _page(self, number: int, answer: Answer) -> Page[T] | None:
        """Decode a page; None for half a page, which came although the connection held."""
        try:
            return self.make(self.size, number).decode(answer)
        except TransportError as error:
            if not error.retryable:
                raise
            return None

    async def _again(self, number: int) -> Page[T]:
        return await self.requester.send(self.make(self.size, number))

    def _resend(self) -> Callable[[int], bool]:
        """Return the rule for a 5xx: retry, but only once where a smaller page may help."""
        if not self.resize:
            return bool
        seen: list[int] = []

        def again(status: int) -> bool:
            seen.append(status)
            return status not in _TOO_LARGE or len(seen) == 1

        return again

    async def _others(self, first: Answer, total: int, concurrency: int) -> list[Answer]:
        """Fetch the pages after the first one, concurrently as far as the total says."""
        if total > _MAX_ITEMS and not self._exhausted:
            words = f"total_count is {total}, which no list has: is this the root of a GitHub API?"
            raise first.unusable(words, retryable=False)
        answers = [first]
        last = max(1, -(-total // self.size))
        if last > 1:
            numbers = takewhile(lambda _: not self._exhausted, range(2, last + 1))
            answers += await fanout.gather(
                numbers, self._fetch_other, concurrency=min(concurrency, last - 1)
            )
        # There may be more than the total says, where the Link header names another page.
        for number in range(last + 1, last + _MAX_BEYOND):
            if self._exhausted or not has_next(answers[-1]):
                break
            answers.append(await self._fetch_other(number))
        return answers[1:]


def _merged(pages: list[Page[T]]) -> Listing[T]:
    items = {item.id: item for page in pages for item in page.items}
    undecodable = tuple(problem for page in pages for problem in page.undecodable)
    came = sum(len(page.items) for page in pages)
    total = pages[-1].total_count
    settled = (
        came == len(items)
        and came + len(undecodable) == total
        and all(page.total_count == total for page in pages)
    )
    return Listing(tuple(items.values()), total, undecodable, settled)
