"""
A job's log by steps.

No API tells which line belongs to which step, and the times of steps are whole seconds. So the split
says how sure it is, and lines that cannot be placed stay apart.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.logtext.align import Reading, Role, read, slots
from ghjobs_async.logtext.openers import Opener, OpenerFinder, second

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghjobs_async.logtext.lines import LogLine
    from ghjobs_async.models import Job, Step

#: From which share of all readings on a boundary counts as certain, or as likely.
_CERTAIN: Final = 0.995
_LIKELY: Final = 0.6


class Certainty(StrEnum):
    """How sure the lines of a step are."""

    #: The step begins and ends where its lines do; of such lines 99 in 100 are right.
    CERTAIN = "certain"
    #: The best of several readings.
    LIKELY = "likely"
    #: Not told; such a step has no lines here, whether it wrote some or not.
    UNKNOWN = "unknown"


@attrs.frozen
class StepSpan:
    """
    Where a step's lines stand.

    Attributes:
        step: The step.

        start: How many lines of the log stand before its own.

        stop: How many lines stand before what follows; equal to ``start`` for a step without lines.

        certainty: How sure that is.
    """

    step: Step
    start: int
    stop: int
    certainty: Certainty


@attrs.frozen
class StepLog:
    """
    The lines of one step.

    Attributes:
        step: The step.

        lines: Its lines.

        certainty: How sure it is that these are its lines, all of them, and no others.
    """

    step: Step
    lines: tuple[LogLine, ...]
    certainty: Certainty


@attrs.frozen
class StepLogs:
    """
    A log by steps.

    Attributes:
        steps: All steps of the job, in the job's order.

        unattributed: The lines that belong to no step, or to one that cannot be told.
    """

    steps: tuple[StepLog, ...]
    unattributed: tuple[LogLine, ...]


class StepFinder:
    """
    Lines in, the places of the steps out, without keeping lines.

    Args:
        job: The job that wrote the log.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._slots = slots(job)
        self._openers = OpenerFinder()
        # Only the lines where the log passes the beginning or the end of a step are of interest.
        edges = {edge for slot in self._slots for edge in (slot.start, slot.end + 1)}
        self._edges = sorted(edges)
        self._passed: list[tuple[int, int]] = [(0, -1)]
        self._stamp: str | None = None

    def feed(self, lines: Iterable[LogLine]) -> None:
        """Take the next lines."""
        index = self._openers.count
        lines = tuple(lines)
        self._openers.feed(lines)
        for line in lines:
            if not line.continuation:
                stamp = line.time_text
                if stamp is not None and (self._stamp is None or stamp[:19] != self._stamp):
                    self._stamp = stamp[:19]
                    self._pass(index, second(line))
            index += 1

    def close(self) -> tuple[StepSpan, ...]:
        """Give a place for every step of the job, in the job's order."""
        openers = self._openers.close()
        count = self._openers.count
        found: dict[int, tuple[int, int, Certainty]] = {}
        if openers is not None:
            reading = read(openers, self._slots)
            for place, slot in enumerate(self._slots):
                span = self._span(reading, openers, place)
                for index in slot.steps:
                    found[index] = span
        spans: list[StepSpan] = []
        at = 0
        ran = {index for slot in self._slots for index in slot.steps}
        for index, step in enumerate(self._job.steps):
            # A step that did not run has no lines; that much is certain.
            other = (at, at, Certainty.UNKNOWN if index in ran else Certainty.CERTAIN)
            start, stop, certainty = found.get(index, other)
            if start == stop:
                start = stop = at
            at = min(max(at, stop), count)
            spans.append(StepSpan(step, start, stop, certainty))
        return tuple(spans)

    def _pass(self, index: int, when: int | None) -> None:
        if when is not None:
            bucket = bisect_right(self._edges, when) - 1
            if bucket != self._passed[-1][1]:
                self._passed.append((index, bucket))

    def _first_at(self, edge: float, start: int, stop: int) -> int:
        """The first line from *start* that was written at *edge* or later; else *stop*."""
        goal = bisect_right(self._edges, edge) - 1
        at = max(0, bisect_right(self._passed, (start, len(self._edges))) - 1)
        for index, bucket in self._passed[at:]:
            if index >= stop:
                break
            if bucket >= goal:
                return max(index, start)
        return stop

    def _span(
        self, reading: Reading, openers: Sequence[Opener], place: int
    ) -> tuple[int, int, Certainty]:
        slot, begin = self._slots[place], reading.begins[place]
        if begin is None:
            # A step that ran writes something as a rule, so a step without lines is never certain.
            silent = reading.sure[place] >= _CERTAIN
            return 0, 0, Certainty.LIKELY if silent else Certainty.UNKNOWN
        if slot.role is Role.PARALLEL:
            return 0, 0, Certainty.UNKNOWN
        share = reading.sure[place]
        after = place + 1
        while after < len(self._slots) and reading.begins[after] is None:
            share = min(share, reading.sure[after])
            after += 1
        clean = after == place + 1 and (slot.sound or slot.role in {Role.SETUP, Role.COMPLETE})
        start = 0 if begin < 0 else openers[begin].index
        stop, following = self._openers.count, len(openers)
        if after < len(self._slots):
            following = reading.begins[after] or 0
            stop = openers[following].index
            share = min(share, reading.boundary[following])
        inner = max(reading.boundary[begin + 1 : following], default=0.0)
        share = min(share, 1 - inner)
        if slot.role is Role.SETUP:
            # GitHub's servers write a few lines up to hours before a runner takes the job.
            start = self._first_at(slot.start, start, stop)
        if slot.role is not Role.COMPLETE:
            late = self._first_at(slot.end + 1, start, stop)
            clean = clean and late == stop
            stop = late
        if share < _LIKELY or start == stop:
            return 0, 0, Certainty.UNKNOWN
        return start, stop, Certainty.CERTAIN if clean and share >= _CERTAIN else Certainty.LIKELY


class StepSplitter:
    """
    Lines in, lines by steps out; the push side of `split_steps`. It keeps every line.

    Args:
        job: The job that wrote the log.
    """

    def __init__(self, job: Job) -> None:
        self._finder = StepFinder(job)
        self._lines: list[LogLine] = []

    def feed(self, lines: Iterable[LogLine]) -> None:
        """Take the next lines."""
        lines = tuple(lines)
        self._lines += lines
        self._finder.feed(lines)

    def close(self) -> StepLogs:
        """Give all lines, by steps."""
        steps: list[StepLog] = []
        rest: list[LogLine] = []
        at = 0
        for span in self._finder.close():
            rest += self._lines[at : span.start]
            at = max(at, span.stop)
            steps.append(
                StepLog(span.step, tuple(self._lines[span.start : span.stop]), span.certainty)
            )
        rest += self._lines[at:]
        return StepLogs(tuple(steps), tuple(rest))


def split_steps(lines: Iterable[LogLine], job: Job) -> StepLogs:
    """
    Attribute the lines of a log to the steps of its job: from markers first, step times second.

    Steps that ran in parallel are `Certainty.UNKNOWN`, since their lines may be mixed. A job without
    steps, as GitHub tells it of old runs, has all its lines unattributed.

    Args:
        lines: All lines of the log; they are kept.

        job: The job that wrote it.
    """
    splitter = StepSplitter(job)
    splitter.feed(lines)
    return splitter.close()
