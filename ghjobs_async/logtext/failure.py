"""Find in a log why its job failed: the failing step, its errors, and the reason."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.errors import one_line
from ghjobs_async.logtext.lines import LineKind, LogLine
from ghjobs_async.logtext.noise import says_nothing
from ghjobs_async.logtext.openers import second
from ghjobs_async.logtext.reason import MAX_LOOKED_AT, FailureReason, find_reason
from ghjobs_async.logtext.rules import FailureKind
from ghjobs_async.logtext.steps import Certainty, StepFinder
from ghjobs_async.models import Conclusion, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghjobs_async.models import Job, Step

#: The size of an excerpt: what a person reads, and what fits into a comment on GitHub.
MAX_LINES: Final = 100
MAX_BYTES: Final = 32_768
#: How many lines to keep around an error, and before one that says nothing, such as an exit code.
_CONTEXT: Final = 5
_FAR: Final = 50

#: Steps within one second can only be told apart at the end of the log. Until then, this many times
#: of what is needed is kept; of lines to search for the reason, at most so many bytes.
_SPARE: Final = 4
_MAX_KEPT: Final = 4 << 20
# How many lines without a timestamp to keep behind an error, beyond its context.
_MAX_CONTINUATION: Final = 100
# How many lines `failure_excerpt` feeds at once.
_BATCH: Final = 1_000

# The size of an excerpt as text: what a chat message shows without being cut.
_MAX_TEXT_LINES: Final = 6
_MAX_TEXT_LINE: Final = 250

#: The conclusions that count as failures, with their words; a step in progress lost its runner.
_FAILURES: Final[dict[str, str]] = {
    Conclusion.FAILURE: "failed",
    Conclusion.TIMED_OUT: "timed out",
    Conclusion.CANCELLED: "was cancelled",
}
_WORDS: Final[dict[str, str]] = {**_FAILURES, Status.IN_PROGRESS: "never ended"}
_MARKER: Final = re.compile(r"##\[[\w-]+\]")


@attrs.frozen
class FailureExcerpt:
    """
    The lines of a log that say why its job failed; as a string, a short message for a chat.

    Attributes:
        step: The first step that failed; None where GitHub names none.
        lines: Its errors, each with the lines around it; without errors, its last lines.
        errors: The error lines among ``lines``.
        certainty: How certain it is that the lines are the step's. If unknown, they are the errors
            from the time of the step, or of the whole log where there is no step or none of its
            lines is found.
        capped: Whether lines were left out because there were too many.
        reason: Why it failed, in one line; None where neither log nor annotations say it.
    """

    step: Step | None
    lines: tuple[LogLine, ...]
    errors: tuple[LogLine, ...]
    certainty: Certainty
    capped: bool
    reason: FailureReason | None = None

    def __str__(self) -> str:
        head = "The job did not succeed"
        if self.step is not None:
            name = one_line(self.step.name, _MAX_TEXT_LINE)
            head = f'Step "{name}" {_WORDS.get(self.step.state, "did not succeed")}'
            if self.certainty is Certainty.UNKNOWN and self.lines:
                head += " (these lines may be from another step)"
        reason = self.reason
        if reason is not None:
            texts = [reason.headline, *(line.plain for line in reason.lines[1:])]
            if reason.kind not in {FailureKind.OTHER, FailureKind.ACTION}:
                head += f" ({reason.kind.word})"
        else:
            texts = [line.plain for line in self._tail()]
            head += "; the log does not say why" if texts else ""
        rows = [one_line(_MARKER.sub("", text), _MAX_TEXT_LINE) for text in texts]
        rows = [text for text in dict.fromkeys(rows) if text]
        return "\n  ".join([f"{head}:", *rows]) if rows else f"{head}."

    @property
    def headline(self) -> str | None:
        """Why it failed in one line; without a reason its first error, if there is one."""
        if self.reason is not None:
            return self.reason.headline
        return self.errors[0].plain if self.errors else None

    @property
    def unexplained(self) -> bool:
        """Whether annotations may say more: the log says nothing, or only that it was cancelled."""
        return self.reason is None or self.reason.kind is FailureKind.CANCELLED

    def _tail(self) -> tuple[LogLine, ...]:
        """Return the last lines up to the first error."""
        end = self.lines.index(self.errors[0]) + 1 if self.errors else len(self.lines)
        return self.lines[max(0, end - _MAX_TEXT_LINES) : end]


def failing_step(job: Job) -> Step | None:
    """
    Return the step because of which the job did not succeed.

    In a job that was cancelled or ran out of time, it is the first step that was stopped: what failed
    later ran always, such as a report. Else it is the first step that failed, or that never ended
    because its runner was lost.
    """
    stopped: tuple[str, ...] = (Conclusion.CANCELLED, Conclusion.TIMED_OUT)
    broken: tuple[str, ...] = (Conclusion.FAILURE, Conclusion.TIMED_OUT)
    if job.state in _FAILURES:
        broken = (*broken, Status.IN_PROGRESS)
    for states in (stopped, broken) if job.state in stopped else (broken, stopped):
        found = [step for step in job.steps if step.state in states]
        if found:
            begun = [(step.started_at, at) for at, step in enumerate(found) if step.started_at]
            return found[min(begun)[1] if begun else 0]
    return None


@attrs.define
class _Error:
    """An error, the lines around it, and how many more belong behind it."""

    index: int
    line: LogLine
    before: Sequence[LogLine]
    after: list[LogLine]
    room: int

    def around(self, near: int) -> Iterable[tuple[int, LogLine]]:
        """Yield the error and its neighbours, *near* of them before it, with their indexes."""
        before = self.before[-near:] if near else ()
        return enumerate((*before, self.line, *self.after), self.index - len(before))

    def fill(self, lines: Iterable[LogLine]) -> None:
        """Take the lines that follow: so many, then those that have no timestamp of their own."""
        for line in lines:
            full = self.room <= -_MAX_CONTINUATION or (self.room <= 0 and not line.continuation)
            if full or len(line.raw) > MAX_BYTES:
                self.room = -_MAX_CONTINUATION
                return
            self.after.append(line)
            self.room -= 1


class _Tail:
    """The last lines of batches, bounded in number and bytes."""

    def __init__(self, max_lines: int) -> None:
        self._max_lines = max_lines
        self._batches: deque[tuple[int, Sequence[LogLine], int]] = deque()
        self._count = self._bytes = 0

    def add(self, index: int, lines: Sequence[LogLine]) -> None:
        """Take the lines of a batch; *index* is that of the first."""
        size = sum([len(line.raw) for line in lines])
        self._batches.append((index, lines, size))
        self._count += len(lines)
        self._bytes += size
        while len(self._batches) > 1 and (
            self._count - len(self._batches[0][1]) >= self._max_lines or self._bytes > _MAX_KEPT
        ):
            _, dropped, size = self._batches.popleft()
            self._count -= len(dropped)
            self._bytes -= size

    def between(self, start: int, stop: int) -> list[LogLine]:
        """Return the lines from *start* to before *stop*."""
        found: list[LogLine] = []
        for first, lines, _ in self._batches:
            found += lines[max(0, start - first) : max(0, stop - first)]
        return found


class FailureFinder:
    """
    Find the excerpt in lines that are fed; `failure_excerpt` does the same for an iterable.

    Args:
        job: The job that wrote the log.
        context: How many lines to keep before and after each error; by default 5, but 50 before an
            error that says nothing where no other error does.
        max_lines: The most lines of the excerpt.
        max_bytes: The most bytes of the excerpt; it always has one line.
    """

    def __init__(
        self,
        job: Job,
        *,
        context: int | None = None,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._step = step = failing_step(job)
        self._failed = step is not None or job.state in _FAILURES
        self._near = _CONTEXT if context is None else context
        self._far = _FAR if context is None else context
        self._max_lines, self._max_bytes = max_lines, max_bytes
        self._steps = StepFinder(job)
        self._index = 0
        start = None if step is None else step.started_at
        end = None if step is None else step.completed_at
        self._start = None if start is None else int(start.timestamp())
        self._end = None if end is None else int(end.timestamp())
        if self._start is not None and self._end is not None and self._start > self._end:
            self._start = self._end = None
        # The lines before those that are fed, for the context of an error.
        self._recent: list[LogLine] = []
        # The errors before, within and behind the step's time.
        self._errors: dict[int, list[_Error]] = {-1: [], 0: [], 1: []}
        self._bytes = {-1: 0, 0: 0, 1: 0}
        # The last lines within the step's time, the first ones behind it, and the last of the log.
        self._inside = _Tail(_SPARE * MAX_LOOKED_AT)
        self._behind: list[LogLine] = []
        self._behind_at = self._behind_bytes = 0
        self._last = _Tail(MAX_LOOKED_AT)

    def feed(self, lines: Iterable[LogLine]) -> None:
        """Take the next lines; they are in the order of their times."""
        if not self._failed:
            return
        batch = lines if isinstance(lines, list) else list(lines)
        if not batch:
            return
        self._steps.feed(batch)
        for errors in self._errors.values():
            if errors and errors[-1].room > -_MAX_CONTINUATION:
                errors[-1].fill(batch)
        for at in [at for at, line in enumerate(batch) if line.kind is LineKind.ERROR]:
            self._keep(at, batch)
        self._recent = (self._recent + batch[-self._far :])[-self._far :] if self._far else []
        self._last.add(self._index, batch)
        start = bisect_left(batch, 0, key=self._phase)
        stop = bisect_left(batch, 1, key=self._phase)
        if start < stop:
            self._inside.add(self._index + start, batch[start:stop])
        if stop < len(batch) and len(self._behind) < MAX_LOOKED_AT:
            self._behind_at = self._behind_at or self._index + stop
            for line in batch[stop : stop + MAX_LOOKED_AT]:
                self._behind_bytes += len(line.raw)
                if self._behind_bytes < _MAX_KEPT:
                    self._behind.append(line)
        self._index += len(batch)

    def close(self) -> FailureExcerpt | None:
        """Return the excerpt; None for a job that did not fail."""
        if not self._failed:
            return None
        certainty, start, stop = Certainty.UNKNOWN, 0, self._index
        behind = self._index
        spans = iter(self._steps.close())
        for span in spans:
            if span.step is self._step:
                if span.certainty is not Certainty.UNKNOWN:
                    certainty, start, stop = span.certainty, span.start, span.stop
                behind = next((s.start for s in spans if s.stop > s.start >= stop), behind)
        errors = [error for error in self._errors[0] if start <= error.index < stop]
        lines = self._inside.between(start, stop)
        late = [error for error in self._errors[1] if start <= error.index < behind]
        if not errors and late:
            # GitHub's end of a step may lie before its last lines.
            errors = late
            lines += self._behind[: behind - self._behind_at]
            stop = behind
            certainty = Certainty.LIKELY if certainty is Certainty.CERTAIN else certainty
        if not errors and not lines:
            certainty = Certainty.UNKNOWN
            errors = [error for phase in (-1, 0, 1) for error in self._errors[phase]]
            lines, start, stop = self._last.between(0, self._index), 0, self._index
        reason = find_reason(lines)
        if reason is not None and reason.certainty is not Certainty.UNKNOWN:
            sure = reason.certainty if certainty is Certainty.CERTAIN else certainty
            reason = attrs.evolve(reason, certainty=sure)
        quiet = all(says_nothing(error.line.plain) for error in errors)
        around = {
            index: line
            for error in errors
            for index, line in error.around(self._far if quiet else self._near)
            if start <= index < stop
        }
        inside = [around[index] for index in sorted(around)] if errors else lines[::-1]
        short: list[LogLine] = []
        size = 0
        for line in inside:
            size += len(line.raw)
            if len(short) == self._max_lines or (short and size > self._max_bytes):
                break
            short.append(line)
        capped = len(short) < len(inside)
        short.sort(key=lambda line: line.number)
        shown = tuple(line for line in short if line.kind is LineKind.ERROR)
        return FailureExcerpt(self._step, tuple(short), shown, certainty, capped, reason)

    def _phase(self, line: LogLine) -> int:
        """Return -1, 0 or 1 for a line before, within and behind the step's time."""
        when = second(line)
        if when is None:
            return 0
        if self._start is not None and when < self._start:
            return -1
        return int(self._end is not None and when > self._end)

    def _keep(self, at: int, batch: list[LogLine]) -> None:
        """Keep the error at *at* of a batch with the lines around it, unless there are too many."""
        line = batch[at]
        phase = self._phase(line)
        errors = self._errors[phase]
        if errors and (
            len(errors) >= _SPARE * self._max_lines or self._bytes[phase] > _SPARE * self._max_bytes
        ):
            return
        before: list[LogLine] = []
        size = len(line.raw)
        far = batch[max(0, at - self._far) : at]
        if len(far) < self._far:
            far = (self._recent + far)[-self._far :]
        for one in reversed(far):
            size += len(one.raw)
            if size > self._max_bytes:
                break
            before.append(one)
        self._bytes[phase] += size
        error = _Error(self._index + at, line, before[::-1], [], self._near)
        error.fill(batch[at + 1 : at + 1 + self._near + _MAX_CONTINUATION])
        errors.append(error)


def failure_excerpt(
    lines: Iterable[LogLine],
    job: Job,
    *,
    context: int | None = None,
    max_lines: int = MAX_LINES,
    max_bytes: int = MAX_BYTES,
) -> FailureExcerpt | None:
    """
    Return the errors of a job's failing step, with context, and the reason why it failed.

    Args:
        lines: All lines of the log; few are kept.
        job: The job that wrote it.
        context: How many lines to include before and after each error, as in `FailureFinder`.
        max_lines: The most lines of the excerpt.
        max_bytes: The most bytes of the excerpt; it always has one line.

    Returns:
        The excerpt; None for a job that did not fail.
    """
    finder = FailureFinder(job, context=context, max_lines=max_lines, max_bytes=max_bytes)
    rest = iter(lines)
    while batch := list(islice(rest, _BATCH)):
        finder.feed(batch)
    return finder.close()
