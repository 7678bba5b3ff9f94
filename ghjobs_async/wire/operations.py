"""GitHub's operations: each function builds the `Request` of one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode

import attrs

from ghjobs_async.errors import TransportError, Undecodable, one_line
from ghjobs_async.models import CheckAnnotation, InstallationToken, Job, Run
from ghjobs_async.refs import RunRef
from ghjobs_async.wire.answers import decode, unusable
from ghjobs_async.wire.convert import Page, peek_run_id
from ghjobs_async.wire.messages import Answer, Request, unchanged
from ghjobs_async.wire.urls import has_next

T = TypeVar("T")

Filter = Literal["latest", "all"]


def _actions(repo: str, path: str, decode: Callable[[Answer], T]) -> Request[T]:
    return Request(repo.partition("/")[0], f"/repos/{repo}/actions{path}", decode)


def _other(answer: Answer, asked: str, came: object) -> TransportError:
    """Build the error for the answer to another request: a connection or a proxy mixed them up."""
    return unusable(
        answer, f"asked for {asked}, but the answer is of {one_line(str(came))}: try again"
    )


def get_job(repo: str, job_id: int) -> Request[Job]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}``."""

    def decode_job(answer: Answer) -> Job:
        job = decode(answer, Job)
        if job.id != job_id:
            raise _other(answer, f"job {job_id}", f"job {job.id}")
        return job

    return _actions(repo, f"/jobs/{job_id}", decode_job)


def get_job_json(repo: str, job_id: int) -> Request[dict[str, object]]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}``: the object as GitHub sent it."""

    def decode_object(answer: Answer) -> dict[str, object]:
        job = decode(answer, dict[str, object])
        if job.get("id") != job_id:
            raise _other(answer, f"job {job_id}", f"job {job.get('id')}")
        return job

    return _actions(repo, f"/jobs/{job_id}", decode_object)


def get_log(repo: str, job_id: int) -> Request[Answer]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs``, answered by a redirect."""
    target = f"/repos/{repo}/actions/jobs/{job_id}/logs"
    return Request(repo.partition("/")[0], target, unchanged, streamed=True)


def list_jobs(ref: RunRef, filter: Filter, per_page: int, page: int) -> Request[Page[Job]]:  # noqa: A002
    """
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs``, or, for one attempt,
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs``.
    """
    query = f"per_page={per_page}&page={page}"
    if ref.attempt is not None:
        path = f"/runs/{ref.run_id}/attempts/{ref.attempt}/jobs?{query}"
    else:
        path = f"/runs/{ref.run_id}/jobs?filter={filter}&{query}"

    def check(answer: Answer) -> None:
        run_id = peek_run_id(answer.body)
        if run_id not in {None, ref.run_id}:
            raise _other(answer, f"run {ref.run_id}", f"run {run_id}")

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

    return attrs.evolve(_actions(ref.repo, path, decode_jobs), check=check)


def get_run(ref: RunRef) -> Request[Run]:
    """
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}``, or, for one attempt,
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}``.
    """
    attempt = "" if ref.attempt is None else f"/attempts/{ref.attempt}"

    def decode_run(answer: Answer) -> Run:
        run = decode(answer, Run)
        if run.id != ref.run_id:
            raise _other(answer, f"run {ref.run_id}", f"run {run.id}")
        if ref.attempt is not None and run.run_attempt not in {None, ref.attempt}:
            raise _other(answer, f"attempt {ref.attempt}", f"attempt {run.run_attempt}")
        return run

    return _actions(ref.repo, f"/runs/{ref.run_id}{attempt}", decode_run)


def list_runs(
    repo: str, workflow: str | int | None, query: Mapping[str, str], per_page: int, page: int
) -> Request[Page[Run]]:
    """
    ``GET /repos/{owner}/{repo}/actions/runs``, or, for one workflow,
    ``GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs``.
    """
    where = "" if workflow is None else f"/workflows/{quote(str(workflow), safe='')}"
    text = urlencode({**query, "per_page": per_page, "page": page})
    return _actions(repo, f"{where}/runs?{text}", partial(decode, cls=Page[Run]))


def list_annotations(
    repo: str, check_run_id: int, page: int
) -> Request[tuple[tuple[CheckAnnotation, ...], bool]]:
    """``GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations``, and whether more follow."""

    def decode_list(answer: Answer) -> tuple[tuple[CheckAnnotation, ...], bool]:
        # A bare list: as a page, one odd annotation costs no other one.
        body = b'{"total_count": 0, "annotations": ' + answer.body + b"}"
        items = decode(attrs.evolve(answer, body=body), Page[CheckAnnotation]).items
        return items, bool(items) and has_next(answer)

    target = f"/repos/{repo}/check-runs/{check_run_id}/annotations?per_page=100&page={page}"
    return Request(repo.partition("/")[0], target, decode_list)


@attrs.frozen
class _Head:
    sha: str


@attrs.frozen
class _PullRequest:
    head: _Head


def get_pull_head(repo: str, number: int) -> Request[str]:
    """``GET /repos/{owner}/{repo}/pulls/{pull_number}``: the id of its head commit."""

    def decode_sha(answer: Answer) -> str:
        return decode(answer, _PullRequest).head.sha

    return Request(repo.partition("/")[0], f"/repos/{repo}/pulls/{number}", decode_sha)


@attrs.frozen
class _Installation:
    id: int


def get_installation(repo: str) -> Request[int]:
    """``GET /repos/{owner}/{repo}/installation``: the id of the App's installation there."""

    def decode_id(answer: Answer) -> int:
        return decode(answer, _Installation).id

    return Request(repo.partition("/")[0], f"/repos/{repo}/installation", decode_id)


def create_installation_token(installation_id: int) -> Request[InstallationToken]:
    """``POST /app/installations/{installation_id}/access_tokens``."""
    path = f"/app/installations/{installation_id}/access_tokens"
    return Request("", path, partial(decode, cls=InstallationToken), method="POST")
