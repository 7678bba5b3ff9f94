"""The primary rate limit: so many requests an hour for each credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS: Final = 3600


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
        limit: How many are allowed in a window; None for no limit at all, as on GHES.

        window_seconds: How long a window lasts.
    """

    clock: Callable[[], float]
    limit: int | None = 5000
    window_seconds: int = WINDOW_SECONDS
    windows: dict[str, Window] = attrs.field(factory=dict)

    def window(self, credential: str) -> Window:
        """Give the window that a credential is in now."""
        window = self.windows.get(credential)
        now = self.clock()
        if window is None or now >= window.reset:
            window = self.windows[credential] = Window(int(now) + self.window_seconds)
        return window

    def spend(self, credential: str) -> bool:
        """Count one request; False where none was left."""
        if self.limit is None:
            return True
        window = self.window(credential)
        if window.used >= self.limit:
            return False
        window.used += 1
        return True

    def refund(self, credential: str) -> None:
        """Take one request back: a 304 costs nothing."""
        if self.limit is not None:
            window = self.window(credential)
            window.used = max(0, window.used - 1)

    def exhaust(self, *, reset_in: int | None = None) -> None:
        """Leave nothing to any credential seen so far (and to none without one)."""
        if self.limit is None:
            raise ValueError("there is no limit to exhaust: rate_limit is None")
        for credential in {*self.windows, ""}:
            window = self.window(credential)
            window.used = self.limit
            if reset_in is not None:
                window.reset = int(self.clock()) + reset_in

    def headers(self, credential: str) -> dict[str, str]:
        """Give the headers that tell how much is left."""
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
