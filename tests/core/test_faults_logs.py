"""Logs: renewed, resumed, begun again, or an error; never shorter, never spliced."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from async_tools import FakeClock, MakeClient, names_in

from ghjobs_async import (
    GitHubJobs,
    JobRef,
    LogTruncatedError,
    LogUnavailableError,
    NotFoundError,
    ServerError,
    TransportError,
    Wait,
)
from ghjobs_async.testing import FakeGitHub, FakeJob, Fault, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"
LOG = b"".join(b"2026-10-01T12:00:00.%07dZ line %d\n" % (n, n) for n in range(20_000))
QUICK = aiohttp.ClientTimeout(total=0.15, sock_read=0.15)


@pytest.fixture
def job(github: FakeGitHub) -> FakeJob:
    return github.add_run(REPO, jobs=[JobSpec(log=LOG)]).jobs[0]


async def read(gh: GitHubJobs, job: FakeJob) -> bytes:
    async with gh.open_log(REPO, job.id) as log:
        return b"".join([chunk async for chunk in log.chunks()])


async def save(gh: GitHubJobs, job: FakeJob, path: Path) -> int:
    async with gh.open_log(REPO, job.id) as log:
        return await log.save(path)


def ranges(github: FakeGitHub) -> list[str | None]:
    return [one.headers.get("range") for one in github.requests if one.origin == "storage"]


async def test_a_log_comes_byte_for_byte(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, tmp_path: Path
) -> None:
    """As chunks, on disk, as lines, and its end: of one and the same log."""
    assert await read(gh, job) == LOG
    async with gh.open_log(REPO, job.id) as log:
        assert await log.save(tmp_path / "log.txt") == len(LOG)
        assert (tmp_path / "log.txt").read_bytes() == LOG
        lines = [line async for line in log]
        assert len(lines) == 20_000
        assert await log.tail(3) == lines[-3:]
        assert await log.tail(0) == []
    assert names_in(tmp_path) == ["log.txt"]


async def test_a_direct_answer_is_accepted(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """Some servers and proxies answer with the log itself; there is no link to give then."""
    github.set_log(job.id, LOG, state="direct")
    assert await read(gh, job) == LOG
    with pytest.raises(TransportError, match="open_log"):
        await gh.get_log_url(REPO, job.id)


@pytest.mark.parametrize("state", ["ok", "direct"])
@pytest.mark.parametrize("every", [20, 1000, 65_536])
async def test_a_broken_body_is_resumed_where_it_stopped(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, every: int, state: str
) -> None:
    """It breaks off after so many bytes, again and again: the log is whole, from a Range each time.

    Peers give a shorter log as if it were all.
    """
    expected = LOG[: every * 30 + 10]
    github.set_log(job.id, expected, state=state)  # type: ignore[arg-type]
    # A server that answers directly ignores Range, so it breaks at the same byte each time.
    on, times = ("storage", 20) if state == "ok" else ("log", 4)
    github.fail(on, faults.break_body(every), times=times)
    assert await read(gh, job) == expected
    if state == "ok":
        assert ranges(github)[0] is None
        assert ranges(github)[1] == f"bytes={every}-"


async def test_each_resume_has_a_fresh_link(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """A link lives for a minute: a resume never uses the old one."""
    github.fail("storage", faults.break_body(5000), times=3)
    assert await read(gh, job) == LOG
    asked = [one.operation for one in github.requests]
    assert asked == ["log", "storage"] * 4


@pytest.mark.parametrize(
    "fault",
    [faults.stall_body(5000), faults.reset(), faults.disconnect(), faults.stall_headers()],
    ids=["stall", "reset", "disconnect", "headers"],
)
async def test_a_stalled_or_cut_download_goes_on(
    github: FakeGitHub, client: MakeClient, job: FakeJob, fault: Fault
) -> None:
    """A read that takes too long, or a connection that ends, costs nothing but time."""
    github.fail("storage", fault, times=2)
    assert await read(client(timeout=QUICK), job) == LOG


async def test_no_total_timeout_bounds_a_log(
    github: FakeGitHub, client: MakeClient, job: FakeJob
) -> None:
    """Only the time between two reads counts: a long download is no fault."""
    timeout = aiohttp.ClientTimeout(total=0.05, sock_read=5)
    async with client(timeout=timeout).open_log(REPO, job.id) as log:
        chunks = log.chunks()
        first = await anext(chunks)
        await asyncio.sleep(0.06)
        assert first + b"".join([chunk async for chunk in chunks]) == LOG


@pytest.mark.parametrize(
    ("every", "waits"),
    [
        (2**16, []),
        (2**16 - 1, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, *[10.0] * 5]),
    ],
)
async def test_breaks_without_progress_are_waited_for(
    github: FakeGitHub, client: MakeClient, job: FakeJob, every: int, waits: list[float]
) -> None:
    """A body that breaks after few bytes, twice and more, costs growing waits; each is reported."""
    told: list[Wait] = []
    github.fail("storage", faults.break_body(every), times=12)
    assert len(LOG) > 12 * every
    assert await read(client(on_wait=told.append), job) == LOG
    assert [wait.seconds for wait in told] == waits
    assert {wait.reason for wait in told} <= {"resume of a log"}


async def test_new_bytes_allow_new_tries(
    github: FakeGitHub, client: MakeClient, job: FakeJob
) -> None:
    """As many failures in a row as allowed, again and again, with some bytes in between."""
    for _ in range(3):
        github.fail("storage", faults.break_body(7000), times=1)
        github.fail("storage", faults.storage_status(503), times=2)
    assert await read(client(retries=2), job) == LOG


async def test_progress_ends_the_waits(
    github: FakeGitHub, client: MakeClient, time: FakeClock, job: FakeJob
) -> None:
    """After a long piece the waits begin anew."""
    for every in (10, 10, 10, 2**16, 10, 10):
        github.fail("storage", faults.break_body(every), times=1)
    assert await read(client(), job) == LOG
    assert time.sleeps == [0.25, 0.5, 0.25]


async def test_a_log_that_breaks_for_ever_is_given_up(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each break brings something, but there are too many of them: an error with the count."""
    monkeypatch.setattr("ghjobs_async.logs.download._MAX_BREAKS", 20)
    github.fail("storage", faults.break_body(10), times=20)
    assert await read(gh, job) == LOG
    github.fail("storage", faults.break_body(10), times=None)
    with pytest.raises(LogTruncatedError) as caught:
        await read(gh, job)
    assert (caught.value.received, caught.value.expected) == (210, len(LOG))


@pytest.mark.parametrize(
    "fault",
    [faults.expired_link(), *(faults.storage_status(code) for code in (401, 403, 500, 503))],
    ids=["expired", "401", "403", "500", "503"],
)
async def test_a_refused_link_is_renewed(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, fault: Fault
) -> None:
    """Expired or refused, at the start and in the middle: a fresh link, and the log is whole."""
    github.fail("storage", fault, times=2)
    github.fail("storage", faults.break_body(5000), times=1)
    github.fail("storage", fault, times=2)
    assert await read(gh, job) == LOG


@pytest.mark.parametrize(("code", "error"), [(403, TransportError), (503, ServerError)])
async def test_a_storage_that_keeps_refusing_is_an_error(
    github: FakeGitHub, client: MakeClient, job: FakeJob, code: int, error: type[Exception]
) -> None:
    """After as many links as allowed; the signature is not in its text."""
    rule = github.fail("storage", faults.storage_status(code), times=None)
    with pytest.raises(error, match=f"storage answered {code}") as caught:
        await read(client(retries=2), job)
    assert "sig=" not in str(caught.value)
    assert rule.hits == 3


async def test_a_link_never_ages_in_a_queue(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """The link is asked for only when a download slot is held: ten logs, two slots, no stale one."""
    jobs = github.add_run(REPO, jobs=[JobSpec(f"j{n}", log=LOG[:1000]) for n in range(10)]).jobs
    gh = client(concurrency=2)

    async def handle(log: object) -> None:
        time.time += 59

    async with gh.fan_out_logs([JobRef(REPO, job.id) for job in jobs], handle) as outcomes:
        assert len([outcome async for outcome in outcomes]) == 10
    assert {one.status for one in github.requests if one.origin == "storage"} == {200}


@pytest.mark.parametrize("status", [200, 404])
async def test_a_log_that_is_not_there_yet(github: FakeGitHub, gh: GitHubJobs, status: int) -> None:
    """BlobNotFound under any status is never taken for a log."""
    job = github.add_run(REPO, jobs=[scenario.in_progress()]).jobs[0]
    github.fail("storage", faults.blob_not_found(status), times=None)
    github.set_log(job.id, state="not_ready")
    with pytest.raises(LogUnavailableError) as caught:
        await read(gh, job)
    assert caught.value.reason == "not_ready"


@pytest.mark.parametrize(
    ("spec", "state", "reason"),
    [
        (JobSpec(), "expired", "expired"),
        (JobSpec(), "deleted", "deleted"),
        (JobSpec(), "not_ready", "lost"),
        (
            JobSpec(overrides={"completed_at": "2999-01-01T00:00:00Z"}),
            "not_ready",
            "not_ready",
        ),
        (scenario.in_progress(), None, "not_ready"),
        (scenario.queued(), None, "not_ready"),
        (scenario.in_progress(), "deleted", "not_ready"),
        (scenario.skipped(), "deleted", "never_ran"),
        (scenario.cancelled_before_start(), "not_ready", "never_ran"),
        (scenario.check_run(), "deleted", "never_ran"),
    ],
)
async def test_reasons_are_told_apart(
    github: FakeGitHub, gh: GitHubJobs, spec: JobSpec, state: str | None, reason: str
) -> None:
    """Not ready, expired, deleted, lost and never ran: each says so, for the link and for the content."""
    job = github.add_run(REPO, jobs=[spec]).jobs[0]
    if state is not None:
        github.set_log(job.id, state=state)  # type: ignore[arg-type]
    with pytest.raises(LogUnavailableError) as caught:
        await read(gh, job)
    assert caught.value.reason == reason


async def test_a_job_that_is_gone_has_no_log(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """The storage has no log, and GitHub no such job: that is not found."""
    github.set_log(job.id, state="not_ready")
    github.fail("job", faults.status(404), times=None)
    with pytest.raises(NotFoundError):
        await read(gh, job)


async def test_a_job_that_cannot_be_asked_leaves_the_storage_s_reason(
    github: FakeGitHub, client: MakeClient, job: FakeJob
) -> None:
    """Where the job cannot be fetched either, what the log's own answer means is said."""
    github.set_log(job.id, state="deleted")
    github.fail("job", faults.status(500), times=None)
    with pytest.raises(LogUnavailableError) as caught:
        await read(client(retries=0), job)
    assert caught.value.reason == "deleted"
    assert isinstance(caught.value.__cause__, NotFoundError)


async def test_an_unknown_job_is_not_found(gh: GitHubJobs, github: FakeGitHub) -> None:
    """404 for the log and for the job: there is no such job."""
    github.add_run(REPO)
    with pytest.raises(NotFoundError):
        await gh.get_log_url(REPO, 12345)


@pytest.mark.parametrize(
    "text",
    [
        b'<?xml version="1.0"?><report>' + b"x" * 10_000,
        b"<report/>",
        b'{"a": 1}\n',
        b'{"message": "a report"}\n{"message": "another one"}\n',
        b'{"message": "%s"}' % (b"x" * 4096),
    ],
)
async def test_a_log_may_look_like_xml_or_json(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, text: bytes
) -> None:
    """A job that prints XML or JSON first is no error of the storage."""
    github.set_log(job.id, text)
    assert await read(gh, job) == text


@pytest.mark.parametrize("text", [b"", b"\n", b"a", b"\xef\xbb\xbf", b"\xef\xbb\xbf<"])
async def test_small_logs(github: FakeGitHub, gh: GitHubJobs, job: FakeJob, text: bytes) -> None:
    """Empty ones, too."""
    github.set_log(job.id, text)
    assert await read(gh, job) == text


async def test_a_server_that_ignores_range(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """The same log comes from its start: what was there already is passed over, once."""
    github.fail("storage", faults.break_body(100_000), times=1)
    github.fail("storage", faults.ignore_range(), times=None)
    assert await read(gh, job) == LOG


async def test_a_changed_log_is_written_anew(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, tmp_path: Path
) -> None:
    """The blob changed in between: `save` starts over, and the file is the new log, whole."""
    github.fail("storage", faults.break_body(50_000), times=1)
    github.fail("storage", faults.change_blob(), times=1)
    path = tmp_path / "log.txt"
    written = await save(gh, job, path)
    data = path.read_bytes()
    assert len(data) == written
    assert data.endswith(LOG)
    assert data.startswith(b"2026-01-01T00:00:00.0000000Z This log has been written anew.\n")


async def test_a_changed_log_is_never_spliced(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """Whoever has seen the first half already is told; no half of another log follows."""
    github.fail("storage", faults.break_body(50_000), times=1)
    github.fail("storage", faults.change_blob(), times=1)
    seen = bytearray()
    async with gh.open_log(REPO, job.id) as log:
        with pytest.raises(LogTruncatedError) as caught:  # noqa: PT012
            async for chunk in log.chunks():
                seen += chunk
    assert bytes(seen) == LOG[:50_000]
    assert caught.value.received == 50_000


async def test_a_log_that_keeps_changing_is_given_up(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, tmp_path: Path
) -> None:
    """After a few new starts it is an error, and there is no file."""
    github.fail(
        "storage", faults.break_body(50_000), times=None, where=lambda a: "range" not in a.headers
    )
    github.fail("storage", faults.change_blob(), times=None)
    with pytest.raises(LogTruncatedError):
        await save(gh, job, tmp_path / "log.txt")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("times", [1, None])
async def test_a_length_that_promises_too_much(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob, tmp_path: Path, times: int | None
) -> None:
    """Either the log comes whole in the end, or it is said to be truncated, with the exact count."""
    github.fail("storage", faults.lying_length(500), times=times)
    path = tmp_path / "log.txt"
    if times == 1:
        assert await save(gh, job, path) == len(LOG)
        assert path.read_bytes() == LOG
    else:
        with pytest.raises(LogTruncatedError) as caught:
            await save(gh, job, path)
        assert caught.value.expected == len(LOG) + 500
        assert caught.value.received == len(LOG)
        assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    "fault",
    [faults.break_body(0), faults.storage_status(503), faults.storage_status(403), faults.reset()],
    ids=["break", "503", "403", "reset"],
)
async def test_a_log_that_stays_short_is_an_error(
    github: FakeGitHub, client: MakeClient, job: FakeJob, tmp_path: Path, fault: Fault
) -> None:
    """Resumed as often as allowed, and no byte more: the error counts what had come; no file."""
    github.fail("storage", faults.break_body(7000), times=1)
    github.fail("storage", fault, times=None)
    with pytest.raises(LogTruncatedError) as caught:
        await save(client(retries=1), job, tmp_path / "log.txt")
    assert (caught.value.received, caught.value.expected) == (7000, len(LOG))
    assert "7000" in str(caught.value)
    assert caught.value.__cause__ is not None
    assert names_in(tmp_path) == []


async def test_saving_replaces_only_when_it_is_whole(
    github: FakeGitHub, client: MakeClient, job: FakeJob, tmp_path: Path
) -> None:
    """An older file of that name stays as it was until the new one is complete."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"old")
    github.fail("storage", faults.break_body(9000), times=1)
    rule = github.fail("storage", faults.reset(), times=None, where=lambda a: "range" in a.headers)
    with pytest.raises(LogTruncatedError):
        await save(client(retries=0), job, path)
    assert path.read_bytes() == b"old"
    rule.stop()
    await save(client(), job, path)
    assert path.read_bytes() == LOG


async def test_an_unwritable_folder(gh: GitHubJobs, job: FakeJob, tmp_path: Path) -> None:
    """The system's own error comes out, and the slot is free again."""
    with pytest.raises(OSError, match="missing"):
        await save(gh, job, tmp_path / "missing" / "log.txt")
    assert await read(gh, job) == LOG


async def test_reading_twice_reads_from_the_start(gh: GitHubJobs, job: FakeJob) -> None:
    """Each way of reading begins at the log's start; the one before has ended."""
    async with gh.open_log(REPO, job.id) as log:
        first = log.chunks()
        await anext(first)
        assert b"".join([chunk async for chunk in log.chunks()]) == LOG
        with pytest.raises(RuntimeError, match="ended"):
            await anext(first)
    with pytest.raises(RuntimeError, match="async with"):
        await log.tail()


async def test_leaving_early_frees_slot_and_connection(
    github: FakeGitHub, client: MakeClient, job: FakeJob
) -> None:
    """A break in the middle of a log leaves nothing open: with one slot, the next log comes."""
    gh = client(concurrency=1)
    for _ in range(3):
        async with gh.open_log(REPO, job.id) as log:
            async for line in log:
                assert line.number == 1
                break
    assert await read(gh, job) == LOG
