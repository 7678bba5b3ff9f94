"""Wrong answers: statuses, HTML pages, broken JSON, changing lists, redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from ghjobs_async.testing.faults.script import Fault
from ghjobs_async.testing.server.messages import Answer, Call, Handler
from ghjobs_async.testing.site import replies
from ghjobs_async.testing.site.routes import numbered_url, query_of
from ghjobs_async.testing.site.site import Site
from ghjobs_async.testing.world import payloads

_UNICORN: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head>"
    b"<body><p>This page is taking too long to load.</p></body></html>\n"
)


def html_page(status: int, body: bytes = _UNICORN) -> Answer:
    """Answer with a page of HTML."""
    return Answer(
        status, body, {"Content-Type": "text/html; charset=utf-8"}, bare=True, encoded=True
    )


def status(code: int, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with any status; without *body* in GitHub's JSON or the storage's XML."""

    def apply(site: Site, call: Call, _: Handler) -> Answer:
        if body is not None:
            kind = {"Content-Type": "text/plain; charset=utf-8"}
            answer = Answer(code, body, kind, encoded=True)
        elif call.operation == "storage":
            answer = site.storage.error(code, "ServerBusy", "The server is busy.")
        else:
            answer = replies.fail("Server Error", code)
        answer.headers.update(headers or {})
        return answer

    return Fault(f"status {code}", apply)


def bad_gateway(min_per_page: int = 1) -> Fault:
    """Answer 502 with an HTML page if ``per_page`` is at least *min_per_page*."""

    def fits(call: Call) -> bool:
        return min(call.number("per_page", 30), 100) >= min_per_page

    return Fault("bad_gateway", lambda *_: html_page(502), fits)


def html() -> Fault:
    """Answer 200 with a page of HTML, as a captive portal or a proxy does."""
    page = b"<!DOCTYPE html><html><body>Please sign in to the network.</body></html>"
    return Fault("html", lambda *_: html_page(200, page))


def truncated_json() -> Fault:
    """Answer with the first half of the JSON, and a Content-Length that fits it."""

    def apply(_site: Site, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        answer.encoded = True
        answer.headers["Content-Type"] = "application/json; charset=utf-8"
        return answer

    return Fault("truncated_json", apply)


def shifting_list(kind: Literal["repeat", "total", "short"] = "repeat", by: int = 1) -> Fault:
    """
    Change a list while it is read.

    Args:
        kind: ``repeat``: each page from the second on starts with the last item of the page
            before and lacks its own last one; ``total``: each page from the second on reports
            *by* items more in total; ``short``: a page lacks its last *by* items.
        by: The number of items.
    """

    def apply(_site: Site, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if answer.status != 200 or not isinstance(answer.body, bytes):
            return answer
        total, key, items = payloads.read_page(answer.body)
        if kind == "total":
            total += by
        elif kind == "short":
            items = items[: max(0, len(items) - by)]
        elif items:
            before = normal(call.with_query(page=str(call.number("page", 1) - 1)))
            earlier = payloads.read_page(before.body)[2] if isinstance(before.body, bytes) else []
            items = [*earlier[-1:], *items[:-1]]
        answer.body = payloads.page(total, key, items)
        return answer

    def fits(call: Call) -> bool:
        return call.operation in {"jobs", "runs"} and (
            kind == "short" or call.number("page", 1) > 1
        )

    return Fault(f"shifting_list {kind}", apply, fits)


def redirect(status: int = 301, to: str = "repository") -> Fault:
    """
    Answer with a redirect.

    Args:
        status: 301, 302, 307 or 308.
        to: ``repository`` (the same thing below ``/repositories/ID``), ``loop`` (the same URL
            again), ``other_host`` (another origin), or a URL.
    """

    def apply(site: Site, call: Call, normal: Handler) -> Answer:
        url: str | None = to
        if to == "loop":
            url = call.url + query_of(call)
        elif to == "other_host":
            origin = call.storage_root if call.asked.origin == "api" else call.web_root
            url = origin + call.path + query_of(call)
        elif to == "repository":
            url = numbered_url(site.world, call)
        return normal(call) if url is None else replies.redirect(url, status)

    def fits(call: Call) -> bool:
        return to != "repository" or "repo" in call.args

    return Fault(f"redirect {to}", apply, fits)


def link_host(origin: str = "https://example.invalid") -> Fault:
    """Make the Link header name another origin."""

    def apply(_site: Site, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if "Link" in answer.headers:
            parts = urlsplit(call.api_root)
            here = f"{parts.scheme}://{parts.netloc}"
            answer.headers["Link"] = answer.headers["Link"].replace(here, origin)
        return answer

    return Fault("link_host", apply)


def log_location(to: str) -> Fault:
    """Make a log's Location *to*: another host, another scheme, or no URL at all."""

    def apply(_site: Site, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        if answer.status == 302:
            answer.headers["Location"] = to
        return answer

    return Fault("log_location", apply)
