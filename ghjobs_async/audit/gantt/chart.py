"""What a timeline shows: when each job waited and worked, in which row, and the critical path."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from ghjobs_async.display import clean, duration
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.listing.attempts import execution
from ghjobs_async.models import Conclusion, Job, Status, Step

#: GitHub ends a run after 35 days, so no part of it is longer; what claims to be is a wrong clock.
#: https://docs.github.com/actions/reference/limits
_MOST: Final = 35 * 86_400.0
#: Servers that know no time send one of the years 1 or 1970.
_YEARS: Final = range(2000, 2200)
#: Times are whole seconds of two clocks, so a job may seem to end just after its successor begins.
_SLACK: Final = 1.0

#: The critical paths of this many attempts, the last ones, are told in figures.
_PATHS: Final = 3

#: How the critical path is found, in lines for people.
HOW_INFERRED: Final = (
    "Critical path: inferred, since GitHub's API does",
    "not name dependencies. A job is taken to have",
    "waited for the one that ended last before GitHub",
    "created it; the path leads to the last job's end.",
)


@attrs.frozen
class Span:
    """From when to when, in seconds since the epoch; never backwards."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return self.end - self.start


@attrs.frozen
class StepBar:
    """A step, and when it ran: within its job, whatever its clocks say."""

    step: Step
    span: Span


@attrs.frozen(eq=False)
class Bar:
    """
    A job in its attempt.

    Attributes:
        waiting: When it waited; for a job that never ran, until it ended.
        work: When it ran; None if it did not.
        odd: Whether its clocks run backwards or claim what cannot be.
    """

    job: Job
    attempt: int
    waiting: Span | None
    work: Span | None
    steps: tuple[StepBar, ...] = ()
    odd: bool = False

    @property
    def span(self) -> Span | None:
        """Return the whole of it: waiting and work; None where no time is known."""
        first, last = self.waiting or self.work, self.work or self.waiting
        return None if first is None or last is None else Span(first.start, last.end)

    @property
    def told(self) -> str:
        """Return in words how it ended, how long it waited and worked."""
        parts = [
            self.job.state if self.attempt == 1 else f"{self.job.state}, attempt {self.attempt}"
        ]
        if self.waiting is not None and self.waiting.seconds:
            parts.append(f"waited {duration(self.waiting.seconds)}")
        if self.work is not None:
            parts.append(f"worked {duration(self.work.seconds)}")
        if self.odd:
            parts.append("its clocks disagree")
        return clean(", ".join(parts))


@attrs.frozen(eq=False)
class Attempt:
    """One attempt: its jobs in order of time, and its critical path, the first job first."""

    number: int
    bars: tuple[Bar, ...]
    path: tuple[Bar, ...]

    @property
    def span(self) -> Span | None:
        """Return from when to when it lasted; None where no time is known."""
        return _whole(self.bars)

    @property
    def path_span(self) -> Span | None:
        """Return from when to when its critical path lasted; None where it has none."""
        return _whole(self.path)


@attrs.frozen(eq=False)
class StepRow:
    """A step of a job: in each attempt that has it, with the job's bar."""

    name: str
    bars: tuple[tuple[Bar, StepBar], ...]


@attrs.frozen(eq=False)
class Row:
    """What one row shows: a job in each of its attempts, told apart by name."""

    name: str
    bars: tuple[Bar, ...]

    @property
    def steps(self) -> list[StepRow]:
        """Return its steps across the attempts, in their order."""
        rows: dict[tuple[str, int], list[tuple[Bar, StepBar]]] = {}
        for bar in self.bars:
            seen: Counter[str] = Counter()
            for step in bar.steps:
                title = step.step.name
                rows.setdefault((title, seen[title]), []).append((bar, step))
                seen[title] += 1
        return [StepRow(title, tuple(found)) for (title, _), found in rows.items()]


@attrs.frozen(eq=False)
class Chart:
    """A run: its attempts, and its jobs in rows, the first that ran first."""

    attempts: tuple[Attempt, ...]
    rows: tuple[Row, ...]

    @property
    def bars(self) -> list[Bar]:
        """Return every job in each attempt."""
        return [bar for attempt in self.attempts for bar in attempt.bars]

    @property
    def critical(self) -> frozenset[int]:
        """Return the ids of the jobs on the critical paths."""
        return frozenset(bar.job.id for attempt in self.attempts for bar in attempt.path)

    def is_short(self, most: int) -> bool:
        """Return whether there are at most *most* rows when each step has one, too."""
        rows = len(self.rows)
        return rows <= most and rows + sum(len(row.steps) for row in self.rows) <= most

    @property
    def titles(self) -> tuple[str, ...]:
        """Return what run it is: its workflow, its repository if known, and its number."""
        if not self.rows:
            return ("No jobs",)
        job = self.rows[0].bars[0].job
        try:
            repo = job.ref.repo
        except ConfigurationError:
            repo = ""
        titles = (job.workflow_name, repo, f"run {job.run_id}")
        return tuple(part for part in titles if part)

    @property
    def figures(self) -> tuple[str, str]:
        """Return two lines: how many jobs there are and since when; how long the paths are."""
        count, attempts = len(self.bars), len(self.attempts)
        counts = f"{count:,} job{'s' * (count != 1)}"
        if attempts > 1:
            counts += f" in {attempts} attempts"
        spans = [attempt.span for attempt in self.attempts if attempt.span]
        if spans:
            counts += f", {datetime.fromtimestamp(spans[0].start, UTC):%Y-%m-%d %H:%M} UTC"
        paths = [(one, whole) for one in self.attempts if (whole := one.path_span)]
        if not paths:
            return counts, ""
        if attempts > 1:
            each = (f"attempt {one.number} {duration(path.seconds)}" for one, path in paths)
            return counts, f"critical path: {', '.join([*each][-_PATHS:])}"
        [(attempt, whole)] = paths
        waited = sum(bar.waiting.seconds for bar in attempt.path if bar.waiting)
        of_it = f", {duration(waited)} of it waiting" if waited else ""
        return counts, f"critical path {duration(whole.seconds)}{of_it}"


def _whole(bars: Iterable[Bar]) -> Span | None:
    spans = [bar.span for bar in bars if bar.span]
    if not spans:
        return None
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def chart(jobs: Iterable[Job], now: datetime | None = None) -> Chart:
    """
    Make the chart of a run.

    Args:
        jobs: Its jobs, of any number of attempts. A job that a re-run took over from an earlier
            attempt is shown once.
        now: Until when jobs that have not ended are drawn; None takes the latest time in *jobs*.
    """
    own = _own(jobs)
    until = _seconds(now)
    if until is None:
        until = max((time for time in _times(own) if time is not None), default=0.0)
    bars = [_bar(job, until) for job in own]
    bars.sort(key=_order)
    numbers = sorted({bar.attempt for bar in bars})
    attempts = []
    for number in numbers:
        of_attempt = tuple(bar for bar in bars if bar.attempt == number)
        attempts.append(Attempt(number, of_attempt, _critical_path(of_attempt)))
    return Chart(tuple(attempts), _rows(attempts))


def _own(jobs: Iterable[Job]) -> list[Job]:
    """Return each job once, in the attempt that ran it."""
    by_id = {job.id: job for job in reversed(list(jobs))}
    ordered = sorted(by_id.values(), key=lambda job: (job.run_attempt or 1, job.id))
    first: dict[object, int] = {}
    own: list[Job] = []
    for job in ordered:
        attempt = job.run_attempt or 1
        ran = job.started_at is not None and job.completed_at is not None
        if ran and first.setdefault(execution(job), attempt) < attempt:
            continue
        own.append(job)
    return own


def _times(jobs: Iterable[Job]) -> list[float | None]:
    both: list[Job | Step] = []
    for job in jobs:
        both += (job, *job.steps)
    return [_seconds(time) for one in both for time in (one.started_at, one.completed_at)]


def _seconds(time: datetime | None) -> float | None:
    return None if time is None or time.year not in _YEARS else time.timestamp()


def _bar(job: Job, now: float) -> Bar:
    created, started, ended = map(_seconds, (job.created_at, job.started_at, job.completed_at))
    attempt = job.run_attempt or 1
    if not job.ran:
        begin = next((time for time in (created, started, ended) if time is not None), None)
        if begin is None:
            return Bar(job, attempt, None, None)
        # One that was skipped did not wait: its time is a moment.
        until = now if job.status != Status.COMPLETED else ended or begin
        end = begin if job.state == Conclusion.SKIPPED else until
        queued, odd = _possible(begin, end)
        return Bar(job, attempt, queued, None, odd=odd)
    firsts = [time for step in job.steps if (time := _seconds(step.started_at)) is not None]
    start = next((time for time in (started, *sorted(firsts), ended) if time is not None), None)
    if start is None:
        return Bar(job, attempt, None, None)
    if firsts and min(firsts) > start:
        # Some self-hosted runners report the time of queueing as the start.
        start = min(firsts)
    if job.status == Status.COMPLETED:
        lasts = [time for step in job.steps if (time := _seconds(step.completed_at)) is not None]
        end = max((start, *lasts)) if ended is None else ended
    else:
        end = max(start, now)
    work, odd = _possible(start, end)
    waiting: Span | None = None
    if created is not None:
        before, early = _possible(created, work.start)
        odd = odd or early
        waiting = before if before.seconds else None
    return Bar(job, attempt, waiting, work, _steps(job, work), odd)


def _possible(start: float, end: float) -> tuple[Span, bool]:
    """Return the span, and whether it is impossible: then it is the moment of its end or start."""
    if end < start:
        return Span(start, start), True
    if end - start > _MOST:
        return Span(end, end), True
    return Span(start, end), False


def _steps(job: Job, work: Span) -> tuple[StepBar, ...]:
    bars = []
    for step in job.steps:
        if (start := _seconds(step.started_at)) is None:
            continue
        end = _seconds(step.completed_at)
        # A step without an end runs as long as its job does.
        end = work.end if end is None else end
        low, high = (min(max(time, work.start), work.end) for time in (start, max(start, end)))
        bars.append(StepBar(step, Span(low, high)))
    return tuple(bars)


def _order(bar: Bar) -> tuple[float, float, str, int]:
    shown = bar.work or bar.waiting
    unknown = float("inf")
    start, end = (unknown, unknown) if shown is None else (shown.start, shown.end)
    return start, end, bar.job.name, bar.job.id


def _critical_path(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """Go back from the job that ended last; see `HOW_INFERRED`."""
    ran = [(work.end, bar) for bar in bars if (work := bar.work)]
    ran.sort(key=lambda one: one[0])
    ends = [end for end, _ in ran]
    path: list[Bar] = []
    position = len(ran) - 1
    while position >= 0:
        bar = ran[position][1]
        path.append(bar)
        ready = _ready(bar)
        position = bisect_right(ends, ready + _SLACK) - 1
        # One that was ready before: so the path ends, whatever the clocks say.
        while position >= 0 and _ready(ran[position][1]) >= ready:
            position -= 1
    return tuple(reversed(path))


def _ready(bar: Bar) -> float:
    return bar.span.start if bar.span else 0.0


def _rows(attempts: Iterable[Attempt]) -> tuple[Row, ...]:
    """Put jobs of the same name into one row; several in one attempt have a row each."""
    rows: dict[tuple[str, int], list[Bar]] = {}
    for attempt in attempts:
        seen: Counter[str] = Counter()
        for bar in attempt.bars:
            name = bar.job.name
            rows.setdefault((name, seen[name]), []).append(bar)
            seen[name] += 1
    return tuple(Row(name, tuple(bars)) for (name, _), bars in rows.items())
