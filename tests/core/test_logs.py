"""What an open log gives besides its bytes, and searching many logs at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from async_tools import MakeClient, take_all

from ghjobs_async import ConfigurationError, GitHubJobs, JobLog, JobRef, NotFoundError, ServerError
from ghjobs_async.fanout import Failed, FanOutMany, Fetched
from ghjobs_async.testing import FakeGitHub, FakeJob, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"
LOG = b"".join(
    b"2026-10-01T12:00:00.0000000Z %s\n" % text
    for text in (b"##[group]Run tests", b"apple", b"pear", b"##[endgroup]", b"##[error]apple pie")
)


@pytest.fixture
def job(github: FakeGitHub) -> FakeJob:
    return github.add_run(REPO, jobs=[JobSpec(log=LOG)]).jobs[0]


async def test_lines_and_tail(gh: GitHubJobs, job: FakeJob) -> None:
    """Lines are numbered from the log's start, also in its tail; a negative tail is refused."""
    async with gh.open_log(REPO, job.id) as log:
        lines = await take_all(log)
        assert [line.number for line in lines] == [1, 2, 3, 4, 5]
        assert await log.tail(2) == lines[-2:]
        assert await log.tail(99) == lines
        with pytest.raises(ConfigurationError, match="tail"):
            await log.tail(-1)


async def test_a_log_as_one_text(github: FakeGitHub, gh: GitHubJobs, job: FakeJob) -> None:
    """Without the mark at its start; what is not UTF-8 is replaced."""
    github.set_log(job.id, b"\xef\xbb\xbfone\n\xef\xbb\xbftwo \xff\n")
    async with gh.open_log(REPO, job.id) as log:
        assert await log.text() == "one\n\ufefftwo \ufffd\n"


async def test_how_far_a_reading_is(github: FakeGitHub, gh: GitHubJobs, job: FakeJob) -> None:
    """How much has come, and how much there is: unknown before the first reading."""
    log = gh.open_log(REPO, job.id)
    assert (log.received, log.expected) == (0, None)
    async with log:
        assert (log.received, log.expected) == (0, None)
        chunks = log.chunks()
        got = len(await anext(chunks))
        assert (log.received, log.expected) == (got, len(LOG))
        await log.text()
    assert (log.received, log.expected) == (len(LOG), len(LOG))


async def test_of_two_readings_the_later_counts(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """Readings that begin at once never share the log's bytes: the earlier one is an error."""
    github.set_log(job.id, b"one\ntwo\n")
    async with gh.open_log(REPO, job.id) as log:
        await log.text()
        earlier, later = await asyncio.gather(log.text(), log.text(), return_exceptions=True)
    assert isinstance(earlier, RuntimeError)
    assert later == "one\ntwo\n"


async def test_a_search_ends_at_its_last_hit(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """`max_count` bounds the hits, and the reading; less than one is refused."""
    github.set_log(job.id, LOG * 20_000)
    async with gh.open_log(REPO, job.id) as log:
        hits = await take_all(log.grep("apple", max_count=1))
        assert [hit.line.number for hit in hits] == [2]
        assert log.received < len(LOG) * 20_000
        assert len(await take_all(log.grep("pear", invert=True, max_count=3))) == 3
        with pytest.raises(ConfigurationError, match="max_count is 1 or more"):
            await take_all(log.grep("apple", max_count=0))


async def test_hits_and_annotations(gh: GitHubJobs, job: FakeJob) -> None:
    """Lines are searched without their timestamps and markers; errors come as annotations."""
    async with gh.open_log(REPO, job.id) as log:
        hits = await take_all(log.grep("apple"))
        assert [hit.line.number for hit in hits] == [2, 5]
        with pytest.raises(ConfigurationError, match="regular expression"):
            await take_all(log.grep("("))
        assert len(await take_all(log.annotations())) == 1


async def test_steps_and_failure(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Both fetch the job where it is not at hand."""
    failing = github.add_run(REPO, jobs=[scenario.failing()]).jobs[0]
    job = await gh.get_job(REPO, failing.id)
    github.clear_requests()
    async with gh.open_log(REPO, failing.id) as log:
        steps = await log.steps()
        assert await log.steps(job) == steps
        excerpt = await log.failure()
        assert excerpt is not None
        assert excerpt.errors
        assert await log.failure(job) == excerpt
    assert [one.operation for one in github.requests].count("job") == 2


async def test_many_logs_are_searched(github: FakeGitHub, client: MakeClient) -> None:
    """Hits come as they are found; a log that cannot be read is told and costs no other."""
    jobs = github.add_run(REPO, jobs=[JobSpec(f"j{n}", log=LOG) for n in range(6)]).jobs
    refs = [*(JobRef(REPO, job.id) for job in jobs), JobRef(REPO, 12345)]
    github.fail("storage", faults.break_body(70), times=3)
    gh = client(concurrency=2)
    async with gh.grep(refs, "apple") as hits:
        found = await take_all(hits)
    assert sorted({hit.job for hit in found}) == sorted(refs[:-1])
    assert len(found) == 12
    assert {(hit.match, hit.line.number) for hit in found} == {("apple", 2), ("apple", 5)}
    assert hits.searched == 6
    (failure,) = hits.failures
    assert isinstance(failure.error, NotFoundError)


async def test_a_search_may_be_left(github: FakeGitHub, client: MakeClient) -> None:
    """After the first hit nothing more is asked, and the slots are free."""
    jobs = github.add_run(REPO, jobs=[JobSpec(f"j{n}", log=LOG) for n in range(20)]).jobs
    gh = client(concurrency=2)
    async with gh.grep([JobRef(REPO, job.id) for job in jobs], "apple") as hits:
        async for _ in hits:
            break
    assert github.asked_count("storage") < 10
    async with gh.open_log(REPO, jobs[0].id) as log:
        assert len(await take_all(log)) == 5


async def test_a_bad_pattern_is_refused_at_once(gh: GitHubJobs) -> None:
    """Before any log is opened."""
    with pytest.raises(ConfigurationError, match="regular expression"):
        gh.grep([], "(")


@pytest.mark.parametrize("pattern", [None, b"x", re.compile(b"x")])
async def test_only_a_text_is_a_pattern(gh: GitHubJobs, job: FakeJob, pattern: Any) -> None:
    """Anything else is refused in one sentence, as is a negative context."""
    with pytest.raises(ConfigurationError, match="a pattern is a text"):
        gh.grep([], pattern)
    with pytest.raises(ConfigurationError, match="context"):
        gh.grep([], "x", context=-1)
    async with gh.open_log(REPO, job.id) as log:
        with pytest.raises(ConfigurationError, match="a pattern is a text"):
            await take_all(log.grep(pattern))


async def test_a_text_is_no_list_of_references(gh: GitHubJobs) -> None:
    """A repository's name in place of references is refused, not taken letter by letter."""

    async def handle(log: JobLog) -> None: ...

    for wrong in (
        lambda: gh.grep(REPO, "x"),
        lambda: gh.fan_out(REPO),
        lambda: gh.fan_out_logs(REPO, handle),
    ):
        with pytest.raises(ConfigurationError, match="references"):
            wrong()


async def test_hits_of_many_logs_have_context(gh: GitHubJobs, job: FakeJob) -> None:
    """The lines around a hit stand on it."""
    async with gh.grep([JobRef(REPO, job.id)], "apple", context=1) as hits:
        first = await anext(hits)
    assert [line.number for line in (*first.before, first.line, *first.after)] == [1, 2, 3]


async def test_a_log_that_was_left_is_read_no_further(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """A task that still reads when the block is left ends with an error, and asks for nothing."""
    github.set_log(job.id, LOG * 20_000)
    async with gh.open_log(REPO, job.id) as log:
        chunks = log.chunks()
        await anext(chunks)
        reading = asyncio.ensure_future(_drain(chunks))
        await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="has ended"):
        await reading
    assert github.asked_count("storage") == 1


async def _drain(chunks: AsyncGenerator[bytes, None]) -> None:
    async for _ in chunks:
        pass


async def test_a_resume_ends_with_its_block(
    github: FakeGitHub, gh: GitHubJobs, job: FakeJob
) -> None:
    """A task that just asks for the rest when the block is left reads nothing of it."""
    github.fail("storage", faults.break_body(70), times=1)
    async with gh.open_log(REPO, job.id) as log:
        github.latency = 0.02
        reading = asyncio.ensure_future(log.text())
        await github.wait_asked(2)
    with pytest.raises(RuntimeError, match="has ended"):
        await reading
    assert log.received == 70


@pytest.mark.parametrize("way", ["chunks", "save"])
async def test_a_reading_that_ends_early_lets_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Its connection ends with it, while the log itself is still open."""
    ended = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + LOG)
        assert await reader.read() == b""
        ended.set()
        writer.close()

    async with await asyncio.start_server(endless, "127.0.0.1", 0) as listening:
        root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with GitHubJobs(None, base_url=root) as gh, gh.open_log(REPO, 1) as log:
            if way == "chunks":
                async with aclosing(log.chunks()) as chunks:
                    assert LOG.startswith(await anext(chunks))
            else:
                monkeypatch.setattr("ghjobs_async.atomic_file.WholeFile.write", full_disk)
                with pytest.raises(OSError, match="no space"):
                    await log.save(tmp_path / "log.txt")
            async with asyncio.timeout(5):
                await ended.wait()


def full_disk(*_: object) -> None:
    raise OSError("no space left")


async def test_a_log_that_could_not_be_opened_may_be_tried_again(
    github: FakeGitHub, client: MakeClient, job: FakeJob
) -> None:
    """The failure costs no slot, and the same object opens."""
    github.fail("storage", faults.storage_status(503), times=1)
    log = client(concurrency=1, retries=0).open_log(REPO, job.id)
    with pytest.raises(ServerError):
        await log.__aenter__()
    async with log:
        assert await log.text() == LOG.decode()


async def test_a_log_is_entered_once(gh: GitHubJobs, job: FakeJob) -> None:
    """Entering it again within its own block would cost a slot for good."""
    async with gh.open_log(REPO, job.id) as log:
        with pytest.raises(RuntimeError, match="entered once"):
            await log.__aenter__()
        assert await log.tail(1)


async def many(key: int) -> AsyncGenerator[int, None]:
    """As many values as the key says; a negative key fails after one."""
    for number in range(abs(key)):
        await asyncio.sleep(0)
        yield number
        if key < 0:
            raise ValueError(key)


@pytest.mark.parametrize("concurrency", [1, 3, 20])
async def test_many_values_for_a_key(concurrency: int) -> None:
    """Every value of every key comes once; a key that fails in the middle keeps what it gave."""
    keys = [0, 1, 5, -2, 30, 0]
    async with FanOutMany(keys, many, concurrency=concurrency) as outcomes:
        found = await take_all(outcomes)
    values = {
        key: [o.value for o in found if isinstance(o, Fetched) and o.ref == key] for key in keys
    }
    assert values == {0: [], 1: [0], 5: [*range(5)], -2: [0], 30: [*range(30)]}
    assert [o.ref for o in found if isinstance(o, Failed)] == [-2]


async def test_work_that_fails_late_is_bounded_too() -> None:
    """A failure behind a value waits for room as the value did."""

    async def failing(key: int) -> AsyncGenerator[int, None]:
        yield key
        raise ValueError(key)

    async with FanOutMany(range(50), failing, concurrency=2) as outcomes:
        for _ in range(10):
            await anext(outcomes)
        for _ in range(50):
            await asyncio.sleep(0)
        assert outcomes.started <= 5 + 2
        assert len(await take_all(outcomes)) == 90


async def test_work_that_is_ahead_waits() -> None:
    """A slow consumer holds work in the middle of its key: no more wait than there are workers."""
    given: list[int] = []

    async def endless(key: int) -> AsyncGenerator[int, None]:
        while True:
            given.append(key)
            yield key

    async with FanOutMany(range(9), endless, concurrency=3) as outcomes:
        for _ in range(5):
            await anext(outcomes)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(given) <= 5 + 2 * 3
