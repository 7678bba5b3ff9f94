"""Run SQL that only reads an audit, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.audit.database import duck
from ghjobs_async.audit.database.errors import file_errors
from ghjobs_async.audit.database.store import AuditStore
from ghjobs_async.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: How many rows are fetched at once.
_ROWS: Final = 1024
#: PIVOT consists of several statements.
_READING: Final = ("SELECT", "EXPLAIN", "MULTI")
#: Where DuckDB advises to install an extension.
_ADVICE: Final = re.compile(r", but it exists in the .*", re.DOTALL)


@attrs.frozen(eq=False)
class Result:
    """The result of a query: iterate over its rows while the database is open."""

    columns: tuple[str, ...]
    _connection: DuckDBPyConnection
    _path: Path

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        with _errors(self._path):
            while rows := self._connection.fetchmany(_ROWS):
                yield from rows


@contextmanager
def query(store: AuditStore, sql: str) -> Iterator[Result]:
    """
    Run statements that read, and give the result of the last one.

    Nothing else is possible: no writing, no settings, no other file, no extension.

    Raises:
        ConfigurationError: The SQL is wrong or does more than read; or there is no audit.
    """
    with store.read(locked=True) as connection:
        with _errors(store.path):
            statements = connection.extract_statements(sql)
            for statement in statements:
                if statement.type.name not in _READING:
                    raise ConfigurationError(
                        f"a query only reads: use SELECT, not {statement.type.name}"
                    )
            if not statements:
                raise ConfigurationError("the query is empty: give it in quotes, as one argument")
            for statement in statements:
                connection.execute(statement)
        names = _unique([name for name, *_ in connection.description or ()])
        yield Result(names, connection, store.path)


def _unique(names: list[str]) -> tuple[str, ...]:
    """Return the names with a number behind those that are there twice."""
    unique: dict[str, None] = {}
    for name in names:
        number = 1
        chosen = name
        while chosen in unique:
            number += 1
            chosen = f"{name}_{number}"
        unique[chosen] = None
    return tuple(unique)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors into one line."""
    try:
        with file_errors(path):
            yield
    except (duck.load().Error, RuntimeError) as error:
        text = _ADVICE.sub("", str(error).partition("\n\n")[0])
        raise ConfigurationError(f"query: {' '.join(text.split())}") from error
