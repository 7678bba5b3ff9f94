"""The primary rate limit: a number of requests an hour for each credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

_WINDOW_SECONDS: Final = 3600


@attrs.define
class Window:
    """One hour of one credential."""

    reset: int
    used: int = 0


@attrs.define
class Budget:
    """
    Counts requests.

    Attributes:
        limit: How many are allowed in an hour; None for no limit, as on GHES.
    """

    clock: Callable[[], float]
    limit: int | None = 5000
    _windows: dict[str, Window] = attrs.field(factory=dict)

    def window(self, credential: str) -> Window:
        """Give a credential's current window."""
        window = self._windows.get(credential)
        now = self.clock()
        if window is None or now >= window.reset:
            window = self._windows[credential] = Window(int(now) + _WINDOW_SECONDS)
        return window

    def spend(self, credential: str) -> bool:
        """Count one request; False if none was left."""
        if self.limit is None:
            return True
        window = self.window(credential)
        if window.used >= self.limit:
            return False
        window.used += 1
        return True

    def refund(self, credential: str) -> None:
        """Take one request back, since a 304 costs nothing."""
        if self.limit is not None:
            window = self.window(credential)
            window.used = max(0, window.used - 1)

    def headers(self, credential: str) -> dict[str, str]:
        """Give the headers that say how much is left."""
        if self.limit is None:
            return {}
        window = self.window(credential)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - window.used),
            "X-RateLimit-Reset": str(window.reset),
            "X-RateLimit-Used": str(window.used),
            "X-RateLimit-Resource": "core",
        }
