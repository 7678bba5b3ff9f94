"""``ghjobs demo``: an audit without an account and without a network."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from ghjobs_async.atomic_file import WholeFile
from ghjobs_async.audit import AuditPlan, AuditStore, Logs, findings, query, report, timeline
from ghjobs_async.audit.database.stored_jobs import read_run
from ghjobs_async.cli.commands.audit import run_audit
from ghjobs_async.cli.options import Quiet, Verbose, command
from ghjobs_async.cli.output.console import console, note, start_verbose
from ghjobs_async.cli.output.findings import draw_all
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.result import show_result
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.testing import FakeGitHub, FakeRun, faults, fill_demo

#: About the latency of GitHub itself: without it there would be nothing to see.
_LATENCY: Final = 0.05
#: After this many listings the client is told to wait for a second.
_LIMIT_AFTER: Final = 120

#: A query to go on with: what fails most?
_QUERY: Final = (
    "SELECT name, count(*) AS failures FROM jobs WHERE conclusion = 'failure'"
    " GROUP BY ALL ORDER BY failures DESC, name LIMIT 3"
)
#: Three findings, and how many rows of each to show.
_FINDINGS: Final = ("flaky_jobs", "failure_rates", "failure_reasons")
_FEW: Final = 3

app = command(
    "demo",
    "ghjobs demo [OPTIONS]",
    """\
It holds two repositories with a month of runs and thousands of jobs: matrices,
re-runs, failures with their logs. Once it asks the client to slow down, as
GitHub does.

Examples:

    ghjobs demo
    ghjobs demo --output demo --json
    ghjobs demo --serve
""",
)


@app.default
def demo_command(  # noqa: D417 -- what commands share describes itself
    *,
    serve: bool = False,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    runs: int = 200,
    concurrency: int = 32,
    json: bool = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """
    Audit an embedded GitHub: no account, no network.

    Args:
        serve: Keep it running until Ctrl-C, for other commands and programs.
        output: The folder to write to. Default: a temporary one.
        runs: How many runs there are.
        concurrency: How many requests and downloads may be under way at once.
        json: Print the summary as JSON.
    """
    if verbose:
        start_verbose()
    # No proxy may stand between this machine and itself.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    if runs < 1:
        raise ConfigurationError(f"--runs must be 1 or more, not {runs}")
    # Without an hourly limit, which would be spent at once at this speed.
    fake = FakeGitHub(latency=_LATENCY, rate_limit=None, record=False)
    filled = fill_demo(fake, runs)
    if serve:
        return _serve(fake, filled)
    fake.fail("jobs", faults.secondary_limit(retry_after=1), after=_LIMIT_AFTER)
    repos = tuple(dict.fromkeys(run.repo for run in filled))
    plan = AuditPlan(repos=repos, logs=Logs.FAILED)
    progress = Progress(quiet=quiet, verbose=verbose)
    # In a thread of its own, so that it does not share the client's event loop.
    with fake:
        gh = GitHubJobs(
            None, base_url=fake.base_url, concurrency=concurrency, on_wait=progress.on_wait
        )
        path = Path(tempfile.mkdtemp(prefix="ghjobs-demo-")) if output is None else output
        again = shlex.join([_name(), "demo", "--runs", str(runs), "--output", str(path)])
        status = run_audit(gh, plan, path, progress, json=json, again=f"{again} continues it")
    if status == 0 and not json:
        _tell(path, _rerun(filled), quiet=quiet)
    return status


def _tell(folder: Path, run: FakeRun, *, quiet: bool) -> None:
    """Show findings and a query of the audit; write its report and the timeline of a run."""
    name = _name()
    store = AuditStore(folder)
    screen = console(sys.stdout)
    with store.read(locked=True) as connection:
        screen.print()
        found = [findings(connection, one, limit=_FEW, notable=True) for one in _FINDINGS]
        draw_all(screen, found, ("--audit", str(folder)))
        page = report(connection, audit=folder)
        stored = read_run(connection, run.id, run.repo)
    screen.print(
        f'{name} query --audit {shlex.quote(str(folder))} "{_QUERY}"',
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    with query(store, _QUERY) as result:
        show_result(result)
    written = {"audit.html": page, "run.svg": timeline(stored.jobs if stored else ())}
    for file_name, text in written.items():
        with WholeFile(folder / file_name) as file:
            file.write(text.encode())
    if quiet:
        return
    note(f"open {folder / 'audit.html'} (the report) and {folder / 'run.svg'} (a run's timeline)")
    note(f"next: {name} demo --serve keeps this GitHub running and prints what to try on it;")
    note(f"      {name} audit OWNER/REPO --since 7d audits your own repository")


def _name() -> str:
    """Return the command as it was called: it may not be on the PATH."""
    return "ghjobs" if shutil.which("ghjobs") else sys.argv[0]


def _rerun(runs: list[FakeRun]) -> FakeRun:
    """Return the newest run with several attempts, or the newest run."""
    return next((run for run in reversed(runs) if len(run.attempts) > 1), runs[-1])


def _serve(fake: FakeGitHub, runs: list[FakeRun]) -> int:
    with fake:
        sys.stdout.write("\n".join(_lines(fake.base_url, runs)) + "\n")
        sys.stdout.flush()
        try:
            while True:
                # Not one endless wait: on Windows, Ctrl-C would not end it.
                time.sleep(1)
        except KeyboardInterrupt:
            note("stopped")
    return 0


def _lines(base_url: str, runs: list[FakeRun]) -> list[str]:
    """Return what to export, then commands to try; all of it can be pasted into a shell."""
    powershell = os.name == "nt"
    export = '$env:{} = "{}"' if powershell else "export {}={}"
    lines = [
        "# an embedded GitHub is running until Ctrl-C; in another terminal:",
        export.format("GITHUB_API_URL", base_url),
        export.format("GITHUB_TOKEN", "demo"),
    ]
    if os.environ.get("GH_HOST"):
        # It would outrank GITHUB_API_URL.
        lines.append("$env:GH_HOST = $null" if powershell else "unset GH_HOST")
    run = _rerun(runs)
    of_run = f"-R {run.repo} {run.id}"
    lines += ["", *(f"ghjobs {name} {of_run}" for name in ("list --all", "timeline", "watch"))]
    jobs = [job for attempt in run.attempts for job in attempt.jobs]
    failed = [job for job in jobs if job.payload().get("conclusion") == "failure"]
    for job in (failed or jobs)[:1]:
        web = base_url.removesuffix("/api/v3")
        lines += [
            f"ghjobs job {web}/{run.repo}/actions/runs/{run.id}/job/{job.id}",
            f"ghjobs log -R {run.repo} {job.id} --failed",
            f"ghjobs grep 'Process completed' {run.repo} --since 7d",
        ]
    return [
        *lines,
        f"ghjobs audit {run.repo} --since 7d --output demo-audit",
        "ghjobs findings --audit demo-audit",
    ]
