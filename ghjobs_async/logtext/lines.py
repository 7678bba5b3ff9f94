"""
The bytes of a job's log into lines.

A log is UTF-8 text by and large: a timestamp of seven digits before each message, a byte-order mark
at the start of the file and of any later line, and markers such as ``##[error]``. What a line cannot
show, ``raw`` keeps.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The longest line ever seen in a real log has 453,114 bytes; beyond this many a line is capped.
MAX_LINE: Final = 1 << 20

# How much of a large chunk `parse_log` takes at once, so that memory follows this and not the chunk.
_BLOCK: Final = 1 << 18

BOM: Final = b"\xef\xbb\xbf"

# With every digit mapped to 0, each timestamp is the same 29 bytes: comparing with them is several
# times as fast as a regular expression, and this is done for every line of every log.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_STAMP: Final = b"0000-00-00T00:00:00.0000000Z "
_STAMP_LEN: Final = len(_STAMP) - 1
_TEXT_AT: Final = len(_STAMP)
# How a text with a marker may begin.
_MARKED: Final = frozenset({b"##", b"[c"})

_MARKER: Final = re.compile(
    rb"##\[(group|endgroup|error|warning|notice|debug|command|section)\]|\[command\]"
)


class LineKind(StrEnum):
    """
    What a line's marker says it is.

    ``##[command]`` and ``[command]`` are both `COMMAND`. ``##[section]`` lines, which GitHub's
    servers write before the runner starts, are `PLAIN`, their text without the marker, as the web
    page shows them. Any other ``##[...]`` is text.
    """

    GROUP = "group"
    ENDGROUP = "endgroup"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    DEBUG = "debug"
    COMMAND = "command"
    PLAIN = "plain"


_GROUPS: Final = re.compile(rb"##\[(?:end)?group\]")

_KINDS: Final = {kind.value.encode(): kind for kind in LineKind} | {
    b"section": LineKind.PLAIN,
    None: LineKind.COMMAND,
}


# Every other value here is an attrs class. A log has millions of lines, and a struct is made in a
# third of the time; what can be derived from the bytes is derived when it is asked for.
class LogLine(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """
    One line of a log.

    ``text``, ``time`` and ``time_text`` are made from ``raw`` each time they are asked for.

    Attributes:
        number: Its place in the log, from 1.

        raw: Its bytes with its end. Joined over all lines they are the log, byte for byte, unless a
            line was capped.

        depth: How many groups enclose it. A group's first and last line have the depth outside.

        kind: What its marker says it is.

        continuation: Whether it has no timestamp of its own: it belongs to the message before, and
            has that one's time.
    """

    number: int
    raw: bytes
    depth: int = 0
    kind: LineKind = LineKind.PLAIN
    continuation: bool = False
    # Where the text begins; the timestamp, where it is not the first bytes; bytes beyond the cap.
    _at: int = _TEXT_AT
    _stamp: bytes | None = None
    _dropped: int = 0

    @property
    def text(self) -> str:
        """The line without timestamp, marker, byte-order mark and end; what is not UTF-8 replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def content(self) -> bytes:
        """The bytes of `text`."""
        raw = self.raw
        if raw.endswith(b"\n"):
            return raw[self._at : -2 if raw.endswith(b"\r\n") else -1]
        return raw[self._at :]

    @property
    def time_text(self) -> str | None:
        """The timestamp as it stands in the log, all seven digits kept; None before the first one."""
        stamp = self.raw[:_STAMP_LEN] if self._stamp is None else self._stamp
        return stamp.decode("ascii") or None

    @property
    def time(self) -> datetime | None:
        """
        When the line was written, to the microsecond; None before the first timestamp of the log,
        and where the timestamp names no moment, such as a 13th month.
        """
        stamp = self.time_text
        if stamp is None:
            return None
        try:
            return datetime.fromisoformat(stamp[:26] + "+00:00")
        except ValueError:
            return None

    @property
    def size(self) -> int:
        """How many bytes the line has in the log, its end included; more than ``raw`` if capped."""
        return len(self.raw) + self._dropped

    @property
    def capped(self) -> bool:
        """Whether the line was too long to keep, so that ``raw`` and ``text`` are its beginning."""
        return self._dropped > 0

    def __str__(self) -> str:
        return self.text


def _behind_bom(text: bytes, at: int) -> int:
    while text.startswith(BOM, at):
        at += len(BOM)
    return at


class LogParser:
    """
    Bytes in, lines out; holds at most one unfinished line.

    Args:
        max_line: How many bytes of a line to keep, its end included. A longer line is ``capped``.

        groups: Whether to count groups; without, every line has the depth 0.
    """

    def __init__(self, max_line: int = MAX_LINE, *, groups: bool = True) -> None:
        if max_line < 1:
            raise ValueError(f"max_line must be positive, not {max_line}")
        self._max_line = max_line
        self._groups = groups
        self._number = 0
        self._depth = 0
        # The time that a continuation inherits: the last line with a timestamp, read when needed.
        self._stamp = b""
        # The unfinished line: its beginning, in parts, and how long it is in all.
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[LogLine]:
        """Take the next bytes, however they are split; give the lines that they complete."""
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._keep(chunk)
            return []
        if self._size > self._max_line:
            # The unfinished line is over the cap: only its length is of interest.
            end = chunk.index(b"\n") + 1
            self._keep(chunk[:end])
            lines = self.close()
            block = chunk[end:cut]
        else:
            lines = []
            block = b"".join((*self._parts, chunk[:cut]))
        self._parts, self._size = [], 0
        self._keep(chunk[cut:])
        if block:
            lines += self._lines(block)
        return lines

    def close(self) -> list[LogLine]:
        """Give the last line, if the log has no newline at its end."""
        if not self._size:
            return []
        block, size = b"".join(self._parts), self._size
        self._parts, self._size = [], 0
        return [self._line(block, size - len(block))]

    def take_back(self) -> bytes | None:
        """The unfinished line's bytes, as if they had not come; None where it is over the cap."""
        if self._size > self._max_line:
            return None
        begun, self._parts, self._size = b"".join(self._parts), [], 0
        return begun

    def skip(self, lines: bytes) -> None:
        """
        Pass over whole lines without making them: numbers and times go on as if they had been fed;
        groups do not. Many times as fast as `feed`, for a search that is after few lines.

        Args:
            lines: Whole lines, the last one with its newline.

        Raises:
            ValueError: The last line has no newline, or a line before it is unfinished.
        """
        if not lines:
            return
        if self._size or not lines.endswith(b"\n"):
            raise ValueError("only whole lines can be skipped")
        self._number += lines.count(b"\n")
        end = len(lines)
        while end:
            start = lines.rfind(b"\n", 0, end - 1) + 1
            start = _behind_bom(lines, start)
            shape = lines[start : start + _TEXT_AT].translate(_DIGITS)
            if shape == _STAMP or shape.rstrip(b"\r\n") == _STAMP[:-1]:
                self._stamp = lines[start : start + _STAMP_LEN]
                return
            end = lines.rfind(b"\n", 0, start) + 1

    def _keep(self, part: bytes) -> None:
        room = self._max_line - self._size
        if room > 0 and part:
            self._parts.append(part[:room])
        self._size += len(part)

    def _lines(self, block: bytes) -> list[LogLine]:
        # BytesIO splits at newlines only, and keeps them.
        raws = BytesIO(block).readlines()
        if len(block) > self._max_line and max(map(len, raws)) > self._max_line:
            cap = self._max_line
            return [self._line(raw[:cap], max(0, len(raw) - cap)) for raw in raws]
        number, depth = self._number, self._depth
        lines: list[LogLine] = []
        append = lines.append
        stamped: bytes | None = None
        for raw, shape in zip(raws, BytesIO(block.translate(_DIGITS)), strict=True):
            if shape.startswith(_STAMP) and shape[29:31] not in _MARKED:
                number += 1
                append(LogLine(number, raw, depth))
                stamped = raw
            else:
                if stamped is not None:
                    self._stamp, stamped = stamped[:_STAMP_LEN], None
                self._number = number
                append(self._line(raw, 0))
                number, depth = self._number, self._depth
        if stamped is not None:
            self._stamp = stamped[:_STAMP_LEN]
        self._number = number
        return lines

    def _line(self, raw: bytes, dropped: int) -> LogLine:
        """One line of any shape."""
        at = _behind_bom(raw, 0)
        shape = raw[at : at + _TEXT_AT].translate(_DIGITS)
        # A message without text may have lost the space after its timestamp.
        own = shape == _STAMP or shape.rstrip(b"\r\n") == _STAMP[:-1]
        first = own and at == 0
        if own:
            self._stamp = raw[at : at + _STAMP_LEN]
            at += _TEXT_AT if shape == _STAMP else _STAMP_LEN
        kind = LineKind.PLAIN
        if marker := _MARKER.match(raw, at):
            kind = _KINDS[marker[1]]
            at = marker.end()
        depth = self._depth
        if not self._groups:
            pass
        elif kind is LineKind.GROUP:
            self._depth += 1
        elif kind is LineKind.ENDGROUP:
            depth = self._depth = max(0, depth - 1)
        self._number += 1
        stamp = None if first else self._stamp
        return LogLine(self._number, raw, depth, kind, not own, at, stamp, dropped)


def parse_log(chunks: Iterable[bytes], *, max_line: int = MAX_LINE) -> Iterator[LogLine]:
    """
    Read the lines of a log from its bytes, in chunks of any size.

    Args:
        chunks: The log.

        max_line: How many bytes of a line to keep, as in `LogParser`.
    """
    parser = LogParser(max_line)
    for chunk in chunks:
        for start in range(0, len(chunk), _BLOCK):
            yield from parser.feed(chunk[start : start + _BLOCK])
    yield from parser.close()
