"""What a 200 may hold that is no log, and what an error may keep alive."""

from __future__ import annotations

import asyncio
import traceback

import aiohttp
import pytest
from async_tools import MakeClient

from ghjobs_async import (
    ApiVersionError,
    AuthError,
    ConfigurationError,
    Failed,
    FanOut,
    Fetched,
    GHJobsError,
    GitHubJobs,
    JobRef,
    LogTruncatedError,
    RequestTimeoutError,
    RunRef,
    TokenAuth,
    TransportError,
)
from ghjobs_async.testing import FakeGitHub, faults

REPO = "octo-org/octo-repo"


@pytest.mark.parametrize("where", ["log", "storage"])
async def test_a_web_page_is_never_taken_for_a_log(
    github: FakeGitHub, gh: GitHubJobs, where: str
) -> None:
    """HTML with 200 is asked for again; where it passes, the log comes whole."""
    job = github.add_run(REPO).jobs[0]
    github.set_log(job.id, b"the log\n")
    github.fail(where, faults.html(), times=2)
    async with gh.open_log(job.ref) as log:
        assert b"".join([chunk async for chunk in log.chunks()]) == b"the log\n"


@pytest.mark.parametrize("where", ["log", "storage"])
async def test_a_web_page_that_stays_is_an_error(
    github: FakeGitHub, gh: GitHubJobs, where: str
) -> None:
    """A proxy's page in place of the log is one error of ours, in the end."""
    job = github.add_run(REPO).jobs[0]
    github.fail(where, faults.html(), times=None)
    with pytest.raises(TransportError, match="not a log"):
        async with gh.open_log(job.ref):
            pass


async def test_an_api_version_is_not_an_expired_log(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A 410 that speaks of the API version is told as such, for logs too."""
    job = github.add_run(REPO).jobs[0]
    github.fail("log", faults.unknown_api_version(410), times=None)
    with pytest.raises(ApiVersionError, match="api_version"):
        async with gh.open_log(job.ref):
            pass


async def test_a_kept_failure_keeps_nothing_else(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The error of an outcome holds its place in the code, and none of the answers there."""
    run = github.add_run(REPO)
    github.fail("jobs", faults.missing_permission(), times=None)
    async with gh.fan_out([run.ref]) as outcomes:
        outcome = await anext(outcomes)
    assert isinstance(outcome, Failed)
    frames = [frame for frame, _ in traceback.walk_tb(outcome.error.__traceback__)]
    assert len(frames) > 3
    # The fan-out's own frame was running when it made the outcome; it holds only what it was given.
    assert all(set(frame.f_locals) <= {"self", "given", "key"} for frame in frames)


async def test_a_failure_leaves_the_caller_s_frames_alone() -> None:
    """A coroutine of the caller's that raised into a future, and goes on, is not closed by it."""
    queue: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue()

    def check(key: int) -> None:
        raise ValueError(key)

    async def serve() -> None:
        while True:
            key, future = await queue.get()
            try:
                check(key)
            except ValueError as error:
                future.set_exception(error)

    async def work(key: int) -> int:
        future = asyncio.get_running_loop().create_future()
        queue.put_nowait((key, future))
        return await asyncio.wait_for(future, 5)

    server = asyncio.ensure_future(serve())
    async with FanOut(range(3), work, concurrency=1) as outcomes:
        errors = [outcome.error async for outcome in outcomes if isinstance(outcome, Failed)]
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    assert [type(error) for error in errors] == [ValueError] * 3


async def test_errors_never_show_credentials_of_an_address() -> None:
    """A pasted address with a password, or with a signature, is shown without them."""
    for text in ("https://me:ghp_SECRET@github.com/foo", "https://h/o/r/x?sig=SECRET"):
        for parse in (RunRef.parse, JobRef.parse):
            with pytest.raises(ConfigurationError) as caught:
                parse(text)
            assert "SECRET" not in str(caught.value)


async def test_a_log_that_breaks_in_its_first_bytes_counts_them(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """A storage that never gives more than five bytes: truncated, with five received."""
    job = github.add_run(REPO).jobs[0]
    github.set_log(job.id, b"a log of some length\n" * 50)
    github.fail("storage", faults.break_body(after=5), times=1)
    github.fail("storage", faults.break_body(after=0), times=None)
    with pytest.raises(LogTruncatedError) as caught:
        async with gh.open_log(job.ref) as log:
            _ = [chunk async for chunk in log.chunks()]
    assert (caught.value.received, caught.value.expected) == (5, 1050)


async def test_a_log_in_many_pieces_is_whole(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Two hundred breaks that each bring something are no reason to give up."""
    job = github.add_run(REPO).jobs[0]
    whole = bytes(range(256)) * 40
    github.set_log(job.id, whole)
    github.fail("storage", faults.break_body(after=50), times=None)
    async with gh.open_log(job.ref) as log:
        assert b"".join([chunk async for chunk in log.chunks()]) == whole


async def test_a_signed_link_on_the_api_s_own_host_gets_no_token(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """Only an address of the API itself is a redirect within it; any other one is the link."""
    job = github.add_run(REPO).jobs[0]
    origin = github.base_url.removesuffix("/api/v3")
    github.fail("log", faults.log_location(f"{origin}/_services/log?sig=SECRET"), times=None)
    link = await gh.get_log_url(job.ref)
    assert link.url == f"{origin}/_services/log?sig=SECRET"
    with pytest.raises(GHJobsError) as caught:
        async with gh.open_log(job.ref):
            pass
    assert "SECRET" not in str(caught.value)
    asked = [asked for asked in github.requests if "_services" in asked.path]
    assert asked
    assert not any("authorization" in one.headers for one in asked)


async def test_total_alone_bounds_a_log_too(github: FakeGitHub, client: MakeClient) -> None:
    """With nothing but a total timeout, no single wait of a log is longer than that."""
    job = github.add_run(REPO).jobs[0]
    timeout = aiohttp.ClientTimeout(total=0.05)
    for where, fault in (("log", faults.stall_headers()), ("storage", faults.stall_headers())):
        github.fail(where, fault, times=None)
        with pytest.raises(RequestTimeoutError):
            async with client(timeout=timeout, retries=0).open_log(job.ref):
                pass
        github.heal()


async def test_a_callable_s_new_token_is_tried_once(github: FakeGitHub, client: MakeClient) -> None:
    """A token that was renewed while a request waited is asked with; the same one is not."""
    run = github.add_run(REPO)
    tokens = iter(["old", "new", "new", "new", "new"])

    async def fetch() -> str:
        return next(tokens)

    github.fail("jobs", faults.bad_credentials(), times=1)
    async with client(TokenAuth(fetch)) as gh:
        assert (await gh.list_jobs(run.ref)).complete
        github.fail("jobs", faults.bad_credentials(), times=1)
        with pytest.raises(AuthError):
            await gh.list_jobs(run.ref)


async def test_an_owner_s_credential_is_chosen_once(github: FakeGitHub, client: MakeClient) -> None:
    """A cold fan-out asks the callable once for an owner, however many tasks wait for it."""
    chosen: list[str] = []

    async def choose(owner: str) -> str:
        chosen.append(owner)
        await asyncio.sleep(0)
        return f"token-{len(chosen)}"

    runs = [github.add_run(REPO) for _ in range(20)]
    async with client(choose) as gh, gh.fan_out(run.ref for run in runs) as outcomes:
        assert all([isinstance(outcome, Fetched) async for outcome in outcomes])
    assert chosen == ["octo-org"]


async def test_attempts_are_listed_whole_in_a_fan_out(github: FakeGitHub, gh: GitHubJobs) -> None:
    """References with and without an attempt go together; a wrong filter is told at once."""
    run = github.add_run(REPO, attempts=2)
    refs = [run.ref, RunRef(REPO, run.id, attempt=1)]
    async with gh.fan_out(refs, filter="all") as outcomes:
        found = [outcome async for outcome in outcomes]
    assert sorted(len(one.value) for one in found if isinstance(one, Fetched)) == [1, 2]
    with pytest.raises(ConfigurationError, match="filter"):
        gh.fan_out(refs, filter="newest")  # type: ignore[arg-type]


async def test_a_borrowed_session_s_proxy_serves_the_storage_too(github: FakeGitHub) -> None:
    """A proxy that a lent session goes through is not passed by for downloads."""
    job = github.add_run(REPO).jobs[0]
    # aiohttp means to drop it; people still have it.
    with pytest.warns(DeprecationWarning, match="BasicAuth|proxy_auth"):  # noqa: PT031
        login = aiohttp.BasicAuth("user", "word")
        session = aiohttp.ClientSession(proxy="http://127.0.0.1:9", proxy_auth=login)
        async with session, GitHubJobs(None, base_url=github.base_url, session=session) as gh:
            clean = gh._requester.sessions._storage()
            assert clean._default_proxy_auth == login
            with pytest.raises(aiohttp.ClientProxyConnectionError):
                await clean.get(f"{github.storage_url}/{job.id}")
