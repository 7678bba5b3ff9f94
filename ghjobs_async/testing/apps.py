"""GitHub Apps: installations, and the tokens minted for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.testing import payloads
from ghjobs_async.testing.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_INSTALLATION: Final = 50_000_001


@attrs.define
class Minted:
    """An installation token."""

    installation: int
    expires: int
    refusals_left: int = 0


@attrs.define
class Apps:
    """
    Mints installation tokens and knows which of them still hold.

    Attributes:
        lifetime: Seconds that a token lives.

        fresh_refusals: How often each token minted from now on is first answered 401.
    """

    clock: Callable[[], float]
    lifetime: int = 3600
    fresh_refusals: int = 0
    minted: dict[str, Minted] = attrs.field(factory=dict)
    revoked: set[str] = attrs.field(factory=set)
    _owners: dict[str, int] = attrs.field(factory=dict)

    def is_app(self, authorization: str) -> bool:
        """Whether a header carries what looks like a JSON web token; it is not verified."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and token.count(".") == 2

    def installation_of(self, repo: str) -> int:
        """Give the number of the installation on a repository's owner."""
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
            "access_tokens_url": f"{payloads.API}/app/installations/{number}/access_tokens",
            "permissions": {"actions": "read", "metadata": "read"},
            "events": [],
        }

    def mint(self, installation: int) -> dict[str, object]:
        """Make a token, and the JSON object that hands it out."""
        token = f"ghs_{len(self.minted) + 1:036}"
        expires = int(self.clock()) + self.lifetime
        self.minted[token] = Minted(installation, expires, self.fresh_refusals)
        return {
            "token": token,
            "expires_at": iso(expires),
            "permissions": {"actions": "read", "metadata": "read"},
            "repository_selection": "all",
        }

    def accepts(self, token: str) -> bool:
        """Whether a token is not known to be expired, revoked or too fresh."""
        if token in self.revoked:
            return False
        minted = self.minted.get(token)
        if minted is None:
            return True
        if self.clock() >= minted.expires:
            return False
        if minted.refusals_left > 0:
            minted.refusals_left -= 1
            return False
        return True
