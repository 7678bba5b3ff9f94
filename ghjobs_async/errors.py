"""
The error tree. Data stands in attributes, never only in the text; no text holds a secret.

Every error can be pickled, so it can come back from another process whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import attrs

# How much of a caller's value, and of a server's words, an error's text holds.
_MAX_SHOWN = 80
_MAX_WORDS = 300


@attrs.frozen
class Undecodable:
    """An item of a list that could not be decoded, and why."""

    #: Where in the answer, for example ``jobs[3].id``.
    path: str
    reason: str
    #: What stands there: the offending value, or the object that lacks a required field.
    raw: object = attrs.field(hash=False)


def _rebuild(cls: type[GHJobsError], state: dict[str, object], text: str) -> GHJobsError:
    error = cls.__new__(cls, text)
    error.__dict__.update(state)
    return error


def shown(value: object) -> str:
    """A value as an error may show it: short, and of an address neither credentials nor query."""
    text = repr(value)
    if "//" in text:
        text = re.sub(r"//[^/\s]*@", "//...@", text)
        text = re.sub(r"[?#].*", "?...'", text)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def one_line(text: str) -> str:
    """Return a server's words on one line, without control characters, 300 characters at most."""
    if len(text) <= _MAX_WORDS and text.isprintable() and "  " not in text:
        return text.strip()
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())
    return flat if len(flat) <= _MAX_WORDS else flat[: _MAX_WORDS - 3] + "..."


class GHJobsError(Exception):
    """The root of every error this library raises on purpose."""

    def __reduce__(
        self,
    ) -> tuple[Callable[..., GHJobsError], tuple[type[GHJobsError], dict[str, object], str]]:
        return _rebuild, (type(self), self.__dict__.copy(), str(self))


class ConfigurationError(GHJobsError):
    """Something given to this library cannot be right: raised before any request."""


class TransportError(GHJobsError):
    """
    No usable answer came; the cause is chained.

    Attributes:
        method, url: What was asked; the URL without its query where that is a secret.

        request_id: GitHub's id of the request, where it sent one.

        retryable: Whether asking again may help.

        retry_after: In how many seconds the server wants to be asked again, where it says so.
    """

    retry_after: float | None = None

    def __init__(
        self,
        text: str,
        *,
        method: str = "GET",
        url: str = "",
        request_id: str | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(text)
        self.method = method
        self.url = url
        self.request_id = request_id
        self.retryable = retryable


class RequestTimeoutError(TransportError):
    """A connect, a read or the whole request took longer than its timeout."""


class ResponseError(GHJobsError):
    """
    The server answered with an error.

    Attributes:
        status: The HTTP status.

        method, url: What was asked; the URL without its query where that is a secret.

        request_id: GitHub's id of the request, to name in a support ticket.

        message, documentation_url: What the answer itself says.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        method: str = "GET",
        url: str = "",
        request_id: str | None = None,
        message: str | None = None,
        documentation_url: str | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.method = method
        self.url = url
        self.request_id = request_id
        self.message = message
        self.documentation_url = documentation_url


class AuthError(ResponseError):
    """401: the token is wrong, expired or revoked."""


class ForbiddenError(ResponseError):
    """403: the token may not do this; its text gives GitHub's own hint."""


class NotFoundError(ResponseError):
    """404: no such thing, or the token cannot see it."""


class ServerError(ResponseError):
    """
    5xx, after as many retries as were allowed.

    Attributes:
        retry_after: In how many seconds the server wants to be asked again, where it says so.
    """

    retryable = True
    retry_after: float | None = None


class ApiVersionError(ResponseError):
    """400 or 410: this server does not know the ``X-GitHub-Api-Version`` that was sent."""


class RateLimitError(ResponseError):
    """
    A rate limit was hit, and the wait is longer than ``max_wait`` (or the server keeps refusing).

    Attributes:
        scope: ``"primary"`` (the hourly budget) or ``"secondary"`` (too much at once).

        retry_at: When the server will answer again, as an aware datetime.
    """

    def __init__(self, text: str, *, scope: str, retry_at: datetime, **kwargs: object) -> None:
        super().__init__(text, **kwargs)  # type: ignore[arg-type]
        self.scope = scope
        self.retry_at = retry_at


class LogUnavailableError(GHJobsError):
    """
    There is no log to give.

    Attributes:
        reason: ``"not_ready"`` (ask again later), ``"expired"`` (past its retention),
            ``"deleted"``, or ``"never_ran"`` (no runner took the job).
    """

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class LogTruncatedError(GHJobsError):
    """
    A log broke off, was resumed as often as allowed, and is still short.

    Attributes:
        expected: How many bytes there should be, where the server said so.

        received: How many bytes had come, exactly.
    """

    def __init__(self, text: str, *, expected: int | None, received: int) -> None:
        super().__init__(text)
        self.expected = expected
        self.received = received


class DecodeError(GHJobsError):
    """
    An answer is JSON, but not of the documented shape.

    Attributes:
        problems: What did not fit: path, reason and raw value.

        method, url, request_id: What was asked.
    """

    def __init__(
        self,
        text: str,
        *,
        problems: tuple[Undecodable, ...] = (),
        method: str = "GET",
        url: str = "",
        request_id: str | None = None,
    ) -> None:
        super().__init__(text)
        self.problems = problems
        self.method = method
        self.url = url
        self.request_id = request_id
