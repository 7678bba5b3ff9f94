"""Print lines of a log, as GitHub's page shows them or byte for byte, and why jobs failed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import attrs

from ghjobs_async.cli.outcome import Cause
from ghjobs_async.cli.output.console import BOLD, DIM, colours, is_terminal, note, paint
from ghjobs_async.cli.output.text import clean_line
from ghjobs_async.display import clean
from ghjobs_async.errors import GHJobsError
from ghjobs_async.logtext import Certainty, FailureExcerpt, LineKind, LogLine
from ghjobs_async.models import Job

#: What stands before a line of this kind, and its style.
_KINDS: Final = {
    LineKind.GROUP: ("▸ ", BOLD),
    LineKind.ERROR: ("Error: ", "31"),
    LineKind.WARNING: ("Warning: ", "33"),
    LineKind.NOTICE: ("Notice: ", "36"),
    LineKind.COMMAND: ("", "34"),
    LineKind.DEBUG: ("Debug: ", DIM),
}


class LineWriter:
    """
    Write lines to stdout: for a terminal as people read them, and nothing but colours controls it.

    Args:
        raw: Write what GitHub has; on a terminal, the part of it that is safe there.
        timestamps: Write each line's time before it.
        no_color: Write lines for people, without colours, wherever stdout goes.
        tail: How many lines to write of an excerpt, from its end; None writes all.
    """

    def __init__(self, *, raw: bool, timestamps: bool, no_color: bool, tail: int | None) -> None:
        self.terminal = is_terminal(sys.stdout)
        self.colour = colours(sys.stdout) and not no_color
        self.tail = tail
        self._timestamps = timestamps
        self._raw = raw or not (self.terminal or timestamps or no_color)
        #: Whether the log goes through byte for byte, so that it need not be split into lines.
        self.untouched = self._raw and not self.terminal

    def write(self, line: LogLine, prefix: str = "") -> None:
        """Write one line, after *prefix*."""
        if self.untouched:
            # After a prefix, every line ends: what follows the log's last one has a prefix too.
            end = b"\n" if prefix and not line.raw.endswith(b"\n") else b""
            sys.stdout.buffer.write(prefix.encode() + line.raw + end)
        elif self._raw:
            text = line.raw.decode("utf-8", "replace").rstrip("\r\n")
            sys.stdout.write(f"{prefix}{clean_line(text, colour=self.colour)}\n")
        elif line.kind not in {LineKind.ENDGROUP, LineKind.ACTION}:
            stamp = f"{line.time_text or '':28} " if self._timestamps else ""
            sys.stdout.write(f"{prefix}{stamp}{self._shown(line)}\n")

    def write_excerpt(self, lines: Sequence[LogLine], prefix: str = "") -> None:
        """Write some lines of a log, with a mark where lines between them are left out."""
        before = 0
        for line in self.last(lines):
            if before and line.number > before + 1 and not self.untouched:
                sys.stdout.write(f"{prefix}...\n")
            before = line.number
            self.write(line, prefix)

    def write_failure(self, excerpt: FailureExcerpt) -> None:
        """
        Write for people where and why a job failed, then the lines around its errors, if any.

        Where no error says why, the lines that do come first: they may stand far above.
        """
        first = () if excerpt.reason is None else excerpt.reason.lines
        if first and first[0] in excerpt.errors:
            first = ()
        if about := clean(failed_at(excerpt, with_headline=not first)):
            sys.stdout.write(paint(DIM, about, on=self.colour) + "\n")
        for line in first:
            self.write(line)
        if first and excerpt.lines:
            sys.stdout.write("\n")
        self.write_excerpt(excerpt.lines)

    def last(self, lines: Sequence[LogLine]) -> Sequence[LogLine]:
        """Return as many lines from the end as are wanted."""
        return lines if self.tail is None else lines[max(0, len(lines) - self.tail) :]

    def _shown(self, line: LogLine) -> str:
        """Return the line indented in its group, its kind as a word or a colour."""
        indent = "  " * line.depth
        if line.kind not in _KINDS:
            return indent + clean_line(line.text, colour=self.colour)
        word, style = _KINDS[line.kind]
        return indent + paint(style, word + clean(line.text), on=self.colour)


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

    Where the name of a job repeats, its number stands behind it. *troubles* takes why a log could
    not be read.
    """

    jobs: Sequence[Job]
    writer: LineWriter
    troubles: list[str]
    _known: dict[int, Cause] = attrs.field(factory=dict, init=False)
    _printed: int = attrs.field(default=0, init=False)

    def take(self, job: Job, cause: Cause) -> None:
        """Take why a job failed; print the jobs that are next in order and known."""
        self._known[job.id] = cause
        while self._printed < len(self.jobs):
            ready = self.jobs[self._printed]
            if ready.id not in self._known:
                break
            self._print(ready, self._known.pop(ready.id))
            self._printed += 1
            # The next one may take a while.
            sys.stdout.flush()

    def _print(self, job: Job, cause: Cause) -> None:
        if isinstance(cause, GHJobsError):
            self.troubles.append(f"log of job {job.id}: {cause}")
        colour = self.writer.colour
        if self.writer.terminal:
            name, number = clean(job.name), str(job.id)
            heading = f"{paint(BOLD, name, on=colour)}  {paint(DIM, number, on=colour)}\n"
            sys.stdout.write(heading if job is self.jobs[0] else f"\n{heading}")
            if isinstance(cause, FailureExcerpt) and cause.lines:
                self.writer.write_failure(cause)
            else:
                sys.stdout.write(paint(DIM, clean(_about(cause)), on=colour) + "\n")
        elif isinstance(cause, FailureExcerpt) and cause.lines:
            self.writer.write_excerpt(cause.lines, self._columns(job, cause))
        elif not isinstance(cause, GHJobsError):
            # Else nothing would mention this job.
            note(f"{clean(job.name)} ({job.id}): {_about(cause)}")

    def _columns(self, job: Job, excerpt: FailureExcerpt) -> str:
        name = clean(job.name)
        if sum(clean(one.name) == name for one in self.jobs) > 1:
            name = f"{name} ({job.id})"
        step = "" if excerpt.step is None else clean(excerpt.step.name)
        return f"{name}\t{step}\t"


def _about(cause: Cause) -> str:
    if isinstance(cause, FailureExcerpt):
        return failed_at(cause) if cause.lines or cause.reason else "its log is empty"
    return "it has no log" if cause is None else f"its log cannot be read: {cause}"


def failed_at(excerpt: FailureExcerpt, *, with_headline: bool = True) -> str:
    """Say at which step a job failed, how sure that is, and why: the kind, and the headline."""
    reason = excerpt.reason
    kind = "" if reason is None else f" ({reason.kind.word})"
    why = "the log does not tell the reason" if reason is None else f"{reason.headline}{kind}"
    if excerpt.step is None:
        return why if with_headline else f"failed{kind}"
    sure = _SURE[excerpt.certainty] if excerpt.lines else ""
    if with_headline:
        return f"failed at {excerpt.step.name!r}{sure}: {why}"
    return f"failed at {excerpt.step.name!r}{kind}{sure}"
