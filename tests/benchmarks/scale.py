"""
Measure what grows with the number of runs, how long the event loop stalls, and the start-up.

``python tests/benchmarks/scale.py [--rounds 5] [--parts cost,stalls,start] [--json FILE]``
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
from bench import data
from bench.lab import Lab
from bench.report import machine
from bench.rows import OURS, ROWS

SIZES: Final = (1_000, 10_000, 100_000)
#: The highest cost of a run at one size, relative to the cheapest size.
MAX_COST_RATIO: Final = 1.1
#: How much more memory the largest audit may take than the smallest, in MB.
MAX_MEMORY: Final = 10.0
#: The longest gap between two ticks, in seconds or relative to the bare client, if that is more.
MAX_GAP: Final = 0.05
MAX_GAP_RATIO: Final = 1.5
#: The time to import the package, relative to the time to import what it needs.
MAX_IMPORT_RATIO: Final = 1.35
#: How much longer than Python itself the command may take to start, in seconds.
MAX_HELP: Final = 0.25
# A start is short: a stable median needs this many in each round.
_STARTS: Final = 3


@attrs.frozen
class Verdict:
    """One line of the table: what was measured, the figure, the limit, and whether it holds."""

    what: str
    found: str
    allowed: str
    met: bool


def cost(lab: Lab, rounds: int, note: dict[str, Any]) -> list[Verdict]:
    """Measure audits of 1,000, 10,000 and 100,000 runs, each with one page of ten jobs."""
    found: dict[int, list[dict[str, Any]]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            setting = {"first_run": data.SHORT_RUNS, "runs": size}
            row = attrs.evolve(ROWS[0], setting=setting)
            found[size].append(lab.measure(row, OURS))
            last = found[size][-1]
            print(f"cost {size}: {last['cpu']:.2f} s, {last['memory']:.1f} MB", file=sys.stderr)
    note["cost"] = found
    each = {size: _median(found[size], "cpu") / size for size in SIZES}
    memory = {size: _median(found[size], "memory") for size in SIZES}
    ratio = max(each.values()) / min(each.values())
    growth = memory[SIZES[-1]] - memory[SIZES[0]]
    costs = ", ".join(f"{size:,}: {each[size] * 1e6:.0f} us" for size in SIZES)
    sizes = ", ".join(f"{size:,}: +{memory[size]:.1f} MB" for size in SIZES)
    return [
        Verdict(
            f"CPU of a run ({costs})",
            f"{ratio:.2f}",
            f"{MAX_COST_RATIO:g}",
            ratio <= MAX_COST_RATIO,
        ),
        Verdict(
            f"memory ({sizes})", f"{growth:+.1f} MB", f"{MAX_MEMORY:g} MB", growth <= MAX_MEMORY
        ),
    ]


def stalls(lab: Lab, rounds: int, note: dict[str, Any]) -> list[Verdict]:
    """Measure the longest time for which decoding pages blocked the event loop."""
    verdicts = []
    for row in (row for row in ROWS if row.name in {"audit", "latency", "long"}):
        gaps: dict[str, list[float]] = {"bare": [], OURS: []}
        for _ in range(rounds):
            for contender, measured in gaps.items():
                measured.append(lab.measure(row, contender, ticking=True)["gap"])
                print(
                    f"stalls {row.name} {contender}: {measured[-1] * 1e3:.0f} ms", file=sys.stderr
                )
        note[f"stalls {row.name}"] = gaps
        ours, bare = (statistics.median(gaps[name]) for name in (OURS, "bare"))
        allowed = max(MAX_GAP, MAX_GAP_RATIO * bare)
        what = f"longest gap between ticks; {row.title} (bare: {bare * 1e3:.0f} ms)"
        verdicts.append(
            Verdict(what, f"{ours * 1e3:.0f} ms", f"{allowed * 1e3:.0f} ms", ours <= allowed)
        )
    return verdicts


def start(_: Lab, rounds: int, note: dict[str, Any]) -> list[Verdict]:
    """Measure the time to import the package and to start the command."""
    command = Path(sys.executable).with_name("ghjobs")
    commands = {
        "nothing": [sys.executable, "-c", "pass"],
        "needed": [sys.executable, "-c", "import aiohttp, msgspec, cattrs"],
        "package": [sys.executable, "-c", "from ghjobs_async import GitHubJobs"],
        "help": [str(command), "--help"],
    }
    if not command.exists():
        del commands["help"]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _round in range(rounds * _STARTS):
        for name, line in commands.items():
            found[name].append(_timed(line))
    note["start"] = found
    wall = {name: statistics.median(took for took, _ in times) for name, times in found.items()}
    ratio = statistics.median(
        package / needed
        for (package, _), (needed, _) in zip(found["package"], found["needed"], strict=True)
    )
    taken = f"{wall['package']:.2f} s, what it needs {wall['needed']:.2f} s"
    verdicts = [
        Verdict(
            f"from ghjobs_async import GitHubJobs ({taken})",
            f"{ratio:.2f}",
            f"{MAX_IMPORT_RATIO:g}",
            ratio < MAX_IMPORT_RATIO,
        )
    ]
    if "help" in wall:
        extra = wall["help"] - wall["nothing"]
        verdicts.append(
            Verdict(
                f"ghjobs --help, beyond Python itself ({wall['nothing']:.2f} s)",
                f"{extra:.2f} s",
                f"{MAX_HELP:g} s",
                extra < MAX_HELP,
            )
        )
    return verdicts


def _timed(line: list[str]) -> tuple[float, float]:
    used, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # Leave out the time that the command takes to look at the terminal, and let it keep bytecode
    # as an installed package does.
    env = {**os.environ, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run(line, check=True, capture_output=True, env=env)
    took, now = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def _median(found: list[dict[str, Any]], figure: str) -> float:
    return statistics.median(float(one[figure]) for one in found)


PARTS: Final = {"cost": cost, "stalls": stalls, "start": start}


def main() -> int:
    """Run the command; return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    note: dict[str, Any] = {"machine": machine()}
    with Lab() as lab:
        parts: list[Callable[[], list[Verdict]]] = [
            partial(PARTS[name], lab, args.rounds, note) for name in args.parts.split(",")
        ]
        verdicts = [verdict for part in parts for verdict in part()]
    print("| what | found | at most |\n| --- | ---: | ---: |")
    for verdict in verdicts:
        missed = "" if verdict.met else " **missed**"
        print(f"| {verdict.what} | {verdict.found}{missed} | {verdict.allowed} |")
    if args.json:
        args.json.write_text(json.dumps(note, indent=1) + "\n")
    return 0 if all(verdict.met for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
