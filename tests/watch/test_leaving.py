"""A watch that is cancelled or left leaves nothing behind, and the deadline ends what stalls."""

from __future__ import annotations

import asyncio

import pytest
from async_tools import EPOCH, FakeClock, MakeClient

from ghjobs_async import Clock, GitHubJobs, Verdict
from ghjobs_async.testing import FakeGitHub, faults, scenario
from ghjobs_async.watch import looks

REPO = "octo-org/octo-repo"


@pytest.mark.parametrize("count", [1, 3])
async def test_cancelled_while_it_asks(github: FakeGitHub, gh: GitHubJobs, count: int) -> None:
    """Requests under way end, and their slots are free again."""
    refs = [github.add_run(f"{REPO}{n}").ref for n in range(count)]
    github.pause()

    async def watch() -> None:
        async with gh.watch(refs, interval=1) as events:
            await anext(events)

    task = asyncio.create_task(watch())
    await github.wait_asked(count)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    github.resume()
    assert (await gh.wait_for_run(refs[0])).verdict == Verdict.SUCCESS


async def test_cancelled_while_it_sleeps(github: FakeGitHub, client: MakeClient) -> None:
    """A cancelled sleep ends the wait, as any other cancellation does."""
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    gh = client(clock=Clock(now=github.clock, sleep=sleep))
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    task = asyncio.create_task(gh.wait_for_run(run.ref))
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_left_early(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Leaving the block after the first event asks for nothing more."""
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    async with gh.watch([run.ref]) as events:
        await anext(events)
    assert github.asked_count() == 2


async def test_the_deadline_ends_what_stalls(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that does not come is not waited for beyond the deadline."""
    monkeypatch.setattr(looks, "_LEAST", 0.01)
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    github.fail("run", faults.stall_headers(), times=None)
    waited = await gh.wait_for_run(run.ref, timeout=0.02)
    assert waited.verdict == Verdict.UNREACHABLE
    assert (waited.reason, waited.error) == ("there was no answer", None)
    assert time.time < EPOCH + 1


async def test_cancelled_anywhere(github: FakeGitHub, client: MakeClient) -> None:
    """Wherever a watch is cancelled, its tasks end, and slots and budget are free for the next."""
    github.budget.limit = 100
    gh = client(concurrency=2, retries=0)
    refs = [github.add_run(REPO, jobs=[scenario.in_progress()]).ref for _ in range(4)]
    done = github.add_run("octo-org/done").ref

    async def watch() -> None:
        async with gh.watch(refs, interval=1) as events:
            async for _ in events:
                pass

    for steps in range(0, 120, 4):
        task = asyncio.create_task(watch())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [one for one in asyncio.all_tasks() if "worker" in repr(one.get_coro())] == []
    assert gh.rate_limit is not None
    assert (await gh.wait_for_run(done, interval=1)).verdict == Verdict.SUCCESS
    assert (await gh.wait_for_run(done, budget_share=1.0)).verdict == Verdict.SUCCESS
