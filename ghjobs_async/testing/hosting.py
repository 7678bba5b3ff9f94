"""Two origins served together: in the running event loop, or in a thread with one of its own."""

from __future__ import annotations

import abc
import asyncio
import threading
from typing import TYPE_CHECKING, Self

from ghjobs_async.testing.serving import Listener, hang_up, send

if TYPE_CHECKING:
    from types import TracebackType

    from aiohttp import web

    from ghjobs_async.testing.answers import Answer

PREFIX = "/api/v3"


class Hosted(abc.ABC):
    """Something with an API and a storage, each on a port of 127.0.0.1 while it is entered."""

    def __init__(self, storage_host: str = "127.0.0.1") -> None:
        self.storage_host = storage_host
        self._listeners = (Listener(self._respond_api), Listener(self._respond_storage))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()
        self._gate = asyncio.Event()
        self._paused = False
        self._thread: _Thread | None = None

    @abc.abstractmethod
    async def _respond_api(self, request: web.BaseRequest) -> web.StreamResponse: ...

    @abc.abstractmethod
    async def _respond_storage(self, request: web.BaseRequest) -> web.StreamResponse: ...

    async def __aenter__(self) -> Self:
        if self._loop is not None:
            raise RuntimeError("this fake is being served already")
        self._loop = asyncio.get_running_loop()
        self._closing, self._gate = asyncio.Event(), asyncio.Event()
        if not self._paused:
            self._gate.set()
        for listener in self._listeners:
            await listener.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._gate.set()
        for listener in self._listeners:
            await listener.close()
        self._loop = None

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("this fake is being served already")
        thread = _Thread(self)
        thread.start()
        self._thread = thread
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            thread, self._thread = self._thread, None
            thread.stop()

    @property
    def base_url(self) -> str:
        """The API's root as on GHES, ``http://127.0.0.1:PORT/api/v3``."""
        return self.web_url + PREFIX

    @property
    def web_url(self) -> str:
        """The API's origin; the same API is served at its root."""
        return f"http://127.0.0.1:{self._port(0)}"

    @property
    def storage_url(self) -> str:
        """The storage's origin."""
        return f"http://{self.storage_host}:{self._port(1)}"

    def _port(self, index: int) -> int:
        port = self._listeners[index].port
        if not port:
            raise RuntimeError("enter it first: with FakeGitHub() as fake: ...")
        return port

    def pause(self) -> None:
        """Hold every answer back until `resume`: requests arrive and stay in flight."""
        self._paused = True
        self._gate.clear()

    def resume(self) -> None:
        """Let the answers go that `pause` holds back."""
        self._paused = False
        if self._loop is not None:
            # Whoever calls may be in another thread than the one that serves.
            self._loop.call_soon_threadsafe(self._gate.set)

    async def _deliver(
        self, request: web.BaseRequest, answer: Answer, latency: float
    ) -> web.StreamResponse:
        if not self._gate.is_set():
            await self._gate.wait()
            if self._closing.is_set():
                return hang_up(request)
        if latency:
            await asyncio.sleep(latency)
        return await send(request, answer, self._closing)


class _Thread:
    """Serves in a thread with a loop of its own."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="FakeGitHub", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to whoever started the thread
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._hosted:
            self._ready.set()
            await self._stop.wait()
