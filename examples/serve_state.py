"""Serve the state of runs as JSON: one watch updates it, and requests only read it."""

import asyncio

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from ghjobs_async import GitHubJobs, JobEvent, RunEvent, RunRef
from ghjobs_async.testing import FakeGitHub, scenario

RUNS: dict[int, dict[str, object]] = {}
JOBS: dict[int, dict[str, str]] = {}


async def keep_up(gh: GitHubJobs, refs: list[RunRef]) -> None:
    async with gh.watch(refs, interval=0.2) as events:
        async for event in events:
            match event:
                case RunEvent(ref, run, _, verdict):
                    RUNS[ref.run_id] = {"state": run and run.state, "verdict": verdict}
                case JobEvent(ref, job):
                    JOBS.setdefault(ref.run_id, {})[f"{job.name} ({job.id})"] = job.state


async def show(_: web.Request) -> web.Response:
    return web.json_response({n: {**run, "jobs": JOBS.get(n, {})} for n, run in RUNS.items()})


async def main() -> None:
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        run = fake.play(fake.add_run("octo-org/octo-repo", jobs=scenario.matrix(2)), speed=600)
        app = web.Application()
        app.router.add_get("/runs", show)
        async with TestServer(app) as server, ClientSession() as http:
            await keep_up(gh, [run.ref])
            print(await (await http.get(server.make_url("/runs"))).text())


if __name__ == "__main__":
    asyncio.run(main())
