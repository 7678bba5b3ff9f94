"""The terminal: its width and colours; lines on stdout and stderr; and the exit statuses."""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
import sys
import textwrap
from contextlib import suppress
from enum import IntEnum
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from ghjobs_async.display import clean


class Exit(IntEnum):
    """The exit statuses; the last two are the shell's own for SIGINT and SIGPIPE."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


_LOGGER: Final = logging.getLogger("ghjobs_async")

BOLD, DIM = "1", "2"
#: The sign of each state of a job, step or run, the sign in ASCII, and the style.
_SIGNS: Final = {
    "success": ("✓", "+", "green"),
    **dict.fromkeys(("failure", "startup_failure", "timed_out"), ("✗", "X", "red")),
    "cancelled": ("⊘", "!", "yellow"),
    "action_required": ("!", "!", "yellow"),
    "stale": ("⊘", "!", "dim"),
    **dict.fromkeys(("skipped", "neutral"), ("-", "-", "dim")),
    "in_progress": ("●", "*", "yellow"),
    **dict.fromkeys(("queued", "waiting", "requested", "pending"), ("○", ".", "yellow")),
}
_UNKNOWN: Final = ("•", "?", "none")
#: For files and pipes, where nothing is shortened.
_NO_TERMINAL_WIDTH: Final = 120
#: How the text of an error begins that belongs to a request: what was asked for, its query apart.
_ASKED: Final = re.compile(r"([A-Z]+ https?://[^\s?]+)(?:\?\S*)?: (.*)", re.DOTALL)
_FORCED_WIDTH: Final = re.compile(r"([0-9]{1,5})(%?)")


class _Screen(Console):
    """A console that raises `BrokenPipeError` where rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def on_terminal(stream: TextIO) -> bool:
    """Check whether *stream* is a terminal."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def is_terminal(stream: TextIO) -> bool:
    """Check whether to write for people: *stream* is a terminal, or ``GH_FORCE_TTY`` says so."""
    return on_terminal(stream) or bool(_forced(stream))


def is_pipe(stream: TextIO) -> bool:
    """Check whether another program reads *stream*."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def one_terminal() -> bool:
    """Check whether stdout and stderr are the same terminal."""
    if not (on_terminal(sys.stdout) and on_terminal(sys.stderr)):
        return False
    return os.fstat(sys.stdout.fileno()).st_rdev == os.fstat(sys.stderr.fileno()).st_rdev


def colours(stream: TextIO) -> bool:
    """Check whether to colour *stream*: https://cli.github.com/manual/gh_help_environment."""
    if os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if os.environ.get("NO_COLOR") or os.environ.get("CLICOLOR") == "0":
        return False
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def console(stream: TextIO) -> Console:
    """Make the console that draws on *stream*."""
    coloured = colours(stream)
    return _Screen(
        file=stream,
        force_terminal=is_terminal(stream) or coloured,
        no_color=False,
        # None also keeps bold and dim away, as gh does.
        color_system="auto" if coloured else None,
        highlight=False,
        markup=False,
        emoji=False,
        width=_width(stream),
    )


def _forced(stream: TextIO) -> str:
    return os.environ.get("GH_FORCE_TTY", "") if stream is sys.stdout else ""


def _width(stream: TextIO) -> int | None:
    """Return the width of *stream*; None leaves it to rich to ask the terminal."""
    if forced := _forced(stream):
        found = _FORCED_WIDTH.fullmatch(forced)
        number, percent = (int(found[1]), found[2]) if found else (100, "%")
        # Of the terminal that any of the standard streams is.
        return max(1, Console(stderr=True).width * number // 100 if percent else number)
    if on_terminal(stream):
        return None
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else _NO_TERMINAL_WIDTH


def paint(style: str, text: str, *, on: bool) -> str:
    """Return *text* between the sequences of a style, if they are *on*."""
    return f"\x1b[{style}m{text}\x1b[0m" if on and text else text


def glyph(sign: str, ascii_: str) -> str:
    """Return *sign* where the encoding of stdout has it, else its stand-in in ASCII."""
    try:
        sign.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ascii_
    return sign


def sign(state: str) -> Text:
    """Return the coloured sign of a state."""
    fancy, ascii_, style = _SIGNS.get(state, _UNKNOWN)
    return Text(glyph(fancy, ascii_), style=style)


def style_of(state: str) -> str:
    """Return the style of a state."""
    return _SIGNS.get(state, _UNKNOWN)[2]


def in_state(name: str, state: str) -> Text:
    """Return the name of what is in *state*, coloured where that stands out."""
    style = style_of(state)
    return Text(clean(name), style=style if style in {"dim", "red"} else "")


def row(*cells: object) -> None:
    """Print one line for other programs, its cells separated by tabs."""
    sys.stdout.write("\t".join("" if cell is None else clean(str(cell)) for cell in cells) + "\n")


def note(text: str) -> None:
    """Write one line to stderr; a terminal gets it wrapped between words."""
    sys.stderr.write(f"{_wrapped(clean(text))}\n")
    sys.stderr.flush()


def _wrapped(text: str) -> str:
    columns = os.get_terminal_size(sys.stderr.fileno()).columns if on_terminal(sys.stderr) else 0
    # A terminal that does not know its size says 0.
    if not 0 < columns < len(text):
        return text
    # What is longer than a line, such as an address, is left to the terminal: so it can be copied.
    lines = textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def report(error: BaseException | str) -> None:
    """Write an error as one line to stderr: what to do first, then what was asked for, if anything."""
    told = _ASKED.sub(r"\2 (\1)", str(error))
    note(f"ghjobs: {told}")


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
