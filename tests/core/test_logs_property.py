"""Bodies that are cut, swapped and framed anew at random: the log byte for byte, or an error."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest
from async_tools import FakeClock, names_in, settled
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ghjobs_async import GHJobsError, GitHubJobs, JobRef

REF = JobRef("octo-org/octo-repo", 1)
CASES = 2000
TURNS = 12
# Few letters, so that two logs often agree for a while: only a proof tells them apart.
logs = st.binary(min_size=1, max_size=60).map(lambda data: bytes(b"ab\n"[b % 3] for b in data))


@attrs.frozen
class Play:
    """How one request is answered."""

    #: Which of the logs the storage holds by now.
    log: int
    #: Where the body breaks off; None does not break it.
    cut: int | None
    frame: str
    #: Whether Range is honoured, and how the answer names its total.
    ranges: str
    #: How a 416 names the length.
    beyond: str
    #: A part may be shorter than what was asked for, or begin elsewhere.
    short: int
    shift: int
    #: Whether conditions such as If-Match are honoured; Azurite ignores some.
    conditions: bool


plays = st.builds(
    Play,
    log=st.sampled_from([0, 0, 0, 1]),
    cut=st.none() | st.integers(0, 70),
    frame=st.sampled_from(["sized", "chunked", "chunked", "gzip", "gzip and garbage"]),
    ranges=st.sampled_from(["ignored", "total", "*"]),
    beyond=st.sampled_from(["length", "*", "none"]),
    short=st.sampled_from([0, 3]),
    shift=st.sampled_from([0, 0, 0, 1]),
    conditions=st.booleans(),
)


class Storage:
    """An honest storage on a bad line: its versions are true, all else may go wrong."""

    def __init__(self, bodies: list[bytes], plays: list[Play], version: str) -> None:
        self.bodies = bodies
        self.plays = plays
        self.version = version
        self.asked = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        # The last play goes on for ever.
        play = self.plays[min(self.asked, len(self.plays) - 1)]
        self.asked += 1
        answer = self.answer(play, head)
        # What comes together with the connection's end is lost to the reader: give it some turns.
        for piece in (answer[:-20], answer[-20:]):
            writer.write(piece)
            await writer.drain()
            for _ in range(TURNS):
                await asyncio.sleep(0)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def answer(self, play: Play, head: str) -> bytes:
        body = self.bodies[play.log]
        wanted = re.search(r"range: bytes=(\d+)-", head)
        headers = [self.name(play.log)]
        start = int(wanted[1]) if wanted and play.ranges != "ignored" else 0
        unmet = self.version == "etag" and f'if-match: "{play.log}"' not in head
        if wanted and play.conditions and unmet:
            return packed("412 Precondition Failed", b"", ["Content-Length: 0"])
        if start >= len(body) and start:
            named = {"length": f"bytes */{len(body)}", "*": "bytes */*", "none": ""}[play.beyond]
            return packed("416 Not Satisfiable", b"", [f"Content-Range: {named}", *headers])
        if start:
            start = min(start + play.shift, len(body) - 1)
            end = max(start + 1, len(body) - play.short)
            total = len(body) if play.ranges == "total" else "*"
            headers.append(f"Content-Range: bytes {start}-{end - 1}/{total}")
            return framed("206 Partial Content", body[start:end], play, headers)
        return framed("200 OK", body, play, headers)

    def name(self, log: int) -> str:
        return {
            "etag": f'ETag: "{log}"',
            # It says that both logs mean the same, and nothing about their bytes.
            "weak": 'ETag: W/"same"',
            "time": f"Last-Modified: Thu, 01 Oct 2026 12:00:0{log} GMT",
            "none": "X-Nothing: here",
        }[self.version]


def packed(status: str, body: bytes, headers: list[str]) -> bytes:
    return (
        "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode() + body
    )


def framed(status: str, body: bytes, play: Play, headers: list[str]) -> bytes:
    if play.frame.startswith("gzip") and status.startswith("200"):
        body = gzip.compress(body, mtime=0)
        headers = [*headers, "Content-Encoding: gzip"]
        if play.frame == "gzip and garbage":
            body += b"garbage"
    if play.frame == "chunked":
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        headers = [*headers, "Transfer-Encoding: chunked"]
    elif play.frame != "gzip":
        headers = [*headers, f"Content-Length: {len(body)}"]
    return packed(status, body if play.cut is None else body[: play.cut], headers)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


def read_and_remove(path: Path) -> bytes:
    data = path.read_bytes()
    path.unlink()
    return data


async def play_out(storage: Storage, path: Path) -> None:
    """Save the log, then stream it: each gives one of the logs, whole, or an error."""
    listening = await asyncio.start_server(storage, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with GitHubJobs(None, base_url=root, clock=FakeClock().clock, retries=2) as gh:
        try:
            async with gh.open_log(REF) as log:
                await log.save(path)
        except GHJobsError:
            saved = None
        else:
            saved = read_and_remove(path)
        assert names_in(path.parent) == []
        assert saved is None or saved in storage.bodies
        storage.asked = 0
        seen = b""
        try:
            async with gh.open_log(REF) as log:
                async for chunk in log.chunks():
                    seen += chunk
        except GHJobsError:
            assert any(body.startswith(seen) for body in storage.bodies)
        else:
            assert seen in storage.bodies
    listening.close()
    await listening.wait_closed()
    await settled()


@example(
    bodies=[b"ab", b"aaa"],
    plays=[
        Play(1, 5, "chunked", "ignored", "length", 0, 0, conditions=False),
        Play(0, None, "sized", "total", "length", 0, 0, conditions=False),
    ],
    version="etag",
)
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    bodies=st.lists(logs, min_size=2, max_size=2),
    plays=st.lists(plays, min_size=1, max_size=6),
    version=st.sampled_from(["etag", "etag", "weak", "time", "none"]),
)
def test_a_log_is_whole_or_an_error(
    runner: asyncio.Runner, tmp_path: Path, bodies: list[bytes], plays: list[Play], version: str
) -> None:
    """However bodies are cut, swapped and framed: never half a log, never two halves of two logs."""
    runner.run(play_out(Storage(bodies, plays, version), tmp_path / "log.txt"))
