"""GitHub's operations: each function builds the `Request` of one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode

import attrs

from ghjobs_async.errors import DecodeError, Undecodable
from ghjobs_async.models import CheckAnnotation, InstallationToken, Job, Run
from ghjobs_async.refs import RunRef
from ghjobs_async.wire.answers import decode, shape_error
from ghjobs_async.wire.convert import Page, ShapeError, peek_run_id
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.urls import has_next

T = TypeVar("T")

Filter = Literal["latest", "all"]


def _of_repo(
    repo: str,
    path: str,
    decode: Callable[[Answer], T],
    *,
    check: Callable[[Answer], None] | None = None,
    streamed: bool = False,
) -> Request[T]:
    owner = repo.partition("/")[0]
    return Request(owner, f"/repos/{repo}{path}", decode, check=check, streamed=streamed)


def _check(answer: Answer, what: str, asked: int, came: object) -> None:
    """Raise for the answer to another request: a connection or a proxy mixed them up."""
    if isinstance(came, int) and came != asked:
        raise answer.unusable(
            f"asked for {what} {asked}, but the answer is of {what} {came}: try again"
        )


def get_job(repo: str, job_id: int) -> Request[Job]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}``."""

    def decode_job(answer: Answer) -> Job:
        job = decode(answer, Job)
        _check(answer, "job", job_id, job.id)
        return job

    return _of_repo(repo, f"/actions/jobs/{job_id}", decode_job)


def get_job_json(repo: str, job_id: int) -> Request[dict[str, object]]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}``: the object as GitHub sent it."""

    def decode_object(answer: Answer) -> dict[str, object]:
        job = decode(answer, dict[str, object])
        _check(answer, "job", job_id, job.get("id"))
        return job

    return _of_repo(repo, f"/actions/jobs/{job_id}", decode_object)


def get_log(repo: str, job_id: int) -> Request[Answer]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs``, answered by a redirect."""
    path = f"/actions/jobs/{job_id}/logs"
    return _of_repo(repo, path, lambda answer: answer, streamed=True)


def list_jobs(ref: RunRef, filter: Filter, per_page: int, page: int) -> Request[Page[Job]]:  # noqa: A002
    """
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs``, or, for one attempt,
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs``.
    """
    query = f"per_page={per_page}&page={page}"
    if ref.attempt is not None:
        path = f"/actions/runs/{ref.run_id}/attempts/{ref.attempt}/jobs?{query}"
    else:
        path = f"/actions/runs/{ref.run_id}/jobs?filter={filter}&{query}"

    def check(answer: Answer) -> None:
        _check(answer, "run", ref.run_id, peek_run_id(answer.head))

    def decode_jobs(answer: Answer) -> Page[Job]:
        check(answer)
        page = decode(answer, Page[Job])
        if all(job.run_id == ref.run_id for job in page.items):
            return page
        odd = tuple(
            Undecodable(f"jobs[{index}].run_id", "belongs to another run", job.run_id)
            for index, job in enumerate(page.items)
            if job.run_id != ref.run_id
        )
        own = tuple(job for job in page.items if job.run_id == ref.run_id)
        return Page(page.total_count, own, (*page.undecodable, *odd))

    return _of_repo(ref.repo, path, decode_jobs, check=check)


def get_run(ref: RunRef) -> Request[Run]:
    """
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}``, or, for one attempt,
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}``.
    """
    attempt = "" if ref.attempt is None else f"/attempts/{ref.attempt}"

    def decode_run(answer: Answer) -> Run:
        run = decode(answer, Run)
        _check(answer, "run", ref.run_id, run.id)
        if ref.attempt is not None:
            _check(answer, "attempt", ref.attempt, run.run_attempt)
        return run

    return _of_repo(ref.repo, f"/actions/runs/{ref.run_id}{attempt}", decode_run)


def list_runs(
    repo: str, workflow: str | int | None, query: Mapping[str, str], per_page: int, page: int
) -> Request[Page[Run]]:
    """
    ``GET /repos/{owner}/{repo}/actions/runs``, or, for one workflow,
    ``GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs``.
    """
    where = "" if workflow is None else f"/workflows/{quote(str(workflow), safe='')}"
    text = urlencode({**query, "per_page": per_page, "page": page})
    return _of_repo(repo, f"/actions{where}/runs?{text}", partial(decode, cls=Page[Run]))


def list_annotations(
    repo: str, check_run_id: int, page: int
) -> Request[tuple[tuple[CheckAnnotation, ...], bool]]:
    """``GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations``, and whether more follow."""

    def decode_list(answer: Answer) -> tuple[tuple[CheckAnnotation, ...], bool]:
        # A bare list: as a page, one odd annotation costs no other one.
        whole = answer.wrapped(b'{"total_count": 0, "annotations": ')
        items = decode(whole, Page[CheckAnnotation]).items
        return items, bool(items) and has_next(answer)

    path = f"/check-runs/{check_run_id}/annotations?per_page=100&page={page}"
    return _of_repo(repo, path, decode_list)


@attrs.frozen
class _Head:
    sha: str


@attrs.frozen
class _PullRequest:
    head: _Head


@attrs.frozen
class _Branch:
    commit: _Head


def get_pull_head(repo: str, number: int) -> Request[str]:
    """``GET /repos/{owner}/{repo}/pulls/{pull_number}``: the id of its head commit."""
    path = f"/pulls/{number}"
    return _of_repo(repo, path, lambda answer: decode(answer, _PullRequest).head.sha)


def get_branch_head(repo: str, branch: str) -> Request[str]:
    """``GET /repos/{owner}/{repo}/branches/{branch}``: the id of its newest commit."""
    path = f"/branches/{quote(branch, safe='')}"
    return _of_repo(repo, path, lambda answer: decode(answer, _Branch).commit.sha)


@attrs.frozen
class _Installation:
    id: int


def get_installation(repo: str) -> Request[int]:
    """``GET /repos/{owner}/{repo}/installation``: the id of the App's installation there."""
    return _of_repo(repo, "/installation", lambda answer: decode(answer, _Installation).id)


def is_token(text: str) -> bool:
    """Return whether a text can be a token: no spaces, line ends or other strange characters."""
    return re.fullmatch(r"[!-~]{1,4096}", text) is not None


def _decode_token(answer: Answer) -> InstallationToken:
    """Decode a token. Its error has no raw values, since one of them may be the token."""
    try:
        token = decode(answer, InstallationToken)
    except DecodeError as error:
        # A copy, since the cause has the values too.
        failure = copy(error)
        failure.problems = tuple(attrs.evolve(one, raw=None) for one in error.problems)
    else:
        if is_token(token.token):
            return token
        problem = Undecodable("$.token", "is not a token", None)
        failure = shape_error(answer, ShapeError((problem,)))
    raise failure


def create_installation_token(installation_id: int) -> Request[InstallationToken]:
    """``POST /app/installations/{installation_id}/access_tokens``."""
    path = f"/app/installations/{installation_id}/access_tokens"
    return Request("", path, _decode_token, method="POST")
