"""Jobs, one with its steps, a list of them, the failed ones with their first errors; and runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ghjobs_async.cli.outcome import Cause
from ghjobs_async.cli.output.as_json import JsonPrinter, show
from ghjobs_async.cli.output.console import in_state, row, sign, style_of
from ghjobs_async.cli.output.table import Table, shorten
from ghjobs_async.cli.output.text import moment, plural
from ghjobs_async.display import clean, duration
from ghjobs_async.logtext import FailureExcerpt, failing_step
from ghjobs_async.models import Job, Run, to_dict

JOB_FIELDS: Final = tuple(field.name for field in attrs.fields(Job))
#: The JSON of a failed job has some more.
FAILED_FIELDS: Final = (
    *(*JOB_FIELDS, "failing_step", "first_error", "headline", "kind", "fingerprint"),
)
RUN_FIELDS: Final = tuple(field.name for field in attrs.fields(Run))
#: The columns between title and number, and from which width on there is room for them.
_COLUMNS: Final = {"Workflow": 70, "Branch": 70, "Event": 110, "Elapsed": 110, "Age": 0}
_NAMES: Final = frozenset({"Workflow", "Branch", "Event"})
_NAME_WIDTH: Final = 18
_MIN_TITLE: Final = 8


def draw_job(screen: Console, repo: str, job: Job) -> None:
    """Draw one job and its steps."""
    state = (clean(job.state), style_of(job.state))
    screen.print(Text.assemble(sign(job.state), " ", (clean(job.name), "bold"), "  ", state))
    facts = Grid.grid(padding=(0, 2), pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(repo, job):
        facts.add_row(name, value)
    screen.print(facts)
    if job.steps:
        steps = Table("Step", "Elapsed")
        for step in job.steps:
            steps.add(
                in_state(step.name, step.state),
                duration(step.duration),
                sign=Text.assemble(sign(step.state), (f" {step.number:3}", "dim")),
            )
        screen.print("", steps)
    if job.html_url:
        # On a line of its own that no width breaks: to be clicked on, or copied.
        screen.print(f"\n{clean(job.html_url)}", soft_wrap=True, style="dim", markup=False)


def print_job(repo: str, job: Job) -> None:
    """Print one job and its steps for other programs."""
    facts = [("name", job.name), ("state", job.state), *_facts(repo, job)]
    for name, value in [*facts, ("view", job.html_url)]:
        if value:
            row(f"{name.lower()}:", value)
    row("--")
    for step in job.steps:
        row(step.state, step.number, step.name, duration(step.duration))


def _facts(repo: str, job: Job) -> list[tuple[str, str]]:
    attempt = "" if job.run_attempt is None else f" attempt {job.run_attempt}"
    times = [
        f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        for time in (job.started_at, job.completed_at)
        if time is not None and job.started_at is not None
    ]
    on = " on " if job.runner_name and job.labels else ""
    facts = {
        "Run": f"{repo} {job.run_id}{attempt}",
        "Workflow": clean(job.workflow_name or ""),
        "Branch": clean(f"{job.head_branch or ''} {job.head_sha[:7]}".strip()),
        "Elapsed": duration(job.duration),
        "Queued": duration(job.queued_for),
        "Time": f"{' to '.join(times)} UTC" if times else "",
        "Runner": clean(f"{job.runner_name or ''}{on}{', '.join(job.labels)}"),
        "Job": str(job.id),
    }
    return [(name, value) for name, value in facts.items() if value]


def show_jobs(
    title: str, jobs: Sequence[Job], printer: JsonPrinter | None, *, attempts: bool
) -> None:
    """Show the jobs of a run, on a terminal with a column of *attempts* where there are several."""

    def draw(screen: Console) -> None:
        if jobs:
            screen.print(_table(jobs, attempts=attempts))
        screen.print(Text(_footer(title, jobs), style="dim"))

    show(jobs, printer, to_dict=to_dict, cells=_cells, draw=draw)


def _table(jobs: Sequence[Job], *, attempts: bool) -> Table:
    columns = ("Attempt",) if attempts else ()
    table = Table("Job", *columns, "Elapsed", "Queued", id_column="Number")
    for job in jobs:
        steps = [f"at {clean(step.name)}" for step in job.steps if step.state == "failure"]
        table.add(
            in_state(job.name, job.state),
            *((str(job.run_attempt or ""),) if attempts else ()),
            *_times(job),
            str(job.id),
            sign=sign(job.state),
            note=Text("\n".join(steps), style="red") if steps else None,
        )
    return table


def _footer(title: str, jobs: Sequence[Job]) -> str:
    counts = Counter(clean(job.state) for job in jobs)
    parts = [f"{count:,} {state}" for state, count in counts.most_common()]
    total = sum((job.duration or timedelta() for job in jobs if job.ran), timedelta())
    if total:
        parts.append(f"{duration(total)} in all")
    return f"{title}: {plural(len(jobs), 'job')}" + (f" ({', '.join(parts)})" if parts else "")


def _cells(job: Job) -> tuple[object, ...]:
    state = (job.state, job.name, job.id, job.run_attempt)
    return (*state, *_times(job), moment(job.started_at), job.html_url)


def _times(job: Job) -> tuple[str, str]:
    """How long it took, and how long it waited for a runner; empty where no runner took it."""
    return (duration(job.duration), duration(job.queued_for)) if job.ran else ("", "")


@attrs.frozen
class _Failed:
    """A job that failed, and what its log says, if known."""

    job: Job
    excerpt: FailureExcerpt | None

    @property
    def step(self) -> str | None:
        """The name of the step where it failed."""
        step = failing_step(self.job)
        return None if step is None else step.name

    @property
    def error(self) -> str | None:
        """Why it failed, in one line."""
        return None if self.excerpt is None else self.excerpt.headline

    @property
    def why(self) -> str | None:
        """Why it failed, with the kind of failure."""
        reason = None if self.excerpt is None else self.excerpt.reason
        return self.error if reason is None else f"{reason.headline} ({reason.kind.word})"

    def to_dict(self) -> dict[str, object]:
        """Return the job's JSON, and why it failed."""
        errors = () if self.excerpt is None else self.excerpt.errors
        reason = None if self.excerpt is None else self.excerpt.reason
        return {
            **to_dict(self.job),
            "failing_step": self.step,
            "first_error": errors[0].text if errors else None,
            "headline": reason and reason.headline,
            "kind": reason and str(reason.kind),
            "fingerprint": reason and reason.fingerprint,
        }


def show_failures(found: Iterable[tuple[Job, Cause]], printer: JsonPrinter | None) -> None:
    """Show the failed jobs, each with its failing step and why it failed."""
    failures = [
        _Failed(job, cause if isinstance(cause, FailureExcerpt) else None) for job, cause in found
    ]

    def cells(one: _Failed) -> tuple[object, ...]:
        job = one.job
        return (job.state, job.name, job.id, job.run_attempt, one.step, one.error, job.html_url)

    def draw(screen: Console) -> None:
        for one in failures:
            screen.print(_entry(one, screen.width), soft_wrap=True)
        if not failures:
            screen.print(Text("no job failed", style="dim"))

    show(failures, printer, to_dict=_Failed.to_dict, cells=cells, draw=draw)


def _entry(one: _Failed, width: int) -> Text:
    job = one.job
    facts = f"  {duration(job.duration)}  {job.id}"
    name = shorten(Text(clean(job.name), style="bold"), max(1, width - 2 - len(facts)))
    text = Text.assemble(sign(job.state), " ", name, (facts, "dim"))
    below = ((one.why, "red"), (one.step and f"at {one.step}", ""), (job.html_url, "dim"))
    for line, style in below:
        if line:
            text.append(f"\n  {clean(line)}", style=style)
    return text


def show_runs(runs: Sequence[Run], printer: JsonPrinter | None, footer: str) -> None:
    """Show runs, on a terminal with a line below the table."""
    now = datetime.now(UTC)

    def cells(run: Run) -> tuple[object, ...]:
        return (
            *(run.state, _title(run), run.name, run.head_branch, run.event, run.id),
            *(duration(_elapsed(run, now)), moment(run.created_at), run.html_url),
        )

    def draw(screen: Console) -> None:
        if runs:
            screen.print(_run_table(runs, now, screen.width))
        screen.print(Text(footer, style="dim"), soft_wrap=True)

    show(runs, printer, to_dict=to_dict, cells=cells, draw=draw)


def _run_table(runs: Sequence[Run], now: datetime, width: int) -> Table:
    """Make the table: without the columns for which there is no room."""
    titles = [title for title, least in _COLUMNS.items() if width >= least]
    table = Table("Title", *titles, id_column="Number", left=_NAMES, min_name=_MIN_TITLE)
    for run in runs:
        cells: dict[str, str | Text] = {
            "Workflow": shorten(clean(run.name or ""), _NAME_WIDTH),
            "Branch": shorten(clean(run.head_branch or ""), _NAME_WIDTH),
            "Event": shorten(clean(run.event or ""), _NAME_WIDTH),
            "Elapsed": duration(_elapsed(run, now)),
            "Age": duration(max(now - run.created_at, timedelta())),
        }
        table.add(
            in_state(_title(run), run.state),
            *(cells[title] for title in titles),
            str(run.id),
            sign=sign(run.state),
        )
    return table


def _title(run: Run) -> str:
    return run.display_title or run.name or ""


def _elapsed(run: Run, now: datetime) -> timedelta | None:
    """How long a run took, or has taken so far; None where it has not started."""
    started = run.run_started_at or run.created_at
    if run.status == "completed":
        elapsed = None if run.updated_at is None else run.updated_at - started
    else:
        elapsed = now - started if run.status == "in_progress" else None
    return None if elapsed is None or elapsed < timedelta() else elapsed
