"""Where a time lies on a chart, in parts of its width: attempts side by side, long idling cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

import attrs

from ghjobs_async.audit.gantt.chart import Attempt, Chart, Span
from ghjobs_async.display import brief

#: Idle time is cut where it is longer than this many times all work together.
_LONG: Final = 3.0
#: In parts of the width: a cut; a gap between attempts, and all gaps; the least of an attempt.
_CUT, _GAP, _GAPS = 0.03, 0.015, 0.2
_LEAST, _LEASTS = 0.08, 0.6
#: The least distance of two ticks.
_TICK: Final = 0.055
_STEPS: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * n for n in (1, 2, 5, 10, 15, 30)),
    *(3600 * n for n in (1, 2, 3, 6, 12)),
    *(86_400 * n for n in (1, 2, 5, 10, 20)),
)


@attrs.frozen
class Piece:
    """A part of an attempt's time, and where it lies; what is *cut* is not to scale."""

    span: Span
    left: float
    right: float
    cut: bool = False

    def at(self, time: float) -> float:
        """Return where *time* lies."""
        inside = min(max(time, self.span.start), self.span.end) - self.span.start
        share = inside / self.span.seconds if self.span.seconds else 0.0
        return self.left + share * (self.right - self.left)


@attrs.frozen
class Tick:
    """A mark on the axis: where, the time since the attempt began, whether a part begins there."""

    at: float
    text: str
    first: bool


@attrs.frozen
class Lane:
    """The part of the width that one attempt has; its ticks lie so far *apart*."""

    attempt: Attempt
    left: float
    right: float
    pieces: tuple[Piece, ...]
    ticks: tuple[Tick, ...]
    apart: float

    def at(self, time: float) -> float:
        """Return where *time* lies; what is outside lies at the edge."""
        for piece in self.pieces:
            if time <= piece.span.end:
                return piece.at(time)
        return self.pieces[-1].right if self.pieces else self.left

    def place(self, span: Span) -> tuple[float, float]:
        """Return where *span* begins, and how wide it is."""
        left = self.at(span.start)
        return left, self.at(span.end) - left


def lanes(chart: Chart) -> dict[int, Lane]:
    """Divide the width among the attempts, by their numbers; one scale for all."""
    attempts = [attempt for attempt in chart.attempts if attempt.span]
    if not attempts:
        return {}
    work = {one.number: _union(bar.work for bar in one.bars) for one in attempts}
    longest = _LONG * sum(span.seconds for spans in work.values() for span in spans)
    parts = {one.number: _parts(one, work[one.number], longest) for one in attempts}
    gap = min(_GAP, _GAPS / len(attempts))
    room = 1.0 - gap * (len(attempts) - 1)
    scale, widths = _scale(list(parts.values()), room)
    step = next((step for step in _STEPS if step * scale >= _TICK), _STEPS[-1])
    found: dict[int, Lane] = {}
    left = 0.0
    for attempt, width in zip(attempts, widths, strict=True):
        pieces, at = [], left
        for span, cut in parts[attempt.number]:
            right = at + (_CUT if cut else span.seconds * scale)
            pieces.append(Piece(span, at, right, cut))
            at = right
        ticks = tuple(_ticks(pieces, step)) if scale else (Tick(left, "0", first=True),)
        found[attempt.number] = Lane(
            attempt, left, left + width, tuple(pieces), ticks, step * scale
        )
        left += width + gap
    return found


def texts(
    placed: dict[int, Lane], least: float, *, among: int = 1, kept: Iterable[Tick] = ()
) -> tuple[list[Tick], int]:
    """
    Choose the ticks whose texts are shown: those where an attempt begins or goes on, and every nth.

    Args:
        placed: The attempts.
        least: How far two texts have to be apart, and the last one from the end.
        among: Choose only from every *among*-th tick.
        kept: Ticks whose texts are shown already.

    Returns:
        The ticks, and n: a multiple of *among*.
    """
    apart = next((lane.apart for lane in placed.values()), 0.0)
    every = among * ceil(least / (apart * among)) if apart else 1
    ticks = [tick for lane in placed.values() for tick in lane.ticks if tick.first]
    ticks += [tick for lane in placed.values() for tick in lane.ticks[every::every]]
    taken = [tick.at for tick in kept]
    found: list[Tick] = []
    for tick in ticks:
        room = tick.at <= 1.0 - least and all(abs(tick.at - at) >= least * 0.99 for at in taken)
        if tick.text and room:
            taken.append(tick.at)
            found.append(tick)
    return found, every


def _union(spans: Iterable[Span | None]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted((span for span in spans if span), key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _parts(attempt: Attempt, work: Sequence[Span], longest: float) -> list[tuple[Span, bool]]:
    """Return the parts of an attempt's time, and which of them are cut."""
    whole = attempt.span
    assert whole is not None
    parts: list[tuple[Span, bool]] = []
    start = now = whole.start
    for span in (*work, Span(whole.end, whole.end)):
        if longest and span.start - now > longest:
            if now > start:
                parts.append((Span(start, now), False))
            parts.append((Span(now, span.start), True))
            start = span.start
        now = max(now, span.end)
    return [*parts, (Span(start, whole.end), False)]


def _scale(parts: Sequence[Sequence[tuple[Span, bool]]], room: float) -> tuple[float, list[float]]:
    """Return the width of a second and of each attempt; short attempts get more than their share."""
    least = min(_LEAST, _LEASTS / len(parts))
    lengths = [sum(span.seconds for span, cut in part if not cut) for part in parts]
    cuts = [_CUT * sum(cut for _, cut in part) for part in parts]
    short: set[int] = set()
    while True:
        rest = room - sum(max(least, cuts[i]) if i in short else cuts[i] for i in range(len(parts)))
        length = sum(lengths[i] for i in range(len(parts)) if i not in short)
        scale = max(0.0, rest) / length if length else 0.0
        more = {i for i in range(len(parts)) if cuts[i] + lengths[i] * scale < least} - short
        if not more:
            break
        short |= more
    widths = [max(least, cuts[i] + lengths[i] * scale) for i in range(len(parts))]
    excess = sum(widths) / room
    return (scale, widths) if excess <= 1 else (scale / excess, [w / excess for w in widths])


def _ticks(pieces: Sequence[Piece], step: float) -> Iterable[Tick]:
    begin = pieces[0].span.start
    for number, piece in enumerate(pieces):
        if piece.cut:
            continue
        for count in range(int(piece.span.seconds // step) + 1):
            time = piece.span.start + count * step
            # Behind a cut, only the first has a text: how long it has been.
            text = "" if number and count else brief(int(time - begin))
            yield Tick(piece.at(time), text, first=not count)
