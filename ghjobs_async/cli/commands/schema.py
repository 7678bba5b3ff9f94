"""``ghjobs schema``: what the tables of an audit hold."""

from __future__ import annotations

from pathlib import Path

from ghjobs_async.audit import AuditStore, describe
from ghjobs_async.cli.options import command
from ghjobs_async.cli.output.schema import print_schema

app = command(
    "schema",
    "ghjobs schema [OPTIONS]",
    """\
Without --audit it describes what this version of ghjobs writes. Elsewhere than
on a terminal, each column is a line with tabs: table, column, type, comment; a
line without column and type is about the table.

Examples:

    ghjobs schema
    ghjobs schema --audit october
    ghjobs schema --json
""",
)


@app.default
def schema_command(*, audit: Path | None = None, json: bool = False) -> None:
    """
    List every table and column of an audit, with what it holds.

    Args:
        audit: The folder of an audit: what its own file says.
        json: Print JSON.
    """
    print_schema(describe(None if audit is None else AuditStore(audit)), json=json)
