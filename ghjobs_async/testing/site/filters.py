"""The filters of a run listing, read as GitHub's search syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from ghjobs_async.testing.world.runs import FakeRun

#: The most results of a listing with any filter.
CAP: Final = 1000
#: What each filter compares its value with; `created` is a range.
_FIELDS: Final[dict[str, Callable[[FakeRun], set[str | None]]]] = {
    "actor": lambda run: {run.actor.lower()},
    "branch": lambda run: {run.branch},
    "check_suite_id": lambda run: {str(run.check_suite_id)},
    "event": lambda run: {run.event},
    "head_sha": lambda run: {run.head_sha},
    "status": lambda run: {run.attempts[-1].status, run.attempts[-1].conclusion},
}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY: Final = timedelta(days=1) - timedelta(seconds=1)


def run_filter(query: Mapping[str, str]) -> Callable[[FakeRun], bool] | None:
    """
    Make a predicate of a run listing's query; None if it filters nothing.

    Raises:
        ValueError: ``created`` cannot be read.
    """
    wanted = {key: query[key] for key in _FIELDS if query.get(key)}
    if "actor" in wanted:
        wanted["actor"] = wanted["actor"].lower()
    created = query.get("created")
    if not wanted and not created:
        return None
    first, last = _created_range(created) if created else (-inf, inf)

    def keep(run: FakeRun) -> bool:
        fits = all(value in _FIELDS[key](run) for key, value in wanted.items())
        return fits and first <= run.created <= last

    return keep


def _created_range(text: str) -> tuple[float, float]:
    """
    Read ``A..B``, ``>=A``, ``>A``, ``<=B``, ``<B``, ``*..B``, ``A..*`` or one date.

    Gives the first and the last second that match, since the epoch. A date without a time means
    its whole day, in UTC.
    """
    # An unescaped plus arrives as a space.
    text = text.strip().replace(" ", "+")
    low, dots, high = text.partition("..")
    if dots:
        return (-inf if low == "*" else _moment(low)[0]), (inf if high == "*" else _moment(high)[1])
    sign = text[: len(text) - len(text.lstrip("<>="))]
    first, last = _moment(text.removeprefix(sign))
    ranges = {
        "": (first, last),
        ">=": (first, inf),
        ">": (last + 1, inf),
        "<=": (-inf, last),
        "<": (-inf, first - 1),
    }
    if sign not in ranges:
        raise ValueError(text)
    return ranges[sign]


def _moment(text: str) -> tuple[float, float]:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    end = moment + _DAY if _DATE.fullmatch(text) else moment
    return moment.timestamp(), end.timestamp()
