"""
The errors. Their data is in attributes too, not only in the text; no text contains a secret.

Every error can be pickled, so that it can come back from another process.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypedDict, Unpack

import attrs

# How many characters of a caller's value, and of a server's message, an error's text contains.
_MAX_SHOWN = 80
_MAX_MESSAGE = 300
# How much of a longer message is read, before blanks and control characters are removed.
_MAX_READ = 2000
# A token or a private key (also in base64) that was passed as another argument.
_SECRET = re.compile(r"(gh[a-z]_|github_pat_)\w+|(?:-----BEGIN|LS0tLS1CRUdJTi).*")


@attrs.frozen
class Undecodable:
    """An item of a list that could not be decoded, and why."""

    #: Where in the answer, for example ``jobs[3].id``.
    path: str
    reason: str
    #: The value that is wrong, or the object that lacks a required field.
    raw: object = attrs.field(hash=False)


def shown(value: object) -> str:
    """Return a value as an error may show it: short, without a token, key, or URL's secrets."""
    text = _SECRET.sub(r"\1...", repr(value))
    if "//" in text:
        text = re.sub(r"//[^/\s]*@", "//...@", text)
        text = re.sub(r"[?#].*", "?...'", text)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def one_line(text: str, limit: int = _MAX_MESSAGE) -> str:
    """Return an untrusted text on one line, at most *limit* long, without control characters."""
    if len(text) <= limit and text.isprintable() and "  " not in text:
        return text.strip()
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[:_MAX_READ]).split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


class GHJobsError(Exception):
    """The base class of every error that this library raises on purpose."""

    # Whether the retries were used up, so that no outer retry starts over.
    given_up = False

    def __reduce__(self) -> tuple[object, ...]:
        # Without a call of __init__, which takes more than the text.
        return type(self).__new__, (type(self), str(self)), self.__dict__.copy()


class ConfigurationError(GHJobsError):
    """An argument or a setting is invalid; raised before any request."""


class _Request(TypedDict, total=False):
    method: str
    url: str
    request_id: str | None


class _RequestError(GHJobsError):
    """An error that belongs to a request."""

    def __init__(
        self, text: str, *, method: str = "GET", url: str = "", request_id: str | None = None
    ) -> None:
        super().__init__(text)
        self.method = method
        self.url = url
        self.request_id = request_id


class TransportError(_RequestError):
    """
    No usable answer came; the cause is chained.

    Attributes:
        method, url: The request; the URL without its query where that is a secret.
        request_id: GitHub's id of the request, where it sent one.
        retryable: Whether sending the request again may help.
        retry_after: After how many seconds to send the request again, where the server says so.
    """

    retry_after: float | None = None

    def __init__(self, text: str, *, retryable: bool = True, **request: Unpack[_Request]) -> None:
        super().__init__(text, **request)
        self.retryable = retryable


class RequestTimeoutError(TransportError):
    """A connect, a read or the whole request took longer than its timeout."""


class ResponseError(_RequestError):
    """
    The server answered with an error.

    Attributes:
        status: The HTTP status.
        method, url: The request; the URL without its query where that is a secret.
        request_id: GitHub's id of the request, for a support ticket.
        message, documentation_url: The fields of the answer, where it has them.
        server_time: The server's clock when it answered, as an aware datetime, where it said so.
        hint: What the caller can do about it, where that is known; the text contains it.
    """

    server_time: datetime | None = None
    hint: str = ""

    def __init__(
        self,
        text: str,
        *,
        status: int,
        message: str | None = None,
        documentation_url: str | None = None,
        **request: Unpack[_Request],
    ) -> None:
        super().__init__(text, **request)
        self.status = status
        self.message = message
        self.documentation_url = documentation_url


class AuthError(ResponseError):
    """401: the token is wrong, expired or revoked."""


class ForbiddenError(ResponseError):
    """403: the token may not do this; the text contains GitHub's own hint."""


class NotFoundError(ResponseError):
    """404: it does not exist, or the token cannot see it."""


class ServerError(ResponseError):
    """
    5xx, after as many retries as are allowed.

    Attributes:
        retry_after: After how many seconds to send the request again, where the server says so.
    """

    retryable = True
    retry_after: float | None = None


class ApiVersionError(ResponseError):
    """400 or 410: this server does not know the ``X-GitHub-Api-Version`` that was sent."""


class RateLimitError(ResponseError):
    """
    A rate limit was hit, and the wait is longer than ``max_wait`` (or the limit persists).

    Attributes:
        status: The HTTP status; None where the limit was known and the request was not sent.
        scope: ``"primary"`` (the hourly budget) or ``"secondary"`` (too much at once).
        retry_at: When the server will answer again, as an aware datetime.
    """

    status: int | None  # type: ignore[assignment]  # only here there may be no answer

    def __init__(
        self, text: str, *, status: int | None, scope: str, retry_at: datetime, **kwargs: object
    ) -> None:
        super().__init__(text, status=status, **kwargs)  # type: ignore[arg-type]
        self.scope = scope
        self.retry_at = retry_at


class LogUnavailableError(GHJobsError):
    """
    The job has no log.

    Attributes:
        reason: ``"not_ready"`` (try again later), ``"expired"`` (past its retention),
            ``"deleted"``, ``"never_ran"`` (no runner took the job), or ``"lost"`` (the job completed
            long ago, but its runner never uploaded the log).
    """

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class LogTruncatedError(GHJobsError):
    """
    A log is still incomplete after as many resumes of its download as are allowed.

    Attributes:
        expected: The size of the log in bytes, where the server reported it.
        received: The exact number of bytes received.
    """

    def __init__(self, text: str, *, expected: int | None, received: int) -> None:
        super().__init__(text)
        self.expected = expected
        self.received = received


class DecodeError(_RequestError):
    """
    An answer is JSON, but does not have the documented shape.

    Attributes:
        problems: What is wrong: path, reason and raw value.
        method, url, request_id: The request.
    """

    def __init__(
        self, text: str, *, problems: tuple[Undecodable, ...] = (), **request: Unpack[_Request]
    ) -> None:
        super().__init__(text, **request)
        self.problems = problems
