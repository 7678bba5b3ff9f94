"""Locks on files and folders, which end with the process that holds them, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import attrs

if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes: one that no content reaches, so that the file stays readable.
    _FAR: Final = 1 << 30

    def try_lock(file: int, *, exclusive: bool) -> bool:  # noqa: ARG001
        """Lock an open file, at once or not at all; always for this process alone on Windows."""
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(file: int, *, exclusive: bool) -> bool:
        """Lock an open file or folder, at once or not at all: alone, or shared with others."""
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


# The file is emptied: a link could lead to one that is not ours. Windows follows it.
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


@attrs.define(eq=False)
class AuditLock:
    """
    The lock of a folder that an audit writes to; leave it with ``with``.

    Its file is deleted at the end. One that a killed process left is taken over.
    """

    path: Path
    _file: int

    @classmethod
    def take(cls, path: Path) -> AuditLock | int | None:
        """Take the lock; return the id of the process that has it, None where that is not known."""
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o666)
            try:
                if not try_lock(file, exclusive=True):
                    holder = os.pread(file, 20, 0) if hasattr(os, "pread") else b""
                    os.close(file)
                    return int(holder) if holder.strip().isdigit() else None
                # Its last holder may have deleted the file that we had opened.
                if _is_at(file, path):
                    os.ftruncate(file, 0)
                    os.lseek(file, 0, os.SEEK_SET)
                    os.write(file, b"%d\n" % os.getpid())
                    return cls(path, file)
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            # Windows deletes no open file: there it stays, and is taken over.
            self.path.unlink()
        os.close(self._file)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


@attrs.define(eq=False)
class FolderLock:
    """
    The order in which processes open a database: a writer that waits keeps new readers out.

    Without it, a process that queries in a loop would leave a writer no chance. It is a lock on the
    folder, so it works where nothing can be written. On Windows, which locks no folder, it is open.
    """

    folder: Path
    _file: int | None = attrs.field(default=None, init=False)

    def try_enter(self, *, exclusive: bool) -> bool:
        """Enter alone or with others, if that is possible now."""
        if sys.platform == "win32":
            return True
        if self._file is None:
            self._file = os.open(self.folder, os.O_RDONLY)
        try:
            return try_lock(self._file, exclusive=exclusive)
        except OSError:
            # Some network file systems lock no folder.
            return True

    def leave(self) -> None:
        """Let others enter."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
