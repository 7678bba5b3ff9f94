"""References: which run, which attempt, which job. Pure values, made before anything is asked."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

import attrs

from ghjobs_async.errors import ConfigurationError, shown

# GitHub allows letters, digits, ".", "_" and "-" in names; "." and ".." would climb the path.
_NAME: Final = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]{1,100}"
_REPO: Final = re.compile(rf"{_NAME}/{_NAME}")
#: Ids are int64 on GitHub's side.
_MAX_ID: Final = 2**63 - 1
# The path of a run, attempt or job, after "/OWNER/NAME" (web) or "/repos/OWNER/NAME" (API).
_RUN_PATH: Final = re.compile(
    r"/actions/runs/(?P<run>[0-9]{1,19})(?:/attempts/(?P<attempt>[0-9]{1,9}))?(?:/(?P<rest>.*))?"
)
_API_JOB_PATH: Final = re.compile(r"/actions/jobs/(?P<job>[0-9]{1,19})(?:/logs)?/?")
_CHECK_RUN_PATH: Final = re.compile(r"/(?:check-)?runs/(?P<job>[0-9]{1,19})/?")


def check_repo(repo: object) -> str:
    """Give *repo* back if it reads ``OWNER/NAME``; else raise `ConfigurationError`."""
    if not isinstance(repo, str) or not _REPO.fullmatch(repo):
        raise ConfigurationError(f"a repository reads OWNER/NAME, not {shown(repo)}")
    return repo


def check_id(number: object, what: str) -> int:
    """Give *number* back if it can be an id (or an attempt); else raise `ConfigurationError`."""
    if type(number) is not int or not 1 <= number <= _MAX_ID:
        raise ConfigurationError(f"{what} is a positive number, not {shown(number)}")
    return number


@attrs.frozen(order=True)
class RunRef:
    """
    One run of a repository, or one attempt of it.

    Args:
        repo: Repository as ``"owner/name"``.

        run_id: Numeric id of the run.

        attempt: Number of the attempt, from 1; None means the run as a whole.

    Raises:
        ConfigurationError: Any of them is malformed.
    """

    repo: str
    run_id: int
    # Ordered as 0 where None, so that references with and without an attempt can be sorted.
    attempt: int | None = attrs.field(default=None, order=lambda attempt: attempt or 0)

    def __attrs_post_init__(self) -> None:
        check_repo(self.repo)
        check_id(self.run_id, "a run's id")
        if self.attempt is not None:
            check_id(self.attempt, "an attempt")

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Take the web or API URL of a run, an attempt or a job, on any host.

        Raises:
            ConfigurationError: *text* is no such URL, or one that does not name the run.
        """
        repo, path, _ = _split(text, "a run")
        if found := _RUN_PATH.fullmatch(path):
            attempt = found["attempt"]
            return cls(repo, int(found["run"]), None if attempt is None else int(attempt))
        if _API_JOB_PATH.fullmatch(path) or _CHECK_RUN_PATH.fullmatch(path):
            raise ConfigurationError(f"this names a job, not its run: {shown(text)}")
        raise ConfigurationError(f"not the URL of a run: {shown(text)}")

    def __str__(self) -> str:
        attempt = "" if self.attempt is None else f" attempt {self.attempt}"
        return f"{self.repo} run {self.run_id}{attempt}"


@attrs.frozen(order=True)
class JobRef:
    """
    One job of a repository.

    Args:
        repo: Repository as ``"owner/name"``.

        job_id: Numeric id of the job.

    Raises:
        ConfigurationError: Either is malformed.
    """

    repo: str
    job_id: int

    def __attrs_post_init__(self) -> None:
        check_repo(self.repo)
        check_id(self.job_id, "a job's id")

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Take the web or API URL of a job, on any host.

        The web addresses of before 2023 (``.../actions/runs/RUN/jobs/NUMBER``) hold a number that
        is not the job's id: they are refused rather than guessed at.

        Raises:
            ConfigurationError: *text* is no such URL, or one that does not name the job.
        """
        repo, path, query = _split(text, "a job")
        if found := _API_JOB_PATH.fullmatch(path) or _CHECK_RUN_PATH.fullmatch(path):
            return cls(repo, int(found["job"]))
        if found := _RUN_PATH.fullmatch(path):
            rest = found["rest"] or ""
            if job := re.fullmatch(r"job/([0-9]{1,19})/?", rest):
                return cls(repo, int(job[1]))
            if re.match(r"jobs/[0-9]", rest):
                raise ConfigurationError(
                    "the number in an old .../jobs/NUMBER address is not the job's id; "
                    f"open it in a browser and take the address it leads to: {shown(text)}"
                )
            raise ConfigurationError(f"this names a run, not one of its jobs: {shown(text)}")
        check_run = parse_qs(query).get("check_run_id", [""])[0]
        if re.fullmatch(r"/pull/[0-9]+/checks/?", path) and re.fullmatch("[0-9]{1,19}", check_run):
            return cls(repo, int(check_run))
        raise ConfigurationError(f"not the URL of a job: {shown(text)}")

    def __str__(self) -> str:
        return f"{self.repo} job {self.job_id}"


def _split(text: str, what: str) -> tuple[str, str, str]:
    """Split a URL into repository, the path after it, and the query."""
    parts = _urlsplit(str(text).strip())
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"not the URL of {what}: {shown(text)}")
    path = parts.path
    api = re.match(r"(?:/api/v3)?/repos(?=/)", path)
    found = re.match(rf"/({_NAME}/{_NAME})(?=/)", path[api.end() :] if api else path)
    if not found:
        raise ConfigurationError(f"not the URL of {what}: {shown(text)}")
    return found[1], (path[api.end() :] if api else path)[found.end() :], parts.query


def _urlsplit(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts
