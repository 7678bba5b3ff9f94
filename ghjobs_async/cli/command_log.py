"""``ghjobs log``: the log of a job."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ghjobs_async.cli.connect import connect
from ghjobs_async.cli.console import is_terminal
from ghjobs_async.cli.loglines import write_lines
from ghjobs_async.cli.options import HELP_FORMAT, Common, Repo
from ghjobs_async.cli.target import job_target
from ghjobs_async.cli.text import note, size
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.logs import JobLog

app = App(
    name="log",
    help_format=HELP_FORMAT,
    help_epilogue="""
Examples:

    ghjobs log -R octo-org/octo-repo 399444496 | grep error
    ghjobs log -R octo-org/octo-repo 399444496 --output job.log
    ghjobs log https://github.com/octo-org/octo-repo/actions/runs/29679449/job/399444496
""",
)


@app.default
def log_command(
    job: Annotated[str, Parameter(help="Number of the job, or its address.")],
    /,
    *,
    repo: Repo = None,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="Save it to this file instead.")
    ] = None,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Print the log of a job, or save it.

    Elsewhere than on a terminal, and in a file, it is what GitHub has, byte for byte. On a terminal
    it comes without timestamps, and nothing in it but colours reaches the terminal's controls.
    """
    target = job_target(job, repo, common.base_url, os.environ)
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise ConfigurationError(f"--output is a file in a folder that is there, not {output}")

    async def run() -> None:
        async with connect(target.root, common) as gh, gh.open_log(target.ref) as log:
            await _show(log, output, quiet=common.quiet)

    asyncio.run(run())
    return 0


async def _show(log: JobLog, output: Path | None, *, quiet: bool) -> None:
    if output is not None:
        written = await log.save(output)
        if not quiet:
            note(f"{output}: {size(written)}")
    elif is_terminal(sys.stdout):
        await write_lines(log)
    else:
        sys.stdout.flush()
        async with aclosing(log.chunks()) as chunks:
            async for chunk in chunks:
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
