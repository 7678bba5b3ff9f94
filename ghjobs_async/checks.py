"""What callers give: references in their many forms, numbers, filters. Each is taken, or refused."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from ghjobs_async.errors import ConfigurationError
from ghjobs_async.refs import JobRef, RunRef

#: What names a run: a reference, its URL, or (in methods about one run) its repository.
RunLike: TypeAlias = RunRef | str
#: What names a job: a reference, its URL, or (in methods about one job) its repository.
JobLike: TypeAlias = JobRef | str


def run_ref(run: object, run_id: int | None) -> RunRef:
    """The run that is named by a reference, its URL, or repository and id."""
    if isinstance(run, RunRef) and run_id is None:
        return run
    if isinstance(run, str):
        return RunRef.parse(run) if run_id is None else RunRef(run, run_id)
    raise ConfigurationError(f"a run is a RunRef, its URL, or repository and id, not {run!r:.80}")


def job_ref(job: object, job_id: int | None) -> JobRef:
    """The job that is named by a reference, its URL, or repository and id."""
    if isinstance(job, JobRef) and job_id is None:
        return job
    if isinstance(job, str):
        return JobRef.parse(job) if job_id is None else JobRef(job, job_id)
    raise ConfigurationError(f"a job is a JobRef, its URL, or repository and id, not {job!r:.80}")


def check_api_version(value: object) -> None:
    """Refuse what cannot be a version of the API."""
    if value is None or (isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z.-]{1,40}", value)):
        return
    raise ConfigurationError(f"an API version reads 2026-03-10, not {value!r}")


def check_filter(filter: object) -> None:  # noqa: A002
    """Refuse any filter but GitHub's two."""
    if filter not in {"latest", "all"}:
        raise ConfigurationError(f'filter is "latest" or "all", not {filter!r}')


def check_refs(refs: object) -> None:
    """Refuse a text, which would be taken letter by letter."""
    if isinstance(refs, str):
        raise ConfigurationError(
            f"references are a list of them, or any iterable, not {refs!r:.80}"
        )


def check_number(name: str, value: object, *, least: float, whole: bool = False) -> None:
    """Refuse what is no number, or too small a one."""
    kinds = (int,) if whole else (int, float)
    if (
        isinstance(value, bool)
        or not isinstance(value, kinds)
        or math.isnan(value)
        or value < least
    ):
        kind = "a whole number" if whole else "a number"
        raise ConfigurationError(f"{name} is {kind} of {least:g} or more, not {value!r}")
