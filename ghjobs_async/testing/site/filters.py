"""The filters of a run listing, read as GitHub's search syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from ghjobs_async.testing.world.runs import FakeRun

#: Listings with any of these stop at `CAP` results.
_FILTERS: Final = frozenset(
    {"actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"}
)
CAP: Final = 1000
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY: Final = timedelta(days=1) - timedelta(seconds=1)


def run_filter(query: Mapping[str, str]) -> Callable[[FakeRun], bool] | None:
    """
    Make a predicate of a run listing's query; None if it filters nothing.

    Raises:
        ValueError: ``created`` cannot be read.
    """
    given = {key: value for key, value in query.items() if key in _FILTERS and value}
    if not given:
        return None
    first, last = _created_range(given["created"]) if "created" in given else (0.0, 1e18)
    actor, branch = given.get("actor"), given.get("branch")
    event, status, sha = given.get("event"), given.get("status"), given.get("head_sha")
    suite = given.get("check_suite_id")

    def keep(run: FakeRun) -> bool:
        attempt = run.attempts[-1]
        return (
            first <= run.created <= last
            and (actor is None or run.actor.lower() == actor.lower())
            and (branch is None or run.branch == branch)
            and (event is None or run.event == event)
            and (sha is None or run.head_sha == sha)
            and (suite is None or str(run.check_suite_id) == suite)
            and (status is None or status in {attempt.status, attempt.conclusion})
        )

    return keep


def _created_range(text: str) -> tuple[float, float]:
    """
    Read ``A..B``, ``>=A``, ``>A``, ``<=B``, ``<B``, ``*..B``, ``A..*`` or one date.

    Gives the first and the last second that match, since the epoch. A date without a time means
    its whole day, in UTC.

    Raises:
        ValueError: It is none of these.
    """
    everything = (0.0, 1e18)
    # An unescaped plus arrives as a space.
    text = text.strip().replace(" ", "+")
    if ".." in text:
        low, _, high = text.partition("..")
        first = everything[0] if low == "*" else _moment(low)[0]
        return first, everything[1] if high == "*" else _moment(high)[1]
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            first, last = _moment(text[len(sign) :])
            if sign[0] == ">":
                return (first if sign == ">=" else last + 1), everything[1]
            return everything[0], (last if sign == "<=" else first - 1)
    return _moment(text)


def _moment(text: str) -> tuple[float, float]:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    end = moment + _DAY if _DATE.fullmatch(text) else moment
    return moment.timestamp(), end.timestamp()
