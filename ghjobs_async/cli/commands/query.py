"""``ghjobs query``: ask the database of an audit, in SQL."""

from __future__ import annotations

from ghjobs_async.audit import AuditStore, query
from ghjobs_async.cli.options import AUDIT, AuditDir, command
from ghjobs_async.cli.output.result import print_csv, print_objects, show_result
from ghjobs_async.errors import ConfigurationError

app = command(
    "query",
    "ghjobs query SQL [OPTIONS]",
    """\
DuckDB's SQL, which only reads: it changes nothing and opens no other file.
ghjobs schema lists the tables. Elsewhere than on a terminal, the first line
has the names of the columns, and each row is a line with tabs.

Examples:

    ghjobs query "SELECT conclusion, count(*) FROM jobs GROUP BY ALL"
    ghjobs query "FROM runs WHERE event = 'schedule' LIMIT 5" --json
    ghjobs query "SELECT name, avg(seconds) FROM jobs GROUP BY ALL" --csv
    ghjobs query "SELECT count(*) FROM steps" --audit october
""",
)


@app.default
def query_command(  # noqa: D417 -- what commands share describes itself
    sql: str, /, *, audit: AuditDir = AUDIT, json: bool = False, csv: bool = False
) -> None:
    """
    Ask the database of an audit, in SQL.

    Args:
        sql: The query, in quotes.
        json: Print a JSON list of objects.
        csv: Print CSV; formulas of spreadsheets get an apostrophe in front.
    """
    if json and csv:
        raise ConfigurationError("--json or --csv, not both")
    show = print_objects if json else print_csv if csv else show_result
    with query(AuditStore(audit), sql) as result:
        show(result)
