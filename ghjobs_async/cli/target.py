"""From what a user names to a reference, and the root of the API to ask. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

import attrs

from ghjobs_async.environment import GITHUB_COM, api_root, is_github_com
from ghjobs_async.errors import ConfigurationError, shown
from ghjobs_async.refs import JobRef, RunRef, check_id, check_repo, split_url

T = TypeVar("T")

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NUMBER: Final = re.compile(r"[0-9]{1,19}")
# The web address of a pull request or of any of its pages, or its address in the API.
_PULL: Final = re.compile(
    r"(?:(?:/api/v3)?/repos)?/(?P<repo>[^/]+/[^/]+)/pulls?/(?P<number>[0-9]{1,19})(?:/.*)?"
)


@attrs.frozen
class Target(Generic[T]):
    """A reference to what is asked for, and the root of the API that is asked."""

    root: str
    ref: T


@attrs.frozen
class RunsOf:
    """A repository whose runs to list; of a pull request only those of its head commit."""

    repo: str
    pull: int | None = None


@attrs.frozen
class Targets:
    """
    Find what a user names. Every method raises a `ConfigurationError` for what cannot be meant.

    The host is that of ``--base-url``, of an address or a repository with a host, of ``GH_HOST``,
    of ``GITHUB_API_URL``, or github.com: gh's order. Two that the user gave must agree.

    Args:
        base_url: What ``--base-url`` gives.
        environ: The environment.
        checkout: Takes the host that is asked; returns the repository of the git checkout there.
    """

    base_url: str | None = None
    environ: Mapping[str, str] = attrs.field(factory=dict)
    checkout: Callable[[str], str | None] = lambda _: None

    def run(self, text: str, repo: str | None = None, attempt: int | None = None) -> Target[RunRef]:
        """Find a run by its number, or the address of it, of an attempt or of one of its jobs."""
        if (address := _address(text)) is None:
            root, name, number = self._numbered(text, repo, "a run")
            return Target(root, RunRef(name, number, attempt))
        ref = RunRef.parse(address)
        if attempt is not None:
            ref = attrs.evolve(ref, attempt=attempt)
        return self._from_url(address, ref, repo)

    def job(self, text: str, repo: str | None = None) -> Target[JobRef]:
        """Find a job by its number or address."""
        if (address := _address(text)) is None:
            root, name, number = self._numbered(text, repo, "a job")
            return Target(root, JobRef(name, number))
        return self._from_url(address, JobRef.parse(address), repo)

    def runs(self, text: str | None, repo: str | None = None) -> Target[RunsOf]:
        """Find what has runs: a repository, or a pull request by its address."""
        address = None if text is None else _address(text)
        if address is not None and (found := _PULL.fullmatch(_split(address).path)):
            number = check_id(int(found["number"]), "a pull request")
            return self._from_url(address, RunsOf(check_repo(found["repo"]), number), repo)
        target = self.repos(*(name for name in (text, repo) if name is not None))
        if len(target.ref) > 1:
            raise ConfigurationError(f"one repository at a time, not {' and '.join(target.ref)}")
        return Target(target.root, RunsOf(target.ref[0]))

    @property
    def root(self) -> str:
        """The root of the API where nothing that is named has a host."""
        return self._default()[0]

    def repos(self, *names: str) -> Target[tuple[str, ...]]:
        """Find repositories, ``[HOST/]OWNER/REPO`` or their addresses, all of one host."""
        if not names and not self.environ.get("GH_REPO"):
            root, repo = self._here("which repository? Name it, OWNER/REPO")
            return Target(root, (repo,))
        found = [self._place(name) for name in names or (self.environ["GH_REPO"],)]
        roots = {root for root, _, _ in found}
        if len(roots) > 1:
            raise ConfigurationError(
                f"one host at a time, not {' and '.join(sorted(map(host_of, roots)))}"
            )
        # A repository named twice is audited once; GitHub's names have no case.
        unique: dict[str, str] = {}
        for _, _, name in found:
            unique.setdefault(name.lower(), name)
        return Target(roots.pop(), tuple(unique.values()))

    def _numbered(self, text: str, repo: str | None, what: str) -> tuple[str, str, int]:
        """Return the root, the repository and the number."""
        if not _NUMBER.fullmatch(text.strip()):
            raise ConfigurationError(f"{what} is a number or its address, not {shown(text)}")
        if named := repo if repo is not None else self.environ.get("GH_REPO"):
            root, _, name = self._place(named)
            return root, name, int(text)
        root, name = self._here(
            f"{what}'s number needs its repository: -R OWNER/REPO, or paste its address instead"
        )
        return root, name, int(text)

    def _here(self, problem: str) -> tuple[str, str]:
        """Return the root and the repository of the git checkout."""
        root, _ = self._default()
        repo = self.checkout(host_of(root))
        if repo is None:
            raise ConfigurationError(f"{problem} (no git checkout of {host_of(root)} is here)")
        return root, repo

    def _default(self) -> tuple[str, str]:
        """Return the root where nothing pasted names one, and the option that insists on it."""
        if self.base_url is not None:
            return api_root(self.base_url, {}), "--base-url"
        for name in ("GH_HOST", "GITHUB_API_URL"):
            if value := self.environ.get(name):
                return api_root(None, {name: value}), ""
        return GITHUB_COM, ""

    def _place(self, text: str) -> tuple[str, str, str]:
        """Return root, option, and name of ``[HOST/]OWNER/REPO`` or of a repository's address."""
        given = text.strip().rstrip("/")
        if "://" in given:
            root, name = _root_of_url(given), urlsplit(given).path.strip("/")
        elif given.count("/") < 2:
            return *self._default(), check_repo(given)
        else:
            host, _, name = given.partition("/")
            root = api_root(host.lower().removeprefix("www."), {})
        name = check_repo(name.removesuffix(".git"))
        return self._on_host(root, *self._default(), "the repository"), "--repo", name

    def _from_url(self, address: str, ref: T, repo: str | None) -> Target[T]:
        named, option = self._default()
        if repo is not None:
            named, option, name = self._place(repo)
            of_ref = getattr(ref, "repo", name)
            if of_ref.lower() != name.lower():
                raise ConfigurationError(f"the address is of {of_ref}, but --repo says {name}")
        return Target(self._on_host(_root_of_url(address), named, option, "the address"), ref)

    def _on_host(self, root: str, named: str, option: str, what: str) -> str:
        """Return the root that an option or the environment names for this host, else *root*."""
        host = host_of(root)
        if host_of(named) == host:
            return named
        if option:
            raise ConfigurationError(
                f"{what} is of {host}, but {option} says {host_of(named)}: leave one of them out"
            )
        runner = api_root(None, {"GITHUB_API_URL": self.environ.get("GITHUB_API_URL", "")})
        return runner if host_of(runner) == host else root


def host_of(root: str) -> str:
    """Return the host name, as gh and people write it, that the API at *root* belongs to."""
    parts = urlsplit(root)
    host = (parts.hostname or "").lower()
    own = parts.netloc.rpartition("@")[2].lower()
    return host.removeprefix("api.") if is_github_com(host) else own


def web_root(root: str) -> str:
    """Return where the pages are of the GitHub whose API is at *root*."""
    return f"{urlsplit(root).scheme}://{host_of(root)}"


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


def _split(address: str) -> SplitResult:
    parts = split_url(address)
    if parts is None:
        raise ConfigurationError(f"not an address: {shown(address)}")
    return parts


def _root_of_url(text: str) -> str:
    parts = _split(text)
    host = (parts.hostname or "").lower().removeprefix("www.")
    if is_github_com(host):
        return api_root(host, {})
    # Unless --base-url asks for it, a token goes out unencrypted to this machine only.
    scheme = parts.scheme if host in _LOOPBACK else "https"
    name = f"[{host}]" if ":" in host else host
    return api_root(f"{scheme}://{name}{'' if parts.port is None else f':{parts.port}'}/api/v3", {})
