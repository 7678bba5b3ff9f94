"""Cancellation at every await of every public call: nothing is left, and it passes through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from async_tools import MakeClient, names_in

from ghjobs_async import GitHubJobs, JobLog, JobRef, RunRef
from ghjobs_async.testing import FakeGitHub, FakeRun, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"
LOG = b"".join(b"2026-10-01T12:00:00.0000000Z line %d\n" % n for n in range(9000))

Scene = Callable[[GitHubJobs, FakeRun, Path], Awaitable[object]]


async def get_job(gh: GitHubJobs, run: FakeRun, _: Path) -> object:
    return await gh.get_job(REPO, run.jobs[0].id)


async def list_jobs(gh: GitHubJobs, run: FakeRun, _: Path) -> object:
    return await gh.list_jobs(REPO, run.id)


async def get_log_url(gh: GitHubJobs, run: FakeRun, _: Path) -> object:
    return await gh.get_log_url(REPO, run.jobs[0].id)


async def save(gh: GitHubJobs, run: FakeRun, folder: Path) -> object:
    async with gh.open_log(REPO, run.jobs[0].id) as log:
        return await log.save(folder / "log.txt")


async def lines(gh: GitHubJobs, run: FakeRun, _: Path) -> object:
    async with gh.open_log(REPO, run.jobs[0].id) as log:
        return [line async for line in log]


async def fan_out(gh: GitHubJobs, run: FakeRun, _: Path) -> object:
    refs = [RunRef(REPO, run.id)] * 2
    async with gh.fan_out(refs) as outcomes:
        return [outcome async for outcome in outcomes]


async def fan_out_logs(gh: GitHubJobs, run: FakeRun, folder: Path) -> object:
    async def handle(log: JobLog) -> int:
        return await log.save(folder / f"{log.ref.job_id}.txt")

    refs = [JobRef(REPO, job.id) for job in run.jobs[:2]]
    async with gh.fan_out_logs(refs, handle) as outcomes:
        return [outcome async for outcome in outcomes]


async def iter_runs(gh: GitHubJobs, _: FakeRun, __: Path) -> object:
    return [run async for run in gh.iter_runs(REPO)]


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (get_job, list_jobs, get_log_url, save, lines, fan_out, fan_out_logs, iter_runs)
}
TROUBLE: dict[str, Callable[[FakeGitHub], object]] = {
    "well": lambda github: None,
    "retry": lambda github: github.fail("api", faults.status(503), times=1),
    "limit": lambda github: github.fail("api", faults.secondary_limit(60), times=1),
    "break": lambda github: github.fail("storage", faults.break_body(5000), times=1),
}
CASES = [
    *((name, "well") for name in SCENES),
    *(("get_job", trouble) for trouble in ("retry", "limit")),
    *(("list_jobs", trouble) for trouble in ("retry", "limit")),
    ("save", "break"),
    ("fan_out", "limit"),
]


def ours(task: asyncio.Task[Any]) -> bool:
    """Whether a task is the library's: the fake's own serve its connections."""
    return "RequestHandler" not in repr(task.get_coro())


async def left_behind() -> list[asyncio.Task[Any]]:
    for _ in range(10):
        await asyncio.sleep(0)
    return [t for t in asyncio.all_tasks() if ours(t) and t is not asyncio.current_task()]


@pytest.mark.parametrize(("name", "trouble"), CASES)
async def test_cancelled_at_every_step(
    github: FakeGitHub, client: MakeClient, tmp_path: Path, name: str, trouble: str
) -> None:
    """Wherever it is cancelled: CancelledError, no task, no connection, no slot, no file is left."""
    jobs = [JobSpec("a", log=LOG), JobSpec("b", log=LOG), *scenario.matrix(140)]
    run = github.add_run(REPO, jobs=jobs)
    cancelled = 0
    for steps in range(1, 2000):
        github.heal()
        TROUBLE[trouble](github)
        gh = client(concurrency=1)
        folder = tmp_path / str(steps)
        folder.mkdir()
        task = asyncio.ensure_future(SCENES[name](gh, run, folder))
        for _ in range(steps):
            await asyncio.sleep(0)
        done = task.done()
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert await left_behind() == []
        assert list(folder.glob("*.part")) == []
        for path in folder.iterdir():
            assert path.read_bytes() == LOG
        session = gh._requester.sessions._main
        assert session is None or not session.connector._acquired  # type: ignore[union-attr]
        if done:
            assert not isinstance(result, BaseException)
            break
        assert isinstance(result, asyncio.CancelledError)
        cancelled += 1
        github.heal()
        # With one slot of each kind: were one lost, this would wait for ever.
        if steps % 5 == 0:
            async with asyncio.timeout(5):
                await get_job(gh, run, folder)
                async with gh.open_log(REPO, run.jobs[0].id):
                    pass
        await gh.aclose()
    assert cancelled > 5


@pytest.mark.parametrize("name", ["list_jobs", "fan_out", "fan_out_logs", "save"])
async def test_a_timeout_passes_through(
    github: FakeGitHub, client: MakeClient, tmp_path: Path, name: str
) -> None:
    """`asyncio.timeout` around a call that hangs: TimeoutError, Python's own, and nothing is left.

    A peer turned the cancellation into an error of its own.
    """
    run = github.add_run(REPO, jobs=[JobSpec("a", log=LOG), JobSpec("b", log=LOG)])
    github.pause()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await SCENES[name](client(), run, tmp_path)
    github.resume()
    assert await left_behind() == []
    assert names_in(tmp_path) == []


async def test_a_cancelled_gather_leaves_the_others(github: FakeGitHub, client: MakeClient) -> None:
    """One of many tasks with one client is cancelled in the middle: the others never notice."""
    runs = [github.add_run(REPO, jobs=120) for _ in range(10)]
    gh = client(concurrency=3)
    tasks = [asyncio.ensure_future(gh.list_jobs(REPO, run.id)) for run in runs]
    await github.wait_asked(3)
    for task in tasks[::3]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for index, result in enumerate(results):
        if index % 3 == 0:
            assert isinstance(result, asyncio.CancelledError)
        else:
            assert not isinstance(result, BaseException)
            assert result.complete


async def test_closing_with_requests_under_way(github: FakeGitHub, client: MakeClient) -> None:
    """A client that is closed while a fan-out runs ends it with errors, not with a hang."""
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(5)]
    gh = client(retries=0)
    github.pause()
    async with asyncio.timeout(5), gh.fan_out(refs) as outcomes:
        await github.wait_asked(1)
        await gh.aclose()
        github.resume()
        async for outcome in outcomes:
            assert hasattr(outcome, "error")
    await gh.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await gh.list_jobs(refs[0])
