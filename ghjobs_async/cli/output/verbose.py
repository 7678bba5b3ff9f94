"""``--verbose``: the library's log messages as lines on stderr."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from ghjobs_async.cli.output.text import note

_LOGGER: Final = logging.getLogger("ghjobs_async")


class _Notes(logging.Handler):
    """Writes each message as one line."""

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
