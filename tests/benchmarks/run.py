"""
Measure ghjobs_async beside the bare minimum and, with ``--peers``, beside other clients.

``python tests/benchmarks/run.py [--rounds 7] [--rows audit,logs] [--peers] [--json FILE] [--write]``
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


def measure(lab: Lab, row: Row, *, rounds: int, peer_rounds: int) -> Measured:
    """
    Let each contender do the work in each round, one after the other.

    Other clients take part in the first rounds only: some need a hundred times as long.
    """
    measured = Measured(row)
    # The first measurement warms the caches of the disk and the server, and is not counted.
    with suppress(WrongError):
        lab.measure(row, measured.base)
    for number in range(1, rounds + 1):
        contenders = [*row.contenders, *(row.peers if number <= peer_rounds else ())]
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


def write(results: list[Measured]) -> None:
    """Update the picture, the full table beside this file and the summary in README."""
    (HERE / "speed.svg").write_text(plot.svg(results), encoding="utf-8")
    report.write_section(HERE / "README.md", report.table(results, "speed.svg"))
    folder = HERE.relative_to(ROOT).as_posix()
    summary = report.summary(results, f"{folder}/speed.svg", f"{folder}/README.md")
    report.write_section(ROOT / "README.md", summary)


def main() -> int:
    """Run the command; return 1 if a target is missed or our own client failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often to measure")
    parser.add_argument("--rows", help="rows to measure, by name, separated by commas", default="")
    parser.add_argument("--peers", action="store_true", help="measure other clients too")
    parser.add_argument("--peer-rounds", type=int, default=3, help="how often to measure them")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="VERSION=PATH",
        help="measure the audit on another Python too",
    )
    parser.add_argument("--json", type=Path, help="write every measurement to this file")
    parser.add_argument("--write", action="store_true", help="update the tables and the picture")
    args = parser.parse_args()
    wanted = set(args.rows.split(",")) - {""}
    if unknown := wanted - {row.name for row in ROWS}:
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}")
    if wanted and args.write:
        parser.error("--write needs every row: leave --rows out")
    given = (python.split("=", 1) for python in args.python)
    pythons = {version: str(Path(path).absolute()) for version, path in given}
    rows = [r for r in ROWS if (not wanted or r.name in wanted) and r.available(pythons)]
    peer_rounds = args.peer_rounds if args.peers else 0
    with Lab(pythons) as lab:
        results = [measure(lab, r, rounds=args.rounds, peer_rounds=peer_rounds) for r in rows]
    print(report.table(results, "speed.svg"))
    if args.json:
        args.json.write_text(json.dumps(report.as_json(results), indent=1) + "\n")
    if args.write:
        write(results)
    return 1 if any(not met for result in results for met, _ in result.verdicts()) else 0


if __name__ == "__main__":
    sys.exit(main())
