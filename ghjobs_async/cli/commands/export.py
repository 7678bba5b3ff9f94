"""``ghjobs export``: the tables of an audit as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ghjobs_async.audit import export
from ghjobs_async.cli.options import AUDIT, AuditDir, Quiet, command
from ghjobs_async.cli.output.console import note
from ghjobs_async.cli.output.text import plural

app = command(
    "export",
    "ghjobs export --format FORMAT --output DIR [OPTIONS]",
    """\
parquet and csv write a file for each table; ndjson writes jobs.ndjson, with
GitHub's JSON of each job and its repository. In CSV, a text that a spreadsheet
would execute gets an apostrophe in front.

Examples:

    ghjobs export --format parquet --output lake
    ghjobs export --format csv --output tables --audit october
    ghjobs export --format ndjson --output .
""",
)


@app.default
def export_command(  # noqa: D417 -- what commands share describes itself
    *,
    format: Literal["parquet", "csv", "ndjson"],  # noqa: A002 -- the option's name
    output: Annotated[Path, Parameter(alias="-o")],
    audit: AuditDir = AUDIT,
    quiet: Quiet = False,
) -> None:
    """
    Write the tables of an audit to files.

    Args:
        format: What to write.
        output: The folder to write to; files of the same name are replaced.
    """
    paths = export(audit, output, format)
    if not quiet:
        name = paths[0].name if len(paths) == 1 else plural(len(paths), "file")
        note(f"{name} is in {output}" if len(paths) == 1 else f"{name} are in {output}")
