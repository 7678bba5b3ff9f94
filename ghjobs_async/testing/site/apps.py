"""GitHub Apps: installations, and the tokens minted for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from ghjobs_async.testing.world.payloads import API
from ghjobs_async.testing.world.times import iso

FIRST_INSTALLATION: Final = 50_000_001


@attrs.define
class Minted:
    """An installation token."""

    expires: int
    refusals_left: int = 0


@attrs.define
class Apps:
    """
    Mints installation tokens, and knows which of them are valid.

    Attributes:
        lifetime: How long a token is valid, in seconds.
        fresh_refusals: How often each new token is first answered 401, as on GitHub.
    """

    clock: Callable[[], float]
    lifetime: int = 3600
    fresh_refusals: int = 0
    minted: dict[str, Minted] = attrs.field(factory=dict)
    _owners: dict[str, int] = attrs.field(factory=dict)

    def is_app(self, authorization: str) -> bool:
        """Whether a header has what looks like a JSON web token; it is not verified."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and token.count(".") == 2

    def installation_of(self, repo: str) -> int:
        """Give the number of the installation of a repository's owner."""
        owner = repo.partition("/")[0].lower()
        return self._owners.setdefault(owner, FIRST_INSTALLATION + len(self._owners))

    def installation(self, number: int) -> dict[str, object]:
        """Make the JSON object of an installation."""
        owner = next((owner for owner, n in self._owners.items() if n == number), "octo-org")
        return {
            "id": number,
            "app_id": 1,
            "app_slug": "octo-app",
            "target_type": "Organization",
            "account": {"login": owner, "id": number, "type": "Organization"},
            "repository_selection": "all",
            "access_tokens_url": f"{API}/app/installations/{number}/access_tokens",
            "permissions": {"actions": "read", "metadata": "read"},
            "events": [],
        }

    def mint(self) -> dict[str, object]:
        """Make a token; give the JSON object of the answer."""
        token = f"ghs_{len(self.minted) + 1:036}"
        expires = int(self.clock()) + self.lifetime
        self.minted[token] = Minted(expires, self.fresh_refusals)
        return {
            "token": token,
            "expires_at": iso(expires),
            "permissions": {"actions": "read", "metadata": "read"},
            "repository_selection": "all",
        }

    def accepts(self, token: str) -> bool:
        """Whether a token is neither expired nor too new."""
        minted = self.minted.get(token)
        if minted is None:
            return True
        if self.clock() >= minted.expires:
            return False
        if minted.refusals_left > 0:
            minted.refusals_left -= 1
            return False
        return True
