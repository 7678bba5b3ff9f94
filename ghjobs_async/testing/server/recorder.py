"""What was asked: every request in order, how many there were, and how many at once."""

from __future__ import annotations

import asyncio

import attrs

from ghjobs_async.testing.server.messages import Asked, Origin


class Recorder:
    """
    Records requests.

    Attributes:
        requests: Everything asked, in order; empty unless *record* was set.
    """

    def __init__(self, *, record: bool) -> None:
        self.requests: list[Asked] = []
        self._record = record
        self._counts: dict[Origin, int] = {"api": 0, "storage": 0}
        self._in_flight = dict(self._counts)
        self._most_in_flight = dict(self._counts)
        self._waiting: list[tuple[int, Origin, asyncio.Future[None]]] = []

    def clear_requests(self) -> None:
        """Forget the requests, their number and the greatest number in flight."""
        self.requests.clear()
        self._counts = {"api": 0, "storage": 0}
        self._most_in_flight = dict(self._in_flight)

    def in_flight(self, origin: Origin = "api") -> int:
        """Give the number of requests in flight now."""
        return self._in_flight[origin]

    def most_in_flight(self, origin: Origin = "api") -> int:
        """Give the greatest number of requests in flight at once."""
        return self._most_in_flight[origin]

    def asked_count(self, origin: Origin = "api") -> int:
        """Give the number of requests, recorded or not."""
        return self._counts[origin]

    async def wait_asked(self, count: int, origin: Origin = "api") -> None:
        """
        Wait until *count* requests have come since the start (or `clear_requests`).

        This works only if the fake is served in the running event loop.
        """
        if self._counts[origin] < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((count, origin, future))
            await future

    def _arrived(self, asked: Asked, status: int) -> None:
        origin = asked.origin
        self._counts[origin] += 1
        if self._record:
            self.requests.append(attrs.evolve(asked, status=status))
        self._in_flight[origin] += 1
        self._most_in_flight[origin] = max(self._most_in_flight[origin], self._in_flight[origin])
        for entry in list(self._waiting):
            count, wanted, future = entry
            if wanted == origin and self._counts[origin] >= count:
                self._waiting.remove(entry)
                if not future.done():
                    future.set_result(None)

    def _left(self, origin: Origin) -> None:
        self._in_flight[origin] -= 1
