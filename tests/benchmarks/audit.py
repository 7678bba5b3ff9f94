"""
Measure an audit's memory by its number of runs, its second time, and what storing costs.

``python tests/benchmarks/audit.py [--sizes 1000,20000,100000]``

The GitHub is a process of its own, and so is each audit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ghjobs_async import GitHubJobs
from ghjobs_async.audit import Audit, AuditPlan, Logs
from ghjobs_async.testing import FakeGitHub, JobSpec

REPO: Final = "octo-org/octo-repo"
#: How much more memory the largest audit may have than the smallest, in MB.
MAX_GROWTH: Final = 20.0
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def fill(github: FakeGitHub, runs: int, jobs: int, steps: int) -> None:
    """Runs of a month, all alike."""
    now = datetime.now(UTC)
    specs = [JobSpec(f"test ({number})", steps=steps) for number in range(jobs)]
    for number in range(runs):
        age = timedelta(days=29) * number / runs
        github.add_run(REPO, jobs=specs, created_at=now - age)


@contextmanager
def serving(runs: int, jobs: int, steps: int) -> Iterator[str]:
    """Serve a GitHub in a fork; give its address."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        with FakeGitHub(rate_limit=None, record=False) as github:
            fill(github, runs, jobs, steps)
            os.write(writer, github.base_url.encode())
            signal.pause()
    try:
        yield os.read(reader, 200).decode()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def in_fork(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run *work* in a fork, and return what it returns."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.write(writer, json.dumps(work()).encode())
        os._exit(0)
    os.close(writer)
    found: dict[str, Any] = json.loads(os.read(reader, 10_000))
    os.waitpid(child, 0)
    return found


def present() -> float:
    """Return the memory that is present, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


def cpu() -> float:
    """Return the seconds of CPU that this process has taken."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def audit(base_url: str, folder: str) -> dict[str, Any]:
    """Audit; return what it took, and the memory that was present while it ran and at its end."""
    samples: list[float] = []

    async def watch() -> None:
        while True:
            samples.append(present())
            await asyncio.sleep(0.1)

    async with GitHubJobs("ghp_token", base_url=base_url) as gh:
        one = Audit(gh, AuditPlan(repos=(REPO,), logs=Logs.NONE), folder)
        watcher = asyncio.ensure_future(watch())
        began, used = time.perf_counter(), cpu()
        await one.run()
        watcher.cancel()
        return {
            "requests": one.requests,
            "not_modified": one.not_modified,
            "seconds": round(time.perf_counter() - began, 2),
            "cpu": round(cpu() - used, 2),
            "median_mb": round(sorted(samples)[len(samples) // 2], 1),
            "end_mb": round(present(), 1),
            "file_mb": round((Path(folder) / "audit.duckdb").stat().st_size / 1e6, 1),
        }


async def fetch(base_url: str) -> dict[str, Any]:
    """Fetch and decode the same jobs, and no more."""
    async with GitHubJobs("ghp_token", base_url=base_url) as gh:
        refs = [run.ref async for run in gh.iter_runs(REPO, exclude_pull_requests=True)]
        began, used = time.perf_counter(), cpu()
        async with gh.fan_out(refs, filter="all") as outcomes:
            async for _ in outcomes:
                pass
        return {
            "seconds": round(time.perf_counter() - began, 2),
            "cpu": round(cpu() - used, 2),
        }


def main() -> int:
    """Measure, print a line of JSON for each, and return whether the memory grows too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,20000,100000")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    ends: list[float] = []
    for size in sizes:
        with serving(size, 3, 1) as base_url, tempfile.TemporaryDirectory() as folder:
            found = in_fork(lambda: asyncio.run(audit(base_url, folder)))
            again = in_fork(lambda: asyncio.run(audit(base_url, folder)))
            print(json.dumps({"runs": size, "first": found, "second": again}), flush=True)
            ends.append(found["end_mb"])
    with serving(500, 100, 8) as base_url, tempfile.TemporaryDirectory() as folder:
        alone = in_fork(lambda: asyncio.run(fetch(base_url)))
        stored = in_fork(lambda: asyncio.run(audit(base_url, folder)))
        print(json.dumps({"jobs": 50_000, "steps": 600_000, "fetched": alone, "stored": stored}))
    return max(ends) - ends[0] > MAX_GROWTH


if __name__ == "__main__":
    raise SystemExit(main())
