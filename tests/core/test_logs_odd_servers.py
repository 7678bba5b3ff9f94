"""Logs from servers and proxies that speak HTTP in their own way, byte by byte on a socket."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from async_tools import FakeClock, names_in

from ghjobs_async import GitHubJobs, JobRef, LogTruncatedError, TransportError

REF = JobRef("octo-org/octo-repo", 1)
LOG = b"".join(b"line %d of the log\n" % n for n in range(1000))
HALF = 5000
Play = Callable[..., GitHubJobs]


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    return (
        "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode() + body
    )


def sized(body: bytes, *headers: str, promised: int | None = None) -> bytes:
    length = len(body) if promised is None else promised
    return answer("200 OK", body, f"Content-Length: {length}", *headers)


def part(
    start: int, *, total: str = str(len(LOG)), at: int | None = None, length: bool = True
) -> bytes:
    body = LOG[start:]
    span = f"Content-Range: bytes {start if at is None else at}-{len(LOG) - 1}/{total}"
    size = [f"Content-Length: {len(body)}"] if length else []
    return answer("206 Partial Content", body, span, *size)


NOTHING_MORE = answer("416 Range Not Satisfiable", b"", f"Content-Range: bytes */{len(LOG)}")


class Server:
    """Gives one answer after the other and closes the connection; the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked += [line for line in head.splitlines() if line.startswith("Range")] or ["whole"]
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> Server:
    return Server()


@pytest.fixture
async def gh(server: Server, time: FakeClock) -> AsyncIterator[GitHubJobs]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/api/v3"
    async with listening, GitHubJobs(None, base_url=root, clock=time.clock, retries=2) as gh:
        yield gh


async def save(gh: GitHubJobs, folder: Path) -> bytes:
    async with gh.open_log(REF) as log:
        written = await log.save(folder / "log.txt")
    data = (folder / "log.txt").read_bytes()
    assert len(data) == written
    return data


@pytest.mark.parametrize(
    "answers",
    [
        [sized(LOG)],
        [answer("200 OK", LOG), NOTHING_MORE],
        [answer("200 OK", LOG), answer("416 Range Not Satisfiable")],
        [answer("200 OK", LOG[:HALF]), part(HALF)],
        [answer("200 OK", LOG[:HALF]), part(HALF, total="*")],
        [answer("200 OK", LOG[:HALF]), part(HALF, length=False)[:-100], part(len(LOG) - 100)],
        [answer("200 OK", LOG, "ETag: a"), answer("200 OK", LOG, "ETag: a")],
        [
            answer("200 OK", LOG[:HALF], "ETag: a"),
            answer("200 OK", LOG[: 2 * HALF], "ETag: a"),
            answer("200 OK", LOG, "ETag: a"),
        ],
        [sized(LOG[:HALF], promised=len(LOG)), part(HALF)],
        [sized(LOG[:HALF], promised=len(LOG)), sized(LOG)],
        [sized(LOG[:HALF], "Last-Modified: x", promised=len(LOG)), sized(LOG, "Last-Modified: x")],
        [
            answer("200 OK", gzip.compress(LOG), "Content-Encoding: gzip", "Content-Length: 9999")[
                :-50
            ],
            sized(gzip.compress(LOG), "Content-Encoding: gzip"),
        ],
    ],
    ids=[
        *("sized", "unsized", "unsized, bare 416", "unsized half", "total unknown"),
        *("unsized twice", "range ignored", "range ignored, unsized thrice", "resumed"),
        *("range ignored, sized", "last-modified", "gzip"),
    ],
)
async def test_a_log_is_whole_in_the_end(
    server: Server, gh: GitHubJobs, tmp_path: Path, answers: list[bytes]
) -> None:
    """Without a length, the connection's end is not taken for the log's: it is asked for the rest."""
    server.answers = answers
    assert await save(gh, tmp_path) == LOG


OTHER = LOG.replace(b"line", b"LINE")


@pytest.mark.parametrize(
    "answers",
    [
        [sized(LOG[:HALF], "ETag: a", promised=len(LOG)), sized(OTHER, "ETag: b")],
        [sized(LOG[:HALF], promised=len(LOG)), sized(OTHER + b"more"), sized(OTHER)],
        [sized(LOG[:HALF], promised=len(LOG)), part(HALF, total="99999"), sized(OTHER)],
        [sized(LOG[:HALF], promised=len(LOG)), part(HALF, at=HALF + 7), sized(OTHER)],
        [sized(LOG[:HALF], promised=len(LOG)), answer("206 Partial Content", LOG), sized(OTHER)],
        [sized(LOG[:HALF], promised=len(LOG)), NOTHING_MORE, sized(OTHER)],
        [answer("200 OK", LOG[:HALF]), NOTHING_MORE, sized(OTHER)],
        [answer("200 OK", LOG[:HALF]), sized(OTHER), sized(OTHER)],
        [
            answer("200 OK", LOG[:HALF], "ETag: a"),
            answer("200 OK", LOG[:99], "ETag: a"),
            sized(OTHER),
        ],
    ],
    ids=[
        *("etag", "length", "total", "offset", "no range", "416 too early", "416 unsized"),
        *("no validator", "shrunk"),
    ],
)
async def test_what_cannot_be_joined_is_begun_again(
    server: Server, gh: GitHubJobs, tmp_path: Path, answers: list[bytes]
) -> None:
    """No two halves of different logs are ever put together: the file is the new log, whole."""
    server.answers = answers
    assert await save(gh, tmp_path) == OTHER


async def test_a_gzipped_log_that_breaks_is_no_shorter_log(
    server: Server, gh: GitHubJobs, tmp_path: Path
) -> None:
    """It cannot be resumed by bytes: after some new starts it is an error."""
    broken = answer(
        "200 OK", gzip.compress(LOG)[:-20], "Content-Encoding: gzip", "Content-Length: 9999"
    )
    server.answers = [broken]
    with pytest.raises(LogTruncatedError):
        await save(gh, tmp_path)
    assert names_in(tmp_path) == []
    assert set(server.asked) == {"whole"}


@pytest.mark.parametrize(
    "given",
    [b"HTTP/1.1 abc\r\n\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", b""],
)
async def test_what_is_no_http_is_an_error_of_ours(
    server: Server, gh: GitHubJobs, given: bytes
) -> None:
    """Whatever stands on the socket, a TransportError comes out."""
    server.answers = [given]
    with pytest.raises(TransportError):
        await gh.get_job(REF)


async def test_a_part_that_nobody_asked_for_is_no_log(
    server: Server, gh: GitHubJobs, tmp_path: Path
) -> None:
    """A 206 to a request without Range is refused, and asked for again."""
    server.answers = [part(HALF), sized(LOG)]
    assert await save(gh, tmp_path) == LOG
