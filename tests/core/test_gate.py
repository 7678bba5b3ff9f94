"""The shared gate: one wait for all, told once, holding no slot."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest
from async_tools import EPOCH, FakeClock

from ghjobs_async import RateLimitError, Wait
from ghjobs_async.transport.budget import Budget
from ghjobs_async.transport.gate import Gate
from ghjobs_async.wire.limits import Limited

URL = "https://api.github.com/x"


def make(time: FakeClock, concurrency: int = 2, max_wait: float = 900.0) -> tuple[Gate, list[Wait]]:
    waits: list[Wait] = []
    return Gate(concurrency, time.clock, max_wait, waits.append), waits


def left(remaining: int, reset_in: float) -> dict[str, str]:
    reset = f"{EPOCH + reset_in:.0f}"
    return {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": reset}


async def go(gate: Gate, budget: Budget) -> float:
    async with gate.slot(budget, URL) as slot:
        return slot.departed


async def test_one_limit_is_one_wait_for_all(time: FakeClock) -> None:
    """However many tasks are held back, the wait is told once, and ends for all about together."""
    gate, waits = make(time)
    budget = Budget()
    budget.pause(Limited("secondary", 60.0), EPOCH, EPOCH)
    moments = await asyncio.gather(*(go(gate, budget) for _ in range(20)))
    assert [(wait.seconds, wait.reason) for wait in waits] == [(60.0, "secondary rate limit")]
    assert all(EPOCH + 60 <= moment <= EPOCH + 66 for moment in moments)


async def test_no_stampede_after_a_wait(time: FakeClock) -> None:
    """Tasks leave after the wait spread by chance, and never before its end."""
    chances = iter([0.0, 0.25, 0.5, 0.75])
    time.clock = type(time.clock)(time.now, time.sleep, lambda: next(chances))
    gate, _ = make(time, concurrency=4)
    budget = Budget()
    budget.pause(Limited("primary", 100.0), EPOCH, EPOCH)
    moments = await asyncio.gather(*(go(gate, budget) for _ in range(4)))
    assert len(set(moments)) == 4
    assert min(moments) >= EPOCH + 100


@pytest.mark.parametrize(("wait", "spread"), [(1.0, 0.6), (20.0, 2.5), (800.0, 5.0)])
async def test_the_spread_after_a_wait_is_short(
    time: FakeClock, wait: float, spread: float
) -> None:
    """Half a second and a tenth of the wait, five seconds at most: nobody waits much longer."""
    time.chance = 1.0
    gate, _ = make(time)
    budget = Budget()
    budget.pause(Limited("primary", wait), EPOCH, EPOCH)
    assert await go(gate, budget) - EPOCH == pytest.approx(wait + spread, abs=1e-3)


async def test_a_longer_wait_than_allowed_raises_at_once(time: FakeClock) -> None:
    """Beyond `max_wait` nobody sleeps: the error says when to come back."""
    gate, waits = make(time, max_wait=30)
    budget = Budget()
    budget.pause(Limited("primary", 60.0), EPOCH, EPOCH)
    with pytest.raises(RateLimitError, match="max_wait=30") as caught:
        await go(gate, budget)
    assert caught.value.scope == "primary"
    assert caught.value.retry_at.timestamp() == EPOCH + 60
    assert (waits, time.sleeps, budget.in_flight) == ([], [], 0)


async def test_waiting_holds_no_slot(time: FakeClock) -> None:
    """A credential that has to wait does not keep another one from leaving."""
    gate, _ = make(time, concurrency=1)
    held, free = Budget(), Budget()
    held.pause(Limited("primary", 60.0), EPOCH, EPOCH)
    waiting = asyncio.ensure_future(go(gate, held))
    await asyncio.sleep(0)
    assert await go(gate, free) == EPOCH
    assert await waiting >= EPOCH + 60


async def test_running_low_means_waiting_for_answers(time: FakeClock) -> None:
    """With one request remaining, one leaves; the others go on when it says that there are more."""
    gate, waits = make(time, concurrency=8)
    budget = Budget()
    budget.learn(left(1, 50), EPOCH)
    async with gate.slot(budget, URL) as first:
        others = [asyncio.ensure_future(go(gate, budget)) for _ in range(3)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert (first.departed, budget.in_flight, time.sleeps) == (EPOCH, 1, [])
    budget.learn(left(0, 50), EPOCH)
    assert all(moment >= EPOCH + 50 for moment in await asyncio.gather(*others))
    assert [wait.reason for wait in waits] == ["primary rate limit"]


async def test_concurrency_is_bounded(time: FakeClock) -> None:
    """Never more than so many at once."""
    gate, _ = make(time, concurrency=3)
    budget = Budget()
    most = 0

    async def stay() -> None:
        nonlocal most
        async with gate.slot(budget, URL):
            most = max(most, budget.in_flight)
            await asyncio.sleep(0)

    await asyncio.gather(*(stay() for _ in range(12)))
    assert (most, budget.in_flight) == (3, 0)


async def test_pacing_is_not_told(time: FakeClock) -> None:
    """Keeping the pace takes moments, and is no news."""
    gate, waits = make(time, concurrency=5)
    budget = Budget(60.0)
    moments = [await go(gate, budget) for _ in range(60)]
    # A tenth of a minute's requests is ahead of the pace, which is nine tenths of the rate.
    expected = [EPOCH + max(0.0, n / 0.9 - 6) for n in range(60)]
    assert moments == pytest.approx(expected, abs=1e-3)
    assert waits == []


async def test_nobody_needs_to_be_told(time: FakeClock) -> None:
    """`on_wait` may be None."""
    gate = Gate(1, time.clock, 900.0, None)
    budget = Budget()
    budget.pause(Limited("secondary", 5.0), EPOCH, EPOCH)
    assert await go(gate, budget) >= EPOCH + 5


@pytest.mark.parametrize("steps", range(8))
@pytest.mark.parametrize("held", ["limit", "slot", "answer", "pace"])
async def test_cancelled_waits_keep_no_slot(time: FakeClock, held: str, steps: int) -> None:
    """Whatever a task waits for, and however far it is: cancelled, it leaves its slot to others."""
    gate, _ = make(time, concurrency=1)
    budget, other = Budget(1.0 if held == "pace" else None), Budget()
    busy = held in {"slot", "answer"}
    if held == "limit":
        budget.pause(Limited("secondary", 60.0), EPOCH, EPOCH)
    elif held == "pace":
        await go(gate, budget)
    elif held == "answer":
        gate, _ = make(time, concurrency=2)
        budget.learn(left(1, 50), EPOCH)
    async with gate.slot(budget, URL) if busy else nullcontext():
        waiting = asyncio.ensure_future(go(gate, budget))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert (budget.in_flight, await go(gate, other) >= EPOCH) == (0, True)
