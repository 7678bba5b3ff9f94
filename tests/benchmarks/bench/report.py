"""Turn measurements into tables and JSON: medians, and ratios within the same round."""

from __future__ import annotations

import os
import platform
import statistics
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from bench.rows import OURS, PEERS, Row

_BEGIN: Final = "<!-- benchmarks: begin -->"
_END: Final = "<!-- benchmarks: end -->"
_METRICS: Final = {"cpu": "CPU time", "wall": "time"}
_PICTURE: Final = "![What each client takes of the bare minimum]({svg})"
#: The rows that README shows.
SUMMARY_ROWS: Final = ("audit", "latency", "logs", "big", "grep")


@attrs.define
class Measured:
    """
    The measurements of a row.

    Attributes:
        row: The row.

        rounds: One measurement a round, by contender.

        failures: Why a contender failed, by contender.
    """

    row: Row
    rounds: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    failures: dict[str, str] = attrs.field(factory=dict)

    def median(self, contender: str, figure: str) -> float:
        """Return a figure's median over the rounds."""
        return statistics.median(float(found[figure]) for found in self.rounds[contender])

    def ratio(self, contender: str, figure: str) -> float:
        """Return the median of the rounds' ratios to the first contender."""
        pairs = zip(self.rounds[contender], self.rounds[self.base], strict=False)
        return statistics.median(float(own[figure]) / float(base[figure]) for own, base in pairs)

    @property
    def base(self) -> str:
        """The contender that the others are compared with."""
        return self.row.contenders[0]

    def measured(self) -> bool:
        """Report whether there is anything to compare."""
        return OURS in self.rounds and self.base in self.rounds

    def missed(self) -> bool:
        """Report whether a target is missed, or nothing could be measured."""
        if not self.measured():
            return True
        limit = self.row.max_memory
        return self.ratio(OURS, self.row.metric) > self.row.target or (
            limit is not None and self.median(OURS, "memory") > limit
        )

    def verdict(self) -> str:
        """Describe whether the target is met."""
        if not self.measured():
            return "not measured"
        words = [f"{self.ratio(OURS, self.row.metric):.2f} of at most {self.row.target:g}"]
        if self.row.max_memory is not None:
            memory = self.median(OURS, "memory")
            words.append(f"{memory:.1f} MB of at most {self.row.max_memory:g}")
        return ("missed: " if self.missed() else "met: ") + ", ".join(words)


def machine() -> dict[str, Any]:
    """Return where and when the measuring takes place."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions(results: list[Measured]) -> dict[str, str]:
    """Return the versions of everything that was measured."""
    found: dict[str, str] = {"ghjobs-async": version("ghjobs-async")}
    for result in results:
        for rounds in result.rounds.values():
            found.update(rounds[0]["versions"])
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def as_json(results: list[Measured]) -> dict[str, Any]:
    """Return every measurement of every round."""
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
                    for name in result.rounds
                    if result.base in result.rounds
                },
                "measured": result.rounds,
                "failures": result.failures,
            }
            for result in results
        },
    }


def table(results: list[Measured], rounds: int, svg: str) -> str:
    """Return the picture, the table of every contender, the method and the verdicts."""
    lines = [
        "| work | client | wall | CPU | ratio | memory | server CPU |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        title, metric = result.row.title, result.row.metric
        for name in result.rounds:
            figures = {metric: f"{result.median(name, metric):.2f} s" for metric in ("wall", "cpu")}
            figures[metric] = f"**{figures[metric]}**"
            ratio = f"{result.ratio(name, metric):.2f}" if result.base in result.rounds else ""
            lines.append(
                f"| {title} | {name} | {figures['wall']} | {figures['cpu']} | {ratio} "
                f"| +{result.median(name, 'memory'):.0f} MB "
                f"| {result.median(name, 'server_cpu'):.2f} s |"
            )
            title = ""
        for name, reason in result.failures.items():
            lines.append(f"| {title} | {name} | {reason.replace('|', '/')} | | | | |")
            title = ""
    where = machine()
    known = ", ".join(f"{name} {number}" for name, number in versions(results).items())
    share = max(
        (
            found["server_cpu"] / found["wall"]
            for result in results
            for measurements in result.rounds.values()
            for found in measurements
        ),
        default=0.0,
    )
    method = (
        f"Medians of {rounds} rounds. The clients take turns, each in a process of its own, with "
        "at most 32 requests at once. The ratio compares the figure in bold with the row's first "
        "line in the same round. Memory is what the work adds after the imports. The server used "
        f"at most {share:.0%} of a core during a measurement."
    )
    measured = (
        f"Measured {where['date']} on {where['cores']} cores, {where['system']}, "
        f"Python {where['python']}: {known}."
    )
    verdicts = [f"- {result.row.title}: {result.verdict()}" for result in results]
    picture = _PICTURE.format(svg=svg)
    return "\n".join([picture, "", *lines, "", method, "", measured, "", *verdicts, ""])


def summary(results: list[Measured], rounds: int, svg: str, details: str) -> str:
    """Return the picture, five rows and a sentence, for README."""
    lines = [
        "| work | bare minimum | ghjobs_async | ratio | fastest other client |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        if result.row.name not in SUMMARY_ROWS or not result.measured():
            continue
        metric = result.row.metric
        times = {name: result.median(name, metric) for name in result.rounds}
        peers = [name for name in times if name in PEERS]
        other = min(peers, key=times.__getitem__, default=None)
        base = "" if result.base == "bare" else f" ({result.base})"
        lines.append(
            f"| {result.row.title} ({_METRICS[metric]}) | {times[result.base]:.2f} s{base} "
            f"| {times[OURS]:.2f} s | {result.ratio(OURS, metric):.2f} "
            f"| {f'{other}, {times[other]:.2f} s' if other else ''} |"
        )
    where = machine()
    sentence = (
        f"Medians of {rounds} rounds, measured {where['date']} on {where['cores']} cores; "
        f"[the full table]({details}) has every client, the method and the versions."
    )
    return "\n".join([_PICTURE.format(svg=svg), "", *lines, "", sentence, ""])


def write_section(path: Path, text: str) -> None:
    """Replace what is between the markers of a file."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{path} lacks {_BEGIN} ... {_END}")
    path.write_text(f"{before}{_BEGIN}\n{text}{_END}{after}", encoding="utf-8")
