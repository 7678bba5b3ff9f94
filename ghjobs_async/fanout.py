"""
Bounded concurrency over any ``async key -> value``: the only place that starts tasks.

It knows nothing of GitHub. Keys are read lazily, outcomes come as they finish, and leaving the block
ends every task, whatever the reason.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Sized,
)
from contextlib import aclosing, suppress
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

import attrs

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class Fetched(Generic[K, T]):
    """An outcome that succeeded: ``case Fetched(ref, value)``."""

    ref: K
    value: T


@attrs.frozen
class Failed(Generic[K]):
    """An outcome that failed: ``case Failed(ref, error)``."""

    ref: K
    error: Exception


Outcome: TypeAlias = Fetched[K, T] | Failed[K]

# How the names of this package's modules begin.
_OWN: Final = f"{__name__.partition('.')[0]}."


def _unchanged(key: object) -> Any:
    return key


class _Workers(ABC, Generic[K, T]):
    """
    The tasks of a fan-out, and the outcomes that wait to be taken.

    Each outcome that waits occupies room, of which there is as much as there are workers. A worker
    without room reads no further key.
    """

    def __init__(
        self,
        keys: Iterable[object] | AsyncIterable[object],
        resolve: Callable[[object], K],
        *,
        concurrency: int,
        total: Callable[[], int | None] | None = None,
    ) -> None:
        self._resolve = resolve
        size = len(keys) if isinstance(keys, Sized) else None
        self._total = total or (lambda: size)
        self._keys = aiter(keys) if isinstance(keys, AsyncIterable) else _from_sync(keys)
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
        self.started = 0
        self.done = 0
        self.failed = 0

    @property
    def total(self) -> int | None:
        """How many keys there are; None where that is not known before all are read."""
        return self.started if self._exhausted else self._total()

    def __repr__(self) -> str:
        of = "" if self.total is None else f" of {self.total}"
        return f"<{type(self).__name__}: {self.done}{of} done, {self.failed} failed>"

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("a fan-out is entered once: make another one")
        self._entered = True
        self._working = self._concurrency
        self._tasks = [asyncio.create_task(self._worker()) for _ in range(self._concurrency)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving = True
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
        return await self._finished(self._ready.popleft())

    async def _finished(self, outcome: Outcome[K, T]) -> Outcome[K, T]:
        """Return the outcome to hand over for the one that a worker gave."""
        return outcome

    async def _worker(self) -> None:
        try:
            while True:
                await self._room.acquire()
                async with self._reading:
                    if self._exhausted or self._source_error is not None:
                        return
                    try:
                        key = await anext(self._keys)
                    except StopAsyncIteration:
                        self._exhausted = True
                        return
                    self.started += 1
                await self._take_on(key)
                self.done += 1
        except BaseException as error:  # noqa: BLE001 -- handed to whoever iterates
            if not self._leaving and self._source_error is None:
                self._source_error = error
        finally:
            self._working -= 1
            # Once the keys have run out, the workers that wait for room have to end.
            self._room.release()
            self._news.set()

    async def _take_on(self, key: Any) -> None:
        try:
            key = self._resolve(key)
            await self._work_on(key)
        except Exception as error:  # noqa: BLE001 -- one bad key never costs the others
            self._give(self._failed(key, error))

    @abstractmethod
    async def _work_on(self, key: K) -> None:
        """Give the values of *key*, or raise. Room for one outcome is held, and also for an error."""

    def _give(self, outcome: Outcome[K, T]) -> None:
        self._ready.append(outcome)
        self._news.set()

    def _failed(self, key: K, error: Exception) -> Failed[K]:
        self.failed += 1
        return Failed(key, _without_locals(error))


class FanOut(_Workers[K, T]):
    """
    Run *work* over *keys*, at most *concurrency* at a time.

    Enter it with ``async with`` and iterate over it: it gives a `Fetched` or `Failed` for every key,
    in the order in which they finish. A slow consumer slows the reading of keys: never more outcomes
    wait than *concurrency*.

    An error of *work* becomes a `Failed`; an error of *keys* is raised to whoever iterates, after
    the outcomes of all keys read before it. An async generator given as *keys* is closed at the end.

    Args:
        keys: What to work on; read lazily.
        work: Takes a key, returns its value.
        resolve: Turns an item of *keys* into the key; its error becomes a `Failed`, too.
        concurrency: How many keys are worked on at once.
        total: Returns the number of keys, where *keys* has no length.

    Attributes:
        started: How many keys were begun.
        done: How many of them have ended, the failed ones included.
        failed: How many of them failed.
    """

    def __init__(
        self,
        keys: Iterable[object] | AsyncIterable[object],
        work: Callable[[K], Awaitable[T]],
        *,
        concurrency: int,
        resolve: Callable[[object], K] = _unchanged,
        total: Callable[[], int | None] | None = None,
    ) -> None:
        super().__init__(keys, resolve, concurrency=concurrency, total=total)
        self._work = work

    async def _work_on(self, key: K) -> None:
        self._give(Fetched(key, await self._work(key)))


class FanOutLate(FanOut[K, T]):
    """
    A `FanOut` that completes each value only when its outcome is taken.

    It is for values that take much more memory than what *work* returns. *finish* makes the one from
    the other; its error becomes a `Failed`, too.
    """

    def __init__(
        self,
        keys: Iterable[object] | AsyncIterable[object],
        work: Callable[[K], Awaitable[R]],
        finish: Callable[[R], Awaitable[T]],
        resolve: Callable[[object], K],
        *,
        concurrency: int,
        total: Callable[[], int | None] | None = None,
    ) -> None:
        unfinished: Any = work
        super().__init__(keys, unfinished, concurrency=concurrency, resolve=resolve, total=total)
        self._finish: Callable[[Any], Awaitable[T]] = finish

    async def _finished(self, outcome: Outcome[K, T]) -> Outcome[K, T]:
        if isinstance(outcome, Failed):
            return outcome
        try:
            return Fetched(outcome.ref, await self._finish(outcome.value))
        except Exception as error:  # noqa: BLE001 -- one bad key never costs the others
            return self._failed(outcome.ref, error)


class FanOutMany(_Workers[K, T]):
    """
    A `FanOut` whose work gives any number of values for a key, each as it is found.

    Work that is ahead of the consumer waits in the middle of its key.
    """

    def __init__(
        self,
        keys: Iterable[object] | AsyncIterable[object],
        work: Callable[[K], AsyncGenerator[T, None]],
        *,
        concurrency: int,
        resolve: Callable[[object], K] = _unchanged,
    ) -> None:
        super().__init__(keys, resolve, concurrency=concurrency)
        self._work = work

    async def _work_on(self, key: K) -> None:
        room = True
        try:
            async with aclosing(self._work(key)) as values:
                async for value in values:
                    if not room:
                        await self._room.acquire()
                    room = False
                    self._give(Fetched(key, value))
        except Exception:
            if not room:
                await self._room.acquire()
            raise
        if room:
            self._room.release()


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
        # Raises also where the work cancelled itself.
        task.result()
    return [results[index] for index in sorted(results)]


def _without_locals(error: Exception) -> Exception:
    """
    Clear the local variables of this package's frames in the traceback.

    They may hold whole answers, which a kept outcome would keep in memory. Files and line numbers
    stay. The caller's frames are not touched: their coroutines may still run.
    """
    chain: BaseException | None = error
    seen: set[int] = set()
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        trace = chain.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals.get("__name__", "").startswith(_OWN):
                with suppress(RuntimeError):  # the frame still runs
                    trace.tb_frame.clear()
            trace = trace.tb_next
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


async def _from_sync(keys: Iterable[K]) -> AsyncGenerator[K, None]:
    for key in keys:
        yield key
