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
        self.idle: list[Lease] = []
        self.waiting: deque[tuple[asyncio.Future[None], Lease]] = deque()

    def lease(self) -> Lease:
        """Return the lease for one log, without a slot yet."""
        return Lease(self)

    def find(self) -> bool:
        """Take a free slot, or that of the log that has been idle for longest."""
        if self._free:
            self._free -= 1
        elif self.idle:
            self.idle.pop(0).state = _State.NONE
        else:
            return False
        return True

    def put_back(self) -> None:
        """Put a slot back."""
        self._free += 1
        self.serve()

    def serve(self) -> None:
        """Give slots to the leases that wait, as far as there are any."""
        while self.waiting:
            future, lease = self.waiting[0]
            if not future.cancelled():
                if not self.find():
                    return
                lease.state = _State.HELD
                future.set_result(None)
            self.waiting.popleft()


class Lease:
    """
    The slot of one log: held inside each ``async with`` block, and offered to others after it.

    The block contains a read, and never the caller's code.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.state = _State.NONE

    async def __aenter__(self) -> None:
        if self.state is _State.IDLE:
            self._slots.idle.remove(self)
        elif self.state is _State.NONE and (self._slots.waiting or not self._slots.find()):
            await self._wait()
        self.state = _State.HELD

    async def _wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._slots.waiting.append((future, self))
        self._slots.serve()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        if self.state is _State.HELD:
            self.state = _State.IDLE
            self._slots.idle.append(self)
            if self._slots.waiting:
                # Later, since most callers come back to read on at once.
                asyncio.get_running_loop().call_soon(self._slots.serve)

    def release(self) -> None:
        """Give the slot back for good. Twice is fine."""
        if self.state is _State.IDLE:
            self._slots.idle.remove(self)
        if self.state is not _State.NONE:
            self.state = _State.NONE
            self._slots.put_back()
