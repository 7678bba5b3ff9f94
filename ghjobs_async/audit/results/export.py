"""Write an audit's tables as files that other tools read."""

from __future__ import annotations

import os
import re
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghjobs_async.audit.database import duck
from ghjobs_async.audit.database.errors import disk_errors
from ghjobs_async.audit.database.store import AuditStore, make_folder
from ghjobs_async.audit.sql import jobs as jobs_sql
from ghjobs_async.audit.sql.schema import TABLES, Column, Table, quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Format(StrEnum):
    """What `export` writes."""

    PARQUET = "parquet"
    CSV = "csv"
    NDJSON = "ndjson"


#: What spreadsheets take for the start of a formula, or skip before one.
_FORMULA: Final = r"^[=+\-@\t\r\n]"
#: Plain lines: JSON itself holds neither line breaks nor this delimiter.
_LINES: Final = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01'"


def export(
    folder: str | os.PathLike[str], output: str | os.PathLike[str], form: Format | str
) -> tuple[Path, ...]:
    """
    Write the tables of an audit to files, and return their paths.

    ``parquet`` and ``csv`` give a file for each table, ``ndjson`` gives ``jobs.ndjson``: GitHub's
    JSON of each job and its ``repository``. Each file is complete or not there; older ones are
    replaced. In CSV, a text that a spreadsheet would execute gets an apostrophe in front, and lists
    are JSON.

    Args:
        folder: The folder of the audit.

        output: The folder to write to; created if missing.

        form: ``"parquet"``, ``"csv"`` or ``"ndjson"``.

    Raises:
        ConfigurationError: There is no audit, it is in use by a writer, or *output* is no folder.
        OSError: The files cannot be written.
    """
    form = Format(form)
    into = Path(output)
    with AuditStore(folder).read() as connection:
        make_folder(into)
        with tempfile.TemporaryDirectory(dir=into, prefix=".", suffix=".part") as made:
            with disk_errors(into):
                names = _write(connection, Path(made), form)
            return tuple(Path(made, name).replace(into / name) for name in names)


def is_formula(text: str) -> bool:
    """Check whether a spreadsheet would take a text for a formula."""
    return re.match(_FORMULA, text) is not None


def _write(connection: DuckDBPyConnection, into: Path, form: Format) -> list[str]:
    if form is Format.NDJSON:
        _copy(connection, jobs_sql.AS_JSON, into / "jobs.ndjson", _LINES)
        return ["jobs.ndjson"]
    names = []
    # The table pages has ETags, which are of use to the next audit only.
    for table in TABLES:
        if table.name == "pages":
            continue
        names.append(f"{table.name}.{form}")
        if form is Format.CSV:
            _copy(connection, _defused(table), into / names[-1], "FORMAT csv, HEADER")
        else:
            compact = "FORMAT parquet, COMPRESSION zstd"
            _copy(connection, f"FROM {table.name}", into / names[-1], compact)
    return names


def _copy(connection: DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    connection.execute(f"COPY ({query}) TO {quote(duck.address(path))} ({options})")


def _defused(table: Table) -> str:
    return f"SELECT {', '.join(map(_cell, table.columns))} FROM {table.name}"


def _cell(column: Column) -> str:
    name = f'"{column.name}"'
    if column.type.endswith("[]"):
        return f"to_json({name})::VARCHAR AS {name}"
    if column.type != "VARCHAR":
        return name
    pattern = quote(_FORMULA)
    return (
        f"CASE WHEN regexp_matches({name}, {pattern}) THEN '''' || {name} ELSE {name} END AS {name}"
    )
