"""
Find the lines of a log that match a pattern.

The pattern is matched against each line as people see it: without timestamp, marker, byte-order
mark, line end and escape sequences, and up to the cap.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import attrs

from ghjobs_async.errors import ConfigurationError, shown
from ghjobs_async.logtext.ansi import plain
from ghjobs_async.logtext.lines import MAX_LINE, LogLine, LogParser

#: How many lines to give around each hit: on either side, or before and after.
Context: TypeAlias = int | tuple[int, int]

# How many bytes to search at once: few enough to stay in the processor's cache.
_BLOCK: Final = 1 << 16
# Escape sequences as in `plain`, in the bytes of one line, where there are none of `_C1`.
_ESCAPE: Final = re.compile(
    rb"\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)"
    rb"|\x1b\[[0-?]*[ -/]*[@-~]?"
    rb"|\x1b[ -/]*[0-~]?"
)
# The same controls as single characters, which no runner writes: a block with one of them is
# matched line by line.
_C1: Final = re.compile(rb"\xc2[\x90\x98\x9b-\x9f]")
# Characters beyond ASCII that equal an ASCII letter when case is ignored.
_FOLDED: Final = (
    (b"\xe2\x84\xaa", b"k"),
    (b"\xc5\xbf", b"s"),
    (b"\xc4\xb0", b"i"),
    (b"\xc4\xb1", b"i"),
)
# The parts of a pattern that `literals` knows; numeric escapes and groups are not among them.
_TOKEN: Final = re.compile(
    r"""
    (?P<char> [^\\.^$*+?{}\[\]|()] | \\[^0-9A-Za-z] )
    | (?P<repeat> [*?] | \{[0-9]*,?[0-9]*\} )
    | (?P<bar> \| )
    | (?P<other> [.^$+] | \\[ABbDdSsWwZ] | \[\^?\]?(?:[^\]\\]|\\.)*\] )
    """,
    re.VERBOSE | re.DOTALL,
)


@attrs.frozen
class Hit:
    """
    A line that matches; of an inverted search, a line that does not.

    Attributes:
        line: The line.
        start: Where the first match begins in ``line.text``; 0 in an inverted search.
        end: Where it ends; 0 in an inverted search.
        before: The lines before it, as many as were asked for and exist.
        after: The lines after it.
    """

    line: LogLine
    start: int
    end: int
    before: tuple[LogLine, ...] = ()
    after: tuple[LogLine, ...] = ()

    @property
    def match(self) -> str:
        """The text that matches, without escape sequences; empty in an inverted search."""
        return plain(self.line.text[self.start : self.end]).text


def compiled(
    pattern: str | re.Pattern[str],
    context: Context = 0,
    max_count: int | None = None,
    *,
    flags: int = 0,
) -> re.Pattern[str]:
    """
    Compile the pattern of a search, and check the other arguments of the search.

    Raises:
        ConfigurationError: *pattern* is not a regular expression, *context* is negative, or *max_count*
            is not positive.
    """
    if not isinstance(getattr(pattern, "pattern", pattern), str):
        raise ConfigurationError(f"a pattern is a text, or compiled of one, not {shown(pattern)}")
    if min((context,) if isinstance(context, int) else context) < 0:
        raise ConfigurationError(f"context is 0 lines or more, not {context}")
    if max_count is not None and max_count < 1:
        raise ConfigurationError(f"max_count is 1 or more, not {max_count}")
    try:
        return re.compile(pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigurationError(f"no regular expression: {str(pattern)[:80]!r}: {error}") from None


def find(pattern: re.Pattern[str], line: LogLine) -> Hit | None:
    """Match *pattern* against one line as people see it."""
    text = line.text
    shown = plain(text)
    match = pattern.search(shown.text)
    if match is None:
        return None
    start = shown.offset(match.start())
    # The end is right after the last matched character, not after the escapes that follow it.
    end = shown.offset(match.end() - 1) + 1 if match.end() > match.start() else start
    return Hit(line, start, end)


class LineGrep:
    """
    Find hits in lines that are fed.

    Args:
        pattern: A regular expression.
        context: How many lines to give around each hit: one number for both sides, or a pair. A hit
            is returned once the lines after it were fed.
        invert: Look for the lines that do not match.
        max_count: Stop after this many hits; None gives them all.
    """

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        *,
        context: Context = 0,
        invert: bool = False,
        max_count: int | None = None,
    ) -> None:
        self.pattern = re.compile(pattern)
        before, self._after = (context, context) if isinstance(context, int) else context
        #: Whether every line has to be looked at, not only those that may match.
        self.every_line = invert or before > 0 or self._after > 0
        self._invert = invert
        self._left = max_count
        self._before: deque[LogLine] = deque(maxlen=before)
        self._waiting: deque[tuple[Hit, list[LogLine]]] = deque()

    @property
    def done(self) -> bool:
        """Whether the last hit has come out, so that the rest of the log need not be read."""
        return self._left == 0 and not self._waiting

    def feed(self, lines: Iterable[LogLine]) -> list[Hit]:
        """Take the next lines; return the hits that are complete."""
        found: list[Hit] = []
        for line in lines:
            if self.done:
                break
            for _, after in self._waiting:
                after.append(line)
            if self._waiting and len(self._waiting[0][1]) == self._after:
                hit, after = self._waiting.popleft()
                found.append(attrs.evolve(hit, after=tuple(after)))
            if self._left != 0 and (new := self._select(line)):
                if self._left is not None:
                    self._left -= 1
                if self._before:
                    new = attrs.evolve(new, before=tuple(self._before))
                if self._after:
                    self._waiting.append((new, []))
                else:
                    found.append(new)
            self._before.append(line)
        return found

    def close(self) -> list[Hit]:
        """Return the hits near the end, with fewer lines after them."""
        found = [attrs.evolve(hit, after=tuple(after)) for hit, after in self._waiting]
        self._waiting.clear()
        return found

    def _select(self, line: LogLine) -> Hit | None:
        hit = find(self.pattern, line)
        if not self._invert:
            return hit
        return Hit(line, 0, 0) if hit is None else None


class LogSearch:
    """
    Find hits in bytes that are fed, as `LogParser` and *grep* together do, but faster.

    Where every match must contain a certain text (for ``uses: .+@v[0-9]`` that is ``uses: ``), blocks
    of the log are searched for it at the speed of ``bytes.find``, and only the lines that contain it
    are parsed and matched. With groups in the pattern, with context, or inverted, every line is.
    Groups of the log are not counted: the lines of a hit have the depth 0.

    At most *max_line* bytes of a line are kept and searched, as in `LogParser`.
    """

    def __init__(self, grep: LineGrep, max_line: int = MAX_LINE) -> None:
        self._parser = LogParser(max_line, groups=False)
        self._max_line = max_line
        self._grep = grep
        self._literals = () if grep.every_line else literals(grep.pattern)
        self._fold = bool(grep.pattern.flags & re.IGNORECASE)
        # The different bytes of each literal, the one that was missing from a block last first.
        self._letters = [[*set(text)] for text in self._literals]
        self._splitting = _splitting_escapes(self._literals)

    @property
    def done(self) -> bool:
        """Whether the last hit has come out, so that the rest of the log need not be read."""
        return self._grep.done

    @property
    def capped(self) -> int:
        """How many lines were too long, so that only their beginning was searched."""
        return self._parser.capped

    def feed(self, chunk: bytes) -> list[Hit]:
        """Take the next bytes, split anywhere; return the hits that are complete."""
        found: list[Hit] = []
        for at in range(0, len(chunk), _BLOCK):
            if self.done:
                break
            found += self._feed(chunk[at : at + _BLOCK])
        return found

    def close(self) -> list[Hit]:
        """Return the hits at the end of the log."""
        return self._grep.feed(self._parser.close()) + self._grep.close()

    def _feed(self, chunk: bytes) -> list[Hit]:
        last = chunk.rfind(b"\n") + 1
        begun = self._parser.take_back() if self._literals and last else None
        if begun is None:
            return self._grep.feed(self._parser.feed(chunk))
        block = b"".join((begun, memoryview(chunk)[:last]))
        found: list[Hit] = []
        at = 0
        for start, end in self._candidates(block):
            self._parser.skip(block[at:start])
            found += self._grep.feed(self._parser.feed(block[start:end]))
            at = end
        self._parser.skip(block[at:])
        self._parser.feed(chunk[last:])
        return found

    def _candidates(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Yield start and end of the lines that may match; all that do match are among them."""
        if len(block) > self._max_line:
            # Without the end of a line, an escape or a timestamp in it may be text.
            yield 0, len(block)
            return
        folded = self._folded(block)
        if all(_lacks(folded, letters) for letters in self._letters):
            return
        shown = self._shown(block, folded)
        if shown is None:
            yield 0, len(block)
            return
        starts = set[int]()
        for literal in self._literals:
            at = shown.find(literal)
            while at >= 0:
                starts.add(shown.rfind(b"\n", 0, at) + 1)
                at = shown.find(literal, shown.find(b"\n", at) + 1)
        in_block = in_shown = 0
        for start in sorted(starts):
            # Both texts have the same lines, and `shown` lacks only bytes. So the line begins here
            # or later in the block: later by as many lines as the block is behind.
            at = in_block + start - in_shown
            if len(shown) < len(block):
                missing = shown.count(b"\n", in_shown, start) - block.count(b"\n", in_block, at)
                for _ in range(missing):
                    at = block.find(b"\n", at) + 1
            in_block, in_shown = at, start
            yield at, block.find(b"\n", at) + 1

    def _folded(self, block: bytes) -> bytes:
        """Return the block in lower case, if case is ignored."""
        if not self._fold:
            return block
        if not block.isascii():
            for special, letter in _FOLDED:
                # The last byte is rare, and found much faster than all of them.
                if special[-1] in block:
                    block = block.replace(special, letter)
        return block.lower()

    def _shown(self, block: bytes, folded: bytes) -> bytes | None:
        """Return the block in the form in which it contains the literals; None if unknown."""
        if b"\xc2" in block and _C1.search(block):
            return None
        if b"\x1b" in block and self._splitting.search(folded):
            # Some escape sequences are told apart by case, so they are removed first.
            return self._folded(_ESCAPE.sub(b"", block))
        return folded


def _lacks(block: bytes, letters: list[int]) -> bool:
    """
    Return whether one of *letters* is not in the block: no escape sequences can split a text so.

    The one that is missing becomes the first: it is probably missing from the next block, too.
    """
    for place, letter in enumerate(letters):
        if letter not in block:
            letters.insert(0, letters.pop(place))
            return True
    return False


def literals(pattern: re.Pattern[str]) -> tuple[bytes, ...]:
    """
    Return texts of which every match of *pattern* contains at least one; empty where unknown.

    Only the simple part of the syntax is read. Groups give an empty result, since a wrong guess
    would lose hits.
    """
    if pattern.flags & re.VERBOSE:
        return ()
    fold = bool(pattern.flags & re.IGNORECASE)
    branches: list[list[str]] = [[""]]
    at = 0
    while at < len(pattern.pattern):
        token = _TOKEN.match(pattern.pattern, at)
        if token is None:
            return ()
        at = token.end()
        runs = branches[-1]
        match token.lastgroup:
            case "char":
                runs[-1] += token[0][-1]
            case "repeat":
                # The character before may be absent.
                runs[-1:] = [runs[-1][:-1], ""]
            case "bar":
                branches.append([""])
            case _:
                runs.append("")
    found = [_longest(runs, fold=fold) for runs in branches]
    return tuple(found) if all(found) else ()


def _splitting_escapes(texts: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """
    Return a pattern for the escapes that may be in the middle of one of *texts*.

    Such an escape comes after one of the bytes of the texts. If it is a colour, as nearly all escapes
    in a log are, one of their bytes must follow it, too.
    """
    first = b"".join(re.escape(bytes([byte])) for text in texts for byte in set(text[:-1]))
    then = b"".join(re.escape(bytes([byte])) for text in texts for byte in set(text[1:]))
    return re.compile(rb"\x1b(?<=[\x1b%b]\x1b)(?!\[[0-9;]*m[^\x1b%b])" % (first, then))


def _longest(runs: Iterable[str], *, fold: bool) -> bytes:
    # U+FFFD stands for a byte that was replaced, so the log does not contain it. A byte search cannot
    # ignore case beyond ASCII. No line contains a newline.
    split = re.compile("[^\x00-\x7f]+" if fold else "[\ufffd\ud800-\udfff]+")
    best = max((part for run in runs for part in split.split(run)), key=len)
    if "\n" in best:
        return b""
    return (best.lower() if fold else best).encode()
