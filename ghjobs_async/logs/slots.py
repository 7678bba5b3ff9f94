"""
Download slots that never wait for the caller's code.

A log that is being read holds a slot. While the caller's code runs between two reads, the log keeps
its slot only until another log needs it. So a log can be opened while others are open, in the same
task or in any other, however few slots there are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum, auto


class _State(Enum):
    NONE = auto()
    HELD = auto()
    #: The caller's code runs: others may take the slot.
    IDLE = auto()


class Slots:
    """Bound how many logs are read at once."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._idle: list[Lease] = []
        self._waiting: deque[tuple[asyncio.Future[None], Lease]] = deque()

    def lease(self) -> Lease:
        """Return the lease for one log, without a slot yet."""
        return Lease(self)

    async def take(self, lease: Lease) -> None:
        """Wait for a slot for *lease*."""
        if lease.state is _State.IDLE:
            self._idle.remove(lease)
        elif lease.state is _State.NONE and (self._waiting or not self._find()):
            await self._wait(lease)
        lease.state = _State.HELD

    def idle(self, lease: Lease) -> None:
        """Offer the slot of *lease* to others."""
        if lease.state is _State.HELD:
            lease.state = _State.IDLE
            self._idle.append(lease)
            if self._waiting:
                # Later, since most callers come back to read on at once.
                asyncio.get_running_loop().call_soon(self._serve)

    def release(self, lease: Lease) -> None:
        """Give the slot of *lease* back."""
        if lease.state is _State.IDLE:
            self._idle.remove(lease)
        if lease.state is not _State.NONE:
            lease.state = _State.NONE
            self._free += 1
            self._serve()

    def _find(self) -> bool:
        """Take a free slot, or that of the log that has been idle for longest."""
        if self._free:
            self._free -= 1
        elif self._idle:
            self._idle.pop(0).state = _State.NONE
        else:
            return False
        return True

    async def _wait(self, lease: Lease) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((future, lease))
        self._serve()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release(lease)
            raise

    def _serve(self) -> None:
        while self._waiting:
            future, lease = self._waiting[0]
            if not future.cancelled():
                if not self._find():
                    return
                lease.state = _State.HELD
                future.set_result(None)
            self._waiting.popleft()


class Lease:
    """
    The slot of one log: held inside each ``async with`` block, and offered to others after it.

    The block contains a read, and never the caller's code.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.state = _State.NONE

    async def __aenter__(self) -> None:
        await self._slots.take(self)

    async def __aexit__(self, *_: object) -> None:
        self._slots.idle(self)

    def release(self) -> None:
        """Give the slot back for good. Twice is fine."""
        self._slots.release(self)
