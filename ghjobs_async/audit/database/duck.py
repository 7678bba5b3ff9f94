"""DuckDB, which an extra installs, and how this package uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ghjobs_async.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CONFIG: Final = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # SQL must not see the variables of this program as tables.
    "python_enable_replacements": "false",
}
SETTINGS: Final = ("SET enable_progress_bar = false", "SET TimeZone = 'UTC'")


def load() -> Any:
    """
    Return the package duckdb.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return import_module("duckdb")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "audits need the package duckdb: pip install 'ghjobs-async[audit]'"
        ) from None


def address(path: Path) -> str:
    """
    Return a path as DuckDB takes it for nothing else: ``md:x`` would be a service on the network.

    Raises:
        ConfigurationError: DuckDB would take a part of it for options.
    """
    found = str(path.absolute())
    if "?" in found.removeprefix("\\\\?\\"):
        raise ConfigurationError(f"{found}: DuckDB opens no path with a question mark")
    return found


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """Commit at the end of the block, or roll back after an error."""
    connection.begin()
    try:
        yield
    except BaseException:
        with suppress(load().Error):
            connection.rollback()
        raise
    connection.commit()


def execute(
    connection: DuckDBPyConnection, sql: str, given: Mapping[str, object]
) -> DuckDBPyConnection:
    """Execute a statement with those of the parameters that it names: DuckDB takes no others."""
    used = {name: value for name, value in given.items() if f"${name}" in sql}
    return connection.execute(sql, used)


def dicts(connection: DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query by the names of its columns."""
    found = connection.execute(sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def blocks(connection: DuckDBPyConnection) -> tuple[int, int, int]:
    """Return the size of a block of the open database, how many it has, and how many are free."""
    [(size, total, free)] = connection.execute(
        "SELECT block_size, total_blocks, free_blocks FROM system.main.pragma_database_size()"
        " WHERE database_name = system.main.current_database()"
    ).fetchall()
    return size, total, free


def in_utc(moment: datetime | None) -> datetime | None:
    """Return a time as the database has it: in UTC, without a time zone."""
    if moment is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)
