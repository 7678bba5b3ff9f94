"""Opening a page of GitHub in the browser."""

from __future__ import annotations

import os
import shlex
import subprocess
import webbrowser

from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.text import note
from ghjobs_async.errors import ConfigurationError, GHJobsError


def open_page(url: str, *, quiet: bool) -> None:
    """
    Open *url* in the browser: ``GH_BROWSER``, ``BROWSER``, or the system's own.

    Raises:
        ConfigurationError: The variable is not a command.
        GHJobsError: The browser failed, or there is none.
    """
    if not quiet:
        note(f"opening {url}")
    for name in ("GH_BROWSER", "BROWSER"):
        if command := os.environ.get(name):
            _run(name, command, url)
            return
    if not webbrowser.open(url):
        raise GHJobsError(f"no browser was found: set BROWSER, or open {url} yourself")


def check_web(web: bool, printer: JsonPrinter | None, *, exit_status: bool) -> None:
    """
    Check that ``--web`` is not given together with what it replaces.

    Raises:
        ConfigurationError: It is.
    """
    if web and (printer is not None or exit_status):
        raise ConfigurationError("--web only opens a page: leave out --json, --jq, --exit-status")


def _run(name: str, command: str, url: str) -> None:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"{name} is not a command: {error}") from None
    if not argv:
        raise ConfigurationError(f"{name} is not a command")
    if "%s" in argv:
        argv = [url if part == "%s" else part for part in argv]
    else:
        argv.append(url)
    # As gh does, wait: a browser in the terminal needs it.
    status = subprocess.run(argv, check=False).returncode  # noqa: S603 -- the user's, no shell
    if status:
        raise GHJobsError(f"{name}: {argv[0]} ended with status {status}")
