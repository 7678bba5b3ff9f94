"""A file that is there whole, or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
from contextlib import suppress
from types import TracebackType
from typing import Self


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
        if not name or os.path.isdir(self._path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self._path)
        if os.path.exists(self._path) and not os.path.isfile(self._path):
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
        written = self._file.write(data)
        # A raw file may take less than all at once.
        while written < len(data):
            written += self._file.write(memoryview(data)[written:])

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
