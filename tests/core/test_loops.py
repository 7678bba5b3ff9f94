"""Clients in programs of every kind: several loops, threads, no loop of one's own; nothing global changes."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest

from ghjobs_async import Fetched, GitHubJobs, RunRef
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"


def refs_of(fake: FakeGitHub) -> list[RunRef]:
    return [fake.add_run(REPO, jobs=120).ref for _ in range(12)]


async def count_jobs(base_url: str, refs: list[RunRef]) -> int:
    async with GitHubJobs(None, base_url=base_url, concurrency=4) as gh, gh.fan_out(refs) as found:
        return sum([len(one.value) async for one in found if isinstance(one, Fetched)])


def global_state() -> list[object]:
    """What belongs to the whole process, and to no library."""
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    backend = aiohttp.compression_utils.ZLibBackend._zlib_backend
    return [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), handlers, backend, zlib,
            sys.getswitchinterval(), sys.getrecursionlimit(), threading.active_count()]  # fmt: skip


@pytest.mark.parametrize("collecting", [True, False])
def test_nothing_global_changes(collecting: bool) -> None:
    """The collector, whether on or off, signals, the zlib backend: all as before, in the middle too."""
    with FakeGitHub() as fake:
        refs = refs_of(fake)

        async def look() -> list[list[object]]:
            seen = [global_state()]
            async with GitHubJobs(None, base_url=fake.base_url) as gh:
                async with gh.fan_out(refs) as outcomes:
                    seen += [global_state() async for _ in outcomes]
                seen.append(global_state())
            return seen

        (gc.enable if collecting else gc.disable)()
        try:
            states = asyncio.run(look())
        finally:
            gc.enable()
    assert states[0][0] is collecting
    assert all(state == states[0] for state in states)


def test_a_facade_without_a_loop_of_its_own() -> None:
    """Code that is not async runs the loop for each call, with one client for all of them."""
    with FakeGitHub() as fake, asyncio.Runner() as runner:
        refs = refs_of(fake)
        gh = GitHubJobs(None, base_url=fake.base_url)
        found = [runner.run(gh.list_jobs(ref)) for ref in refs]
        assert [len(jobs) for jobs in found] == [120] * 12
        search = gh.iter_runs(REPO)
        runs = []
        while (run := runner.run(anext(search, None))) is not None:
            runs.append(run)
        assert len(runs) == 12
        runner.run(gh.aclose())


def test_loops_in_threads() -> None:
    """Each thread has its loop and its client; they do not disturb each other."""
    with FakeGitHub() as fake, ThreadPoolExecutor(4) as threads:
        refs = refs_of(fake)
        counts = threads.map(lambda _: asyncio.run(count_jobs(fake.base_url, refs)), range(8))
        assert list(counts) == [12 * 120] * 8


def test_one_loop_after_the_other() -> None:
    """What the first loop left open does not hold the second one up."""
    with FakeGitHub() as fake:
        refs = refs_of(fake)
        for _ in range(3):
            assert asyncio.run(count_jobs(fake.base_url, refs)) == 12 * 120
