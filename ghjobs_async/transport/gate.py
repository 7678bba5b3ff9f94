"""
The gate that every request to the API passes: concurrency, pace and waits for limits.

A request that waits holds no slot. The `Budget` decides what to wait for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Self

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import RateLimitError
from ghjobs_async.models import Wait
from ghjobs_async.transport.budget import Budget, Turn
from ghjobs_async.transport.stats import Counters
from ghjobs_async.wire.answers import rate_limit_error
from ghjobs_async.wire.limits import LIMIT_STATUSES, find_limit
from ghjobs_async.wire.messages import Answer

_log: Final = logging.getLogger("ghjobs_async")

# After a pause, tasks leave spread over a tenth of it, but over no more than these seconds.
_SPREAD_SHARE: Final = 0.1
_MAX_SPREAD: Final = 5.0


@attrs.define(eq=False)
class Gate:
    """
    Bound, pace and hold back the requests of one client.

    Args:
        concurrency: How many requests may be under way at once.
        max_wait: The longest wait for a limit, in seconds; a longer one raises.
        on_wait: Called once for every wait, before it begins.
        counters: Count the waits.
    """

    concurrency: int
    clock: Clock
    max_wait: float
    on_wait: Callable[[Wait], object] | None
    counters: Counters = attrs.field(factory=Counters)
    _slots: asyncio.Semaphore = attrs.field(init=False)
    # Exists while a request waits for the answers to those under way.
    _landed: asyncio.Event | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrency)

    def slot(self, budget: Budget, url: str, *, patient: bool = True) -> Slot:
        """
        Return the slot of one request, which is entered with ``async with``.

        Args:
            budget: The limits of the request's credential.
            url: The request's address, for errors.
            patient: Whether to wait for limits up to ``max_wait``; otherwise each one raises.
        """
        return Slot(self, budget, url, self.max_wait if patient else 0.0)

    async def enter(self, slot: Slot) -> None:
        """Wait until the slot's request may leave."""
        budget = slot.budget
        while True:
            await self._slots.acquire()
            now = self.clock.now()
            turn, until = budget.turn(now)
            if turn is Turn.GO:
                budget.depart(now)
                slot.departed = now
                return
            self._slots.release()
            if turn is Turn.ANSWER:
                self._landed = self._landed or asyncio.Event()
                await self._landed.wait()
            elif turn is Turn.PACE:
                await self.clock.sleep(until - now)
            else:
                await self._wait_for_limit(slot, now)

    def leave(self, slot: Slot) -> None:
        """Take the slot back, and let a request that waits for answers look again."""
        slot.budget.land()
        self._slots.release()
        if self._landed is not None:
            self._landed.set()
            self._landed = None

    async def _wait_for_limit(self, slot: Slot, now: float) -> None:
        budget = slot.budget
        seconds = budget.until - now
        if seconds > slot.max_wait:
            raise slot.refusal()
        if budget.reported != budget.until:
            budget.reported = budget.until
            when = datetime.fromtimestamp(budget.until, UTC)
            self.report(Wait(seconds, when, f"{budget.scope} rate limit"))
        spread = min(_MAX_SPREAD, 0.5 + seconds * _SPREAD_SHARE)
        await self.clock.sleep(seconds + spread * self.clock.random())

    def report_retry(self, wait: Wait) -> None:
        """Report a wait before another try."""
        self.counters.retries += 1
        self.report(wait)

    def report(self, wait: Wait) -> None:
        """Report a wait, and count it."""
        self.counters.waits += 1
        self.counters.seconds_waited += wait.seconds
        self.tell(wait)

    def tell(self, wait: Wait) -> None:
        """Report a wait to the log and to ``on_wait``, and count it nowhere."""
        _log.info("%s", wait)
        if self.on_wait is not None:
            self.on_wait(wait)


@attrs.define(eq=False)
class Slot:
    """
    The slot of one request. Entering it waits for the request's turn.

    Raises (on entering):
        RateLimitError: The wait would be longer than ``max_wait``.

    Attributes:
        max_wait: The longest wait for a limit, in seconds.
        departed: When the request left, in epoch seconds.
    """

    gate: Gate
    budget: Budget
    url: str
    max_wait: float
    departed: float = 0.0

    async def __aenter__(self) -> Self:
        await self.gate.enter(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.leave(self)

    def learn(self, answer: Answer) -> bool:
        """
        Read what an answer says about limits; return whether it hit one.

        Raises:
            RateLimitError: It hit one, and the wait would be longer than ``max_wait``.
        """
        now = self.gate.clock.now()
        self.budget.learn(answer.headers, now)
        body = answer.head if answer.status in LIMIT_STATUSES else b""
        limited = find_limit(answer.status, answer.headers, body, now)
        if limited is None:
            self.budget.relax(self.departed)
            return False
        self.budget.pause(limited, self.departed, now)
        if self.budget.until - now > self.max_wait:
            raise self.refusal(answer)
        return True

    def refusal(self, answer: Answer | None = None) -> RateLimitError:
        """Build the error for a limit that *answer* hit, or that no request was sent for."""
        budget, max_wait = self.budget, self.max_wait
        return rate_limit_error(
            budget.scope, budget.until, url=self.url, max_wait=max_wait, answer=answer
        )
