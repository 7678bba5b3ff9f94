"""``ghjobs list``: the jobs of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import attrs
from cyclopts import Parameter

from ghjobs_async.audit.collect.plan import failed
from ghjobs_async.cli.options import Common, ExitStatus, Jq, Json, Repo, Web, command, run_with
from ghjobs_async.cli.outcome import Cause, find_failed, has_failed, missing, read_failures
from ghjobs_async.cli.output.as_json import JsonPrinter, check_web
from ghjobs_async.cli.output.console import Exit, report
from ghjobs_async.cli.output.progress import Bar
from ghjobs_async.cli.output.records import FAILED_FIELDS, JOB_FIELDS, show_failures, show_jobs
from ghjobs_async.cli.programs import open_page
from ghjobs_async.cli.target import Target, run_page
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.models import Job, JobList, Run
from ghjobs_async.refs import JobRef, RunRef

app = command(
    "list",
    "ghjobs list RUN [OPTIONS]",
    """\
In a pipe or a file, each job is a line with tabs: conclusion (or status),
name, number, attempt, elapsed, queued, start, address. With --failed:
conclusion, name, number, attempt, failing step, first error, address.

The address of a job stands for its attempt.

With --failed, a failed run that has no jobs ends with status 1.

Examples:

    ghjobs list -R octo-org/octo-repo 29679449
    ghjobs list -R octo-org/octo-repo 29679449 --all
    ghjobs list -R octo-org/octo-repo 29679449 --failed
    ghjobs list https://github.com/OWNER/REPO/actions/runs/1/attempts/2
    ghjobs list -R octo-org/octo-repo 29679449 --json name,conclusion
    ghjobs list -R octo-org/octo-repo 29679449 --jq '.[].name'
""",
)


@app.default
def list_command(  # noqa: D417 -- what commands share describes itself
    run: str,
    /,
    *,
    repo: Repo = None,
    attempt: Annotated[int | None, Parameter(alias="-a")] = None,
    all_: bool = False,
    failed_only: Annotated[bool, Parameter(name="--failed")] = False,
    json: Json = None,
    jq: Jq = None,
    web: Web = False,
    exit_status: ExitStatus = False,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    List the jobs of a run: of its latest attempt, or of the attempt that the address names.

    Args:
        run: Number of the run, or its address.
        attempt: The jobs of this attempt.
        all_: The jobs of every attempt.
        failed_only: Only failed jobs, each with its failing step and first error.
    """
    if all_ and attempt is not None:
        raise ConfigurationError("--attempt names one attempt, --all means every one: not both")
    printer = JsonPrinter.of_options(json, jq, FAILED_FIELDS if failed_only else JOB_FIELDS)
    check_web(web, printer, exit_status=exit_status)
    target = _target(common, run, repo, attempt)
    if all_ and isinstance(target.ref, RunRef) and target.ref.attempt is not None:
        raise ConfigurationError("this address names one attempt, --all means every one: not both")
    if web:
        open_page(run_page(common.targets.run(run, repo, attempt)), quiet=common.quiet)
        return Exit.OK
    gh, progress = common.connect(target.root)

    async def fetch(gh: GitHubJobs) -> tuple[_Found, list[str], list[tuple[Job, Cause]]]:
        with progress.showing(str(target.ref)):
            found = await _fetch(gh, target.ref, attempt, all_=all_)
            if not failed_only:
                return found, missing(found.jobs), []
            these = await find_failed(gh, found.jobs)
        causes: dict[int, Cause] = {}
        repo = found.ref.repo
        with progress.showing(
            f"{repo}: failed jobs", lambda: [Bar("logs", len(causes), len(these.jobs))]
        ):
            await read_failures(gh, repo, these, lambda job, why: causes.update({job.id: why}))
        return found, these.troubles, [(job, causes[job.id]) for job in these.jobs]

    found, troubles, failures = run_with(gh, fetch)
    unread = [one for one in failures if isinstance(one[1], GHJobsError)]
    troubles += [f"log of job {job.id}: {error}" for job, error in unread]
    for trouble in troubles:
        report(trouble)
    if not failed_only:
        show_jobs(str(found.ref), found.jobs, printer, attempts=all_)
    elif printer is not None or found.empty_run is None:
        show_failures(failures, printer)
    if _failed(found, failed_only=failed_only, exit_status=exit_status):
        return Exit.FAILED
    return Exit.INCOMPLETE if troubles else Exit.OK


@attrs.frozen
class _Found:
    """A run or an attempt, its jobs, and the run itself where it has none: only it says why."""

    ref: RunRef
    jobs: JobList
    empty_run: Run | None


def _target(
    common: Common, run: str, repo: str | None, attempt: int | None
) -> Target[RunRef] | Target[JobRef]:
    """Return the run that the user names, or the job if it is the address of one."""
    if not run.strip().isdecimal():
        with suppress(ConfigurationError):
            return common.targets.job(run, repo)
    return common.targets.run(run, repo, attempt)


async def _fetch(
    gh: GitHubJobs, ref: RunRef | JobRef, attempt: int | None, *, all_: bool
) -> _Found:
    if isinstance(ref, JobRef):
        job = await gh.get_job(ref)
        of_job = job.run_attempt if attempt is None and not all_ else attempt
        ref = RunRef(ref.repo, job.run_id, of_job)
    jobs = await gh.list_jobs(ref, filter="all" if all_ else "latest")
    return _Found(ref, jobs, None if jobs.total_count else await gh.get_run(ref))


def _failed(found: _Found, *, failed_only: bool, exit_status: bool) -> bool:
    """Judge whether something failed; a run without jobs is reported."""
    of_run: Sequence[Job | Run] = found.jobs
    if found.empty_run is not None:
        report(f"{found.ref} has no jobs: it is {found.empty_run.state}")
        of_run = (found.empty_run,)
        if failed_only and failed(found.empty_run):
            return True
    return exit_status and any(has_failed(one.status, one.conclusion) for one in of_run)
