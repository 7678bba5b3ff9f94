"""What is asked, and what an answer means, without any network."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from ghjobs_async import (
    ApiVersionError,
    AuthError,
    DecodeError,
    ForbiddenError,
    NotFoundError,
    ResponseError,
    RunRef,
    ServerError,
    TransportError,
)
from ghjobs_async.wire import answers, operations, urls
from ghjobs_async.wire.convert import is_empty_page, peek_total
from ghjobs_async.wire.messages import Answer, Request

REPO = "octo-org/octo-repo"
BASE = "https://api.github.com/repos/octo-org/octo-repo/actions/jobs/1/logs"
RUNS = "/repos/octo-org/octo-repo/actions/runs"


def answer(
    status: int = 200, body: object = b"", headers: dict[str, str] | None = None, url: str = BASE
) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, CIMultiDict(headers or {}), data, "GET", url)


@pytest.mark.parametrize(
    ("request_", "method", "target"),
    [
        (operations.get_job(REPO, 9), "GET", "/repos/octo-org/octo-repo/actions/jobs/9"),
        (operations.get_log(REPO, 9), "GET", "/repos/octo-org/octo-repo/actions/jobs/9/logs"),
        (
            operations.list_jobs(RunRef(REPO, 7), "latest", 100, 1),
            "GET",
            f"{RUNS}/7/jobs?filter=latest&per_page=100&page=1",
        ),
        (
            operations.list_jobs(RunRef(REPO, 7), "all", 50, 3),
            "GET",
            f"{RUNS}/7/jobs?filter=all&per_page=50&page=3",
        ),
        (
            operations.list_jobs(RunRef(REPO, 7, 2), "latest", 100, 1),
            "GET",
            f"{RUNS}/7/attempts/2/jobs?per_page=100&page=1",
        ),
        (operations.get_run(RunRef(REPO, 7)), "GET", f"{RUNS}/7"),
        (operations.get_run(RunRef(REPO, 7, 2)), "GET", f"{RUNS}/7/attempts/2"),
        (operations.list_runs(REPO, None, {}, 100, 1), "GET", f"{RUNS}?per_page=100&page=1"),
        (
            operations.list_runs(REPO, "ci.yml", {"branch": "a&b=c d"}, 100, 2),
            "GET",
            f"{RUNS[:-5]}/workflows/ci.yml/runs?branch=a%26b%3Dc+d&per_page=100&page=2",
        ),
        (
            operations.list_runs(REPO, "a/../b?", {}, 100, 1),
            "GET",
            "/repos/octo-org/octo-repo/actions/workflows/a%2F..%2Fb%3F/runs?per_page=100&page=1",
        ),
        (
            operations.list_runs(REPO, 5, {}, 1, 1),
            "GET",
            f"{RUNS[:-5]}/workflows/5/runs?per_page=1&page=1",
        ),
        (operations.get_installation(REPO), "GET", "/repos/octo-org/octo-repo/installation"),
        (operations.create_installation_token(5), "POST", "/app/installations/5/access_tokens"),
    ],
)
def test_requests_are_github_s(request_: Request[Any], method: str, target: str) -> None:
    """Each operation asks for its documented path and query, to the letter."""
    assert (request_.method, request_.target) == (method, target)


def test_a_request_knows_its_owner() -> None:
    """The owner picks the credential."""
    assert operations.get_job(REPO, 9).owner == "octo-org"
    assert operations.get_job(REPO, 9).undecoded().owner == "octo-org"


def test_an_app_s_answers_are_decoded() -> None:
    """An installation gives its id, a minted token the token and its end."""
    assert operations.get_installation(REPO).decode(answer(200, {"id": 5, "app_id": 1})) == 5
    minted = {"token": "ghs_1", "expires_at": "2026-10-01T13:00:00Z", "permissions": {}}
    token = operations.create_installation_token(5).decode(answer(201, minted))
    assert (token.token, token.expires_at.hour) == ("ghs_1", 13)


def test_html_in_place_of_json_is_no_answer() -> None:
    """A page of a proxy is never returned as a success; the error says what came."""
    html = answer(
        200, b"<!DOCTYPE html>", {"Content-Type": "text/html", "X-GitHub-Request-Id": "1"}
    )
    with pytest.raises(TransportError, match="text/html") as caught:
        operations.get_job(REPO, 9).decode(html)
    assert (caught.value.request_id, caught.value.retryable) == ("1", True)


def test_json_of_another_shape_is_told_with_its_problems() -> None:
    """What does not fit stands in the error: path, reason and value."""
    with pytest.raises(DecodeError, match=r"documented shape") as caught:
        operations.get_job(REPO, 9).decode(answer(200, {"message": "fine"}))
    assert caught.value.problems
    assert caught.value.url == BASE


# Errors.


def raised(
    status: int,
    body: object = b"",
    headers: dict[str, str] | None = None,
    *,
    api_version: str | None = "2026-03-10",
    authorized: bool = True,
) -> ResponseError:
    with pytest.raises(ResponseError) as caught:
        answers.raise_for(
            answer(status, body, headers), api_version=api_version, authorized=authorized, now=0.0
        )
    return caught.value


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, ResponseError),
        (401, AuthError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (410, ResponseError),
        (418, ResponseError),
        (422, ResponseError),
        (451, ForbiddenError),
        (500, ServerError),
        (502, ServerError),
        (599, ServerError),
    ],
)
def test_each_status_has_its_error(status: int, cls: type[ResponseError]) -> None:
    """The class tells the kind; the attributes hold what the answer said."""
    docs = "https://docs.github.com/rest"
    said = {"message": "Something else", "documentation_url": docs}
    error = raised(status, said, {"X-GitHub-Request-Id": "C0DE:1"})
    assert type(error) is cls
    assert (error.status, error.method, error.url) == (status, "GET", BASE)
    assert (error.request_id, error.message) == ("C0DE:1", "Something else")
    assert error.documentation_url == docs
    for text in (str(status), "Something else", BASE, "C0DE:1"):
        assert text in str(error)


@pytest.mark.parametrize("status", [400, 410])
@pytest.mark.parametrize("message", ["'2099-01-01' is not a supported API version.", ""])
def test_an_unknown_api_version_names_the_way_out(status: int, message: str) -> None:
    """An older server's refusal of the version header says which argument to change."""
    error = raised(status, {"message": message} if message else b"")
    assert type(error) is ApiVersionError
    assert "api_version" in str(error)
    assert "2022-11-28" in str(error)
    assert type(raised(status, {"message": message}, api_version=None)) is ResponseError


@pytest.mark.parametrize(
    ("status", "headers", "authorized", "hint"),
    [
        (401, {}, True, "wrong, expired or revoked"),
        (401, {}, False, "needs a token"),
        (404, {}, True, "cannot see it"),
        (404, {}, False, "needs a token"),
        (403, {}, True, "read Actions"),
        (403, {"X-Accepted-GitHub-Permissions": "actions=read"}, True, "actions=read"),
        (403, {"X-GitHub-SSO": "required; url=https://github.com/sso?x=1"}, True, "github.com/sso"),
        (403, {"X-GitHub-SSO": "partial-results; organizations=1"}, True, "single sign-on"),
        (451, {}, True, "legal"),
        (503, {}, True, "try again later"),
    ],
)
def test_errors_say_what_to_do(
    status: int, headers: dict[str, str], hint: str, *, authorized: bool
) -> None:
    """Single sign-on, a permission, a missing token: GitHub's own hint is passed on."""
    headers = {"X-GitHub-Request-Id": "C0DE:1", **headers}
    assert hint in str(raised(status, b"", headers, authorized=authorized))


# Messages as GitHub sends them, from reports of its users.
CREDENTIALS = "Although you appear to have the correct authorization credentials, the `octo` "
SAML = "Resource protected by organization SAML enforcement. You must grant your "
REFUSALS = {
    CREDENTIALS + "organization has an IP allow list enabled, and your IP address is not permitted "
    "to access this resource.": "address to the list",
    CREDENTIALS
    + "enterprise has an IP allow list enabled, and 10.0.0.1 is not permitted to access "
    "this resource.": "address to the list",
    CREDENTIALS
    + "organization has enabled OAuth App access restrictions, meaning that data access "
    "to third-parties is limited.": "approve the app",
    SAML + "OAuth token access to this organization.": "single sign-on",
    SAML + "Personal Access token access to this organization.": "single sign-on",
    "Sorry. Your account was suspended.": "account is suspended",
    "This installation has been suspended": "unsuspend",
    "`octo` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, "
    "or a personal access token with fine-grained permissions.": "kind and lifetime",
    "The 'octo' organization forbids access via a fine-grained personal access tokens if the token's "
    "lifetime is greater than 366 days.": "kind and lifetime",
    "Unauthorized: As an Enterprise Managed User, you cannot access this content": "account outside",
    "Maximum number of login attempts exceeded. Please try again later.": "wait",
    "Repository access blocked": "terms of service",
}


@pytest.mark.parametrize("message", REFUSALS)
@pytest.mark.parametrize("authorized", [False, True])
def test_the_hint_of_a_403_fits_its_message(message: str, *, authorized: bool) -> None:
    """An allow list, single sign-on, a suspension: more rights for the token would not help."""
    error = raised(403, {"message": message}, authorized=authorized)
    assert type(error) is ForbiddenError
    assert REFUSALS[message] in str(error)
    assert "read Actions" not in str(error)
    assert "needs a token" not in str(error)


@pytest.mark.parametrize(
    ("message", "authorized", "hint"),
    [
        ("Must have admin rights to Repository.", False, "none was given or found"),
        ("Must have admin rights to Repository.", True, "read Actions"),
        ("Resource not accessible by integration", True, "read Actions"),
        ("Resource not accessible by personal access token", True, "read Actions"),
    ],
)
def test_missing_rights_are_told_from_a_missing_token(
    message: str, hint: str, *, authorized: bool
) -> None:
    """Without a token, none was found; with one, it lacks the right."""
    assert hint in str(raised(403, {"message": message}, authorized=authorized))


PAGE = b"\n<!DOCTYPE html><html><title>Sign in</title></html>"
FROM_GITHUB = {"X-GitHub-Request-Id": "C0DE:1", "Content-Type": "text/html"}
COOKIES = {"message": "Cookies must be enabled to use GitHub."}


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (404, PAGE, {}),
        (404, PAGE, FROM_GITHUB),
        (404, b"", {}),
        (406, PAGE, {}),
        (406, b"", {}),
        (406, b"", FROM_GITHUB),
        (403, PAGE, FROM_GITHUB),
        (403, COOKIES, {}),
        (403, COOKIES, FROM_GITHUB),
    ],
)
@pytest.mark.parametrize(
    "root", ["https://ghe.example.com", "https://ghe.example.com:8443/api", "http://[::1]:80"]
)
def test_a_web_site_is_asked_whether_it_is_the_root(
    status: int, body: object, headers: dict[str, str], root: str
) -> None:
    """What the site of an Enterprise Server answers names the root of its API."""
    url = f"{root}/repos/octo-org/octo-repo/actions/jobs/1"
    with pytest.raises(ResponseError, match="is this the root of a GitHub API") as caught:
        answers.raise_for(
            answer(status, body, headers, url), api_version=None, authorized=True, now=0.0
        )
    assert type(caught.value) is ResponseError
    assert f"{root.removesuffix('/api')}/api/v3" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 451])
@pytest.mark.parametrize("body", [PAGE, b"blocked by policy", b'{"blocked": true}'])
@pytest.mark.parametrize(
    "url", [BASE, "https://ghe.example.com/api/v3/repos/octo-org/octo-repo/actions/jobs/1"]
)
def test_an_answer_of_a_filter_is_not_judged_as_github_s(
    status: int, body: bytes, url: str
) -> None:
    """Without GitHub's headers or its JSON: no missing right, nothing deleted, no old version."""
    given = answer(status, body, {"Via": "1.1 filter.example\x1b[2J"}, url)
    with pytest.raises(ResponseError, match="not GitHub's answer") as caught:
        answers.raise_for(given, api_version="2026-03-10", authorized=True, now=0.0)
    assert type(caught.value) is ResponseError
    assert caught.value.status == status
    assert "1.1 filter.example" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("workflow", "named"),
    [("CI Build", True), ("ci", True), ("ci.yml", False), ("a b.YAML", True), ("7", False)],
)
def test_a_workflow_is_not_named_by_its_title(workflow: str, *, named: bool) -> None:
    """A 404 for a display name says that a file name or a number is wanted."""
    url = "https://api.github.com" + operations.list_runs(REPO, workflow, {}, 100, 1).target
    given = answer(404, {"message": "Not Found"}, FROM_GITHUB, url)
    with pytest.raises(NotFoundError) as caught:
        answers.raise_for(given, api_version=None, authorized=True, now=0.0)
    assert ("by its file (ci.yml) or its number" in str(caught.value)) is named


@pytest.mark.parametrize(
    ("url", "kind", "hint"),
    [
        ("https://ghe.example.com/repos/o/r", "text/html", "https://ghe.example.com/api/v3"),
        (BASE, "text/html", "not GitHub's answer"),
        (BASE, "application/json", "is not whole JSON"),
    ],
)
def test_a_page_is_no_answer(url: str, kind: str, hint: str) -> None:
    """It is asked whether this is the root of an API; half an answer is not asked that."""
    with pytest.raises(TransportError, match="not whole JSON") as caught:
        operations.get_job(REPO, 9).decode(answer(200, b"<html>", {"Content-Type": kind}, url))
    assert hint in str(caught.value)
    assert caught.value.retryable
    assert ("root of a GitHub API" in str(caught.value)) is ("ghe" in url)


def test_a_server_s_wish_is_kept() -> None:
    """A 503 may say when to ask again."""
    error = raised(503, b"", {"Retry-After": "7"})
    assert isinstance(error, ServerError)
    assert error.retry_after == 7.0


@given(
    st.integers(300, 599).filter(lambda status: status != 304),
    st.binary() | st.text().map(str.encode),
    st.text(),
    st.text(),
)
@example(500, b'{"message": "' + b"x" * 10_000 + b'"}', "a\nb", "\x1b[2J")
@example(404, b'{"message": ["no text"]}', "", "")
@example(404, b"[" * 100_000, "", "")
def test_any_answer_is_one_short_line(status: int, body: bytes, one: str, two: str) -> None:
    """Whatever a server says, the error's text is one line without control characters."""
    headers = {"X-GitHub-SSO": one, "X-Accepted-GitHub-Permissions": two}
    error = raised(status, body, {**headers, "X-GitHub-Request-Id": one})
    assert str(error).isprintable()
    assert len(str(error)) < 2000


def test_the_limit_s_error_says_until_when() -> None:
    """Scope and time stand in attributes and in the text."""
    given = answer(403, {"message": "slow"})
    error = answers.rate_limit_error("primary", 1_800_000_000.0, url=BASE, max_wait=9, answer=given)
    assert (error.scope, error.status, error.message) == ("primary", 403, "slow")
    assert error.retry_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert "2027-01-15 08:00:00 UTC" in str(error)


# Links and redirects.


@pytest.mark.parametrize(
    ("link", "more"),
    [
        (None, False),
        (
            '<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x>; rel="last"',
            True,
        ),
        (
            '<https://api.github.com/x>; rel="prev", <https://API.github.com:443/x>; rel="next"',
            True,
        ),
        ("<https://api.github.com/x>; rel=next", True),
        ('<https://api.github.com/repositories/1/x>; rel="next"', True),
        ('<https://api.github.com/x>; rel="last"', False),
        ('<https://evil.example/x>; rel="next"', False),
        ('<http://api.github.com/x>; rel="next"', False),
        ('<https://api.github.com.evil.example/x>; rel="next"', False),
        ('<https://api.github.com:8443/x>; rel="next"', False),
        ('</relative>; rel="next"', False),
        ('<https://[::1>; rel="next"', False),
        ("next", False),
        ("<" * 100_000 + "next", False),
    ],
)
def test_a_link_only_says_that_there_is_more(link: str | None, *, more: bool) -> None:
    """The next page counts only on the API's own origin; its URL is never followed."""
    assert urls.has_next(answer(headers={} if link is None else {"Link": link})) is more


@given(st.text() | st.from_regex(r'<[^>]*>; rel="next".*'))
def test_any_link_is_survived(link: str) -> None:
    """A Link header never raises, whatever stands in it."""
    assert urls.has_next(answer(headers={"Link": link})) in {True, False}


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("https://storage.example/log?sig=1", "https://storage.example/log?sig=1"),
        ("/repositories/1/x?y=2", "https://api.github.com/repositories/1/x?y=2"),
        ("//storage.example/log", "https://storage.example/log"),
        ("https://storage.example:8443/log", "https://storage.example:8443/log"),
        ("https://[::1]/log", "https://[::1]/log"),
    ],
)
def test_locations_are_resolved(given: str, target: str) -> None:
    """A Location may be whole or relative."""
    assert urls.location(answer(302, b"", {"Location": given}), BASE) == target


@pytest.mark.parametrize(
    "given",
    [
        *("", "http://storage.example/log", "http://api.github.com/", "ftp://storage.example/log"),
        *("file:///etc/passwd", "javascript:alert(1)", "http://", "https://[::1/x"),
        *("https://u:p@storage.example/x", "https://a.example:port/", "https://a.example:99999/"),
        *(
            "https://storage.example/a b",
            "https://storage.example/\x00",
            "https://a.exa\udce9mple/",
        ),
    ],
)
def test_locations_that_are_never_followed(given: str) -> None:
    """None at all, no http, down from https, credentials in it, or malformed: one clear error."""
    with pytest.raises(TransportError, match="not followed") as caught:
        urls.location(answer(302, b"", {"Location": given}), BASE)
    assert not caught.value.retryable
    assert "sig=" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "login"),
    [
        ("/login", True),
        ("/login?return_to=https%3A%2F%2Fghe.example.com", True),
        ("https://sso.example.com/auth/SignIn/#x", True),
        ("https://ghe.example.com/orgs/octo/sso", True),
        ("https://storage.example/login.txt?sig=1", False),
        ("https://storage.example/log?rd=/login-1", False),
        ("/repos/octo-org/login/actions/jobs/1", False),
    ],
)
def test_a_login_page_is_not_followed(given: str, *, login: bool) -> None:
    """What leads to one is no API: the error names where that is."""
    url = "https://ghe.example.com/repos/octo-org/octo-repo/actions/jobs/1"
    redirect = answer(302, b"", {"Location": given}, url)
    if not login:
        assert urls.location(redirect, url)
        return
    with pytest.raises(TransportError, match=r"login page.*root of a GitHub API") as caught:
        urls.location(redirect, url)
    assert not caught.value.retryable
    assert "https://ghe.example.com/api/v3" in str(caught.value)
    with pytest.raises(TransportError, match=r"login page$"):
        urls.location(redirect, "https://storage.example/log?sig=1")


@given(st.text() | st.from_regex(r"https?://\S*") | st.from_regex(r"[a-z]{1,5}:\S*"))
@example("https://api.github.com\\@evil.example/")
@example("https://api.github.com\t.evil.example/")
@example("https://evil.example\\.api.github.com/")
def test_any_location_is_followed_safely_or_refused(given: str) -> None:
    """Nothing but a TransportError is raised, and what is followed is plain https."""
    try:
        target = urls.location(answer(302, b"", {"Location": given}), BASE)
    except TransportError:
        return
    parts = urlsplit(target)
    assert parts.scheme == "https"
    assert parts.username is None
    assert parts.password is None
    assert parts.hostname
    assert target.isprintable()
    urls.origin(target)
    urls.link_expiry(target)
    assert "?" not in urls.redacted(target)


@given(st.text(), st.from_regex(r"[A-Za-z0-9%._~-]+", fullmatch=True))
def test_a_redacted_url_has_no_secret(path: str, secret: str) -> None:
    """Query, fragment and credentials are gone; the rest is one printable line."""
    url = f"https://user:{secret}-pw@storage.example/{path.replace('?', '').replace('#', '')}"
    try:
        text = urls.redacted(f"{url}?se=1&sig=s3cret-{secret}#frag-s3cret")
    except ValueError:
        return
    assert "s3cret" not in text
    assert "-pw" not in text.partition("storage.example")[0]
    assert text.isprintable()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("se=2026-10-01T12%3A00%3A00Z&sig=x", datetime(2026, 10, 1, 12, tzinfo=UTC)),
        (
            "urlExpires=2023-03-15T17%3A04%3A30.1234567Z",
            datetime(2023, 3, 15, 17, 4, 30, 123456, UTC),
        ),
        ("se=2026-10-01", datetime(2026, 10, 1, tzinfo=UTC)),
        ("se=tomorrow", None),
        ("se=", None),
        ("", None),
    ],
)
def test_a_link_s_end_is_read_where_it_is_told(query: str, expected: datetime | None) -> None:
    """Today's storage and the one before say in the query when a link dies."""
    assert urls.link_expiry(f"https://storage.example/log?{query}") == expected


def test_totals_are_read_ahead_only_where_they_stand_first() -> None:
    """The number of pages is known before any of them is decoded."""
    assert peek_total(b'{"total_count":250,"jobs":[') == 250
    assert peek_total(b' {\n "total_count" : 0 }') == 0
    for body in (
        b'{"jobs":[],"total_count":3}',
        b'{"total_count":-1,',
        b'{"total_count":1.5}',
        b"",
    ):
        assert peek_total(body) is None


def test_a_pull_request_is_known_by_its_head() -> None:
    """Its head commit is all that is read of it."""
    request = operations.get_pull_head(REPO, 7)
    assert request.target == f"/repos/{REPO}/pulls/7"
    assert request.decode(answer(200, {"head": {"sha": "f83a356", "ref": "main"}})) == "f83a356"


def test_an_answer_hides_its_body_and_the_token() -> None:
    """Its repr may stand in somebody's log."""
    one = Answer(200, {}, b"b0dy", "GET", BASE, "Bearer s3cret")
    assert BASE in repr(one)
    assert not any(secret in repr(one) for secret in ("b0dy", "s3cret"))


def test_empty_pages_are_known() -> None:
    """A page without items ends a list whose total is wrong."""
    assert is_empty_page(b'{"total_count": 300, "jobs": []}')
    assert not is_empty_page(b'{"total_count":1,"jobs":[{"id":1}]}')
