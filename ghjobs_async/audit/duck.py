"""DuckDB, which an extra installs, and how this package uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
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
