"""From what a user names to a reference, and the root of the API to ask. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar
from urllib.parse import SplitResult, urlsplit

import attrs

from ghjobs_async.environment import GITHUB_COM, api_root, is_github_com
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.refs import JobRef, RunRef, check_id, check_repo

T = TypeVar("T")

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NUMBER: Final = re.compile(r"[0-9]{1,19}")
# The web address of a pull request or of any of its pages, or its address in the API.
_PULL: Final = re.compile(
    r"(?:(?:/api/v3)?/repos)?/(?P<repo>[^/]+/[^/]+)/pulls?/(?P<number>[0-9]{1,19})(?:/.*)?"
)

#: Takes the host that is asked; returns the repository of the git checkout there, if it has one.
Checkout: TypeAlias = Callable[[str], str | None]


def _no_checkout(_: str) -> None:
    return None


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
    Where to ask.

    Attributes:
        root: The API's root.
        said_by: The option or variable that names it; None where github.com is the default.
    """

    root: str
    said_by: str | None


@attrs.frozen
class RunsOf:
    """
    Whose runs to list.

    Attributes:
        repo: The repository.
        pull: Number of a pull request: only the runs of its head commit.
    """

    repo: str
    pull: int | None = None


def run_target(
    text: str,
    repo: str | None,
    attempt: int | None,
    base_url: str | None,
    environ: Mapping[str, str],
    checkout: Checkout = _no_checkout,
) -> Target[RunRef]:
    """
    Take a run as users name it: a number, or the address of it, of an attempt or of one of its jobs.

    Raises:
        ConfigurationError: It cannot be one, or it is on another host than the one that was named.
    """
    if (address := _address(text)) is not None:
        target = _from_url(address, RunRef.parse(address), repo, base_url, environ)
        if attempt is None:
            return target
        return Target(target.root, RunRef(target.ref.repo, target.ref.run_id, attempt))
    number = _number(text, "a run")
    place, name = _repository(repo, base_url, environ, checkout, "a run")
    return Target(place.root, RunRef(name, number, attempt))


def job_target(
    text: str,
    repo: str | None,
    base_url: str | None,
    environ: Mapping[str, str],
    checkout: Checkout = _no_checkout,
) -> Target[JobRef]:
    """
    Take a job as users name it: a number, or its address.

    Raises:
        ConfigurationError: It cannot be one, or it is on another host than the one that was named.
    """
    if (address := _address(text)) is not None:
        return _from_url(address, JobRef.parse(address), repo, base_url, environ)
    number = _number(text, "a job")
    place, name = _repository(repo, base_url, environ, checkout, "a job")
    return Target(place.root, JobRef(name, number))


def runs_target(
    text: str | None,
    repo: str | None,
    base_url: str | None,
    environ: Mapping[str, str],
    checkout: Checkout = _no_checkout,
) -> Target[RunsOf]:
    """
    Take what has runs: a repository, or the address of a pull request.

    Raises:
        ConfigurationError: It cannot be one, or it is on another host than the one that was named.
    """
    address = None if text is None else _address(text)
    if address is not None and (found := _PULL.fullmatch(_split(address).path)):
        pull = RunsOf(check_repo(found["repo"]), check_id(int(found["number"]), "a pull request"))
        return _from_url(address, pull, repo, base_url, environ)
    names = tuple(name for name in (text, repo) if name is not None)
    target = repos_target(names, base_url, environ, checkout)
    if len(target.ref) > 1:
        raise ConfigurationError(f"one repository at a time, not {' and '.join(target.ref)}")
    return Target(target.root, RunsOf(target.ref[0]))


def repos_target(
    names: tuple[str, ...],
    base_url: str | None,
    environ: Mapping[str, str],
    checkout: Checkout = _no_checkout,
) -> Target[tuple[str, ...]]:
    """
    Take repositories, ``[HOST/]OWNER/REPO`` or their addresses, all of one host.

    Raises:
        ConfigurationError: One is malformed, or there are several hosts.
    """
    if not names and environ.get("GH_REPO"):
        names = (environ["GH_REPO"],)
    if not names:
        root = api_root(base_url, environ)
        here = checkout(host_of(root))
        if here is None:
            raise ConfigurationError(
                f"which repository? Name it, OWNER/REPO: no git checkout of {host_of(root)} is here"
            )
        return Target(root, (here,))
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
    """Return the host name, as gh and people write it, that the API at *root* belongs to."""
    parts = urlsplit(root)
    host = (parts.hostname or "").lower()
    if is_github_com(host):
        return host.removeprefix("api.")
    return parts.netloc.rpartition("@")[2].lower()


def web_root(root: str) -> str:
    """Return where the pages are of the GitHub whose API is at *root*."""
    scheme = urlsplit(root).scheme
    return f"{scheme}://{host_of(root)}"


def run_page(target: Target[RunRef]) -> str:
    """Return the address of a run's page, or of an attempt's."""
    ref = target.ref
    attempt = "" if ref.attempt is None else f"/attempts/{ref.attempt}"
    return f"{web_root(target.root)}/{ref.repo}/actions/runs/{ref.run_id}{attempt}"


def _address(text: str) -> str | None:
    """Return *text* as an address with its scheme; None where it is none."""
    given = text.strip()
    if "://" in given:
        return given
    host, slash, _ = given.partition("/")
    # No owner's name has a dot or a colon.
    return f"https://{given}" if slash and re.search(r"[.:]|^localhost$", host) else None


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
    repo: str | None,
    base_url: str | None,
    environ: Mapping[str, str],
    checkout: Checkout,
    what: str,
) -> tuple[Place, str]:
    text = repo if repo is not None else environ.get("GH_REPO")
    if text:
        return _place(text, base_url, environ)
    place = _named(base_url, environ)
    here = checkout(host_of(place.root))
    if here is None:
        raise ConfigurationError(
            f"{what}'s number needs its repository: -R OWNER/REPO, or paste its address instead "
            f"(no git checkout of {host_of(place.root)} is here)"
        )
    return place, here


def _place(text: str, base_url: str | None, environ: Mapping[str, str]) -> tuple[Place, str]:
    """The place and the name of ``[HOST/]OWNER/REPO`` or of a repository's address."""
    named = _named(base_url, environ)
    if "://" in text:
        root = _root_of_url(text)
        name = urlsplit(text.strip()).path.strip("/").removesuffix(".git")
        return _on_host(root, "the address", named), check_repo(name)
    given = text.strip().rstrip("/")
    if given.count("/") < 2:
        return named, check_repo(given)
    host, _, name = given.removesuffix(".git").partition("/")
    check_repo(name)
    root = api_root(host.lower().removeprefix("www."), environ)
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
    """Return the named place if it is *root*'s host; *root* itself if no place was named."""
    if host_of(root) == host_of(named.root):
        return named
    if named.said_by is not None:
        raise _two_hosts(host_of(named.root), named.said_by, host_of(root), what)
    return Place(root, what)


def _two_hosts(one: str, said_by: str, other: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what} is of {other}, but {said_by} says {one}: leave one of them out"
    )


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"not an address: {address[:80]!r}") from None
    return parts


def _root_of_url(text: str) -> str:
    parts = _split(text)
    port = parts.port
    host = (parts.hostname or "").lower().removeprefix("www.")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"not an address: {text[:80]!r}")
    if is_github_com(host):
        return api_root(host, {})
    # Unless --base-url asks for it, a token goes out unencrypted to this machine only.
    scheme = parts.scheme if host in _LOOPBACK else "https"
    name = f"[{host}]" if ":" in host else host
    return api_root(f"{scheme}://{name}{'' if port is None else f':{port}'}/api/v3", {})
