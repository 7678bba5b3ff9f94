"""The whole site: the API and the storage over one world, as a function of a request."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ghjobs_async.testing.server.messages import Answer, Call
from ghjobs_async.testing.site.api import Api
from ghjobs_async.testing.site.apps import Apps
from ghjobs_async.testing.site.budget import Budget
from ghjobs_async.testing.site.storage import Storage
from ghjobs_async.testing.world.times import http_date, iso
from ghjobs_async.testing.world.world import World


@attrs.frozen
class Site:
    """Everything that answers a request, and everything that a fault may need."""

    clock: Callable[[], float]
    world: World
    budget: Budget
    apps: Apps
    storage: Storage
    api: Api

    def now(self) -> str:
        """Give the current time as GitHub writes it."""
        return iso(int(self.clock()))

    def answer(self, call: Call) -> Answer:
        """Answer a request without any fault."""
        return (self.storage if call.asked.origin == "storage" else self.api).answer(call)

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Add what every answer of its origin has."""
        if call.asked.origin == "storage":
            answer.encoded = True
            answer.headers.setdefault("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
        else:
            answer = self.api.finish(call, answer)
            answer.headers.setdefault("Server", "github.com")
        answer.headers.setdefault("Date", http_date(int(self.clock())))
        return answer
