"""
Use aiogithubapi: ``generic``, because jobs and logs have no method of their own.

https://github.com/ludeeus/aiogithubapi
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from bench.work import CONCURRENCY, TOKEN, Setting, Tally

PACKAGES = ("aiogithubapi", "aiohttp")


def _client(setting: Setting) -> Any:
    return import_module("aiogithubapi").GitHubAPI(token=TOKEN, base_url=setting.api)


async def audit(setting: Setting) -> dict[str, int]:
    """List many runs at once, each page by page."""
    tally, gate = Tally(), asyncio.Semaphore(CONCURRENCY)
    async with _client(setting) as gh:

        async def run(run_id: int) -> None:
            page: int | None = 1
            async with gate:
                while page is not None:
                    query = {"per_page": 100, "page": page}
                    response = await gh.generic(setting.jobs_path(run_id), params=query)
                    tally.add_dicts(response.data["jobs"])
                    page = response.next_page_number

        await asyncio.gather(*map(run, setting.run_ids))
    return tally.proof()


async def logs(setting: Setting) -> dict[str, int]:
    """Read whole logs as text, then write them."""
    gate = asyncio.Semaphore(CONCURRENCY)
    async with _client(setting) as gh:

        async def save(job_id: int) -> None:
            async with gate:
                response = await gh.generic(setting.log_path(job_id))
                setting.file(job_id).write_bytes(response.data.encode())

        await asyncio.gather(*map(save, setting.log_ids))
    return {}
