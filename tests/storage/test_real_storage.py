"""Logs from real storages: read, renewed, resumed, replaced, grown and gone."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import attrs
import pytest
from async_tools import MakeClient, names_in
from relay import Relay, relay_to
from stores import Store, azurite, s3

from ghjobs_async import (
    Clock,
    GHJobsError,
    GitHubJobs,
    JobRef,
    LogTruncatedError,
    LogUnavailableError,
)
from ghjobs_async.testing import FakeGitHub, Fault
from ghjobs_async.testing.server.messages import Answer, Call, Handler

REPO = "octo-org/octo-repo"
PLAYS = 120
HALF = 150_000
LIFETIME = 60


def text_of(chance: random.Random, size: int) -> bytes:
    """Return a log of *size* bytes, none of whose parts stands in another one."""
    return (chance.randbytes(size // 2 + 1).hex().encode())[:size]


LOG = text_of(random.Random(1), 2 * HALF)
SAME_LENGTH = text_of(random.Random(2), 2 * HALF)
LONGER = text_of(random.Random(3), 3 * HALF)
SHORTER = text_of(random.Random(4), HALF // 2)
GROWN = LOG + SHORTER


@attrs.define
class StoredLog:
    """
    The log of a job, as a blob behind a relay.

    Attributes:
        versions: All that it has ever been.
        lifetimes: Of the next links, in seconds.
        changes: Made before the next links are signed.
    """

    store: Store
    relay: Relay
    ref: JobRef
    versions: list[bytes] = attrs.field(factory=list)
    lifetimes: deque[int] = attrs.field(factory=deque)
    changes: deque[Callable[[], None]] = attrs.field(factory=deque)

    @property
    def blob(self) -> str:
        return f"{self.ref.job_id}.txt"

    def put(self, data: bytes, *, packed: bool = False) -> None:
        self.versions.append(data)
        self.store.put(self.blob, data, packed=packed)

    def delete(self) -> None:
        self.store.delete(self.blob)

    def link(self) -> str:
        if self.changes:
            self.changes.popleft()()
        seconds = self.lifetimes.popleft() if self.lifetimes else LIFETIME
        return self.store.link(self.blob, self.relay.root, seconds)


@pytest.fixture(scope="session", params=[azurite, s3], ids=["azurite", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with request.param() as running:
        yield running


@pytest.fixture
async def relay(store: Store) -> AsyncIterator[Relay]:
    async with relay_to(store) as running:
        yield running


@pytest.fixture
def add_log(github: FakeGitHub, store: Store, relay: Relay) -> Callable[[], StoredLog]:
    logs: dict[str, StoredLog] = {}

    def add() -> StoredLog:
        ref = JobRef(REPO, github.add_run(REPO).jobs[0].id)
        log = logs[str(ref.job_id)] = StoredLog(store, relay, ref)
        return log

    def redirect(_site: object, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        answer.headers["Location"] = logs[call.path.split("/")[-2]].link()
        return answer

    github.fail("log", Fault("signed_link", redirect), times=None)
    return add


@pytest.fixture
def log(add_log: Callable[[], StoredLog]) -> StoredLog:
    log = add_log()
    log.put(LOG)
    return log


@pytest.fixture
def gh(client: MakeClient) -> GitHubJobs:
    """A client on real time, as the stores are, that never waits."""
    return client(clock=Clock(time.time, lambda _: asyncio.sleep(0), lambda: 0.5))


async def save(gh: GitHubJobs, log: StoredLog, folder: Path) -> bytes:
    path = folder / log.blob
    async with gh.open_log(log.ref) as opened:
        written = await opened.save(path)
    data = path.read_bytes()
    assert len(data) == written
    return data


async def stream(gh: GitHubJobs, log: StoredLog, seen: bytearray) -> None:
    async with gh.open_log(log.ref) as opened:
        async for chunk in opened.chunks():
            seen += chunk


def ranges(relay: Relay) -> list[str]:
    lines = [line for head in relay.asked for line in head.splitlines()]
    return [line.partition(": ")[2] for line in lines if line.lower().startswith("range:")]


# What the stores answer.


async def ask(log: StoredLog, seconds: int = LIFETIME, **headers: str) -> tuple[int, str, bytes]:
    """Return the status, the Content-Range and the body of an answer."""
    link = log.store.link(log.blob, log.relay.root, seconds)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as session, session.get(link, headers=named) as response:
        return response.status, response.headers.get("Content-Range", ""), await response.read()


async def tag_of(log: StoredLog) -> str:
    async with aiohttp.ClientSession() as session, session.get(log.link()) as response:
        return response.headers["ETag"]


async def test_a_condition_holds_for_one_version(log: StoredLog) -> None:
    """If-Match gives a part of its version, and 412 for another one; If-Range is ignored."""
    tag, span = await tag_of(log), f"bytes {HALF}-{2 * HALF - 1}/{2 * HALF}"
    assert await ask(log, Range=f"bytes={HALF}-", If_Match=tag) == (206, span, LOG[HALF:])
    log.put(SAME_LENGTH)
    changed = await ask(log, Range=f"bytes={HALF}-", If_Match=tag)
    assert changed[0] == 412
    assert b"<Error>" in changed[2]
    ignored = await ask(log, Range=f"bytes={HALF}-", If_Range=tag)
    assert ignored == (206, span, SAME_LENGTH[HALF:])


async def test_beyond_the_end(log: StoredLog) -> None:
    """416: Azurite says how long the blob is, moto does not. At the very end Azurite gives 206."""
    end, azure = 2 * HALF, log.store.name == "azurite"
    status, span, _ = await ask(log, Range=f"bytes={end + 1}-")
    assert (status, span) == (416, f"bytes */{end}" if azure else "")
    status, span, body = await ask(log, Range=f"bytes={end}-")
    if azure:
        assert (status, span, body) == (206, f"bytes {end}-{end - 1}/{end}", b"")
    else:
        assert (status, span) == (416, "")


async def test_an_expired_link(log: StoredLog) -> None:
    """It is a 403. Azurite names neither the time nor a reason; moto looks at neither."""
    status, _, body = await ask(log, log.store.expired)
    if log.store.name == "azurite":
        assert status == 403
        assert b"<Code>AuthorizationFailure</Code>" in body or b"AuthenticationFailed" in body
    else:
        assert (status, body) == (403, log.store.refusal(log.relay.asked[-1].split()[1]))


# What the client makes of it.


async def test_a_log_is_read(gh: GitHubJobs, log: StoredLog, tmp_path: Path) -> None:
    """Byte for byte, over one link, and without the token."""
    seen = bytearray()
    await stream(gh, log, seen)
    assert await save(gh, log, tmp_path) == seen == LOG
    assert log.relay.statuses == [200, 200]
    assert "authorization" not in "".join(log.relay.asked).lower()


async def test_a_link_tells_when_it_expires(gh: GitHubJobs, log: StoredLog) -> None:
    """Azure's links do; S3's hold the time in another form."""
    expires = (await gh.get_log_url(log.ref)).expires_at
    if log.store.name == "azurite":
        assert expires
        assert 0 < expires.timestamp() - time.time() <= LIFETIME
    else:
        assert expires is None


async def test_a_cut_log_is_resumed(gh: GitHubJobs, log: StoredLog, tmp_path: Path) -> None:
    """Each time where it stopped, with its condition, over a fresh link."""
    log.relay.cuts.extend([100_000, -100_000, 300, 20, 0, -1, 50_000])
    assert await save(gh, log, tmp_path) == LOG
    assert set(log.relay.statuses) == {200, 206}
    resumed = [head.lower() for head in log.relay.asked if "range:" in head.lower()]
    assert len(resumed) >= 5
    assert all("if-match:" in head for head in resumed)
    starts = [int(span.strip("bytes=-")) for span in ranges(log.relay)]
    assert starts == sorted(starts)


async def test_an_expired_link_is_renewed(gh: GitHubJobs, log: StoredLog, tmp_path: Path) -> None:
    """At the start and in the middle."""
    expired = log.store.expired
    log.lifetimes.extend([expired, LIFETIME, expired, expired, LIFETIME])
    log.relay.cuts.extend([None, HALF])
    assert await save(gh, log, tmp_path) == LOG
    assert log.relay.statuses == [403, 200, 403, 403, 206]


@pytest.mark.parametrize(
    "other",
    [SAME_LENGTH, LONGER, SHORTER, GROWN],
    ids=["same length", "longer", "shorter", "grown"],
)
async def test_another_version_is_never_joined(
    gh: GitHubJobs, log: StoredLog, tmp_path: Path, other: bytes
) -> None:
    """`save` writes the new version, whole; who has seen the first part gets an error."""

    def replace() -> None:
        log.put(other)

    log.relay.cuts.append(HALF)
    log.changes.extend([lambda: None, replace])
    assert await save(gh, log, tmp_path) == other
    assert 412 in log.relay.statuses
    log.put(LOG)
    log.relay.cuts.append(HALF)
    log.changes.extend([lambda: None, replace])
    seen = bytearray()
    with pytest.raises(LogTruncatedError) as caught:
        await stream(gh, log, seen)
    assert LOG.startswith(bytes(seen))
    assert caught.value.received == len(seen) > 0


@pytest.mark.parametrize("begun", [False, True])
async def test_a_log_that_is_gone(
    gh: GitHubJobs, log: StoredLog, tmp_path: Path, begun: bool
) -> None:
    """Never there, or deleted while it is read: it is unavailable, and there is no file."""
    log.changes.extend([*[lambda: None] * begun, log.delete])
    log.relay.cuts.extend([HALF] * begun)
    with pytest.raises(LogUnavailableError):
        await save(gh, log, tmp_path)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("cut", [None, 1000], ids=["whole", "cut"])
async def test_a_packed_log(
    gh: GitHubJobs, log: StoredLog, tmp_path: Path, cut: int | None
) -> None:
    """It is unpacked; after a cut it is read from its start again."""
    log.put(GROWN, packed=True)
    log.relay.cuts.append(cut)
    assert await save(gh, log, tmp_path) == GROWN
    assert ranges(log.relay) == []


async def test_an_empty_log(gh: GitHubJobs, log: StoredLog, tmp_path: Path) -> None:
    """Nothing is a log, too."""
    log.put(b"")
    assert await save(gh, log, tmp_path) == b""


# Chance.


def prepare(chance: random.Random, log: StoredLog) -> bool:
    """Prepare what goes wrong while *log* is read; return whether its blob changes."""
    size = chance.choice([0, 1, 100, 5_000, 60_000, 200_000])
    log.put(text_of(chance, size))

    def same_length() -> None:
        log.put(text_of(chance, size))

    def another_length() -> None:
        log.put(text_of(chance, chance.randrange(2 * size + 10)))

    def grow() -> None:
        log.put(log.versions[-1] + text_of(chance, chance.randrange(1, 50_000)))

    def nothing() -> None:
        pass

    kinds = [nothing, same_length, another_length, grow, log.delete]
    changes = chance.choices(kinds, [8, 2, 2, 2, 1], k=chance.randrange(1, 6))
    for _ in changes:
        cut = chance.choice([1, -1]) * chance.randrange(size + 800)
        log.relay.cuts.append(chance.choice([cut, cut, cut, None]))
        log.lifetimes.append(chance.choice([LIFETIME, LIFETIME, log.store.expired]))
    # Either before a link is signed, or behind it.
    if chance.random() < 0.5:
        log.changes.extend(changes)
    else:
        waiting = deque(changes)
        log.relay.before = lambda: waiting.popleft()() if waiting else None
    return any(change is not nothing for change in changes)


async def test_random_plays(
    gh: GitHubJobs, add_log: Callable[[], StoredLog], relay: Relay, tmp_path: Path
) -> None:
    """
    Cut at any byte, expired, replaced, grown, deleted: the log comes byte for byte, or an error of
    this library does. Where the blob stays as it was, the log comes.
    """
    chance = random.Random(2026)
    whole = failed = 0
    for number in range(PLAYS):
        relay.cuts.clear()
        relay.before = lambda: None
        log = add_log()
        changes = prepare(chance, log)
        seen = bytearray()
        saves = chance.random() < 0.5
        try:
            if saves:
                seen += await save(gh, log, tmp_path)
            else:
                await stream(gh, log, seen)
        except GHJobsError:
            assert changes, number
            assert any(version.startswith(bytes(seen)) for version in log.versions), number
            assert log.blob not in names_in(tmp_path), number
            failed += 1
        else:
            assert bytes(seen) in log.versions, number
            whole += 1
    assert whole > PLAYS / 2
    assert failed > PLAYS / 10
    assert {200, 206, 403, 404, 412} <= set(relay.statuses)
