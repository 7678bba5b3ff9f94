"""What an answer means: a value, or the error to raise."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import attrs
import msgspec

from ghjobs_async.errors import (
    ApiVersionError,
    AuthError,
    DecodeError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    ResponseError,
    ServerError,
    TransportError,
    one_line,
)
from ghjobs_async.wire.convert import NotJsonError, ShapeError, load
from ghjobs_async.wire.limits import Scope, retry_after, server_time
from ghjobs_async.wire.messages import Answer

T = TypeVar("T")


def decode(answer: Answer, cls: type[T]) -> T:
    """
    Decode a successful answer.

    Raises:
        TransportError: It is not JSON: half an answer, or something that is no GitHub API.
        DecodeError: It is JSON of another shape.
    """
    try:
        return load(answer.body, cls)
    except NotJsonError as error:
        kind = one_line(answer.headers.get("Content-Type", "no content type"))
        raise unusable(
            answer,
            f"the answer is not whole JSON ({kind}, {len(answer.body)} bytes: {error}); "
            "is this the root of a GitHub API?",
        ) from error
    except ShapeError as error:
        raise DecodeError(
            f"{answer.method} {answer.url}: not the documented shape: {one_line(str(error))}",
            problems=error.problems,
            method=answer.method,
            url=answer.url,
            request_id=answer.request_id,
        ) from error


def unusable(answer: Answer, words: str, *, retryable: bool = True) -> TransportError:
    """Build the `TransportError` for a response that is not a usable API answer."""
    return TransportError(
        f"{answer.method} {answer.url}: {words}",
        retryable=retryable,
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
    )


@attrs.frozen
class _ErrorBody:
    message: str | None = None
    documentation_url: str | None = None


def _error_body(answer: Answer) -> _ErrorBody:
    try:
        return msgspec.json.decode(answer.body, type=_ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _ErrorBody()


def raise_for(answer: Answer, *, api_version: str | None, authorized: bool, now: float) -> NoReturn:
    """Raise the error for an answer whose status is not 2xx."""
    body = _error_body(answer)
    message = one_line(body.message or "")
    cls, hint = _judge(answer, message, api_version, authorized=authorized)
    request_id = f" (request id {one_line(answer.request_id)})" if answer.request_id else ""
    words = f" {message}" if message else ""
    error = cls(
        f"{answer.method} {answer.url}: {answer.status}{words}{hint}{request_id}",
        status=answer.status,
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
        message=body.message,
        documentation_url=body.documentation_url,
    )
    error.server_time = server_time(answer.headers)
    if isinstance(error, ServerError):
        error.retry_after = retry_after(answer.headers, now)
    raise error


def _judge(
    answer: Answer, message: str, api_version: str | None, *, authorized: bool
) -> tuple[type[ResponseError], str]:
    """Return the class of the error, and what the user can do about it."""
    status, headers = answer.status, answer.headers
    if status in {400, 410} and api_version and (not message or "version" in message.lower()):
        return ApiVersionError, (
            f"; this server may not know API version {api_version}: pass api_version= with one "
            "that it knows (2022-11-28 for older servers), or None to send none"
        )
    if status == 401:
        if authorized:
            return AuthError, "; the token is wrong, expired or revoked: use another one"
        return AuthError, "; this needs a token, and none was given or found"
    if status == 403:
        if sso := headers.get("X-GitHub-SSO"):
            where = re.search(r"url=(https://[^\s;,]+)", sso)
            at = f" at {one_line(where[1])}" if where else ""
            return ForbiddenError, f"; authorize the token for single sign-on{at}"
        if needed := headers.get("X-Accepted-GitHub-Permissions"):
            return (
                ForbiddenError,
                f"; the token lacks a permission, GitHub names {one_line(needed)}",
            )
        return ForbiddenError, "; the token may not do this (it needs to read Actions)"
    if status == 404:
        seen = "the token cannot see it" if authorized else "it is private and needs a token"
        return NotFoundError, f"; no such thing, or {seen}"
    if status == 451:
        return ForbiddenError, "; GitHub blocks this repository for legal reasons"
    if status >= 500:
        return ServerError, "; the server failed, try again later"
    return ResponseError, ""


def rate_limit_error(
    scope: Scope, until: float, *, url: str, max_wait: float, answer: Answer | None = None
) -> RateLimitError:
    """
    Build the error for a rate limit that is not waited for.

    Args:
        scope: The limit that was hit.
        until: When it ends, in epoch seconds.
        url: What was asked, or would have been.
        max_wait: The longest wait that is allowed, in seconds.
        answer: The answer that hit the limit; None where the request was never sent.
    """
    body = _ErrorBody() if answer is None else _error_body(answer)
    when = datetime.fromtimestamp(until, UTC)
    method, status = ("GET", "") if answer is None else (answer.method, f" {answer.status}")
    return RateLimitError(
        f"{method} {url}:{status} the {scope} rate limit is used up until "
        f"{when:%Y-%m-%d %H:%M:%S} UTC; try again then, or allow more than max_wait={max_wait:g}",
        scope=scope,
        retry_at=when,
        status=None if answer is None else answer.status,
        method=method,
        url=url,
        request_id=None if answer is None else answer.request_id,
        message=body.message,
        documentation_url=body.documentation_url,
    )
