"""Check what callers give: references in their many forms, filters, numbers. Pure."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final, TypeAlias, TypeVar

from ghjobs_async.errors import ConfigurationError, shown
from ghjobs_async.models import RUN_STATUSES, Conclusion, Job, Run, Status
from ghjobs_async.refs import JobRef, RunRef

#: What names a run: a reference, a `Run`, its URL, or (before an id) its repository.
RunLike: TypeAlias = RunRef | Run | str
#: What names a job: a reference, a `Job`, its URL, or (before an id) its repository.
JobLike: TypeAlias = JobRef | Job | str

_Ref = TypeVar("_Ref", RunRef, JobRef)

# Other tools' words that are not spelled like GitHub's.
_SYNONYMS: Final = {
    "broken": Conclusion.FAILURE,
    "error": Conclusion.FAILURE,
    "errored": Conclusion.FAILURE,
    "ok": Conclusion.SUCCESS,
    "passed": Conclusion.SUCCESS,
    "done": Status.COMPLETED,
    "finished": Status.COMPLETED,
    "running": Status.IN_PROGRESS,
}


def resolve_run(run: object, run_id: int | str | None = None) -> RunRef:
    """
    Return the reference to a run.

    Args:
        run: A `RunRef`, a `Run` or the run's URL; or, together with *run_id*, the repository.
        run_id: Numeric id of the run.

    Raises:
        ConfigurationError: They do not name a run.
    """
    return _resolve(run, run_id, RunRef, Run)


def resolve_job(job: object, job_id: int | str | None = None) -> JobRef:
    """
    Return the reference to a job, as `resolve_run` does to a run.

    Raises:
        ConfigurationError: They do not name a job, or the URLs of the `Job` name no repository.
    """
    return _resolve(job, job_id, JobRef, Job)


def _resolve(
    given: object, number: int | str | None, ref: type[_Ref], model: type[Run | Job]
) -> _Ref:
    if number is None:
        if isinstance(given, model):
            given = given.ref
        if isinstance(given, ref):
            return given
        if isinstance(given, str):
            return ref.parse(given)
    elif isinstance(given, str):
        return ref(given, number)
    kind = model.__name__
    raise ConfigurationError(
        f"a {kind.lower()} is a {kind}Ref, a {kind}, its URL, or two arguments, repository and id; "
        f"not {shown(given)}"
    )


def check_branch(value: object) -> str:
    """Return the name of a branch, if it can be one."""
    # https://git-scm.com/docs/git-check-ref-format
    if isinstance(value, str) and re.fullmatch(
        r"(?!\.{1,2}$)[^\s\x00-\x1f\x7f~^:?*\[\\]{1,255}", value
    ):
        return value
    raise ConfigurationError(f"not the name of a branch: {shown(value)}")


def check_sha(value: object) -> str:
    """Return the id of a commit if it is a full one: GitHub finds no run by a part of it."""
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value.lower()):
        return value.lower()
    raise ConfigurationError(
        f"a commit is its full id of 40 digits (git rev-parse HEAD), not {shown(value)}"
    )


def check_api_version(value: object) -> None:
    """Reject what cannot be a version of the API."""
    if value is None or (isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z.-]{1,40}", value)):
        return
    raise ConfigurationError(f"an API version looks like 2026-03-10, not {shown(value)}")


def check_filter(filter: object) -> None:  # noqa: A002
    """Reject any filter of a job list but GitHub's two."""
    if filter not in ("latest", "all"):
        raise ConfigurationError(f'filter is "latest" or "all", not {shown(filter)}')


def check_run_status(value: str) -> str:
    """
    Return a status or conclusion to search runs by.

    GitHub answers an unknown one with an empty list, which looks like a clean result.
    https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository

    Raises:
        ConfigurationError: GitHub does not know it; the text suggests one that it does know.
    """
    if value in RUN_STATUSES:
        return str(value)
    word = re.sub(r"[\s-]+", "_", str(value).strip().lower()[:40])
    near = _SYNONYMS.get(word) or next(iter(get_close_matches(word, RUN_STATUSES, n=1)), None)
    hint = f"did you mean {near}?" if near else f"use one of {', '.join(sorted(RUN_STATUSES))}"
    raise ConfigurationError(f"unknown status of a run: {shown(value)}; {hint}")


def check_refs(refs: object) -> None:
    """Reject a string in place of references, since iterating over it would give its letters."""
    if isinstance(refs, str):
        raise ConfigurationError(
            f"references are given as a list or any other iterable, not as {shown(refs)}"
        )


def check_conditional(value: object) -> None:
    """Reject anything but a switch or a positive number of bytes."""
    if isinstance(value, bool) or (isinstance(value, int) and value >= 1):
        return
    raise ConfigurationError(
        f"conditional is True, False or a number of bytes, 1 or more; not {shown(value)}"
    )


def check_number(name: str, value: object, *, least: float, whole: bool = False) -> None:
    """Reject anything but a number that is *least* or more."""
    kinds = (int,) if whole else (int, float)
    # NaN is not at least anything.
    if isinstance(value, bool) or not isinstance(value, kinds) or not value >= least:
        kind = "a whole number" if whole else "a number"
        raise ConfigurationError(f"{name} is {kind} of {least:g} or more, not {shown(value)}")
