"""The annotations of a job's check run: listed, and asked where the log does not say why."""

import json
from typing import Any

import attrs
import pytest
from aioresponses import aioresponses

from ghjobs_async import ConfigurationError, GitHubJobs, Job, JobRef
from ghjobs_async.models import CheckAnnotation
from ghjobs_async.testing import FakeGitHub, Fault, JobSpec, faults

REPO = "octo-org/octo-repo"
ROOT = "https://api.github.com"
RUN = f"{ROOT}/repos/{REPO}/check-runs/7/annotations"
CANCELLED = "The operation was canceled."
LOG = b"2026-03-01T12:00:05.0000000Z ##[error]The operation was canceled.\n"
LIMIT = "The job has exceeded the maximum execution time of 5m0s"


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


def asked(github: FakeGitHub) -> int:
    return sum(one.operation == "annotations" for one in github.requests)


async def headline_of(
    github: FakeGitHub, gh: GitHubJobs, spec: JobSpec, **options: Any
) -> str | None:
    """Return why the job failed, in one line."""
    job = github.add_run(REPO, jobs=[spec]).jobs[0]
    async with gh.open_log(REPO, job.id) as log:
        found = await log.failure(**options)
    assert found is not None
    return None if found.reason is None else found.reason.headline


@pytest.mark.parametrize("line", [CANCELLED, "Process completed with exit code 1."])
async def test_where_the_log_says_nothing_annotations_may(
    github: FakeGitHub, gh: GitHubJobs, line: str
) -> None:
    """What stopped a job stands in its annotations; they are asked for once."""
    log = f"2026-03-01T12:00:05.0000000Z ##[error]{line}\n".encode()
    spec = JobSpec("slow", "failure", log=log, annotations=(line, LIMIT))
    assert await headline_of(github, gh, spec) == LIMIT
    assert asked(github) == 1


@pytest.mark.parametrize(
    ("annotations", "headline"),
    [
        (({"message": LIMIT, "annotation_level": "notice"},), CANCELLED),
        ((CANCELLED, "Process completed with exit code 1."), CANCELLED),
        ((), CANCELLED),
    ],
)
async def test_annotations_that_say_nothing_change_nothing(
    github: FakeGitHub, gh: GitHubJobs, annotations: tuple[Any, ...], headline: str
) -> None:
    """Notices, exit codes and cancellations are no reason; what the log says stays."""
    spec = JobSpec("slow", "failure", log=LOG, annotations=annotations)
    assert await headline_of(github, gh, spec) == headline
    assert asked(github) == 1


async def test_annotations_can_be_switched_off(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Without them nothing is asked for; those that are at hand are not asked for again."""
    spec = JobSpec("slow", "failure", log=LOG, annotations=(LIMIT,))
    assert await headline_of(github, gh, spec, annotations=False) == CANCELLED
    known = [CheckAnnotation(message=LIMIT, annotation_level="failure")]
    assert await headline_of(github, gh, spec, annotations=known) == LIMIT
    assert asked(github) == 0


@pytest.mark.parametrize(
    "fault", [faults.missing_permission(), faults.status(404), faults.status(404, b"no JSON")]
)
async def test_a_refusal_of_annotations_is_no_error(
    github: FakeGitHub, gh: GitHubJobs, fault: Fault
) -> None:
    """A token that may not read checks leaves the reason as the log has it, after one request."""
    github.fail("annotations", fault)
    spec = JobSpec("slow", "failure", log=LOG, annotations=(LIMIT,))
    assert await headline_of(github, gh, spec) == CANCELLED
    mute = b"2026-03-01T12:00:05.0000000Z ##[error]Process completed with exit code 1.\n"
    github.fail("annotations", fault)
    assert await headline_of(github, gh, attrs.evolve(spec, log=mute)) is None
    assert asked(github) == 2


async def test_a_check_run_elsewhere_is_never_followed(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Where a job names a check run on another host, the reason is what the log says."""
    async with FakeGitHub() as other:
        job = other.add_run(REPO, jobs=[JobSpec("slow", "failure", annotations=(LIMIT,))]).jobs[0]
        url = f"{other.base_url}/repos/{REPO}/check-runs/{job.id}"
        spec = JobSpec("slow", "failure", log=LOG, overrides={"check_run_url": url})
        assert await headline_of(github, gh, spec) == CANCELLED
        assert not other.requests
    assert asked(github) == 0


async def test_a_log_that_says_why_needs_no_annotations(github: FakeGitHub, gh: GitHubJobs) -> None:
    """No request is made for what the log says itself."""
    line = b"2026-03-01T12:00:05.0000000Z ##[error]the sum is wrong\n"
    spec = JobSpec("sum", "failure", log=line, annotations=(LIMIT,))
    assert await headline_of(github, gh, spec) == "the sum is wrong"
    assert asked(github) == 0


async def test_a_search_says_how_many_lines_it_cut(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What stands behind the first megabyte of a line is not searched, and that is said."""
    long = b"2026-03-01T12:00:05.0000000Z {" + b"x" * (3 << 20) + b" needle}\n"
    job = github.add_run(REPO, jobs=[JobSpec("dump", log=long)]).jobs[0]
    async with gh.grep([JobRef(REPO, job.id)], "needle") as hits:
        assert [hit async for hit in hits] == []
    assert hits.capped == 1
