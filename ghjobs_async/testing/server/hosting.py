"""Two origins served together: in the running event loop, or in a thread with its own loop."""

from __future__ import annotations

import abc
import asyncio
import threading
from concurrent.futures import Future
from functools import partial
from typing import Self

from aiohttp import web

from ghjobs_async.testing.server.messages import PREFIX, Answer, Asked, Origin
from ghjobs_async.testing.server.recorder import Recorder
from ghjobs_async.testing.server.sending import Listener, hang_up, send


class Hosted(Recorder, abc.ABC):
    """An API and a storage, each on a port of 127.0.0.1 while this is entered."""

    def __init__(self, *, storage_host: str, latency: float, record: bool) -> None:
        super().__init__(record=record)
        self.storage_host = storage_host
        self.latency = latency
        self._listeners: dict[Origin, Listener] = {
            "api": Listener(partial(self._respond, "api")),
            "storage": Listener(partial(self._respond, "storage")),
        }
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
        for listener in self._listeners.values():
            await listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self._gate.set()
        for listener in self._listeners.values():
            await listener.close()
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
        port = self._listeners[origin].port
        if not port:
            raise RuntimeError("enter it first: with FakeGitHub() as fake: ...")
        return port

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

    async def _respond(self, origin: Origin, request: web.BaseRequest) -> web.StreamResponse:
        headers = {key.lower(): value for key, value in request.headers.items()}
        query = dict(request.query)
        asked, answer = self._answer(Asked(origin, request.method, request.path, query, headers))
        self._arrived(asked, 0 if answer.unsent else answer.status)
        try:
            if not self._gate.is_set():
                await self._gate.wait()
                if self._closing.is_set():
                    return hang_up(request)
            if self.latency:
                await asyncio.sleep(self.latency)
            return await send(request, answer, self._closing)
        finally:
            self._left(origin)
