"""
Measure one contender at one piece of work, in a fresh process: ``python -m bench.child JOB``.

Imports and the making of data are not measured. The figures come from the operating system.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import data
from bench.work import Setting

_STATUS = Path("/proc/self/status")


def cpu() -> float:
    """Return the CPU time of this process and of those it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def begin_peak() -> int:
    """Reset the memory peak where the system can, and return the memory in use, in KiB."""
    if not _STATUS.exists():
        return peak()
    Path("/proc/self/clear_refs").write_text("5")
    return _field("VmRSS")


def peak() -> int:
    """Return the memory peak, in KiB."""
    if _STATUS.exists():
        return _field("VmHWM")
    maximum = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return maximum // 1024 if sys.platform == "darwin" else maximum


def _field(name: str) -> int:
    found = [line for line in _STATUS.read_text().splitlines() if line.startswith(name)]
    return int(found[0].split()[1])


async def ticking(work: Callable[[Setting], Any], setting: Setting, gaps: list[float]) -> Any:
    """Do the work, and record the longest time for which it blocked the event loop."""

    async def tick() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps[0] = max(gaps[0], now - before - 0.001)
            before = now

    ticker = asyncio.create_task(tick())
    try:
        return await work(setting)
    finally:
        ticker.cancel()


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job and return what it took."""
    for name in job["hidden"]:
        sys.modules[name] = None  # type: ignore[assignment]
    module = import_module(f"bench.contenders.{job['contender']}")
    work = getattr(module, job["work"])
    setting = Setting(**job["setting"])
    # The bare contender imports its decoder only when it starts.
    if "orjson" in module.PACKAGES:
        import_module("orjson")
    data.log_block()
    gaps = [0.0]

    def do() -> Any:
        if job["ticking"]:
            return asyncio.run(ticking(work, setting, gaps))
        return asyncio.run(work(setting)) if inspect.iscoroutinefunction(work) else work(setting)

    if job["again"]:
        do()
    gc.collect()
    start = begin_peak()
    cpu_before, before = cpu(), time.perf_counter()
    proof = do()
    wall, used = time.perf_counter() - before, cpu() - cpu_before
    return {
        "wall": wall,
        "cpu": used,
        "memory": max(0, peak() - start) / 1024,
        "gap": gaps[0],
        "proof": proof,
        "versions": {name: version(name) for name in module.PACKAGES if name not in job["hidden"]},
    }


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
