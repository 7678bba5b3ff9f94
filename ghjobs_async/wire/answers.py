"""Turn an answer into its value, or into the error to raise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

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
        TransportError: It is not JSON: half an answer, or not from a GitHub API.
        DecodeError: It is JSON of another shape.
    """
    try:
        return _load(answer, cls)
    except NotJsonError as error:
        kind = one_line(answer.headers.get("Content-Type", "no content type"))
        hint = "" if "json" in kind else f"; {root_hint(answer)}"
        raise answer.unusable(
            f"the answer is not whole JSON ({kind}, {len(answer.raw)} bytes: {error}){hint}",
        ) from error
    except ShapeError as error:
        raise shape_error(answer, error) from error


def shape_error(answer: Answer, error: ShapeError) -> DecodeError:
    """Build the error for an answer that is JSON of another shape."""
    return DecodeError(
        f"{answer.method} {answer.url}: not the documented shape: {one_line(str(error))}",
        problems=error.problems,
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
    )


def _load(answer: Answer, cls: type[T]) -> T:
    try:
        value = load(answer.body, cls)
        if not getattr(value, "undecodable", ()):
            return value
    except (NotJsonError, ShapeError):
        pass
    # Values that do not fit are kept in the error, so the token must not be in them.
    return load(answer.cleaned().body, cls)


@attrs.frozen
class _ErrorBody:
    message: str | None = None
    documentation_url: str | None = None


def _error_body(answer: Answer) -> _ErrorBody:
    try:
        return msgspec.json.decode(answer.cleaned().body, type=_ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TransportError):
        return _ErrorBody()


def raise_for(answer: Answer, *, api_version: str | None, authorized: bool, now: float) -> NoReturn:
    """Raise the error for an answer whose status is not 2xx, and not what was asked for."""
    if answer.status == 304:
        raise answer.unusable(
            "304 says that nothing has changed, but nothing was sent to compare with: is something "
            "in between caching answers?",
            retryable=False,
        )
    body = _error_body(answer)
    message = one_line(body.message or "")
    cls, hint = _judge(answer, message, api_version, authorized=authorized)
    request_id = f" (request id {one_line(answer.request_id)})" if answer.request_id else ""
    words = f" {message}" if message else ""
    words += f"; {hint}" if hint else ""
    error = cls(
        f"{answer.method} {answer.url}: {answer.status}{words}{request_id}",
        status=answer.status,
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
        message=body.message,
        documentation_url=body.documentation_url,
    )
    error.server_time = server_time(answer.headers)
    error.hint = hint
    if isinstance(error, ServerError):
        error.retry_after = retry_after(answer.headers, now)
    raise error


_CLASSES: Final[Mapping[int, type[ResponseError]]] = {
    401: AuthError,
    403: ForbiddenError,
    404: NotFoundError,
    451: ForbiddenError,
}
_ANONYMOUS: Final = "this needs a token, and none was given or found"
_BLOCKED: Final = "GitHub blocks this repository, for legal reasons or by its terms of service"
# Parts of GitHub's messages for a 403, and the advice; the first one found counts.
_REFUSALS: Final = (
    ("ip allow list", "an owner there can add this machine's address to the list"),
    ("saml enforcement", "authorize the token for single sign-on, in the settings of its account"),
    ("account was suspended", "the token's account is suspended: use a token of another one"),
    ("installation has been suspended", "whoever installed the App can unsuspend it"),
    ("oauth app access restrictions", "an owner there can approve the app"),
    ("forbids access via", "use a token of the kind and lifetime that is allowed there"),
    ("enterprise managed user", "use a token of an account outside of that enterprise"),
    ("login attempts exceeded", "the token was refused too often: wait, then use another one"),
    ("repository access blocked", _BLOCKED),
)


def _judge(
    answer: Answer, message: str, api_version: str | None, *, authorized: bool
) -> tuple[type[ResponseError], str]:
    """Return the class of the error, and what the user can do about it."""
    status = answer.status
    if status >= 500:
        return ServerError, "the server failed, try again later"
    if status in {400, 410} and api_version and ("version" in message.lower() or not answer.raw):
        return ApiVersionError, (
            f"this server may not know API version {api_version}: pass api_version= with one "
            "that it knows (2022-11-28 for older servers), or None to send none"
        )
    if advice := _not_from_github(answer, message):
        return ResponseError, advice
    hint = _hint(answer, message.lower(), authorized=authorized)
    return _CLASSES.get(status, ResponseError), hint


def _hint(answer: Answer, message: str, *, authorized: bool) -> str:
    """Return the advice where GitHub itself refuses."""
    if answer.status == 401:
        return "the token is wrong, expired or revoked: use another" if authorized else _ANONYMOUS
    if answer.status == 403:
        if sso := answer.headers.get("X-GitHub-SSO"):
            where = re.search(r"url=(https://[^\s;,]+)", sso)
            at = f" at {one_line(where[1])}" if where else ""
            return f"authorize the token for single sign-on{at}"
        for signal, hint in _REFUSALS:
            if signal in message:
                return hint
        if not authorized:
            return _ANONYMOUS
        if needed := answer.headers.get("X-Accepted-GitHub-Permissions"):
            return f"the token lacks a permission, GitHub names {one_line(needed)}"
        return "the token may not do this (it needs to read Actions)"
    if answer.status == 404:
        workflow = re.search(r"/actions/workflows/([^/?]+)/", answer.url)
        if workflow and not re.search(r"^[0-9]+$|\.ya?ml$", workflow[1]):
            return "a workflow is named by its file (ci.yml) or its number, not by its title"
        seen = "the token cannot see it" if authorized else "it is private and needs a token"
        return f"no such thing, or {seen}"
    return _BLOCKED if answer.status == 451 else ""


def _not_from_github(answer: Answer, message: str) -> str | None:
    """Return the advice for an answer that no GitHub API gave; None where one did."""
    is_page = not message and answer.head.lstrip().startswith(b"<")
    from_github = any("github" in name.lower() for name in answer.headers)
    if answer.status == 406 or "Cookies must be enabled" in message:
        return root_hint(answer)
    if message or (from_github and not is_page):
        return None
    # The web site of an Enterprise Server answers 404 to an address of the API.
    return root_hint(answer) if answer.status == 404 or from_github else _in_between(answer)


def root_hint(answer: Answer) -> str:
    """Return the advice to check the root of the API, unless the address is below one."""
    parts = urlsplit(answer.url)
    if "/api/v3/" in parts.path or parts.netloc.startswith("api."):
        return _in_between(answer)
    return (
        "is this the root of a GitHub API? An Enterprise Server has it at "
        f"{parts.scheme}://{parts.netloc}/api/v3"
    )


def _in_between(answer: Answer) -> str:
    via = f" ({one_line(answer.headers['Via'])})" if "Via" in answer.headers else ""
    return f"this is not GitHub's answer: a proxy, a filter or a login page is in between{via}"


def rate_limit_error(
    scope: Scope, until: float, *, url: str, max_wait: float, answer: Answer | None = None
) -> RateLimitError:
    """
    Build the error for a rate limit that lasts *until* (epoch seconds) and is not waited for.

    *answer* hit the limit; without one, the request was never sent.
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
