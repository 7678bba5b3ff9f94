"""
Bounded concurrency over any ``async key -> value``: the only place that starts tasks.

Knows nothing of GitHub. Keys are read lazily, results come as they finish, and leaving the block
ends every task, whatever the reason for leaving.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from contextlib import aclosing
from types import TracebackType
from typing import Generic, NoReturn, Self, TypeAlias, TypeVar

from ghjobs_async.models import Failed, Fetched

K = TypeVar("K")
T = TypeVar("T")

Outcome: TypeAlias = Fetched[K, T] | Failed[K]


class FanOut(Generic[K, T]):
    """
    Run *work* over *keys*, at most *concurrency* at a time.

    Enter it with ``async with``, iterate over what it gives: a `Fetched` or `Failed` for every key,
    in the order in which they finish. A worker whose result has not been taken yet reads no further
    key, so a slow consumer slows the reading: never more results wait than there are workers.

    An error of *work* becomes a `Failed`; an error of *keys* is raised to whoever iterates, after
    the outcomes of all keys read before it. An async generator given as *keys* is closed at the end.
    """

    def __init__(
        self,
        keys: Iterable[K] | AsyncIterable[K],
        work: Callable[[K], Awaitable[T]],
        *,
        concurrency: int,
    ) -> None:
        self._keys = _lazily(keys)
        self._work = work
        self._concurrency = concurrency
        self._reading = asyncio.Lock()
        self._exhausted = False
        self._leaving = False
        self._entered = False
        self._source_error: BaseException | None = None
        self._ready: deque[Outcome[K, T]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Semaphore(concurrency)
        self._working = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("a fan-out is entered once: make another one")
        self._entered = True
        self._working = self._concurrency
        self._tasks = [asyncio.create_task(self._worker()) for _ in range(self._concurrency)]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exhausted = self._leaving = True
        for task in self._tasks:
            task.cancel()
        try:
            await _ended(self._tasks)
        finally:
            self._ready.clear()
            if isinstance(self._keys, AsyncGenerator):
                await self._keys.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome[K, T]:
        if self._leaving or not self._entered:
            raise RuntimeError("iterate over a fan-out inside its `async with` block")
        while not self._ready:
            if not self._working:
                if self._source_error is not None:
                    error, self._source_error = self._source_error, None
                    raise error
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        self._room.release()
        return self._ready.popleft()

    async def _worker(self) -> None:
        try:
            while True:
                await self._room.acquire()
                async with self._reading:
                    if self._exhausted:
                        return
                    try:
                        key = await anext(self._keys)
                    except StopAsyncIteration:
                        self._exhausted = True
                        return
                await self._work_on(key)
        except BaseException as error:  # noqa: BLE001 -- handed to whoever iterates
            self._exhausted = True
            if not self._leaving and self._source_error is None:
                self._source_error = error
        finally:
            self._working -= 1
            # Workers that wait for room have nothing to do any more once the keys have run out.
            self._room.release()
            self._news.set()

    async def _work_on(self, key: K) -> None:
        """Give the outcome of *key*, for which room is held."""
        outcome: Outcome[K, T]
        try:
            outcome = Fetched(key, await self._work(key))
        except Exception as error:  # noqa: BLE001 -- one bad key never costs the others
            outcome = Failed(key, _without_locals(error))
        self._give(outcome)

    def _give(self, outcome: Outcome[K, T]) -> None:
        self._ready.append(outcome)
        self._news.set()


class FanOutMany(FanOut[K, T]):
    """
    As `FanOut`, for work that gives any number of values for a key: each comes as it is found.

    Work that is ahead of whoever iterates waits there, in the middle of its key.
    """

    def __init__(
        self,
        keys: Iterable[K] | AsyncIterable[K],
        work: Callable[[K], AsyncGenerator[T, None]],
        *,
        concurrency: int,
    ) -> None:
        super().__init__(keys, _no_single_value, concurrency=concurrency)
        self._values = work

    async def _work_on(self, key: K) -> None:
        room = True
        try:
            async with aclosing(self._values(key)) as values:
                async for value in values:
                    if not room:
                        await self._room.acquire()
                    room = False
                    self._give(Fetched(key, value))
        except Exception as error:  # noqa: BLE001 -- one bad key never costs the others
            if not room:
                await self._room.acquire()
            self._give(Failed(key, _without_locals(error)))
        else:
            if room:
                self._room.release()


async def _no_single_value(_: object) -> NoReturn:
    raise AssertionError("work that gives many values gives no single one")


async def gather(
    keys: Iterable[K], work: Callable[[K], Awaitable[T]], *, concurrency: int
) -> list[T]:
    """
    Run *work* over *keys*, at most *concurrency* at a time; the results in the order of the keys.

    The first error ends all the others and is raised as it is.
    """
    results: dict[int, T] = {}
    numbered = enumerate(keys)

    async def worker() -> None:
        for index, key in numbered:
            results[index] = await work(key)

    tasks = [asyncio.create_task(worker()) for _ in range(concurrency)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await _ended(tasks)
    for task in done:
        # Work that was cancelled from within leaves no result either: that is no success.
        task.result()
    return [results[index] for index in sorted(results)]


def _without_locals(error: Exception) -> Exception:
    """
    Let go of what the frames of the traceback hold: whole answers, perhaps, and a kept outcome
    would keep them too. Files and line numbers stay.
    """
    chain: BaseException | None = error
    seen: set[int] = set()
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        traceback.clear_frames(chain.__traceback__)
        chain = chain.__cause__ or chain.__context__
    return error


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Wait until all *tasks* have ended, even where the wait itself is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _lazily(keys: Iterable[K] | AsyncIterable[K]) -> AsyncIterator[K]:
    return aiter(keys) if isinstance(keys, AsyncIterable) else _from_sync(keys)


async def _from_sync(keys: Iterable[K]) -> AsyncGenerator[K, None]:
    for key in keys:
        yield key
