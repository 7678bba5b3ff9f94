"""Time that nobody waits for, and what is left when a test ends."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from ghjobs_async import Clock, GitHubJobs

T = TypeVar("T")

EPOCH = 1_800_000_000.0
#: The fixture `client`: makes a client of the fake, of the options of `GitHubJobs`.
MakeClient: TypeAlias = Callable[..., GitHubJobs]


class FakeClock:
    """
    Time that passes only where somebody sleeps, in the order in which the sleeps end.

    `clock` is what the library takes; `sleeps` is what was slept, in order.
    """

    def __init__(self) -> None:
        self.time = EPOCH
        self.chance = 0.5
        self.sleeps: list[float] = []
        self._sleepers: list[tuple[float, int]] = []
        self._numbers = itertools.count()
        self.clock = Clock(now=self.now, sleep=self.sleep, random=lambda: self.chance)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        me = (self.time + max(0.0, seconds), next(self._numbers))
        heapq.heappush(self._sleepers, me)
        try:
            await asyncio.sleep(0)
            while self._sleepers[0] != me:  # noqa: ASYNC110
                await asyncio.sleep(0)
            self.time = max(self.time, me[0])
        finally:
            self._sleepers.remove(me)
            heapq.heapify(self._sleepers)


async def settled() -> set[asyncio.Task[Any]]:
    """The tasks that stay, once those that are about to end have ended."""
    for _ in range(50):
        if len(asyncio.all_tasks()) == 1:
            break
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        await asyncio.wait(left, timeout=0.5)
    return {task for task in left if not task.done()}


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def take_all(items: AsyncIterable[T]) -> list[T]:
    """Everything that comes."""
    return [item async for item in items]
