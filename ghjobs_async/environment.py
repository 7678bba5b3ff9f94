"""Read the environment: the API's root, the token for it, the proxies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from ghjobs_async.errors import ConfigurationError, shown

GITHUB_COM: Final = "https://api.github.com"
_LABEL: Final = "[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?"
# The root of an API, or only its host.
_ROOT: Final = re.compile(
    rf"(?:(?P<scheme>https?)://)?(?P<host>(?:{_LABEL}\.)*[a-z0-9][a-z0-9_-]{{0,62}}|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[a-z0-9._~/-]*)?",
    re.IGNORECASE | re.ASCII,
)
# In NO_PROXY. A last label of only digits would be an incomplete address.
_DOMAIN: Final = re.compile(r"(?:[a-z0-9_*-]+\.)*[0-9]*[a-z_*-][a-z0-9_*-]*")
_WITH_PORT: Final = re.compile(r"(\[.*\]|[^:]*):([0-9]{1,5})")
_MAX_PORT: Final = 65535


def api_root(base_url: str | None, environ: Mapping[str, str]) -> str:
    """
    Return the root of the API, without a slash at its end.

    None means ``GITHUB_API_URL``, then ``GH_HOST``, then github.com. A bare host name is completed:
    ``github.com``, ``SUBDOMAIN.ghe.com``, or ``HOSTNAME`` of an Enterprise Server.

    Raises:
        ConfigurationError: It is not the URL of an API.
    """
    if base_url is not None:
        return _completed(base_url, "base_url")
    for name in ("GITHUB_API_URL", "GH_HOST"):
        if value := environ.get(name):
            return _completed(value, name)
    return GITHUB_COM


def _completed(text: object, source: str) -> str:
    found = _ROOT.fullmatch(text.strip().rstrip("/")) if isinstance(text, str) else None
    if not found or int(found["port"] or 0) > _MAX_PORT or (found["path"] and not found["scheme"]):
        raise ConfigurationError(
            f"{source} is https://HOSTNAME/api/v3, https://api.github.com or a host name, "
            f"not {shown(text)}"
        )
    scheme, host = (found["scheme"] or "https").lower(), found["host"].lower()
    port = f":{int(found['port'])}" if found["port"] else ""
    if is_github_com(host):
        if scheme != "https" or port not in {"", ":443"}:
            raise ConfigurationError(f"{source}: {host} is only reached over https, port 443")
        if not found["path"]:
            return f"https://{host if host.startswith('api.') else 'api.' + host}"
    path = (found["path"] or "") if found["scheme"] else "/api/v3"
    return f"{scheme}://{host}{port}{path}"


def is_github_com(host: str) -> bool:
    """Return whether GitHub itself runs *host*: github.com, or a subdomain of ghe.com."""
    return host in {"github.com", "api.github.com"} or host.endswith(".ghe.com")


def find_token(root: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """
    Return the token for *root* and the name of its variable; None where none is set.

    gh reads the same variables. So a github.com token never goes to another host by accident.
    https://cli.github.com/manual/gh_help_environment
    """
    names = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
    if is_github_com(urlsplit(root).hostname or ""):
        names = ["GH_TOKEN", "GITHUB_TOKEN"]
    elif (runner := environ.get("GITHUB_API_URL")) and _same_host(runner, root):
        # A runner of an Enterprise Server sets both.
        names.append("GITHUB_TOKEN")
    return next(((value, name) for name in names if (value := environ.get(name))), None)


def _same_host(url: str, root: str) -> bool:
    try:
        ours, theirs = urlsplit(root), urlsplit(_completed(url, "GITHUB_API_URL"))
    except ConfigurationError:
        return False
    return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())


def proxy_for(scheme: str, host: str, port: int, environ: Mapping[str, str]) -> str | None:
    """
    Return the proxy for an address, as curl and Go find it; None for a direct connection.

    ``HTTPS_PROXY`` or ``HTTP_PROXY`` comes before ``ALL_PROXY``, and a lower-case name before the
    upper-case one. ``NO_PROXY`` excludes addresses.

    Raises:
        ConfigurationError: A variable is malformed, or the proxy is neither an http nor an https
            proxy (but, for example, a SOCKS proxy).
    """
    name, proxy = _first_set((f"{scheme}_proxy", "all_proxy"), environ)
    if not proxy or _is_direct(host.rstrip(".").lower(), port, environ):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    kind = proxy.partition("://")[0].lower()
    try:
        parts = urlsplit(proxy)
        _ = parts.port
        whole = bool(parts.hostname) and proxy.removesuffix("/").endswith(f"//{parts.netloc}")
    except ValueError:
        whole = False
    if kind.isalnum() and kind not in {"http", "https"}:
        raise ConfigurationError(
            f"{name} names a {kind} proxy; only http and https proxies are supported"
        )
    if not whole:
        # The value may hold a password, so it is not shown.
        raise ConfigurationError(
            f"{name} is not http://HOST:PORT or http://USER:PASSWORD@HOST:PORT "
            "(percent-encode special characters)"
        )
    return proxy


def _is_direct(host: str, port: int, environ: Mapping[str, str]) -> bool:
    """Return whether ``NO_PROXY`` excludes an address; a malformed entry is an error anyway."""
    variable, entries = _first_set(("no_proxy",), environ)
    found = False
    for entry in re.findall(r"[^\s,]+", entries):
        excluded = _excludes(entry, host, port)
        if excluded is None:
            raise ConfigurationError(
                f"{variable} contains {shown(entry)}, which is no host, address, network "
                "(10.0.0.0/8) or pattern (127.*): correct or remove it"
            )
        found = found or excluded
    return found


def _first_set(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the first variable that is set, and its value."""
    for name in (spelling for lower in names for spelling in (lower, lower.upper())):
        # A web server sets HTTP_PROXY for a CGI script from a header that anybody can send.
        if name == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
            continue
        if value := environ.get(name, "").strip():
            return name, value
    return "", ""


def _excludes(entry: str, host: str, port: int) -> bool | None:
    """
    Return whether an entry of ``NO_PROXY`` matches this address; None for a malformed entry.

    An entry is a domain with its subdomains, an address, a network or a pattern, with or without a
    port.
    """
    with_port = _WITH_PORT.fullmatch(entry)
    name, wanted = with_port.groups() if with_port else (entry, port)
    if int(wanted) > _MAX_PORT:
        return None
    try:
        network = ip_network(re.sub(r"\[(.*)\]", r"\1", name), strict=False)
    except ValueError:
        name = name.lower().strip(".")
        if not _DOMAIN.fullmatch(name):
            return None
        found = fnmatchcase(host, name) if "*" in name else f".{host}".endswith(f".{name}")
    else:
        try:
            found = ip_address(host) in network
        except ValueError:
            found = False
    return found and int(wanted) == port
