"""Saves logs until it is killed; run by `test_kill` as a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ghjobs_async import GitHubJobs


async def main(base_url: str, job_id: int, folder: Path) -> None:
    async with (
        GitHubJobs(None, base_url=base_url) as gh,
        gh.open_log("octo-org/octo-repo", job_id) as log,
    ):
        await log.save(folder / "log.txt")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
