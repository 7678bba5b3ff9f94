"""
The report's plots, as SVG. Pure.

They are drawn for the width of a phone, so that their text is legible there, and grow from that.
Colours are classes: the page's style sheet has them, for light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from html import escape
from typing import Final

import attrs

from ghjobs_async.audit.results.readable import DAYS, day, hour, number
from ghjobs_async.display import brief, duration

_WIDTH: Final = 360
_HEIGHT: Final = 170
#: The place of the plot within that: left of it stand numbers, below it days.
_LEFT, _TOP, _RIGHT, _BOTTOM = 50, 12, 352, 146
#: What an axis of seconds may end with.
_NICE_SECONDS: Final = (
    *(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200),
    86_400,
)
#: A cell of the heat map, and what is left of it.
_CELL: Final = 13
_DAY_WIDTH: Final = 32


@attrs.frozen
class WaitStep:
    """
    A step of the heat map's scale.

    Attributes:
        below: The waits, in seconds, that it holds.
        shade: How strong its colour is, up to 1.
        name: Its name.
    """

    below: float
    shade: float
    name: str


#: They are fixed, so that a colour means the same in every report.
WAITS: Final = (
    WaitStep(60, 0.15, "under 1 min"),
    WaitStep(300, 0.35, "under 5 min"),
    WaitStep(900, 0.55, "under 15 min"),
    WaitStep(3600, 0.75, "under 1 h"),
    WaitStep(math.inf, 1, "longer"),
)


@attrs.frozen
class Bucket:
    """
    What happened on one day, or in one week.

    Attributes:
        start: The day, or the Monday of the week.
        decided: Jobs that succeeded, failed or timed out.
        failures: Those of them that did not succeed.
        p50, p95: Seconds that half of the jobs, and 95 of 100, took at most; None without any.
    """

    start: date
    decided: int = 0
    failures: int = 0
    p50: float | None = None
    p95: float | None = None


def failures(buckets: Sequence[Bucket]) -> str:
    """Draw the failures of each bucket as bars."""
    top = _nice_count(max(bucket.failures for bucket in buckets))
    parts = [*_axis(buckets, [(share, number(share * top)) for share in (0, 0.5, 1)])]
    room = (_RIGHT - _LEFT) / len(buckets)
    for index, bucket in enumerate(buckets):
        height = (_BOTTOM - _TOP) * bucket.failures / top
        title = f"{bucket.start}: {bucket.failures:,} of {bucket.decided:,} jobs failed"
        parts.append(
            f'<rect class="bad" x="{_LEFT + index * room + room * 0.1:.1f}" '
            f'y="{_BOTTOM - height:.1f}" width="{room * 0.8:.1f}" height="{height:.1f}">'
            f"<title>{title}</title></rect>"
        )
    return _svg("Failures by day", _HEIGHT, parts)


def durations(buckets: Sequence[Bucket]) -> str:
    """Draw the median and the 95th percentile of each bucket as lines."""
    longest = max((bucket.p95 or 0 for bucket in buckets), default=0)
    top = _nice_seconds(longest)
    parts = [*_axis(buckets, [(share, brief(share * top)) for share in (0, 0.5, 1)])]
    for name, label in (("p95", "95 %"), ("p50", "median")):
        points = [(index, getattr(bucket, name)) for index, bucket in enumerate(buckets)]
        for run in _unbroken(points):
            places = [(_x(index, len(buckets)), _y(value / top)) for index, value in run]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(f'<polyline class="{name}" points="{line}"/>')
            parts += [
                f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="2">'
                f"<title>{buckets[index].start}: {label} {duration(value)}</title></circle>"
                for (x, y), (index, value) in zip(places, run, strict=True)
            ]
    return _svg("Duration by day", _HEIGHT, parts)


def queueing(waits: Mapping[int, tuple[int, float]]) -> str:
    """
    Draw how long jobs waited in each hour of the week as a heat map.

    Args:
        waits: For an hour of the week the number of jobs, and the 95th percentile of their waits.
    """
    parts = []
    for number_, name in enumerate(DAYS):
        y = 18 + number_ * (_CELL + 5)
        parts.append(f'<text x="{_DAY_WIDTH - 6}" y="{y + 11}" text-anchor="end">{name}</text>')
        for at in range(24):
            index = 24 * number_ + at
            jobs, wait = waits.get(index, (0, 0.0))
            shade = next(step.shade for step in WAITS if wait < step.below) if jobs else 0.12
            kind = "wait" if jobs else "none"
            told = f"{jobs:,} jobs, 95 % waited up to {duration(wait)}" if jobs else "no job"
            parts.append(
                f'<rect class="{kind}" x="{_DAY_WIDTH + at * (_CELL + 0.5):.1f}" y="{y}" '
                f'width="{_CELL - 0.5}" height="{_CELL + 3}" fill-opacity="{shade:.2f}">'
                f"<title>{hour(index)}: {told}</title></rect>"
            )
    parts += [
        f'<text x="{_DAY_WIDTH + at * (_CELL + 0.5):.1f}" y="12">{at:02}h</text>'
        for at in range(0, 24, 6)
    ]
    return _svg("Waiting by hour of the week", 150, parts)


def bar(share: float) -> str:
    """Draw a bar that has *share* of the width."""
    return (
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="cost" width="{100 * share:.1f}" height="6"/></svg>'
    )


def _svg(label: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _axis(buckets: Sequence[Bucket], ticks: Sequence[tuple[float, str]]) -> Iterator[str]:
    for share, text in ticks:
        y = _y(share)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    last = len(buckets) - 1
    places = {0: "start", last: "end"} if last else {0: "start"}
    if last >= 6:
        places[last // 2] = "middle"
    for index, anchor in places.items():
        x = {"start": _LEFT, "end": _RIGHT}.get(anchor, _x(index, len(buckets)))
        text = day(buckets[index].start)
        yield f'<text x="{x:.1f}" y="{_BOTTOM + 18}" text-anchor="{anchor}">{text}</text>'


def _x(index: int, count: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * (index + 0.5) / count


def _y(share: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * share


def _unbroken(
    points: Sequence[tuple[int, float | None]],
) -> Iterator[list[tuple[int, float]]]:
    """Return the runs of points between buckets that have none."""
    run: list[tuple[int, float]] = []
    for index, value in points:
        if value is not None:
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _nice_count(most: int) -> int:
    """Return the even number that an axis up to *most* ends with."""
    top = 2
    while top < most:
        top = top * 5 // 2 if str(top)[0] == "4" else top * 2
    return top


def _nice_seconds(most: float) -> float:
    days = -(-most // 86_400) * 86_400
    return next((nice for nice in _NICE_SECONDS if nice >= most), days)
