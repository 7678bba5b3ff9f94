"""The state that the downloads of one client share: slots, and refusals by the storage."""

from __future__ import annotations

import asyncio
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
    The shared state of all downloads of one client.

    Attributes:
        turn: Held by the download that tries a fresh link after a refusal.
        accepted: How many links were accepted.
        refused: How many fresh links in a row were refused since then.
    """

    slots: Slots = attrs.field(converter=Slots)
    turn: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    accepted: int = 0
    refused: int = 0

    def opening(self) -> Opening:
        """Return the `Opening` of one log, which is entered with ``async with``."""
        return Opening(self, self.accepted)


@attrs.define(eq=False)
class Opening:
    """
    The tries to open one log.

    After a refusal, a fresh link may help. Where a firewall blocks the storage, no link helps, and
    every log would use up its retries. So only one log at a time tries a fresh link, and all count
    their refusals together: after as many in a row as one log has retries, each further refusal is an
    error at once, until a link is accepted.
    """

    _storage: Storage
    # How many links had been accepted when the current try began.
    _accepted: int
    _has_turn: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _: object, exc: BaseException | None, __: object) -> None:
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
        Wait before the next try: *tries* of this log, to which the refusals of other logs are added.

        Raises:
            TransportError: *error*, where there is no other try.
        """
        storage = self._storage
        if self._has_turn and storage.accepted == self._accepted:
            storage.refused = tries.failures
        self._end_turn()
        self._has_turn = await storage.turn.acquire()
        if storage.accepted == self._accepted:
            tries.failures = max(tries.failures, storage.refused)
        else:
            # Other links were accepted meanwhile, so the other logs need not wait for this one.
            self._end_turn()
            self._accepted = storage.accepted
        await tries.failed(error)
