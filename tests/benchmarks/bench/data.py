"""Make the runs, jobs and logs that the server serves: realistic, and the same at each start."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final

REPO: Final = "octo-org/octo-repo"
#: The audit: 200 runs of 3 pages, 50,000 jobs with 600,000 steps.
AUDIT_RUNS: Final = range(29_670_000, 29_670_200)
AUDIT_PAGES: Final = (100, 100, 50)
#: One run of 30 pages.
LONG_RUN: Final = 29_680_000
LONG_PAGES: Final = (100,) * 30
#: Any number of runs of one page. Their pages repeat, and so do the ids of their jobs.
SHORT_RUNS: Final = 30_000_000
SHORT_PAGES: Final = (10,)
SHORT_KINDS: Final = 100

LOGS: Final = range(399_444_000, 399_444_500)
LOG_SIZE: Final = 200 * 1024
BIG_LOG: Final = 900_000_001
BLOCK_SIZE: Final = 1 << 20
BIG_BLOCKS: Final = 512
#: What the search looks for: `NEEDLES` lines of each block contain it.
NEEDLE: Final = "tj-actions/changed-files@v4"
NEEDLES: Final = 4
#: How many blocks the row "lines" parses.
LINES_BLOCKS: Final = 64

_FIRST_JOB: Final = 399_000_000_000
_BEGIN: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_STEPS: Final = (
    "Set up job",
    "Run actions/checkout@v5",
    "Run actions/setup-python@v6",
    "Restore the cache of dependencies",
    "Install dependencies",
    "Run ruff check --output-format=github",
    "Run mypy",
    "Run the tests of the unit",
    "Run the tests against the database",
    "Upload coverage reports",
    "Post Run actions/checkout@v5",
    "Complete job",
)
_SYSTEMS: Final = ("ubuntu-24.04", "windows-2025", "macos-15")
_WORDS: Final = (
    *("collected", "PASSED", "tests/test_client.py::test_pages", "downloading", "Requirement"),
    *("already", "satisfied:", "in", "/opt/hostedtoolcache/Python/3.13.1/x64/lib", "cached", "ok"),
)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _job(chance: random.Random, number: int, run_id: int, index: int) -> dict[str, Any]:
    api = f"https://api.github.com/repos/{REPO}"
    created = _BEGIN + timedelta(seconds=run_id % 100_000)
    started = moment = created + timedelta(seconds=chance.randrange(2, 60))
    steps = []
    for position, name in enumerate(_STEPS, start=1):
        begin, moment = moment, moment + timedelta(seconds=chance.randrange(30))
        steps.append(
            {
                "name": name,
                "status": "completed",
                "conclusion": "success",
                "number": position,
                "started_at": _iso(begin),
                "completed_at": _iso(moment),
            }
        )
    system = _SYSTEMS[index % len(_SYSTEMS)]
    runner = chance.randrange(1, 2000)
    return {
        "id": number,
        "run_id": run_id,
        "workflow_name": "CI",
        "head_branch": "main",
        "run_url": f"{api}/actions/runs/{run_id}",
        "run_attempt": 1,
        "node_id": base64.b64encode(b"012:WorkflowJob%d" % number).decode(),
        "head_sha": f"{chance.getrandbits(160):040x}",
        "url": f"{api}/actions/jobs/{number}",
        "html_url": f"https://github.com/{REPO}/actions/runs/{run_id}/job/{number}",
        "status": "completed",
        "conclusion": "success",
        "created_at": _iso(created),
        "started_at": _iso(started),
        "completed_at": _iso(moment),
        "name": f"test ({system}, shard {index})",
        "steps": steps,
        "check_run_url": f"{api}/check-runs/{number}",
        "labels": [system],
        "runner_id": runner,
        "runner_name": f"GitHub Actions {runner}",
        "runner_group_id": 2,
        "runner_group_name": "GitHub Actions",
    }


def first_job(run_id: int) -> int:
    """Return the id of a run's first job; the others follow."""
    return _FIRST_JOB + run_id * 10_000


def pages(run_id: int, sizes: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the bodies of a run's pages."""
    chance = random.Random(run_id)
    index = 0
    for size in sizes:
        jobs = [_job(chance, first_job(run_id) + n, run_id, n) for n in range(index, index + size)]
        index += size
        yield json.dumps({"total_count": sum(sizes), "jobs": jobs}, separators=(",", ":")).encode()


def proof(runs: list[int]) -> dict[str, int]:
    """Return what a client must find in these runs: jobs, the sum of their ids, steps."""
    jobs = id_sum = 0
    for run_id in runs:
        kind, sizes = kind_of(run_id)
        count = sum(sizes)
        jobs += count
        id_sum += count * first_job(kind) + count * (count - 1) // 2
    return {"jobs": jobs, "id_sum": id_sum, "steps": jobs * len(_STEPS)}


def kind_of(run_id: int) -> tuple[int, tuple[int, ...]]:
    """Return the run whose pages answer for a run, and how many jobs each page has."""
    if run_id == LONG_RUN:
        return run_id, LONG_PAGES
    if run_id in AUDIT_RUNS:
        return run_id, AUDIT_PAGES
    return SHORT_RUNS + run_id % SHORT_KINDS, SHORT_PAGES


@cache
def log_block() -> bytes:
    """
    Return a megabyte of log: whole lines of about 80 bytes.

    As in real logs, one line in 12 has colours, one in 30 a marker, one in 100 non-ASCII text.
    """
    chance = random.Random(1)
    moment = _BEGIN
    lines = []
    for number in range(BLOCK_SIZE // 60):
        moment += timedelta(microseconds=chance.randrange(10, 5000))
        text = " ".join(chance.choices(_WORDS, k=chance.randrange(1, 7)))
        if number % 12 == 5:
            text = f"\x1b[36;1m{text}\x1b[0m"
        elif number % 100 == 7:
            text = f"\u2713 {text}"
        elif number % 60 == 8:
            text = f"##[group]Run {text}"
        elif number % 60 == 9:
            text = "##[endgroup]"
        lines.append(f"{moment:%Y-%m-%dT%H:%M:%S.%f}7Z {text}".encode())
    for place in range(NEEDLES):
        at = (place + 1) * len(lines) // 8
        lines[at] = lines[at][:29] + f"Download action repository '{NEEDLE}5.0.1'".encode()
    whole = b"\n".join(lines)
    # Cut at the end of a line, and fill up to the exact size with one more line.
    whole = whole[: whole.rindex(b"\n", 0, BLOCK_SIZE - 100) + 1]
    return whole + lines[0][:29] + b"." * (BLOCK_SIZE - len(whole) - 30) + b"\n"


@cache
def small_log() -> bytes:
    """Return a log of 200 KB."""
    return log_block()[:LOG_SIZE]


def log_of(job_id: int) -> tuple[bytes, int]:
    """Return a job's log: a block, and how often it repeats."""
    return (log_block(), BIG_BLOCKS) if job_id == BIG_LOG else (small_log(), 1)


@lru_cache
def log_proof(job_id: int) -> tuple[int, int]:
    """Return size and checksum of a job's log."""
    block, times = log_of(job_id if job_id == BIG_LOG else 0)
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(block, crc)
    return len(block) * times, crc


def chunks() -> Iterator[bytes]:
    """Yield the log to parse, in chunks as they come from a socket."""
    block = log_block()
    for _ in range(LINES_BLOCKS):
        for at in range(0, len(block), 1 << 16):
            yield block[at : at + (1 << 16)]
