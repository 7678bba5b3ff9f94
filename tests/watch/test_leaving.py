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
    assert "no answer" in waited.reason
    assert time.time < EPOCH + 1
