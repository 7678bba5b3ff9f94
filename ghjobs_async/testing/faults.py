"""
The faults: one function for each, to be given to `FakeGitHub.fail` or `FakeGitHub.fault_rate`.

``fake.fail("jobs", faults.bad_gateway(min_per_page=100), times=None)``
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

import attrs

from ghjobs_async.testing import bombs, payloads
from ghjobs_async.testing.answers import Answer, Blob, Call, Handler
from ghjobs_async.testing.api import fail, target_of
from ghjobs_async.testing.refusals import (
    bad_credentials,
    blocked,
    missing_permission,
    saml,
    unknown_api_version,
)
from ghjobs_async.testing.script import Fault
from ghjobs_async.testing.storage import blob_of, job_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ghjobs_async.testing.fake import FakeGitHub

__all__ = [
    "LimitForm",
    "bad_credentials",
    "bad_gateway",
    "blob_not_found",
    "blocked",
    "break_body",
    "change_blob",
    "disconnect",
    "expired_link",
    "gzip_bomb",
    "html",
    "huge_answer",
    "ignore_range",
    "link_host",
    "log_location",
    "lying_length",
    "missing_permission",
    "only",
    "primary_limit",
    "redirect",
    "reset",
    "saml",
    "secondary_limit",
    "shifting_list",
    "stall_body",
    "stall_headers",
    "status",
    "storage_status",
    "truncated_json",
    "unknown_api_version",
]

LimitForm: TypeAlias = Literal["retry-after", "message", "documentation_url", "html"]

_UNICORN: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head>"
    b"<body><p>This page is taking too long to load.</p></body></html>\n"
)
_LIMIT_DOCS: Final = (
    f"{payloads.DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)
_SECONDARY: Final = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
#: Written before a log that has changed: no byte of it stands where it stood.
_CHANGED: Final = b"2026-01-01T00:00:00.0000000Z This log has been written anew.\n"


def _page_of(call: Call) -> int:
    text = call.asked.query.get("page", "1")
    return int(text) if text.isdecimal() else 1


def _html(status: int, body: bytes = _UNICORN) -> Answer:
    return Answer(
        status, body, {"Content-Type": "text/html; charset=utf-8"}, bare=True, encoded=True
    )


def status(code: int, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with any status; *body* None gives GitHub's JSON, or the storage's XML."""

    def apply(fake: FakeGitHub, call: Call, _: Handler) -> Answer:
        if body is not None:
            kind = {"Content-Type": "text/plain; charset=utf-8"}
            answer = Answer(code, body, kind, encoded=True)
        elif call.operation == "storage":
            answer = fake.storage.error(code, "ServerBusy", "The server is busy.")
        else:
            answer = fail("Server Error", code)
        answer.headers.update(headers or {})
        return answer

    return Fault(f"status {code}", apply)


def bad_gateway(min_per_page: int = 1) -> Fault:
    """Answer 502 with an HTML page as long as ``per_page`` is at least *min_per_page*."""

    def fits(call: Call) -> bool:
        text = call.asked.query.get("per_page", "30")
        return not text.isdecimal() or min(int(text), 100) >= min_per_page

    return Fault("bad_gateway", lambda _fake, _call, _normal: _html(502), fits)


def secondary_limit(
    retry_after: int | None = 60, status: int = 403, form: LimitForm = "retry-after"
) -> Fault:
    """
    Answer that there was too much at once.

    Args:
        retry_after: Seconds of the ``Retry-After`` header, sent with the first form only.

        status: 403 or 429.

        form: What gives the limit away: that header, the message alone, the documentation_url
            alone, or a page of HTML that says so.
    """

    def apply(_fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        if form == "html":
            return _html(status, f"<html><body><p>{_SECONDARY}</p></body></html>".encode())
        if form == "message":
            return fail(_SECONDARY, status)
        if form == "documentation_url":
            return fail("Forbidden", status, _LIMIT_DOCS)
        answer = fail(_SECONDARY, status, _LIMIT_DOCS)
        if retry_after is not None:
            answer.headers["Retry-After"] = str(retry_after)
        return answer

    return Fault(f"secondary_limit {form}", apply)


def primary_limit(reset_in: int = 60, status: int = 403) -> Fault:
    """Answer that nothing is left of the hour's budget, which comes back in *reset_in* seconds."""

    def apply(fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        limit = fake.budget.limit or 5000
        answer = fail("API rate limit exceeded for user ID 1.", status)
        answer.headers.update(
            {
                "X-RateLimit-Limit": str(limit),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Used": str(limit),
                "X-RateLimit-Reset": str(int(fake.clock()) + reset_in),
                "X-RateLimit-Resource": "core",
            }
        )
        return answer

    return Fault("primary_limit", apply)


def html() -> Fault:
    """Answer 200 with a page of HTML, as a captive portal or a proxy does."""
    page = b"<!DOCTYPE html><html><body>Please sign in to the network.</body></html>"
    return Fault("html", lambda _fake, _call, _normal: _html(200, page))


def truncated_json() -> Fault:
    """Answer with half of the JSON, the Content-Length that of the half."""

    def apply(_fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        answer.encoded = True
        answer.headers["Content-Type"] = "application/json; charset=utf-8"
        return answer

    return Fault("truncated_json", apply)


def gzip_bomb(size: int = 100_000_000) -> Fault:
    """Answer with a small body that unpacks to *size* bytes of valid JSON."""

    def apply(_fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        kind = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return Answer(200, bombs.gzip_of_blanks(size), kind, encoded=True)

    return Fault("gzip_bomb", apply)


def huge_answer(size: int = 100_000_000) -> Fault:
    """Answer with *size* bytes of valid JSON."""
    blob = Blob(size, '"huge"', lambda: bombs.blanks(size))

    def apply(_fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        return Answer(200, (blob, 0, size), {"Content-Type": "application/json"})

    return Fault("huge_answer", apply)


def _delivered(name: str, **changes: object) -> Fault:
    """Make a fault of the line only: the answer is right and comes wrong."""

    def apply(_fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        for key, value in changes.items():
            setattr(answer, key, value)
        return answer

    return Fault(name, apply)


def stall_headers() -> Fault:
    """Take the request and never answer."""
    return _delivered("stall_headers", stall_after=-1)


def stall_body(after: int = 0) -> Fault:
    """Send the headers and *after* bytes of the body, and then nothing more."""
    return _delivered("stall_body", stall_after=after)


def reset() -> Fault:
    """
    Reset the connection (RST) in place of an answer.

    Clients built on aiohttp replay a GET once by themselves: only the second time is seen.
    """
    return _delivered("reset", hang_up="reset")


def disconnect() -> Fault:
    """Close the connection in place of an answer; see `reset` for what aiohttp does then."""
    return _delivered("disconnect", hang_up="close")


def break_body(after: int = 0) -> Fault:
    """Promise the whole body and close the connection after *after* bytes of it."""
    return _delivered("break_body", cut_after=after)


def lying_length(delta: int) -> Fault:
    """Claim a Content-Length that is *delta* bytes off; too little cuts the body."""
    return _delivered("lying_length", lie=delta)


def ignore_range() -> Fault:
    """Answer a range with the whole body and 200."""
    return Fault(
        "ignore_range",
        lambda _fake, call, normal: normal(call.without_header("range")),
        lambda call: call.header("range") is not None,
    )


def change_blob() -> Fault:
    """Change the log before it is sent: other content and another ETag from now on."""

    def apply(fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        job = job_of(fake.world, call.asked.path)
        if job is not None and job.log_state == "ok":
            before = blob_of(job)

            def changed() -> Iterator[bytes]:
                yield _CHANGED
                yield from before.read()

            etag = f'{before.etag[:-1]}1"'
            job.set_log(changed, "ok", (before.size + len(_CHANGED), etag))
        return normal(call)

    return Fault("change_blob", apply, lambda call: call.operation == "storage")


def redirect(status: int = 301, to: str = "repository") -> Fault:
    """
    Answer with a redirect.

    Args:
        status: 301, 302, 307 or 308.

        to: ``repository`` (the same thing below ``/repositories/ID``), ``loop`` (the same URL
            again), ``other_host`` (another origin), or a URL.
    """

    def apply(fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        query = f"?{urlencode(call.asked.query)}" if call.asked.query else ""
        if to == "loop":
            url = call.url + query
        elif to == "other_host":
            url = call.storage_root + call.path + query
        elif to == "repository":
            target = target_of(fake.world, call)
            if target is None:
                return normal(call)
            url = call.api_root + target + query
        else:
            url = to
        body = {"message": "Moved Permanently", "url": url, "documentation_url": payloads.DOCS}
        return Answer(status, payloads.encode(body), {"Location": url})

    def fits(call: Call) -> bool:
        return to != "repository" or "repo" in call.args

    return Fault(f"redirect {to}", apply, fits)


def link_host(origin: str = "https://example.invalid") -> Fault:
    """Let the Link header name another origin."""

    def apply(_fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if "Link" in answer.headers:
            parts = urlsplit(call.api_root)
            here = f"{parts.scheme}://{parts.netloc}"
            answer.headers["Link"] = answer.headers["Link"].replace(here, origin)
        return answer

    return Fault("link_host", apply)


def log_location(to: str) -> Fault:
    """Let a log's Location be *to*: another host, another scheme, or no URL at all."""

    def apply(_fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if answer.status == 302:
            answer.headers["Location"] = to
        return answer

    return Fault("log_location", apply)


def expired_link() -> Fault:
    """Answer that the signed link is too old."""

    def apply(fake: FakeGitHub, call: Call, _: Handler) -> Answer:
        query = call.asked.query
        return fake.storage.expired(query.get("st", ""), query.get("se", ""))

    return Fault("expired_link", apply)


_STORAGE_CODES: Final = {
    401: ("NoAuthenticationInformation", "Server failed to authenticate the request."),
    403: ("AuthorizationFailure", "This request is not authorized to perform this operation."),
    500: ("InternalError", "The server encountered an internal error. Please retry the request."),
    503: ("ServerBusy", "The server is busy."),
}


def storage_status(code: int) -> Fault:
    """Answer for the storage with 401, 403, 500 or 503, and its XML."""

    def apply(fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        return fake.storage.error(code, *_STORAGE_CODES.get(code, ("Error", "An error.")))

    return Fault(f"storage_status {code}", apply)


def blob_not_found(status: int = 404) -> Fault:
    """Answer for the storage that there is no such log: with 404, or with 200."""
    return Fault(
        f"blob_not_found {status}", lambda fake, _call, _normal: fake.storage.not_found(status)
    )


def shifting_list(kind: Literal["repeat", "total", "short"] = "repeat", by: int = 1) -> Fault:
    """
    Change a list while it is read.

    Args:
        kind: ``repeat``: a page from the second on starts with the last item of the page before,
            and its own last one is missing; ``total``: a page from the second on counts *by*
            items more; ``short``: the last *by* items of a page are missing.

        by: How many.
    """

    def apply(_fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if answer.status != 200 or not isinstance(answer.body, bytes):
            return answer
        total, key, items = payloads.read_page(answer.body)
        if kind == "total":
            total += by
        elif kind == "short":
            items = items[: max(0, len(items) - by)]
        elif items:
            query = {**call.asked.query, "page": str(_page_of(call) - 1)}
            before = normal(attrs.evolve(call, asked=attrs.evolve(call.asked, query=query)))
            earlier = payloads.read_page(before.body)[2] if isinstance(before.body, bytes) else []
            items = [*earlier[-1:], *items[:-1]]
        answer.body = payloads.page(total, key, items)
        return answer

    def fits(call: Call) -> bool:
        return call.operation in {"jobs", "runs"} and (kind == "short" or _page_of(call) > 1)

    return Fault(f"shifting_list {kind}", apply, fits)


def only(fault: Fault, *operations: str) -> Fault:
    """Narrow *fault* down to some operations (or origins), for a share of all answers."""

    def fits(call: Call) -> bool:
        return bool({call.operation, call.asked.origin} & set(operations)) and fault.fits(call)

    return attrs.evolve(fault, fits=fits)
