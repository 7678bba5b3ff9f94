"""Bounded concurrency over any ``async key -> value``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest
from async_tools import settled, take_all

from ghjobs_async import Failed, FanOut, Fetched
from ghjobs_async.fanout import gather


class Work:
    """Doubles its keys; counts what it does, and can be held back."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.active = 0
        self.most = 0
        self.ended = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, key: int) -> int:
        self.started.append(key)
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            await self.go.wait()
            await asyncio.sleep(0)
            if key < 0:
                raise ValueError(key)
            return key * 2
        finally:
            self.active -= 1
            self.ended += 1


class Source:
    """Keys that know how many of them were read, and whether they were closed."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count = count
        self.error = error
        self.read = 0
        self.closed = False

    def sync(self) -> Iterator[int]:
        try:
            for key in range(self.count):
                self.read += 1
                yield key
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            for key in range(self.count):
                self.read += 1
                await asyncio.sleep(0)
                yield key
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(0)
            self.closed = True


@pytest.fixture
def work() -> Work:
    return Work()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("concurrency", [1, 3, 50])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_each_key_has_one_outcome(
    work: Work, concurrency: int, *, asynchronous: bool
) -> None:
    """Nothing is lost and nothing comes twice, from sync and async keys alike."""
    source = Source(30)
    keys = source() if asynchronous else source.sync()
    async with FanOut(keys, work, concurrency=concurrency) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert sorted(o.ref for o in found) == list(range(30))
    assert all(isinstance(o, Fetched) and o.value == o.ref * 2 for o in found)
    assert work.most <= concurrency
    assert source.closed


async def test_no_keys_no_outcomes(work: Work) -> None:
    """An empty source ends at once."""
    none: list[int] = []
    async with FanOut(none, work, concurrency=3) as outcomes:
        assert [outcome async for outcome in outcomes] == []


async def test_outcomes_come_as_they_finish() -> None:
    """A slow key does not hold the quick ones back."""
    gates = {key: asyncio.Event() for key in range(3)}

    async def wait(key: int) -> int:
        await gates[key].wait()
        return key

    async with FanOut(range(3), wait, concurrency=3) as outcomes:
        order = []
        for key in (2, 0, 1):
            gates[key].set()
            order.append((await anext(outcomes)).ref)
    assert order == [2, 0, 1]


async def test_keys_are_read_lazily(work: Work) -> None:
    """No key is read before there is a worker for it."""
    source = Source(1000)
    work.go.clear()
    async with FanOut(source(), work, concurrency=4):
        await turns()
        assert source.read <= 4
    assert source.closed


@pytest.mark.parametrize("taken", [0, 1, 7])
async def test_a_slow_consumer_slows_the_reading(work: Work, taken: int) -> None:
    """At work and waiting to be taken: together never more than there are workers."""
    async with FanOut(Source(1000).sync(), work, concurrency=4) as outcomes:
        for _ in range(taken):
            await anext(outcomes)
        await turns(100)
        assert len(work.started) <= taken + 4
        assert work.ended - taken <= 4


async def test_one_bad_key_never_costs_the_others(work: Work) -> None:
    """An error of the work is an outcome; what was finished stays delivered."""
    async with FanOut([1, -2, 3], work, concurrency=2) as outcomes:
        found = {outcome.ref: outcome async for outcome in outcomes}
    failed = found.pop(-2)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ValueError)
    assert [o.value for o in found.values() if isinstance(o, Fetched)] == [2, 6]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_an_error_of_the_keys_comes_after_their_outcomes(
    work: Work, *, asynchronous: bool
) -> None:
    """Keys read before the source broke have their outcomes; then its error is raised as it is."""
    broken = KeyError("source")
    source = Source(5, broken)
    found = []
    async with FanOut(source() if asynchronous else source.sync(), work, concurrency=2) as outcomes:
        with pytest.raises(KeyError) as caught:  # noqa: PT012
            while True:
                found.append((await anext(outcomes)).ref)
        with pytest.raises(StopAsyncIteration):
            await anext(outcomes)
    assert caught.value is broken
    assert sorted(found) == [0, 1, 2, 3, 4]


async def test_no_key_is_read_behind_an_error_of_the_keys(work: Work) -> None:
    """A source that could go on after its error is left alone, however many workers there are."""

    class Keys:
        asked = 0

        def __aiter__(self) -> Keys:
            return self

        async def __anext__(self) -> int:
            self.asked += 1
            if self.asked == 3:
                raise KeyError("source")
            return self.asked

    keys = Keys()
    async with FanOut(keys, work, concurrency=4) as outcomes:
        with pytest.raises(KeyError):
            _ = [outcome async for outcome in outcomes]
    assert keys.asked == 3


async def test_a_failure_may_be_its_own_cause() -> None:
    """However the caller's errors are chained, each is an outcome."""
    one, two = ValueError(1), ValueError(2)
    one.__cause__, two.__cause__ = two, one

    async def fail(_: int) -> None:
        raise one

    async with FanOut([1], fail, concurrency=1) as outcomes:
        assert [outcome.error async for outcome in outcomes if isinstance(outcome, Failed)] == [one]


async def test_leaving_early_ends_everything(work: Work) -> None:
    """After a break there is no task at work, and the source is closed."""
    source = Source(1000)
    async with FanOut(source(), work, concurrency=4) as outcomes:
        async for _ in outcomes:
            work.go.clear()
            break
    assert (work.active, source.closed) == (0, True)
    assert await settled() == set()
    read = source.read
    await turns()
    assert source.read == read


async def test_an_error_in_the_body_comes_out_unwrapped(work: Work) -> None:
    """No exception group: what the body raised is what the caller sees."""
    mistake = LookupError("mine")
    source = Source(1000)
    with pytest.raises(LookupError) as caught:  # noqa: PT012
        async with FanOut(source(), work, concurrency=4) as outcomes:
            async for _ in outcomes:
                raise mistake
    assert caught.value is mistake
    assert (work.active, source.closed) == (0, True)


async def test_a_cancel_from_outside_passes_through(work: Work) -> None:
    """CancelledError stays what it is, and every worker has ended by then."""
    work.go.clear()
    source = Source(1000)

    async def use() -> None:
        async with FanOut(source(), work, concurrency=4) as outcomes:
            async for _ in outcomes:
                pass

    task = asyncio.ensure_future(use())
    await turns()
    assert work.active == 4
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (work.active, source.closed) == (0, True)


async def test_a_timeout_ends_everything(work: Work) -> None:
    """`asyncio.timeout` around the block raises TimeoutError and leaves no worker."""
    work.go.clear()
    with pytest.raises(TimeoutError):  # noqa: PT012
        async with asyncio.timeout(0.01), FanOut(range(9), work, concurrency=4) as outcomes:
            async for _ in outcomes:
                pass
    assert work.active == 0


async def test_a_cancel_while_leaving_still_waits_for_the_workers() -> None:
    """Cancelled again and again while it cleans up, the block leaves only when all have ended."""
    ended = 0
    release = asyncio.Event()

    async def stubborn(_: int) -> None:
        nonlocal ended
        try:
            await asyncio.sleep(3600)
        finally:
            await release.wait()
            ended += 1

    async def use() -> None:
        async with FanOut(range(3), stubborn, concurrency=3):
            await asyncio.sleep(0)

    task = asyncio.ensure_future(use())
    await turns()
    for _ in range(3):
        task.cancel()
        await turns(5)
        assert not task.done()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == 3


async def test_work_that_cleans_up_slowly_is_waited_for() -> None:
    """Leaving waits until the last worker has cleaned up."""
    cleaned = False

    async def slow(_: int) -> None:
        nonlocal cleaned
        try:
            await asyncio.sleep(3600)
        finally:
            await turns(10)
            cleaned = True

    async with FanOut([1], slow, concurrency=1):
        await turns(3)
    assert cleaned


async def test_a_finished_block_gives_nothing_more(work: Work) -> None:
    """After leaving, iterating is an error, and no empty answer."""
    async with FanOut(range(9), work, concurrency=2) as outcomes:
        await anext(outcomes)
    with pytest.raises(RuntimeError, match="async with"):
        await anext(outcomes)


async def test_a_fan_out_that_was_not_entered_is_an_error(work: Work) -> None:
    """Forgetting the block, or entering it twice, is told: it is no fan-out over nothing."""
    fan = FanOut(range(9), work, concurrency=2)
    with pytest.raises(RuntimeError, match="async with"):
        await anext(fan)
    async with fan:
        pass
    with pytest.raises(RuntimeError, match="once"):
        await fan.__aenter__()


@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit])
async def test_no_key_is_lost_where_work_is_cancelled_from_within(
    error: type[BaseException],
) -> None:
    """Work that ends by more than an error raises it to whoever iterates, also at the last key."""

    async def work(key: int) -> int:
        if key == 4:
            raise error
        return key

    with pytest.raises(error):
        async with FanOut(range(5), work, concurrency=8) as outcomes:
            _ = [outcome async for outcome in outcomes]


async def test_work_cancelled_from_within_is_no_result() -> None:
    """Gathering never gives fewer results than keys."""

    async def work(key: int) -> int:
        if key == 4:
            raise asyncio.CancelledError
        return key

    with pytest.raises(asyncio.CancelledError):
        await gather(range(5), work, concurrency=2)


async def test_two_consumers_share_the_outcomes(work: Work) -> None:
    """Two tasks may take outcomes: each one goes to one of them."""
    found: list[int] = []

    async def take(outcomes: FanOut[int, int]) -> None:
        found.extend([outcome.ref async for outcome in outcomes])

    async with FanOut(range(40), work, concurrency=3) as outcomes:
        await asyncio.wait_for(asyncio.gather(take(outcomes), take(outcomes)), 5)
    assert sorted(found) == list(range(40))


async def test_any_async_iterable_will_do(work: Work) -> None:
    """Keys need not be a generator."""

    class Keys:
        def __aiter__(self) -> AsyncIterator[int]:
            return Source(3)()

    async with FanOut(Keys(), work, concurrency=2) as outcomes:
        assert len([outcome async for outcome in outcomes]) == 3


# gather


async def test_gather_keeps_the_order(work: Work) -> None:
    """Results stand in the order of the keys, whatever the order of finishing."""
    assert await gather(iter([3, 1, 2]), work, concurrency=2) == [6, 2, 4]


async def test_gather_raises_the_first_error(work: Work) -> None:
    """One failure ends the others, and comes out as it is."""
    with pytest.raises(ValueError, match="-1"):
        await gather([1, -1, *range(100)], work, concurrency=2)
    assert work.active == 0
    assert len(work.started) < 100


async def test_a_fan_out_counts(work: Work) -> None:
    """What was started, done and failed, of how many: while it runs, and in its repr."""
    async with FanOut([1, -2, 3], work, concurrency=1) as outcomes:
        assert (outcomes.total, outcomes.done) == (3, 0)
        await take_all(outcomes)
        assert (outcomes.started, outcomes.done, outcomes.failed, outcomes.total) == (3, 3, 1, 3)
        assert repr(outcomes) == "<FanOut: 3 of 3 done, 1 failed>"
    async with FanOut(iter([1, 2]), work, concurrency=1) as outcomes:
        assert outcomes.total is None
        await take_all(outcomes)
        assert outcomes.total == 2
