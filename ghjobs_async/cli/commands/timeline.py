"""``ghjobs timeline``: when the jobs of a run waited and worked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from ghjobs_async.atomic_file import WholeFile
from ghjobs_async.audit.gantt.chart import Chart, chart
from ghjobs_async.audit.gantt.page import page
from ghjobs_async.audit.gantt.svg import draw
from ghjobs_async.audit.gantt.trace import trace
from ghjobs_async.cli.options import Common, Repo, command, run_with
from ghjobs_async.cli.outcome import missing
from ghjobs_async.cli.output.console import Exit, console, note, report
from ghjobs_async.cli.output.text import size
from ghjobs_async.cli.output.timeline import draw_timeline
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import JobList
from ghjobs_async.refs import RunRef

_KINDS: Final[dict[str, Callable[[Chart], str | bytes]]] = {
    ".svg": draw,
    ".html": page,
    ".json": trace,
}

app = command(
    "timeline",
    "ghjobs timeline RUN [OPTIONS]",
    """\
The name of --output says what is written: .svg and .html are pictures that
need no script and no network; .json is for https://ui.perfetto.dev.

Jobs of every attempt are shown. The critical path is inferred, since GitHub
does not tell what a job needs: a job is taken to have waited for the one that
ended last before it was created.

Examples:

    ghjobs timeline -R octo-org/octo-repo 29679449
    ghjobs timeline -R octo-org/octo-repo 29679449 -o run.svg
    ghjobs timeline https://github.com/OWNER/REPO/actions/runs/1 -o run.html
    ghjobs timeline -R octo-org/octo-repo 29679449 -o run.json
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
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Show when the jobs of a run waited and worked, and its critical path.

    Args:
        run: Number of the run, or its address.
        attempt: Only this attempt.
        output: Write it to this file: .svg, .html or .json. Default: text.
    """
    _check(output)
    target = common.targets.run(run, repo, attempt)
    gh, progress = common.connect(target.root)

    async def fetch(gh: GitHubJobs) -> JobList:
        with progress.showing(str(target.ref)):
            return await _fetch(gh, target.ref)

    jobs = run_with(gh, fetch)
    for trouble in missing(jobs):
        report(trouble)
    drawn = chart(jobs, datetime.now(UTC))
    if output is None:
        draw_timeline(console(sys.stdout), drawn)
    else:
        written = _write(output, drawn)
        if not common.quiet:
            note(f"{output}: {size(written)}")
    return Exit.OK if jobs.complete else Exit.INCOMPLETE


async def _fetch(gh: GitHubJobs, ref: RunRef) -> JobList:
    if ref.attempt is None:
        return await gh.list_jobs(ref, filter="all")
    return await gh.list_jobs(ref)


def _check(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in _KINDS:
        raise ConfigurationError(f"--output ends in .svg, .html or .json, not {output}")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise ConfigurationError(f"--output is a file in a folder that exists, not {output}")


def _write(output: Path, drawn: Chart) -> int:
    content = _KINDS[output.suffix.lower()](drawn)
    data = content if isinstance(content, bytes) else content.encode()
    with WholeFile(output) as file:
        file.write(data)
    return len(data)
