"""The faults: each goes wrong as it says, as often as it says, and closes without a trace."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Literal

import aiohttp
import pytest

from ghjobs_async.testing import FakeGitHub, Fault, faults, recoverable
from ghjobs_async.testing.world.blobs import blanks, gzip_of_blanks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

REPO = "octo-org/octo-repo"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(clock=lambda: 1_800_000_000.0) as fake:
        fake.add_run(REPO, jobs=120)
        fake.set_log(fake.runs[0].jobs[0].id, b"0123456789" * 100)
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def jobs_url(fake: FakeGitHub, query: str = "per_page=100") -> str:
    return f"{fake.base_url}/repos/{REPO}/actions/runs/{fake.runs[0].id}/jobs?{query}"


async def get(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    async with http.get(url, headers=headers, allow_redirects=False) as response:
        return response.status, await response.read()


async def head(http: aiohttp.ClientSession, url: str, name: str) -> str | None:
    async with http.get(url, allow_redirects=False) as response:
        return response.headers.get(name)


async def link(fake: FakeGitHub, http: aiohttp.ClientSession) -> str:
    url = f"{fake.base_url}/repos/{REPO}/actions/jobs/{fake.runs[0].jobs[0].id}/logs"
    return await head(http, url, "Location") or ""


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (faults.status(500), 500, b"Server Error"),
        (faults.status(503, b"busy", {"X-A": "b"}), 503, b"busy"),
        (faults.bad_gateway(), 502, b"<html>"),
        (faults.secondary_limit(), 403, b"secondary rate limit"),
        (faults.secondary_limit(status=429, form="html"), 429, b"<html>"),
        (faults.secondary_limit(form="documentation_url"), 403, b"secondary-rate-limits"),
        (faults.primary_limit(), 403, b"API rate limit exceeded"),
        (faults.html(), 200, b"<html>"),
        (faults.bad_credentials(), 401, b"Bad credentials"),
        (faults.saml(), 403, b"SAML"),
        (faults.missing_permission(), 403, b"not accessible by integration"),
        (faults.blocked(), 451, b"dmca"),
        (faults.unknown_api_version(410), 410, b"version"),
        (faults.redirect(302, "loop"), 302, b"actions/runs"),
    ],
)
async def test_wrong_answers(
    fake: FakeGitHub, http: aiohttp.ClientSession, fault: Fault, status: int, said: bytes
) -> None:
    """Each fault answers as it says, once, and the next answer is well."""
    rule = fake.fail("jobs", fault)
    got, body = await get(http, jobs_url(fake))
    assert (got, rule.hits) == (status, 1)
    assert said in body
    assert (await get(http, jobs_url(fake)))[0] == 200


@pytest.mark.parametrize(
    ("fault", "header", "value"),
    [
        (faults.secondary_limit(7), "Retry-After", "7"),
        (faults.secondary_limit(form="message"), "Retry-After", None),
        (faults.primary_limit(60), "X-RateLimit-Remaining", "0"),
        (faults.primary_limit(60), "X-RateLimit-Reset", "1800000060"),
        (faults.missing_permission(), "X-Accepted-GitHub-Permissions", "actions=read"),
    ],
)
async def test_telling_headers(
    fake: FakeGitHub, http: aiohttp.ClientSession, fault: Fault, header: str, value: str | None
) -> None:
    """Limits and refusals carry the headers by which clients know them."""
    fake.fail("jobs", fault)
    assert await head(http, jobs_url(fake), header) == value


@pytest.mark.parametrize(("per_page", "status"), [(100, 502), (51, 502), (50, 200), (10, 200)])
async def test_bad_gateway_depends_on_the_page_size(
    fake: FakeGitHub, http: aiohttp.ClientSession, per_page: int, status: int
) -> None:
    """A page that is too large fails for ever, a smaller one never."""
    fake.fail("jobs", faults.bad_gateway(min_per_page=51), times=None)
    for _ in range(2):
        assert (await get(http, jobs_url(fake, f"per_page={per_page}")))[0] == status


async def test_when_a_rule_applies(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A rule passes over the first fitting requests, then hits as often as it says."""
    fake.fail(
        "any", faults.status(500), times=2, after=1, where=lambda asked: "page" in asked.query
    )
    urls = [jobs_url(fake), *[jobs_url(fake, "page=1")] * 4]
    assert [(await get(http, url))[0] for url in urls] == [200, 200, 500, 500, 200]


def test_a_rule_knows_what_it_is_on(fake_github: FakeGitHub) -> None:
    """A misspelt operation is refused rather than never met."""
    with pytest.raises(ValueError, match="on is one of"):
        fake_github.fail("job_list", faults.html())


@pytest.mark.parametrize("fault", [faults.reset(), faults.disconnect()])
async def test_no_answer(fake: FakeGitHub, http: aiohttp.ClientSession, fault: Fault) -> None:
    """A connection that ends in place of an answer is an error of the connection."""
    # aiohttp replays a GET once.
    fake.fail("jobs", fault, times=2)
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(http, jobs_url(fake))
    assert fake.requests[-1].status == 0


@pytest.mark.parametrize("after", [0, 1, 1000])
@pytest.mark.parametrize("on", ["jobs", "storage"])
async def test_body_breaks_off(
    fake: FakeGitHub, http: aiohttp.ClientSession, on: str, after: int
) -> None:
    """The headers promise the whole body, and exactly so many bytes of it come."""
    url = jobs_url(fake) if on == "jobs" else await link(fake, http)
    fake.set_log(fake.runs[0].jobs[0].id, b"x" * 5000)
    fake.fail(on, faults.break_body(after))
    received = b""
    async with http.get(url, headers={"Accept-Encoding": "identity"}) as response:
        with pytest.raises(aiohttp.ClientPayloadError):  # noqa: PT012 - what came before counts
            async for chunk in response.content.iter_any():
                received += chunk
    assert len(received) == after


async def test_lengths_lie(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A Content-Length can promise too much, and too little."""
    url = await link(fake, http)
    fake.fail("storage", faults.lying_length(5))
    with pytest.raises(aiohttp.ClientPayloadError):
        await get(http, url)
    fake.fail("storage", faults.lying_length(-5))
    assert len((await get(http, url))[1]) == 995


@pytest.mark.parametrize("fault", [faults.stall_headers(), faults.stall_body(10)])
@pytest.mark.parametrize("on", ["jobs", "storage"])
async def test_stalls_end_when_the_client_goes(
    fake: FakeGitHub, http: aiohttp.ClientSession, on: str, fault: Fault
) -> None:
    """A stalled request is over on the server as soon as its client has gone."""
    url = jobs_url(fake) if on == "jobs" else await link(fake, http)
    fake.clear_requests()
    fake.fail(on, fault)
    task = asyncio.create_task(get(http, url))
    origin: Literal["api", "storage"] = "storage" if on == "storage" else "api"
    await fake.wait_asked(1, origin)
    assert fake.in_flight(origin) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while fake.in_flight(origin):  # noqa: ASYNC110 - the server's own task ends by itself
            await asyncio.sleep(0)


@pytest.mark.parametrize("fault", [faults.stall_headers(), faults.stall_body(10)])
async def test_stalls_end_when_the_fake_closes(http: aiohttp.ClientSession, fault: Fault) -> None:
    """Closing the fake ends its stalls, leaves no task, and warns of nothing."""
    before = asyncio.all_tasks()
    with warnings.catch_warnings(record=True) as warned:
        async with asyncio.timeout(5), FakeGitHub() as fake:
            fake.add_run(REPO)
            fake.fail("jobs", fault)
            task = asyncio.create_task(get(http, jobs_url(fake)))
            await fake.wait_asked(1)
        with pytest.raises(aiohttp.ClientError):
            await task
    assert asyncio.all_tasks() == before
    assert warned == []


async def test_pause_holds_answers(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """While paused, requests pile up in flight; resume lets them all go."""
    fake.pause()
    tasks = [asyncio.create_task(get(http, jobs_url(fake))) for _ in range(5)]
    await fake.wait_asked(5)
    assert fake.most_in_flight() == 5
    fake.resume()
    assert {status for status, _ in await asyncio.gather(*tasks)} == {200}


async def test_closing_while_paused(http: aiohttp.ClientSession) -> None:
    """A paused fake can be closed."""
    async with asyncio.timeout(5):
        async with FakeGitHub() as fake:
            fake.add_run(REPO)
            fake.pause()
            task = asyncio.create_task(get(http, jobs_url(fake)))
            await fake.wait_asked(1)
        with pytest.raises(aiohttp.ClientError):
            await task


async def test_storage_errors(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The storage's faults are XML with the code that belongs to them."""
    url = await link(fake, http)
    for fault, status, code in (
        (faults.expired_link(), 403, b"Signature not valid in the specified time frame"),
        (faults.storage_status(401), 401, b"NoAuthenticationInformation"),
        (faults.storage_status(503), 503, b"ServerBusy"),
        (faults.blob_not_found(), 404, b"BlobNotFound"),
        (faults.blob_not_found(200), 200, b"BlobNotFound"),
    ):
        fake.fail("storage", fault)
        got, body = await get(http, url)
        assert got == status
        assert code in body


async def test_range_is_ignored(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A server that ignores Range answers 200 with everything."""
    url = await link(fake, http)
    fake.fail("storage", faults.ignore_range())
    status, body = await get(http, url, {"Range": "bytes=990-"})
    assert (status, len(body)) == (200, 1000)
    assert (await get(http, url, {"Range": "bytes=990-"}))[0] == 206


async def test_blob_changes(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """After the change content and ETag are others, and stay so."""
    url = await link(fake, http)
    before = (await head(http, url, "ETag"), (await get(http, url))[1])
    fake.fail("storage", faults.change_blob())
    first = (await head(http, url, "ETag"), (await get(http, url))[1])
    assert first[0] != before[0]
    assert first[1] != before[1]
    assert first[1].endswith(before[1])


async def test_redirect_to_the_number(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The default redirect leads to the same answer below /repositories."""
    fake.fail("jobs", faults.redirect(307), times=None)
    async with http.get(jobs_url(fake)) as response:
        assert response.status == 200
        assert "/repositories/" in response.url.path
        assert (await response.json())["total_count"] == 120


@pytest.mark.parametrize(
    ("to", "starts"),
    [
        ("other_host", lambda fake: fake.storage_url + "/repos/"),
        ("https://example.invalid/x", lambda _: "https://example.invalid/x"),
    ],
)
async def test_redirect_elsewhere(
    fake: FakeGitHub, http: aiohttp.ClientSession, to: str, starts: Callable[[FakeGitHub], str]
) -> None:
    """A redirect can lead to another origin."""
    fake.fail("jobs", faults.redirect(302, to))
    location = await head(http, jobs_url(fake), "Location") or ""
    assert location.startswith(starts(fake))


async def test_link_and_location_elsewhere(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Link and a log's Location can name another host."""
    fake.fail("jobs", faults.link_host())
    assert "<https://example.invalid/api/v3/" in (await head(http, jobs_url(fake), "Link") or "")
    fake.fail("log", faults.log_location("ftp://example.invalid/"))
    assert await link(fake, http) == "ftp://example.invalid/"


@pytest.mark.parametrize(
    ("kind", "total", "ids"),
    [("repeat", 120, 101), ("total", 121, 120), ("short", 120, 119)],
)
async def test_lists_shift(
    fake: FakeGitHub, http: aiohttp.ClientSession, kind: str, total: int, ids: int
) -> None:
    """A list that shifts repeats a job and loses another, or counts more, or is short."""
    fault = {
        "repeat": faults.shifting_list("repeat"),
        "total": faults.shifting_list("total"),
        "short": faults.shifting_list("short"),
    }[kind]
    fake.fail("jobs", fault, where=lambda asked: asked.query.get("page") == "2")
    seen: set[int] = set()
    counted = 0
    for page in (1, 2):
        async with http.get(jobs_url(fake, f"per_page=100&page={page}")) as response:
            answer = await response.json()
            counted = answer["total_count"]
            seen |= {job["id"] for job in answer["jobs"]}
    wanted = 119 if kind == "repeat" else ids
    assert (counted, len(seen)) == (total, wanted)


async def test_truncated_json(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Half of the JSON comes with a length that fits it."""
    fake.fail("jobs", faults.truncated_json())
    _, body = await get(http, jobs_url(fake))
    assert body.startswith(b'{"total_count":120')
    assert not body.endswith(b"}]}")


@pytest.mark.parametrize("size", [2, 1000, 1 << 20, (3 << 20) + 7])
async def test_bombs(fake: FakeGitHub, http: aiohttp.ClientSession, size: int) -> None:
    """A bomb and a huge answer have just the size they say, and are JSON."""
    fake.fail("jobs", faults.gzip_bomb(size))
    fake.fail("job", faults.huge_answer(size))
    job = f"{fake.base_url}/repos/{REPO}/actions/jobs/{fake.runs[0].jobs[0].id}"
    bomb, huge = await get(http, jobs_url(fake)), await get(http, job)
    assert bomb[1] == huge[1] == b"".join(blanks(size))
    assert bomb[1].rstrip() == b"{}"
    assert len(gzip_of_blanks(size)) < size / 50 + 200


async def test_share_depends_on_what_is_asked_only(http: aiohttp.ClientSession) -> None:
    """The same seed fails the same requests, in whatever order they come."""

    async def failed(seed: int, *, backwards: bool) -> set[int]:
        async with FakeGitHub(record=False) as fake:
            runs = [fake.add_run(REPO) for _ in range(60)]
            fake.fault_rate(0.3, seed, [faults.status(500)])
            found = set()
            for run in reversed(runs) if backwards else runs:
                url = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}"
                if (await get(http, url))[0] == 500:
                    found.add(run.id)
            assert fake.requests == []
            return found

    first = await failed(1, backwards=False)
    assert 6 <= len(first) <= 30
    assert await failed(1, backwards=True) == first
    assert await failed(2, backwards=False) != first


def test_shares_can_do_without_stalls() -> None:
    """The stalls can be left out of a soak."""
    names = {fault.name for fault in recoverable(stalls=False)}
    assert {"stall_headers", "stall_body"}.isdisjoint(names)
    assert len(recoverable()) > len(recoverable(stalls=False)) > 20


async def test_heal(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Healing ends every fault; so does stopping a rule."""
    fake.fail("jobs", faults.status(500), times=None)
    fake.fault_rate(1.0, faults=[faults.status(500)])
    fake.heal()
    fake.fail("jobs", faults.status(500), times=None).stop()
    assert (await get(http, jobs_url(fake)))[0] == 200
