"""The database of an audit: one file, open only while it is read or a batch is written."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ghjobs_async.audit.database import duck, new_file
from ghjobs_async.audit.database.errors import (
    disk_errors,
    file_errors,
    foreign_errors,
    not_ours,
    torn,
)
from ghjobs_async.audit.database.file_check import check_kind, check_whole
from ghjobs_async.audit.database.locks import AuditLock, FolderLock
from ghjobs_async.audit.sql import schema, views
from ghjobs_async.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The name of the database, and of the folder of logs beside it.
DATABASE: Final = "audit.duckdb"
LOGS: Final = "logs"

_LOCK: Final = ".audit.lock"
#: How long to wait for another process, and between two looks, in seconds.
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.02
#: What the operating system says when the file is not to blame.
_DISK: Final = (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EIO)
# Macros of a file may have the names of DuckDB's own functions, but not in this schema.
_VIEWS: Final = (
    "SELECT view_name FROM system.main.duckdb_views()"
    " WHERE database_name = system.main.current_database()"
)
_TABLES: Final = frozenset(table.name for table in schema.TABLES)
_HOLDER: Final = re.compile(r"\(PID (\d+)\)")

# On POSIX, closing any file handle of a file drops all locks that the process has on it, those of
# DuckDB too. So a file is only looked at while this process does not have it open.
_guard: Final = threading.Lock()
_opened: Final[Counter[str]] = Counter()

T = TypeVar("T")


class _InUseError(Exception):
    """Another process has the file, or this one has it open in another way."""

    def __init__(self, process: int | None = None) -> None:
        self.process = process


class AuditStore:
    """
    The folder of an audit: ``audit.duckdb`` beside ``logs/``.

    Several processes can use it at once: readers together, a writer alone. Each waits up to 10 s.
    All methods block: an event loop calls them in a thread.

    Args:
        folder: The folder.
        sleep, clock: How to wait, and how to measure the wait.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = Path(folder)
        self.path = self.folder / DATABASE
        self._sleep = sleep
        self._clock = clock
        self._known: os.stat_result | None = None

    @contextmanager
    def read(self, *, locked: bool = False) -> Iterator[DuckDBPyConnection]:
        """
        Open the database to read it.

        Args:
            locked: Let no statement reach other files or change settings: for SQL from outside, and
                for a database from elsewhere.

        Raises:
            ConfigurationError: There is no audit, it is not one, or it stays in use by a writer; or it
                is locked, and its own views or data are not as an audit wrote them.
        """
        if not os.path.lexists(self.path):
            raise ConfigurationError(
                f"there is no audit in {self.folder}: run ghjobs audit, or name its folder with --audit"
            )
        with self._entered(exclusive=False):
            connection = self._open(read_only=True, locked=locked)
        foreign = foreign_errors(self.path) if locked else nullcontext()
        with foreign, file_errors(self.path), self._closing(connection):
            self._check_schema(connection)
            yield connection

    @contextmanager
    def write(self, *, part: AuditStore | None = None) -> Iterator[DuckDBPyConnection]:
        """
        Open the database in a transaction, which is committed at the end, or not at all.

        A database that does not exist is made; an older one is upgraded.

        Args:
            part: Another audit, which the connection can read as the database ``part``.

        Raises:
            ConfigurationError: It is not an audit, or it stays in use by another process; or the data
                of *part* are not as an audit wrote them.
            OSError: It cannot be written.
        """
        self._make_folder()
        read = [self.path] if part is None else [self.path, part.path]
        foreign = nullcontext() if part is None else foreign_errors(part.path)
        with (
            self._entered(exclusive=True),
            foreign,
            disk_errors(self.path),
            file_errors(*read),
        ):
            if os.path.lexists(self.path):
                self._check_known()
            else:
                new_file.create(self.path)
            with self._closing(self._open(read_only=False)) as connection:
                # Batches are small: more threads only take more time of the processor.
                connection.execute("SET threads = 1")
                self._upgrade(connection)
                if part is not None:
                    part.attach_to(connection)
                with duck.transaction(connection):
                    yield connection

    @contextmanager
    def lock(self) -> Iterator[None]:
        """
        Keep other audits out of the folder; reading and single writes stay possible.

        Raises:
            ConfigurationError: Another audit writes to this folder.
            OSError: The folder cannot be written to.
        """
        self._make_folder()
        taken = AuditLock.take(self.folder / _LOCK)
        if not isinstance(taken, AuditLock):
            raise ConfigurationError(
                f"another audit is writing to {self.folder}{_process(taken)}: "
                "wait until it ends, or name another folder with --output"
            )
        with taken:
            yield

    def compact(self) -> None:
        """
        Make the file smaller where many batches have left free space in it: at the end of an audit.

        Raises:
            ConfigurationError: There is no audit, or it stays in use by another process.
            OSError: The disk fails.
        """
        with self.read() as connection:
            if not new_file.is_worth_compacting(connection):
                return
        locked_out = duck.load().IOException, PermissionError
        with self._entered(exclusive=True), _guard, suppress(*locked_out):
            # A reader of this process would share the old file with later ones, and a program that
            # writes to it keeps us out: then the file stays as it is.
            if not _opened[self._key]:
                new_file.compact(self.path)

    def attach_to(self, connection: DuckDBPyConnection) -> None:
        """
        Let the connection of another audit read this one as the database ``part``.

        Raises:
            ConfigurationError: There is no audit, it is of an older version, or it stays in use.
        """
        with self.read() as own:
            if self._check_schema(own) != schema.VERSION:
                raise ConfigurationError(
                    f"{self.path} is from an older version: run ghjobs audit there once more"
                )
        attach = f"ATTACH {schema.quote(duck.address(self.path))} AS part (READ_ONLY)"
        with self._entered(exclusive=False):
            self._wait(lambda: self._open_with(lambda: connection.execute(attach)))

    @contextmanager
    def _entered(self, *, exclusive: bool) -> Iterator[None]:
        """Wait until this process may open the file, alone or with other readers."""
        lock = FolderLock(self.folder)

        def enter() -> None:
            if not lock.try_enter(exclusive=exclusive):
                raise _InUseError

        try:
            self._wait(enter)
            yield
        finally:
            lock.leave()

    def _make_folder(self) -> None:
        duck.address(self.path)
        make_folder(self.folder)

    def _open(self, *, read_only: bool, locked: bool = False) -> DuckDBPyConnection:
        """Open the file as soon as no other process keeps it from us."""
        found = self._wait(lambda: self._try_open(read_only=read_only, locked=locked))
        # A connection of this process that is locked already has them.
        with suppress(*((duck.load().InvalidInputException,) if locked else ())):
            for setting in (
                *duck.SETTINGS,
                *(("SET lock_configuration = true",) if locked else ()),
            ):
                found.execute(setting)
        return found

    def _try_open(self, *, read_only: bool, locked: bool) -> DuckDBPyConnection:
        duckdb = duck.load()
        config = duck.CONFIG | ({"enable_external_access": "false"} if locked else {})
        with _guard:
            if not _opened[self._key]:
                check_kind(self.path)
            found: DuckDBPyConnection = self._open_with(
                lambda: duckdb.connect(duck.address(self.path), read_only=read_only, config=config)
            )
            _opened[self._key] += 1
        return found

    def _open_with(self, open_it: Callable[[], T]) -> T:
        """Open the file, or raise the error that says why it cannot be opened."""
        duckdb = duck.load()
        try:
            return open_it()
        except (duckdb.ConnectionException, duckdb.BinderException) as error:
            # This process has it open in another way.
            raise _InUseError(os.getpid()) from error
        except duckdb.Error as error:
            if "lock on file" in str(error) or "being used by another" in str(error):
                holder = _HOLDER.search(str(error))
                raise _InUseError(int(holder[1]) if holder else None) from error
            # DuckDB's own text would advise to install extensions.
            raise self._not_readable(error) from error

    def _not_readable(self, error: Exception) -> Exception:
        for code in _DISK:
            if os.strerror(code) in str(error):
                return OSError(code, os.strerror(code), str(self.path))
        return torn(self.path)

    @contextmanager
    def _closing(self, connection: DuckDBPyConnection) -> Iterator[DuckDBPyConnection]:
        try:
            yield connection
        finally:
            with _guard:
                connection.close()
                _opened[self._key] -= 1

    @property
    def _key(self) -> str:
        return os.path.realpath(self.path)

    def _wait(self, attempt: Callable[[], T]) -> T:
        """Repeat *attempt* while another process has the file, and return its result."""
        end = self._clock() + _PATIENCE
        while True:
            try:
                return attempt()
            except _InUseError as error:
                if self._clock() >= end:
                    raise ConfigurationError(
                        f"{self.path} is in use{_process(error.process)}: try again when that has ended"
                    ) from None
            self._sleep(_PAUSE)

    def _check_known(self) -> None:
        """Check what the file is before it is opened for writing, which could change it."""
        found = self.path.stat()
        if self._known is not None and os.path.samestat(found, self._known):
            return
        with self._closing(self._open(read_only=True)) as connection:
            self._check_schema(connection)
        new_file.remove_leftovers(self.path)
        self._known = found

    def _check_schema(self, connection: DuckDBPyConnection) -> int:
        """Check that these are the tables of an audit; return the version of their schema."""
        duckdb = duck.load()
        try:
            # A view in place of a table could read other files. DuckDB ignores the case of names.
            found = connection.execute(_VIEWS).fetchall()
            if not _TABLES.isdisjoint(name.lower() for (name,) in found):
                raise not_ours(self.path)
            check_whole(connection, self.path)
            [(version,)] = connection.execute("SELECT schema_version FROM meta").fetchall()
            connection.execute("SELECT job_id, inherited FROM jobs LIMIT 0")
        except (duckdb.Error, ValueError) as error:
            raise not_ours(self.path) from error
        if not isinstance(version, int):
            raise not_ours(self.path)
        if version > schema.VERSION:
            raise ConfigurationError(
                f"{self.path} is from a newer version of this program: "
                "pip install --upgrade ghjobs-async"
            )
        return version

    def _upgrade(self, connection: DuckDBPyConnection) -> None:
        """Bring an older schema, and older views, up to date."""
        statements = schema.upgrade(self._check_schema(connection))
        wanted = schema.fingerprint(views.MACROS, views.VIEWS)
        if not statements:
            [(found,)] = connection.execute("SELECT views FROM meta").fetchall()
            if found == wanted:
                return
        with duck.transaction(connection):
            for statement in (*statements, *schema.define(views.MACROS, views.VIEWS)):
                connection.execute(statement)
        connection.execute("CHECKPOINT")


def make_folder(folder: Path) -> None:
    """
    Make a folder to write to, unless it exists.

    Raises:
        ConfigurationError: It is, or lies in, something that is not a folder.
        OSError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ConfigurationError(
            f"{folder} is not a folder: name another one with --output"
        ) from None


def _process(pid: int | None) -> str:
    return f" (process {pid})" if pid else ""
