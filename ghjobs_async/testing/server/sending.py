"""Sockets: listen on 127.0.0.1, and send answers the way that they describe."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from ghjobs_async.testing.server.messages import Answer

#: Smaller bodies are not worth compressing.
_GZIP_FROM: Final = 1024
#: The value of SO_LINGER that makes a connection end with RST.
_RESET: Final = struct.pack("ii", 1, 0)

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def listen(respond: Respond) -> tuple[web.ServerRunner, int]:
    """Listen on a free port; give what serves there, and the port."""
    # A handler that stalls on purpose must end as soon as its client disconnects.
    server = web.Server(respond, handler_cancellation=True, access_log=None, keepalive_timeout=75.0)
    runner = web.ServerRunner(server, shutdown_timeout=0.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    return runner, runner.addresses[0][1]


async def send(
    request: web.BaseRequest, answer: Answer, closing: asyncio.Event
) -> web.StreamResponse:
    """
    Send *answer*.

    A stall ends when the client disconnects (the task is cancelled) or when *closing* is set.
    """
    if answer.unsent:
        return await _end(request, answer, closing)
    body = answer.body
    if isinstance(body, bytes) and answer.lie == 0 and answer.end_after is None:
        accepted = request.headers.get("Accept-Encoding", "")
        if not answer.encoded and len(body) >= _GZIP_FROM and "gzip" in accepted:
            body = gzip.compress(body, 1, mtime=0)
            answer.headers["Content-Encoding"] = "gzip"
        return web.Response(status=answer.status, body=body or None, headers=answer.headers)
    try:
        return await _stream(request, answer, closing)
    except ConnectionResetError:
        # The client has disconnected.
        return hang_up(request)


async def _stream(
    request: web.BaseRequest, answer: Answer, closing: asyncio.Event
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    size = len(answer.body)
    response.content_length = max(0, size + answer.lie)
    left = size if answer.end_after is None else answer.end_after
    broken = answer.lie > 0 or (
        left < size if answer.end == "stall" else answer.end_after is not None
    )
    await response.prepare(request)
    for chunk in answer.chunks():
        if left <= 0:
            break
        await response.write(chunk[:left])
        left -= len(chunk)
    if broken:
        return await _end(request, answer, closing, response)
    await response.write_eof()
    return response


async def _end(
    request: web.BaseRequest,
    answer: Answer,
    closing: asyncio.Event,
    response: web.StreamResponse | None = None,
) -> web.StreamResponse:
    if answer.end == "stall":
        await closing.wait()
    return hang_up(request, response, reset=answer.end == "reset")


def hang_up(
    request: web.BaseRequest, response: web.StreamResponse | None = None, *, reset: bool = False
) -> web.StreamResponse:
    """End the connection at once."""
    transport = request.transport
    if transport is not None:
        if reset:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
        else:
            # What was written is still sent before the connection ends.
            transport.close()
    answer = web.Response() if response is None else response
    answer.force_close()
    return answer
