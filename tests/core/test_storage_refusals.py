"""A storage that is busy, and one that refuses: waited for, healed, or given up for all at once."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest
from async_tools import EPOCH, FakeClock, MakeClient, take_all

from ghjobs_async import (
    Failed,
    Fetched,
    GitHubJobs,
    JobLog,
    JobRef,
    LogTruncatedError,
    LogUnavailableError,
    ServerError,
    TransportError,
    Wait,
)
from ghjobs_async.testing import FakeGitHub, Fault, JobSpec, faults
from ghjobs_async.testing.server.messages import Answer, Asked

REPO = "octo-org/octo-repo"
LOG = b"".join(b"2026-10-01T12:00:00.%07dZ line %d\n" % (n, n) for n in range(2000))
IN_A_MINUTE = formatdate(EPOCH + 60, usegmt=True)
S3_EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


def answering(status: int, body: bytes = b"", **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(f"answering {status}", lambda *_: Answer(status, body, named, bare=True))


def add_logs(github: FakeGitHub, count: int) -> list[JobRef]:
    jobs = github.add_run(REPO, jobs=[JobSpec(f"job {n}", log=LOG) for n in range(count)]).jobs
    return [JobRef(REPO, job.id) for job in jobs]


@pytest.fixture
def ref(github: FakeGitHub) -> JobRef:
    return add_logs(github, 1)[0]


async def whole(log: JobLog) -> bytes:
    return b"".join([chunk async for chunk in log.chunks()])


async def read(gh: GitHubJobs, ref: JobRef) -> bytes:
    async with gh.open_log(ref) as log:
        return await whole(log)


async def read_all(
    gh: GitHubJobs, refs: list[JobRef]
) -> list[Fetched[JobRef, bytes] | Failed[JobRef]]:
    async with gh.fan_out_logs(refs, whole) as outcomes:
        return await take_all(outcomes)


def count(github: FakeGitHub, origin: str) -> int:
    return sum(one.origin == origin for one in github.requests)


@pytest.mark.parametrize("body", [b"", b"<html>not here</html>"])
async def test_a_404_of_any_storage_is_no_log(
    github: FakeGitHub, gh: GitHubJobs, ref: JobRef, body: bytes
) -> None:
    """Whatever its body says: there is no such log, and no other link is asked for."""
    github.fail("storage", answering(404, body), times=None)
    with pytest.raises(LogUnavailableError) as caught:
        await read(gh, ref)
    assert caught.value.reason == "lost"
    assert count(github, "storage") == 1


# Busy.


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", ["60", IN_A_MINUTE], ids=["seconds", "date"])
@pytest.mark.parametrize("begun", [False, True], ids=["at first", "at a resume"])
async def test_a_busy_storage_is_waited_for_as_it_says(
    github: FakeGitHub,
    client: MakeClient,
    time: FakeClock,
    ref: JobRef,
    status: int,
    after: str,
    begun: bool,
) -> None:
    """Retry-After, as seconds or as a date, is waited for once, and reported before."""
    if begun:
        github.fail("storage", faults.break_body(7000))
    github.fail("storage", answering(status, Retry_After=after))
    waits: list[Wait] = []
    assert await read(client(on_wait=waits.append), ref) == LOG
    assert [wait.seconds for wait in waits] == time.sleeps == [60.0]
    assert str(status) in waits[0].reason
    assert count(github, "api") == 2 + begun


async def test_a_date_is_read_by_the_clients_clock(time: FakeClock) -> None:
    """Where the answer itself has no Date, a Retry-After date is that much after our own time."""
    answers = [
        b"302 Found\r\nLocation: /blob",
        b"503 Busy\r\nRetry-After: %s" % IN_A_MINUTE.encode(),
        b"302 Found\r\nLocation: /blob",
        b"200 OK\r\nContent-Length: 9",
    ]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = answers.pop(0)
        writer.write(b"HTTP/1.1 %s\r\nConnection: close\r\n\r\n" % head)
        writer.write(b"the log.\n" if head.startswith(b"200") else b"")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening, GitHubJobs(None, base_url=root, clock=time.clock) as gh:
        assert await read(gh, JobRef(REPO, 1)) == b"the log.\n"
    assert time.sleeps == [60.0]


@pytest.mark.parametrize(("status", "error"), [(429, TransportError), (503, ServerError)])
async def test_a_storage_that_is_busy_for_too_long_is_an_error(
    github: FakeGitHub,
    client: MakeClient,
    time: FakeClock,
    ref: JobRef,
    status: int,
    error: type[Exception],
) -> None:
    """Longer than max_wait: no wait, no other request, and the error says when to try again."""
    github.fail("storage", answering(status, Retry_After="901"), times=None)
    with pytest.raises(error, match=r"in 901 s"):
        await read(client(max_wait=900), ref)
    assert (time.sleeps, count(github, "storage")) == ([], 1)


async def test_logs_wait_for_a_busy_storage_side_by_side(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A busy storage refuses nobody: no log waits for another one's result."""
    refs = add_logs(github, 20)
    github.fail("storage", answering(429, Retry_After="60"), times=20)
    assert all(isinstance(outcome, Fetched) for outcome in await read_all(gh, refs))
    assert time.time == EPOCH + 60


# Refusing for good.

FOR_GOOD = {
    "403": faults.storage_status(403),
    "401": faults.storage_status(401),
    "a firewall's page": answering(403, b"<html>Blocked", Content_Type="text/html"),
    "a page with 200": answering(200, b"<html>Blocked", Content_Type="text/html"),
    "no answer": faults.disconnect(),
    "reset": faults.reset(),
}


@pytest.mark.parametrize("concurrency", [1, 3, 32])
@pytest.mark.parametrize("fault", FOR_GOOD.values(), ids=FOR_GOOD.keys())
async def test_a_storage_that_refuses_for_good_costs_little(
    github: FakeGitHub, client: MakeClient, fault: Fault, concurrency: int
) -> None:
    """Forty logs: one download finds out for all; 240 requests to the API were sent before."""
    refs = add_logs(github, 40)
    github.fail("storage", fault, times=None)
    outcomes = await read_all(client(concurrency=concurrency), refs)
    assert [type(one.error) for one in outcomes if isinstance(one, Failed)] == [TransportError] * 40
    assert count(github, "api") == 45


async def test_a_refusal_names_the_host_and_what_to_check(
    github: FakeGitHub, client: MakeClient, ref: JobRef
) -> None:
    """The storage's host, the firewall and the proxy; never the query of the link."""
    github.fail("storage", faults.storage_status(403), times=None)
    gh = client()
    host = urlsplit((await gh.get_log_url(ref)).url).netloc
    with pytest.raises(TransportError) as caught:
        await read(gh, ref)
    text = str(caught.value)
    assert text.endswith(f"check that no firewall or proxy blocks {host}")
    assert "AuthorizationFailure" in text
    assert "sig=" not in text


async def test_a_resume_that_is_refused_for_good_is_a_truncated_log(
    github: FakeGitHub, client: MakeClient, ref: JobRef
) -> None:
    """What had come is counted, whether this download found out or another one."""
    github.fail("storage", faults.break_body(7000), times=1)
    github.fail("storage", faults.storage_status(403), times=None)
    gh = client(concurrency=2)
    async with gh.open_log(ref) as log:
        chunks = log.chunks()
        await anext(chunks)
        with pytest.raises(TransportError):
            await read(gh, ref)
        before = count(github, "api")
        with pytest.raises(LogTruncatedError, match="firewall") as caught:
            await anext(chunks)
        assert caught.value.received == 7000
        assert count(github, "api") == before + 1


# Refusals that pass.


async def test_a_refusal_that_passes_heals_for_all(github: FakeGitHub, gh: GitHubJobs) -> None:
    """All logs at once are refused, four times in a row: each is whole in the end."""
    refs = add_logs(github, 40)
    github.fail("storage", faults.storage_status(403), times=36)
    outcomes = await read_all(gh, refs)
    assert [one.value for one in outcomes if isinstance(one, Fetched)] == [LOG] * 40
    assert count(github, "api") == 76


async def test_a_storage_that_accepts_again_is_believed(
    github: FakeGitHub, gh: GitHubJobs, ref: JobRef
) -> None:
    """After it refused for good, one accepted link is enough: the next odd refusal heals."""
    rule = github.fail("storage", faults.storage_status(403), times=None)
    with pytest.raises(TransportError):
        await read(gh, ref)
    assert (rule.hits, rule.times) == (6, None)
    with pytest.raises(TransportError):
        await read(gh, ref)
    assert rule.hits == 7
    rule.stop()
    assert await read(gh, ref) == LOG
    github.fail("storage", faults.storage_status(403), times=1)
    assert await read(gh, ref) == LOG


@pytest.mark.parametrize(
    "fault", [faults.expired_link(), answering(403, S3_EXPIRED)], ids=["Azure", "S3"]
)
async def test_an_expired_link_is_always_renewed(
    github: FakeGitHub, gh: GitHubJobs, fault: Fault
) -> None:
    """Also while the storage is believed to refuse every link."""
    refs = add_logs(github, 10)
    rule = github.fail("storage", faults.storage_status(403), times=None)
    await read_all(gh, refs[:1])
    rule.stop()
    github.fail("storage", fault, times=10)
    assert all(isinstance(one, Fetched) for one in await read_all(gh, refs))


async def test_one_refused_log_costs_no_other_one(github: FakeGitHub, client: MakeClient) -> None:
    """One log is refused for good, each of the others once: those are whole in the end."""
    refs = add_logs(github, 12)
    gh = client(concurrency=3)
    blob = urlsplit((await gh.get_log_url(refs[0])).url).path
    seen: set[str] = set()

    def refuses(asked: Asked) -> bool:
        first = asked.path not in seen
        seen.add(asked.path)
        return first or asked.path == blob

    github.fail("storage", faults.storage_status(403), times=None, where=refuses)
    outcomes = await read_all(gh, refs)
    assert [one.ref for one in outcomes if isinstance(one, Failed)] == refs[:1]
    assert len(outcomes) == 12
