"""Make the client of one command: from its options, with the token as gh finds it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import TypeVar

from ghjobs_async.cli.options import Common
from ghjobs_async.cli.output.console import start_verbose
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.programs import ask
from ghjobs_async.cli.target import host_of
from ghjobs_async.client import API_VERSION, GitHubJobs
from ghjobs_async.environment import find_token
from ghjobs_async.transport.auth import TokenAuth

T = TypeVar("T")

#: Long enough for the hourly budget to return, for work that would otherwise end half done.
BUDGET_WAIT = 3900.0


def connect(
    root: str, common: Common, *, draws: bool = True, max_wait: float = 900.0
) -> tuple[GitHubJobs, Progress]:
    """Make the client for the API at *root*, and the display of its progress."""
    if common.verbose:
        start_verbose()
    progress = Progress(quiet=common.quiet, verbose=common.verbose, draws=draws)
    version = API_VERSION if common.api_version is None else common.api_version
    gh = GitHubJobs(
        _find_auth(root),
        base_url=root,
        api_version=None if version.lower() == "none" else version,
        concurrency=common.concurrency,
        max_wait=max_wait,
        on_wait=progress.on_wait,
    )
    return gh, progress


def run_with(gh: GitHubJobs, work: Callable[[GitHubJobs], Coroutine[object, None, T]]) -> T:
    """Run *work* with the client, in an event loop of its own."""

    async def inside() -> T:
        async with gh:
            return await work(gh)

    return asyncio.run(inside())


def _find_auth(root: str) -> TokenAuth | None:
    if found := find_token(root, os.environ):
        return TokenAuth(found[0], source=found[1])
    token = (ask("gh", "auth", "token", "--hostname", host_of(root)) or "").strip()
    return TokenAuth(token, source="gh") if token else None
