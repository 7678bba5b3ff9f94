"""Other programs: gh, git for the repository of the checkout, and the browser."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import Final
from urllib.parse import urlsplit

from ghjobs_async.cli.output.console import note
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.refs import check_repo

_TIMEOUT: Final = 5.0
_SETTINGS: Final = r"^remote\..*\.(url|gh-resolved)$"
# gh's order: the later in this list, the better. Any other name comes last.
# https://github.com/cli/cli/blob/trunk/context/remote.go
_NAMES: Final = ("origin", "github", "upstream")
# git@github.com:OWNER/REPO.git
_SCP: Final = re.compile(r"(?:[^@/\s]+@)?(?P<host>[^:/@\s]+):(?!//)(?P<path>.+)")


def ask(program: str, *argv: str) -> str | None:
    """Return what *program* prints; None where it is missing, fails or hangs."""
    if (path := shutil.which(program)) is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 -- by its full path, and no shell
            [path, *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return None if answer.returncode else answer.stdout


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


def open_page(url: str, *, quiet: bool) -> None:
    """Open *url* in the browser: ``GH_BROWSER``, ``BROWSER``, or the system's own."""
    if not quiet:
        note(f"opening {url}")
    for name in ("GH_BROWSER", "BROWSER"):
        if command := os.environ.get(name):
            _run(name, command, url)
            return
    import webbrowser  # noqa: PLC0415 -- slow, and mostly not needed

    if not webbrowser.open(url):
        raise GHJobsError(
            f"no browser was found: set BROWSER or GH_BROWSER, or open {url} yourself"
        )


def _run(name: str, command: str, url: str) -> None:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"{name} is not a command: {error}") from None
    if not argv:
        raise ConfigurationError(f"{name} is not a command")
    argv = [url if part == "%s" else part for part in argv] if "%s" in argv else [*argv, url]
    # As gh does, wait: a browser in the terminal needs it.
    try:
        status = subprocess.run(argv, check=False).returncode  # noqa: S603 -- the user's, no shell
    except OSError as error:
        problem = f"{name}: {argv[0]} cannot be started: {error.strerror}"
        raise GHJobsError(f"{problem}; set it to your browser") from error
    if status:
        raise GHJobsError(f"{name}: {argv[0]} ended with status {status}")
