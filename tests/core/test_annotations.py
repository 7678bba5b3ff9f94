"""The annotations of a job's check run: listed, and asked where the log does not say why."""

import json

import pytest
from aioresponses import aioresponses

from ghjobs_async import ConfigurationError, ForbiddenError, GitHubJobs, Job, JobRef
from ghjobs_async.logs import job_log
from ghjobs_async.models import CheckAnnotation
from ghjobs_async.testing import FakeGitHub, JobSpec

REPO = "octo-org/octo-repo"
ROOT = "https://api.github.com"
RUN = f"{ROOT}/repos/{REPO}/check-runs/7/annotations"
CANCELLED = "The operation was canceled."
LOG = b"2026-03-01T12:00:05.0000000Z ##[error]The operation was canceled.\n"
LIMIT = CheckAnnotation(
    message="The job has exceeded the maximum execution time of 5m0s.", annotation_level="failure"
)


def made(check_run_url: str) -> Job:
    return Job(
        id=1,
        run_id=1,
        run_url="u",
        node_id="n",
        head_sha="0",
        url="u",
        name="j",
        status="completed",
        check_run_url=check_run_url,
    )


async def test_all_pages_are_listed() -> None:
    """Pages are asked for as long as the Link header names one; an odd annotation costs no other."""
    job = made(f"{ROOT}/repos/{REPO}/check-runs/7")
    link = {"Link": f'<{RUN}?page=2>; rel="next"'}
    with aioresponses() as mocked:
        mocked.get(
            f"{RUN}?page=1&per_page=100", body=json.dumps([{"message": "a"}, 3]), headers=link
        )
        mocked.get(f"{RUN}?page=2&per_page=100", body=json.dumps([{"message": "b"}]))
        async with GitHubJobs(None) as gh:
            found = await gh.list_annotations(job)
    assert [one.message for one in found] == ["a", "b"]


async def test_another_host_is_never_asked() -> None:
    """A check run outside the API is an error before any request."""
    job = made("https://evil.example/repos/o/r/check-runs/7")
    async with GitHubJobs(None) as gh:
        with pytest.raises(ConfigurationError, match="not in this API"):
            await gh.list_annotations(job)


@pytest.mark.parametrize(
    ("answer", "asked", "headline"),
    [
        ((LIMIT,), True, LIMIT.message),
        ((CheckAnnotation(message="ok", annotation_level="notice"),), True, CANCELLED),
        (ForbiddenError("no", status=403), True, CANCELLED),
        ((LIMIT,), False, CANCELLED),
    ],
)
async def test_a_cancelled_job_asks_for_its_annotations(
    github: FakeGitHub,
    gh: GitHubJobs,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[CheckAnnotation, ...] | Exception,
    asked: bool,
    headline: str,
) -> None:
    """What stopped a job stands there; a refusal is no error; it can be switched off."""
    job = github.add_run(REPO, jobs=[JobSpec("slow", "failure", log=LOG)]).jobs[0]
    calls = []

    async def read(requester: object, job: Job, *, max_pages: int) -> tuple[CheckAnnotation, ...]:
        calls.append(max_pages)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(job_log, "read_annotations", read)
    async with gh.open_log(REPO, job.id) as log:
        found = await log.failure(annotations=asked)
    assert found is not None
    assert found.reason is not None
    assert found.reason.headline == headline
    assert calls == [1] * asked


async def test_a_log_that_says_why_needs_no_annotations(
    github: FakeGitHub, gh: GitHubJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is made for what the log says itself."""
    line = b"2026-03-01T12:00:05.0000000Z ##[error]the sum is wrong\n"
    job = github.add_run(REPO, jobs=[JobSpec("sum", "failure", log=line)]).jobs[0]
    monkeypatch.setattr(job_log, "read_annotations", None)
    async with gh.open_log(REPO, job.id) as log:
        found = await log.failure()
    assert found is not None
    assert found.headline == "the sum is wrong"


async def test_a_search_says_how_many_lines_it_cut(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What stands behind the first megabyte of a line is not searched, and that is said."""
    long = b"2026-03-01T12:00:05.0000000Z {" + b"x" * (3 << 20) + b" needle}\n"
    job = github.add_run(REPO, jobs=[JobSpec("dump", log=long)]).jobs[0]
    async with gh.grep([JobRef(REPO, job.id)], "needle") as hits:
        assert [hit async for hit in hits] == []
    assert hits.capped == 1
