"""What a user reads where a proxy, a filter, a web site or GitHub's own policy refuses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from async_tools import FakeClock, MakeClient, take_all

from ghjobs_async import (
    ConfigurationError,
    ForbiddenError,
    GHJobsError,
    GitHubJobs,
    LogUnavailableError,
    NotFoundError,
    ResponseError,
    TransportError,
)
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"
PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


class Refuser:
    """A server that gives one answer to everything, byte by byte; `asked` are the request lines."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.answers: list[bytes] = []
        self.port = 0

    def gives(self, status: str, body: bytes = b"", *headers: str) -> None:
        """Add an answer; the last one is given for ever."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
        self.answers.append("\r\n".join([*lines, *headers, "", ""]).encode() + body)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        self.asked.append(self.heads[-1].splitlines()[0])
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        await writer.drain()
        writer.close()


@pytest.fixture
async def refuser() -> AsyncIterator[Refuser]:
    server = Refuser()
    async with await asyncio.start_server(server, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


async def ask(gh: GitHubJobs, what: str) -> None:
    if what == "list":
        await gh.list_jobs(REPO, 1)
    elif what == "job":
        await gh.get_job(REPO, 1)
    elif what == "link":
        await gh.get_log_url(REPO, 1)
    else:
        async with gh.open_log(REPO, 1):
            pass


# A proxy.


@pytest.mark.parametrize(
    ("status", "hint", "retried"),
    [
        ("407 Proxy Authentication Required", "user name and password", False),
        ("403 Forbidden", "ask its administrator", False),
        ("500 Internal Server Error", "try again later", True),
        ("502 Bad Gateway", "try again later", True),
        ("405 Method Not Allowed", "check its address", False),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_s_refusal_names_the_proxy(
    refuser: Refuser,
    client: MakeClient,
    time: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    status: str,
    hint: str,
    *,
    retried: bool,
) -> None:
    """Its host, port and status, never its password; 407 and 403 are not asked again."""
    refuser.gives(status, PAGE)
    monkeypatch.setenv("all_proxy", f"http://user:s%40cret@127.0.0.1:{refuser.port}")
    with pytest.raises(GHJobsError) as caught:
        await client("ghp_secret", base_url=f"{scheme}://ghe.invalid/api/v3").get_job(REPO, 1)
    method = "CONNECT" if scheme == "https" else "GET"
    assert {line.split()[0] for line in refuser.asked} == {method}
    assert "roxy-Authorization: Basic" in refuser.heads[0]
    assert (len(refuser.asked), len(time.sleeps)) == ((6, 5) if retried else (1, 0))
    text = str(caught.value)
    assert text.startswith(f"GET {scheme}://ghe.invalid/api/v3/repos/{REPO}/actions/jobs/1: ")
    # Over plain http only these two are told from an answer of the server.
    if scheme == "https" or status[:3] in {"403", "407"}:
        assert isinstance(caught.value, TransportError)
        assert f"the proxy 127.0.0.1:{refuser.port} refuses with {status[:3]}" in text
        assert hint in text
    for shown in (text, repr(caught.value.__cause__), repr(caught.value.__context__)):
        assert "cret" not in shown


async def test_a_proxy_that_nobody_configured_is_one_too(
    refuser: Refuser, client: MakeClient
) -> None:
    """A 407 comes from nothing else, though its address is not known."""
    refuser.gives("407 Proxy Authentication Required", PAGE)
    with pytest.raises(TransportError, match="/1: a proxy refuses with 407"):
        await client(base_url=f"http://127.0.0.1:{refuser.port}/api/v3").get_job(REPO, 1)


async def test_a_403_of_github_behind_a_proxy_is_github_s(
    refuser: Refuser, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has GitHub's headers came from GitHub, even over plain http."""
    message = b'{"message": "Resource not accessible by integration"}'
    refuser.gives("403 Forbidden", message, "X-GitHub-Request-Id: C0DE:1")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refuser.port}")
    with pytest.raises(ForbiddenError, match="read Actions"):
        await client(base_url="http://ghe.invalid/api/v3").get_job(REPO, 1)


async def test_a_proxy_that_is_not_there_is_named(
    refuser: Refuser, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the proxy that cannot be reached, not GitHub."""
    monkeypatch.setenv("https_proxy", "http://user:s3cret@127.0.0.1:1")
    gh = client(base_url="https://ghe.invalid/api/v3", retries=0)
    with pytest.raises(
        TransportError, match=r"the proxy 127\.0\.0\.1:1 cannot be reached"
    ) as caught:
        await gh.get_job(REPO, 1)
    assert "s3cret" not in str(caught.value)
    assert not refuser.asked


async def test_a_session_s_own_proxy_is_named(refuser: Refuser, client: MakeClient) -> None:
    """A lent session's proxy comes before that of the environment, and refuses under its name."""
    refuser.gives("403 Forbidden")
    async with aiohttp.ClientSession(proxy=f"http://127.0.0.1:{refuser.port}") as session:
        gh = client(session=session, base_url="https://ghe.invalid/api/v3")
        with pytest.raises(TransportError, match=f"the proxy 127.0.0.1:{refuser.port} refuses"):
            await gh.get_job(REPO, 1)


async def test_no_log_goes_through_a_proxy_by_mistake(
    github: FakeGitHub, refuser: Refuser, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage's address is held against NO_PROXY too, with its port."""
    job = github.add_run(REPO).jobs[0]
    refuser.gives("403 Forbidden", PAGE)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refuser.port}")
    api, storage = (
        url.split("//")[1].split("/")[0] for url in (github.base_url, github.storage_url)
    )
    monkeypatch.setenv("no_proxy", api)
    with pytest.raises(TransportError, match="the proxy"):
        async with client().open_log(REPO, job.id):
            pass
    assert [line.split()[0] for line in refuser.asked] == ["GET"]
    monkeypatch.setenv("no_proxy", f"{api},{storage}")
    async with client().open_log(REPO, job.id) as log:
        assert await take_all(log)
    assert len(refuser.asked) == 1


@pytest.mark.parametrize("entry", ["nonsense/", "127.0.0.0/8"])
async def test_a_session_that_reads_the_environment_is_no_way_around(
    github: FakeGitHub,
    refuser: Refuser,
    client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    entry: str,
) -> None:
    """With trust_env, aiohttp overlooks what it does not understand: nothing is sent then."""
    job = github.add_run(REPO).jobs[0]
    refuser.gives("403 Forbidden", PAGE)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refuser.port}")
    monkeypatch.setenv("no_proxy", entry)
    async with aiohttp.ClientSession(trust_env=True) as session:
        with pytest.raises(ConfigurationError, match=r"(?i)no_proxy"):
            await client(session=session).get_job(REPO, job.id)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert (await client(session=session).get_job(REPO, job.id)).id == job.id
    assert refuser.asked == []


async def test_secrets_of_a_proxy_are_not_in_a_repr(
    client: MakeClient, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found in the environment is kept, and not shown."""
    job = github.add_run(REPO).jobs[0]
    monkeypatch.setenv("http_proxy", f"http://user:s3cret@{github.web_url.split('//')[1]}")
    gh = client(base_url="http://ghe.invalid/api/v3")
    assert (await gh.get_job(REPO, job.id)).id == job.id
    assert "s3cret" not in repr(gh._requester.sessions)
    assert os.environ["http_proxy"]


# A web site, a filter, a login page.


@pytest.mark.parametrize(
    ("status", "body", "header"),
    [
        ("404 Not Found", PAGE, "X-GitHub-Request-Id: C0DE:1"),
        ("404 Not Found", PAGE, "Content-Type: text/html"),
        ("406 Not Acceptable", b"", "X-GitHub-Request-Id: C0DE:1"),
        ("403 Forbidden", b'{"message": "Cookies must be enabled to use GitHub."}', "X: Y"),
        ("302 Found", b"", "Location: /login?return_to=x"),
    ],
)
@pytest.mark.parametrize("what", ["list", "job", "log", "link"])
async def test_a_wrong_root_is_asked_about(
    refuser: Refuser, client: MakeClient, what: str, status: str, body: bytes, header: str
) -> None:
    """The web site of an Enterprise Server is not its API: one request, and where the API is."""
    refuser.gives(status, body, header)
    root = f"http://127.0.0.1:{refuser.port}"
    with pytest.raises((ResponseError, TransportError), match="root of a GitHub API") as caught:
        await ask(client(base_url=root), what)
    assert not isinstance(caught.value, (NotFoundError, ForbiddenError))
    assert f"{root}/api/v3" in str(caught.value)
    assert len(refuser.asked) == 1


async def test_a_filter_on_the_way_is_not_github(refuser: Refuser, client: MakeClient) -> None:
    """Its 403 says nothing about the token's rights, its 404 nothing about a log."""
    gh = client(base_url=f"http://127.0.0.1:{refuser.port}/api/v3")
    refuser.gives("403 Forbidden", b"<html>blocked by policy</html>", "Via: 1.1 filter")
    with pytest.raises(ResponseError, match=r"not GitHub's answer.*1\.1 filter") as caught:
        await gh.list_jobs(REPO, 1)
    assert not isinstance(caught.value, ForbiddenError)
    refuser.answers.clear()
    refuser.gives("404 Not Found", PAGE)
    with pytest.raises(ResponseError, match="not GitHub's answer"):
        async with gh.open_log(REPO, 1):
            pass


# GitHub's own words.


@pytest.mark.parametrize("body", [b'{"message": "Server Error"}', b"", b"<html>gone</html>"])
async def test_a_410_of_a_log_is_expired(refuser: Refuser, client: MakeClient, body: bytes) -> None:
    """Whatever the body looks like, since the job itself was found."""
    refuser.gives("410 Gone", body)
    gh = client(base_url=f"http://127.0.0.1:{refuser.port}")
    with pytest.raises(LogUnavailableError) as caught:
        async with gh.open_log(REPO, 1):
            pass
    assert caught.value.reason == "expired"


async def test_a_410_of_a_log_may_speak_of_versions(refuser: Refuser, client: MakeClient) -> None:
    """An API version that is no longer supported is not an expired log."""
    refuser.gives("410 Gone", b'{"message": "API version 2026-03-10 is no longer supported."}')
    gh = client(base_url=f"http://127.0.0.1:{refuser.port}")
    with pytest.raises(ResponseError, match="pass api_version="):
        async with gh.open_log(REPO, 1):
            pass


async def test_a_workflow_s_title_is_not_its_name(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A user who passes what the web page shows reads what is wanted."""
    github.add_run(REPO)
    with pytest.raises(NotFoundError, match=r"by its file \(ci.yml\) or its number"):
        await take_all(gh.iter_runs(REPO, workflow="No such title"))


async def test_a_proxy_that_refused_is_let_go_of(
    client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page is not read: the connection ends, however long the page would be."""
    ended = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 999999\r\n\r\n<html>")
        assert await reader.read() == b""
        ended.set()
        writer.close()

    async with await asyncio.start_server(endless, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(TransportError, match="refuses with 407") as caught:
            await client(base_url="http://ghe.invalid/api/v3").get_job(REPO, 1)
        async with asyncio.timeout(5):
            await ended.wait()
    assert not caught.value.retryable
