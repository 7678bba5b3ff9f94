"""Recognize what is no audit's database: DuckDB opens half a file, and asks for extensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghjobs_async.audit.database import duck
from ghjobs_async.audit.database.duck import blocks
from ghjobs_async.audit.sql.schema import quote
from ghjobs_async.errors import ConfigurationError, one_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Three headers of 4,096 bytes stand before the blocks: https://duckdb.org/docs/stable/internals/storage
_HEADERS: Final = 3 * 4096
_MAGIC: Final = slice(8, 12)
_CORRUPT: Final = "Corrupt database file"
_ADVICE: Final = "move it away, or name another folder"


def check_kind(path: Path) -> None:
    """
    Check that a file looks like DuckDB's, before DuckDB opens it.

    Raises:
        ConfigurationError: It is something else.
        OSError: It cannot be read.
    """
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder, not an audit's database: {_ADVICE}")
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


@contextmanager
def file_errors(*paths: Path) -> Iterator[None]:
    """
    Turn what can befall any statement into the error that says so.

    Args:
        paths: The files that the statements read.

    Raises:
        ConfigurationError: A block of a file is damaged: DuckDB sees it when it reads the block.
        KeyboardInterrupt: Ctrl-C ended the statement.
    """
    duckdb = duck.load()
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        if not str(error).startswith(_CORRUPT):
            raise
        raise torn(*paths) from error


@contextmanager
def foreign_errors(path: Path) -> Iterator[None]:
    """
    Turn whatever statements of ours meet in a file from elsewhere into an error of one line.

    Raises:
        ConfigurationError: A view of the database reads other files, or its data are no audit's.
    """
    duckdb = duck.load()
    try:
        yield
    except duckdb.PermissionException as error:
        raise ConfigurationError(f"{path} reads other files: {_ADVICE}") from error
    except duckdb.Error as error:
        why = one_line(str(error).partition("\n")[0])
        raise ConfigurationError(
            f"{path} is not as an audit wrote it ({why}): {_ADVICE}"
        ) from error


def not_ours(path: Path) -> ConfigurationError:
    """Return the error for a file of another kind."""
    return ConfigurationError(f"{path} is not an audit's database: {_ADVICE}")


def torn(*paths: Path) -> ConfigurationError:
    """Return the error for a file that is not whole, or for one of several."""
    return ConfigurationError(
        f"{' or '.join(map(str, paths))} is damaged, or only a part of a database: copy it again, or {_ADVICE}"
    )


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
