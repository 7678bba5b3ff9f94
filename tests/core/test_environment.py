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
        *("a[::1]", "https://[::1]b"),
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


# Proxies.

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("environ", "scheme", "expected"),
    [
        ({}, "https", None),
        ({"https_proxy": PROXY}, "https", PROXY),
        ({"https_proxy": "proxy.example:3128"}, "https", PROXY),
        ({"https_proxy": f" {PROXY}/ "}, "https", f"{PROXY}/"),
        ({"https_proxy": "https://u:p%40@[::1]:3128"}, "https", "https://u:p%40@[::1]:3128"),
        ({"https_proxy": PROXY}, "http", None),
        ({"http_proxy": PROXY}, "https", None),
        ({"HTTPS_PROXY": PROXY}, "https", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https", PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, "https", PROXY),
        ({"all_proxy": PROXY}, "https", PROXY),
        ({"ALL_PROXY": PROXY}, "http", PROXY),
        ({"HTTPS_PROXY": PROXY, "all_proxy": "http://other"}, "https", PROXY),
        ({"HTTP_PROXY": PROXY}, "http", PROXY),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http", None),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, "http", PROXY),
    ],
)
def test_proxies_are_found_as_curl_finds_them(
    environ: dict[str, str], scheme: str, expected: str | None
) -> None:
    """
    By scheme, then for all; the lower-case name first; an empty variable is not set.

    Anybody can set HTTP_PROXY of a CGI script by sending a header, so it does not count there.
    """
    assert proxy_for(scheme, "ghe.example.com", 443, environ) == expected


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("ghe.example.com", "ghe.example.com", True),
        ("GHE.Example.com", "ghe.example.com", True),
        ("example.com", "ghe.example.com", True),
        (".example.com", "ghe.example.com", True),
        (".example.com", "example.com", True),
        ("example.com.", "ghe.example.com", True),
        ("example.com", "ghe.example.com.", True),
        ("*.example.com", "ghe.example.com", True),
        ("*.example.com", "example.com", False),
        ("ample.com", "example.com", False),
        ("example.com", "example.com.evil.example", False),
        ("ghe.example.com", "example.com", False),
        ("*", "ghe.example.com", True),
        ("a, ghe.example.com ,b", "ghe.example.com", True),
        ("a ghe.example.com\tb", "ghe.example.com", True),
        (",, a,", "ghe.example.com", False),
        ("ghe.example.com:8443", "ghe.example.com", True),
        ("ghe.example.com:443", "ghe.example.com", False),
        ("*:8443", "ghe.example.com", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.10", False),
        ("10.0.0.1:8443", "10.0.0.1", True),
        ("10.0.0.1:80", "10.0.0.1", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.9.9.9/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "ghe.example.com", False),
        ("10.0.0.0/8", "::1", False),
        ("127.*", "127.0.0.1", True),
        ("127.*", "10.127.0.1", False),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("[::1]:8443", "::1", True),
        ("[::1]:80", "::1", False),
        ("0:0:0:0:0:0:0:1", "::1", True),
        ("fe80::/10", "fe80::1", True),
        ("fe80::/10", "2001:db8::1", False),
    ],
)
def test_no_proxy_is_read_as_curl_and_go_read_it(no_proxy: str, host: str, *, direct: bool) -> None:
    """Domains, addresses, networks and patterns, with or without a port, by commas or blanks."""
    environ = {"https_proxy": PROXY, "no_proxy": no_proxy}
    assert proxy_for("https", host, 8443, environ) == (None if direct else PROXY)


@pytest.mark.parametrize(
    "entry",
    [
        *("10.0.0", "10.0.0.", "10.0.0.0/33", "256.1.1.1", "1.2.3.4.5", "::1::", "[::1", "10/8"),
        *("https://ghe.example.com", "ghe.example.com/api", "ghe.example.com:https", "a:99999"),
        *("a;b", "<local>", "a..b", ".", "ghé.example.com", "a|b", "?.example.com", ":443"),
    ],
)
@pytest.mark.parametrize("others", ["", "ghe.example.com,", "b "])
def test_an_entry_that_is_not_understood_is_an_error(entry: str, others: str) -> None:
    """It is no reason to send a token through a proxy; without a proxy it has no effect."""
    environ = {"NO_PROXY": f"{others}{entry}"}
    assert proxy_for("https", "ghe.example.com", 443, environ) is None
    with pytest.raises(ConfigurationError, match="NO_PROXY contains ") as caught:
        proxy_for("https", "ghe.example.com", 443, {**environ, "all_proxy": PROXY})
    assert "correct or remove it" in str(caught.value)


@given(st.text(), st.text(), st.sampled_from(["ghe.example.com", "10.0.0.1", "::1"]))
def test_any_variables_are_a_proxy_or_an_error(proxy: str, no_proxy: str, host: str) -> None:
    """Nothing else is raised."""
    environ = {"https_proxy": proxy, "no_proxy": no_proxy}
    try:
        found = proxy_for("https", host, 443, environ)
    except ConfigurationError:
        return
    assert found is None or found.startswith(("http://", "https://"))


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "socks4", "SOCKS5", "ftp"])
def test_other_kinds_of_proxies_are_rejected(kind: str) -> None:
    """A SOCKS proxy is an error that names it and its variable, since requests would bypass it."""
    environ = {"ALL_PROXY": f"{kind}://user:secret@proxy.example:1080"}
    with pytest.raises(ConfigurationError, match=f"ALL_PROXY names a {kind.lower()}") as caught:
        proxy_for("https", "api.github.com", 443, environ)
    assert "secret" not in str(caught.value)
    assert proxy_for("https", "a.test", 443, {**environ, "no_proxy": "a.test"}) is None


@pytest.mark.parametrize(
    "value",
    [
        *("http://user:sec/ret@proxy:3128", "http://user:1/secret@proxy", "user:sec#ret@proxy:1"),
        *("http://proxy:secret", "http://", "://proxy", "http://proxy/secret", "http://[::1"),
        *("http://proxy:99999", "http://pro\nxy"),
    ],
)
def test_a_malformed_proxy_is_rejected(value: str) -> None:
    """The error names the variable, and does not repeat what may be a password."""
    with pytest.raises(ConfigurationError, match="https_proxy is not http://HOST:PORT") as caught:
        proxy_for("https", "api.github.com", 443, {"https_proxy": value})
    assert "sec" not in str(caught.value)
    assert "ret" not in str(caught.value)
