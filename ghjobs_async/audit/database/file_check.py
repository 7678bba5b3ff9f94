"""Check that a file is DuckDB's, and whole: DuckDB itself opens half a file, or asks for extensions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghjobs_async.audit.database.duck import blocks
from ghjobs_async.audit.database.errors import ADVICE, not_ours, torn
from ghjobs_async.audit.sql.schema import quote
from ghjobs_async.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Three headers of 4,096 bytes stand before the blocks: https://duckdb.org/docs/stable/internals/storage
_HEADERS: Final = 3 * 4096
_MAGIC: Final = slice(8, 12)


def check_kind(path: Path) -> None:
    """
    Check that a file looks like DuckDB's, before DuckDB opens it.

    Raises:
        ConfigurationError: It is something else.
        OSError: It cannot be read.
    """
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder, not an audit's database: {ADVICE}")
    if path.exists() and not path.is_file():
        # A pipe would never open.
        raise not_ours(path)
    with path.open("rb", buffering=0) as file:
        head = file.read(_MAGIC.stop)
    if head[_MAGIC] != b"DUCK":
        raise not_ours(path)
    if path.stat().st_size < _HEADERS:
        raise torn(path)


def check_whole(connection: DuckDBPyConnection, path: Path) -> None:
    """
    Check that no block is missing that holds data.

    Raises:
        ConfigurationError: The file is only a part of a database.
    """
    size, total, free = blocks(connection)
    if not total:
        return
    there = (path.stat().st_size - _HEADERS) // size
    if there >= total:
        return
    # DuckDB cuts off free blocks at the end, and still counts them.
    if total - there > free or _last_block(connection) >= there:
        raise torn(path)


def _last_block(connection: DuckDBPyConnection) -> int:
    """Return the last block that holds data of a table."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
    ).fetchall()
    last = -1
    for (table,) in tables:
        [(block,)] = connection.execute(
            "SELECT max(greatest(block_id, list_max(additional_block_ids)))"
            f" FROM pragma_storage_info({quote(table)})"
        ).fetchall()
        last = max(last, -1 if block is None else block)
    return last
