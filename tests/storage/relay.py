"""The way to a store, whose connections break."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
from stores import Store

# Close with RST.
AT_ONCE = struct.pack("ii", 1, 0)


@attrs.define
class Relay:
    """
    Passes requests on to a store, one a connection, and its answers back.

    Attributes:
        store: The store.
        root: Its own address.
        cuts: After how many bytes the next answers end; negative ones end with a reset.
        before: Called before each request is passed on.
        asked: The heads of the requests.
        statuses: The statuses of the answers.
    """

    store: Store
    root: str = ""
    cuts: deque[int | None] = attrs.field(factory=deque)
    before: Callable[[], None] = lambda: None
    asked: list[str] = attrs.field(factory=list)
    statuses: list[int] = attrs.field(factory=list)

    # asyncio itself forgets the task of a connection whose other side has gone.
    _tasks: set[asyncio.Task[object]] = attrs.field(factory=set)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = None
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.decode())
            self.before()
            cut = self.cuts.popleft() if self.cuts else None
            if body := self.store.refusal(head.decode().split(" ")[1]):
                answer = asyncio.StreamReader()
                answer.feed_data(b"HTTP/1.1 403 Forbidden\r\n")
                answer.feed_data(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                answer.feed_eof()
            else:
                answer, upstream = await asyncio.open_connection("127.0.0.1", self.store.port)
                upstream.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            await self._pass_on(answer, writer, cut)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            if upstream is not None:
                upstream.close()

    async def _pass_on(
        self, answer: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: int | None
    ) -> None:
        chunk = await answer.readline()
        self.statuses.append(int(chunk.split()[1]))
        left = None if cut is None else abs(cut)
        while chunk:
            writer.write(chunk[:left])
            await writer.drain()
            if left is not None:
                left = max(0, left - len(chunk))
                if not left:
                    break
            chunk = await answer.read(2**14)
        if cut is not None and cut < 0:
            linger = (socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.get_extra_info("socket").setsockopt(*linger)

    async def end(self) -> None:
        """End what still waits for the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def relay_to(store: Store) -> AsyncIterator[Relay]:
    """Run a relay in this loop."""
    relay = Relay(store)
    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    relay.root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        try:
            yield relay
        finally:
            await relay.end()
