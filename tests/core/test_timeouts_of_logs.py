"""What comes before a log's body is bounded by the total timeout, however it trickles in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from ghjobs_async import GitHubJobs, JobRef, RequestTimeoutError

REF = JobRef("octo-org/octo-repo", 1)
# Far from any single read: only the total can end it.
TIMEOUT = aiohttp.ClientTimeout(total=0.1, sock_read=30)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9999\r\n\r\n"


@asynccontextmanager
async def trickling(at_once: bytes) -> AsyncIterator[str]:
    """A server that sends that, and then a byte now and then, for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(at_once)
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.005)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("at_once", [b"HTTP/1.1 302 Found\r\nX-Slow: ", NOT_FOUND])
async def test_the_api_trickles(at_once: bytes) -> None:
    """Headers without end, or a refusal without end, are an error in time."""
    async with (
        trickling(at_once) as api,
        GitHubJobs(None, base_url=api, timeout=TIMEOUT, retries=0) as gh,
    ):
        with pytest.raises(RequestTimeoutError):
            await gh.get_log_url(REF)
        with pytest.raises(RequestTimeoutError):
            async with gh.open_log(REF):
                pass


async def test_a_packed_log_whose_first_line_never_comes() -> None:
    """Bytes that unpack to nothing are not yet the beginning of a log."""
    # The header of a gzip stream, with a file name that has no end.
    head = b"\x1f\x8b\x08\x08" + bytes(6) + 100 * b"x"
    async with (
        trickling(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + head) as api,
        GitHubJobs(None, base_url=api, timeout=TIMEOUT, retries=0) as gh,
    ):
        with pytest.raises(RequestTimeoutError):
            async with gh.open_log(REF):
                pass


async def test_the_storage_trickles() -> None:
    """The same behind the redirect."""
    async with trickling(b"HTTP/1.1 200 OK\r\nX-Slow: ") as storage:
        found = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {storage}/log\r\n\r\n"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(found.encode())
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            api = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            async with GitHubJobs(None, base_url=api, timeout=TIMEOUT, retries=0) as gh:
                with pytest.raises(RequestTimeoutError):
                    async with gh.open_log(REF):
                        pass
