"""Draw the table in plain SVG: a bar for each client, relative to the bare minimum."""

from __future__ import annotations

import math
from typing import Final
from xml.sax.saxutils import escape

from bench.report import Measured
from bench.rows import OURS

_WIDTH: Final = 820
_NAMES: Final = 190
_LINE: Final = 21
_GROUP: Final = 40
_MAX_LINEAR: Final = 8
# The figures have a column of their own, so that no bar or line crosses them.
_FIGURES: Final = 130
_BARS: Final = _WIDTH - _NAMES - _FIGURES
# The colours work on white and on black; the text follows the reader's theme.
_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.note { font-size: 11px; fill: #59636e; }
.one, .target { stroke: #6e7681; stroke-width: 1; }
.target { stroke-dasharray: 3 3; }
.bar { fill: #8b949e; } .ours { fill: #2f81f7; } .base { fill: #59a869; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .note { fill: #9198a1; } }
"""


def svg(results: list[Measured]) -> str:
    """Return the plot: bars for each row, on a logarithmic scale if other clients are far off."""
    # Other Pythons differ little: the table has them.
    shown = [r for r in results if r.base in r.rounds and not r.row.python]
    ratios = [result.ratio(name) for result in shown for name in result.rounds]
    targets = [result.row.targets[OURS] for result in shown]
    scale = _Scale(min([1.0, *ratios]), max([2.0, *targets, *ratios]))
    parts: list[str] = []
    top = 34
    for result in shown:
        parts += _group(result, scale, top)
        top += _GROUP + _LINE * len(result.rounds)
    note = "shorter is better; solid line: the bare minimum, dashed: our target"
    if scale.logarithmic:
        note += "; logarithmic"
    size = f'viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>What each client takes of the bare minimum</title>",
            f"<style>{_STYLE}</style>",
            f'<text class="note" x="8" y="18">{note}</text>',
            *parts,
            "</svg>",
            "",
        ]
    )


class _Scale:
    def __init__(self, minimum: float, maximum: float) -> None:
        self.logarithmic = maximum > _MAX_LINEAR
        # A logarithmic bar starts below the minimum, so that the shortest bar can be seen.
        self._start = minimum * 0.5
        self._maximum = maximum

    def length(self, ratio: float) -> float:
        if not self.logarithmic:
            return _BARS * ratio / self._maximum
        return _BARS * math.log(ratio / self._start) / math.log(self._maximum / self._start)


def _group(result: Measured, scale: _Scale, top: float) -> list[str]:
    metric = {"cpu": "CPU time", "wall": "time"}[result.row.metric]
    title = f"{escape(result.row.title)} <tspan class='note'>{metric}</tspan>"
    parts = [f'<text class="title" x="8" y="{top + 14}">{title}</text>']
    y = top + 22
    for name in result.rounds:
        ratio = result.ratio(name)
        kind = "ours" if name.startswith(OURS) else "base" if name == result.base else "bar"
        length = scale.length(ratio)
        figure = f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
        seconds = f"{result.median(name, result.row.metric):.2f} s"
        parts += [
            f'<text x="{_NAMES - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{_NAMES}" y="{y}" width="{length:.1f}" height="15" rx="2"/>',
            f'<text x="{_WIDTH - 78}" y="{y + 12}" text-anchor="end">{figure}</text>',
            f'<text class="note" x="{_WIDTH - 8}" y="{y + 12}" text-anchor="end">{seconds}</text>',
        ]
        y += _LINE
    for kind, ratio in (("one", 1.0), ("target", result.row.targets[OURS])):
        x = _NAMES + scale.length(ratio)
        parts.append(
            f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 21}" y2="{y - 3}"/>'
        )
    return parts
