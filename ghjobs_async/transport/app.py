"""
A GitHub App's installation tokens.

Minting a token takes requests to the API; the function that sends them is passed in.
"""

from __future__ import annotations

import asyncio
import re
from copy import copy
from typing import Final, TypeVar

from ghjobs_async.clock import Clock
from ghjobs_async.errors import (
    AuthError,
    ConfigurationError,
    GHJobsError,
    NotFoundError,
    ResponseError,
    one_line,
)
from ghjobs_async.refs import check_id, check_repo
from ghjobs_async.transport.app_key import read_key
from ghjobs_async.transport.auth import Ask
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import create_installation_token, get_installation

T = TypeVar("T")

# An App's JWT may live ten minutes; a minute on each side tolerates clocks that disagree.
# https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
_JWT_BEFORE: Final = 60
_JWT_LIFE: Final = 540
# Clocks that differ by less than this cannot be why a JWT is refused.
_MIN_SKEW: Final = 30.0
# An installation token lives an hour. It is renewed this long before it ends, but not in the first
# half of its life.
_RENEW_BEFORE: Final = 300.0
# Where the clocks differ so much that a fresh token seems to have ended, it is still used for this
# long, so that not every request mints another one.
_MIN_USE: Final = 10.0
# A failed request for a token was already retried for some 8 s. For these seconds after it, every
# task gets the same error at once.
_FAIL_FOR: Final = 10.0
# What to check where GitHub refuses a request of the App itself.
_CHECK: Final[dict[type[GHJobsError], str]] = {
    AuthError: "GitHub does not accept the App's signature: check app_id, and that private_key is a key "
    "of that App",
    NotFoundError: "check app_id, and that the App is installed there",
}


class AppAuth:
    """
    A GitHub App: installation tokens, minted when first needed and renewed before they end.

    However many tasks wait for a token, it is minted once. A failure to mint it is raised in all
    of them, and for ten seconds in later ones. Where GitHub refuses the App because the clocks
    differ, GitHub's clock counts from then on. Needs the extra ``app``.
    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app

    Args:
        app_id: The App's id, or its client id.
        private_key: The App's private key: the content of its PEM file, also with a backslash and
            an n for its line ends, or in base64.
        installation_id: The id of the installation. Leave it out where *repository* is given.
        repository: A repository, ``"owner/name"``, whose installation is looked up.

    Raises:
        ConfigurationError: Both or neither of *installation_id* and *repository* are given, the key
            cannot be read, or the extra is not installed.
    """

    def __init__(
        self,
        app_id: int | str,
        private_key: str | bytes,
        installation_id: int | str | None = None,
        *,
        repository: str | None = None,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", str(app_id)):
            raise ConfigurationError("app_id is a GitHub App's id (a number) or its client id")
        if (installation_id is None) == (repository is None):
            raise ConfigurationError("AppAuth takes either installation_id or repository")
        self._installation_id: int | None = None
        if installation_id is not None:
            self._installation_id = check_id(installation_id, "an installation's id")
        if repository is not None:
            check_repo(repository)
        self._app_id = str(app_id)
        self._key = read_key(private_key)
        self._repository = repository
        self._loop: asyncio.AbstractEventLoop | None = None
        self._minting = asyncio.Lock()
        self._header = ""
        # By our clock, in epoch seconds.
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._failure: GHJobsError | None = None
        self._failed_at = 0.0
        # GitHub's clock minus ours, once a refusal has shown it.
        self._skew = 0.0

    async def header(self, ask: Ask, clock: Clock) -> str:
        """
        Return the header's value; mint a token with *ask* where there is none that lasts.

        The first task mints; if it is cancelled, the next one does.
        """
        async with self._turn():
            now = clock.now()
            # A clock that is set back must not make a failure last.
            failing = self._failure is not None and 0 <= now - self._failed_at < _FAIL_FOR
            if now >= self._renew_at and not failing:
                try:
                    await self._mint(ask, clock)
                except GHJobsError as error:
                    self._failed(error, clock.now())
            if clock.now() < self._ends_at or self._failure is None:
                return self._header
            failure = self._failure
        # One object for each task: a traceback belongs to one of them.
        raise copy(failure) from failure.__cause__

    def refused(self, header: str) -> bool:
        """Drop the refused token. A fresh one may be refused for a moment, so one replay may help."""
        if header == self._header:
            self._renew_at = self._ends_at = 0.0
        return True

    def __repr__(self) -> str:
        return f"AppAuth(app_id={self._app_id!r}, ...)"

    def _turn(self) -> asyncio.Lock:
        """Return the lock of this event loop: an App may serve several, one after another."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._minting = loop, asyncio.Lock()
        return self._minting

    async def _mint(self, ask: Ask, clock: Clock) -> None:
        if self._installation_id is None:
            assert self._repository is not None
            lookup = get_installation(self._repository)
            self._installation_id = await self._ask_signed(ask, clock, lookup)
        mint = create_installation_token(self._installation_id)
        token = await self._ask_signed(ask, clock, mint)
        now = clock.now()
        life = token.expires_at.timestamp() - now - self._skew
        self._header = f"Bearer {token.token}"
        self._renew_at = now + max(life - _RENEW_BEFORE, life / 2, _MIN_USE)
        self._ends_at = now + max(life, _MIN_USE)
        self._failure = None

    def _failed(self, error: GHJobsError, now: float) -> None:
        """Keep a failure for all tasks that wait, without the frames of its traceback."""
        self._failure = copy(error)
        self._failure.__cause__ = error.__cause__
        self._failed_at = now
        if isinstance(error, ResponseError) and (check := _CHECK.get(type(error))):
            said = f"{error.method} {error.url}: {error.status} {one_line(error.message or '')}"
            self._failure.args = (f"{said.rstrip()}; {check}",)

    async def _ask_signed(self, ask: Ask, clock: Clock, request: Request[T]) -> T:
        """Send a request as the App; sign it again where the clock may explain a refusal."""
        signed = clock.now()
        try:
            return await ask(request, self._sign(signed))
        except AuthError as error:
            now = clock.now()
            expired = now - signed >= _JWT_LIFE  # while the request waited for a limit
            if not self._learn_skew(error, now) and not expired:
                raise
        return await ask(request, self._sign(clock.now()))

    def _learn_skew(self, error: AuthError, now: float) -> bool:
        """Adopt the server's clock; return whether it differs from the one used to sign."""
        if error.server_time is None:
            return False
        skew = error.server_time.timestamp() - now
        if abs(skew - self._skew) < _MIN_SKEW:
            return False
        self._skew = skew
        return True

    def _sign(self, now: float) -> str:
        import jwt  # noqa: PLC0415 -- the extra `app`

        begin = int(now + self._skew)
        claims = {"iat": begin - _JWT_BEFORE, "exp": begin + _JWT_LIFE, "iss": self._app_id}
        return f"Bearer {jwt.encode(claims, self._key, algorithm='RS256')}"
