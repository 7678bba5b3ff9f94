"""The terminal: whether there is one, its colours, tables, and JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from ghjobs_async.cli.output.text import clean, escape_unsafe

#: How a job, a step or a run stands: the sign, the sign in ASCII, the style.
_SIGNS: Final = {
    "success": ("✓", "+", "green"),
    "failure": ("✗", "X", "red"),
    "startup_failure": ("✗", "X", "red"),
    "timed_out": ("✗", "X", "red"),
    "cancelled": ("⊘", "!", "yellow"),
    "action_required": ("!", "!", "yellow"),
    "stale": ("⊘", "!", "dim"),
    "skipped": ("-", "-", "dim"),
    "neutral": ("-", "-", "dim"),
    "in_progress": ("●", "*", "yellow"),
}
_WAITING: Final = ("○", ".", "yellow")
_OTHER: Final = ("•", "?", "none")
#: For files and pipes, where nothing is cut.
_WIDTH_UNKNOWN: Final = 120


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at *stream*."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def colours(stream: TextIO) -> bool:
    """
    Whether *stream* is to be coloured, by gh's rules.

    https://cli.github.com/manual/gh_help_environment
    """
    if os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if os.environ.get("NO_COLOR") or os.environ.get("CLICOLOR") == "0":
        return False
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def console(stream: TextIO) -> Console:
    """Make what draws on *stream*."""
    coloured = colours(stream)
    return Console(
        file=stream,
        force_terminal=is_terminal(stream) or coloured,
        no_color=not coloured,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if is_terminal(stream) else _columns(),
    )


def _columns() -> int:
    text = os.environ.get("COLUMNS", "")
    return int(text) if text.isdecimal() and int(text) else _WIDTH_UNKNOWN


def styled() -> bool:
    """Whether stdout gets tables rather than lines for other programs."""
    return is_terminal(sys.stdout) or colours(sys.stdout)


def sign(status: str | None, conclusion: str | None) -> Text:
    """Give the sign of how something stands, with its colour."""
    known = _SIGNS.get(conclusion or status or "")
    glyph, ascii_, style = known or (_OTHER if conclusion else _WAITING)
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        glyph.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        glyph = ascii_
    return Text(glyph, style=style)


def style_of(status: str | None, conclusion: str | None) -> str:
    """Give the colour of how something stands."""
    known = _SIGNS.get(conclusion or status or "")
    return (known or (_OTHER if conclusion else _WAITING))[2]


def row(*cells: object) -> None:
    """Print one line for other programs: cells with tabs between."""
    sys.stdout.write("\t".join("" if cell is None else clean(str(cell)) for cell in cells) + "\n")


def print_json(value: object) -> None:
    """Print JSON: indented on a terminal, one line elsewhere."""
    if is_terminal(sys.stdout):
        text = escape_unsafe(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        # In ASCII, whatever the encoding of the pipe.
        text = json.dumps(value, separators=(",", ":"))
    sys.stdout.write(f"{text}\n")


def one_terminal() -> bool:
    """Whether stdout and stderr are one and the same terminal."""
    if not (is_terminal(sys.stdout) and is_terminal(sys.stderr)):
        return False
    return os.fstat(sys.stdout.fileno()).st_rdev == os.fstat(sys.stderr.fileno()).st_rdev
