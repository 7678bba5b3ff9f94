"""What a user names, into a reference and the API's root it is to be asked of. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

import attrs

from ghjobs_async.environment import GITHUB_COM, api_root, is_github_com
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.refs import JobRef, RunRef, check_repo

T = TypeVar("T")

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NUMBER: Final = re.compile(r"[0-9]{1,19}")


@attrs.frozen
class Target(Generic[T]):
    """
    What to ask for, and where.

    Attributes:
        root: The API's root.

        ref: The reference.
    """

    root: str
    ref: T


@attrs.frozen
class Place:
    """
    Where to ask, as far as the user has said so.

    Attributes:
        root: The API's root.

        said_by: What said so; None: nothing did, it is github.com.
    """

    root: str
    said_by: str | None


def run_target(
    text: str,
    repo: str | None,
    attempt: int | None,
    base_url: str | None,
    environ: Mapping[str, str],
) -> Target[RunRef]:
    """
    Take a run as users name it: a number, or an address of it, of an attempt or of a job of it.

    Raises:
        ConfigurationError: It cannot be one, or it lies on another host than the one that was named.
    """
    if "://" in text:
        target = _from_url(text, RunRef.parse(text), repo, base_url, environ)
        if attempt is None:
            return target
        return Target(target.root, RunRef(target.ref.repo, target.ref.run_id, attempt))
    number = _number(text, "a run")
    place, name = _repository(repo, base_url, environ, "a run")
    return Target(place.root, RunRef(name, number, attempt))


def job_target(
    text: str, repo: str | None, base_url: str | None, environ: Mapping[str, str]
) -> Target[JobRef]:
    """
    Take a job as users name it: a number, or an address of it.

    Raises:
        ConfigurationError: It cannot be one, or it lies on another host than the one that was named.
    """
    if "://" in text:
        return _from_url(text, JobRef.parse(text), repo, base_url, environ)
    number = _number(text, "a job")
    place, name = _repository(repo, base_url, environ, "a job")
    return Target(place.root, JobRef(name, number))


def repos_target(
    names: tuple[str, ...], base_url: str | None, environ: Mapping[str, str]
) -> Target[tuple[str, ...]]:
    """
    Take repositories, ``[HOST/]OWNER/REPO`` or their addresses, all of one host.

    Raises:
        ConfigurationError: One is malformed, or there are several hosts.
    """
    if not names and environ.get("GH_REPO"):
        names = (environ["GH_REPO"],)
    if not names:
        raise ConfigurationError("which repository? Name one or more: OWNER/REPO")
    places = [_place(name, base_url, environ) for name in names]
    roots = {place.root for place, _ in places}
    if len(roots) > 1:
        raise ConfigurationError(
            f"one host at a time, not {' and '.join(sorted(host_of(root) for root in roots))}"
        )
    # A repository named twice is audited once; GitHub's names have no case.
    unique: dict[str, str] = {}
    for _, name in places:
        unique.setdefault(name.lower(), name)
    return Target(places[0][0].root, tuple(unique.values()))


def host_of(root: str) -> str:
    """Give the host name, as gh and people write it, that the API at *root* belongs to."""
    parts = urlsplit(root)
    host = (parts.hostname or "").lower()
    if is_github_com(host):
        return host.removeprefix("api.")
    return parts.netloc.rpartition("@")[2].lower()


def _number(text: str, what: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise ConfigurationError(f"{what} is a number or its address, not {text[:80]!r}")
    return int(text)


def _named(base_url: str | None, environ: Mapping[str, str]) -> Place:
    root = api_root(base_url, environ)
    if base_url is not None:
        return Place(root, "--base-url")
    for name in ("GITHUB_API_URL", "GH_HOST"):
        if environ.get(name):
            return Place(root, name)
    return Place(GITHUB_COM, None)


def _repository(
    repo: str | None, base_url: str | None, environ: Mapping[str, str], what: str
) -> tuple[Place, str]:
    text = repo if repo is not None else environ.get("GH_REPO")
    if not text:
        raise ConfigurationError(
            f"{what}'s number needs its repository: -R OWNER/REPO, or paste its address instead"
        )
    return _place(text, base_url, environ)


def _place(text: str, base_url: str | None, environ: Mapping[str, str]) -> tuple[Place, str]:
    """The place and the name of ``[HOST/]OWNER/REPO`` or of a repository's address."""
    named = _named(base_url, environ)
    if "://" in text:
        root = _root_of_url(text)
        name = urlsplit(text.strip()).path.strip("/").removesuffix(".git")
        return _on_host(root, "the address", named), check_repo(name)
    if text.count("/") < 2:
        return named, check_repo(text)
    host, _, name = text.partition("/")
    check_repo(name)
    root = api_root(host, environ)
    if host_of(root) == host_of(named.root):
        return named, name
    if named.said_by == "--base-url":
        raise _two_hosts(host_of(named.root), named.said_by, host_of(root), "the repository")
    return Place(root, "the repository"), name


def _from_url(
    text: str, ref: T, repo: str | None, base_url: str | None, environ: Mapping[str, str]
) -> Target[T]:
    named = _named(base_url, environ)
    if repo is not None:
        named, name = _place(repo, base_url, environ)
        of_ref = getattr(ref, "repo", name)
        if of_ref.lower() != name.lower():
            raise ConfigurationError(f"the address is of {of_ref}, but --repo says {name}")
    return Target(_on_host(_root_of_url(text), "the address", named).root, ref)


def _on_host(root: str, what: str, named: Place) -> Place:
    """The place named, where *root* is of its host; else *root*, where no place was named."""
    if host_of(root) == host_of(named.root):
        return named
    if named.said_by is not None:
        raise _two_hosts(host_of(named.root), named.said_by, host_of(root), what)
    return Place(root, what)


def _two_hosts(one: str, said_by: str, other: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what} is of {other}, but {said_by} says {one}: leave one of them out"
    )


def _root_of_url(text: str) -> str:
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"not an address: {text[:80]!r}") from None
    host = (parts.hostname or "").lower().removeprefix("www.")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"not an address: {text[:80]!r}")
    if is_github_com(host):
        return api_root(host, {})
    # A token goes out in the clear to this machine only, unless --base-url asks for it.
    scheme = parts.scheme if host in _LOOPBACK else "https"
    name = f"[{host}]" if ":" in host else host
    return api_root(f"{scheme}://{name}{'' if port is None else f':{port}'}/api/v3", {})
