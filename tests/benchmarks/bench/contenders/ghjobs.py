"""Use ghjobs_async as its README shows."""

from __future__ import annotations

from bench import data
from bench.work import CONCURRENCY, TOKEN, Setting, Tally
from ghjobs_async import Fetched, GitHubJobs, JobLog, JobRef, RunRef, parse_log

PACKAGES = ("ghjobs-async", "attrs", "cattrs", "isal", "msgspec")


def _client(setting: Setting) -> GitHubJobs:
    return GitHubJobs(TOKEN, base_url=setting.api, concurrency=CONCURRENCY)


def _job_refs(setting: Setting) -> list[JobRef]:
    return [JobRef(setting.repo, job_id) for job_id in setting.log_ids]


async def audit(setting: Setting) -> dict[str, int]:
    """List the typed jobs of all runs."""
    tally = Tally()
    refs = (RunRef(setting.repo, run_id) for run_id in setting.run_ids)
    async with _client(setting) as gh, gh.fan_out(refs) as outcomes:
        async for outcome in outcomes:
            match outcome:
                case Fetched(_, jobs):
                    assert jobs.complete
                    tally.add(jobs)
                case failed:
                    raise failed.error
    return tally.proof()


async def logs(setting: Setting) -> dict[str, int]:
    """Save the logs to disk."""

    async def save(log: JobLog) -> int:
        return await log.save(setting.file(log.ref.job_id))

    async with _client(setting) as gh, gh.fan_out_logs(_job_refs(setting), save) as outcomes:
        async for outcome in outcomes:
            if not isinstance(outcome, Fetched):
                raise outcome.error
    return {}


def lines(setting: Setting) -> dict[str, int]:
    """Iterate over the lines of a log."""
    count = 0
    for _ in parse_log(data.chunks()):
        count += 1
    return {"lines": count}


def lines_text(setting: Setting) -> dict[str, int]:
    """Iterate over the lines of a log and read the text of each."""
    count = 0
    for line in parse_log(data.chunks()):
        _ = line.text
        count += 1
    return {"lines": count}


async def grep(setting: Setting) -> dict[str, int]:
    """Search a log while it arrives."""
    count = 0
    async with _client(setting) as gh, gh.grep(_job_refs(setting), data.NEEDLE) as hits:
        async for _ in hits:
            count += 1
        assert not hits.failures
    return {"hits": count}
