"""The measurements as a table and as JSON: medians, and ratios within the same round."""

from __future__ import annotations

import os
import platform
import statistics
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from bench.rows import OURS, Row

_BEGIN: Final = "<!-- benchmarks: begin -->"
_END: Final = "<!-- benchmarks: end -->"


@attrs.define
class Measured:
    """A row's measurements: of each contender, one a round; and who failed, and how."""

    row: Row
    found: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    failures: dict[str, str] = attrs.field(factory=dict)

    def median(self, contender: str, figure: str) -> float:
        """A figure's median over the rounds."""
        return statistics.median(float(found[figure]) for found in self.found[contender])

    def ratio(self, contender: str, figure: str) -> float:
        """How much of what the first contender took: the median of the rounds' ratios."""
        base = self.found[self.row.contenders[0]]
        pairs = zip(self.found[contender], base, strict=False)
        return statistics.median(
            float(mine[figure]) / float(other[figure]) for mine, other in pairs
        )

    @property
    def base(self) -> str:
        """Whom the others are compared with."""
        return self.row.contenders[0]

    def verdict(self) -> str:
        """Whether we meet the target."""
        if OURS not in self.found or self.base not in self.found:
            return "not measured"
        ratio = self.ratio(OURS, self.row.metric)
        words = [f"{ratio:.2f} of at most {self.row.target:g}"]
        if self.row.over_most is not None:
            over = self.median(OURS, "over")
            words.append(f"{over:.1f} MB of at most {self.row.over_most:g}")
        return ("missed: " if self.missed() else "met: ") + ", ".join(words)

    def missed(self) -> bool:
        """Whether a target is missed, or nothing could be measured."""
        if OURS not in self.found or self.base not in self.found:
            return True
        row = self.row
        return self.ratio(OURS, row.metric) > row.target or (
            row.over_most is not None and self.median(OURS, "over") > row.over_most
        )


def machine() -> dict[str, Any]:
    """Where and when it was measured."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions(results: list[Measured]) -> dict[str, str]:
    """What was measured."""
    found: dict[str, str] = {"ghjobs-async": version("ghjobs-async")}
    for result in results:
        for measured in result.found.values():
            found.update(measured[0]["versions"])
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def as_json(results: list[Measured]) -> dict[str, Any]:
    """Everything, round by round."""
    return {
        "machine": machine(),
        "versions": versions(results),
        "rows": {
            result.row.name: {
                "title": result.row.title,
                "metric": result.row.metric,
                "target": result.row.target,
                "verdict": result.verdict(),
                "ratios": {
                    name: {metric: result.ratio(name, metric) for metric in ("wall", "cpu")}
                    for name in result.found
                    if result.base in result.found
                },
                "measured": result.found,
                "failures": result.failures,
            }
            for result in results
        },
    }


def markdown(results: list[Measured], rounds: int) -> str:
    """The table."""
    lines = [
        "| work | client | wall | CPU | ratio | memory | server CPU |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        title, metric = result.row.title, result.row.metric
        for name in result.found:
            figures = {metric: f"{result.median(name, metric):.2f} s" for metric in ("wall", "cpu")}
            figures[metric] = f"**{figures[metric]}**"
            ratio = f"{result.ratio(name, metric):.2f}" if result.base in result.found else ""
            used = statistics.median(found["server"]["cpu"] for found in result.found[name])
            lines.append(
                f"| {title} | {name} | {figures['wall']} | {figures['cpu']} | {ratio} "
                f"| +{result.median(name, 'over'):.0f} MB | {used:.2f} s |"
            )
            title = ""
        for name, why in result.failures.items():
            lines.append(f"| {title} | {name} | {why.replace('|', '/')} | | | | |")
            title = ""
    where = machine()
    known = ", ".join(f"{name} {number}" for name, number in versions(results).items())
    method = (
        f"Medians of {rounds} rounds, each client in turn and in a process of its own, at most 32 "
        "requests at once; the ratio is to the row's first line, within the same round, of the "
        "figure in bold. Memory is what the work adds to what is there after the imports."
    )
    share = max(
        (
            found["server"]["cpu"] / found["wall"]
            for result in results
            for rounds_of_one in result.found.values()
            for found in rounds_of_one
        ),
        default=0.0,
    )
    server = f"The server's own CPU was busy for at most {share:.0%} of a measurement."
    measured = (
        f"Measured {where['date']} on {where['cores']} cores, {where['system']}, "
        f"Python {where['python']}: {known}."
    )
    verdicts = [f"- {result.row.title}: {result.verdict()}" for result in results]
    return "\n".join([*lines, "", f"{method} {server}", "", measured, "", *verdicts, ""])


def write_section(path: Path, table: str, svg: str | None) -> None:
    """Write the table and the plot between the markers of a file."""
    text = path.read_text()
    before, found, rest = text.partition(_BEGIN)
    if not found or _END not in rest:
        raise SystemExit(f"{path} has no {_BEGIN} ... {_END}")
    picture = "" if svg is None else f"![What each client takes of the bare minimum]({svg})\n\n"
    after = rest.partition(_END)[2]
    path.write_text(f"{before}{_BEGIN}\n{picture}{table}{_END}{after}")
