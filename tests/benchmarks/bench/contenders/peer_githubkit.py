"""
Use githubkit, async: ``rest.paginate`` and ``rest.actions``.

https://yanyongyu.github.io/githubkit
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from bench.work import CONCURRENCY, TOKEN, Setting, Tally

PACKAGES = ("githubkit", "httpx", "pydantic", "hishel")


def _client(setting: Setting) -> Any:
    return import_module("githubkit").GitHub(TOKEN, base_url=setting.api)


async def audit(setting: Setting) -> dict[str, int]:
    """List many runs at once, each page by page."""
    tally, gate = Tally(), asyncio.Semaphore(CONCURRENCY)
    owner, repo = setting.repo.split("/")
    async with _client(setting) as gh:

        async def run(run_id: int) -> None:
            async with gate:
                found = gh.rest.paginate(
                    gh.rest.actions.async_list_jobs_for_workflow_run,
                    map_func=lambda response: response.parsed_data.jobs,
                    owner=owner,
                    repo=repo,
                    run_id=run_id,
                    per_page=100,
                )
                tally.add([job async for job in found])

        await asyncio.gather(*map(run, setting.run_ids))
    return tally.proof()


async def logs(setting: Setting) -> dict[str, int]:
    """Read whole logs into memory, then write them."""
    gate = asyncio.Semaphore(CONCURRENCY)
    owner, repo = setting.repo.split("/")
    async with _client(setting) as gh:
        download = gh.rest.actions.async_download_job_logs_for_workflow_run

        async def save(job_id: int) -> None:
            async with gate:
                response = await download(owner, repo, job_id)
                setting.file(job_id).write_bytes(response.content)

        await asyncio.gather(*map(save, setting.log_ids))
    return {}
