"""What a command reports: lines on stderr, the log messages of ``--verbose``, its exit status."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Final

from ghjobs_async.cli.output.text import clean

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
#: The shell's own numbers for a command that SIGINT or SIGPIPE ended.
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

_LOGGER: Final = logging.getLogger("ghjobs_async")


def note(text: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"{clean(text)}\n")
    sys.stderr.flush()


def report(error: BaseException | str) -> None:
    """Write an error as one line to stderr."""
    note(f"ghjobs: {error}")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # A message that cannot be written must not end the command.
        with suppress(OSError, ValueError):
            note(self.format(record))


_HANDLER: Final = _Notes()
_HANDLER.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))


def start_verbose() -> None:
    """Print what the logger ``ghjobs_async`` reports, from now on."""
    _LOGGER.addHandler(_HANDLER)
    _LOGGER.setLevel(logging.DEBUG)


def stop_verbose() -> None:
    """Stop printing."""
    _LOGGER.removeHandler(_HANDLER)
    _LOGGER.setLevel(logging.NOTSET)
