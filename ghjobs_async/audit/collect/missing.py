"""What could not be fetched: how it is described, and whether it may still come. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from ghjobs_async.audit.database.batch import Failure
from ghjobs_async.errors import GHJobsError, Undecodable, one_line

#: A search for runs, the jobs of a run, or a job's log.
What: TypeAlias = Literal["search", "jobs", "log"]
#: The reasons of logs that will never come.
FINAL: Final = ("expired", "deleted", "never_ran", "lost")
# How many of the items that could not be decoded an error names.
_MAX_NAMED: Final = 3


def failure_of(
    what: What,
    repository: str,
    error: Exception,
    *,
    run_id: int | None = None,
    job_id: int | None = None,
) -> Failure:
    """
    Describe an error.

    Raises:
        Exception: *error* itself where it does not come from GitHub, but from the disk or from a
            bug: every other job would fail in the same way.
    """
    if not isinstance(error, GHJobsError):
        raise error
    reason = getattr(error, "reason", None)
    return Failure(repository, run_id, job_id, what, type(error).__name__, str(error), reason)


def incomplete(
    what: What,
    repository: str,
    expected: int,
    got: int,
    undecodable: Iterable[Undecodable],
    *,
    run_id: int | None = None,
) -> Failure:
    """Describe a list that is incomplete."""
    named = [one_line(f"{one.reason} @ {one.path}") for one in (*undecodable,)[:_MAX_NAMED]]
    text = "; ".join((f"{expected} expected, {got} got", *named))
    return Failure(repository, run_id, None, what, "Incomplete", text)


def sentence(failure: Failure) -> str:
    """Return what is missing and why, in one line."""
    number = failure.job_id or failure.run_id
    what = f"{failure.what} {number}" if number else failure.what
    return f"{failure.repository} {what}: {failure.text}"
