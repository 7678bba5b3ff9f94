"""
What is asked, and what an answer means: ``(status, headers, body)`` into models or errors. Pure.

Each function that makes a `Request` names its operation; each request knows how to decode the
answer to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, Generic, Literal, NoReturn, TypeVar
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

import attrs
import msgspec

from ghjobs_async import limits
from ghjobs_async.convert import NotJsonError, Page, ShapeError, load
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
)
from ghjobs_async.models import InstallationToken, Job, Run
from ghjobs_async.refs import RunRef

T = TypeVar("T")

Filter = Literal["latest", "all"]

#: GitHub's largest page.
PER_PAGE: Final = 100
# An error's text holds this much of what the server said.
_SAID_MOST: Final = 300


@attrs.frozen
class Answer:
    """What came back: whole, unjudged."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    method: str
    #: Without a query where that is a secret.
    url: str

    @property
    def request_id(self) -> str | None:
        """GitHub's id of the request."""
        return self.headers.get("X-GitHub-Request-Id")


@attrs.frozen
class Request(Generic[T]):
    """
    One request to the API.

    Attributes:
        owner: Whose repository it is about: picks the credential.

        target: Path and query below the API's root.

        decode: Makes the value of a successful answer; raises for one that makes none.
    """

    owner: str
    target: str
    decode: Callable[[Answer], T]
    method: str = "GET"

    def undecoded(self) -> Request[Answer]:
        """The same request for the answer itself."""
        return Request(self.owner, self.target, _as_it_is, self.method)


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _repo_request(repo: str, path: str, decode: Callable[[Answer], T]) -> Request[T]:
    return Request(repo.partition("/")[0], f"/repos/{repo}/actions{path}", decode)


def get_job(repo: str, job_id: int) -> Request[Job]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}``."""
    return _repo_request(repo, f"/jobs/{job_id}", _decode_job)


def get_log(repo: str, job_id: int) -> Request[str]:
    """``GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs``, answered by a redirect."""
    return _repo_request(repo, f"/jobs/{job_id}/logs", _decode_location)


def list_jobs(ref: RunRef, filter: Filter, per_page: int, page: int) -> Request[Page[Job]]:  # noqa: A002
    """
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs``, or, for one attempt,
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs``.
    """
    query = f"per_page={per_page}&page={page}"
    if ref.attempt is not None:
        path = f"/runs/{ref.run_id}/attempts/{ref.attempt}/jobs?{query}"
    else:
        path = f"/runs/{ref.run_id}/jobs?filter={filter}&{query}"
    return _repo_request(ref.repo, path, _decode_jobs)


def get_run(ref: RunRef) -> Request[Run]:
    """
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}``, or, for one attempt,
    ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}``.
    """
    attempt = "" if ref.attempt is None else f"/attempts/{ref.attempt}"
    return _repo_request(ref.repo, f"/runs/{ref.run_id}{attempt}", _decode_run)


def list_runs(
    repo: str, workflow: str | int | None, query: Mapping[str, str], per_page: int, page: int
) -> Request[Page[Run]]:
    """
    ``GET /repos/{owner}/{repo}/actions/runs``, or, for one workflow,
    ``GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs``.
    """
    where = "" if workflow is None else f"/workflows/{quote(str(workflow), safe='')}"
    text = urlencode({**query, "per_page": per_page, "page": page})
    return _repo_request(repo, f"{where}/runs?{text}", _decode_runs)


def get_installation(repo: str) -> Request[int]:
    """``GET /repos/{owner}/{repo}/installation``: the id of the App's installation there."""

    def decode(answer: Answer) -> int:
        return _load(answer, _Installation).id

    return Request(repo.partition("/")[0], f"/repos/{repo}/installation", decode)


def create_installation_token(installation_id: int) -> Request[InstallationToken]:
    """``POST /app/installations/{installation_id}/access_tokens``."""
    path = f"/app/installations/{installation_id}/access_tokens"
    return Request("", path, partial(_load, cls=InstallationToken), method="POST")


@attrs.frozen
class _Installation:
    id: int


# An answer as its value.


def _load(answer: Answer, cls: type[T]) -> T:
    try:
        return load(answer.body, cls)
    except NotJsonError as error:
        kind = said(answer.headers.get("Content-Type", "no content type"))
        raise of_no_use(
            answer,
            f"the answer is not whole JSON ({kind}, {len(answer.body)} bytes: {error}); "
            "is this the root of a GitHub API?",
        ) from error
    except ShapeError as error:
        raise DecodeError(
            f"{answer.method} {answer.url}: not the documented shape: {said(str(error))}",
            problems=error.problems,
            method=answer.method,
            url=answer.url,
            request_id=answer.request_id,
        ) from error


def _decode_job(answer: Answer) -> Job:
    return _load(answer, Job)


def _decode_run(answer: Answer) -> Run:
    return _load(answer, Run)


def _decode_jobs(answer: Answer) -> Page[Job]:
    return _load(answer, Page[Job])


def _decode_runs(answer: Answer) -> Page[Run]:
    return _load(answer, Page[Run])


def peek_total(body: bytes) -> int | None:
    """A page's total_count without decoding the page, where it stands first, as GitHub writes it."""
    found = re.match(rb'\s*\{\s*"total_count"\s*:\s*([0-9]{1,18})\s*[,}]', body)
    return int(found[1]) if found else None


def is_empty_page(body: bytes) -> bool:
    """Whether a page has no items; any real item is longer than that."""
    return len(body) < 100 and re.search(rb'"\s*:\s*\[\s*\]', body) is not None


def _decode_location(answer: Answer) -> str:
    if target := answer.headers.get("Location"):
        return target
    raise of_no_use(answer, f"{answer.status}, but neither a log nor a Location")


def link_expiry(url: str) -> datetime | None:
    """When a signed link dies, where its query says so (today's storage, or the one before)."""
    named = re.search(r"[?&](?:se|urlExpires)=([^&#]{10,64})", url)
    try:
        found = datetime.fromisoformat(unquote(named[1]) if named else "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# An answer as an error.


def said(text: str) -> str:
    """A server's words on one line: no control characters, not endlessly many."""
    if len(text) <= _SAID_MOST and text.isprintable() and "  " not in text:
        return text.strip()
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())
    return flat if len(flat) <= _SAID_MOST else flat[: _SAID_MOST - 3] + "..."


def of_no_use(answer: Answer, words: str, *, retryable: bool = True) -> TransportError:
    """The error for an answer that came, and is none."""
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
    """Raise the error that an answer outside 2xx means."""
    body = _error_body(answer)
    message = said(body.message or "")
    cls, hint = _judge(answer, message, api_version, authorized=authorized)
    request_id = f" (request id {said(answer.request_id)})" if answer.request_id else ""
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
    if isinstance(error, ServerError):
        error.retry_after = limits.retry_after(answer.headers, now)
    raise error


def _judge(
    answer: Answer, message: str, api_version: str | None, *, authorized: bool
) -> tuple[type[ResponseError], str]:
    """The class of the error, and what the user can do about it."""
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
            at = f" at {said(where[1])}" if where else ""
            return ForbiddenError, f"; authorize the token for single sign-on{at}"
        if needed := headers.get("X-Accepted-GitHub-Permissions"):
            return ForbiddenError, f"; the token lacks a permission, GitHub names {said(needed)}"
        return ForbiddenError, "; the token may not do this (it needs to read Actions)"
    if status == 404:
        seen = "the token cannot see it" if authorized else "it is private and needs a token"
        return NotFoundError, f"; no such thing, or {seen}"
    if status == 451:
        return ForbiddenError, "; GitHub blocks this repository for legal reasons"
    if status >= 500:
        return ServerError, "; the server failed, try again later"
    return ResponseError, ""


def rate_limit_error(answer: Answer, scope: limits.Scope, until: float) -> RateLimitError:
    """The error for a limit that is not waited for."""
    body = _error_body(answer)
    when = datetime.fromtimestamp(until, UTC)
    return RateLimitError(
        f"{answer.method} {answer.url}: {answer.status} the {scope} rate limit is used up until "
        f"{when:%Y-%m-%d %H:%M:%S} UTC; try again then, or allow a longer max_wait",
        scope=scope,
        retry_at=when,
        status=answer.status,
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
        message=body.message,
        documentation_url=body.documentation_url,
    )


# Links and redirects.


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: where a token may go."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


# Nearly all addresses: whole, in ASCII, without credentials. They need no parsing.
_PLAIN: Final = re.compile(
    r"(https?://[a-z0-9.-]+(?::[0-9]{1,4})?(?:/[!$->@-~]*)?)(?:\?[!-~]*)?", re.IGNORECASE | re.ASCII
)


def redacted(url: str) -> str:
    """A URL without what may be secret: its query, fragment and credentials."""
    if plain := _PLAIN.fullmatch(url):
        return said(plain[1])
    parts = urlsplit(url)
    return said(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def location(answer: Answer, base: str) -> str:
    """
    The address that a redirect leads to.

    Raises:
        TransportError: There is none, or it is one that is never followed: no http(s), down from
            https to http, or with credentials in it.
    """
    given = answer.headers.get("Location", "")
    if given.startswith(base[: base.index(":") + 1]) and _PLAIN.fullmatch(given):
        return given
    problem: str | None
    target = ""
    try:
        target = given if given.startswith(("https://", "http://")) else urljoin(base, given)
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        problem = "malformed"
    else:
        if not given:
            problem = "missing"
        elif parts.scheme not in {"http", "https"} or not parts.hostname:
            problem = f"no web address ({said(parts.scheme)[:20]}:...)"
        elif parts.scheme == "http" and base.startswith("https:"):
            problem = "down from https to http"
        elif "@" in parts.netloc or not target.isprintable() or " " in target:
            problem = "malformed"
        else:
            problem = None
    if problem is not None:
        words = f"{answer.status} leads to a Location that is not followed: {problem}"
        raise of_no_use(answer, words, retryable=False)
    return target


def is_log_path(url: str, root: str) -> bool:
    """Whether a redirect of a log stays in the API: anything else is the log's signed link."""
    # Nearly all links end otherwise, and need no parsing.
    if not url.partition("?")[0].partition("#")[0].endswith("/logs"):
        return False
    path = urlsplit(url).path
    base = urlsplit(root).path
    return path.startswith((f"{base}/repos/", f"{base}/repositories/")) and (
        origin(url) == origin(root)
    )


def has_next(answer: Answer) -> bool:
    """
    Whether the Link header names a next page, on the API's own origin.

    Pages are asked for by number, so a Link is never followed: it only says that there are more.
    """
    link = answer.headers.get("Link", "")[:8192]
    if "next" not in link:
        return False
    for part in link.split(","):
        found = re.fullmatch(r'\s*<([^<>]*)>\s*;.*\brel="?next\b"?.*', part)
        if found:
            try:
                return origin(found[1]) == origin(answer.url)
            except ValueError:
                return False
    return False
