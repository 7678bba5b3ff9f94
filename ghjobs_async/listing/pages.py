"""
Read one list completely: page 1 says how many items there are, the others are fetched concurrently.

Where the server fails on a large page, the list is read again in smaller ones. A list that comes short
is read once more; what stays short says so.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, Protocol, TypeVar

import attrs

from ghjobs_async import fanout
from ghjobs_async.errors import ServerError, TransportError, Undecodable
from ghjobs_async.transport.requester import Requester
from ghjobs_async.wire.answers import unusable
from ghjobs_async.wire.convert import Page, is_empty_page, peek_id, peek_total
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.urls import has_next

# GitHub answers 502 for a page that takes it too long to make, consistently, where a smaller one
# works: asking for the same size again never helps.
SIZES: Final = (100, 50, 25, 10)
_TOO_LARGE: Final = frozenset({502, 504})
# Lists of the same repository are read in small pages from then on, but only so many of them.
_KEEP: Final = 10
# So many pages, a few milliseconds' work, are decoded at once.
_BURST: Final = 4
# A page as large as this is decoded as it comes: a page of runs has over a megabyte, and is a tenth
# of that when decoded.
_LARGE: Final = 2**19
# So many pages are read beyond the total, where the server says that there are more.
_MAX_BEYOND: Final = 100
# No list is as long as this: a run has hundreds of jobs, and some attempts.
_MAX_ITEMS: Final = 100_000
# A list that shifts may show its first item twice; a page that comes more often is the same again.
_MAX_REPEATS: Final = 3


class Item(Protocol):
    """What a list holds: told apart by ``id``."""

    @property
    def id(self) -> int:
        """GitHub's id."""
        ...


T = TypeVar("T", bound=Item)

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
        settled: Whether everything agrees: no item came twice, the total did not move, and as many
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
    #: How many lists are still to be read in pages of that size.
    left: int = 0


@attrs.define(eq=False)
class Pages:
    """
    Reads lists; remembers for each repository and kind of list which page size works.

    Args:
        requester: Asks GitHub.
        concurrency: How many pages of one list are asked for at once.
    """

    requester: Requester
    concurrency: int
    _sizes: dict[tuple[str, str], _Size] = attrs.field(factory=dict, init=False)
    # One list at a time becomes objects, and is handed over before the next one does.
    _decoding: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    async def read(
        self, key: tuple[str, str], make: MakeRequest[T], *, limit: int | None = None
    ) -> Listing[T]:
        """
        Read one list, and once more where it changed meanwhile or came short.

        Args:
            key: The repository and the kind of list, for which the page size is remembered.
            make: Builds the request for one page.
            limit: Of a list as long as this, or longer, only page 1 is read.
        """
        listing = await self._read(key, make, limit)
        return listing if listing.settled else await self._read(key, make, limit)

    async def _read(
        self, key: tuple[str, str], make: MakeRequest[T], limit: int | None
    ) -> Listing[T]:
        """Read one list, in pages as large as the server can make them."""
        known = self._sizes.setdefault((key[0].lower(), key[1]), _Size())
        begun = known.size
        for size in SIZES[SIZES.index(begun) :]:
            smallest = size == SIZES[-1]
            try:
                listing = await self._read_in(size, make, limit, resize=not smallest)
            except ServerError as error:
                if smallest or error.status not in _TOO_LARGE:
                    raise
            else:
                self._remember(known, size, stepped=size != begun)
                return listing
        raise AssertionError("the smallest size returns or raises")

    async def _read_in(
        self, size: int, make: MakeRequest[T], limit: int | None, *, resize: bool
    ) -> Listing[T]:
        reading = _Reading(self.requester, make, size, resize=resize)
        first = await reading.fetch(1)
        total = peek_total(first.body)
        if total is None or (limit is not None and total >= limit):
            page = await reading.decode(1, first)
            total = page.total_count
            if limit is not None and total >= limit:
                return Listing(page.items, total, page.undecodable, settled=True)
        answers = [first, *await reading.others(first, total, self.concurrency)]
        async with self._decoding:
            pages = await reading.decode_all(answers)
        return _merged(pages)

    def _remember(self, known: _Size, size: int, *, stepped: bool) -> None:
        if stepped:
            known.size, known.left = size, _KEEP
        elif known.left:
            known.left -= 1
        else:
            known.size = SIZES[0]


@attrs.define(eq=False)
class _Reading(Generic[T]):
    """
    One reading of one list, in pages of one size.

    Pages are kept as bytes until all have come: that takes a fraction of the memory of the objects
    that they become.
    """

    requester: Requester
    make: MakeRequest[T]
    size: int
    resize: bool
    # A page without items has come: there is nothing behind it, whatever the total says.
    _exhausted: bool = False
    # Pages that are decoded already, by number: large ones, and a first one without a total in front.
    _decoded: dict[int, Page[T]] = attrs.field(factory=dict)
    # The first item of each page, and how often one has come again.
    _first_ids: set[int] = attrs.field(factory=set)
    _repeats: int = 0

    async def fetch(self, number: int) -> Answer:
        request = self.make(self.size, number).undecoded()
        answer = await self.requester.send(request, resend=self._resend())
        self._exhausted = self._exhausted or is_empty_page(answer.body)
        first = peek_id(answer.body)
        if first is not None:
            self._repeats += first in self._first_ids
            self._first_ids.add(first)
        if self._repeats >= _MAX_REPEATS:
            words = "the server gives the same page again and again: is something caching answers?"
            raise unusable(answer, words, retryable=False)
        return answer

    def _resend(self) -> Callable[[int], bool]:
        """Send a request again after a 5xx; but once after one that a smaller page may cure."""
        if not self.resize:
            return bool
        seen: list[int] = []

        def again(status: int) -> bool:
            seen.append(status)
            return status not in _TOO_LARGE or len(seen) == 1

        return again

    async def _fetch_other(self, number: int) -> Answer:
        answer = await self.fetch(number)
        if len(answer.body) < _LARGE:
            return answer
        if page := self._page(number, answer):
            self._decoded[number] = page
        return attrs.evolve(answer, body=b"")

    async def decode(self, number: int, answer: Answer) -> Page[T]:
        page = self._page(number, answer) or await self._again(number)
        self._decoded[number] = page
        return page

    def _page(self, number: int, answer: Answer) -> Page[T] | None:
        """Decode a page; None for half a page, though the connection was whole."""
        try:
            return self.make(self.size, number).decode(answer)
        except TransportError:
            return None

    async def _again(self, number: int) -> Page[T]:
        return await self.requester.send(self.make(self.size, number), resend=self._resend())

    async def decode_all(self, answers: list[Answer]) -> list[Page[T]]:
        """Decode pages, a few at a time: between them, other tasks have their turn."""
        numbered = deque(enumerate(answers, 1))
        answers.clear()
        pages: list[Page[T] | None] = []
        while numbered:
            few = [numbered.popleft() for _ in range(min(_BURST, len(numbered)))]
            with _collector_paused():
                pages += [
                    self._decoded.pop(number, None) or self._page(number, answer)
                    for number, answer in few
                ]
            await asyncio.sleep(0)
        return [
            await self._again(number) if page is None else page
            for number, page in enumerate(pages, 1)
        ]

    async def others(self, first: Answer, total: int, concurrency: int) -> list[Answer]:
        """Fetch the pages behind the first one, concurrently as far as the total says."""
        answers = [first]
        if total > _MAX_ITEMS and not self._exhausted:
            words = f"total_count is {total}, which no list has: is this the root of a GitHub API?"
            raise unusable(first, words, retryable=False)
        last = max(1, -(-total // self.size))
        if last > 1:
            answers += await fanout.gather(
                self._numbers(last), self._fetch_other, concurrency=min(concurrency, last - 1)
            )
        # There may be more than the total says, where the Link header knows of another page.
        for number in range(last + 1, last + _MAX_BEYOND):
            if self._exhausted or not has_next(answers[-1]):
                break
            answers.append(await self._fetch_other(number))
        return answers[1:]

    def _numbers(self, last: int) -> Iterator[int]:
        for number in range(2, last + 1):
            if self._exhausted:
                return
            yield number


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector, which would walk thousands of new objects; never across an await."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
