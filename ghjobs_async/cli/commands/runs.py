"""``ghjobs runs``: the runs of a repository or of a pull request."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ghjobs_async.audit import Logs
from ghjobs_async.cli.options import Common, Jq, Json, Repo, RunFilters, command, run_with
from ghjobs_async.cli.output.as_json import JsonPrinter
from ghjobs_async.cli.output.console import Exit, report
from ghjobs_async.cli.output.records import RUN_FIELDS, show_runs
from ghjobs_async.cli.output.text import plural
from ghjobs_async.cli.target import RunsOf
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import Run

app = command(
    "runs",
    "ghjobs runs [OWNER/REPO | PULL-REQUEST] [OPTIONS]",
    """\
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
def runs_command(  # noqa: D417 -- what commands share describes itself
    source: str | None = None,
    /,
    *,
    repo: Repo = None,
    limit: Annotated[int, Parameter(alias="-L")] = 20,
    json: Json = None,
    jq: Jq = None,
    filters: RunFilters = RunFilters(),  # noqa: B008 -- frozen
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    List the runs of a repository, or of a pull request's head commit; the newest first.

    Args:
        source: OWNER/REPO, or the address of a pull request: the runs of its head commit.
        limit: The most runs to list.
    """
    printer = JsonPrinter.of_options(json, jq, RUN_FIELDS)
    if limit < 1:
        raise ConfigurationError(f"--limit is 1 or more, not {limit}")
    target = common.targets.runs(source, repo)
    gh, _ = common.connect(target.root)
    runs, total, missing = run_with(gh, lambda gh: _fetch(gh, target.ref, filters, limit))
    count = plural(total, "run")
    if len(runs) < total:
        count = f"{len(runs):,} of {count}"
    of_pull = "" if target.ref.pull is None else f" pull request {target.ref.pull}"
    show_runs(runs, printer, f"{target.ref.repo}{of_pull}: {count}")
    if missing:
        report(f"incomplete: {missing}")
        return Exit.INCOMPLETE
    return Exit.OK


async def _fetch(
    gh: GitHubJobs, source: RunsOf, filters: RunFilters, limit: int
) -> tuple[tuple[Run, ...], int, str]:
    """Return the runs that are asked for, how many there are in all, and what is missing."""
    plan = filters.plan((source.repo,), Logs.NONE)
    sha = None if source.pull is None else await gh.get_pull_head(source.repo, source.pull)
    search = plan.search(gh, source.repo, head_sha=sha)
    total, runs = await search.peek()
    # One page is mostly enough, and iterating asks for many.
    if len(runs) + len(search.undecodable) < min(limit, total):
        search = plan.search(gh, source.repo, head_sha=sha)
        listed: list[Run] = []
        async for one in search:
            listed.append(one)
            if len(listed) == limit:
                break
        total, runs = search.total_count, tuple(listed)
    missing = ""
    if search.undecodable:
        missing = f"{plural(len(search.undecodable), 'run')} could not be decoded"
    elif len(runs) < min(limit, total):
        missing = f"{total} runs expected, {len(runs)} got"
    return runs[:limit], total, missing
