"""``ghjobs findings``: what an audit tells about jobs that fail, wait, take time and cost."""

from __future__ import annotations

import sys
from typing import Final

from ghjobs_async.audit import AuditStore, findings
from ghjobs_async.audit.results.findings import NAMES, check_audited, check_name
from ghjobs_async.audit.results.readable import repeated
from ghjobs_async.cli.options import AUDIT, AuditDir, Counted, command
from ghjobs_async.cli.output.as_json import print_json
from ghjobs_async.cli.output.console import console, is_terminal
from ghjobs_async.cli.output.findings import draw, draw_all
from ghjobs_async.cli.output.result import objects, print_csv, print_lines, print_objects
from ghjobs_async.errors import ConfigurationError

#: How many rows of each finding a summary shows.
_FEW: Final = 3

app = command(
    "findings",
    "ghjobs findings [NAME] [OPTIONS]",
    """\
NAME is one of flaky_jobs, failure_rates, failure_reasons, slow_jobs,
slow_steps, queueing, waste, costs, incomplete.

Each is a view in the audit's database, to go on from with ghjobs query.

On a terminal, and without a NAME, the findings are tables for people, without
jobs that never failed. In a pipe, a NAME gives all rows and columns: lines with
tabs below a header. --json gives all of them anywhere.

Examples:

    ghjobs findings
    ghjobs findings flaky_jobs --since 14d
    ghjobs findings costs --repo octo-org/octo-repo --csv > costs.csv
    ghjobs query "SELECT sku, sum(usd) FROM costs GROUP BY sku"

The costs are at the prices in the table prices. To put in yours, with Python:

    import duckdb
    sql = "UPDATE prices SET usd_per_minute = 0 WHERE sku = 'actions_linux'"
    duckdb.connect("ghjobs-audit/audit.duckdb").execute(sql)
""",
)


@app.default
def findings_command(  # noqa: D417 -- what commands share describes itself
    name: str | None = None,
    /,
    *,
    audit: AuditDir = AUDIT,
    counted: Counted = Counted(),  # noqa: B008 -- frozen
    json: bool = False,
    csv: bool = False,
) -> None:
    """
    Show what an audit tells: what fails, what is slow, what waits and what it costs.

    Args:
        name: The finding. Default: the first rows of each.
        json: Print JSON.
        csv: Print CSV; needs a NAME.
    """
    if json and csv:
        raise ConfigurationError("--json or --csv, not both")
    if csv and name is None:
        raise ConfigurationError(f"--csv prints one finding, so name it: {', '.join(NAMES)}")
    if name is not None:
        check_name(name)
    since, repo = counted.parse()
    folder = None if audit == AUDIT else str(audit)
    options = repeated(folder, counted.since, counted.repo)
    # A table on a terminal is for people; a program gets all rows.
    few = _FEW if name is None and not json else None
    drawn = not (json or csv) and (name is None or is_terminal(sys.stdout))
    with AuditStore(audit).read(locked=True) as connection:
        check_audited(connection, repo)
        found = [
            findings(connection, one, since=since, repo=repo, limit=few, notable=drawn)
            for one in (NAMES if name is None else (name,))
        ]
    if name is None and json:
        print_json({finding.name: list(objects(finding)) for finding in found})
    elif json:
        print_objects(found[0])
    elif name is None:
        draw_all(console(sys.stdout), found, options)
    elif csv:
        print_csv(found[0])
    elif drawn:
        draw(console(sys.stdout), found[0], options)
    else:
        print_lines(found[0])
