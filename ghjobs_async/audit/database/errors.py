"""Turn DuckDB's errors into those that say what is wrong with a file, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ghjobs_async.audit.database import duck
from ghjobs_async.errors import ConfigurationError, one_line

#: What to do about a file that is no audit's database.
ADVICE: Final = "move it away, or name another folder"
_CORRUPT: Final = "Corrupt database file"


@contextmanager
def file_errors(*paths: Path) -> Iterator[None]:
    """
    Turn a damaged file, or Ctrl-C during a statement, into the error that says so.

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
        raise ConfigurationError(f"{path} reads other files: {ADVICE}") from error
    except duckdb.Error as error:
        why = one_line(str(error).partition("\n")[0])
        raise ConfigurationError(f"{path} is not as an audit wrote it ({why}): {ADVICE}") from error


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about disk and memory into an `OSError`."""
    duckdb = duck.load()
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException) as error:
        reason = str(error).partition("\n")[0].removeprefix("IO Error: ")
        raise OSError(f"cannot write {path}: {reason}") from error


def not_ours(path: Path) -> ConfigurationError:
    """Return the error for a file of another kind."""
    return ConfigurationError(f"{path} is not an audit's database: {ADVICE}")


def torn(*paths: Path) -> ConfigurationError:
    """Return the error for a file that is not whole, or for one of several."""
    return ConfigurationError(
        f"{' or '.join(map(str, paths))} is damaged, or only a part of a database: copy it again, or {ADVICE}"
    )
