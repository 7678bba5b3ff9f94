"""The repository of the git checkout that the command runs in."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from ghjobs_async.cli.programs import ask
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.refs import check_repo

_SETTINGS: Final = r"^remote\..*\.(url|gh-resolved)$"
# gh's order: the later in this list, the better. Any other name comes last.
# https://github.com/cli/cli/blob/trunk/context/remote.go
_NAMES: Final = ("origin", "github", "upstream")
# git@github.com:OWNER/REPO.git
_SCP: Final = re.compile(r"(?:[^@/\s]+@)?(?P<host>[^:/@\s]+):(?!//)(?P<path>.+)")


def find_repository(host: str) -> str | None:
    """
    Return the repository, ``OWNER/NAME``, of the git checkout here, if it has one on *host*.

    Remotes on any other host are ignored, so a checkout never chooses where a token goes.
    """
    found = ask("git", "config", "--null", "--get-regexp", _SETTINGS)
    return None if found is None else choose(found, host)


def choose(settings: str, host: str) -> str | None:
    """Choose among a checkout's remotes, as ``git config --null`` prints *settings*, as gh does."""
    repos: dict[str, str] = {}
    chosen: dict[str, str] = {}
    for entry in settings.split("\0"):
        key, _, value = entry.partition("\n")
        name, _, variable = key.removeprefix("remote.").rpartition(".")
        if variable == "gh-resolved":
            chosen[name] = value
        elif variable == "url" and (repo := repository_of(value, host)) is not None:
            # A remote may have several addresses: git fetches from the first.
            repos.setdefault(name, repo)
    ordered = sorted(repos, key=lambda name: -_NAMES.index(name) if name in _NAMES else 1)
    for name in ordered:
        # `gh repo set-default` marks a remote as "base", or names another repository there.
        if name in chosen:
            return repos[name] if chosen[name] == "base" else _checked(chosen[name])
    return repos[ordered[0]] if ordered else None


def repository_of(url: str, host: str) -> str | None:
    """Return the repository, ``OWNER/NAME``, that a remote's *url* has on *host*; else None."""
    try:
        parts = urlsplit(url)
        there, path = (parts.hostname or "").lower(), parts.path
    except ValueError:
        return None
    if parts.scheme in {"http", "https"}:
        there = parts.netloc.rpartition("@")[2].lower().removesuffix(":443")
    else:
        # The port is that of ssh or git, not of the API.
        host = urlsplit(f"//{host}").hostname or ""
        if "://" not in url:
            found = _SCP.fullmatch(url)
            if found is None:
                return None
            there, path = found["host"].lower(), found["path"]
    there = {"ssh.github.com": "github.com", "www.github.com": "github.com"}.get(there, there)
    return _checked(path.strip("/").removesuffix(".git")) if there == host else None


def _checked(name: str) -> str | None:
    try:
        return check_repo(name)
    except ConfigurationError:
        return None
