"""Print why the failed jobs of a run failed."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

import attrs

from ghjobs_async.cli.failures import Cause
from ghjobs_async.cli.output.log_lines import LineWriter
from ghjobs_async.cli.output.messages import note
from ghjobs_async.cli.output.text import clean
from ghjobs_async.errors import GHJobsError
from ghjobs_async.logtext import Certainty, FailureExcerpt, LogLine
from ghjobs_async.models import Job

#: How sure it is that the lines of an excerpt are those of the step that failed.
_SURE: Final = {
    Certainty.CERTAIN: "",
    Certainty.LIKELY: ", likely with these lines",
    Certainty.UNKNOWN: "; the log does not show which lines are its own, these are the errors",
}


@attrs.define(eq=False)
class ExcerptPrinter:
    """
    Print why jobs failed, in the order of *jobs*, each as soon as all before it are known.

    On a terminal each job has a heading. Elsewhere each line is ``JOB``, ``STEP`` and ``LINE`` with
    tabs between, as ``gh run view --log-failed`` prints it.

    Args:
        jobs: The jobs. Where a name repeats, the job's number stands behind it.
        writer: Writes the lines.
        tail: How many lines to print of each job, from the end; None prints all.

    Attributes:
        unread: The jobs whose log could not be read, and why.
    """

    jobs: Sequence[Job]
    writer: LineWriter
    tail: int | None = None
    unread: list[tuple[Job, GHJobsError]] = attrs.field(factory=list, init=False)
    _names: Counter[str] = attrs.field(init=False)
    _left: deque[Job] = attrs.field(init=False)
    _known: dict[int, Cause] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._names = Counter(clean(job.name) for job in self.jobs)
        self._left = deque(self.jobs)

    def take(self, job: Job, cause: Cause) -> None:
        """Take why a job failed; print the jobs that are next in order and known."""
        self._known[job.id] = cause
        while self._left and self._left[0].id in self._known:
            ready = self._left.popleft()
            self._print(ready, self._known.pop(ready.id))
            # The next one may take a while.
            sys.stdout.flush()

    def _print(self, job: Job, cause: Cause) -> None:
        if isinstance(cause, GHJobsError):
            self.unread.append((job, cause))
        lines = cause.lines if isinstance(cause, FailureExcerpt) else ()
        if self.writer.terminal:
            self._heading(job, _about(cause))
            self.writer.write_excerpt(last(lines, self.tail))
        elif isinstance(cause, FailureExcerpt) and lines:
            self.writer.write_excerpt(last(lines, self.tail), self._columns(job, cause))
        elif not isinstance(cause, GHJobsError):
            # Else nothing would mention this job.
            note(f"{clean(job.name)} ({job.id}): {_about(cause)}")

    def _heading(self, job: Job, about: str) -> None:
        bold, dim, reset = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if self.writer.colour else ("", "", "")
        between = "" if job is self.jobs[0] else "\n"
        sys.stdout.write(f"{between}{bold}{clean(job.name)}{reset}  {dim}{job.id}{reset}\n")
        if about:
            sys.stdout.write(f"{dim}{clean(about)}{reset}\n")

    def _columns(self, job: Job, excerpt: FailureExcerpt) -> str:
        name = clean(job.name)
        if self._names[name] > 1:
            name = f"{name} ({job.id})"
        step = "" if excerpt.step is None else clean(excerpt.step.name)
        return f"{name}\t{step}\t"


def _about(cause: Cause) -> str:
    match cause:
        case FailureExcerpt(lines=()):
            return "its log is empty"
        case FailureExcerpt():
            return failed_at(cause)
        case None:
            return "it has no log"
        case _:
            return f"its log cannot be read: {cause}"


def failed_at(excerpt: FailureExcerpt) -> str:
    """Say at which step a job failed, and how sure it is; empty where GitHub names no step."""
    if excerpt.step is None:
        return ""
    return f"failed at {excerpt.step.name!r}{_SURE[excerpt.certainty]}"


def last(lines: Sequence[LogLine], tail: int | None) -> Sequence[LogLine]:
    """Return the last *tail* of *lines*; None means all."""
    return lines if tail is None else lines[max(0, len(lines) - tail) :]
