"""The faults of whoever asks: credentials, permissions, blocks and versions. See `faults`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghjobs_async.testing import payloads
from ghjobs_async.testing.answers import Answer
from ghjobs_async.testing.api import fail
from ghjobs_async.testing.script import Fault

if TYPE_CHECKING:
    from ghjobs_async.testing.answers import Call, Handler
    from ghjobs_async.testing.fake import FakeGitHub


def _refused(name: str, code: int, message: str, **headers: str) -> Fault:
    def apply(_fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        answer = fail(message, code)
        answer.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
        return answer

    return Fault(name, apply)


def bad_credentials() -> Fault:
    """Answer that the token is no good: 401."""
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
    """Answer that the token lacks a permission, and which: 403."""
    text = "Resource not accessible by integration"
    return _refused("missing_permission", 403, text, X_Accepted_GitHub_Permissions="actions=read")


def blocked() -> Fault:
    """Answer that the repository is blocked for legal reasons: 451."""

    def apply(fake: FakeGitHub, _call: Call, _: Handler) -> Answer:
        body = payloads.error("Repository access blocked", 451)
        notice = f"{payloads.WEB}/github/dmca"
        body["block"] = {"reason": "dmca", "created_at": fake.now(), "html_url": notice}
        return Answer(451, payloads.encode(body))

    return Fault("blocked", apply)


def unknown_api_version(status: int = 400) -> Fault:
    """Answer that the API version does not exist (400) or is no longer supported (410)."""
    text = {410: "This API version is no longer supported."}.get(
        status, "This is not a supported API version."
    )
    docs = f"{payloads.DOCS}/about-the-rest-api/api-versions"
    return Fault("unknown_api_version", lambda _fake, _call, _normal: fail(text, status, docs))
