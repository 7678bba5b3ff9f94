"""Count what a client does, and give the counts as a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from ghjobs_async.models import RateLimit


@attrs.frozen
class Stats:
    """
    What a client has done so far.

    Attributes:
        requests: How many answers of the API had each status.
        bytes: How many bytes of answers and logs were received, before unpacking.
        retries: How many retries there were after failures.
        waits: How many waits for limits and retries were reported to ``on_wait``.
        seconds_waited: The total length of these waits.
        downloads: How many logs, or parts of logs, were opened.
        quota: What remains of each credential's hourly budget, where known. The keys are labels: a
            short hash of the token, or ``"anonymous"``.
    """

    requests: Mapping[int, int]
    bytes: int
    retries: int
    waits: int
    seconds_waited: float
    downloads: int
    quota: Mapping[str, RateLimit]

    @property
    def not_modified(self) -> int:
        """How many answers were a 304, which costs no hourly budget."""
        return self.requests.get(304, 0)


@attrs.define(eq=False)
class Counters:
    """The counters of one client."""

    requests: Counter[int] = attrs.field(factory=Counter)
    bytes: int = 0
    retries: int = 0
    waits: int = 0
    seconds_waited: float = 0.0
    downloads: int = 0

    def snapshot(self, quota: Mapping[str, RateLimit]) -> Stats:
        """Return the counts as they are now."""
        return Stats(
            requests=MappingProxyType(dict(sorted(self.requests.items()))),
            bytes=self.bytes,
            retries=self.retries,
            waits=self.waits,
            seconds_waited=self.seconds_waited,
            downloads=self.downloads,
            quota=MappingProxyType(dict(quota)),
        )
