"""Use aiohttp and orjson directly, without types, retries or checks: the bare minimum."""

from __future__ import annotations

import asyncio
from importlib import import_module

import aiohttp

from bench import data
from bench.work import CONCURRENCY, TOKEN, Setting, Tally

PACKAGES = ("aiohttp", "orjson")


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {TOKEN}",
            "X-GitHub-Api-Version": "2026-03-10",
        },
        connector=aiohttp.TCPConnector(limit=CONCURRENCY),
    )


async def audit(setting: Setting) -> dict[str, int]:
    """Get page 1 of each run for the total, then the other pages at once."""
    loads = import_module("orjson").loads
    tally, gate = Tally(), asyncio.Semaphore(CONCURRENCY)

    async def page(http: aiohttp.ClientSession, url: str, number: int) -> int:
        async with gate, http.get(f"{url}?per_page=100&page={number}") as response:
            response.raise_for_status()
            body = await response.read()
        found = loads(body)
        tally.add_dicts(found["jobs"])
        return int(found["total_count"])

    async def run(http: aiohttp.ClientSession, run_id: int) -> None:
        url = setting.api + setting.jobs_path(run_id)
        last = -(-await page(http, url, 1) // 100)
        await asyncio.gather(*(page(http, url, number) for number in range(2, last + 1)))

    async with _session() as http:
        await asyncio.gather(*(run(http, run_id) for run_id in setting.run_ids))
    return tally.proof()


async def logs(setting: Setting) -> dict[str, int]:
    """Follow the redirect, and write the logs to disk in chunks."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def save(http: aiohttp.ClientSession, job_id: int) -> None:
        async with gate, http.get(setting.api + setting.log_path(job_id)) as response:
            response.raise_for_status()
            with setting.file(job_id).open("wb", buffering=0) as file:
                async for chunk in response.content.iter_chunked(2**16):
                    file.write(chunk)

    async with _session() as http:
        await asyncio.gather(*(save(http, job_id) for job_id in setting.log_ids))
    return {}


def lines(setting: Setting) -> dict[str, int]:
    """Split the log into lines and decode each."""
    count = 0
    rest = b""
    for chunk in data.chunks():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            line.decode("utf-8", "replace")
            count += 1
    return {"lines": count}
