"""Find in a log why its job failed: the errors of the failing step."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.errors import one_line
from ghjobs_async.logtext.lines import LineKind, LogLine
from ghjobs_async.logtext.openers import second
from ghjobs_async.logtext.steps import Certainty, StepFinder
from ghjobs_async.models import Conclusion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghjobs_async.models import Job, Step

#: The size of an excerpt: what a person reads, and what fits into a comment on GitHub.
MAX_LINES: Final = 100
MAX_BYTES: Final = 32_768

#: Steps within one second can only be told apart at the end of the log. Until then, this many times
#: the size of the excerpt is kept.
_SPARE: Final = 4

# The size of an excerpt as text: what a chat message shows without being cut.
_MAX_TEXT_LINES: Final = 6
_MAX_TEXT_LINE: Final = 250

#: The conclusions that count as failures, the worst one first, with their words.
_FAILURES: Final[dict[str, str]] = {
    Conclusion.FAILURE: "failed",
    Conclusion.TIMED_OUT: "timed out",
    Conclusion.CANCELLED: "was cancelled",
}
# The runner's own error, which does not name a cause.
_EXIT_CODE: Final = b"Process completed with exit code "
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
    """

    step: Step | None
    lines: tuple[LogLine, ...]
    errors: tuple[LogLine, ...]
    certainty: Certainty
    capped: bool

    def __str__(self) -> str:
        head = "The job did not succeed"
        if self.step is not None:
            name = one_line(self.step.name, _MAX_TEXT_LINE)
            head = f'Step "{name}" {_FAILURES.get(self.step.state, "did not succeed")}'
            if self.certainty is Certainty.UNKNOWN and self.lines:
                head += " (these lines may be from another step)"
        texts = (one_line(_MARKER.sub("", line.plain), _MAX_TEXT_LINE) for line in self._cause())
        rows = [text for text in dict.fromkeys(texts) if text]
        more = len(rows) - _MAX_TEXT_LINES
        rows[_MAX_TEXT_LINES:] = [f"... and {more} more"] if more > 0 else []
        return "\n  ".join([f"{head}:", *rows]) if rows else f"{head}."

    def _cause(self) -> tuple[LogLine, ...]:
        """Return the errors; where they name no cause, the last lines before them, too."""
        if not all(line.content.startswith(_EXIT_CODE) for line in self.errors):
            return self.errors
        end = self.lines.index(self.errors[0]) + 1 if self.errors else len(self.lines)
        return self.lines[max(0, end - _MAX_TEXT_LINES) : end]


def failing_step(job: Job) -> Step | None:
    """Return the first step that failed, else the first that timed out, else was cancelled."""
    for conclusion in _FAILURES:
        for step in job.steps:
            if step.state == conclusion:
                return step
    return None


class FailureFinder:
    """
    Find the excerpt in lines that are fed; `failure_excerpt` does the same for an iterable.

    Args:
        job: The job that wrote the log.
        context: How many lines to keep before and after each error.
        max_lines: The most lines of the excerpt.
        max_bytes: The most bytes of the excerpt; it always has one line.
    """

    def __init__(
        self,
        job: Job,
        *,
        context: int = 5,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._job, self._step = job, failing_step(job)
        self._context, self._max_lines, self._max_bytes = context, max_lines, max_bytes
        self._steps = StepFinder(job)
        self._index = 0
        self._kept: list[tuple[int, LogLine]] = []
        self._bytes = 0
        self._full = False
        # The lines before the next error; the last lines, for a step without errors.
        self._before: deque[tuple[int, LogLine]] = deque(maxlen=context)
        self._tail: deque[tuple[int, LogLine]] = deque()
        self._tail_bytes = 0
        self._after = 0
        self._in_time = True
        # The errors of the whole log, for a log whose times do not agree with the step's.
        self._anywhere: FailureFinder | None = None
        if self._step is not None:
            self._anywhere = FailureFinder(
                attrs.evolve(job, steps=()),
                context=context,
                max_lines=max_lines,
                max_bytes=max_bytes,
            )

    def feed(self, lines: Iterable[LogLine]) -> None:
        """Take the next lines."""
        lines = tuple(lines)
        self._steps.feed(lines)
        if self._anywhere is not None:
            self._anywhere.feed(lines)
        for line in lines:
            if not line.continuation:
                self._in_time = self._timely(line)
            if self._in_time:
                self._take(line)
            self._index += 1

    def close(self) -> FailureExcerpt | None:
        """Return the excerpt; None for a job that did not fail."""
        step = self._step
        if step is None and self._job.state not in _FAILURES:
            return None
        certainty, start, stop = Certainty.UNKNOWN, 0, self._index
        for span in self._steps.close():
            if span.step is step and span.certainty is not Certainty.UNKNOWN:
                certainty, start, stop = span.certainty, span.start, span.stop
        inside = [line for index, line in self._kept if start <= index < stop]
        capped = self._full
        if not any(line.kind is LineKind.ERROR for line in inside):
            inside = [line for index, line in self._tail if start <= index < stop]
            inside.reverse()
        if not inside and self._anywhere is not None and (found := self._anywhere.close()):
            return attrs.evolve(found, step=step)
        short: list[LogLine] = []
        size = 0
        for line in inside:
            size += len(line.raw)
            if len(short) == self._max_lines or (short and size > self._max_bytes):
                capped = True
                break
            short.append(line)
        short.sort(key=lambda line: line.number)
        errors = tuple(line for line in short if line.kind is LineKind.ERROR)
        return FailureExcerpt(step, tuple(short), errors, certainty, capped)

    def _timely(self, line: LogLine) -> bool:
        step, when = self._step, second(line)
        if step is None or when is None or step.started_at is None or step.completed_at is None:
            return True
        start, end = int(step.started_at.timestamp()), int(step.completed_at.timestamp())
        return start > end or start <= when <= end

    def _take(self, line: LogLine) -> None:
        place = (self._index, line)
        self._tail.append(place)
        self._tail_bytes += len(line.raw)
        while len(self._tail) > _SPARE * self._max_lines or (
            self._tail_bytes > _SPARE * self._max_bytes and len(self._tail) > 1
        ):
            self._tail_bytes -= len(self._tail.popleft()[1].raw)
        if line.kind is LineKind.ERROR:
            for before in self._before:
                self._keep(before)
            self._before.clear()
            self._keep(place)
            self._after = self._context
        elif self._after or (line.continuation and self._kept and not self._before):
            self._keep(place)
            self._after = max(0, self._after - 1)
        elif self._context:
            self._before.append(place)

    def _keep(self, place: tuple[int, LogLine]) -> None:
        size = len(place[1].raw)
        over = self._bytes + size > _SPARE * self._max_bytes and self._kept
        if self._full or over or len(self._kept) >= _SPARE * self._max_lines:
            self._full = True
            return
        self._bytes += size
        self._kept.append(place)


def failure_excerpt(
    lines: Iterable[LogLine],
    job: Job,
    *,
    context: int = 5,
    max_lines: int = MAX_LINES,
    max_bytes: int = MAX_BYTES,
) -> FailureExcerpt | None:
    """
    Return the errors of a job's failing step, with context.

    Args:
        lines: All lines of the log; few are kept.
        job: The job that wrote it.
        context: How many lines to include before and after each error.
        max_lines: The most lines of the excerpt.
        max_bytes: The most bytes of the excerpt; it always has one line.

    Returns:
        The excerpt; None for a job that did not fail.
    """
    finder = FailureFinder(job, context=context, max_lines=max_lines, max_bytes=max_bytes)
    for line in lines:
        finder.feed((line,))
    return finder.close()
