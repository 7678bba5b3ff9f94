"""What the downloads of one client share: their slots, and whether the storage refuses them all."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import attrs

from ghjobs_async.errors import TransportError
from ghjobs_async.logs.continuity import ChangedError
from ghjobs_async.logs.slots import Slots
from ghjobs_async.logs.storage_answers import NoBlobError
from ghjobs_async.transport.retries import Tries


@attrs.define(eq=False)
class Storage:
    """
    The storage, as all downloads of one client know it.

    Args:
        slots: How many logs are read at once.

    Attributes:
        slots: The download slots.
        turn: Held by the download that finds out whether fresh links help.
        accepted: How many times a link was accepted.
        blocked: Whether a download was refused to its last retry, and no link was accepted since.
    """

    slots: Slots = attrs.field(converter=Slots)
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    accepted: int = 0
    blocked: bool = False

    def opening(self) -> Opening:
        """Return an opening of a log, to be entered with ``async with`` while it is tried."""
        return Opening(self, self.accepted)


@attrs.define(eq=False)
class Opening:
    """
    The tries to open one log.

    A refusal may pass, so a fresh link is tried. Where a firewall blocks the storage, no link helps,
    and every log would use up its retries. So one download at a time tries fresh links, the others
    wait for its result, and once it gives up, each refusal is an error until a link is accepted.
    """

    _storage: Storage
    # How many links had been accepted when the current try began.
    _accepted: int
    _has_turn: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end_turn()
        if exc is None or isinstance(exc, (ChangedError, NoBlobError)):
            self._storage.accepted += 1
            self._storage.blocked = False

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._storage.turn.release()

    async def refused(self, error: TransportError, tries: Tries) -> None:
        """
        Wait before the next try.

        Args:
            error: The refusal.
            tries: Those of the download.

        Raises:
            TransportError: *error*, where no other try is due.
        """
        storage = self._storage
        if not self._has_turn:
            self._has_turn = await storage.turn.acquire()
        if storage.accepted != self._accepted:
            # Other links are accepted, so nobody has to wait for this log.
            self._end_turn()
            self._accepted = storage.accepted
        elif storage.blocked:
            raise error
        try:
            await tries.failed(error)
        except TransportError:
            storage.blocked = storage.blocked or self._has_turn
            raise
