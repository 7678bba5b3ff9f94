"""
Serve an API and a log storage, in a process of its own, from answers that are made in advance.

The first line of output says where it listens, as JSON. Each line of input, such as
``{"latency": 0, "gzip": false}``, says how to answer from then on, and is answered with what the
server did since the line before. It ends when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import socket
import sys
import tempfile
import threading
import time
from functools import partial
from gzip import compress
from typing import IO, Final

import attrs

from bench import data

_TARGET: Final = re.compile(
    rb"GET (?:/api/v3)?/repos/[^/ ]+/[^/ ]+/actions/"
    rb"(?:runs/(?P<run>[0-9]+)/jobs|jobs/(?P<log>[0-9]+)/logs)(?:\?(?P<query>[^ ]*))? HTTP/1\.1\r\n"
)
_BLOB: Final = re.compile(rb"GET /logs/(?P<log>[0-9]+)\.txt\?[^ ]* HTTP/1\.1\r\n")
_TAKES_GZIP: Final = re.compile(rb"\r\naccept-encoding:[^\r]*gzip", re.IGNORECASE)
_PAGE: Final = re.compile(rb"(?:^|&)page=([0-9]+)")
_JSON: Final = "application/json; charset=utf-8"
_RESPONSES: Final = {200: "OK", 302: "Found", 400: "Bad Request", 422: "Unprocessable Entity"}


def head(status: int, size: int, kind: str, **more: str) -> bytes:
    """Return the status line and about as many headers as GitHub sends."""
    headers = {
        "Server": "github.com",
        "Date": "Sun, 01 Nov 2026 12:00:00 GMT",
        "Content-Type": kind,
        "Content-Length": str(size),
        "Cache-Control": "private, max-age=60, s-maxage=60",
        "ETag": f'W/"{size:064x}"',
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Request-Id": "C0DE:1CE:B00C5:F00D5:6730A0B0",
        "X-RateLimit-Limit": "15000",
        "X-RateLimit-Remaining": "14000",
        "X-RateLimit-Used": "1000",
        "X-RateLimit-Reset": str(int(time.time()) + 86_400),
        "X-RateLimit-Resource": "core",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = [f"HTTP/1.1 {status} {_RESPONSES[status]}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def log_head(size: int) -> bytes:
    """Return the head of a log: the storage names a version that proves a resumed log the same."""
    return head(200, size, "text/plain", ETag='"0x8DD5F2C3A1B0E47"', Accept_Ranges="bytes")


_REFUSED: Final = {status: head(status, 0, _JSON) for status in (400, 422)}


@attrs.define
class Site:
    """The answers, and the number of requests in flight."""

    latency: float = 0.0
    gzip: bool = False
    in_flight: int = 0
    max_in_flight: int = 0
    pages: dict[tuple[int, int, bool], bytes] = attrs.field(factory=dict)
    small_log: bytes = b""
    big_log: bytes = b""
    block: IO[bytes] = attrs.field(factory=tempfile.TemporaryFile)
    storage: str = ""

    def fill(self, api: str) -> None:
        """Make every answer in advance."""
        for run_id in (*data.AUDIT_RUNS, data.LONG_RUN, *range(data.SHORT_KINDS)):
            kind, sizes = data.kind_of(run_id)
            for number, body in enumerate(data.pages(kind, sizes), start=1):
                url = f"{api}/repos/{data.REPO}/actions/runs/{kind}/jobs?per_page=100&page="
                ends = [("prev", number - 1), ("next", number + 1), ("last", len(sizes))]
                links = [f'<{url}{n}>; rel="{rel}"' for rel, n in ends if 0 < n <= len(sizes)]
                link, packed = ", ".join(links), compress(body, 6, mtime=0)
                self.pages[kind, number, False] = head(200, len(body), _JSON, Link=link) + body
                self.pages[kind, number, True] = (
                    head(200, len(packed), _JSON, Link=link, Content_Encoding="gzip") + packed
                )
        small = data.small_log()
        self.small_log = log_head(len(small)) + small
        self.big_log = log_head(data.BLOCK_SIZE * data.BIG_BLOCKS)
        self.block.write(data.log_block())
        self.block.flush()

    def api(self, request: bytes) -> bytes:
        """Return the API's answer to a request."""
        found = _TARGET.match(request)
        if found is None:
            return _REFUSED[422]
        if found["log"]:
            link = f"{self.storage}/logs/{int(found['log'])}.txt?se=2026-11-22T17:00:00Z&sig=c2ln"
            return head(302, 0, "text/html; charset=utf-8", Location=link)
        query = found["query"] or b""
        page = _PAGE.search(query)
        packed = self.gzip and _TAKES_GZIP.search(request) is not None
        key = (data.kind_of(int(found["run"]))[0], int(page[1]) if page else 1, packed)
        return self.pages[key] if b"per_page=100" in query and key in self.pages else _REFUSED[422]

    def report(self) -> int:
        """Return the most requests in flight at once since the last report."""
        most, self.max_in_flight = self.max_in_flight, 0
        return most

    def arrived(self) -> None:
        """Count a request in flight."""
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)


class Connection(asyncio.Protocol):
    """One connection of a client: one request and answer at a time."""

    def __init__(self, site: Site, *, storage: bool) -> None:
        self.site = site
        self.storage = storage
        self.received = b""
        self.sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        sock = transport.get_extra_info("socket")
        # Make room for a whole page, so that it leaves at once.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\n"):
            return
        request, self.received = self.received, b""
        self.site.arrived()
        if self.storage:
            self._send_log(request)
        elif self.site.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(self.site.latency, self._answer, self.site.api(request))
        else:
            self._answer(self.site.api(request))

    def _answer(self, answer: bytes) -> None:
        self.site.in_flight -= 1
        self.transport.write(answer)

    def _send_log(self, request: bytes) -> None:
        found = _BLOB.match(request)
        # Like the real storage, refuse an Authorization header beside the signature.
        if found is None or b"\r\nauthorization:" in request.lower():
            self._answer(_REFUSED[400])
            return
        if int(found["log"]) != data.BIG_LOG:
            self._answer(self.site.small_log)
            return
        self.transport.write(self.site.big_log)
        self.sending = asyncio.ensure_future(self._send_blocks())

    async def _send_blocks(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            for _ in range(data.BIG_BLOCKS):
                await loop.sendfile(self.transport, self.site.block, 0, data.BLOCK_SIZE)
        except ConnectionError:
            self.transport.abort()
        finally:
            self.site.in_flight -= 1


def cpu() -> float:
    """Return the CPU time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def take_commands(site: Site, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Answer each line of input, in a thread."""
    before = cpu()

    async def report(*, latency: float, gzip: bool) -> int:
        site.latency, site.gzip = latency, gzip
        return site.report()

    for line in sys.stdin:
        in_flight = asyncio.run_coroutine_threadsafe(report(**json.loads(line)), loop).result()
        now = cpu()
        print(json.dumps({"in_flight": in_flight, "cpu": now - before}), flush=True)
        before = now
    loop.call_soon_threadsafe(stop.set)


async def main() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    site, stop = Site(), asyncio.Event()
    servers = [
        await loop.create_server(
            partial(Connection, site, storage=storage), "127.0.0.1", 0, backlog=1024
        )
        for storage in (False, True)
    ]
    api, site.storage = (f"http://127.0.0.1:{s.sockets[0].getsockname()[1]}" for s in servers)
    site.fill(api)
    print(json.dumps({"api": api}), flush=True)
    threading.Thread(target=take_commands, args=(site, loop, stop), daemon=True).start()
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
