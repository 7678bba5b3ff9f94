"""
The faults: one function for each, for `FakeGitHub.fail` or `FakeGitHub.fault_rate`.

``fake.fail("jobs", faults.bad_gateway(min_per_page=100), times=None)``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

import attrs
import msgspec

from ghjobs_async.testing.script import Fault
from ghjobs_async.testing.server.messages import Answer, Call, Handler
from ghjobs_async.testing.site.api import Api
from ghjobs_async.testing.site.credentials import limit_headers
from ghjobs_async.testing.site.routes import numbered_url, query_of
from ghjobs_async.testing.world import payloads
from ghjobs_async.testing.world.blobs import Blob, blanks, gzip_of_blanks

LimitForm: TypeAlias = Literal["retry-after", "message", "documentation_url", "html"]

_UNICORN: Final = (
    "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head>"
    "<body><p>This page is taking too long to load.</p></body></html>\n"
)
_LOGIN_PAGE: Final = "<!DOCTYPE html><html><body>Please sign in to the network.</body></html>"
_LIMIT_DOCS: Final = (
    f"{payloads.DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)
_SECONDARY: Final = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
_SAML: Final = (
    "Resource protected by organization SAML enforcement. You must grant your Personal "
    "Access token access to this organization."
)
_SSO: Final = "required; url=https://github.com/orgs/octo-org/sso?authorization_request=AAAAAAAA"
_STORAGE_CODES: Final = {
    401: "NoAuthenticationInformation",
    403: "AuthorizationFailure",
    500: "InternalError",
    503: "ServerBusy",
}
#: Written before a log that has changed, so that no byte stays where it was.
_CHANGED: Final = b"2026-01-01T00:00:00.0000000Z This log has been written anew.\n"


def only(fault: Fault, *operations: str) -> Fault:
    """Narrow *fault* down to some operations (or origins), for a share of all answers."""
    wanted = set(operations)
    return attrs.evolve(
        fault,
        fits=lambda call: bool({call.operation, call.asked.origin} & wanted) and fault.fits(call),
    )


def _changed(name: str, change: Callable[[Call, Answer], None]) -> Fault:
    """Change the right answer, or how it is sent."""

    def apply(_: Api, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        change(call, answer)
        return answer

    return Fault(name, apply)


# -- statuses and bodies ---------------------------------------------------------------------


def status(code: int, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with any status; without *body* in GitHub's JSON or the storage's XML."""

    def apply(api: Api, call: Call, _: Handler) -> Answer:
        if body is not None:
            answer = Answer(code, body, {"Content-Type": "text/plain; charset=utf-8"}, encoded=True)
        elif call.operation == "storage":
            answer = api.storage.error(code, "ServerBusy")
        else:
            answer = Answer.fail("Server Error", code)
        answer.headers.update(headers or {})
        return answer

    return Fault(f"status {code}", apply)


def bad_gateway(min_per_page: int = 1) -> Fault:
    """Answer 502 with an HTML page if ``per_page`` is at least *min_per_page*."""
    return Fault(
        "bad_gateway",
        lambda *_: Answer.html(502, _UNICORN),
        lambda call: min(call.number("per_page", 30), 100) >= min_per_page,
    )


def html() -> Fault:
    """Answer 200 with a page of HTML, as a captive portal or a proxy does."""
    return Fault("html", lambda *_: Answer.html(200, _LOGIN_PAGE))


def truncated_json() -> Fault:
    """Answer with the first half of the JSON, and a Content-Length that fits it."""

    def change(_: Call, answer: Answer) -> None:
        if isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        answer.encoded = True
        answer.headers["Content-Type"] = "application/json; charset=utf-8"

    return _changed("truncated_json", change)


def gzip_bomb(size: int = 100_000_000) -> Fault:
    """Answer with a small body that unpacks to *size* bytes of valid JSON."""
    kind = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return Fault(
        "gzip_bomb", lambda *_: Answer(200, gzip_of_blanks(size), dict(kind), encoded=True)
    )


def huge_answer(size: int = 100_000_000) -> Fault:
    """Answer with *size* bytes of valid JSON."""
    blob = Blob(lambda: blanks(size), size, '"huge"')
    return Fault("huge_answer", lambda *_: Answer(200, blob, {"Content-Type": "application/json"}))


# -- lists and redirects -----------------------------------------------------------------------


def stale(seconds: float) -> Fault:
    """Answer as a replica that is *seconds* behind: played runs are as they were then."""

    def apply(api: Api, call: Call, normal: Handler) -> Answer:
        api.world.lag = seconds
        try:
            return normal(call)
        finally:
            api.world.lag = 0.0

    return Fault("stale", apply)


def shifting_list(kind: Literal["repeat", "total", "short"] = "repeat", by: int = 1) -> Fault:
    """
    Change a list while it is read.

    Args:
        kind: ``repeat``: each page from the second on starts with the last item of the page
            before and lacks its own last one; ``total``: each page from the second on reports
            *by* items more in total; ``short``: a page lacks its last *by* items.
        by: The number of items.
    """

    def apply(_: Api, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if answer.status != 200:
            return answer
        total, key, items = _read_page(answer)
        match kind:
            case "total":
                total += by
            case "short":
                items = items[: max(0, len(items) - by)]
            case "repeat" if items:
                query = {**call.asked.query, "page": str(call.number("page", 1) - 1)}
                before = normal(call.asking(query, call.asked.headers))
                items = [*_read_page(before)[2][-1:], *items[:-1]]
        answer.body = payloads.encode({"total_count": total, key: items})
        return answer

    def fits(call: Call) -> bool:
        listed = call.operation in {"jobs", "runs"}
        return listed and (kind == "short" or call.number("page", 1) > 1)

    return Fault(f"shifting_list {kind}", apply, fits)


def _read_page(answer: Answer) -> tuple[int, str, list[object]]:
    """Read one page of a list: its total, the key of the items, and the items."""
    data = msgspec.json.decode(b"".join(answer.chunks()), type=dict[str, int | list[object]])
    total = msgspec.convert(data.pop("total_count"), int)
    key, items = data.popitem()
    return total, key, msgspec.convert(items, list[object])


def redirect(status: int = 301, to: str = "repository") -> Fault:
    """
    Answer with a redirect.

    Args:
        status: 301, 302, 307 or 308.
        to: ``repository`` (the same thing below ``/repositories/ID``), ``loop`` (the same URL
            again), ``other_host`` (another origin), or a URL.
    """

    def apply(api: Api, call: Call, normal: Handler) -> Answer:
        path = call.path + query_of(call)
        other = call.storage_root if call.asked.origin == "api" else call.web_root
        urls = {
            "loop": call.api_root + path,
            "other_host": other + path,
            "repository": numbered_url(api.world, call),
        }
        url = urls.get(to, to)
        return normal(call) if url is None else Answer.redirect(url, status)

    return Fault(f"redirect {to}", apply, lambda call: to != "repository" or "repo" in call.args)


def link_host(origin: str = "https://example.invalid") -> Fault:
    """Make the Link header name another origin."""

    def change(call: Call, answer: Answer) -> None:
        if "Link" in answer.headers:
            parts = urlsplit(call.api_root)
            here = f"{parts.scheme}://{parts.netloc}"
            answer.headers["Link"] = answer.headers["Link"].replace(here, origin)

    return _changed("link_host", change)


def log_location(to: str) -> Fault:
    """Make a log's Location *to*: another host, another scheme, or no URL at all."""

    def change(_: Call, answer: Answer) -> None:
        if answer.status == 302:
            answer.headers["Location"] = to

    return _changed("log_location", change)


# -- limits and refusals -----------------------------------------------------------------------


def secondary_limit(
    retry_after: int | None = 60, status: int = 403, form: LimitForm = "retry-after"
) -> Fault:
    """
    Answer with a secondary rate limit.

    Args:
        retry_after: Seconds of the ``Retry-After`` header, sent with the first form only.
        status: 403 or 429.
        form: What identifies the limit: that header, the message alone, the documentation_url
            alone, or a page of HTML.
    """

    def make() -> Answer:
        match form:
            case "html":
                return Answer.html(status, f"<html><body><p>{_SECONDARY}</p></body></html>")
            case "message":
                return Answer.fail(_SECONDARY, status)
            case "documentation_url":
                return Answer.fail("Forbidden", status, _LIMIT_DOCS)
            case "retry-after":
                headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
                return Answer.fail(_SECONDARY, status, _LIMIT_DOCS, headers)

    return Fault(f"secondary_limit {form}", lambda *_: make())


def primary_limit(reset_in: int = 60, status: int = 403) -> Fault:
    """Answer that the hour's budget is used up; it resets in *reset_in* seconds."""

    def apply(api: Api, _call: Call, _: Handler) -> Answer:
        limit = api.budget.limit or 5000
        headers = limit_headers(limit, limit, int(api.clock()) + reset_in)
        return Answer.fail("API rate limit exceeded for user ID 1.", status, headers=headers)

    return Fault("primary_limit", apply)


def bad_credentials() -> Fault:
    """Answer that the token is not valid: 401."""
    return Fault("bad_credentials", lambda *_: Answer.fail("Bad credentials", 401))


def saml() -> Fault:
    """Answer that the token is not authorised for the organisation's single sign-on: 403."""
    return Fault("saml", lambda *_: Answer.fail(_SAML, 403, headers={"X-GitHub-SSO": _SSO}))


def missing_permission() -> Fault:
    """Answer that the token lacks a permission, named in a header: 403."""
    text = "Resource not accessible by integration"
    headers = {"X-Accepted-GitHub-Permissions": "actions=read"}
    return Fault("missing_permission", lambda *_: Answer.fail(text, 403, headers=headers))


def blocked() -> Fault:
    """Answer that the repository is blocked for legal reasons: 451."""

    def apply(api: Api, _call: Call, _: Handler) -> Answer:
        now, notice = payloads.iso(int(api.clock())), f"{payloads.WEB}/github/dmca"
        block = {"reason": "dmca", "created_at": now, "html_url": notice}
        return Answer.fail("Repository access blocked", 451, block=block)

    return Fault("blocked", apply)


def unknown_api_version(status: int = 400) -> Fault:
    """Answer that the API version does not exist (400) or is no longer supported (410)."""
    gone = "This API version is no longer supported."
    text = gone if status == 410 else "This is not a supported API version."
    docs = f"{payloads.DOCS}/about-the-rest-api/api-versions"
    return Fault("unknown_api_version", lambda *_: Answer.fail(text, status, docs))


# -- the connection: the answer is right, but it is sent wrong or not at all -------------------


def _sent(name: str, **changes: object) -> Fault:
    def change(_: Call, answer: Answer) -> None:
        for key, value in changes.items():
            setattr(answer, key, value)

    return _changed(name, change)


def stall_headers() -> Fault:
    """Accept the request and never answer."""
    return _sent("stall_headers", end_after=-1, end="stall")


def stall_body(after: int = 0) -> Fault:
    """Send the headers and *after* bytes of the body, then nothing more."""
    return _sent("stall_body", end_after=after, end="stall")


def reset() -> Fault:
    """
    Reset the connection (RST) in place of an answer.

    aiohttp repeats a GET once by itself, so its clients see only the second reset.
    """
    return _sent("reset", end_after=-1, end="reset")


def disconnect() -> Fault:
    """Close the connection in place of an answer; see `reset` about aiohttp."""
    return _sent("disconnect", end_after=-1, end="close")


def break_body(after: int = 0) -> Fault:
    """Promise the whole body and close the connection after *after* bytes of it."""
    return _sent("break_body", end_after=after, end="close")


def lying_length(delta: int) -> Fault:
    """Send a Content-Length that is wrong by *delta* bytes; a negative one cuts the body."""
    return _sent("lying_length", lie=delta)


# -- the storage -------------------------------------------------------------------------------


def ignore_range() -> Fault:
    """Ignore Range: answer 200 with the whole body."""
    return Fault(
        "ignore_range",
        lambda _, call, normal: normal(
            call.asking(call.asked.query, {**call.asked.headers, "range": ""})
        ),
        lambda call: call.header("range") is not None,
    )


def change_blob() -> Fault:
    """Change the log before it is sent: from now on it has other content and another ETag."""

    def apply(api: Api, call: Call, normal: Handler) -> Answer:
        job = api.storage.job_at(call.path)
        if job is not None and job.log_state == "ok":
            before = job.blob

            def changed() -> Iterator[bytes]:
                yield _CHANGED
                yield from before.read()

            job.set_log(changed, "ok", before.size + len(_CHANGED), f'{before.etag[:-1]}1"')
        return normal(call)

    return Fault("change_blob", apply, lambda call: call.operation == "storage")


def expired_link() -> Fault:
    """Answer that the signed link has expired."""
    return Fault("expired_link", lambda api, call, _: api.storage.expired(call))


def storage_status(code: int) -> Fault:
    """Answer with 401, 403, 500 or 503 and the storage's XML."""
    error = _STORAGE_CODES.get(code, "Error")
    return Fault(f"storage_status {code}", lambda api, *_: api.storage.error(code, error))


def blob_not_found(status: int = 404) -> Fault:
    """Answer with BlobNotFound, with status 404 or 200."""
    return Fault(
        f"blob_not_found {status}", lambda api, *_: api.storage.error(status, "BlobNotFound")
    )


# -- a soak ------------------------------------------------------------------------------------


def recoverable(*, stalls: bool = True) -> list[Fault]:
    """
    Give every fault after which another try (or a wait, or a new link) can succeed.

    Args:
        stalls: Whether to include those that only the client's timeout ends.
    """
    # Answers whose body is JSON about runs and jobs, and those with any body.
    objects = ("jobs", "job", "runs", "run")
    bodies = (*objects, "storage")
    api = [
        *(status(code) for code in (500, 503, 504)),
        bad_gateway(),
        secondary_limit(1),
        secondary_limit(1, 429),
        secondary_limit(form="message"),
        secondary_limit(form="documentation_url"),
        secondary_limit(form="html", status=429),
        primary_limit(1),
    ]
    storage = [
        *(ignore_range(), change_blob(), expired_link()),
        *(storage_status(code) for code in _STORAGE_CODES),
    ]
    chosen = [
        *(only(fault, "api") for fault in api),
        *(only(fault, *objects) for fault in (html(), truncated_json(), redirect(), redirect(307))),
        *(only(shifting_list(kind), "jobs") for kind in ("repeat", "short")),
        *(reset(), disconnect()),
        only(break_body(0), *objects),
        *(only(fault, *bodies) for fault in (break_body(100), lying_length(50))),
        *(only(fault, "storage") for fault in storage),
    ]
    return [*chosen, stall_headers(), only(stall_body(50), *bodies)] if stalls else chosen
