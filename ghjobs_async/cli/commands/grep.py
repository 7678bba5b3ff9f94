"""``ghjobs grep``: search the logs of many jobs as they come."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter

from ghjobs_async.audit import Feed, Logs, Tally
from ghjobs_async.audit.feed import Failure
from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.filters import Filters
from ghjobs_async.cli.matching import Matching
from ghjobs_async.cli.options import HELP_FORMAT, Common, Repo
from ghjobs_async.cli.output.console import is_pipe
from ghjobs_async.cli.output.hits import HitPrinter, Mode
from ghjobs_async.cli.output.progress import Progress, tally_bars
from ghjobs_async.cli.output.text import plural, report
from ghjobs_async.cli.target import repos_target, run_target
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.refs import RunRef

#: The exit status of grep.
_FOUND: Final = 0
_NOT_FOUND: Final = 1
_TROUBLE: Final = 2
#: Long enough for the hourly budget to come back.
_MAX_WAIT: Final = 3900.0


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class GrepFilters(Filters):
    """The filters, with ``-e`` left to the pattern as in grep."""

    event: Annotated[
        str | None, Parameter(name="--event", help="What triggered them, say push.")
    ] = None


app = App(
    name="grep",
    usage="""\
Usage: ghjobs grep PATTERN [OWNER/REPO...] [OPTIONS]
       ghjobs grep -e PATTERN [-e PATTERN...] [OWNER/REPO...] [OPTIONS]""",
    help_format=HELP_FORMAT,
    help_epilogue="""\
Lines are matched as they are shown: without timestamps, markers such as
##[error], and colours. Hits are printed as they come; elsewhere than on a
terminal as ADDRESS:LINE:TEXT, context as ADDRESS-LINE-TEXT. -q prints
nothing and stops at the first hit; -l and -m stop reading a log early.

Examples:

    ghjobs grep 'tj-actions/changed-files@' octo-org/octo-repo --since 30d
    ghjobs grep -i 'out of memory' octo-org/octo-repo --failed -C 3
    ghjobs grep -l 'cache miss' octo-org/octo-repo --workflow ci.yml
    ghjobs grep -e 'exit code 137' -e 'No space left' octo-org/octo-repo
    ghjobs grep -o 'sha256:[0-9a-f]+' octo-org/octo-repo -m 1
    ghjobs grep 'error TS[0-9]+' octo-org/octo-repo --runs 29679449
    ghjobs grep 'Process completed' octo-org/octo-repo --json | jq -r .url

Exit status, as grep's: 0 found, 1 not found, 2 wrong usage or incomplete.
""",
)


@app.default
def grep_command(
    pattern: Annotated[
        str | None,
        Parameter(help="Regular expression (Python's), for lines as they are shown."),
    ] = None,
    /,
    *repos: Annotated[str, Parameter(help="Repositories, OWNER/REPO, one or more; else GH_REPO.")],
    matching: Matching = Matching(),  # noqa: B008 -- frozen
    repo: Repo = None,
    runs: Annotated[
        list[str] | None,
        Parameter(
            negative=(), help="Only this run: its number or address; may be given several times."
        ),
    ] = None,
    failed: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Only the logs of failed jobs.")
    ] = False,
    filters: GrepFilters = GrepFilters(),
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Search the logs of many jobs; hits are printed as they come.

    Lines are matched as they are shown: without timestamps, markers and colours. Elsewhere than on a
    terminal, a hit is ADDRESS:LINE:TEXT, context is ADDRESS-LINE-TEXT.
    """
    # With -e, the first word is a repository already.
    if matching.regexp and pattern is not None:
        repos = (pattern, *repos)
    search = matching.search(pattern, quiet=common.quiet)
    if runs and filters.given:
        raise ConfigurationError(f"--runs names the runs: leave out {', '.join(filters.given)}")
    root, names, refs = _where(repos, repo, tuple(runs or ()), common)
    plan = filters.plan(names, Logs.FAILED if failed else Logs.ALL)
    # What reads the hits in a pipe may draw on the terminal itself: head, less.
    progress = Progress(quiet=common.quiet, verbose=common.verbose, draws=not is_pipe(sys.stdout))
    printer = HitPrinter(search, progress.print)
    gh = connect(root, common, on_wait=progress.on_wait, max_wait=_MAX_WAIT)
    troubles: list[str] = []
    feed = Feed(gh, plan, Tally(), lambda failure: troubles.append(_said(failure)), runs=refs)
    for name in names:
        plan.search(gh, name)
    try:
        if capped := asyncio.run(_run(feed, printer, progress)):
            troubles.append(f"only the beginning of {plural(capped, 'long line')} was searched")
    except GHJobsError as error:
        troubles = [str(error)]
    printer.close()
    for trouble in troubles:
        report(trouble)
    # Once found, nothing else counts for -q.
    if troubles and not (common.quiet and printer.found):
        return _TROUBLE
    if not filters.check_found(feed.tally.total.found, names):
        return _TROUBLE
    return _FOUND if printer.found else _NOT_FOUND


async def _run(feed: Feed, printer: HitPrinter, progress: Progress) -> int:
    """Search, and return how many lines were too long to be searched whole."""
    search = printer.search
    title = ", ".join(feed.plan.repos) or plural(len(feed.runs), "run")
    async with feed.gh as gh, feed.listings() as listings:
        async with gh.grep(
            feed.jobs(listings),
            search.pattern,
            context=search.context,
            invert=search.invert,
            max_count=search.max_count,
        ) as hits:
            with progress.showing(title, lambda: tally_bars(feed.tally, hits.searched)):
                async for hit in hits:
                    printer.take(hit)
                    if search.mode is Mode.NOTHING:
                        break
        for one in hits.failures:
            feed.failed("log", one.ref.repo, one.error, job_id=one.ref.job_id)
    feed.check_searched()
    return hits.capped


def _where(
    repos: tuple[str, ...], repo: str | None, runs: tuple[str, ...], common: Common
) -> tuple[str, tuple[str, ...], tuple[RunRef, ...]]:
    """Return the API's root, and the repositories to search in or the runs that are named."""
    if not runs:
        names = repos if repo is None else (*repos, repo)
        target = repos_target(names, common.base_url, os.environ, find_repository)
        return target.root, target.ref, ()
    if len(repos) + (repo is not None) > 1:
        raise ConfigurationError("--runs are of one repository: name one, or paste their addresses")
    named = repos[0] if repos else repo
    targets = [
        run_target(run, named, None, common.base_url, os.environ, find_repository) for run in runs
    ]
    if len({target.root for target in targets}) > 1:
        raise ConfigurationError("--runs are of one host at a time")
    return targets[0].root, (), tuple(dict.fromkeys(target.ref for target in targets))


def _said(failure: Failure) -> str:
    number = failure.get("job_id") or failure.get("run_id")
    of = "" if number is None else f" {number}"
    return f"{failure['repository']} {failure['what']}{of}: {failure['text']}"
