"""Merge audits: those of several processes or machines, or an older one with a newer one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.atomic_file import WholeFile
from ghjobs_async.audit.database.store import LOGS, AuditStore
from ghjobs_async.audit.sql import jobs as jobs_sql
from ghjobs_async.audit.sql import merge as merge_sql
from ghjobs_async.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: How much of a log is copied at once.
_PIECE: Final = 1 << 20
# What no path of ours has, and what Windows takes for another path: 1.log. and A~1.LOG and 1.log::$DATA
_ODD: Final = re.compile(r"[\0\\:~]|[. ](?:/|$)")

_Path = str | os.PathLike[str]


@attrs.frozen
class Merged:
    """
    What an audit holds after a merge.

    Attributes:
        missing: How many logs a part names whose files it does not have, or that it cannot have.
    """

    runs: int
    jobs: int
    logs: int
    failures: int
    missing: int


def merge(parts: Iterable[_Path], output: _Path) -> Merged:
    """
    Add audits to the one in *output*, with their logs; it is made if there is none.

    Parts may overlap, and a part may be merged again. Of each run the latest state is kept.

    Args:
        parts: The folders of the audits. They are only read.

        output: The folder of the merged audit.

    Raises:
        ConfigurationError: A part is no audit, or is the output; or an audit writes to the output.
        OSError: A file cannot be read or written.
    """
    into = AuditStore(output)
    stores = [AuditStore(part) for part in parts]
    for store in stores:
        if store.folder.exists() and into.folder.exists() and store.folder.samefile(into.folder):
            raise ConfigurationError(
                f"{store.folder} is the output itself: name only the other audits"
            )
        with store.read():
            # A part that is no audit is found before anything is written.
            pass
    missing = 0
    with into.lock():
        for store in stores:
            with into.write(part=store) as connection:
                missing += _merge(connection, store.folder, into.folder)
        into.compact()
        with into.read() as connection:
            counts = {
                table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
                for table in ("runs", "jobs", "logs", "failures")
            }
    return Merged(**counts, missing=missing)


def _merge(connection: DuckDBPyConnection, part: Path, into: Path) -> int:
    """Merge the attached database; return how many of its logs are missing."""
    # The files come first: a log that has a row is there, whatever ends this process.
    missing = [
        path
        for path, is_ours in connection.execute(merge_sql.LOGS).fetchall()
        if is_ours or not _copy(part, into, path)
    ]
    connection.execute(merge_sql.ADD_LOGS, [missing])
    for statement in merge_sql.STATEMENTS:
        connection.execute(statement)
    if connection.execute(jobs_sql.RERUN).fetchall():
        connection.execute(jobs_sql.INHERIT)
    for statement in merge_sql.END:
        connection.execute(statement)
    return len(missing)


def _copy(part: Path, into: Path, path: str | None) -> bool:
    """Copy a log, whole or not at all; return whether it is there."""
    if path is None:
        return False
    pure = PurePosixPath(path)
    # The part may come from anywhere: its paths must stay below its logs, and ours.
    if pure.parts[:1] != (LOGS,) or str(pure) != path or _ODD.search(path):
        return False
    source, target = part.joinpath(*pure.parts), into.joinpath(*pure.parts)
    try:
        if source.is_symlink() or not source.is_file():
            return False
        if not source.resolve().is_relative_to(part.resolve()):
            return False
    except OSError:
        # No file can have this name.
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file, WholeFile(target) as copy:
        while piece := file.read(_PIECE):
            copy.write(piece)
    return True
