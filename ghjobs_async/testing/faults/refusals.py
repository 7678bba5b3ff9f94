"""Refusals: limits, credentials, permissions, blocked repositories, API versions."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from ghjobs_async.testing.faults.answers import html_page
from ghjobs_async.testing.faults.script import Fault
from ghjobs_async.testing.server.messages import Answer, Call, Handler
from ghjobs_async.testing.site.replies import fail
from ghjobs_async.testing.site.site import Site
from ghjobs_async.testing.world import payloads

LimitForm: TypeAlias = Literal["retry-after", "message", "documentation_url", "html"]

_LIMIT_DOCS: Final = (
    f"{payloads.DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)
_SECONDARY: Final = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


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

    def apply(_site: Site, _call: Call, _: Handler) -> Answer:
        if form == "html":
            return html_page(status, f"<html><body><p>{_SECONDARY}</p></body></html>".encode())
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
    """Answer that the hour's budget is used up; it resets in *reset_in* seconds."""

    def apply(site: Site, _call: Call, _: Handler) -> Answer:
        limit = site.budget.limit or 5000
        answer = fail("API rate limit exceeded for user ID 1.", status)
        answer.headers.update(
            {
                "X-RateLimit-Limit": str(limit),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Used": str(limit),
                "X-RateLimit-Reset": str(int(site.clock()) + reset_in),
                "X-RateLimit-Resource": "core",
            }
        )
        return answer

    return Fault("primary_limit", apply)


def _refused(name: str, code: int, message: str, **headers: str) -> Fault:
    def apply(_site: Site, _call: Call, _: Handler) -> Answer:
        answer = fail(message, code)
        answer.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
        return answer

    return Fault(name, apply)


def bad_credentials() -> Fault:
    """Answer that the token is not valid: 401."""
    return _refused("bad_credentials", 401, "Bad credentials")


def saml() -> Fault:
    """Answer that the token is not authorised for the organisation's single sign-on: 403."""
    url = "https://github.com/orgs/octo-org/sso?authorization_request=AAAAAAAA"
    text = "Resource protected by organization SAML enforcement. You must grant your Personal "
    return _refused(
        "saml",
        403,
        text + "Access token access to this organization.",
        X_GitHub_SSO=f"required; url={url}",
    )


def missing_permission() -> Fault:
    """Answer that the token lacks a permission, named in a header: 403."""
    text = "Resource not accessible by integration"
    return _refused("missing_permission", 403, text, X_Accepted_GitHub_Permissions="actions=read")


def blocked() -> Fault:
    """Answer that the repository is blocked for legal reasons: 451."""

    def apply(site: Site, _call: Call, _: Handler) -> Answer:
        body = payloads.error("Repository access blocked", 451)
        notice = f"{payloads.WEB}/github/dmca"
        body["block"] = {"reason": "dmca", "created_at": site.now(), "html_url": notice}
        return Answer(451, payloads.encode(body))

    return Fault("blocked", apply)


def unknown_api_version(status: int = 400) -> Fault:
    """Answer that the API version does not exist (400) or is no longer supported (410)."""
    text = {410: "This API version is no longer supported."}.get(
        status, "This is not a supported API version."
    )
    docs = f"{payloads.DOCS}/about-the-rest-api/api-versions"
    return Fault("unknown_api_version", lambda *_: fail(text, status, docs))
