"""Download slots: bounded, and never held while the caller's code runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from async_tools import MakeClient

from ghjobs_async import GitHubJobs, JobLog, JobRef
from ghjobs_async.logs.slots import Slots
from ghjobs_async.testing import FakeGitHub, JobSpec

REPO = "octo-org/octo-repo"
LOG = b"".join(b"2026-10-01T12:00:00.%07dZ line %d\n" % (n, n) for n in range(9_000))


@pytest.fixture
def refs(github: FakeGitHub) -> list[JobRef]:
    run = github.add_run(REPO, jobs=[JobSpec(f"j{n}", log=LOG) for n in range(6)])
    return [job.ref for job in run.jobs]


async def whole(log: JobLog) -> bytes:
    return b"".join([chunk async for chunk in log.chunks()])


async def in_the_same_task(gh: GitHubJobs, refs: list[JobRef]) -> None:
    async with gh.open_log(refs[0]) as one, gh.open_log(refs[1]) as two:
        first, second = one.chunks(), two.chunks()
        mixed = [await anext(first), await anext(second), await anext(first)]
        rest = [chunk async for chunk in first]
        assert b"".join([mixed[0], mixed[2], *rest]) == LOG
        assert mixed[1] + b"".join([chunk async for chunk in second]) == LOG


async def in_a_search(gh: GitHubJobs, refs: list[JobRef]) -> None:
    async with gh.grep(refs, "line 8999$") as hits:
        async for hit in hits:
            async with gh.open_log(hit.job) as log:
                assert await whole(log) == LOG
    assert hits.searched == len(refs)


async def in_a_fan_out(gh: GitHubJobs, refs: list[JobRef]) -> None:
    async with gh.fan_out_logs(refs, whole) as outcomes:
        async for outcome in outcomes:
            async with gh.open_log(outcome.ref) as log:
                assert await whole(log) == LOG


async def in_a_handler(gh: GitHubJobs, refs: list[JobRef]) -> None:
    async def handle(log: JobLog) -> bool:
        async with gh.open_log(refs[0]) as other:
            return await whole(other) == await whole(log)

    async with gh.fan_out_logs(refs, handle) as outcomes:
        assert all([getattr(outcome, "value", False) async for outcome in outcomes])


async def in_tasks_of_a_handler(gh: GitHubJobs, refs: list[JobRef]) -> None:
    async def read(ref: JobRef) -> bytes:
        async with gh.open_log(ref) as log:
            return await whole(log)

    async def handle(_: JobLog) -> bool:
        logs = await asyncio.gather(*(read(ref) for ref in refs[:3]))
        return logs == [LOG] * 3

    async with gh.fan_out_logs(refs[:2], handle) as outcomes:
        assert all([getattr(outcome, "value", False) async for outcome in outcomes])


@pytest.mark.parametrize("concurrency", [1, 2, 32])
@pytest.mark.parametrize(
    "scene",
    [in_the_same_task, in_a_search, in_a_fan_out, in_a_handler, in_tasks_of_a_handler],
    ids=lambda scene: scene.__name__,
)
async def test_a_log_may_be_opened_anywhere(
    client: MakeClient, refs: list[JobRef], concurrency: int, scene: Any
) -> None:
    """However few slots there are, none is held by a log that waits for its reader."""
    async with asyncio.timeout(20):
        await scene(client(concurrency=concurrency), refs)


async def test_reading_is_bounded(
    client: MakeClient, github: FakeGitHub, refs: list[JobRef]
) -> None:
    """Many logs read at once by plain tasks: never more of them are open than there are slots."""
    gh = client(concurrency=2)
    open_now = most = 0

    async def read(ref: JobRef) -> bytes:
        nonlocal open_now, most
        async with gh.open_log(ref) as log:
            open_now += 1
            most = max(most, open_now)
            data = await whole(log)
            open_now -= 1
        return data

    assert await asyncio.gather(*(read(ref) for ref in refs)) == [LOG] * len(refs)
    assert most <= 2


async def test_slots_are_handed_on() -> None:
    """Those who wait come in their order: by what is given back, then by what is idle."""
    slots = Slots(1)
    one, two, three = slots.lease(), slots.lease(), slots.lease()
    order: list[str] = []

    async def use(name: str, lease: Any) -> None:
        async with lease:
            order.append(name)
            await asyncio.sleep(0)
        lease.release()

    async with one:
        waiting = [
            asyncio.ensure_future(use("two", two)),
            asyncio.ensure_future(use("three", three)),
        ]
        await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*waiting)
    assert order == ["two", "three"]
    async with one:
        order.append("one")
    assert order[-1] == "one"


async def test_a_slot_that_is_given_back_goes_to_who_waits() -> None:
    """At once, also by a log that is closed while it is read."""
    slots = Slots(1)
    one, two = slots.lease(), slots.lease()
    async with one:
        waiting = asyncio.ensure_future(two.__aenter__())
        await asyncio.sleep(0)
        one.release()
        async with asyncio.timeout(1):
            await waiting


async def test_a_wait_for_a_slot_can_be_cancelled() -> None:
    """The cancellation passes through: nothing is read without a slot."""
    slots = Slots(1)
    one, two = slots.lease(), slots.lease()
    async with one:
        waiting = asyncio.ensure_future(two.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_slot_that_was_taken_over_is_waited_for() -> None:
    """A log whose slot another one took while it was idle reads on when that one lets it."""
    slots = Slots(1)
    one, two = slots.lease(), slots.lease()
    async with one:
        pass
    async with two:
        again = asyncio.ensure_future(one.__aenter__())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not again.done()
    async with asyncio.timeout(1):
        await again


async def test_a_log_has_one_slot() -> None:
    """Read by two tasks at once it takes no second one, and leaves all others as they were."""
    slots = Slots(2)
    one, two, three = slots.lease(), slots.lease(), slots.lease()
    async with asyncio.timeout(1):
        async with one, one:
            pass
        one.release()
        async with two, three:
            pass


async def test_a_slot_is_given_back_once() -> None:
    """However often a log is closed, no more are read at once than there are slots."""
    slots = Slots(1)
    one, two, three = slots.lease(), slots.lease(), slots.lease()
    async with one:
        pass
    for _ in range(3):
        one.release()
    async with two:
        waiting = asyncio.ensure_future(three.__aenter__())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
    async with asyncio.timeout(1):
        await waiting


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_wait_keeps_no_slot(steps: int) -> None:
    """Cancelled at any point of its wait, a log leaves its slot to the next one."""
    slots = Slots(1)
    holder, waiter, last = slots.lease(), slots.lease(), slots.lease()

    async def use(lease: Any) -> None:
        async with lease:
            await asyncio.sleep(0)
        lease.release()

    async with holder:
        waiting = asyncio.ensure_future(use(waiter))
        for _ in range(min(steps, 2)):
            await asyncio.sleep(0)
    for _ in range(max(0, steps - 2)):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        await use(last)
