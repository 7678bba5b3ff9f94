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
        turn: Held by the download that tries a fresh link after a refusal.
        accepted: How many links were accepted.
        refused: How many fresh links were refused since, one after the other.
    """

    slots: Slots = attrs.field(converter=Slots)
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    accepted: int = 0
    refused: int = 0

    def opening(self) -> Opening:
        """Return an opening of a log, to be entered with ``async with`` while it is tried."""
        return Opening(self, self.accepted)


@attrs.define(eq=False)
class Opening:
    """
    The tries to open one log.

    A refusal may pass, so a fresh link is tried. Where a firewall blocks the storage, no link helps,
    and every log would use up its retries. So one log after the other tries a fresh link, while the
    rest wait. All count together: after as many refusals in a row as one log has retries, each further
    refusal is an error at once, until a link is accepted.
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
            self._storage.refused = 0

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._storage.turn.release()

    async def refused(self, error: TransportError, tries: Tries) -> None:
        """
        Wait before the next try.

        Args:
            error: The refusal.
            tries: Those of this log; they go on from where other logs were refused last.

        Raises:
            TransportError: *error*, where no other try is due.
        """
        storage = self._storage
        if self._has_turn and storage.accepted == self._accepted:
            storage.refused = tries.failures
        self._end_turn()
        self._has_turn = await storage.turn.acquire()
        if storage.accepted == self._accepted:
            tries.failures = max(tries.failures, storage.refused)
        else:
            # Other links were accepted meanwhile: nobody has to wait for this one.
            self._end_turn()
            self._accepted = storage.accepted
        await tries.failed(error)
