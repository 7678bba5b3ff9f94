"""References: which run, which attempt, which job. Pure values, checked before any request."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

import attrs

from ghjobs_async.errors import ConfigurationError, shown

# GitHub allows letters, digits, ".", "_" and "-" in names. "." and ".." would change the path.
_NAME: Final = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]{1,100}"
_REPO: Final = re.compile(rf"{_NAME}/{_NAME}")
#: Ids are int64 on GitHub's side.
MAX_ID: Final = 2**63 - 1
#: GitHub runs a run again 50 times at most.
MAX_ATTEMPT: Final = 1_000
_DIGITS: Final = re.compile(r"[1-9][0-9]{0,18}")
# The path of a run, attempt or job, after "/OWNER/NAME" (web) or "/repos/OWNER/NAME" (API).
_RUN_PATH: Final = re.compile(
    r"/actions/runs/(?P<run>[0-9]{1,19})(?:/attempts/(?P<attempt>[0-9]{1,9}))?(?:/(?P<rest>.*))?"
)
_API_JOB_PATH: Final = re.compile(r"/actions/jobs/(?P<job>[0-9]{1,19})(?:/logs)?/?")
_CHECK_RUN_PATH: Final = re.compile(r"/(?:check-)?runs/(?P<job>[0-9]{1,19})/?")
# The whole path of a job, run or check run: below any API root, and on the web.
_API_PATH: Final = re.compile(
    rf".*/repos/({_NAME}/{_NAME})/(?:actions/(?:jobs|runs)|check-runs)/[0-9]{{1,19}}/?"
)
_WEB_PATH: Final = re.compile(rf"/({_NAME}/{_NAME})/(?:actions/)?runs/[0-9]{{1,19}}(?:/.*)?")


def check_repo(repo: object) -> str:
    """Return *repo* if it has the form ``OWNER/NAME``; otherwise raise `ConfigurationError`."""
    if not isinstance(repo, str) or not _REPO.fullmatch(repo):
        raise ConfigurationError(f"a repository is OWNER/NAME, not {shown(repo)}")
    return repo


def check_id(number: object, what: str) -> int:
    """
    Return an id (or the number of an attempt) as an int.

    Args:
        number: The number, or a string of its ASCII digits.
        what: What it is, for the error.

    Raises:
        ConfigurationError: It is neither, not positive, or more than an int64 can hold.
    """
    value = number
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 1 <= value <= MAX_ID:
        raise ConfigurationError(f"{what} is a positive number, not {shown(number)}")
    return value


def _run_id(value: int | str) -> int:
    return check_id(value, "the id of a run")


def _attempt(value: int | str | None) -> int | None:
    return None if value is None else check_id(value, "an attempt")


def _job_id(value: int | str) -> int:
    return check_id(value, "the id of a job")


@attrs.frozen(order=True)
class RunRef:
    """
    One run of a repository, or one attempt of it.

    Args:
        repo: Repository as ``"owner/name"``.
        run_id: Numeric id of the run. A string of digits becomes a number, here and below.
        attempt: Number of the attempt, from 1; None means the run as a whole.

    Raises:
        ConfigurationError: Any of them is malformed.
    """

    repo: str
    run_id: int = attrs.field(converter=_run_id)
    # None sorts as 0, so that references with and without an attempt can be sorted together.
    attempt: int | None = attrs.field(
        default=None, converter=_attempt, order=lambda attempt: attempt or 0
    )

    def __attrs_post_init__(self) -> None:
        check_repo(self.repo)

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read the web or API URL of a run, an attempt or a job, on any host.

        Raises:
            ConfigurationError: *text* is not such a URL, or does not name the run.
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
        job_id: Numeric id of the job; a string of digits becomes a number.

    Raises:
        ConfigurationError: Either is malformed.
    """

    repo: str
    job_id: int = attrs.field(converter=_job_id)

    def __attrs_post_init__(self) -> None:
        check_repo(self.repo)

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read the web or API URL of a job, on any host.

        Web URLs from before 2023 (``.../actions/runs/RUN/jobs/NUMBER``) hold a number that is not
        the job's id, so they are rejected.

        Raises:
            ConfigurationError: *text* is not such a URL, or does not name the job.
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
                    "the number in an old .../jobs/NUMBER URL is not the job's id; "
                    f"open it in a browser and use the URL that it leads to: {shown(text)}"
                )
            raise ConfigurationError(f"this names a run, not one of its jobs: {shown(text)}")
        check_run = parse_qs(query).get("check_run_id", [""])[0]
        if re.fullmatch(r"/pull/[0-9]+/checks/?", path) and re.fullmatch("[0-9]{1,19}", check_run):
            return cls(repo, int(check_run))
        raise ConfigurationError(f"not the URL of a job: {shown(text)}")

    def __str__(self) -> str:
        return f"{self.repo} job {self.job_id}"


def find_repo(url: str) -> str | None:
    """
    Return the repository in GitHub's own URL of a job, a run or a check run.

    API URLs may stand below any API root, web URLs on any host; None for any other text.
    """
    parts = split_url(url)
    if parts is None:
        return None
    found = _API_PATH.fullmatch(parts.path) or _WEB_PATH.fullmatch(parts.path)
    return found[1] if found else None


def _split(text: str, what: str) -> tuple[str, str, str]:
    """Split a URL into repository, the path after it, and the query."""
    parts = split_url(str(text))
    path = re.sub(r"\A(?:/api/v3)?/repos(?=/)", "", parts.path) if parts else ""
    found = re.match(rf"/({_NAME}/{_NAME})(?=/)", path)
    if not parts or not found:
        raise ConfigurationError(f"not the URL of {what}: {shown(text)}")
    return found[1], path[found.end() :], parts.query


def split_url(text: str) -> SplitResult | None:
    """Split a web address; None for any other text."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None
