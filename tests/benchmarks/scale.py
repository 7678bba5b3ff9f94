"""
What grows with the number of runs, how long the event loop is held, and how long a start takes.

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
from bench.rows import OURS, ROWS, Row

SIZES: Final = (1_000, 10_000, 100_000)
#: The cost of a run at one size, as a share of that at any other.
COST_MOST: Final = 1.1
#: How much more memory the largest audit may take than the smallest, in MB.
MEMORY_MOST: Final = 10.0
#: The longest gap between two ticks: so many seconds, or so many times that of the bare client.
GAP_MOST: Final = 0.05
GAP_RATIO: Final = 1.5
IMPORT_RATIO: Final = 1.5
HELP_MOST: Final = 0.5
#: A start is short, so that more of them are needed for a median that stands still.
_STARTS: Final = 3


@attrs.frozen
class Verdict:
    """One line of the table: what was measured, against what, and whether that is well."""

    what: str
    found: str
    allowed: str
    well: bool


def cost(lab: Lab, rounds: int, note: dict[str, Any]) -> list[Verdict]:
    """CPU and memory of audits of 1,000, 10,000 and 100,000 runs of one page of ten jobs."""
    found: dict[int, list[dict[str, Any]]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            setting = {"first_run": data.SHORT_RUNS, "runs": size}
            row = Row("cost", "", "audit", "cpu", COST_MOST, setting, contenders=(OURS,))
            found[size].append(lab.measure(row, OURS))
            told = found[size][-1]
            print(f"cost {size}: {told['cpu']:.2f} s, {told['over']:.1f} MB", file=sys.stderr)
    note["cost"] = found
    each = {size: _median(found[size], "cpu") / size for size in SIZES}
    over = {size: _median(found[size], "over") for size in SIZES}
    ratio = max(each.values()) / min(each.values())
    more = over[SIZES[-1]] - over[SIZES[0]]
    costs = ", ".join(f"{size:,}: {each[size] * 1e6:.0f} us" for size in SIZES)
    memory = ", ".join(f"{size:,}: +{over[size]:.1f} MB" for size in SIZES)
    return [
        Verdict(f"CPU of a run ({costs})", f"{ratio:.2f}", f"{COST_MOST:g}", ratio <= COST_MOST),
        Verdict(
            f"memory ({memory})", f"{more:+.1f} MB", f"{MEMORY_MOST:g} MB", more <= MEMORY_MOST
        ),
    ]


def stalls(lab: Lab, rounds: int, note: dict[str, Any]) -> list[Verdict]:
    """The longest time for which nobody else had a turn, while pages are decoded."""
    verdicts = []
    for row in (row for row in ROWS if row.work == "audit"):
        gaps: dict[str, list[float]] = {"bare": [], OURS: []}
        for _ in range(rounds):
            for contender, gone in gaps.items():
                gone.append(lab.measure(row, contender, ticking=True)["gap"])
                print(f"stalls {row.name} {contender}: {gone[-1] * 1e3:.0f} ms", file=sys.stderr)
        note[f"stalls {row.name}"] = gaps
        mine, bare = (statistics.median(gaps[name]) for name in (OURS, "bare"))
        allowed = max(GAP_MOST, GAP_RATIO * bare)
        what = f"longest gap between ticks; {row.title} (bare: {bare * 1e3:.0f} ms)"
        verdicts.append(
            Verdict(what, f"{mine * 1e3:.0f} ms", f"{allowed * 1e3:.0f} ms", mine <= allowed)
        )
    return verdicts


def start(_: Lab, rounds: int, note: dict[str, Any]) -> list[Verdict]:
    """How long it takes to import the package, and to start the command."""
    command = Path(sys.executable).with_name("ghjobs")
    commands = {
        "nothing": [sys.executable, "-c", "pass"],
        "needed": [sys.executable, "-c", "import aiohttp, msgspec, cattrs"],
        "package": [sys.executable, "-c", "import ghjobs_async"],
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
        mine / other
        for (mine, _), (other, _) in zip(found["package"], found["needed"], strict=True)
    )
    taken = f"{wall['package']:.2f} s, what it needs {wall['needed']:.2f} s"
    verdicts = [
        Verdict(
            f"import ghjobs_async ({taken})",
            f"{ratio:.2f}",
            f"{IMPORT_RATIO:g}",
            ratio < IMPORT_RATIO,
        )
    ]
    if "help" in wall:
        more = wall["help"] - wall["nothing"]
        verdicts.append(
            Verdict(
                f"ghjobs --help, more than Python itself ({wall['nothing']:.2f} s)",
                f"{more:.2f} s",
                f"{HELP_MOST:g} s",
                more < HELP_MOST,
            )
        )
    return verdicts


def _timed(line: list[str]) -> tuple[float, float]:
    used, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # What the terminal is like is no part of a start.
    subprocess.run(line, check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"})
    took, now = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def _median(found: list[dict[str, Any]], figure: str) -> float:
    return statistics.median(float(one[figure]) for one in found)


PARTS: Final = {"cost": cost, "stalls": stalls, "start": start}


def main() -> int:
    """Run the command; 1 where something is worse than allowed."""
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
        missed = "" if verdict.well else " **missed**"
        print(f"| {verdict.what} | {verdict.found}{missed} | {verdict.allowed} |")
    if args.json:
        args.json.write_text(json.dumps(note, indent=1) + "\n")
    return 0 if all(verdict.well for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
