"""What the API knows about a credential: its rate limit, and whether a minted token is valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Final

import attrs

from ghjobs_async.testing.world.payloads import API, iso

_WINDOW_SECONDS: Final = 3600
_FIRST_INSTALLATION: Final = 50_000_001
_GRANTED: Final = {
    "permissions": {"actions": "read", "metadata": "read"},
    "repository_selection": "all",
}


def limit_headers(limit: int, used: int, reset: int) -> dict[str, str]:
    """Make the headers that say how much of a limit is left."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(limit - used),
        "X-RateLimit-Reset": str(reset),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Resource": "core",
    }


@attrs.define
class Window:
    """One hour of one credential."""

    reset: int
    used: int = 0


@attrs.define
class Budget:
    """Counts each credential's requests against the primary rate limit."""

    clock: Callable[[], float]
    #: How many are allowed in an hour; None for no limit, as on GHES.
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
        window = self.window(credential)
        if self.limit is not None and window.used >= self.limit:
            return False
        window.used += 1
        return True

    def refund(self, credential: str) -> None:
        """Take back one request, since a 304 costs nothing."""
        window = self.window(credential)
        window.used = max(0, window.used - 1)

    def headers(self, credential: str) -> dict[str, str]:
        """Give the headers that say how much is left."""
        if self.limit is None:
            return {}
        window = self.window(credential)
        return limit_headers(self.limit, window.used, window.reset)


@attrs.define
class Apps:
    """Mints the installation tokens of GitHub Apps, and knows which of them are valid."""

    clock: Callable[[], float]
    #: How long a token is valid, in seconds.
    lifetime: int = 3600
    #: How often each new token is first answered 401, as on GitHub.
    fresh_refusals: int = 0
    #: When each token expires.
    minted: dict[str, int] = attrs.field(factory=dict)
    _refusals_left: Counter[str] = attrs.field(factory=Counter)
    _owners: dict[str, int] = attrs.field(factory=dict)

    def installation(self, repo: str) -> dict[str, object]:
        """Make the JSON object of the installation of a repository's owner."""
        owner = repo.partition("/")[0].lower()
        number = self._owners.setdefault(owner, _FIRST_INSTALLATION + len(self._owners))
        return {
            "id": number,
            "app_id": 1,
            "app_slug": "octo-app",
            "target_type": "Organization",
            "account": {"login": owner, "id": number, "type": "Organization"},
            **_GRANTED,
            "access_tokens_url": f"{API}/app/installations/{number}/access_tokens",
            "events": [],
        }

    def mint(self) -> dict[str, object]:
        """Make a token; give the JSON object of the answer."""
        token = f"ghs_{len(self.minted) + 1:036}"
        expires = int(self.clock()) + self.lifetime
        self.minted[token] = expires
        self._refusals_left[token] = self.fresh_refusals
        return {"token": token, "expires_at": iso(expires), **_GRANTED}

    def accepts(self, token: str) -> bool:
        """Whether a token is neither expired nor too new."""
        if self.clock() >= self.minted.get(token, inf):
            return False
        fresh = self._refusals_left[token] > 0
        self._refusals_left[token] -= fresh
        return not fresh
