"""``ghjobs report``: what an audit tells, as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ghjobs_async.atomic_file import WholeFile
from ghjobs_async.audit import AuditStore, report
from ghjobs_async.audit.results.findings import check_audited
from ghjobs_async.cli.options import AUDIT, AuditDir, Counted, Quiet, command
from ghjobs_async.cli.output.console import note
from ghjobs_async.errors import ConfigurationError

app = command(
    "report",
    "ghjobs report [OPTIONS]",
    """\
The page has no scripts and loads nothing: it can be mailed, printed, and kept.

Examples:

    ghjobs report
    ghjobs report --audit october --output october.html
    ghjobs report --since 14d --repo octo-org/octo-repo
""",
)


@app.default
def report_command(  # noqa: D417 -- what commands share describes itself
    *,
    audit: AuditDir = AUDIT,
    output: Annotated[Path, Parameter(alias="-o")] = Path("audit.html"),
    counted: Counted = Counted(),  # noqa: B008 -- frozen
    quiet: Quiet = False,
) -> None:
    """
    Write what an audit tells as one HTML page: tables, plots, and what to do next.

    Args:
        output: The file to write.
    """
    since, repo = counted.parse()
    store = AuditStore(audit)
    if output.exists() and store.path.exists() and output.samefile(store.path):
        raise ConfigurationError(f"{output} is the audit itself: name another file with --output")
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise ConfigurationError(f"--output is a file in a folder that exists, not {output}")
    with store.read(locked=True) as connection:
        check_audited(connection, repo)
        page = report(connection, since=since, repo=repo, audit=None if audit == AUDIT else audit)
    with WholeFile(output) as file:
        file.write(page.encode())
    if not quiet:
        note(f"the report is in {output}: open it in a browser")
