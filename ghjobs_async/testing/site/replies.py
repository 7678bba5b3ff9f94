"""Answers as GitHub's API sends them."""

from __future__ import annotations

from collections.abc import Mapping

from ghjobs_async.testing.server.messages import Answer
from ghjobs_async.testing.world import payloads


def ok(value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer 200 with JSON."""
    return Answer(200, payloads.encode(value), dict(headers or {}))


def fail(
    message: str,
    status: int,
    docs: str = payloads.DOCS,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Answer:
    """Answer with an error in GitHub's JSON, with *more* keys if given."""
    body = {"message": message, "documentation_url": docs, "status": str(status), **more}
    return Answer(status, payloads.encode(body), dict(headers or {}))


class RefusedError(Exception):
    """Carry the answer to a request that is not done as asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def redirect(url: str, status: int = 301) -> Answer:
    """Answer with a redirect within the API."""
    body = {"message": "Moved Permanently", "url": url, "documentation_url": payloads.DOCS}
    return Answer(status, payloads.encode(body), {"Location": url})


def found(url: str) -> Answer:
    """Answer 302 to the storage."""
    return Answer(302, b"", {"Location": url, "Content-Type": "text/html;charset=utf-8"})


def html(status: int, body: str) -> Answer:
    """Answer with a page of HTML, which does not come from the API."""
    kind = {"Content-Type": "text/html; charset=utf-8"}
    return Answer(status, body.encode(), kind, bare=True, encoded=True)
