"""A file that is there whole, or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from contextlib import suppress
from types import TracebackType
from typing import Self


def write_all(file: io.FileIO, data: bytes) -> None:
    """Write all of *data*: a raw file may take less at once."""
    written = file.write(data)
    while written < len(data):
        written += file.write(memoryview(data)[written:])


class WholeFile:
    """
    Written beside its place and renamed at the end: enter it with ``with``.

    Where the block is left by an error, what stood in its place before stands there still. A symbolic
    link in its place is replaced, not followed.

    Args:
        path: The file's place.

    Raises (when entered, written to and left):
        OSError: It cannot be written; most wrong paths are told before anything is written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    def __enter__(self) -> Self:
        folder, name = os.path.split(self._path)
        mode = _mode(self._path)
        if not name or stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self._path)
        if mode and not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "Not a regular file", self._path)
        self._part = os.path.join(folder, f".{secrets.token_hex(8)}.part")
        try:
            self._file = io.FileIO(self._part, "x")
        except OSError as error:
            error.filename = folder or os.curdir
            raise
        return self

    def write(self, data: bytes) -> None:
        """Append *data*."""
        write_all(self._file, data)

    def clear(self) -> None:
        """Begin anew."""
        self._file.seek(0)
        self._file.truncate()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
            if exc_type is None:
                os.replace(self._part, self._path)
        except OSError as error:
            error.filename, error.filename2 = self._path, None
            raise
        finally:
            # It is gone where it took its place.
            with suppress(OSError):
                os.unlink(self._part)


def _mode(path: str) -> int:
    """What stands there; 0 for nothing."""
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0
