"""Make a database, or a smaller copy of one, under another name: it appears complete or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghjobs_async.audit.database.duck import CONFIG, address, blocks, load, transaction
from ghjobs_async.audit.sql import schema, views

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: DuckDB 1.4 and later read this format.
_FORMAT: Final = "v1.4.0"
#: A copy is worth its time where it saves more than this: a share of the file, and bytes.
_MIN_SHARE: Final = 0.05
_MIN_BYTES: Final = 500_000


def create(path: Path) -> None:
    """Make an empty database."""
    with suppress(FileNotFoundError):
        # The log of a database that is no longer there.
        path.with_name(f"{path.name}.wal").unlink()
    _make(path, _fill)


def compact(path: Path) -> None:
    """Replace a database by a copy without the free space that many small batches leave in it."""
    _make(path, lambda connection: _copy(connection, path))


def is_worth_compacting(connection: DuckDBPyConnection) -> bool:
    """Check how much of an open database is free space."""
    size, total, free = blocks(connection)
    return free * size > _MIN_BYTES and free > total * _MIN_SHARE


def remove_leftovers(path: Path) -> None:
    """Delete what a process has left that was killed while it made a file."""
    for leftover in path.parent.glob(f"{_new(path).name}*"):
        leftover.unlink()


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _make(path: Path, fill: Callable[[DuckDBPyConnection], None]) -> None:
    remove_leftovers(path)
    connection: DuckDBPyConnection = load().connect(config=CONFIG)
    try:
        new = schema.quote(address(_new(path)))
        connection.execute(f"ATTACH {new} AS made (STORAGE_VERSION '{_FORMAT}')")
        connection.execute("USE made")
        fill(connection)
        connection.execute("CHECKPOINT made")
        connection.execute("USE memory")
        connection.execute("DETACH made")
        # The old file is still open to read: nobody else can have begun to write to it.
        _new(path).replace(path)
    finally:
        connection.close()
        remove_leftovers(path)


def _fill(connection: DuckDBPyConnection) -> None:
    with transaction(connection):
        for statement in (*schema.create(), *schema.define(views.MACROS, views.VIEWS)):
            connection.execute(statement)


def _copy(connection: DuckDBPyConnection, path: Path) -> None:
    connection.execute(f"ATTACH {schema.quote(address(path))} AS old (READ_ONLY)")
    connection.execute("COPY FROM DATABASE old TO made")
