"""What is read from the environment: the API's root, the token for it, the proxies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import ConfigurationError
from ghjobs_async.environment import api_root, find_token, is_github_com, proxy_for

GITHUB = "https://api.github.com"
GHES = "https://ghe.example.com/api/v3"
TOKENS = {
    "GH_TOKEN": "gh",
    "GITHUB_TOKEN": "github",
    "GH_ENTERPRISE_TOKEN": "ghe",
    "GITHUB_ENTERPRISE_TOKEN": "github-enterprise",
}


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("github.com", GITHUB),
        ("GitHub.com", GITHUB),
        ("api.github.com", GITHUB),
        ("https://github.com", GITHUB),
        ("https://github.com/", GITHUB),
        ("https://api.github.com/", GITHUB),
        ("octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com"),
        ("ghe.example.com", GHES),
        (" ghe.example.com\n", GHES),
        ("ghe.example.com:8443", "https://ghe.example.com:8443/api/v3"),
        ("https://ghe.example.com/api/v3", GHES),
        ("https://ghe.example.com/api/v3/", GHES),
        ("http://ghe.example.com/api/v3", "http://ghe.example.com/api/v3"),
        ("http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/v3"),
        ("[::1]:8080", "https://[::1]:8080/api/v3"),
        ("http://[::1]:8080/api/v3", "http://[::1]:8080/api/v3"),
        ("localhost", "https://localhost/api/v3"),
    ],
)
def test_roots_are_completed(given: str, root: str) -> None:
    """A host name alone is enough for github.com, ghe.com and an Enterprise Server."""
    assert api_root(given, {}) == root


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", "/", "https://", "ftp://github.com", "file:///etc/passwd", "http:///api/v3"),
        *("https://user:ghp_secret@ghe.example.com/api/v3", "user@ghe.example.com"),
        *("https://ghe.example.com/api/v3?x=1", "https://ghe.example.com/api/v3#x"),
        *("https://ghe.example.com/a b", "https://ghe.example.com:port", "ghe.example.com:99999"),
        *("ghe.example.com/api/v3", "ghe example.com", "ghe.example.com\nx", "https://[::1", "::1"),
        *("-ghe.example.com", "ghe..example.com", "https://ghé.example.com/api/v3", 7, b"x"),
    ],
)
def test_other_roots_are_rejected(given: object) -> None:
    """The error has one line, and does not repeat credentials."""
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        api_root(given, {})  # type: ignore[arg-type]
    assert "ghp_secret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "given", ["http://github.com", "http://api.github.com", "http://a.ghe.com"]
)
def test_github_com_needs_https(given: str) -> None:
    """A token is never sent to GitHub's own hosts without encryption."""
    with pytest.raises(ConfigurationError, match="https"):
        api_root(given, {})


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({}, GITHUB),
        ({"GH_HOST": "ghe.example.com"}, GHES),
        ({"GITHUB_API_URL": GHES}, GHES),
        ({"GITHUB_API_URL": "https://api.github.com", "GH_HOST": "ghe.example.com"}, GITHUB),
        ({"GITHUB_API_URL": "", "GH_HOST": ""}, GITHUB),
    ],
)
def test_roots_are_found_in_the_environment(environ: dict[str, str], root: str) -> None:
    """A runner's variable comes before gh's, then github.com; an empty variable is not set."""
    assert api_root(None, environ) == root


def test_a_bad_variable_is_named() -> None:
    """The error names the variable that is wrong."""
    with pytest.raises(ConfigurationError, match="GH_HOST"):
        api_root(None, {"GH_HOST": "not a host"})


@given(st.text())
def test_any_text_is_a_root_or_an_error(text: str) -> None:
    """Nothing else is raised, and every accepted root is an http URL without credentials."""
    try:
        root = api_root(text, {})
    except ConfigurationError:
        return
    assert root.startswith(("http://", "https://"))
    assert "@" not in root
    assert not root.endswith("/")


@pytest.mark.parametrize(
    ("root", "environ", "expected"),
    [
        (GITHUB, TOKENS, "gh"),
        (GITHUB, {"GITHUB_TOKEN": "github"}, "github"),
        (GITHUB, {"GH_TOKEN": "", "GITHUB_TOKEN": "github"}, "github"),
        (GITHUB, {"GH_ENTERPRISE_TOKEN": "ghe", "GITHUB_ENTERPRISE_TOKEN": "x"}, None),
        ("https://api.octo.ghe.com", TOKENS, "gh"),
        (GHES, TOKENS, "ghe"),
        (GHES, {"GITHUB_ENTERPRISE_TOKEN": "x"}, "x"),
        (GHES, {"GH_TOKEN": "gh", "GITHUB_TOKEN": "github"}, None),
        (GHES, {"GITHUB_TOKEN": "github", "GITHUB_API_URL": GHES}, "github"),
        (GHES, {"GH_TOKEN": "gh", "GITHUB_API_URL": GHES}, None),
        (GHES, {"GITHUB_TOKEN": "github", "GITHUB_API_URL": GITHUB}, None),
        (GHES, {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "http://ghe.example.com/api/v3"}, None),
        (GHES, {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghe.example.com:8443"}, None),
        (GHES, {"GITHUB_TOKEN": "github", "GITHUB_API_URL": "no url at all"}, None),
        ("https://github.com.evil.example/api/v3", TOKENS, "ghe"),
        ("https://notghe.com/api/v3", {"GH_TOKEN": "gh"}, None),
    ],
)
def test_tokens_belong_to_hosts(root: str, environ: dict[str, str], expected: str | None) -> None:
    """As in gh, a github.com token goes to no other host, and an Enterprise token not to it."""
    found = find_token(root, environ)
    assert (None if found is None else found[0]) == expected
    if found is not None:
        assert environ[found[1]] == found[0]


@pytest.mark.parametrize(
    ("host", "ours"),
    [("github.com", True), ("octo.ghe.com", True), ("ghe.example.com", False), ("", False)],
)
def test_hosts_run_by_github_are_known(host: str, *, ours: bool) -> None:
    """GitHub itself runs github.com and the subdomains of ghe.com."""
    assert is_github_com(host) is ours


def test_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy is chosen by scheme, may be a bare host, and NO_PROXY excludes hosts."""
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "ghe.example.com,.internal")
    assert proxy_for("https", "api.github.com") == "http://proxy.example:3128"
    assert proxy_for("http", "api.github.com") is None
    assert proxy_for("https", "ghe.example.com") is None
    assert proxy_for("https", "a.internal") is None


def test_other_kinds_of_proxies_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy is an error, since requests would silently bypass it."""
    monkeypatch.setenv("https_proxy", "socks5://user:secret@proxy.example:1080")
    with pytest.raises(ConfigurationError, match="socks5") as caught:
        proxy_for("https", "api.github.com")
    assert "secret" not in str(caught.value)
