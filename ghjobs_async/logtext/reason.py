"""
Find the line that says why a step failed.

The only error of most failing steps is an exit code; what a person would quote stands some lines, or
some hundred lines, above it. The rules say what such lines look like, the functions here which of
them counts: what stopped the step, then records of failures, then explanations, causes, exceptions,
and at last any line that begins like an error.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ghjobs_async.logtext.lines import LineKind, LogLine
from ghjobs_async.logtext.noise import MARK, MUTED, WORDS, says_nothing
from ghjobs_async.logtext.rules import (
    BLOCKS,
    CAUSES,
    EXCEPTIONS,
    NUMBERED_BELOW,
    RECORDS,
    STOPPED,
    FailureKind,
    Rule,
)
from ghjobs_async.logtext.steps import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: How many of a step's last lines are looked at: they have the reason in 19 of 20 failures.
MAX_LOOKED_AT: Final = 2_000
#: The most lines of a reason.
MAX_LINES: Final = 5
# How much of a line is looked at, and shown as the headline.
_MAX_TEXT: Final = 1_000
_MAX_HEADLINE: Final = 400
# How many lines after its first one a block is looked at, and how far below a record its message
# may stand.
_BLOCK: Final = 30
_MESSAGE: Final = 12
# In how many of the last lines an unknown message is looked for.
_LAST: Final = 100
_LEVELS: Final = frozenset({LineKind.WARNING, LineKind.NOTICE, LineKind.DEBUG, LineKind.COMMAND})

_FRAME: Final = re.compile(r"\d+ *\||[|│ ]*[~^]+")
_CANCELLED: Final = re.compile(r"The (?:operation|run) was cancell?ed\.?$")

# What tools that run other tools put in front of each line.
_WRAPPER: Final = re.compile(
    r"""
    \#\d+\ (?:\d+\.\d+\ )?                              # docker build
    | [A-Za-z][\w.-]*\ +\|\ (?=\S)                      # docker compose
    | \[(?!(?i:\s*(?:x|error|fail|fatal|warn|info|debug|err!|gw\d)|~|\d+/\d+))[\w@/.:\ \#()-]{1,40}\]:?\s+
    | \[?\d{4}[-/]\d\d[-/]\d\d[T\ ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?:?\s+
    | \[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?\s+
    | \d{3,8}\ (?=\[[A-Z])
    | (?:@?[\w.-]+/)*[\w.-]+[:\#][a-z][\w-]*:\ (?!error|warning|fatal)   # turbo
    | [\w@.-]+/[\w./-]+\ [a-z][\w:-]*(?::|\$)\ (?!error)    # pnpm
    """,
    re.VERBOSE,
)
# In a headline, what differs from run to run.
_VARIES: Final = (
    (re.compile(r"\w+://\S+"), "URL"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "ID"),
    (
        re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
        "TIME",
    ),
    (re.compile(r"\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b"), "TIME"),
    (re.compile(r"\b(?:0x[0-9a-fA-F]+|(?=[a-f]*\d)[0-9a-f]{7,}|(?=[A-F]*\d)[0-9A-F]{7,})\b"), "ID"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\w.@+~-]{0,100}[/\\])+(?=[\w.@+-])"), ""),
    (re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?=(?:ms|s|m|h|kB|MB|GB|B|%)?(?!\w))"), "N"),
)


@attrs.frozen
class FailureReason:
    """
    Why a step failed, in one line.

    Attributes:
        headline: The line that says it, as plain text.
        lines: At most 5 lines of the log: the headline's line, then others that help, in the log's
            order. Empty where an annotation said it.
        kind: What kind of failure it is.
        certainty: How certain it is that the headline is the reason: certain for a tool's own record
            of a failure, likely for a cause, unknown for the last words of a step.
        fingerprint: Equal for the same failure in another job: the headline without numbers,
            folders, times and ids.
    """

    headline: str
    lines: tuple[LogLine, ...]
    kind: FailureKind
    certainty: Certainty
    fingerprint: str

    def __str__(self) -> str:
        return self.headline


def fingerprint(headline: str) -> str:
    """Return what is equal in the headlines of one failure: no numbers, folders, times and ids."""
    for pattern, word in _VARIES:
        headline = pattern.sub(word, headline)
    return " ".join(headline.split())


def kind_of(text: str) -> FailureKind:
    """Return the kind of failure that a message of no known form tells of."""
    for rule in (*STOPPED, *CAUSES, *EXCEPTIONS):
        if any(needle in text for needle in rule.needles) and rule.pattern.match(text):
            return rule.kind
    return FailureKind.OTHER


def told(messages: Iterable[str]) -> FailureReason | None:
    """Return the reason that annotations tell: the first one that says something."""
    stops = {rule.kind for rule in STOPPED}
    saying = [text for text in messages if not says_nothing(text) and not _CANCELLED.match(text)]
    if not saying:
        return None
    headline = _headline(next((text for text in saying if kind_of(text) in stops), saying[0]))
    kind = kind_of(headline)
    kind = FailureKind.ACTION if kind is FailureKind.OTHER else kind
    return FailureReason(headline, (), kind, Certainty.CERTAIN, fingerprint(headline))


def tells_time_limit(messages: Iterable[str]) -> bool:
    """Return whether an annotation says that the job was stopped because its time was over."""
    limits = [rule for rule in STOPPED if rule.kind is FailureKind.TIMEOUT]
    return any(rule.pattern.match(text) for text in messages for rule in limits)


def find_reason(lines: Sequence[LogLine]) -> FailureReason | None:
    """
    Return why the step that wrote *lines* failed; None where no line says anything.

    Args:
        lines: The lines of the step; the last `MAX_LOOKED_AT` of them are looked at.
    """
    return _Step(lines[-MAX_LOOKED_AT:]).reason()


def _headline(text: str) -> str:
    flat = "".join(c if c.isprintable() else " " for c in text[:_MAX_TEXT]).strip()
    return flat if len(flat) <= _MAX_HEADLINE else flat[: _MAX_HEADLINE - 3] + "..."


def _unwrapped(text: str) -> str:
    """Return a line without what stands in front of the message itself."""
    text = text.strip()
    for _ in range(3):
        found = _WRAPPER.match(text)
        if found is None:
            break
        text = text[found.end() :].lstrip()
    return text


def _bodies(lines: Sequence[LogLine]) -> Iterator[LogLine]:
    """Yield the lines that are not of the header in which the runner echoes the script."""
    header: list[LogLine] = []
    is_echo = False
    for line in lines:
        if line.kind is LineKind.GROUP:
            yield from header if not is_echo else ()
            header, is_echo = [], False
            if line.content.startswith(b"Run "):
                header.append(line)
        elif header:
            header.append(line)
            content = line.content
            is_echo |= content.startswith((b"shell: ", b"with:", b"env:", b"\x1b[36;1m"))
            if line.kind is LineKind.ENDGROUP:
                yield from header if not is_echo and len(header) > 2 else ()
                header, is_echo = [], False
        elif line.kind is not LineKind.ENDGROUP:
            yield line
    yield from header if not is_echo else ()


# The lines of a reason, the headline's first, its kind and certainty.
_Found: TypeAlias = tuple[list[int], FailureKind, Certainty]


@attrs.frozen
class _Hit:
    index: int
    rule: Rule
    order: int


class _Step:
    """The lines of a step, as they are looked at."""

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self.lines = [
            line
            for line in _bodies(lines)
            if line.kind is not LineKind.ACTION
            and not (line.kind is LineKind.PLAIN and line.content.startswith(b"##["))
        ]
        self.shown = [
            line.plain[:_MAX_TEXT].rpartition("\r")[2] or line.plain[:_MAX_TEXT]
            for line in self.lines
        ]
        self.texts = [_unwrapped(text) for text in self.shown]
        self.errors = [i for i, line in enumerate(self.lines) if line.kind is LineKind.ERROR]
        # Where the step ended: only what stopped it is said behind its last error.
        self.end = self.errors[-1] + 1 if self.errors else len(self.lines)
        self._all = "\n".join(self.texts)
        self._places: dict[str, list[int]] = {}
        self._starts = [0]
        for text in self.texts:
            self._starts.append(self._starts[-1] + len(text) + 1)

    def reason(self) -> FailureReason | None:
        for find in (self._stopped, self._records, self._blocks, self._causes, self._exceptions):
            found = find()
            if found:
                return self._reason(*found)
        found = self._last_words()
        return self._reason(*found) if found else None

    def _reason(self, indexes: list[int], kind: FailureKind, certainty: Certainty) -> FailureReason:
        first = indexes[0]
        headline = _headline(self.shown[first])
        after = first + 1
        if headline.endswith(":") and after < self.end and not self._idle(after):
            headline = _headline(f"{headline} {self.texts[after]}")
            indexes = [first, after, *indexes[1:]]
        beside = self._beside(first) if certainty is not Certainty.UNKNOWN else ()
        others = list(dict.fromkeys((*indexes[1:3], *beside, *indexes[3:])))
        others = sorted([i for i in others if i != first][: MAX_LINES - 1])
        if kind is FailureKind.OTHER:
            kind = next(
                (
                    k
                    for i in (first, *others)
                    if (k := kind_of(self.texts[i])) is not FailureKind.OTHER
                ),
                FailureKind.OTHER,
            )
        shown = tuple(self.lines[i] for i in (first, *others))
        return FailureReason(headline, shown, kind, certainty, fingerprint(headline))

    def _beside(self, first: int) -> Iterator[int]:
        """Yield lines that help to understand the headline: its message, causes, last words."""
        for index in range(first + 1, min(first + _MESSAGE, self.end)):
            text = self.texts[index]
            if not self._idle(index) and (self._is(EXCEPTIONS, text) or text.startswith("E  ")):
                yield index
                break
        for find in (self._causes, self._exceptions, self._last_words):
            found = find()
            if found:
                yield found[0][0]

    def _is(self, rules: Iterable[Rule], text: str) -> bool:
        return any(rule.pattern.match(text) for rule in rules)

    def _hits(self, rules: Sequence[Rule], end: int) -> Iterator[_Hit]:
        """Yield where the rules match, rule by rule, each in the order of the lines."""
        for order, rule in enumerate(rules):
            places = {index for needle in rule.needles for index in self._with(needle)}
            for index in sorted(places):
                if index < end and rule.pattern.match(self.texts[index]):
                    yield _Hit(index, rule, order)

    def _with(self, needle: str) -> list[int]:
        """Return which lines have this text; it is looked for once."""
        if (places := self._places.get(needle)) is None:
            places = self._places[needle] = []
            at = self._all.find(needle)
            while at >= 0:
                places.append(bisect_right(self._starts, at) - 1)
                at = self._all.find(needle, self._starts[places[-1] + 1])
        return places

    def _idle(self, index: int) -> bool:
        """Return whether a line says nothing, or is only about something that did not fail."""
        line, text = self.lines[index], self.texts[index]
        if says_nothing(text):
            return True
        if line.kind is LineKind.ERROR:
            return False
        return line.kind in _LEVELS or " " not in text or MUTED.match(text) is not None

    def _stopped(self) -> _Found | None:
        for hit in self._hits(STOPPED, len(self.lines)):
            marked = self.lines[hit.index].kind is LineKind.ERROR
            if hit.rule.kind is FailureKind.CANCELLED and not marked:
                continue
            if marked or not MUTED.match(self.texts[hit.index]):
                return [hit.index], hit.rule.kind, Certainty.CERTAIN
        return None

    def _records(self) -> _Found | None:
        below = max(
            (i for i, text in enumerate(self.texts) if NUMBERED_BELOW.match(text)),
            default=len(self.texts),
        )
        tools: dict[str, list[_Hit]] = {}
        for hit in self._hits(RECORDS, self.end):
            line = self.lines[hit.index]
            if line.kind in _LEVELS or says_nothing(self.texts[hit.index]):
                continue
            if hit.rule.tool == "numbered" and hit.index < below:
                continue
            tools.setdefault(hit.rule.tool, []).append(hit)
        saying = [i for i in self.errors if self._says(i)]
        last = {tool: max(hit.index for hit in hits) for tool, hits in tools.items()}
        tool = max(last, key=lambda tool: last[tool], default=None)
        if saying and (tool is None or saying[-1] > last[tool]):
            return saying, self._action_kind(saying[0]), Certainty.CERTAIN
        if tool is None:
            return None
        best = min(hit.order for hit in tools[tool])
        hits = [hit for hit in tools[tool] if hit.order == best]
        return [hit.index for hit in hits], hits[0].rule.kind, Certainty.CERTAIN

    def _says(self, index: int) -> bool:
        return not says_nothing(self.texts[index])

    def _action_kind(self, index: int) -> FailureKind:
        for hit in self._hits(RECORDS, self.end):
            if hit.index == index:
                return hit.rule.kind
        kind = kind_of(self.texts[index])
        return FailureKind.ACTION if kind is FailureKind.OTHER else kind

    def _blocks(self) -> _Found | None:
        hits = [h for h in self._hits(BLOCKS, self.end) if self.lines[h.index].kind not in _LEVELS]
        if not hits:
            return None
        # The first message of those that the tool which spoke last wrote at once.
        tool = max(hits, key=lambda hit: hit.index).rule.tool
        found = sorted((h for h in hits if h.rule.tool == tool), key=lambda hit: -hit.index)
        hit = found[0]
        for earlier in found[1:]:
            if hit.index - earlier.index > _BLOCK:
                break
            hit = earlier
        index = hit.index
        inside = [
            i
            for i in range(index + 1, min(index + _BLOCK, self.end))
            if not says_nothing(self.texts[i]) and not _FRAME.match(self.texts[i])
        ][:4]
        if says_nothing(self.texts[index]):
            return (inside or [index]), hit.rule.kind, Certainty.LIKELY
        return [index, *inside], hit.rule.kind, Certainty.LIKELY

    def _last(self, rules: Sequence[Rule]) -> _Found | None:
        hits = [hit for hit in self._hits(rules, self.end) if not self._idle(hit.index)]
        if not hits:
            return None
        hit = max(hits, key=lambda hit: hit.index)
        return [hit.index], hit.rule.kind, Certainty.LIKELY

    def _causes(self) -> _Found | None:
        return self._last(CAUSES)

    def _exceptions(self) -> _Found | None:
        return self._last(EXCEPTIONS)

    def _last_words(self) -> _Found | None:
        last = range(self.end - 1, max(-1, self.end - _LAST), -1)
        for pattern in (MARK.match, WORDS.search):
            for index in last:
                if pattern(self.texts[index]) and not self._idle(index):
                    return [index], FailureKind.OTHER, Certainty.UNKNOWN
        saying = list(islice((index for index in last if not self._idle(index)), MAX_LINES))
        # Where warnings are errors, there is nothing else.
        saying = saying or [i for i in last if WORDS.search(self.texts[i]) and self._says(i)][:1]
        return (saying, FailureKind.OTHER, Certainty.UNKNOWN) if saying else None
