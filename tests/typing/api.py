"""What a user writes, as a type checker sees it: checked, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never, assert_type

import aiohttp

from ghjobs_async import (
    AppAuth,
    Failed,
    Fetched,
    GitHubJobs,
    Job,
    JobEvent,
    JobList,
    JobLog,
    JobRef,
    LogLine,
    LogLink,
    RateLimit,
    Run,
    RunEvent,
    RunRef,
    Stats,
    Step,
    StepEvent,
    TokenAuth,
    Verdict,
    Wait,
)

REPO = "octo-org/octo-repo"


async def operations(gh: GitHubJobs, run: RunRef) -> None:
    job = await gh.get_job(REPO, 1)
    assert_type(job, Job)
    assert_type(job.duration, timedelta | None)
    assert_type(await gh.get_run(run), Run)
    assert_type(await gh.get_log_url(REPO, 1), LogLink)
    jobs = await gh.list_jobs(run, filter="all")
    assert_type(jobs, JobList)
    assert_type(jobs[0], Job)
    assert_type(jobs[1:], list[Job])
    assert_type(job.ref, JobRef)
    assert_type(await gh.get_job(job), Job)
    assert_type(await gh.list_jobs(await gh.get_run(REPO, "1")), JobList)
    assert_type([found async for found in gh.iter_runs(REPO, status="failure")], list[Run])


def counts(gh: GitHubJobs) -> None:
    assert_type(gh.stats, Stats)
    assert_type(gh.stats.requests, Mapping[int, int])
    assert_type(gh.stats.not_modified, int)
    assert_type(gh.stats.seconds_waited, float)
    assert_type(gh.stats.quota, Mapping[str, RateLimit])


async def fan_outs(gh: GitHubJobs, runs: list[RunRef], jobs: list[JobRef]) -> None:
    async with gh.fan_out(runs) as outcomes:
        async for outcome in outcomes:
            match outcome:
                case Fetched(ref, value):
                    assert_type(ref, RunRef)
                    assert_type(value, JobList)
                case Failed(ref, error):
                    assert_type(error, Exception)
                case _:
                    assert_never(outcome)

    async def count(log: JobLog) -> int:
        return len([line async for line in log])

    async with gh.fan_out_logs(jobs, count) as logs:
        async for each in logs:
            assert_type(each, Fetched[JobRef, int] | Failed[JobRef])


async def logs(gh: GitHubJobs) -> None:
    async with gh.open_log(JobRef(REPO, 1)) as log:
        assert_type(await log.save("log.txt"), int)
        assert_type(await log.tail(5), list[LogLine])
        async for line in log:
            assert_type(line, LogLine)
        async for chunk in log.chunks():
            assert_type(chunk, bytes)


async def watch(gh: GitHubJobs) -> None:
    waited = await gh.wait_for_run(RunRef(REPO, 1), timeout=3600, follow="run", budget_share=0.5)
    assert_type(waited.verdict, Verdict)
    assert_type((await gh.wait_for_job(REPO, 1, interval=5)).job, Job | None)
    async with gh.watch([RunRef(REPO, 1)]) as events:
        async for event in events:
            match event:
                case JobEvent(ref, job, previous):
                    assert_type(ref, RunRef)
                    assert_type(job, Job)
                    assert_type(previous, Job | None)
                case StepEvent(_, _, step, before):
                    assert_type(step, Step)
                    assert_type(before, Step | None)
                case RunEvent(_, run, _, verdict):
                    assert_type(run, Run | None)
                    assert_type(verdict, Verdict | None)
                case _:
                    assert_never(event)


async def token() -> str:
    return "ghp_1"


def told(wait: Wait) -> None:
    print(wait)


def construction(owners: dict[str, AppAuth]) -> None:
    GitHubJobs()
    GitHubJobs(None)
    GitHubJobs("ghp_1", base_url="ghe.example.com", api_version=None, on_wait=told)
    GitHubJobs(TokenAuth(token))
    GitHubJobs(owners.__getitem__)
    GitHubJobs(conditional=True, trace_configs=[aiohttp.TraceConfig()])
    GitHubJobs(conditional=2**20)
    GitHubJobs(conditional=1.5)  # type: ignore[arg-type]
    GitHubJobs(trace_configs=aiohttp.TraceConfig())  # type: ignore[arg-type]
    GitHubJobs(concurrency="8")  # type: ignore[arg-type]
    GitHubJobs(7)  # type: ignore[arg-type]
