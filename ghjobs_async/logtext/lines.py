"""
Split the bytes of a job's log into lines.

A log is mostly UTF-8 text: a timestamp with seven digits of a second before each message, a
byte-order mark at the start of the file and sometimes of later lines, and markers such as
``##[error]``. ``LogLine.raw`` keeps every byte of a line.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Final

import msgspec

from ghjobs_async.logtext.ansi import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How many bytes of a line to keep. The longest line seen in a real log has 453,114 bytes.
MAX_LINE: Final = 1 << 20

# How many bytes of a chunk `parse_log` parses at once, so that a large chunk needs no more memory.
_BLOCK: Final = 1 << 18

BOM: Final = b"\xef\xbb\xbf"

# With every digit mapped to 0, all timestamps are the same 29 bytes. Comparing with them is several
# times as fast as a regular expression, and is done for every line of every log.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_STAMP: Final = b"0000-00-00T00:00:00.0000000Z "
_STAMP_LEN: Final = len(_STAMP) - 1
_TEXT_AT: Final = len(_STAMP)
# The first two bytes of a text with a marker.
_MARKED: Final = frozenset({b"##", b"[c"})

#: The runner's own work, with which a step begins: a group that is still open ends there.
ENDS_GROUP: Final = (b"Post job cleanup.", b"Cleaning up orphan processes")

_MARKER: Final = re.compile(
    rb"##\[(group|endgroup|error|warning|notice|debug|command|section)\]|\[command\]"
    rb"|##\[(?:start|end)-(action)(?: [^\]\r\n]*)?\]"
)


class LineKind(StrEnum):
    """
    The kind of a line, by its marker.

    ``##[command]`` and ``[command]`` are both `COMMAND`. ``##[section]`` lines, which GitHub's
    servers write before the runner starts, are `PLAIN`, and their text is without the marker, as on
    the web page. `ACTION` lines, ``##[start-action ...]`` and ``##[end-action ...]``, stand around
    the parts of a composite action and are not for people. Any other ``##[...]`` is text.
    """

    GROUP = "group"
    ENDGROUP = "endgroup"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    DEBUG = "debug"
    COMMAND = "command"
    ACTION = "action"
    PLAIN = "plain"


_KINDS: Final = {kind.value.encode(): kind for kind in LineKind} | {
    b"section": LineKind.PLAIN,
    None: LineKind.COMMAND,
}


# A struct, not an attrs class: a log has millions of lines, and a struct is created in a third of
# the time. What can be derived from the bytes is derived on demand.
class LogLine(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """
    One line of a log.

    ``text``, ``plain``, ``time`` and ``time_text`` are derived from ``raw`` at each access.

    Attributes:
        number: Its number in the log, from 1.
        raw: Its bytes, with the line end. All lines joined are the log, byte for byte, unless a
            line is capped.
        depth: 1 within a group, else 0, as for a group's first and last line. Groups do not nest:
            one ends at the next, or where the runner begins its own work.
        kind: Its kind, by its marker.
        continuation: Whether it has no timestamp of its own: then it belongs to the message before
            it, and has the time of that message.
    """

    number: int
    raw: bytes
    depth: int = 0
    kind: LineKind = LineKind.PLAIN
    continuation: bool = False
    # Where the text begins; the timestamp, unless `raw` begins with it; the bytes beyond the cap.
    _at: int = _TEXT_AT
    _stamp: bytes | None = None
    _dropped: int = 0

    @property
    def at(self) -> int:
        """The place in ``raw`` where the text begins."""
        return self._at

    @property
    def text(self) -> str:
        """The line without timestamp, marker, byte-order mark and end; invalid UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def plain(self) -> str:
        """The text without ANSI escape sequences such as colours."""
        return plain(self.text).text

    @property
    def content(self) -> bytes:
        """The bytes of `text`."""
        raw = self.raw
        if raw.endswith(b"\n"):
            return raw[self._at : -2 if raw.endswith(b"\r\n") else -1]
        return raw[self._at :]

    @property
    def time_text(self) -> str | None:
        """The timestamp as in the log, with all seven digits; None before the first one."""
        stamp = self.raw[:_STAMP_LEN] if self._stamp is None else self._stamp
        return stamp.decode("ascii") or None

    @property
    def time(self) -> datetime | None:
        """
        When the line was written, to the microsecond.

        None before the first timestamp of the log, and where the timestamp is not a valid time.
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
        """The bytes of the line in the log, with its end; more than ``raw`` has if capped."""
        return len(self.raw) + self._dropped

    @property
    def capped(self) -> bool:
        """Whether the line was too long, so that ``raw`` and ``text`` are only its beginning."""
        return self._dropped > 0

    def __str__(self) -> str:
        return self.text


def _behind_bom(text: bytes, at: int) -> int:
    while text.startswith(BOM, at):
        at += len(BOM)
    return at


class LogParser:
    """
    Split bytes that are fed into lines; at most one unfinished line is kept.

    Args:
        max_line: How many bytes of a line to keep, with its end. A longer line is ``capped``.
        groups: Whether to count groups; if not, every line has the depth 0.

    Attributes:
        capped: How many lines were too long so far.
    """

    def __init__(self, max_line: int = MAX_LINE, *, groups: bool = True) -> None:
        if max_line < 1:
            raise ValueError(f"max_line must be positive, not {max_line}")
        self._max_line = max_line
        self._groups = groups
        self.capped = 0
        self._number = 0
        self._depth = 0
        # The last timestamp, which continuation lines inherit.
        self._stamp = b""
        # The unfinished line: the parts that are kept, and its size with the parts that are not.
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[LogLine]:
        """Take the next bytes, split anywhere; return the lines that they complete."""
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._keep(chunk)
            return []
        if self._size > self._max_line:
            # The unfinished line is over the cap: only its size is needed.
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
        """Return the last line, if the log does not end with a newline."""
        if not self._size:
            return []
        block, size = b"".join(self._parts), self._size
        self._parts, self._size = [], 0
        return [self._line(block, size - len(block))]

    def take_back(self) -> bytes | None:
        """Remove and return the bytes of the unfinished line; None where it is over the cap."""
        if self._size > self._max_line:
            return None
        begun, self._parts, self._size = b"".join(self._parts), [], 0
        return begun

    def skip(self, lines: bytes) -> None:
        """
        Pass over whole lines, many times as fast as `feed`.

        The lines after them have the numbers and times that they would have after `feed`; groups
        are not counted.

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
            if (
                shape.startswith(_STAMP)
                and shape[29:31] not in _MARKED
                and not (depth and raw.startswith(ENDS_GROUP, _TEXT_AT))
            ):
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
        """Make one line of any form."""
        at = _behind_bom(raw, 0)
        shape = raw[at : at + _TEXT_AT].translate(_DIGITS)
        # The timestamp of an empty message may be without the space after it.
        own = shape == _STAMP or shape.rstrip(b"\r\n") == _STAMP[:-1]
        first = own and at == 0
        if own:
            self._stamp = raw[at : at + _STAMP_LEN]
            at += _TEXT_AT if shape == _STAMP else _STAMP_LEN
        kind = LineKind.PLAIN
        if marker := _MARKER.match(raw, at):
            kind = _KINDS[marker[1] or marker[2]]
            at = marker.end()
        depth = self._depth
        if not self._groups:
            pass
        elif kind is LineKind.GROUP:
            depth, self._depth = 0, 1
        elif kind is LineKind.ENDGROUP or (depth and raw.startswith(ENDS_GROUP, at)):
            depth = self._depth = 0
        self._number += 1
        self.capped += dropped > 0
        stamp = None if first else self._stamp
        return LogLine(self._number, raw, depth, kind, not own, at, stamp, dropped)


def parse_log(chunks: Iterable[bytes], *, max_line: int = MAX_LINE) -> Iterator[LogLine]:
    """Yield the lines of a log, which comes in chunks of any size; *max_line* as in `LogParser`."""
    parser = LogParser(max_line)
    for chunk in chunks:
        for start in range(0, len(chunk), _BLOCK):
            yield from parser.feed(chunk[start : start + _BLOCK])
    yield from parser.close()
