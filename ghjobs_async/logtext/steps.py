"""
Split a job's log into its steps.

No API says which line belongs to which step, and the times of steps are whole seconds. So the split
says how certain it is, and lines that belong to no known step are separate.
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

#: The shares of all readings from which a boundary counts as certain, or as likely. What is certain
#: is meant to be never wrong, so that share is high.
_CERTAIN: Final = 0.9997
_LIKELY: Final = 0.6


class Certainty(StrEnum):
    """How certain it is that lines belong to a step."""

    #: Exactly these lines.
    CERTAIN = "certain"
    #: The best of several possible splits.
    LIKELY = "likely"
    #: It cannot be decided: the step has no lines here, whether it wrote any or not.
    UNKNOWN = "unknown"


@attrs.frozen
class StepSpan:
    """The range of a step's lines, and how certain it is."""

    step: Step
    start: int
    #: The index after its last line; equal to `start` for a step without lines.
    stop: int
    certainty: Certainty


@attrs.frozen
class StepLog:
    """The lines of one step, and how certain it is that these are exactly its lines."""

    step: Step
    lines: tuple[LogLine, ...]
    certainty: Certainty


@attrs.frozen
class StepLogs:
    """
    A log, split into steps.

    Attributes:
        steps: All steps of the job, in their order.
        unattributed: The lines of no step, and those whose step is unknown.
    """

    steps: tuple[StepLog, ...]
    unattributed: tuple[LogLine, ...]


class StepFinder:
    """Find the ranges of the steps in lines that are fed; no line is kept."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._slots = slots(job)
        self._openers = OpenerFinder()
        # Only the lines at which the time passes the start or end of a step are needed.
        all_slots = (*self._slots, *slots(job, debug=True))
        edges = {edge for slot in all_slots for edge in (slot.start, slot.end + 1)}
        self._edges = sorted(edges)
        self._passed: list[tuple[int, int]] = [(0, -1)]
        # The second of the last line.
        self._stamp = b"-"

    def feed(self, lines: Iterable[LogLine]) -> None:
        """Take the next lines."""
        first = self._openers.count
        lines = lines if isinstance(lines, list) else list(lines)
        self._openers.feed(lines)
        stamp = self._stamp
        for index, line in enumerate(lines, first):
            if line.raw[:19] != stamp and not line.continuation:
                stamp = (line.time_text or "-")[:19].encode()
                self._pass(index, second(line))
        self._stamp = stamp

    def close(self) -> tuple[StepSpan, ...]:
        """Return a range for every step of the job, in their order."""
        openers = self._openers.close()
        if self._openers.debug:
            self._slots = slots(self._job, debug=True)
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
            # A step that did not run certainly has no lines.
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
        """Return the first line from *start* on that was written at *edge* or later, or *stop*."""
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
            # Nearly every step that ran wrote something, so having no lines is never certain.
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
            # GitHub's servers write a few lines, up to hours before a runner takes the job.
            start = self._first_at(slot.start, start, stop)
        if slot.role is not Role.COMPLETE:
            late = self._first_at(slot.end + 1, start, stop)
            clean = clean and late == stop
            stop = late
        if share < _LIKELY or start == stop:
            return 0, 0, Certainty.UNKNOWN
        clean = clean and not self._openers.unknown
        return start, stop, Certainty.CERTAIN if clean and share >= _CERTAIN else Certainty.LIKELY


class StepSplitter:
    """
    Split lines that are fed into steps; `split_steps` does the same for an iterable.

    Every line is kept.
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
        """Return all lines, split into steps."""
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
    Split the lines of a log into the steps of its job, by markers and by the times of the steps.

    Steps that ran in parallel are `Certainty.UNKNOWN`, since their lines may be mixed. All lines of
    a job without steps, such as that of an old run, are unattributed. All lines are kept.
    """
    splitter = StepSplitter(job)
    splitter.feed(lines)
    return splitter.close()
