"""
Measure ghjobs_async beside the bare minimum and, with ``--peers``, beside other clients.

``python tests/benchmarks/run.py [--rounds 5] [--rows audit,logs] [--peers] [--json FILE] [--write]``
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path

from bench import plot, report
from bench.lab import Lab, WrongError
from bench.report import Measured
from bench.rows import ROWS, Row

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def measure(lab: Lab, row: Row, *, rounds: int, peers: bool) -> Measured:
    """Let each contender do the work in each round, one after the other."""
    measured = Measured(row)
    contenders = [*row.contenders, *(row.peers if peers else ())]
    # The first measurement warms the caches of the disk and the server, and is not counted.
    with suppress(WrongError):
        lab.measure(row, measured.base)
    for number in range(1, rounds + 1):
        # Alternate the order, so that a machine that slows down affects all alike.
        for contender in contenders if number % 2 else reversed(contenders):
            if contender in measured.failures:
                continue
            try:
                found = lab.measure(row, contender)
            except WrongError as error:
                measured.failures[contender] = str(error)
                print(f"{row.name} {number} {contender}: {error}", file=sys.stderr)
            else:
                measured.rounds.setdefault(contender, []).append(found)
                taken = f"{found['wall']:.3f} s, CPU {found['cpu']:.3f} s, {found['memory']:.0f} MB"
                print(f"{row.name} {number} {contender}: {taken}", file=sys.stderr)
    return measured


def write(results: list[Measured], rounds: int) -> None:
    """Update the picture, the full table beside this file and the summary in README."""
    (HERE / "speed.svg").write_text(plot.svg(results), encoding="utf-8")
    report.write_section(HERE / "README.md", report.table(results, rounds, "speed.svg"))
    folder = HERE.relative_to(ROOT).as_posix()
    summary = report.summary(results, rounds, f"{folder}/speed.svg", f"{folder}/README.md")
    report.write_section(ROOT / "README.md", summary)


def main() -> int:
    """Run the command; return 1 if a target is missed or our own client failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often to measure each client")
    parser.add_argument("--rows", help="rows to measure, by name, separated by commas", default="")
    parser.add_argument("--peers", action="store_true", help="measure other clients too")
    parser.add_argument("--json", type=Path, help="write every measurement to this file")
    parser.add_argument("--write", action="store_true", help="update the tables and the picture")
    args = parser.parse_args()
    wanted = set(args.rows.split(",")) - {""}
    if unknown := wanted - {row.name for row in ROWS}:
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}")
    if wanted and args.write:
        parser.error("--write needs every row: leave --rows out")
    rows = [row for row in ROWS if (not wanted or row.name in wanted) and row.available()]
    with Lab() as lab:
        results = [measure(lab, row, rounds=args.rounds, peers=args.peers) for row in rows]
    print(report.table(results, args.rounds, "speed.svg"))
    if args.json:
        args.json.write_text(json.dumps(report.as_json(results), indent=1) + "\n")
    if args.write:
        write(results, args.rounds)
    return 1 if any(result.missed() for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
