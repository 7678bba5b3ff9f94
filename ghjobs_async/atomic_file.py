"""Write a file completely or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from contextlib import suppress
from typing import Self


def write_all(file: io.FileIO, data: bytes) -> None:
    """Write all of *data*, in several calls where the raw file takes less at once."""
    written = file.write(data)
    while written < len(data):
        written += file.write(memoryview(data)[written:])


class WholeFile:
    """
    A file that appears at its path when the ``with`` block ends, and not before.

    It is written to a temporary file in the same folder, which replaces the path at the end. After
    an error in the block, the path is as it was before. A symbolic link is replaced, not followed.

    Raises (on entering, writing and leaving):
        OSError: It cannot be written; most wrong paths are found on entering.
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
        """Delete what was written so far."""
        self._file.seek(0)
        self._file.truncate()

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        replaced = False
        try:
            self._file.close()
            if exc_type is None:
                os.replace(self._part, self._path)
                replaced = True
        except OSError as error:
            error.filename, error.filename2 = self._path, None
            raise
        finally:
            if not replaced:
                with suppress(OSError):
                    os.unlink(self._part)


def _mode(path: str) -> int:
    """Return the mode of what is at *path*; 0 for nothing."""
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0
