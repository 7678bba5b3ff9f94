"""
The shared gate of limits: every request to the API passes it.

It holds the client's concurrency, and one wait for all where a limit was hit. Waiting holds no
slot. What there is to wait for, `limits.Budget` knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import RateLimitError
from ghjobs_async.models import Wait
from ghjobs_async.transport.budget import Budget, Turn

# After a pause, tasks leave spread over this share of it (at most so many seconds): no stampede.
_SPREAD_SHARE = 0.1
_SPREAD_MOST = 5.0


@attrs.define(eq=False)
class Gate:
    """
    Bound, pace and hold back the requests of one client.

    Args:
        concurrency: How many requests may be under way at once.

        clock: Time and chance.

        max_wait: The longest wait for a limit, in seconds; a longer one raises.

        on_wait: Told of every wait, once.
    """

    concurrency: int
    clock: Clock
    max_wait: float
    on_wait: Callable[[Wait], object] | None
    _slots: asyncio.Semaphore = attrs.field(init=False)
    # Somebody waits for an answer of the requests under way.
    _landed: asyncio.Event | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrency)

    async def enter(self, budget: Budget, url: str) -> float:
        """
        Wait for a turn and take a slot; the moment of leaving. Every `enter` has its `leave`.

        Raises:
            RateLimitError: The wait would be longer than ``max_wait``.
        """
        while True:
            await self._slots.acquire()
            now = self.clock.now()
            turn, until = budget.turn(now)
            if turn is Turn.GO:
                budget.depart(now)
                return now
            self._slots.release()
            if turn is Turn.ANSWER:
                self._landed = self._landed or asyncio.Event()
                await self._landed.wait()
            elif turn is Turn.PACE:
                await self.clock.sleep(until - now)
            else:
                await self._wait_for_limit(budget, now, url)

    def leave(self, budget: Budget) -> None:
        """Give the slot back."""
        budget.land()
        self._slots.release()
        if self._landed is not None:
            self._landed.set()
            self._landed = None

    async def _wait_for_limit(self, budget: Budget, now: float, url: str) -> None:
        seconds = budget.until - now
        when = datetime.fromtimestamp(budget.until, UTC)
        if seconds > self.max_wait:
            raise RateLimitError(
                f"the {budget.scope} rate limit is used up until {when:%Y-%m-%d %H:%M:%S} UTC, "
                f"in {seconds:.0f} s, longer than max_wait={self.max_wait:g}; "
                "try again then, or allow a longer max_wait",
                scope=budget.scope,
                retry_at=when,
                status=429,
                url=url,
            )
        if budget.reported != budget.until:
            budget.reported = budget.until
            self.tell(Wait(seconds, when, f"{budget.scope} rate limit"))
        spread = min(_SPREAD_MOST, 0.5 + seconds * _SPREAD_SHARE)
        await self.clock.sleep(seconds + spread * self.clock.random())

    def tell(self, wait: Wait) -> None:
        """Tell ``on_wait`` of a wait."""
        if self.on_wait is not None:
            self.on_wait(wait)
