"""Logs that come packed, though they were asked for as they are, or without any length."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
from aiohttp import HttpVersion10, web

from ghjobs_async import GitHubJobs, LogTruncatedError
from ghjobs_async.testing import FakeGitHub, faults

REPO = "octo-org/octo-repo"
LOG = b"".join(b"2026-10-01T00:00:00.0000000Z line %d\n" % n for n in range(20_000))


class Packing:
    """A storage that packs every log, and cuts the first few of them."""

    def __init__(self, *, cut: int, pack: bytes) -> None:
        self.cut = cut
        self.pack = pack
        self.asked = 0

    async def answer(self, _: web.BaseRequest) -> web.Response:
        self.asked += 1
        body = self.pack[: len(self.pack) // 2] if self.asked <= self.cut else self.pack
        encoding = "gzip" if body[:1] == b"\x1f" else "deflate"
        return web.Response(body=body, headers={"Content-Encoding": encoding})


async def url_of(packing: Packing) -> tuple[web.ServerRunner, str]:
    runner = web.ServerRunner(web.Server(packing.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"{site.name.rstrip('/')}/log"


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress(LOG),
        zlib.compress(LOG),
        gzip.compress(LOG[:700]) + gzip.compress(b"") + gzip.compress(LOG[700:]),
        gzip.compress(LOG) + bytes(16),
    ],
    ids=["gzip", "zlib", "members", "padded"],
)
@pytest.mark.parametrize("cut", [0, 1])
async def test_a_packed_log_is_whole(
    github: FakeGitHub, gh: GitHubJobs, tmp_path: Path, cut: int, pack: bytes
) -> None:
    """It is unpacked; one that was cut, which its frame does not tell, is read again."""
    packing = Packing(cut=cut, pack=pack)
    runner, url = await url_of(packing)
    job = github.add_run(REPO).jobs[0]
    github.fail("log", faults.log_location(url), times=None)
    try:
        async with gh.open_log(job.ref) as log:
            assert await log.save(tmp_path / "log") == len(LOG)
    finally:
        await runner.cleanup()
    assert (tmp_path / "log").read_bytes() == LOG
    assert packing.asked == 1 + cut


async def test_a_packed_log_that_is_always_cut_is_an_error(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """A packed stream without its end is never taken for a whole log."""
    runner, url = await url_of(Packing(cut=1000, pack=gzip.compress(LOG)))
    job = github.add_run(REPO).jobs[0]
    github.fail("log", faults.log_location(url), times=None)
    try:
        with pytest.raises(LogTruncatedError):
            async with gh.open_log(job.ref) as log:
                _ = [chunk async for chunk in log.chunks()]
    finally:
        await runner.cleanup()


class Unframed:
    """A storage of the old kind: the connection's end is the log's end, and nothing else is told."""

    def __init__(self, *, then: bytes) -> None:
        self.then = then
        self.asked = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked += 1
        body = LOG if self.asked == 1 else self.then
        response = web.StreamResponse()
        response.force_close()
        request._version = HttpVersion10
        await response.prepare(request)
        await response.write(body)
        return response


@pytest.mark.parametrize(("then", "whole"), [(LOG, True), (LOG[:-3] + b"???", False)])
async def test_a_log_without_any_length(
    github: FakeGitHub, gh: GitHubJobs, then: bytes, *, whole: bool
) -> None:
    """It is read twice to be sure; it is whole if it was the same, and an error if not."""
    unframed = Unframed(then=then)
    runner = web.ServerRunner(web.Server(unframed.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    job = github.add_run(REPO).jobs[0]
    github.fail("log", faults.log_location(f"{site.name.rstrip('/')}/log"), times=None)
    try:
        async with gh.open_log(job.ref) as log:
            if whole:
                assert b"".join([chunk async for chunk in log.chunks()]) == LOG
            else:
                with pytest.raises(LogTruncatedError):
                    _ = [chunk async for chunk in log.chunks()]
    finally:
        await runner.cleanup()
    assert unframed.asked == 2
