"""
Audit many runs of a fake GitHub that answers one request in twenty with a fault.

``python tests/benchmarks/soak.py [--runs 20000] [--speed 400]`` lists every run, its jobs over all
attempts, and the logs of some. It exits with 1 if anything is lost, doubled, wrong or left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs
from bench.child import begin_peak, peak
from bench.world import RATE, REPO, Clock, Record, Truth, final, serve

from ghjobs_async import Clock as ClientClock
from ghjobs_async import Failed, Fetched, GitHubJobs, JobLog, JobRef, LogTruncatedError, RunRef

#: The highest allowed growth of the client's memory, in MB.
MAX_MEMORY: Final = 40.0
# Timeouts end the stalls. They are aiohttp's, which has no clock to speed up: keep them short.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10, sock_connect=5, sock_read=2)
_SHOWN: Final = 20
# Every log is smaller than this. Of a larger one, this much is kept for the report.
_MAX_LOG: Final = 1 << 20
#: After these a log cannot be continued: reading it as a stream ends with `LogTruncatedError`.
_BROKEN: Final = frozenset({"change_blob", "lying_length", "html for a log"})


@attrs.define
class Seen:
    """Collects what the client returned, and what was wrong with it."""

    truth: Truth
    runs: Counter[int] = attrs.field(factory=Counter)
    listed: Counter[int] = attrs.field(factory=Counter)
    logs: Counter[int] = attrs.field(factory=Counter)
    changed: set[int] = attrs.field(factory=set)
    incomplete: dict[int, str] = attrs.field(factory=dict)
    failed: dict[str, Exception] = attrs.field(factory=dict)
    wrong: list[str] = attrs.field(factory=list)
    waits: Counter[str] = attrs.field(factory=Counter)

    def take_list(self, outcome: Fetched[RunRef, Any] | Failed[RunRef]) -> None:
        """Compare a run's jobs with the truth."""
        run_id = outcome.ref.run_id
        self.listed[run_id] += 1
        if isinstance(outcome, Failed):
            self.failed[f"runs/{run_id}"] = outcome.error
            return
        jobs = outcome.value
        first, count = self.truth.runs[run_id]
        ids = [job.id for job in jobs]
        expected = list(range(first, first + count))
        if not jobs.complete:
            self.incomplete[run_id] = f"{len(jobs)} of {jobs.total_count}"
            if len(set(ids)) != len(ids) or not set(ids) <= set(expected) or jobs.undecodable:
                self.wrong.append(f"run {run_id}: incomplete, and also wrong")
        elif ids != expected:
            self.wrong.append(
                f"run {run_id}: {len(ids)} jobs instead of {count}, but reported as complete"
            )

    def take_log(self, job_id: int, content: bytes) -> None:
        """Compare a log with the truth: a changed log repeats one new line before the old text."""
        size, digest = self.truth.logs[job_id]
        added, log = content[:-size], content[-size:]
        new_lines = set(added.splitlines(keepends=True))
        spliced = len(new_lines) > 1 or any(line in log for line in new_lines)
        if spliced or hashlib.sha256(log).hexdigest() != digest:
            self.wrong.append(f"log {job_id}: {len(content)} bytes of {size}: {content[:60]!r}")
        if added:
            self.changed.add(job_id)

    def judge(self, record: Record) -> None:
        """Compare failures with the faults that were served, and results with the truth."""
        errors = {name: error for name, (error, _) in final().items()}
        for key, error in self.failed.items():
            struck = record.struck.get(key, [])
            allowed = {errors[name] for name in struck if name in errors}
            streamed = isinstance(error, LogTruncatedError) and int(key) % 2
            if type(error).__name__ not in allowed and not (streamed and _BROKEN & set(struck)):
                self.wrong.append(f"{key}: {type(error).__name__} {error} after {struck}")
        for run_id, what in self.incomplete.items():
            struck = record.struck.get(f"runs/{run_id}", [])
            if not any(name.startswith("shifting_list") or "total" in name for name in struck):
                self.wrong.append(f"run {run_id}: {what} after {struck}")
        for job_id in self.changed:
            if "change_blob" not in record.struck.get(str(job_id), []):
                self.wrong.append(f"log {job_id}: has a new line, but was never changed")
        self._count()
        if record.in_flight:
            self.wrong.append(f"{record.in_flight} requests are still being answered")

    def _count(self) -> None:
        """Check that every run, list and log came exactly once."""
        for name, found, wanted in (
            ("runs", self.runs, self.truth.runs),
            ("lists", self.listed, self.truth.runs),
            ("logs", self.logs, self.truth.logs),
        ):
            if lost := set(wanted) - set(found):
                self.wrong.append(f"{len(lost)} {name} lost, such as {min(lost)}")
            if double := [key for key, times in found.items() if times > 1]:
                self.wrong.append(f"{len(double)} {name} came twice, such as {double[0]}")


async def streamed(log: JobLog) -> bytes:
    """Read a log as a stream."""
    content = b""
    async for chunk in log.chunks():
        content += chunk
        if len(content) > _MAX_LOG:
            break
    return content


async def saved(log: JobLog, folder: Path) -> bytes:
    """Save a log and read it back from disk."""
    path = folder / f"{log.ref.job_id}.log"
    written = await log.save(path)
    with path.open("rb") as file:
        content = file.read(_MAX_LOG + 1)
    path.unlink()
    assert min(written, _MAX_LOG + 1) == len(content)
    return content


async def audit(gh: GitHubJobs, seen: Seen, folder: Path) -> None:
    """List the runs, the jobs of each, and read some logs: half to disk, half as a stream."""
    search = gh.iter_runs(REPO)

    async def refs() -> AsyncIterator[RunRef]:
        async for run in search:
            seen.runs[run.id] += 1
            yield RunRef(REPO, run.id)

    async with gh.fan_out(refs(), filter="all") as lists:
        async for listed in lists:
            seen.take_list(listed)
    if not search.complete:
        seen.wrong.append(f"the search has {search.got} runs of {search.total_count}")

    async def read(log: JobLog) -> bytes:
        return await (streamed(log) if log.ref.job_id % 2 else saved(log, folder))

    jobs = (JobRef(REPO, job_id) for job_id in seen.truth.logs)
    async with gh.fan_out_logs(jobs, read) as logs:
        async for outcome in logs:
            seen.logs[outcome.ref.job_id] += 1
            match outcome:
                case Fetched(ref, content):
                    seen.take_log(ref.job_id, content)
                case Failed(ref, error):
                    seen.failed[str(ref.job_id)] = error


def sockets() -> int:
    """Return how many sockets this process has open, or 0 where the system does not say."""
    folder = Path("/proc/self/fd")
    count = 0
    for file in folder.iterdir() if folder.exists() else ():
        try:
            count += file.is_socket()
        except OSError:
            continue
    return count


def files(folder: str) -> list[str]:
    """Return the names of the files left in a folder."""
    return [file.name for file in Path(folder).iterdir()]


async def soak(seen: Seen, clock: Clock) -> None:
    """Run the audit, and look for what it leaves behind."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: seen.wrong.append(f"unhandled: {context}"))
    before = sockets()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / clock.speed)

    with tempfile.TemporaryDirectory() as folder:
        async with GitHubJobs(
            "ghp_soak",
            base_url=seen.truth.base_url,
            clock=ClientClock(now=clock.now, sleep=sleep),
            timeout=_TIMEOUT,
            on_wait=lambda wait: seen.waits.update([wait.reason]),
        ) as gh:
            await audit(gh, seen, Path(folder))
        if left := files(folder):
            seen.wrong.append(f"{len(left)} files left, such as {left[0]}")
    # The loop closes sockets in its next iterations.
    await asyncio.sleep(0.1)
    if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        seen.wrong.append(f"{len(tasks)} tasks left, such as {tasks.pop()}")
    if (left_open := sockets() - before) > 0:
        seen.wrong.append(f"{left_open} sockets left")


def main() -> int:
    """Run the command; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument(
        "--speed", type=float, default=400.0, help="how many times faster waits pass"
    )
    parser.add_argument("--rate", type=float, default=RATE, help="the share of faulty answers")
    parser.add_argument(
        "--without", default="", help="faults to leave out, by name, separated by commas"
    )
    args = parser.parse_args()
    clock = Clock(time.time(), args.speed)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    without = frozenset(args.without.split(","))
    arguments = (there, args.runs, clock, args.rate, without)
    server = context.Process(target=serve, args=arguments, daemon=True)
    server.start()
    seen = Seen(here.recv())
    gc.collect()
    start, begun = begin_peak(), time.monotonic()
    asyncio.run(soak(seen, clock))
    seconds, memory = time.monotonic() - begun, (peak() - start) / 1024
    here.send(None)
    record: Record = here.recv()
    server.join()
    seen.judge(record)
    if memory >= MAX_MEMORY:
        seen.wrong.append(f"memory grew by {memory:.1f} MB, at most {MAX_MEMORY:g} are allowed")
    show(seen, record, seconds, memory)
    return 1 if seen.wrong else 0


def show(seen: Seen, record: Record, seconds: float, memory: float) -> None:
    """Print the figures."""
    faulty = sum(record.counts.values())
    print(f"{len(seen.truth.runs):,} runs, {len(seen.truth.logs):,} logs in {seconds:.0f} s")
    print(f"{record.requests:,} requests, {faulty:,} answered with a fault:")
    for name, count in sorted(record.counts.items()):
        print(f"  {count:5} {name}")
    print(f"memory: grew by {memory:.1f} MB")
    print(f"waits reported: {dict(seen.waits.most_common())}")
    kinds = Counter(type(error).__name__ for error in seen.failed.values())
    print(f"failed, as expected: {len(seen.failed)} {dict(kinds)}")
    print(f"incomplete, and reported as such: {len(seen.incomplete)}")
    print(f"wrong: {len(seen.wrong)}")
    for text in seen.wrong[:_SHOWN]:
        print(f"  {text}")


if __name__ == "__main__":
    sys.exit(main())
