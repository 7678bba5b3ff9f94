"""Errors as GitHub's API sends them."""

from __future__ import annotations

from ghjobs_async.testing.server.messages import Answer
from ghjobs_async.testing.world import payloads


class MissingError(Exception):
    """Say that something does not exist: 404. Its text is the documentation URL."""


def fail(message: str, status: int, docs: str = payloads.DOCS) -> Answer:
    """Answer with an error in GitHub's JSON."""
    return Answer(status, payloads.encode(payloads.error(message, status, docs)))


def redirect(url: str, status: int = 301) -> Answer:
    """Answer with a redirect within the API."""
    body = {"message": "Moved Permanently", "url": url, "documentation_url": payloads.DOCS}
    return Answer(status, payloads.encode(body), {"Location": url})
