"""The changes of a watch: a live table on a terminal, else one line or JSON object for each."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
from rich.cells import cell_len
from rich.text import Text

from ghjobs_async.cli.output.console import in_state, row, sign, style_of
from ghjobs_async.cli.output.table import shorten
from ghjobs_async.cli.output.text import plural
from ghjobs_async.display import clean, duration
from ghjobs_async.logtext import failing_step
from ghjobs_async.models import Job, Run, Status
from ghjobs_async.refs import RunRef
from ghjobs_async.watch.events import JobEvent, RunEvent, Verdict, WatchEvent

#: The width of the column of durations, and of the indent of jobs.
_ELAPSED: Final = 7
_INDENT: Final = 2
_NAME_SHARE: Final = 0.6
_DONE: Final = frozenset({"success", "skipped", "neutral"})


def to_json(event: WatchEvent, before: Run | None = None) -> dict[str, object]:
    """
    Return a change as a JSON object; only the last one of a run has a verdict.

    Args:
        event: The change.
        before: The run in its last event.
    """
    if isinstance(event, RunEvent):
        run = event.run
        found: dict[str, object] = {
            "event": "run",
            "kind": event.kind,
            "repo": event.ref.repo,
            "run_id": event.ref.run_id,
            "attempt": event.ref.attempt if run is None else run.run_attempt,
            "job_id": None,
            "name": run and run.name,
            "step": None,
            "status": run and run.status,
            "conclusion": run and run.conclusion,
            "previous": before and before.status,
        }
        return found if event.verdict is None else {**found, "verdict": str(event.verdict)}
    part = event.job if isinstance(event, JobEvent) else event.step
    return {
        "event": "job" if isinstance(event, JobEvent) else "step",
        "kind": "found" if event.previous is None else "changed",
        "repo": event.ref.repo,
        "run_id": event.ref.run_id,
        "attempt": event.job.run_attempt or event.ref.attempt,
        "job_id": event.job.id,
        "name": event.job.name,
        "step": None if isinstance(event, JobEvent) else event.step.name,
        "status": part.status,
        "conclusion": part.conclusion,
        "previous": event.previous and event.previous.status,
    }


def print_line(event: WatchEvent, before: Run | None, *, as_json: bool) -> None:
    """Print a change at once, as a line with tabs or as a JSON object."""
    told = to_json(event, before)
    if as_json:
        sys.stdout.write(json.dumps(told, separators=(",", ":")) + "\n")
        sys.stdout.flush()
        return
    state = told["conclusion"] if told["status"] == Status.COMPLETED else told["status"]
    cells = (told["event"], told["kind"], told["run_id"], told["attempt"], told["name"])
    row(*cells, told["step"], state, told.get("verdict"))
    sys.stdout.flush()


@attrs.define
class _Watched:
    """A run, its verdict, and its jobs in the order in which they appeared."""

    run: Run | None = None
    verdict: Verdict | None = None
    jobs: dict[int, Job] = attrs.field(factory=dict)


@attrs.frozen
class _Row:
    """The lines of a run or a job; where not all fit, those with the lowest rank are shown."""

    rank: int
    lines: tuple[Text, ...]
    state: str | None = None


@attrs.define
class WatchView:
    """The watched runs as a table that fits a terminal of any size."""

    _runs: dict[RunRef, _Watched] = attrs.field(factory=dict)
    #: Why jobs failed, by their ids.
    reasons: dict[int, str] = attrs.field(factory=dict)

    def take(self, event: WatchEvent) -> None:
        """Take in a change."""
        watched = self._runs.setdefault(event.ref, _Watched())
        if isinstance(event, RunEvent):
            watched.run, watched.verdict = event.run, event.verdict
            if event.kind == "new_attempt":
                watched.jobs = {}
        else:
            watched.jobs[event.job.id] = event.job

    def lines(self, width: int, height: int | None, now: datetime | None = None) -> list[Text]:
        """
        Return the lines of the table, each at most *width* columns wide.

        Args:
            width: The columns of the terminal.
            height: Its lines; None shows everything.
            now: The time; None for now.
        """
        now = now or datetime.now(UTC)
        rows: list[_Row] = []
        for ref, watched in list(self._runs.items()):
            rows.append(_Row(0, (_title(ref, watched, width, now),)))
            jobs = list(watched.jobs.values())
            longest = max((cell_len(clean(job.name)) for job in jobs), default=0)
            widest = max((cell_len(clean(_detail(job))) for job in jobs), default=0)
            rows += [self._job(job, width, longest, widest, now) for job in jobs]
        if height is None or sum(len(row.lines) for row in rows) <= height:
            return [line for row in rows for line in row.lines]
        return _cropped(rows, width, max(1, height))

    def _job(self, job: Job, width: int, longest: int, widest: int, now: datetime) -> _Row:
        """Return the row of a job, where the *longest* name and the *widest* detail are so wide."""
        room = max(4, width - _INDENT - 2 - _ELAPSED)
        told = clean(_detail(job))
        most = max(4, int(room * _NAME_SHARE), room - 2 - widest) if told else room
        name_room = min(longest, most)
        name = shorten(in_state(job.name, job.state), name_room)
        detail = shorten(Text(told, style="dim"), max(0, room - name_room - 2))
        line = Text(" " * _INDENT).append_text(sign(job.state)).append(" ").append_text(name)
        line.append(" " * (name_room - name.cell_len + 2)).append_text(detail)
        took = duration(_elapsed(job, now))
        line.append(" " * max(1, width - line.cell_len - len(took)) + took, style="dim")
        lines = [_fitting(line, width)]
        if reason := self.reasons.get(job.id):
            text = shorten(Text(clean(reason), style="red"), max(1, width - 2 * _INDENT))
            lines.append(_fitting(Text(" " * 2 * _INDENT).append_text(text), width))
        return _Row(_rank(job), tuple(lines), clean(job.state))


def _rank(job: Job) -> int:
    if job.state in _DONE:
        return 3
    if job.status == Status.COMPLETED:
        return 0
    return 1 if job.status == Status.IN_PROGRESS else 2


def _title(ref: RunRef, watched: _Watched, width: int, now: datetime) -> Text:
    run, verdict = watched.run, watched.verdict
    if run is None:
        return _fitting(Text(f"{ref}: {verdict or 'not found yet'}"), width)
    state = str(verdict or run.state)
    attempt = f" attempt {run.run_attempt}" if (run.run_attempt or 1) > 1 else ""
    facts = f"{run.head_branch or ''} {run.head_sha[:7]}{attempt}".strip()
    line = Text.assemble(sign(run.state), " ", (clean(run.name or str(ref)), "bold"))
    line.append(f"  {clean(facts)}", style="dim").append(f"  {clean(state)}", style_of(state))
    started = run.run_started_at or run.created_at
    ended = run.updated_at if run.status == Status.COMPLETED else now
    if ended is not None and ended >= started:
        line.append(f"  {duration(ended - started)}", style="dim")
    return _fitting(line, width)


def _detail(job: Job) -> str:
    running = [step.name for step in job.steps if step.status == Status.IN_PROGRESS]
    if job.status == Status.COMPLETED:
        if job.state in _DONE:
            return ""
        failed = failing_step(job)
        return job.state if failed is None else f"at {failed.name}"
    if running:
        return running[0] + (f" +{len(running) - 1}" if len(running) > 1 else "")
    return job.state


def _elapsed(job: Job, now: datetime) -> timedelta | None:
    if job.status == Status.IN_PROGRESS and job.started_at is not None:
        return max(now - job.started_at, timedelta())
    return job.duration if job.ran else None


def _cropped(rows: list[_Row], width: int, height: int) -> list[Text]:
    """Return the most important rows, and a last line that counts the others."""
    left = height - 1
    shown: set[int] = set()
    for index in sorted(range(len(rows)), key=lambda index: rows[index].rank):
        if len(rows[index].lines) <= left:
            shown.add(index)
            left -= len(rows[index].lines)
    lines = [line for index in sorted(shown) for line in rows[index].lines]
    states = [row.state for index, row in enumerate(rows) if index not in shown]
    counts = Counter(state for state in states if state is not None)
    parts = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    more = f"and {plural(counts.total(), 'more job')}: {parts}" if counts else "and more runs"
    return [*lines, _fitting(Text(" " * _INDENT + more, style="dim"), width)]


def _fitting(line: Text, width: int) -> Text:
    """Cut a line to the width, so that the terminal never wraps it."""
    line.truncate(width, overflow="ellipsis")
    line.no_wrap, line.overflow = True, "ignore"
    return line
