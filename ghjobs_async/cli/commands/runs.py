"""``ghjobs runs``: the runs of a repository or of a pull request."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter
from rich.text import Text

from ghjobs_async.audit import Logs
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.filters import RunFilters
from ghjobs_async.cli.options import HELP_FORMAT, Common, Jq, Json, Repo
from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.console import console, is_terminal
from ghjobs_async.cli.output.run_table import print_run_line, print_runs
from ghjobs_async.cli.output.text import note, plural
from ghjobs_async.cli.target import RunsOf, runs_target
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.listing.run_search import RunSearch
from ghjobs_async.models import Run, to_dict

_INCOMPLETE: Final = 3
_FIELDS: Final = tuple(field.name for field in attrs.fields(Run))

app = App(
    name="runs",
    usage="Usage: ghjobs runs [OWNER/REPO | PULL-REQUEST] [OPTIONS]",
    help_format=HELP_FORMAT,
    help_epilogue="""\
Elsewhere than on a terminal, each run is a line with tabs: state (the
conclusion, or the status until it completes), title, workflow, branch, event,
number, elapsed, created, address.

Examples:

    ghjobs runs octo-org/octo-repo
    ghjobs runs octo-org/octo-repo --workflow ci.yml --status failure
    ghjobs runs octo-org/octo-repo --branch main --since 7d --limit 100
    ghjobs runs https://github.com/OWNER/REPO/pull/1
    ghjobs runs octo-org/octo-repo --json id,display_title
    ghjobs runs octo-org/octo-repo --jq '.[].html_url'
""",
)


@app.default
def runs_command(
    source: Annotated[
        str | None,
        Parameter(
            help="Repository, OWNER/REPO; or the address of a pull request: the runs of its "
            "head commit."
        ),
    ] = None,
    /,
    *,
    repo: Repo = None,
    limit: Annotated[int, Parameter(name=["--limit", "-L"], help="At most so many runs.")] = 20,
    json: Json = None,
    jq: Jq = None,
    filters: RunFilters = RunFilters(),  # noqa: B008 -- frozen
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    List the runs of a repository, or of a pull request's head commit; the newest first.

    Elsewhere than on a terminal, each run is a line with tabs: state (the conclusion, or the status
    until it completes), title, workflow, branch, event, number, elapsed, created, address.
    """
    printer = JsonPrinter.of_options(json, jq)
    if printer is not None:
        printer.check(_FIELDS)
    if limit < 1:
        raise ConfigurationError(f"--limit is 1 or more, not {limit}")
    target = runs_target(source, repo, common.base_url, os.environ, find_repository)
    found = asyncio.run(_fetch(connect(target.root, common), target.ref, filters, limit))
    if printer is not None:
        printer.print([to_dict(run) for run in found.runs])
    elif is_terminal(sys.stdout):
        _print_table(target.ref, found)
    else:
        now = datetime.now(UTC)
        for run in found.runs:
            print_run_line(run, now)
    if found.missing is not None:
        note(f"ghjobs: incomplete: {found.missing}")
        return _INCOMPLETE
    return 0


@attrs.frozen
class _Found:
    """
    What a search gave.

    Attributes:
        runs: As many as were asked for, or all of them.
        total: How many there are.
        missing: What is missing; None where nothing is.
    """

    runs: tuple[Run, ...]
    total: int
    missing: str | None = None

    @classmethod
    def of(cls, search: RunSearch, runs: tuple[Run, ...], total: int, limit: int) -> _Found:
        """Judge what came."""
        missing = None
        if search.undecodable:
            missing = f"{plural(len(search.undecodable), 'run')} could not be decoded"
        elif len(runs) < min(limit, total):
            missing = f"{total} runs expected, {len(runs)} got"
        return cls(runs[:limit], total, missing)


async def _fetch(gh: GitHubJobs, source: RunsOf, filters: RunFilters, limit: int) -> _Found:
    plan = filters.plan((source.repo,), Logs.NONE)
    async with gh:
        sha = None
        if source.pull is not None:
            sha = await gh.get_pull_head(source.repo, source.pull)

        def search() -> RunSearch:
            return gh.iter_runs(
                source.repo,
                workflow=plan.workflow,
                actor=plan.actor,
                branch=plan.branch,
                event=plan.event,
                status=plan.status,
                created=plan.created,
                head_sha=sha,
                exclude_pull_requests=True,
            )

        # One page is mostly enough, and iterating asks for many.
        first = search()
        total, runs = await first.peek()
        if len(runs) + len(first.undecodable) >= min(limit, total):
            return _Found.of(first, runs, total, limit)
        everything = search()
        listed: list[Run] = []
        async for run in everything:
            listed.append(run)
            if len(listed) == limit:
                break
        return _Found.of(everything, tuple(listed), everything.total_count, limit)


def _print_table(source: RunsOf, found: _Found) -> None:
    screen = console(sys.stdout)
    if found.runs:
        print_runs(screen, found.runs, datetime.now(UTC))
    of_pull = "" if source.pull is None else f" pull request {source.pull}"
    count = plural(found.total, "run")
    if len(found.runs) < found.total:
        count = f"{len(found.runs):,} of {count}"
    screen.print(Text(f"{source.repo}{of_pull}: {count}", style="dim"), soft_wrap=True)
