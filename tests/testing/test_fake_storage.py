"""The fake's storage: signed links, ranges, and errors in XML."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import aiohttp
import pytest

from ghjobs_async.testing import FakeGitHub, FakeJob, JobSpec, scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

REPO = "octo-org/octo-repo"
BOM = b"\xef\xbb\xbf"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake(clock: Clock) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(clock=clock) as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def job(fake: FakeGitHub) -> FakeJob:
    job = fake.add_run(REPO).jobs[0]
    fake.set_log(job.id, b"0123456789")
    return job


async def link(fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob) -> str:
    url = f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}/logs"
    async with http.get(url, allow_redirects=False) as response:
        assert response.status == 302
        assert await response.read() == b""
        return response.headers["Location"]


async def test_link_leads_to_the_log(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob
) -> None:
    """The link lies on another origin and gives the whole log with length and strong ETag."""
    url = await link(fake, http, job)
    assert url.startswith(fake.storage_url + "/")
    async with http.get(url) as response:
        assert await response.read() == b"0123456789"
        assert response.headers["Content-Length"] == "10"
        assert response.headers["ETag"].startswith('"')
        assert response.headers["Content-Type"] == "text/plain"
        assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=3-", 206, b"3456789", "bytes 3-9/10"),
        ("bytes=3-5", 206, b"345", "bytes 3-5/10"),
        ("bytes=3-99", 206, b"3456789", "bytes 3-9/10"),
        ("bytes=-4", 200, b"0123456789", None),
        ("lines=1-", 200, b"0123456789", None),
        ("bytes=10-", 416, None, "bytes */10"),
    ],
)
async def test_ranges(
    fake: FakeGitHub,
    http: aiohttp.ClientSession,
    job: FakeJob,
    asked: str,
    status: int,
    body: bytes | None,
    content_range: str | None,
) -> None:
    """Ranges from a byte on are served, one beyond the end refused, a suffix range ignored."""
    url = await link(fake, http, job)
    async with http.get(url, headers={"Range": asked}) as response:
        got = await response.read()
        assert response.status == status
        assert response.headers.get("Content-Range") == content_range
        assert body is None or got == body


async def test_link_expires(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob, clock: Clock
) -> None:
    """A link works until its lifetime is over by the clock."""
    url = await link(fake, http, job)
    clock.now += 59
    async with http.get(url) as response:
        assert response.status == 200
    clock.now += 1
    async with http.get(url) as response:
        assert response.status == 403
        text = await response.read()
        assert text.startswith(BOM)
        assert b"<Code>AuthenticationFailed</Code>" in text
        assert b"Signature not valid in the specified time frame" in text


async def test_signature_is_checked(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob
) -> None:
    """A link that was tampered with is refused."""
    url = await link(fake, http, job)
    async with http.get(url.replace("sp=r", "sp=w")) as response:
        assert response.status == 403
        assert b"Signature did not match" in await response.read()


async def test_a_token_is_refused(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob
) -> None:
    """Whoever sends the token to the storage is answered 400."""
    url = await link(fake, http, job)
    async with http.get(url, headers={"Authorization": "Bearer t"}) as response:
        assert response.status == 400
    assert "authorization" in fake.requests[-1].headers


@pytest.mark.parametrize(("state", "status"), [("expired", 410), ("deleted", 404)])
async def test_logs_that_are_gone(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob, state: str, status: int
) -> None:
    """A log past its retention is answered 410, a deleted one 404."""
    fake.set_log(job.id, state="expired" if state == "expired" else "deleted")
    url = f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}/logs"
    async with http.get(url) as response:
        assert response.status == status
        assert "message" in await response.json()


@pytest.mark.parametrize("status", [404, 200])
async def test_logs_that_are_not_ready(
    fake: FakeGitHub, http: aiohttp.ClientSession, status: int
) -> None:
    """A running job's link leads to BlobNotFound, its byte order mark first."""
    job = fake.add_run(REPO, jobs=[scenario.in_progress()]).jobs[0]
    fake.storage.not_ready_status = status
    async with http.get(await link(fake, http, job)) as response:
        text = await response.read()
        assert response.status == status
        assert text.startswith(BOM + b"<?xml")
        assert b"<Code>BlobNotFound</Code>" in text


async def test_direct_logs(fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob) -> None:
    """In the direct state the API itself answers with the log."""
    fake.set_log(job.id, b"here", state="direct")
    url = f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}/logs"
    async with http.get(url, allow_redirects=False) as response:
        assert (response.status, await response.read()) == (200, b"here")


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        (scenario.skipped(), 404),
        (scenario.check_run(), 404),
        (scenario.cancelled_before_start(), 302),
        (scenario.queued(), 302),
        (JobSpec(), 302),
    ],
)
async def test_what_never_ran_has_no_log(
    fake: FakeGitHub, http: aiohttp.ClientSession, spec: JobSpec, status: int
) -> None:
    """Without a state of its own a log is there, or not, as the job's status implies."""
    job = fake.add_run(REPO, jobs=[spec]).jobs[0]
    url = f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}/logs"
    async with http.get(url, allow_redirects=False) as response:
        assert response.status == status


async def test_large_logs_are_streamed(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob
) -> None:
    """A generated log comes whole, block by block, and from any byte on."""

    def content() -> Iterator[bytes]:
        return (b"%07d\n" % n * 8192 for n in range(32))

    fake.set_log(job.id, content, size=2 << 20)
    whole = b"".join(content())
    assert len(whole) == 2 << 20
    url = await link(fake, http, job)
    async with http.get(url) as response:
        assert hashlib.sha256(await response.read()).digest() == hashlib.sha256(whole).digest()
    async with http.get(url, headers={"Range": "bytes=1000001-"}) as response:
        assert await response.read() == whole[1_000_001:]


async def test_unmeasured_logs_are_measured(
    fake: FakeGitHub, http: aiohttp.ClientSession, job: FakeJob
) -> None:
    """A generated log of unknown size is read once to be measured."""
    fake.set_log(job.id, lambda: iter([b"ab", b"cd"]))
    async with http.get(await link(fake, http, job)) as response:
        assert response.headers["Content-Length"] == "4"
