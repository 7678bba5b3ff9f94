"""``ghjobs timeline``: when the jobs of a run waited and worked."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from cyclopts import Parameter

from ghjobs_async.atomic_file import WholeFile
from ghjobs_async.audit.database.store import AuditStore
from ghjobs_async.audit.database.stored_jobs import read_run
from ghjobs_async.audit.gantt.chart import Chart, chart
from ghjobs_async.audit.gantt.page import page
from ghjobs_async.audit.gantt.svg import draw
from ghjobs_async.audit.gantt.trace import trace
from ghjobs_async.cli.options import AUDIT, Common, Repo, command, run_with
from ghjobs_async.cli.outcome import missing
from ghjobs_async.cli.output.console import Exit, console, note, report
from ghjobs_async.cli.output.text import size
from ghjobs_async.cli.output.timeline import draw_timeline
from ghjobs_async.cli.target import Target, host_of
from ghjobs_async.environment import GITHUB_COM
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import Job, JobList
from ghjobs_async.refs import RunRef

if TYPE_CHECKING:
    from ghjobs_async.client import GitHubJobs

_KINDS: Final[dict[str, Callable[[Chart], str | bytes]]] = {
    ".svg": draw,
    ".html": page,
    ".json": trace,
}

#: Jobs, and what is missing.
_Found: TypeAlias = tuple[Sequence[Job], Sequence[str]]

app = command(
    "timeline",
    "ghjobs timeline RUN [OPTIONS]",
    """\
The name of --output says what is written: .svg and .html are pictures that
need no script and no network; .json is for https://ui.perfetto.dev.

An audit of the same host that has the run needs no network; GitHub is asked
otherwise. Jobs of every attempt are shown. The critical path is inferred,
since GitHub does not tell what a job needs: a job is taken to have waited for
the one that ended last before it was created.

Examples:

    ghjobs timeline -R octo-org/octo-repo 29679449
    ghjobs timeline -R octo-org/octo-repo 29679449 -o run.svg
    ghjobs timeline https://github.com/OWNER/REPO/actions/runs/1 -o run.html
    ghjobs timeline -R octo-org/octo-repo 29679449 -o run.json
    ghjobs timeline 29679449 --audit ghjobs-audit -o run.svg
""",
)


@app.default
def timeline_command(  # noqa: D417 -- what commands share describes itself
    run: str,
    /,
    *,
    repo: Repo = None,
    attempt: Annotated[int | None, Parameter(alias="-a")] = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    audit: Path | None = None,
    live: bool = False,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Show when the jobs of a run waited and worked, and its critical path.

    Args:
        run: Number of the run, or its address.
        attempt: Only this attempt.
        output: Write it to this file: .svg, .html or .json. Default: text.
        audit: The audit that is asked first. Default: ghjobs-audit, if it is there.
        live: Ask GitHub, even if the audit has the run.
    """
    _check(output)
    if live and audit is not None:
        raise ConfigurationError("--live asks GitHub, --audit an audit: not both")
    jobs, troubles = _find(common, run, repo, attempt, audit, live=live)
    for trouble in troubles:
        report(trouble)
    _show(chart(jobs, datetime.now(UTC)), output, common)
    return Exit.INCOMPLETE if troubles else Exit.OK


def _find(
    common: Common,
    run: str,
    repo: str | None,
    attempt: int | None,
    audit: Path | None,
    *,
    live: bool,
) -> _Found:
    try:
        target = common.targets.run(run, repo, attempt)
    except ConfigurationError:
        # Nobody but an audit knows the repository of a number.
        number = repo is None and re.fullmatch(r"[1-9][0-9]{0,17}", run)
        host = _asked(run, common.targets.root)
        if number and not live and (found := _stored(common, audit, host, int(run), None, attempt)):
            return found
        raise
    ref, host = target.ref, _asked(run, target.root)
    stored = None if live else _stored(common, audit, host, ref.run_id, ref.repo, ref.attempt)
    return stored or _live(common, target)


def _asked(run: str, root: str) -> str:
    """Return the host that is asked; empty where nobody has named one, so that any audit may do."""
    return "" if run.isdecimal() and root == GITHUB_COM else host_of(root)


def _stored(
    common: Common,
    audit: Path | None,
    asked: str,
    run_id: int,
    repo: str | None,
    attempt: int | None,
) -> _Found | None:
    """
    Return what the audit has of the run.

    Only an audit that was named must be there and readable; any other one is of the host that is
    asked.
    """
    store = AuditStore(audit or AUDIT)
    if audit is None and not store.path.exists():
        return None
    try:
        with store.read(locked=True) as connection:
            found = read_run(connection, run_id, repo, attempt)
    except ConfigurationError as error:
        if audit is not None:
            raise
        note(f"asking GitHub, since {error}")
        return None
    if found is None:
        return None
    host = host_of(found.jobs[0].url)
    if audit is None and asked and host not in {"", asked}:
        note(f"{store.folder} is of {host}, not of {asked}")
        return None
    if not found.ended:
        note("it had not ended when it was stored: --live asks GitHub")
    elif audit is None and not common.quiet:
        note(f"from {store.folder}; --live asks GitHub")
    return found.jobs, found.missing


def _live(common: Common, target: Target[RunRef]) -> _Found:
    """Return the jobs of the run as GitHub has them now, and what is missing."""
    gh, progress = common.connect(target.root)

    async def fetch(gh: GitHubJobs) -> JobList:
        filter_: Literal["all", "latest"] = "all" if target.ref.attempt is None else "latest"
        with progress.showing(str(target.ref)):
            return await gh.list_jobs(target.ref, filter=filter_)

    jobs = run_with(gh, fetch)
    return jobs, missing(jobs)


def _show(drawn: Chart, output: Path | None, common: Common) -> None:
    if output is None:
        draw_timeline(console(sys.stdout), drawn)
        return
    content = _KINDS[output.suffix.lower()](drawn)
    data = content if isinstance(content, bytes) else content.encode()
    with WholeFile(output) as file:
        file.write(data)
    if not common.quiet:
        note(f"{output}: {size(len(data))}")


def _check(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in _KINDS:
        raise ConfigurationError(f"--output ends in .svg, .html or .json, not {output}")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise ConfigurationError(f"--output is a file in a folder that exists, not {output}")
