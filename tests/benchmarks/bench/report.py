"""Turn measurements into tables and JSON: medians, and ratios within the same round."""

from __future__ import annotations

import os
import platform
import re
import shutil
import statistics
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from bench.rows import OURS, PEERS, Row

_BEGIN: Final = "<!-- benchmarks: begin -->"
_END: Final = "<!-- benchmarks: end -->"
_CACHE: Final = re.compile(r"^(L\S+) cache: *(.+)$", re.MULTILINE)
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

    def ratios(self, contender: str, figure: str) -> tuple[float, float, float]:
        """Return quartiles (25%, median, 75%) of the ratios to the first contender in a round."""
        pairs = zip(self.rounds[contender], self.rounds[self.base], strict=False)
        found = [float(own[figure]) / float(base[figure]) for own, base in pairs]
        if len(found) == 1:
            return found[0], found[0], found[0]
        low, median, high = statistics.quantiles(found, n=4, method="inclusive")
        return low, median, high

    def ratio(self, contender: str) -> float:
        """Return the median ratio of what the row compares."""
        return self.ratios(contender, self.row.metric)[1]

    def shown(self, contender: str) -> str:
        """Describe the ratio with its quartiles."""
        low, median, high = self.ratios(contender, self.row.metric)
        return f"{median:.2f} ({low:.2f} to {high:.2f})"

    @property
    def base(self) -> str:
        """The contender that the others are compared with."""
        return self.row.contenders[0]

    def verdicts(self) -> list[tuple[bool, str]]:
        """Return for each target whether it is met, and what was found."""
        found: list[tuple[bool, str]] = []
        for name, target in self.row.targets.items():
            title = self.row.title + name.removeprefix(OURS)
            if name in self.rounds and self.base in self.rounds:
                words = f"{title}: {self.shown(name)} of at most {target:g}"
                found.append((round(self.ratio(name), 2) <= target, words))
            else:
                found.append((False, f"{title}: not measured"))
        if self.row.max_memory is not None and OURS in self.rounds:
            memory = self.median(OURS, "memory")
            words = f"{self.row.title}: {memory:.1f} MB of at most {self.row.max_memory:g} MB"
            found.append((memory <= self.row.max_memory, words))
        return found


def machine() -> dict[str, Any]:
    """Return where and when the measuring takes place."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "caches": caches(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def caches() -> str:
    """Return the sizes of the processor's caches, where ``lscpu`` knows them."""
    lscpu = shutil.which("lscpu")
    if lscpu is None:
        return "unknown caches"
    listed = subprocess.check_output([lscpu], text=True, env={**os.environ, "LC_ALL": "C"})
    return ", ".join(f"{name} {size}" for name, size in _CACHE.findall(listed))


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
                "targets": dict(result.row.targets),
                "verdicts": result.verdicts(),
                "ratios": {
                    name: {metric: result.ratios(name, metric) for metric in ("wall", "cpu")}
                    for name in result.rounds
                    if result.base in result.rounds
                },
                "measured": result.rounds,
                "failures": result.failures,
            }
            for result in results
        },
    }


def table(results: list[Measured], svg: str) -> str:
    """Return the picture, the table of every contender, the method, the targets missed and met."""
    lines = [
        "| work | client | wall | CPU | ratio (quartiles) | memory | server CPU |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        title, metric = result.row.title, result.row.metric
        for name in result.rounds:
            figures = {metric: f"{result.median(name, metric):.2f} s" for metric in ("wall", "cpu")}
            figures[metric] = f"**{figures[metric]}**"
            ratio = result.shown(name) if name != result.base in result.rounds else ""
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
        f"Medians of {_rounds(results, ours=True)} rounds ({_rounds(results, ours=False)} for other "
        "clients). The clients take turns, each in a process of its own, with at most 32 requests "
        "at once. The ratio compares the figure in bold with the row's first line in the same "
        "round. Memory is what the work adds after the imports. The server used at most "
        f"{share:.0%} of a core during a measurement. ghjobs_async unpacks gzip with isal, and "
        "with zlib where the table says so; other clients are as they are."
    )
    measured = (
        f"Measured {where['date']} on {where['cores']} cores ({where['caches']}), "
        f"{where['system']}, Python {where['python']}: {known}."
    )
    verdicts = [verdict for result in results for verdict in result.verdicts()]
    parts = [_PICTURE.format(svg=svg), "", *lines, "", method, "", measured, ""]
    for wanted, heading in ((False, "Targets missed:"), (True, "Targets met:")):
        if words := [f"- {word}" for met, word in verdicts if met is wanted]:
            parts += [heading, "", *words, ""]
    return "\n".join(parts)


def summary(results: list[Measured], svg: str, details: str) -> str:
    """Return the picture, five rows and how many targets are missed, for README."""
    lines = [
        "| work | bare minimum | ghjobs_async | ratio (quartiles) | fastest other client |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        if result.row.name not in SUMMARY_ROWS or not {OURS, result.base} <= set(result.rounds):
            continue
        metric = result.row.metric
        times = {name: result.median(name, metric) for name in result.rounds}
        peers = [name for name in times if name in PEERS]
        other = min(peers, key=times.__getitem__, default=None)
        base = "" if result.base == "bare" else f" ({result.base})"
        lines.append(
            f"| {result.row.title} ({_METRICS[metric]}) | {times[result.base]:.2f} s{base} "
            f"| {times[OURS]:.2f} s | {result.shown(OURS)} "
            f"| {f'{other}, {times[other]:.2f} s' if other else ''} |"
        )
    where = machine()
    missed = sum(not met for result in results for met, _ in result.verdicts())
    sentences = (
        f"Medians of {_rounds(results, ours=True)} rounds, measured {where['date']} on "
        f"{where['cores']} cores; [the full table]({details}) has every row and client, the method "
        f"and the versions. Targets missed: {missed or 'none'}."
    )
    return "\n".join([_PICTURE.format(svg=svg), "", *lines, "", sentences, ""])


def _rounds(results: list[Measured], *, ours: bool) -> int:
    """Return how often our clients were measured, or the others."""
    return max(
        (
            len(measured)
            for result in results
            for name, measured in result.rounds.items()
            if ours or name in result.row.peers
        ),
        default=0,
    )


def write_section(path: Path, text: str) -> None:
    """Replace what is between the markers of a file."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{path} lacks {_BEGIN} ... {_END}")
    path.write_text(f"{before}{_BEGIN}\n{text}{_END}{after}", encoding="utf-8")
