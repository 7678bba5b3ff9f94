"""Two origins served together, in the running event loop or in a thread, and what was asked."""

from __future__ import annotations

import abc
import asyncio
import gzip
import socket
import struct
import threading
from collections import Counter
from concurrent.futures import Future
from functools import partial
from typing import Final, Self

import attrs
from aiohttp import web

from ghjobs_async.testing.server.messages import PREFIX, Answer, Asked, Origin

#: Smaller bodies are not worth compressing.
_GZIP_FROM: Final = 1024
#: The value of SO_LINGER that makes a connection end with RST.
_RESET: Final = struct.pack("ii", 1, 0)

_ORIGINS: Final[tuple[Origin, Origin]] = ("api", "storage")


class Hosted(abc.ABC):
    """An API and a storage, each on a port of 127.0.0.1 while this is entered."""

    def __init__(self, *, storage_host: str, latency: float, record: bool) -> None:
        self.storage_host = storage_host
        self.latency = latency
        #: Everything asked, in order; empty unless *record* was set.
        self.requests: list[Asked] = []
        self._record = record
        self._counts: Counter[Origin] = Counter()
        self._in_flight: Counter[Origin] = Counter()
        self._most_in_flight: Counter[Origin] = Counter()
        self._arrival = asyncio.Event()
        self._runners: list[web.ServerRunner] = []
        self._ports: dict[Origin, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()
        self._gate = asyncio.Event()
        self._paused = False
        self._thread: threading.Thread | None = None
        self._stop = asyncio.Event()

    @abc.abstractmethod
    def _answer(self, asked: Asked) -> tuple[Asked, Answer]:
        """Answer a request; give it back with its operation."""

    async def __aenter__(self) -> Self:
        if self._loop is not None:
            raise RuntimeError("this fake is being served already")
        self._loop = asyncio.get_running_loop()
        self._closing, self._gate = asyncio.Event(), asyncio.Event()
        if not self._paused:
            self._gate.set()
        for origin in _ORIGINS:
            # A handler that stalls on purpose must end as soon as its client disconnects.
            respond = partial(self._respond, origin)
            server = web.Server(
                respond, handler_cancellation=True, access_log=None, keepalive_timeout=75.0
            )
            runner = web.ServerRunner(server, shutdown_timeout=0.0)
            self._runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
            self._ports[origin] = runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self._gate.set()
        while self._runners:
            await self._runners.pop().cleanup()
        self._loop = None

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("this fake is being served already")
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="FakeGitHub", daemon=True
        )
        self._thread.start()
        ready.result()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._thread = None

    async def _serve(self, ready: Future[None]) -> None:
        self._stop = asyncio.Event()
        try:
            await self.__aenter__()
        except BaseException as error:  # noqa: BLE001 - raised where the thread was started
            ready.set_exception(error)
            return
        ready.set_result(None)
        await self._stop.wait()
        await self.__aexit__()

    @property
    def base_url(self) -> str:
        """The API's root as on GHES, ``http://127.0.0.1:PORT/api/v3``."""
        return self.web_url + PREFIX

    @property
    def web_url(self) -> str:
        """The API's origin; the same API is served at its root."""
        return f"http://127.0.0.1:{self._port('api')}"

    @property
    def storage_url(self) -> str:
        """The storage's origin."""
        return f"http://{self.storage_host}:{self._port('storage')}"

    def _port(self, origin: Origin) -> int:
        if origin not in self._ports:
            raise RuntimeError("enter it first: with FakeGitHub() as fake: ...")
        return self._ports[origin]

    def pause(self) -> None:
        """Hold every answer back until `resume`: requests arrive and stay in flight."""
        self._paused = True
        self._gate.clear()

    def resume(self) -> None:
        """Send the answers that `pause` holds back."""
        self._paused = False
        if self._loop is not None:
            # The caller may be in another thread than the loop that serves.
            self._loop.call_soon_threadsafe(self._gate.set)

    def clear_requests(self) -> None:
        """Forget the requests, their number and the greatest number in flight."""
        self.requests.clear()
        self._counts.clear()
        self._most_in_flight = self._in_flight.copy()

    def in_flight(self, origin: Origin = "api") -> int:
        """Give the number of requests in flight now."""
        return self._in_flight[origin]

    def most_in_flight(self, origin: Origin = "api") -> int:
        """Give the greatest number of requests in flight at once."""
        return self._most_in_flight[origin]

    def asked_count(self, origin: Origin = "api") -> int:
        """Give the number of requests, recorded or not."""
        return self._counts[origin]

    async def wait_asked(self, count: int, origin: Origin = "api") -> None:
        """
        Wait until *count* requests have come since the start (or `clear_requests`).

        This works only if the fake is served in the running event loop.
        """
        while self._counts[origin] < count:
            await self._arrival.wait()

    async def _respond(self, origin: Origin, request: web.BaseRequest) -> web.StreamResponse:
        headers = {key.lower(): value for key, value in request.headers.items()}
        query = dict(request.query)
        asked, answer = self._answer(Asked(origin, request.method, request.path, query, headers))
        if self._record:
            self.requests.append(attrs.evolve(asked, status=0 if answer.unsent else answer.status))
        self._counts[origin] += 1
        self._in_flight[origin] += 1
        self._most_in_flight[origin] = max(self._most_in_flight[origin], self._in_flight[origin])
        self._arrival.set()
        self._arrival = asyncio.Event()
        try:
            if not self._gate.is_set():
                await self._gate.wait()
                if self._closing.is_set():
                    return _hang_up(request)
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._send(request, answer)
        finally:
            self._in_flight[origin] -= 1

    async def _send(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if answer.unsent:
            return await self._end(request, answer)
        body = answer.body
        if isinstance(body, bytes) and answer.lie == 0 and answer.end_after is None:
            accepted = request.headers.get("Accept-Encoding", "")
            if not answer.encoded and len(body) >= _GZIP_FROM and "gzip" in accepted:
                body = gzip.compress(body, 1, mtime=0)
                answer.headers["Content-Encoding"] = "gzip"
            return web.Response(status=answer.status, body=body or None, headers=answer.headers)
        try:
            return await self._stream(request, answer)
        except ConnectionResetError:
            # The client has disconnected.
            return _hang_up(request)

    async def _stream(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        size = len(answer.body) if isinstance(answer.body, bytes) else answer.body.size
        response.content_length = max(0, size + answer.lie)
        left = size if answer.end_after is None else answer.end_after
        ended = left < size if answer.end == "stall" else answer.end_after is not None
        await response.prepare(request)
        for chunk in answer.chunks():
            if left <= 0:
                break
            await response.write(chunk[:left])
            left -= len(chunk)
        if ended or answer.lie > 0:
            return await self._end(request, answer, response)
        await response.write_eof()
        return response

    async def _end(
        self, request: web.BaseRequest, answer: Answer, response: web.StreamResponse | None = None
    ) -> web.StreamResponse:
        if answer.end == "stall":
            # This ends when the client disconnects, too: its task is cancelled.
            await self._closing.wait()
        return _hang_up(request, response, reset=answer.end == "reset")


def _hang_up(
    request: web.BaseRequest, response: web.StreamResponse | None = None, *, reset: bool = False
) -> web.StreamResponse:
    """End the connection at once."""
    transport = request.transport
    if transport is not None and reset:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    elif transport is not None:
        # What was written is still sent before the connection ends.
        transport.close()
    answer = web.Response() if response is None else response
    answer.force_close()
    return answer
