"""
Credentials: a token, an auth object, or one of these for each repository owner.

Each of them may call the caller's own code. Where that code uses the client that waits for it, the
client would wait for itself, so this is an error.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias, TypeVar, runtime_checkable

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import RateLimit
from ghjobs_async.transport.budget import Budget
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import is_token

T = TypeVar("T")

#: The label of a request without a token.
ANONYMOUS: Final = "anonymous"


def label_of(authorization: str) -> str:
    """
    Return a label of a credential that does not disclose it.

    The same token has the same label in every process, so ETags can be kept in a file.

    Args:
        authorization: The value of the ``Authorization`` header; empty for no token.
    """
    if not authorization:
        return ANONYMOUS
    return hashlib.blake2b(authorization.encode(), digest_size=8).hexdigest()


@attrs.define(eq=False)
class _Question:
    """A request to the caller's code for a credential, open until it is answered."""

    source: object
    is_open: bool = True


# The questions that the running code is answering; tasks that it starts inherit them.
_questions: Final[ContextVar[tuple[_Question, ...]]] = ContextVar("questions", default=())


@contextmanager
def _asking(source: object) -> Iterator[None]:
    """Mark the block as a question to *source*; refuse it within an answer of *source*."""
    above = tuple(question for question in _questions.get() if question.is_open)
    if any(question.source is source for question in above):
        raise ConfigurationError(
            "the code that gives the credentials uses the client that asks it for them: let it use "
            "a client of its own"
        )
    question = _Question(source)
    _questions.set((*above, question))
    try:
        yield
    finally:
        question.is_open = False
        _questions.set(above)


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
        """Handle a 401 for *header*; return whether another header may help."""
        ...


def _bearer(token: object, source: str) -> str:
    if not isinstance(token, str) or not is_token(token):
        raise ConfigurationError(
            f"{source} is not a token: it is empty, or holds spaces, line ends or other characters "
            "that no token has"
        )
    return f"Bearer {token}"


class TokenAuth:
    """
    One token, or an async callable that returns one.

    A callable is asked before every request, so a token may change while the client lives; it
    should answer at once from memory while the token is good. It must not use the client that it
    belongs to: that is a `ConfigurationError`.

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
        """Return whether there may be another token by now: only a callable can return one."""
        return self._get is not None

    def __repr__(self) -> str:
        return "TokenAuth(...)"


AuthLike: TypeAlias = str | Auth | None
#: The first argument of `GitHubJobs`: one credential for all, or one per repository owner.
AuthSource: TypeAlias = AuthLike | Callable[[str], AuthLike | Awaitable[AuthLike]]


def as_auth(given: object) -> Auth | None:
    """
    Return the auth object for a token, an auth object or None.

    Raises:
        ConfigurationError: It is none of these.
    """
    if given is None or isinstance(given, Auth):
        return given
    if isinstance(given, str):
        return TokenAuth(given)
    raise ConfigurationError(
        f"a token is a text, an auth object or None, not of type {type(given).__name__}"
    )


@attrs.define(eq=False)
class Credential:
    """
    One credential and its limits.

    Attributes:
        sent: The header that was last sent; empty for none.
    """

    auth: Auth | None
    budget: Budget
    sent: str = attrs.field(default="", init=False, repr=False)

    async def header(self, ask: Ask, clock: Clock) -> str | None:
        """
        Return the value of the ``Authorization`` header; None where there is no credential.

        Raises:
            ConfigurationError: The auth object's own code asks for this credential.
        """
        if self.auth is None:
            return None
        with _asking(self.auth):
            self.sent = await self.auth.header(ask, clock)
        return self.sent


class CredentialStore:
    """Selects the credential of a request by the repository's owner, and keeps limits for each."""

    def __init__(self, given: AuthSource, requests_per_minute: float | None) -> None:
        self._choose = given if callable(given) and not isinstance(given, Auth) else None
        self._pace = requests_per_minute
        # By token for tokens, by object for all others: two owners with one token share its limits.
        self._known: dict[object, Credential] = {}
        self._by_owner: dict[str, Credential] = {}
        self._choosing: dict[str, asyncio.Lock] = {}
        if self._choose is None:
            self._only = self._make(given)

    async def get(self, owner: str) -> Credential:
        """
        Return the credential for *owner* (names are not case sensitive).

        The callable is asked once for each owner; a slow answer delays no other owner.

        Raises:
            ConfigurationError: The callable itself asks for a credential, or gave none.
        """
        if self._choose is None:
            return self._only
        key = owner.lower()
        if key not in self._by_owner:
            with _asking(self):
                async with self._choosing.setdefault(key, asyncio.Lock()):
                    if key not in self._by_owner:
                        chosen = self._choose(owner)
                        if inspect.isawaitable(chosen):
                            chosen = await chosen
                        self._by_owner[key] = self._make(chosen)
            self._choosing.pop(key, None)
        return self._by_owner[key]

    def rate_limits(self, now: float) -> dict[str, RateLimit]:
        """Return the limits that are known, by the labels of the credentials."""
        return {
            label_of(credential.sent): RateLimit(
                credential.budget.limit, left[0], datetime.fromtimestamp(left[1], UTC)
            )
            for credential in self._known.values()
            if (left := credential.budget.left(now)) is not None
        }

    def _make(self, given: object) -> Credential:
        key = given if given is None or isinstance(given, str) else id(given)
        if key not in self._known:
            self._known[key] = Credential(as_auth(given), Budget(self._pace))
        return self._known[key]
