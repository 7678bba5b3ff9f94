"""Draw a chart as SVG: no script, no font, no image; light and dark, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import attrs

from ghjobs_async.audit.gantt import style
from ghjobs_async.audit.gantt.axis import Lane, Tick, lanes, texts
from ghjobs_async.audit.gantt.chart import (
    HOW_INFERRED,
    Bar,
    Chart,
    Row,
    Span,
    StepBar,
    StepRow,
    chart,
)
from ghjobs_async.audit.gantt.labels import fit, name, shorten, width
from ghjobs_async.audit.gantt.style import class_of, sign_of
from ghjobs_async.display import duration
from ghjobs_async.models import Job

_FONT: Final = 12.0
#: Up to this many rows, each step has a row of its own.
_DETAILED: Final = 60
#: The axis is repeated after this many rows.
_AXIS_EVERY: Final = 40
#: How far the texts of ticks are apart, in parts of the width, where it is wide and on a phone.
_APART, _PHONE_APART = 0.1, 0.18
#: The least of the width that bars have where it is wide, in pixels.
_BARS: Final = 440.0
#: A step that is narrower is left out: its job has many that can be seen.
_UNSEEN: Final = 0.0002
#: The aim for the bytes of the whole, and about how many a job and a step need without their names.
_BYTES, _JOB_BYTES, _STEP_BYTES = 1_050_000, 640, 76
#: What explains the bars: class, class of the bar, x, y and height of it, text.
_LEGEND: Final = (
    ("else", "wait", 8, 98, 4, "waiting"),
    ("ok", "work", 94, 94, 12, "work"),
    ("bad", "work", 162, 94, 12, "failed"),
    ("else", "path", 236, 98, 3, "critical path"),
)
_LINK: Final = re.compile(r"https?://[^\s\"<>\x00-\x20\x7f]{1,500}", re.IGNORECASE)


@attrs.frozen
class _Sizes:
    """How many bytes the name of a job and of a step may take in what pointing at it shows."""

    job: int
    step: int

    @classmethod
    def of(cls, chart: Chart) -> _Sizes:
        bars = chart.bars
        steps = sum(len(bar.steps) for bar in bars)
        job = max(40, min(1200, 250_000 // max(1, len(bars))))
        left = _BYTES - len(bars) * (_JOB_BYTES + job) - steps * _STEP_BYTES
        return cls(job, max(12, min(1200, left // max(1, steps))))


def timeline(jobs: Iterable[Job], *, now: datetime | None = None) -> str:
    """
    Draw the timeline of a run as SVG.

    Waiting is a thin bar, work a thick one; attempts stand side by side, and the critical path is
    underlined. Pointing at a bar shows its times. The SVG needs nothing else: no script, no font.

    Args:
        jobs: The jobs of a run, of one attempt or of all. A job that a re-run took over from an
            earlier attempt is shown once.
        now: Until when jobs that have not ended are drawn; None takes the latest time in *jobs*.

    Returns:
        The text of the SVG, which may stand in HTML as it is.
    """
    return draw(chart(jobs, now))


def draw(chart: Chart) -> str:
    """Draw *chart* as SVG."""
    placed = lanes(chart)
    slots = [*_slots(chart, placed)]
    height = style.HEAD + style.PITCH * len(slots) + style.FOOT
    phone = style.HEAD + style.PHONE_PITCH * len(slots) + style.FOOT
    # The attributes are for Markdown and HTML that show it as an image: then the style sheet decides
    # by the width of the image, while what it says is laid out as wide as the attribute.
    size = f'width="1000" height="{phone}" style="--h:{height}px;--p:{phone}px"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" {size}>',
        f"<title>{escape(name(', '.join(chart.titles)))}</title>",
        f"<desc>{escape(' '.join(HOW_INFERRED))}</desc>",
        f"<style>{style.STYLE}</style>",
        '<rect class="back" width="100%" height="100%"/>',
        *_head(chart),
        _grid(placed),
        *(_slot(number, slot) for number, slot in enumerate([*slots, _foot()])),
        "</svg>",
    ]
    return "\n".join(parts)


def _slot(number: int, content: tuple[str, str]) -> str:
    kind, inside = content
    y = style.HEAD + style.PITCH * number
    if not kind and number % 2:
        inside = f'<rect class="z" width="100%" height="{style.PITCH}"/>{inside}'
    return f'<g class="r{kind}" transform="translate(0 {y})" style="--i:{number}">{inside}</g>'


def _slots(chart: Chart, placed: dict[int, Lane]) -> Iterator[tuple[str, str]]:
    """Give what stands below one another: a class and the content."""
    sizes, critical = _Sizes.of(chart), chart.critical
    if len(chart.attempts) > 1:
        yield " axis", _attempts(placed)
    axis = (" axis", _axis(placed))
    detailed = chart.is_short(_DETAILED)
    for number, row in enumerate(chart.rows):
        if number % _AXIS_EVERY == 0:
            yield axis
        yield "", _row(row, placed, critical, sizes, bare=detailed)
        for step in row.steps if detailed else ():
            yield "", _step_row(step, placed)


def _head(chart: Chart) -> list[str]:
    """Draw what the run is, its figures, and what the bars mean."""
    title, *more = map(name, chart.titles)
    # There is no room for it on a phone.
    each = '<tspan class="w"> of each attempt</tspan>' if len(chart.attempts) > 1 else ""
    return [
        _text("title", 22, shorten(title, style.PHONE / 15, bold=True)),
        *(
            _text("m", 41 + 17 * number, _line(line))
            for number, line in enumerate((", ".join(more), *chart.figures))
        ),
        *(
            f'<g class="{kind}"><rect class="{bar}" x="{x}" y="{y}" width="16" height="{size}"/>'
            f'<text x="{x + 21}" y="104">{text}{each * (bar == "path")}</text></g>'
            for kind, bar, x, y, size, text in _LEGEND
        ),
    ]


def _line(text: str) -> str:
    """Shorten a line to the width of a phone: first of all, attempt 2 becomes #2."""
    room = style.PHONE / _FONT
    return text if width(text) <= room else shorten(text.replace("attempt ", "#"), room)


def _foot() -> tuple[str, str]:
    return " foot", "".join(_text("m", 30 + 16 * n, line) for n, line in enumerate(HOW_INFERRED))


def _text(kind: str, y: int, text: str, *, x: int = 8) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def _grid(placed: dict[int, Lane]) -> str:
    top = f'y="{style.HEAD}"'
    parts = []
    for number, lane in enumerate(placed.values()):
        for piece in lane.pieces:
            if piece.cut:
                told = f"{duration(piece.span.seconds)} without work, not to scale"
                place = _place(piece.left, piece.right - piece.left)
                parts.append(f'<rect class="cut" {top} {place}><title>{told}</title></rect>')
        parts += [f'<rect class="line" {top} {_place(tick.at)}/>' for tick in lane.ticks]
        if number:
            parts.append(f'<rect class="edge" {top} {_place(lane.left - 0.004)}/>')
    return f'<g class="b grid">{"".join(parts)}</g>'


def _attempts(placed: dict[int, Lane]) -> str:
    """Draw the headings of the attempts, as far as there is room for them on a phone."""
    shown: list[tuple[Lane, str]] = []
    free, dated = 0.0, True
    for number, lane in placed.items():
        if lane.left < free:
            continue
        # In a narrow attempt, the short one may reach into the next ones, which have none then.
        for text, end in ((f"attempt {number}", lane.right), (f"#{number}", 1.0)):
            taken = width(text, bold=True) * _FONT
            if taken <= (end - lane.left) * style.PHONE:
                whole = taken + width(_date(lane), bold=True) * _FONT
                # Either all have their dates, or none.
                dated = dated and whole <= (lane.right - lane.left) * _BARS
                shown.append((lane, text))
                free = lane.left + (taken + _FONT) / style.PHONE
                break
    drawn = []
    for lane, text in shown:
        date = f'<tspan class="m w">{_date(lane)}</tspan>' if dated else ""
        drawn.append(f'<text class="crit" y="12" {_place(lane.left)}>{text}{date}</text>')
    return f'<g class="b">{"".join(drawn)}</g>'


def _date(lane: Lane) -> str:
    span = lane.attempt.span
    return "" if span is None else f", {datetime.fromtimestamp(span.start, UTC):%Y-%m-%d %H:%M}"


def _axis(placed: dict[int, Lane]) -> str:
    _, every = texts(placed, _APART)
    phone, _ = texts(placed, _PHONE_APART, among=every)
    wide, _ = texts(placed, _APART, kept=phone)
    drawn = [_tick("m", tick) for tick in phone] + [_tick("m w", tick) for tick in wide]
    return f'<g class="b">{"".join(drawn)}</g>'


def _tick(kind: str, tick: Tick) -> str:
    return f'<text class="{kind}" x="3" y="12" {_place(tick.at)}>{tick.text}</text>'


def _row(
    row: Row, placed: dict[int, Lane], critical: frozenset[int], sizes: _Sizes, *, bare: bool
) -> str:
    """Draw a job; a *bare* one without its steps."""
    last = row.bars[-1]
    state = last.job.state
    marked = any(bar.job.id in critical for bar in row.bars)
    label = shorten(name(row.name), (style.LABEL - 20) / _FONT, bold=marked)
    kind = "crit" if marked else "name"
    text = (
        f'<text class="{kind}" x="8" y="13">'
        f'<tspan class="{class_of(state)}">{sign_of(state)}</tspan>'
        f'<tspan x="26">{escape(label)}</tspan></text>'
    )
    if link := _link(last.job.html_url):
        text = f"<a href={quoteattr(link)}>{text}</a>"
    bars = "".join(
        _bar(bar, placed[bar.attempt], sizes, marked=bar.job.id in critical, bare=bare)
        for bar in row.bars
        if bar.span
    )
    return f'{text}{_after(_figure(last))}<g class="b">{bars}</g>'


def _after(text: str) -> str:
    return f'<text class="m" x="100%" dx="-8" y="13" text-anchor="end">{escape(text)}</text>'


def _figure(bar: Bar) -> str:
    """Return what stands behind a row: how long it ran, or why it did not."""
    if bar.work is not None:
        return duration(bar.work.seconds)
    return shorten(name(bar.job.state), style.AFTER / _FONT)


def _bar(bar: Bar, lane: Lane, sizes: _Sizes, *, marked: bool, bare: bool) -> str:
    parts = [f"<title>{fit(name(bar.job.name), sizes.job)}\n{escape(bar.told)}</title>"]
    if bar.waiting is not None:
        parts.append(f'<rect class="wait" {_at(lane, bar.waiting)} y="7" height="4"/>')
    if bar.work is not None:
        parts.append(f'<rect class="work" {_at(lane, bar.work)} y="3" height="12"/>')
    if not bare and (steps := "".join(_steps(bar.steps, lane, sizes))):
        parts.append(f"<g>{steps}</g>")
    if marked and bar.span is not None:
        parts.append(f'<rect class="path" {_at(lane, bar.span)} y="15" height="3"/>')
    return f'<g class="{class_of(bar.job.state)}">{"".join(parts)}</g>'


def _steps(steps: Sequence[StepBar], lane: Lane, sizes: _Sizes) -> Iterator[str]:
    """Draw the steps within a job's bar: every second one darker, one that failed the darkest."""
    for number, bar in enumerate(steps):
        left, size = lane.place(bar.span)
        failed = bar.step.state == "failure"
        if size >= _UNSEEN or failed:
            kind = 'class="f" ' if failed else 'class="e" ' * (number % 2)
            told = f"{fit(name(bar.step.name), sizes.step)} {duration(bar.span.seconds)}"
            yield f"<rect {kind}{_place(left, size)}><title>{told}</title></rect>"


def _step_row(row: StepRow, placed: dict[int, Lane]) -> str:
    """Draw a step in a row of its own."""
    title = name(row.name)
    last = row.bars[-1][1]
    drawn = "".join(
        f'<g class="{class_of(step.step.state)}"><title>{escape(title)}</title>'
        f'<rect class="work" {_at(placed[bar.attempt], step.span)} y="5" height="8"/></g>'
        for bar, step in row.bars
    )
    kind = "bad" if last.step.state == "failure" else "m"
    text = _text(kind, 13, shorten(title, (style.LABEL - 32) / _FONT), x=40)
    return f'{text}{_after(duration(last.span.seconds))}<g class="b">{drawn}</g>'


def _at(lane: Lane, span: Span) -> str:
    return _place(*lane.place(span))


def _place(left: float, size: float | None = None) -> str:
    """Return the style that places something; see `style.STYLE`."""
    places = (f"--x:{left:.4f}",) if size is None else (f"--x:{left:.4f}", f"--w:{size:.4f}")
    return f'style="{";".join(places)}"'


def _link(url: str | None) -> str | None:
    """Return *url* if it leads to a web page and to nothing else."""
    return url if url is not None and _LINK.fullmatch(url) else None
