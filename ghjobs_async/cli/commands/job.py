"""``ghjobs job``: one job."""

from __future__ import annotations

import sys

from ghjobs_async.cli.options import Common, ExitStatus, Jq, Json, Repo, Web, command, run_with
from ghjobs_async.cli.outcome import has_failed
from ghjobs_async.cli.output.as_json import JsonPrinter, check_web
from ghjobs_async.cli.output.console import console, is_terminal
from ghjobs_async.cli.output.records import JOB_FIELDS, draw_job, print_job
from ghjobs_async.cli.programs import open_page
from ghjobs_async.cli.target import Target, web_root
from ghjobs_async.models import Job
from ghjobs_async.refs import JobRef

app = command(
    "job",
    "ghjobs job JOB [OPTIONS]",
    """\
Examples:

    ghjobs job -R octo-org/octo-repo 399444496
    ghjobs job https://github.com/OWNER/REPO/actions/runs/1/job/2
    ghjobs job -R octo-org/octo-repo 399444496 --json name,conclusion
    ghjobs job -R octo-org/octo-repo 399444496 --jq '.steps[].name'
    ghjobs job -R octo-org/octo-repo 399444496 --web

--json prints what GitHub sent: every key, also those that are new.
""",
)


@app.default
def job_command(  # noqa: D417 -- what commands share describes itself
    job: str,
    /,
    *,
    repo: Repo = None,
    json: Json = None,
    jq: Jq = None,
    web: Web = False,
    exit_status: ExitStatus = False,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Show one job: how it went, and its steps.

    Args:
        job: Number of the job, or its address.
    """
    printer = JsonPrinter.of_options(json, jq)
    check_web(web, printer, exit_status=exit_status)
    target = common.targets.job(job, repo)
    gh, _ = common.connect(target.root)
    if printer is not None:
        sent = run_with(gh, lambda gh: gh.get_job_json(target.ref))
        # GitHub may send more than the model knows.
        printer.check(tuple(dict.fromkeys((*JOB_FIELDS, *sent))))
        printer.print(sent)
        return int(exit_status and has_failed(sent.get("status"), sent.get("conclusion")))
    found = run_with(gh, lambda gh: gh.get_job(target.ref))
    if web:
        open_page(_page(target, found), quiet=common.quiet)
    elif is_terminal(sys.stdout):
        draw_job(console(sys.stdout), target.ref.repo, found)
    else:
        print_job(target.ref.repo, found)
    return int(exit_status and has_failed(found.status, found.conclusion))


def _page(target: Target[JobRef], job: Job) -> str:
    """Return the address of a job's page; only a page of the host that was asked is opened."""
    web = web_root(target.root)
    if job.html_url and job.html_url.startswith(f"{web}/"):
        return job.html_url
    return f"{web}/{target.ref.repo}/actions/runs/{job.run_id}/job/{job.id}"
