"""What was asked: every request in order, how many there were, and how many at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from ghjobs_async.testing.answers import Asked, Origin


def _zeros() -> dict[Origin, int]:
    return {"api": 0, "storage": 0}


@attrs.define
class Ledger:
    """
    Keeps the books.

    Attributes:
        keep: Whether `requests` is filled.

        requests: Everything asked, in order.

        counts: How many requests came to each origin.

        in_flight, most_in_flight: How many are being answered, now and at most.
    """

    keep: bool = True
    requests: list[Asked] = attrs.field(factory=list)
    counts: dict[Origin, int] = attrs.field(factory=_zeros)
    in_flight: dict[Origin, int] = attrs.field(factory=_zeros)
    most_in_flight: dict[Origin, int] = attrs.field(factory=_zeros)
    _waiting: list[tuple[int, Origin, asyncio.Future[None]]] = attrs.field(factory=list)

    def clear(self) -> None:
        """Start afresh; what is in flight stays so."""
        self.requests.clear()
        self.counts = _zeros()
        self.most_in_flight = dict(self.in_flight)

    def arrived(self, asked: Asked) -> None:
        """Enter one request."""
        origin = asked.origin
        self.counts[origin] += 1
        if self.keep:
            self.requests.append(asked)
        self.in_flight[origin] += 1
        self.most_in_flight[origin] = max(self.most_in_flight[origin], self.in_flight[origin])
        if self._waiting:
            self._tell(origin)

    def left(self, origin: Origin) -> None:
        """Note that one request has been answered, or given up."""
        self.in_flight[origin] -= 1

    async def wait(self, count: int, origin: Origin) -> None:
        """Wait until *count* requests have come to *origin*."""
        if self.counts[origin] < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((count, origin, future))
            await future

    def _tell(self, origin: Origin) -> None:
        for entry in list(self._waiting):
            count, wanted, future = entry
            if wanted == origin and self.counts[origin] >= count:
                self._waiting.remove(entry)
                if not future.done():
                    future.set_result(None)
