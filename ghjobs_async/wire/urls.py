"""Addresses: origins, redirects, signed links, and the Link header."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from ghjobs_async.errors import one_line
from ghjobs_async.wire.answers import root_hint
from ghjobs_async.wire.messages import Answer

# Where an Enterprise Server's web site, or a gateway in front of it, sends anonymous requests.
_LOGIN: Final = re.compile(r"/(?:login|sign_?in|sso)/?(?:[?#]|$)", re.IGNORECASE)
_CHECK_RUN: Final = re.compile(
    r"/repos/([A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})/check-runs/([0-9]{1,18})", re.ASCII
)
_REPOSITORY: Final = re.compile(r"/(?:repos/[^/?#]+/[^/?#]+|repositories/[0-9]+)(?=[/?#]|$)")
_MAX_LINK_HEADER: Final = 8192


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port; the token goes to one origin only."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def redacted(url: str) -> str:
    """Return a URL without what may be secret: its query, fragment and credentials."""
    parts = urlsplit(url)
    return one_line(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def location(answer: Answer, base: str) -> str:
    """
    Return the address that a redirect from *base* leads to.

    Raises:
        TransportError: It is missing, or must not be followed: it is not http(s), leads from https
            to http or to a login page, or contains credentials.
    """
    given = answer.headers.get("Location", "")
    if _LOGIN.search(given):
        # A signed link is below no root.
        hint = f"; {root_hint(answer)}" if "/repos/" in base else ""
        raise answer.unusable(f"{answer.status} leads to a login page{hint}", retryable=False)
    try:
        target = given if given.startswith(("https://", "http://")) else urljoin(base, given)
        problem = _problem(target, base) if given else "missing"
    except ValueError:
        target, problem = given, "malformed"
    if problem is not None:
        words = f"{answer.status} leads to a Location that is not followed: {problem}"
        raise answer.unusable(words, retryable=False)
    return target


def _problem(target: str, base: str) -> str | None:
    """Return why a redirect to *target* is not followed; None where it is."""
    parts = urlsplit(target)
    _ = parts.port
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"no web address ({one_line(parts.scheme)[:20]}:...)"
    if parts.scheme == "http" and base.startswith("https:"):
        return "down from https to http"
    if "@" in parts.netloc or not target.isprintable() or " " in target:
        return "malformed"
    return None


def is_same_resource(target: str, asked: str) -> bool:
    """
    Return whether a redirect led to the resource that was asked, under its repository's other name.

    The API redirects ``/repos/OLD/NAME`` to ``/repositories/ID``, and keeps the rest.
    """
    # Both have such a part, or neither.
    return target == asked or _REPOSITORY.subn("", target, 1) == _REPOSITORY.subn("", asked, 1)


def is_log_path(url: str, root: str) -> bool:
    """Return whether a log's redirect stays in the API; any other address is a signed link."""
    path, base = urlsplit(url).path, urlsplit(root).path
    below = path.startswith((f"{base}/repos/", f"{base}/repositories/"))
    return below and path.endswith("/logs") and origin(url) == origin(root)


def check_run(url: str, root: str) -> tuple[str, int] | None:
    """Return the repository and id of a check run below the API's root; None for another address."""
    found = _CHECK_RUN.fullmatch(url, len(root)) if url.startswith(f"{root}/") else None
    return (found[1], int(found[2])) if found else None


def link_expiry(url: str) -> datetime | None:
    """Return when a signed link expires, where its query says so (in the current storage or the old one)."""
    named = re.search(r"[?&](?:se|urlExpires)=([^&#]{10,64})", url)
    try:
        found = datetime.fromisoformat(unquote(named[1]) if named else "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def has_next(answer: Answer) -> bool:
    """
    Return whether the Link header names a next page on the API's own origin.

    Pages are asked for by number, so a Link is never followed.
    """
    link = answer.headers.get("Link", "")[:_MAX_LINK_HEADER]
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
