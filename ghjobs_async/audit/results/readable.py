"""The findings as text for people: what to do about each, the titles of columns, and formats. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

import attrs

from ghjobs_async.audit.results.findings import Finding
from ghjobs_async.display import clean, duration

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_Format: TypeAlias = Callable[[Any], str]

#: The error of a request: its method and URL, what happened, and GitHub's id of the request.
_FAILED: Final = re.compile(r"[A-Z]+ (https?://\S+): (.+?)(?: \(request id [^()]*\))?")
_SEARCHED: Final = re.compile(r".*/repos/([^/]+/[^/]+)/actions/(?:workflows/([^/]+)/)?runs\?.*")


def number(value: float) -> str:
    """Format a number; small ones with one digit behind the point, unless they are whole."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def hour(value: int) -> str:
    """Format an hour of the week: ``Mon 09h``."""
    return f"{DAYS[value // 24]} {value % 24:02}h"


def _moved(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{duration(abs(seconds))}"


_FORMATS: Final[dict[str, _Format]] = {
    **dict.fromkeys(("total_seconds", "p50", "p95", "most"), duration),
    **dict.fromkeys(("first_seen", "last_seen", "date"), lambda day: str(day)[:10]),
    **dict.fromkeys(("kind", "what"), lambda text: clean(text).replace("_", " ")),
    **dict.fromkeys(("run_id", "job_id"), str),
    "rate": lambda share: f"{share:.1%}",
    "usd": lambda dollars: f"{dollars:,.2f}",
    "hour": hour,
}


@attrs.frozen
class Look:
    """
    How a finding is shown.

    Attributes:
        head: What to do about it.
        text: What its rows are, in a sentence.
        title: The title of the names.
        name: The column that has the names.
        columns: The other columns by their titles.
        change: How to format the column ``change``.
    """

    head: str
    text: str
    title: str
    name: str
    columns: dict[str, str]
    change: _Format = _moved


_TIMES: Final = {"Total": "total_seconds", "Median": "p50", "95 %": "p95", "Change": "change"}
LOOKS: Final = {
    "flaky_jobs": Look(
        "Fix the flaky jobs",
        "They failed, and then passed on the same commit.",
        "Job",
        "name",
        {"Flaky": "flaky", "Commits": "commits", "Minutes": "minutes", "Last seen": "last_seen"},
    ),
    "failure_rates": Look(
        "Look first at what fails most",
        "Change is in percentage points, from the first to the second half of the time.",
        "Job",
        "name",
        {"Failed": "failures", "Of": "jobs", "Rate": "rate", "Change": "change"},
        lambda share: f"{100 * share:+.1f}",
    ),
    "failure_reasons": Look(
        "Fix the reasons that come back",
        "Failures with the same headline, but for numbers, folders and times.",
        "Reason",
        "headline",
        {"Kind": "kind", "Times": "times", "Jobs": "jobs", "Last seen": "last_seen"},
    ),
    "slow_jobs": Look(
        "Speed up what takes the most time",
        "Change is that of the median, from the first to the second half of the time.",
        "Job",
        "name",
        {"Jobs": "jobs", **_TIMES},
    ),
    "slow_steps": Look(
        "Start with these steps",
        "The steps that take the most time in all.",
        "Step",
        "step",
        {"Steps": "steps", **_TIMES},
    ),
    "queueing": Look(
        "Check how long jobs wait for runners",
        "By label and hour of the week in UTC. Where waits are long, add runners.",
        "Label",
        "label",
        {"Hour": "hour", "Jobs": "jobs", "Median": "p50", "95 %": "p95", "Most": "most"},
    ),
    "waste": Look(
        "Cut the time that may be wasted",
        "Re-runs, cancelled jobs and superseded runs; of these, cancel-in-progress ends superseded"
        " runs at once.",
        "Kind",
        "kind",
        {"Jobs": "jobs", "Minutes": "minutes"},
    ),
    "costs": Look(
        "Check what the minutes cost",
        "At list prices, before free minutes: ghjobs findings --help says how to put in yours.",
        "Runner",
        "sku",
        {"Date": "date", "Minutes": "minutes", "USD": "usd"},
    ),
    "incomplete": Look(
        "Check what is not counted",
        "What could not be fetched, which the next audit tries again where it may still come, and"
        " times that cannot be right.",
        "Why",
        "reason",
        {"What": "what", "Run": "run_id", "Job": "job_id"},
    ),
}


@attrs.frozen
class Line:
    """
    One row for people.

    Attributes:
        name: Its name.
        repository: Its repository; empty where there is none.
        within: Workflow and, of a step, the job.
        cells: The text of each column of its `Look`; empty where there is none.
        values: The row itself.
    """

    name: str
    repository: str
    within: str
    cells: tuple[str, ...]
    values: dict[str, Any]

    @property
    def place(self) -> str:
        """Repository, workflow and, of a step, the job."""
        return f"{self.repository} {self.within}".strip()


def lines(finding: Finding) -> Iterator[Line]:
    """Return the rows of a finding as text. Nothing in it can control a terminal."""
    look = LOOKS[finding.name]
    for row in finding.to_dicts():
        within = [row.get("workflow_name"), row["name"] if "step" in row else None]
        name = str(row[look.name] or "")
        yield Line(
            clean(_what_happened(name) if look.name == "reason" else name),
            clean(str(row.get("repository") or "")),
            clean(" ".join(str(part) for part in within if part)),
            tuple(_cell(look, column, row[column]) for column in look.columns.values()),
            row,
        )


def _cell(look: Look, column: str, value: Any) -> str:
    if value is None:
        return ""
    try:
        return look.change(value) if column == "change" else _FORMATS.get(column, number)(value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # A database from elsewhere may hold anything.
        return clean(str(value))


def _what_happened(reason: str) -> str:
    """Return a reason without the request, but with the names that may be wrong in it."""
    found = _FAILED.fullmatch(reason)
    if found is None:
        return reason
    url, happened = found.groups()
    searched = _SEARCHED.fullmatch(url)
    if searched is None or not happened.startswith("404 "):
        return happened
    repository, workflow = searched.groups()
    names = f"the names {repository} and {workflow}" if workflow else f"the name {repository}"
    return f"{happened}: check {names}"


def repeated(audit: str | None, since: str | None, repo: str | None) -> list[str]:
    """Return the options that make another command count the same, in the same audit."""
    given = (("--audit", audit), ("--since", since), ("--repo", repo))
    return [part for option, value in given if value is not None for part in (option, value)]


def more(finding: Finding, options: Sequence[str] = ()) -> str:
    """
    Return how many rows there are besides those that were read, and where; empty for none.

    Args:
        finding: The finding.
        options: The options of the command that shows all of its rows.
    """
    hidden = finding.total - len(finding.rows)
    command = shlex.join(("ghjobs", "findings", finding.name, *options))
    return f"{hidden:,} more: {command}" if hidden else ""


def day(value: date) -> str:
    """Format a day of a year that the reader knows: ``24 Nov``."""
    return f"{value.day} {value:%b}"
