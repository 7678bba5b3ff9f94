"""
Use ghapi, async: page 1 gives the total, then the other pages at once.

https://fastai.github.io/ghapi
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from bench.work import CONCURRENCY, TOKEN, Setting, Tally

PACKAGES = ("ghapi", "fastcore")


def _client(setting: Setting) -> Any:
    owner, repo = setting.repo.split("/")
    ghapi = import_module("ghapi.all")
    return ghapi.GhApi(owner=owner, repo=repo, token=TOKEN, gh_host=setting.api)


async def audit(setting: Setting) -> dict[str, int]:
    """List all pages of all runs at once."""
    api, tally = _client(setting), Tally()
    gate = asyncio.Semaphore(CONCURRENCY)
    listing = api.actions.list_jobs_for_workflow_run

    async def page(run_id: int, number: int) -> int:
        async with gate:
            found = await listing(run_id=run_id, per_page=100, page=number)
        tally.add(found.jobs)
        return -(-int(found.total_count) // 100)

    async def run(run_id: int) -> None:
        last = await page(run_id, 1)
        await asyncio.gather(*(page(run_id, number) for number in range(2, last + 1)))

    await asyncio.gather(*map(run, setting.run_ids))
    return tally.proof()


async def logs(setting: Setting) -> dict[str, int]:
    """Read whole logs into memory, then write them."""
    api, gate = _client(setting), asyncio.Semaphore(CONCURRENCY)

    async def save(job_id: int) -> None:
        async with gate:
            found = await api.actions.download_job_logs_for_workflow_run(job_id=job_id)
        content = found.encode() if isinstance(found, str) else found
        setting.file(job_id).write_bytes(content)

    await asyncio.gather(*map(save, setting.log_ids))
    return {}
