"""
Credentials: a token, a GitHub App's installation tokens, or one of these per repository owner.

Minting a token asks the API; how that is done is passed in, so nothing here knows of a network.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias, TypeVar, runtime_checkable

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import InstallationToken, RateLimit
from ghjobs_async.refs import check_id, check_repo
from ghjobs_async.transport.budget import Budget
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import create_installation_token, get_installation

T = TypeVar("T")

# An App's JWT may live ten minutes; a minute on each side tolerates clocks that disagree.
# https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
_JWT_BEFORE: Final = 60
_JWT_LIFE: Final = 540
# An installation token lives an hour and is renewed this long before it ends.
_RENEW_BEFORE: Final = 300.0


class Ask(Protocol):
    """Send a request with this ``Authorization`` instead of the credential's own."""

    async def __call__(self, request: Request[T], authorization: str) -> T:
        """Send it and return the value."""
        ...


@runtime_checkable
class Auth(Protocol):
    """A source of the ``Authorization`` header: `TokenAuth`, `AppAuth`, or an object of your own."""

    async def header(self, ask: Ask, clock: Clock) -> str:
        """Return the header's value."""
        ...

    def refused(self, header: str) -> bool:
        """Take note of a 401 for *header*; return whether asking once more may help."""
        ...


def _bearer(token: object, source: str) -> str:
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,4096}", token):
        raise ConfigurationError(
            f"{source} is not a token: it is empty, or holds spaces, line ends or other characters "
            "that no token has"
        )
    return f"Bearer {token}"


class TokenAuth:
    """
    One token, or an async callable that gives one.

    A callable is asked before every request, so a token may change while the client lives; it
    should answer at once from memory while the token is good.

    Raises:
        ConfigurationError: The token is empty or holds characters that no token has.
    """

    def __init__(self, token: str | Callable[[], Awaitable[str]], *, source: str = "this") -> None:
        self._get = token if callable(token) else None
        self._header = "" if callable(token) else _bearer(token, source)

    async def header(self, ask: Ask, clock: Clock) -> str:  # noqa: ARG002
        """Return the header's value."""
        if self._get is not None:
            return _bearer(await self._get(), "what the token callable gave")
        return self._header

    def refused(self, header: str) -> bool:  # noqa: ARG002
        """Return whether there may be another token by now: only a callable can have one."""
        return self._get is not None

    def __repr__(self) -> str:
        return "TokenAuth(...)"


class AppAuth:
    """
    A GitHub App: installation tokens, minted when first needed and renewed before they end.

    However many tasks wait for a token, it is minted once. Needs the extra ``app``.
    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app

    Args:
        app_id: The App's id, or its client id.
        private_key: The App's private key, PEM text.
        installation_id: The id of the installation. Leave it out where *repository* is given.
        repository: A repository, ``"owner/name"``, whose installation is looked up.

    Raises:
        ConfigurationError: Both or neither of *installation_id* and *repository* are given, the key cannot be read, or
            the extra is not installed.
    """

    def __init__(
        self,
        app_id: int | str,
        private_key: str | bytes,
        installation_id: int | str | None = None,
        *,
        repository: str | None = None,
    ) -> None:
        if (installation_id is None) == (repository is None):
            raise ConfigurationError("AppAuth takes either installation_id or repository")
        self._installation_id: int | None = None
        if installation_id is not None:
            self._installation_id = check_id(installation_id, "an installation's id")
        if repository is not None:
            check_repo(repository)
        self._app_id = str(app_id)
        self._key = _load_key(private_key)
        self._repository = repository
        self._minting = asyncio.Lock()
        self._token: InstallationToken | None = None

    async def header(self, ask: Ask, clock: Clock) -> str:
        """Return the header's value, minted by *ask* where there is no token that lasts."""
        async with self._minting:
            token = self._token
            if token is None or token.expires_at.timestamp() - _RENEW_BEFORE <= clock.now():
                token = self._token = await self._mint(ask, clock)
        return _bearer(token.token, "what GitHub gave")

    async def _mint(self, ask: Ask, clock: Clock) -> InstallationToken:
        jwt = self._jwt(clock.now())
        if self._installation_id is None:
            assert self._repository is not None
            self._installation_id = await ask(get_installation(self._repository), jwt)
        return await ask(create_installation_token(self._installation_id), jwt)

    def _jwt(self, now: float) -> str:
        import jwt  # noqa: PLC0415 -- the extra `app`

        claims = {"iat": int(now) - _JWT_BEFORE, "exp": int(now) + _JWT_LIFE, "iss": self._app_id}
        return f"Bearer {jwt.encode(claims, self._key, algorithm='RS256')}"

    def refused(self, header: str) -> bool:
        """Drop the refused token. A fresh one may be refused for a moment, so one replay may help."""
        if self._token is not None and header == f"Bearer {self._token.token}":
            self._token = None
        return True

    def __repr__(self) -> str:
        return f"AppAuth(app_id={self._app_id!r}, ...)"


def _load_key(private_key: str | bytes) -> bytes:
    try:
        import jwt  # noqa: PLC0415 -- the extra `app`
    except ImportError:
        raise ConfigurationError(
            "AppAuth needs the extra 'app': pip install 'ghjobs-async[app]'"
        ) from None
    key = private_key.encode() if isinstance(private_key, str) else private_key
    try:
        jwt.encode({}, key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise ConfigurationError(
            "private_key is not an RSA key in PEM text (-----BEGIN RSA PRIVATE KEY-----)"
        ) from None
    return key


AuthLike: TypeAlias = str | Auth | None
#: The first argument of `GitHubJobs`: one credential for all, or one per repository owner.
AuthSource: TypeAlias = AuthLike | Callable[[str], AuthLike | Awaitable[AuthLike]]


def as_auth(given: object, source: str = "this") -> Auth | None:
    """
    Return the auth object for a token, an auth object or None.

    Raises:
        ConfigurationError: It is none of these.
    """
    if given is None or isinstance(given, Auth):
        return given
    if isinstance(given, str):
        return TokenAuth(given, source=source)
    raise ConfigurationError(
        f"a token is a text, an auth object or None, not of type {type(given).__name__}"
    )


@attrs.define(eq=False)
class Credential:
    """One credential and what is known of its limits."""

    auth: Auth | None
    budget: Budget


class CredentialStore:
    """
    Selects the credential of a request by the repository's owner, and keeps limits for each.

    Args:
        given: The client's first argument.
        requests_per_minute: The pace of each credential, or None.
    """

    def __init__(self, given: AuthSource, requests_per_minute: float | None) -> None:
        self._choose = given if callable(given) and not isinstance(given, Auth) else None
        self._pace = requests_per_minute
        # By token for tokens, by object for all others: two owners with one token share its limits.
        self._known: dict[object, Credential] = {}
        self._by_owner: dict[str, Credential] = {}
        self._choosing = asyncio.Lock()
        self._only = None if self._choose else self._make(given)

    async def get(self, owner: str) -> Credential:
        """Return the credential for *owner* (names are not case sensitive)."""
        if self._only is not None:
            return self._only
        key = owner.lower()
        async with self._choosing:
            if key not in self._by_owner:
                assert self._choose is not None
                chosen = self._choose(owner)
                if inspect.isawaitable(chosen):
                    chosen = await chosen
                self._by_owner[key] = self._make(chosen)
            return self._by_owner[key]

    def rate_limit(self, now: float) -> RateLimit | None:
        """Return what is left of the credential with the least left; None where nothing is known."""
        known = [
            RateLimit(budget.limit, left[0], datetime.fromtimestamp(left[1], UTC))
            for budget in (credential.budget for credential in self._known.values())
            if (left := budget.left(now)) is not None
        ]
        return min(known, key=lambda limit: limit.remaining, default=None)

    def _make(self, given: object) -> Credential:
        key = given if given is None or isinstance(given, str) else id(given)
        if key not in self._known:
            self._known[key] = Credential(as_auth(given), Budget(self._pace))
        return self._known[key]
