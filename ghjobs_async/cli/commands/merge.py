"""``ghjobs merge``: several audits into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ghjobs_async.audit import merge
from ghjobs_async.cli.options import Quiet, command
from ghjobs_async.cli.output.console import Exit, note, report
from ghjobs_async.cli.output.text import plural
from ghjobs_async.errors import ConfigurationError

app = command(
    "merge",
    "ghjobs merge FOLDER... --output DIR [OPTIONS]",
    """\
The folders may overlap, and may be merged again: of each run the latest state
is kept. DIR may hold an audit already. The folders are only read.

Exit status: 0 all well, 1 failed, 2 wrong usage, 3 files of logs are missing.

Examples:

    ghjobs merge shard-1 shard-2 shard-3 --output ghjobs-audit
    ghjobs merge october november --output autumn
""",
)


@app.default
def merge_command(  # noqa: D417 -- what commands share describes itself
    *folders: Path,
    output: Annotated[Path, Parameter(alias="-o")],
    quiet: Quiet = False,
) -> int:
    """
    Merge audits into one, with their logs.

    Args:
        folders: The folders of the audits.
        output: The folder of the merged audit.
    """
    if not folders:
        raise ConfigurationError("which audits? Name their folders")
    merged = merge(folders, output)
    if not quiet:
        counts = [
            plural(merged.runs, "run"),
            plural(merged.jobs, "job"),
            plural(merged.logs, "log"),
        ]
        note(f"{', '.join(counts)} are in {output}")
    if merged.missing:
        report(f"incomplete: {plural(merged.missing, 'log')} had no file in these folders")
        return Exit.INCOMPLETE
    return Exit.OK
