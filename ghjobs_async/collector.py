"""
Turns in which lists become objects, and the garbage collector's rest meanwhile.

Knows nothing of GitHub. A list becomes thousands of objects at once, none of them garbage, and the
collector would walk them all before anybody has seen them: a fifth of the work of a large audit. So
it rests while one list after the other is made and handed over; most are gone again, by themselves,
when it goes on.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import attrs

# The collector never rests for more bursts than this in a row, some 20 ms of decoding, whatever else
# runs between them: garbage of the program around it does not wait for long.
REST_MOST: Final = 8


@attrs.define(eq=False)
class Turns:
    """
    One list after the other; the collector rests as long as the next one is waiting.

    A collector that the program has switched off before stays off.
    """

    _lock: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    _waiting: int = attrs.field(default=0, init=False)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
            if not self._lock.locked():
                _rest.end(self)
        try:
            yield
        finally:
            # First of all: nothing can be woken on a loop that was closed in the middle.
            if not self._waiting:
                _rest.end(self)
            self._lock.release()

    @contextmanager
    def burst(self) -> Iterator[None]:
        """Make objects, within a turn: a few milliseconds' work, without an await."""
        _rest.begin(self)
        try:
            yield
        finally:
            if _rest.bursts >= REST_MOST:
                _rest.end(self)


@attrs.define(eq=False)
class _Rest:
    """The rest of this process's one collector, and whose it is."""

    owner: Turns | None = None
    bursts: int = 0

    def begin(self, owner: Turns) -> None:
        if self.owner is owner:
            self.bursts += 1
        elif gc.isenabled():
            self.owner, self.bursts = owner, 1
            gc.disable()
            loop = asyncio.get_running_loop()
            loop.call_soon(self._hold, loop, _Guard())

    def _hold(self, loop: asyncio.AbstractEventLoop, guard: _Guard) -> None:
        """Hand the guard on from one turn of the loop to the next, as long as the rest lasts."""
        if self.owner is not None:
            loop.call_soon(self._hold, loop, guard)

    def end(self, owner: Turns | None) -> None:
        if owner is self.owner and owner is not None:
            self.owner, self.bursts = None, 0
            gc.enable()


class _Guard:
    """Ends the rest when it is dropped, as a loop does that is closed in the middle of a list."""

    def __del__(self) -> None:
        _rest.end(_rest.owner)


_rest: Final = _Rest()
if hasattr(os, "register_at_fork"):
    # A child that is forked off meanwhile has no list to wait for.
    os.register_at_fork(after_in_child=lambda: _rest.end(_rest.owner))
