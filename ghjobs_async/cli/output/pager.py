"""Send long output through the user's pager: https://cli.github.com/manual/gh_help_environment."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from ghjobs_async.cli.output.console import is_terminal, report

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: less: quit if all fits on one screen, keep colours, do not clear the screen. lv: keep colours.
_DEFAULTS: Final = {"LESS": "FRX", "LV": "-c"}


@contextmanager
def paging(*, quiet: bool = False) -> Iterator[None]:
    """
    Send stdout through the user's pager while the block runs, if stdout is a terminal.

    The pager starts with the first output, so an error before that is shown without it. A user who
    leaves the pager early has seen enough: the block ends there, without an error. After Ctrl-C the
    pager shows what it has, and the interrupt goes on once the user leaves it.
    """
    command = pager_command(os.environ)
    if quiet or command is None or not is_terminal(sys.stdout):
        yield
        return
    terminal = sys.stdout
    terminal.flush()
    pager = _Pager(command, terminal.buffer)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(pager), encoding=terminal.encoding, errors="replace"
    )
    try:
        with suppress(BrokenPipeError):
            yield
    finally:
        pages, sys.stdout = sys.stdout, terminal
        _finish(pages, pager)


def pager_command(environ: Mapping[str, str]) -> str | None:
    """Return ``GH_PAGER``, else ``PAGER``; None where that is missing, empty or cat."""
    command = environ.get("GH_PAGER", environ.get("PAGER", "")).strip()
    return None if command in {"", "cat"} else command


class _Pager(io.RawIOBase):
    """A pager's input. What is written there appears on the terminal, so it counts as one."""

    def __init__(self, command: str, terminal: BinaryIO) -> None:
        self._command = command
        self._terminal = terminal
        self._process: subprocess.Popen[bytes] | None = None
        self._sink: IO[bytes] | None = None

    def isatty(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        if self._sink is None:
            self._sink = self._start()
        return self._sink.write(data)

    def close(self) -> None:
        super().close()
        if self._process is not None and self._sink is not None:
            self._sink.close()

    def wait(self) -> None:
        """Wait until the user leaves the pager."""
        if self._process is not None:
            self._process.wait()

    def _start(self) -> IO[bytes]:
        # Without PAGER, since a pager that calls a pager would call itself.
        inherited = {name: value for name, value in os.environ.items() if name != "PAGER"}
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- what the user chose, and no shell
                shlex.split(self._command),
                stdin=subprocess.PIPE,
                bufsize=0,
                env={**_DEFAULTS, **inherited},
            )
        except (OSError, ValueError) as error:
            report(f"cannot start the pager {self._command!r}: {error}")
            return self._terminal
        assert self._process.stdin is not None
        return self._process.stdin


def _finish(pages: io.TextIOBase, pager: _Pager) -> None:
    """Give the pager the rest and wait until the user leaves it. Meanwhile Ctrl-C is the pager's."""
    while True:
        try:
            with suppress(BrokenPipeError):
                pages.close()
            pager.wait()
        except KeyboardInterrupt:
            continue
        return
