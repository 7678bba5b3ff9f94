"""
Measure ghjobs_async beside the bare minimum, and beside its peers where asked.

``python tests/benchmarks/run.py [--rounds 5] [--rows audit,logs] [--peers] [--json FILE]
[--svg FILE] [--readme FILE]``
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from bench import plot, report
from bench.lab import Lab, WrongError
from bench.report import Measured
from bench.rows import ROWS, Row


def measure(lab: Lab, row: Row, *, rounds: int, peers: bool) -> Measured:
    """Let each contender do the work in each round, one after the other."""
    measured = Measured(row)
    contenders = [*row.contenders, *(row.peers if peers else ())]
    # The first one finds the disk's and the server's memory cold: it is not counted.
    with suppress(WrongError):
        lab.measure(row, measured.base)
    for number in range(1, rounds + 1):
        # There and back again, so that a machine that slows down is the same for all.
        for contender in contenders if number % 2 else reversed(contenders):
            if contender in measured.failures:
                continue
            try:
                found = lab.measure(row, contender)
            except WrongError as error:
                measured.failures[contender] = str(error)
                print(f"{row.name} {number} {contender}: {error}", file=sys.stderr)
            else:
                measured.found.setdefault(contender, []).append(found)
                taken = f"{found['wall']:.3f} s, CPU {found['cpu']:.3f} s, {found['over']:.0f} MB"
                print(f"{row.name} {number} {contender}: {taken}", file=sys.stderr)
    return measured


def main() -> int:
    """Run the command; 1 where a target is missed or a contender of ours failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--rows", help="which rows, by name, with commas", default="")
    parser.add_argument("--peers", action="store_true", help="other clients beside")
    parser.add_argument("--json", type=Path, help="where all measurements go")
    parser.add_argument("--svg", type=Path, help="where the plot goes")
    parser.add_argument("--readme", type=Path, help="the file whose section is written anew")
    args = parser.parse_args()
    wanted = set(args.rows.split(",")) - {""}
    if unknown := wanted - {row.name for row in ROWS}:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}")
    rows = [row for row in ROWS if (not wanted or row.name in wanted) and row.needed()]
    with Lab() as lab:
        results = [measure(lab, row, rounds=args.rounds, peers=args.peers) for row in rows]
    text = report.markdown(results, args.rounds)
    print(text)
    if args.json:
        args.json.write_text(json.dumps(report.as_json(results), indent=1) + "\n")
    if args.svg:
        args.svg.write_text(plot.svg(results))
    if args.readme:
        picture = os.path.relpath(args.svg, args.readme.parent) if args.svg else None
        report.write_section(args.readme, text, picture)
    return 1 if any(result.missed() for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
