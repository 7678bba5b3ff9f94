"""Other programs that the command asks: git, gh, the browser."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

from ghjobs_async.cli.output.messages import note
from ghjobs_async.errors import ConfigurationError, GHJobsError

_TIMEOUT = 5.0


def ask(program: str, *argv: str) -> str | None:
    """Return what *program* prints; None where it is missing, fails or hangs."""
    path = shutil.which(program)
    if path is None:
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
        raise GHJobsError(f"no browser was found: set BROWSER, or open {url} yourself")


def _run(name: str, command: str, url: str) -> None:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"{name} is not a command: {error}") from None
    if not argv:
        raise ConfigurationError(f"{name} is not a command")
    argv = [url if part == "%s" else part for part in argv] if "%s" in argv else [*argv, url]
    # As gh does, wait: a browser in the terminal needs it.
    status = subprocess.run(argv, check=False).returncode  # noqa: S603 -- the user's, no shell
    if status:
        raise GHJobsError(f"{name}: {argv[0]} ended with status {status}")
