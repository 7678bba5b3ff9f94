"""
Use gidgethub over aiohttp: ``getiter``.

https://gidgethub.readthedocs.io
"""

from __future__ import annotations

import asyncio
from importlib import import_module

import aiohttp

from bench.work import CONCURRENCY, TOKEN, Setting, Tally

PACKAGES = ("gidgethub", "aiohttp")


async def audit(setting: Setting) -> dict[str, int]:
    """List many runs at once, each page by page."""
    github = import_module("gidgethub.aiohttp")
    tally, gate = Tally(), asyncio.Semaphore(CONCURRENCY)
    async with aiohttp.ClientSession() as session:
        gh = github.GitHubAPI(session, "benchmark", oauth_token=TOKEN, base_url=setting.api)

        async def run(run_id: int) -> None:
            url = f"{setting.jobs_path(run_id)}?per_page=100"
            async with gate:
                tally.add_dicts([job async for job in gh.getiter(url, iterable_key="jobs")])

        await asyncio.gather(*map(run, setting.run_ids))
    return tally.proof()
