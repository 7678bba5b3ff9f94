"""``ghjobs grep``: search the logs of many jobs as they come."""

from __future__ import annotations

import asyncio
import sys

from ghjobs_async.audit import Counts, Feed, Logs
from ghjobs_async.audit.collect.missing import failure_of, sentence
from ghjobs_async.audit.database.batch import Failure
from ghjobs_async.cli.matching import Matching
from ghjobs_async.cli.options import BUDGET_WAIT, Common, GrepFilters, Repo, command
from ghjobs_async.cli.output.console import is_pipe, report
from ghjobs_async.cli.output.hits import HitPrinter, Mode
from ghjobs_async.cli.output.problems import explain
from ghjobs_async.cli.output.progress import Progress, count_bars
from ghjobs_async.cli.output.text import plural
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.refs import RunRef

#: The exit status of grep.
_FOUND, _NOT_FOUND, _TROUBLE = 0, 1, 2


app = command(
    "grep",
    """\
ghjobs grep PATTERN [OWNER/REPO...] [OPTIONS]
       ghjobs grep -e PATTERN [-e PATTERN...] [OWNER/REPO...] [OPTIONS]""",
    """\
Lines are matched without their timestamps, colours and markers such as
##[error]. Hits are printed as they come; elsewhere than on a terminal as
ADDRESS:LINE:TEXT, context as ADDRESS-LINE-TEXT. -q prints nothing and stops
at the first hit; -l and -m stop reading a log early.

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
def grep_command(  # noqa: D417 -- what commands share describes itself
    pattern: str | None = None,
    /,
    *repos: str,
    matching: Matching = Matching(),  # noqa: B008 -- frozen
    repo: Repo = None,
    runs: list[str] | None = None,
    failed: bool = False,
    filters: GrepFilters = GrepFilters(),  # noqa: B008 -- frozen
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Search the logs of many jobs; hits are printed as they come.

    Args:
        pattern: Regular expression (Python's), for a line without timestamp and marker.
        repos: Repositories, OWNER/REPO, one or more; else GH_REPO.
        runs: Only this run: its number or address; may be given several times.
        failed: Only the logs of failed jobs.
    """
    # With -e, the first word is a repository already.
    if matching.regexp and pattern is not None:
        repos = (pattern, *repos)
    search = matching.search(pattern, quiet=common.quiet)
    if runs and filters.given:
        raise ConfigurationError(f"--runs names the runs: leave out {', '.join(filters.given)}")
    root, names, refs = _where(repos, repo, tuple(runs or ()), common)
    logs = Logs.FAILED if failed else Logs.ALL
    plan = filters.plan(names, logs, latest=not filters.all_attempts)
    # What reads the hits in a pipe may draw on the terminal itself: head, less.
    draws = not is_pipe(sys.stdout)
    gh, progress = common.connect(root, draws=draws, max_wait=BUDGET_WAIT)
    printer = HitPrinter(search, progress.print)
    troubles: list[str] = []

    def fail(failure: Failure) -> None:
        silent = matching.no_messages and failure.what == "log"
        troubles.append("" if silent else sentence(failure))

    feed = Feed(gh, plan, Counts(), fail, runs=refs)
    for name in names:
        plan.search(gh, name)
    try:
        if capped := asyncio.run(_run(feed, printer, progress)):
            troubles.append(f"only the beginning of {plural(capped, 'long line')} was searched")
    except GHJobsError as error:
        troubles = [explain(error)]
    printer.close()
    for trouble in filter(None, troubles):
        report(trouble)
    # Once found, nothing else counts for -q.
    ignored = common.quiet and printer.found
    if (troubles and not ignored) or not filters.check_found(feed.counts.found, names):
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
            with progress.showing(title, lambda: count_bars(feed.counts, hits.searched)):
                async for hit in hits:
                    printer.take(hit)
                    if search.mode is Mode.NOTHING:
                        break
        for one in hits.failures:
            feed.failed(failure_of("log", one.ref.repo, one.error, job_id=one.ref.job_id))
    feed.check_searched()
    return hits.capped


def _where(
    repos: tuple[str, ...], repo: str | None, runs: tuple[str, ...], common: Common
) -> tuple[str, tuple[str, ...], tuple[RunRef, ...]]:
    """Return the API's root, and the repositories to search in or the runs that are named."""
    if not runs:
        target = common.targets.repos(*repos, *([] if repo is None else [repo]))
        return target.root, target.ref, ()
    if len(repos) + (repo is not None) > 1:
        raise ConfigurationError("--runs are of one repository: name one, or paste their addresses")
    named = repos[0] if repos else repo
    targets = [common.targets.run(run, named) for run in runs]
    if len({target.root for target in targets}) > 1:
        raise ConfigurationError("--runs are of one host at a time")
    return targets[0].root, (), tuple(dict.fromkeys(target.ref for target in targets))
