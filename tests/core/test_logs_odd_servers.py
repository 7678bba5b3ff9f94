"""Logs from servers and proxies that speak HTTP in their own way, byte by byte on a socket."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

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


def chunked(body: bytes, *headers: str) -> bytes:
    data = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return answer("200 OK", data + b"0\r\n\r\n", "Transfer-Encoding: chunked", *headers)


def part(
    start: int,
    *,
    of: bytes = LOG,
    total: str = str(len(LOG)),
    at: int | None = None,
    end: int | None = None,
    length: bool = True,
    tag: str = 'ETag: "a"',
    more: bytes = b"",
) -> bytes:
    body = of[start:end] + more
    last = (len(of) if end is None else end) - 1
    span = f"Content-Range: bytes {start if at is None else at}-{last}/{total}"
    size = [f"Content-Length: {len(body)}"] if length else []
    return answer("206 Partial Content", body, span, tag, *size)


def at_end(total: int) -> bytes:
    span = f"Content-Range: bytes */{total}"
    return answer("416 Range Not Satisfiable", b"", span, 'ETag: "a"')


NOTHING_MORE = at_end(len(LOG))
UNEXPECTED = answer("500 Unexpected")


class Server:
    """Gives one answer after the other and closes the connection; the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.targets: list[str] = []
        # After so many bytes of each body, it waits until they have been read.
        self.pauses: set[int] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.splitlines()[1:]]
        self.headers.append({name.lower(): value for name, _, value in lines})
        self.targets.append(head.split()[1])
        self.asked += [line for line in head.splitlines() if line.startswith("Range")] or ["whole"]
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        begin = given.find(b"\r\n\r\n") + 4
        for end in (*(begin + pause for pause in self.pauses), len(given)):
            writer.write(given[:end])
            given = given[end:]
            # Both ends are in this loop: what was written is read meanwhile.
            for _ in range(20 if given else 0):
                await asyncio.sleep(0)
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


TAG = 'ETag: "a"'
OTHER = LOG.replace(b"line", b"LINE")
PACKED = answer("200 OK", gzip.compress(LOG), "Content-Encoding: gzip")
WHOLE: dict[str, list[bytes]] = {
    "sized": [sized(LOG)],
    "chunked": [chunked(LOG)],
    "unsized, 416 names the length": [answer("200 OK", LOG, TAG), NOTHING_MORE],
    "unsized, 416 names nothing": [
        answer("200 OK", LOG, TAG),
        answer("416 Range Not Satisfiable"),
        answer("200 OK", LOG, TAG),
    ],
    "unsized, 416 of another version, read anew": [
        answer("200 OK", OTHER[:HALF], 'ETag: "b"'),
        at_end(HALF),
        sized(LOG),
    ],
    "unsized, read twice": [answer("200 OK", LOG), answer("200 OK", LOG)],
    "unsized, read thrice": [
        answer("200 OK", LOG[:HALF]),
        answer("200 OK", LOG[: 2 * HALF]),
        answer("200 OK", LOG),
        answer("200 OK", LOG),
    ],
    "unsized half": [answer("200 OK", LOG[:HALF], TAG), part(HALF)],
    "total unknown": [answer("200 OK", LOG[:HALF], TAG), part(HALF, total="*"), NOTHING_MORE],
    "part cut off": [
        answer("200 OK", LOG[:HALF], TAG),
        part(HALF, length=False)[:-100],
        part(len(LOG) - 100),
    ],
    "part that is short": [
        answer("200 OK", LOG[:HALF], TAG),
        part(HALF, total="*", end=3 * HALF),
        part(3 * HALF, total="*"),
        NOTHING_MORE,
    ],
    "part shorter than its total": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        part(HALF, end=HALF + 50),
        part(HALF + 50),
    ],
    "only a part names the total": [
        answer("200 OK", LOG[:HALF], TAG),
        part(HALF, end=HALF + 50),
        part(HALF + 50),
    ],
    "resumed": [sized(LOG[:HALF], TAG, promised=len(LOG)), part(HALF)],
    "range ignored": [sized(LOG[:HALF], TAG, promised=len(LOG)), sized(LOG, TAG)],
    "range ignored, unsized": [answer("200 OK", LOG, TAG), answer("200 OK", LOG, TAG)],
    "no validator": [sized(LOG[:HALF], promised=len(LOG)), sized(LOG)],
    "no validator, then no length": [
        sized(LOG[:HALF], promised=len(LOG)),
        answer("200 OK", LOG),
    ],
    "no length, then no validator": [answer("200 OK", LOG[:HALF]), sized(LOG)],
    "last-modified": [
        sized(LOG[:HALF], "Last-Modified: x", promised=len(LOG)),
        sized(LOG, "Last-Modified: x"),
    ],
    "gzip cut off": [PACKED[:-50], PACKED],
    "no byte at first": [sized(b"", TAG, promised=len(LOG)), sized(LOG, 'ETag: "b"')],
}


@pytest.mark.parametrize("answers", WHOLE.values(), ids=WHOLE.keys())
async def test_a_log_is_whole_in_the_end(
    server: Server, gh: GitHubJobs, tmp_path: Path, answers: list[bytes]
) -> None:
    """What breaks off, or ends without a proof, is asked for again until the log's end is proven."""
    server.answers = [*answers, UNEXPECTED]
    assert await save(gh, tmp_path) == LOG
    assert server.answers == [UNEXPECTED]


CHANGED: dict[str, list[bytes]] = {
    "another etag": [sized(LOG[:HALF], TAG, promised=len(LOG)), sized(OTHER, 'ETag: "b"')],
    "a part of another etag": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        part(HALF, of=OTHER, tag='ETag: "b"'),
    ],
    "a part without an etag": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        part(HALF, of=OTHER, tag="X-Nothing: a"),
    ],
    "another total": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        part(HALF, of=OTHER, total="99999"),
    ],
    "another offset": [sized(LOG[:HALF], TAG, promised=len(LOG)), part(HALF, at=HALF + 7)],
    "no span": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        answer("206 Partial Content", OTHER, TAG),
    ],
    "more than the span": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        part(HALF, end=HALF + 10, length=False, more=OTHER[:50]),
    ],
    "ended too early": [sized(LOG[:HALF], TAG, promised=len(LOG)), at_end(HALF)],
    "ended elsewhere": [answer("200 OK", LOG[:HALF], TAG), NOTHING_MORE],
    "the condition failed": [
        sized(LOG[:HALF], TAG, promised=len(LOG)),
        answer("412 Precondition Failed"),
    ],
    "no validator, another length": [
        sized(LOG[:HALF], promised=len(LOG)),
        sized(OTHER + b"more"),
    ],
    "no validator, the same length": [sized(LOG[:HALF], promised=len(LOG)), sized(OTHER)],
    "no validator, unsized": [answer("200 OK", LOG[:HALF]), answer("200 OK", OTHER)],
    "shrunk": [answer("200 OK", LOG[:HALF], TAG), answer("200 OK", LOG[:99], TAG)],
}


@pytest.mark.parametrize("answers", CHANGED.values(), ids=CHANGED.keys())
async def test_what_cannot_be_joined_is_begun_again(
    server: Server, gh: GitHubJobs, tmp_path: Path, answers: list[bytes]
) -> None:
    """No two halves of different logs are ever put together: the file is the new log, whole."""
    server.answers = [*answers, sized(OTHER)]
    assert await save(gh, tmp_path) == OTHER


@pytest.mark.parametrize("answers", CHANGED.values(), ids=CHANGED.keys())
async def test_what_cannot_be_joined_ends_a_stream(
    server: Server, gh: GitHubJobs, answers: list[bytes]
) -> None:
    """Whoever has seen the first half gets an error, with the exact count, and nothing else."""
    server.answers = [*answers, sized(OTHER)]
    seen = bytearray()
    with pytest.raises(LogTruncatedError) as caught:  # noqa: PT012
        async with gh.open_log(REF) as log:
            async for chunk in log.chunks():
                seen += chunk
    assert LOG.startswith(bytes(seen))
    assert caught.value.received == len(seen)


@pytest.mark.parametrize("header", [TAG, "Last-Modified: Thu, 01 Oct 2026 12:00:00 GMT"])
async def test_a_resume_carries_its_condition(
    server: Server, gh: GitHubJobs, tmp_path: Path, header: str
) -> None:
    """A Range is only sent with a condition on the version; without a version none is sent."""
    server.answers = [sized(LOG[:HALF], header, promised=len(LOG)), part(HALF, tag=header)]
    assert await save(gh, tmp_path) == LOG
    name = "if-match" if header == TAG else "if-unmodified-since"
    assert server.headers[-1]["range"] == f"bytes={HALF}-"
    assert server.headers[-1][name] == header.partition(": ")[2]


@pytest.mark.parametrize("header", ["X-Nothing: a", 'ETag: W/"a"'])
async def test_no_range_without_a_version(
    server: Server, gh: GitHubJobs, tmp_path: Path, header: str
) -> None:
    """A weak ETag does not compare bytes: the log is read from its start, and compared."""
    server.answers = [sized(LOG[:HALF], header, promised=len(LOG)), sized(LOG, header)]
    assert await save(gh, tmp_path) == LOG
    assert set(server.asked) == {"whole"}


@pytest.mark.parametrize("tail", [b"garbage", gzip.compress(b"more")[:-4]], ids=["text", "cut"])
async def test_bytes_behind_a_packed_log_are_an_error(
    server: Server, gh: GitHubJobs, tmp_path: Path, tail: bytes
) -> None:
    """What stands behind a gzip member and is neither a member nor zeros is never ignored."""
    body = gzip.compress(LOG) + tail
    server.answers = [sized(body, "Content-Encoding: gzip")]
    with pytest.raises(LogTruncatedError):
        await save(gh, tmp_path)
    assert names_in(tmp_path) == []


NOT_LOGS: dict[str, bytes] = {
    "html": sized(b"<!DOCTYPE html><html>"),
    "html behind blanks": sized(b" \n\n  <html>"),
    "html behind a comment": sized(b"<!-- " + b"x" * 1000 + b" -->\n<html>"),
    "an open comment": sized(b"<!-- " + b"x" * 9000),
    "html by its type": sized(b"<center>Sign in", "Content-Type: text/html; charset=utf-8"),
    "json by its type": sized(b'{"a": 1}', "Content-Type: application/json"),
    "json error as text": sized(b'{"message": "Bad gateway"}', "Content-Type: text/plain"),
    "xml error": sized(b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>Busy</Code></Error>"),
    "xml error without a code": sized(
        b"<?xml version='1.0'?>\n<Error><Message>no</Message></Error>"
    ),
    "bare xml error": sized(b"<Error><Message>no</Message></Error>"),
}


@pytest.mark.parametrize("body", NOT_LOGS.values(), ids=NOT_LOGS.keys())
async def test_what_is_not_a_log_is_never_saved(
    server: Server, gh: GitHubJobs, tmp_path: Path, body: bytes
) -> None:
    """A page, an error in JSON or XML with status 200: asked for again, and an error in the end."""
    server.answers = [body]
    with pytest.raises(TransportError):
        await save(gh, tmp_path)
    assert names_in(tmp_path) == []
    server.answers = [body, sized(LOG)]
    assert await save(gh, tmp_path) == LOG


@pytest.mark.parametrize("empty", [sized(b""), chunked(b"")])
async def test_an_empty_log_is_not_believed_after_a_promise(
    server: Server, gh: GitHubJobs, tmp_path: Path, empty: bytes
) -> None:
    """A length was announced and broke off; then an empty body comes: that is not the log."""
    server.answers = [sized(b"", promised=len(LOG)), empty]
    with pytest.raises(LogTruncatedError):
        await save(gh, tmp_path)
    assert names_in(tmp_path) == []


async def test_an_empty_log_is_a_log(server: Server, gh: GitHubJobs, tmp_path: Path) -> None:
    """Where nothing else was announced, an empty body is an empty log."""
    server.answers = [sized(b"")]
    assert await save(gh, tmp_path) == b""


@pytest.mark.parametrize("encoding", ["aws-chunked", "", "utf-8", "identity"])
async def test_an_encoding_that_is_none_leaves_the_bytes(
    server: Server, gh: GitHubJobs, tmp_path: Path, encoding: str
) -> None:
    """Some S3-like stores name encodings that do not compress."""
    server.answers = [sized(LOG, f"Content-Encoding: {encoding}")]
    assert await save(gh, tmp_path) == LOG


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


@pytest.mark.parametrize("beyond", [0, 1])
async def test_an_answer_has_sixteen_megabytes_at_most(
    server: Server, gh: GitHubJobs, beyond: int
) -> None:
    """One that announces more is not read at all, and not asked for again."""
    server.answers = [sized(b"{", promised=16 * 2**20 + beyond)]
    words = "larger than 16 MB" if beyond else "broke off"
    with pytest.raises(TransportError, match=words):
        await gh.get_job(REF)
    assert len(server.asked) == (1 if beyond else 3)


async def test_a_part_that_nobody_asked_for_is_no_log(
    server: Server, gh: GitHubJobs, tmp_path: Path
) -> None:
    """A 206 to a request without Range is refused, and asked for again."""
    server.answers = [part(HALF), sized(LOG)]
    assert await save(gh, tmp_path) == LOG


async def test_a_chunk_may_end_where_the_resume_begins(
    server: Server, gh: GitHubJobs, tmp_path: Path
) -> None:
    """What had come before may be a whole chunk: nothing new in it is not the log's end."""
    server.pauses = {HALF}
    server.answers = [sized(LOG[:HALF], promised=len(LOG)), sized(LOG), UNEXPECTED]
    assert await save(gh, tmp_path) == LOG
    assert server.answers == [UNEXPECTED]


@pytest.mark.parametrize("query", ["sig=a%2Fb%7Ec%2b%3D", "sig=a/b~c+=&x=%20%41"])
async def test_a_signed_link_is_sent_as_it_came(server: Server, gh: GitHubJobs, query: str) -> None:
    """Its signature is of these bytes: `%2F`, `%7E` and `%2b` are not spelled anew."""
    server.answers = [answer("302 Found", b"", f"Location: /blob?{query}"), sized(LOG)]
    async with gh.open_log(REF):
        pass
    assert server.targets[1] == f"/blob?{query}"


@pytest.mark.parametrize(
    "path", ["/_services/x/logs", "/api/v3/x/logs", "/repos/octo-org/octo-repo/actions/jobs/1/logs"]
)
async def test_a_link_that_looks_like_the_api_gets_no_token(
    server: Server, time: FakeClock, path: str
) -> None:
    """A signed link on the API's own origin may end as a log's address does: it is no API's."""
    server.answers = [answer("302 Found", b"", f"Location: {path}?sig=x"), sized(LOG)]
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/api/v3"
    options: dict[str, Any] = {"base_url": root, "clock": time.clock}
    async with listening, GitHubJobs("ghp_secret", **options) as gh, gh.open_log(REF):
        pass
    assert server.targets[1] == f"{path}?sig=x"
    assert ["authorization" in headers for headers in server.headers] == [True, False]
