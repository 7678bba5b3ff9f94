"""Where a token may go: redirects within the API's origin, and nowhere else."""

from __future__ import annotations

import gc
import warnings
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aioresponses import aioresponses
from async_tools import FakeClock, MakeClient

from ghjobs_async import GitHubJobs, TransportError
from ghjobs_async.testing import FakeGitHub, JobSpec, faults

REPO = "octo-org/octo-repo"
GITHUB = "https://api.github.com"
JOB = f"{GITHUB}/repos/{REPO}/actions/jobs/1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_within_the_origin_keep_the_token(
    github: FakeGitHub, gh: GitHubJobs, status: int
) -> None:
    """A renamed repository is followed to its number, token and all."""
    run = github.add_run(REPO, jobs=250)
    github.fail("jobs", faults.redirect(status), times=3)
    jobs = await gh.list_jobs(REPO, run.id)
    assert jobs.complete
    assert {one.headers.get("authorization") for one in github.requests} == {"Bearer ghp_secret"}
    assert any("/repositories/" in one.path for one in github.requests)


async def test_a_renamed_repository_is_read_whole(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Jobs, runs and logs of the old name lead to the new one."""
    run = github.add_run("old/name", jobs=[JobSpec("a", log=b"line\n"), JobSpec("b")])
    github.rename("old/name", "new/name")
    jobs = await gh.list_jobs("old/name", run.id)
    assert jobs.complete
    assert (await gh.get_run("old/name", run.id)).repository.full_name == "new/name"
    async with gh.open_log("old/name", jobs[0].id) as log:
        assert b"".join([chunk async for chunk in log.chunks()]) == b"line\n"


async def test_a_log_s_redirect_within_the_api_keeps_the_token(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """A renamed repository's log is asked for at its new address, as the API's own."""
    run = github.add_run("old/name", jobs=[JobSpec(log=b"line\n")])
    github.rename("old/name", "new/name")
    assert (await gh.get_log_url("old/name", run.jobs[0].id)).url.startswith(github.storage_url)
    assert [one.headers.get("authorization") for one in github.requests] == [
        "Bearer ghp_secret"
    ] * 2


async def test_a_loop_of_redirects_ends(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Five are followed, not more; it is not tried again."""
    job = github.add_run(REPO).jobs[0]
    rule = github.fail("job", faults.redirect(301, "loop"), times=None)
    with pytest.raises(TransportError, match="more than 5 redirects"):
        await gh.get_job(REPO, job.id)
    assert (rule.hits, time.sleeps) == (6, [])


async def test_another_host_never_sees_the_token(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A redirect to another origin is refused with a clear error; nothing is sent there."""
    job = github.add_run(REPO).jobs[0]
    github.fail("job", faults.redirect(302, "other_host"), times=None)
    with pytest.raises(TransportError, match="another origin") as caught:
        await gh.get_job(REPO, job.id)
    assert github.storage_url in str(caught.value)
    assert github.asked_count("storage") == 0
    assert len(github.requests) == 1


@pytest.mark.parametrize("operation", ["job", "log"])
@pytest.mark.parametrize(
    "to", ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://u:p@127.0.0.1/x", "http://[::1"]
)
async def test_other_locations_are_refused(
    github: FakeGitHub, gh: GitHubJobs, operation: str, to: str
) -> None:
    """No http, credentials, or malformed: one error, no retry, nothing sent."""
    job = github.add_run(REPO).jobs[0]
    rule = github.fail(operation, faults.redirect(302, to), times=None)
    with pytest.raises(TransportError, match="not followed"):
        await (gh.get_job if operation == "job" else gh.get_log_url)(REPO, job.id)
    assert rule.hits == 1
    assert github.asked_count("storage") == 0


@pytest.fixture
async def real(time: FakeClock) -> AsyncIterator[GitHubJobs]:
    """A client of github.com itself, as far as aioresponses goes."""
    async with GitHubJobs("ghp_secret", clock=time.clock, retries=1) as gh:
        yield gh


@pytest.mark.parametrize("to", ["http://api.github.com/x", "http://storage.example/x"])
@pytest.mark.parametrize("operation", ["", "/logs"])
async def test_never_down_from_https(real: GitHubJobs, to: str, operation: str) -> None:
    """Neither the API nor a log is followed from https to http."""
    with aioresponses() as mocked:
        mocked.get(f"{JOB}{operation}", status=302, headers={"Location": to})
        with pytest.raises(TransportError, match="down from https to http"):
            await (real.get_log_url if operation else real.get_job)(REPO, 1)
        assert len(mocked.requests) == 1


async def test_the_link_is_followed_without_the_token(real: GitHubJobs) -> None:
    """The storage host gets a clean request: no Authorization, no cookie, no API headers."""
    storage = "https://storage.example/log.txt?sig=s3cret"
    with aioresponses() as mocked:
        mocked.get(f"{JOB}/logs", status=302, headers={"Location": storage, "Set-Cookie": "a=b"})
        mocked.get(storage, body=b"hello\n", headers={"Content-Length": "6"})
        async with real.open_log(REPO, 1) as log:
            assert [line.text async for line in log] == ["hello"]
        first, second = [calls[0] for calls in mocked.requests.values()]
    assert first.kwargs["headers"]["Authorization"] == "Bearer ghp_secret"
    names = {name.lower() for name in second.kwargs["headers"]}
    assert names == {"user-agent", "accept-encoding"}


async def test_a_borrowed_session_lends_no_secrets(github: FakeGitHub, time: FakeClock) -> None:
    """A session's own headers, cookies and credentials go to the API, never to the storage."""
    job = github.add_run(REPO, jobs=[JobSpec(log=b"hello\n")]).jobs[0]
    headers = {"Authorization": "Bearer ghp_session", "X-Mine": "secret"}
    async with aiohttp.ClientSession(headers=headers, cookies={"c": "secret"}) as session:
        options = {"base_url": github.base_url, "clock": time.clock}
        async with (
            GitHubJobs(None, session=session, **options) as gh,  # type: ignore[arg-type]
            gh.open_log(REPO, job.id) as log,
        ):
            assert b"".join([chunk async for chunk in log.chunks()]) == b"hello\n"
        assert not session.closed
    api, storage = github.requests
    assert api.headers["authorization"] == "Bearer ghp_session"
    assert {"authorization", "x-mine", "cookie"} & set(storage.headers) == set()


async def test_nothing_of_a_borrowed_session_is_left_open(
    github: FakeGitHub, time: FakeClock
) -> None:
    """What the client made beside it is closed with the client, not when memory is cleaned up."""
    job = github.add_run(REPO, jobs=[JobSpec(log=b"hello\n")]).jobs[0]
    async with aiohttp.ClientSession() as session:
        gh = GitHubJobs(None, base_url=github.base_url, session=session)
        async with gh, gh.open_log(REPO, job.id) as log:
            assert await log.text() == "hello\n"
        del gh, log
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gc.collect()
        assert [str(warning.message) for warning in caught] == []
        assert not session.closed


async def test_the_storage_may_redirect(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A redirect of the storage is followed, cleanly, a bounded number of times."""
    job = github.add_run(REPO, jobs=[JobSpec(log=b"hello\n")]).jobs[0]
    link = await gh.get_log_url(REPO, job.id)
    github.fail("storage", faults.redirect(307, link.url), times=1)
    async with gh.open_log(REPO, job.id) as log:
        assert b"".join([chunk async for chunk in log.chunks()]) == b"hello\n"
    github.fail("storage", faults.redirect(307, link.url), times=None)
    with pytest.raises(TransportError, match="redirects"):
        async with gh.open_log(REPO, job.id):
            pass
    assert all("authorization" not in o.headers for o in github.requests if o.origin == "storage")


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:1/x", "http://xn--\u00e9.example/x", "http://a..example/x"]
)
async def test_a_location_that_leads_nowhere_is_an_error_of_ours(
    github: FakeGitHub, client: MakeClient, to: str
) -> None:
    """Whatever the network layer thinks of it, a TransportError comes out."""
    job = github.add_run(REPO).jobs[0]
    github.fail("log", faults.log_location(to), times=None)
    with pytest.raises(TransportError):
        async with client(retries=0).open_log(REPO, job.id):
            pass
