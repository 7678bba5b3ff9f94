"""Make the client of one command: from its options, with the token as gh finds it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from ghjobs_async.cli.options import Common
from ghjobs_async.cli.output.text import note
from ghjobs_async.cli.output.verbose import start_verbose
from ghjobs_async.cli.target import host_of
from ghjobs_async.client import API_VERSION, GitHubJobs
from ghjobs_async.environment import find_token
from ghjobs_async.models import Wait
from ghjobs_async.transport.auth import TokenAuth

_GH_TIMEOUT = 5.0
# A shorter wait is over before its line is read.
_MIN_WAIT = 0.5


def connect(
    root: str,
    common: Common,
    *,
    auth: TokenAuth | None = None,
    on_wait: Callable[[Wait], object] | None = None,
    max_wait: float = 900.0,
) -> GitHubJobs:
    """
    Make the client.

    Args:
        root: The API's root.
        common: The options that every command has.
        auth: The token. If None, it is looked up.
        on_wait: Called with every wait. If None, each wait is a line on stderr.
        max_wait: The longest wait for a rate limit, in seconds.
    """
    if common.verbose:
        start_verbose()
    version = API_VERSION if common.api_version is None else common.api_version
    # A wait that --verbose reports need not be reported twice.
    if on_wait is None and not common.quiet and not common.verbose:
        on_wait = tell_wait
    return GitHubJobs(
        auth or find_auth(root),
        base_url=root,
        api_version=None if version.lower() == "none" else version,
        concurrency=common.concurrency,
        max_wait=max_wait,
        on_wait=on_wait,
    )


def find_auth(root: str) -> TokenAuth | None:
    """Find the token for the API at *root*: in the environment, or in gh."""
    found = find_token(root, os.environ)
    return _ask_gh(host_of(root)) if found is None else TokenAuth(found[0], source=found[1])


def tell_wait(wait: Wait) -> None:
    """Report a wait in a line on stderr."""
    if wait.seconds >= _MIN_WAIT:
        note(str(wait))


def _ask_gh(host: str) -> TokenAuth | None:
    """Ask gh for its token for *host*; None where gh or its token is missing."""
    gh = shutil.which("gh")
    if gh is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 -- gh itself, by its full path, and no shell
            [gh, "auth", "token", "--hostname", host],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GH_TIMEOUT,
            check=False,
            text=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    token = answer.stdout.strip()
    return TokenAuth(token, source="gh") if answer.returncode == 0 and token else None
