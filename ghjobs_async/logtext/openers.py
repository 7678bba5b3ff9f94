"""
Find the lines where steps may begin.

When a runner starts a step, it writes a group ``Run ...`` that contains the script and its shell, or
the inputs of the action. For its own work it writes fixed sentences. It writes the same groups for
the parts of a composite action, and scripts may print anything, so these lines are only candidates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import attrs

from ghjobs_async.logtext.lines import LineKind, LogLine


class Opens(Enum):
    """What begins at an opening line, by the form of the line."""

    SCRIPT = auto()
    ACTION = auto()
    #: An action without inputs: a group without content, which a script may print as well.
    EMPTY = auto()
    #: An action that writes no line of its own before the next opener: a composite action.
    COMPOSITE = auto()
    #: A group ``Run ...`` without the content that a runner writes: probably printed by a script.
    BARE = auto()
    POST = auto()
    COMPLETE = auto()
    #: The runner's own work, in a step with that ``title``.
    OWN = auto()
    #: A group in which a container hook runs: within every step, and all that some steps have.
    HOOK = auto()
    #: In a log with debug messages, where the runner looks whether to run the step ``title``.
    CONDITION = auto()


#: The runner's own work: how its first line begins, and how the name of its step begins.
OWN: Final = (
    (b"##[group]Checking docker version", "Initialize containers"),
    (b"##[group]Build container for action use: ", "Build "),
    (b"##[group]Pull down action image ", "Pull "),
    (b"Print service container logs: ", "Stop containers"),
    (b"Stop and remove container: ", "Stop containers"),
    (b"A job started hook has been configured ", "Set up runner"),
    (b"A job completed hook has been configured ", "Complete runner"),
)

_ACTION: Final = re.compile(r"Run (?:\.{1,2}/|docker://|[\w.-]+/[\w./-]+@)\S*\Z")
_SENTENCES: Final = {
    b"Post job cleanup.": Opens.POST,
    b"Cleaning up orphan processes": Opens.COMPLETE,
}
_OWN_LINES: Final = tuple(text for text, _ in OWN if not text.startswith(b"##"))
_HOOK: Final = re.compile(r"Run '[^']*'\Z")
_CONDITION: Final = b"Evaluating condition for step: '"
_STARTING: Final = b"Starting: "
_FINISHING: Final = b"Finishing: "
_LAST: Final = b"Starting: Complete job"
#: How many steps within steps to keep track of.
_MAX_OPEN: Final = 100
#: What the other candidates begin with; most lines begin with none of it.
_FIRST: Final = frozenset({b"P", b"C", b"G", b"D", b"S", b"A", b"#"})
_UNKNOWN: Final = re.compile(rb"##\[[a-z][a-z-]*[\] ]")
_LEAD: Final = b"Prepare all required actions"
_LEADING: Final = (b"Getting action download info", b"Download action repository ")
#: A log with more openers than this is not split into steps; jobs have at most some hundred steps.
MAX_OPENERS: Final = 5_000

#: How many characters of a title to keep; names of steps are shorter.
_MAX_TITLE: Final = 1000


@attrs.frozen
class Opener:
    """
    A line that may begin a step.

    Attributes:
        index: The number of lines before it and before the runner's preparations for it.
        form: What begins with it.
        title: Its text, as in the names of steps.
        second: Its time in seconds since the epoch; None where unknown.
        nested: Whether it belongs to what began before it: a part of a composite action by the
            runner's own marker, a condition within a step, or a hook directly behind the line that began its step.
    """

    index: int
    form: Opens
    title: str
    second: int | None
    nested: bool = False


class OpenerFinder:
    """Collect the openers among lines that are fed."""

    def __init__(self) -> None:
        #: The number of lines fed so far.
        self.count = 0
        self._openers: list[Opener] = []
        self._group: LogLine | None = None
        self._group_index = 0
        # The index and time at which the runner began to prepare a composite action.
        self._lead: tuple[int, int | None] | None = None
        self._leads = 0
        # The last action, until the line after its inputs shows whether it is a composite one.
        self._action: Opener | None = None
        self._ended = False
        # How many parts of composite actions are open, and which steps, by the debug messages.
        self._parts = 0
        self._open: list[bytes] = []
        # The index behind the last opener's own group or sentence; whether that group is open.
        self._behind = -1
        self._header = False
        #: Whether a marker of an unknown form was found: then nothing is certain.
        self.unknown = False
        #: Whether the runner wrote debug messages, also for steps that it skipped.
        self.debug = False

    def feed(self, lines: Sequence[LogLine]) -> None:
        """Take the next lines."""
        start, plain, first = self.count, LineKind.PLAIN, _FIRST
        waits = self._waits()
        for index, line in enumerate(lines, start):
            # Nearly all lines end here, so this is as short as it can be.
            at = line.at
            if line.kind is plain and not waits and line.raw[at : at + 1] not in first:
                continue
            self.count = index
            if not line.continuation:
                self._take(line)
            waits = self._waits()
        self.count = start + len(lines)

    def _waits(self) -> bool:
        """Return whether the next line says more about the one before."""
        return not (self._group is None and self._action is None and self._lead is None)

    def _take(self, line: LogLine) -> None:
        if self._group is not None:
            self._open_group(line)
        if self._action is not None:
            self._end_action(line)
        if line.kind is LineKind.ENDGROUP and self._header:
            self._behind, self._header = self.count + 1, False
        if line.kind is not LineKind.COMMAND:
            self._look(line)

    def close(self) -> list[Opener] | None:
        """Return the openers in their order; None where there are more than `MAX_OPENERS`."""
        if self._group is not None:
            self._add(self._group_index, Opens.BARE, self._group.text, second(self._group))
            self._group = None
        if len(self._openers) > MAX_OPENERS:
            return None
        if self.debug:
            # Each step begins with its condition, so nothing else can begin one.
            return [opener for opener in self._openers if opener.form is Opens.CONDITION]
        if any(opener.form is Opens.SCRIPT for opener in self._openers):
            return self._openers
        # No group has the content of a script: this log has another form, so the content of its
        # groups means nothing.
        return [
            attrs.evolve(opener, form=Opens.SCRIPT) if opener.form is Opens.BARE else opener
            for opener in self._openers
        ]

    def _add(self, index: int, form: Opens, title: str, when: int | None) -> None:
        if len(self._openers) <= MAX_OPENERS:
            nested = self._parts > 0 or (form is Opens.HOOK and index == self._behind)
            if form is Opens.CONDITION:
                nested = bool(self._open)
            self._openers.append(Opener(index, form, title[:_MAX_TITLE].strip(), when, nested))
            self._header = form in {Opens.SCRIPT, Opens.ACTION, Opens.EMPTY}
            if form is Opens.POST:
                self._behind = index + 1

    def _look(self, line: LogLine) -> None:
        content = line.content
        if line.kind is LineKind.GROUP:
            if content.startswith(b"Run "):
                self._group, self._group_index = line, self.count
                return
            for text, name in OWN:
                if text.startswith(b"##") and content.startswith(text[9:]):
                    self._add(self.count, Opens.OWN, name, second(line))
        elif line.kind is LineKind.DEBUG:
            self._look_at_debug(line, content)
        elif line.kind is LineKind.ACTION:
            start = b"##[start" in line.raw
            self._parts = self._parts + 1 if start else max(0, self._parts - 1)
        elif line.kind is LineKind.PLAIN and self._look_at_text(line, content):
            return
        self._lead = None

    def _look_at_text(self, line: LogLine, content: bytes) -> bool:
        """Look at a line without a marker; return whether the runner prepares an action there."""
        self.unknown |= _UNKNOWN.match(content) is not None
        if content in _SENTENCES:
            self._add(self.count, _SENTENCES[content], line.text, second(line))
        elif content == _LEAD:
            # The first one in a log belongs to the set-up of the job.
            self._leads += 1
            self._lead = (self.count, second(line)) if self._leads > 1 else None
            return True
        elif content.startswith(_LEADING):
            return True
        elif content.startswith(_OWN_LINES):
            name = next(name for text, name in OWN if content.startswith(text))
            self._add(self.count, Opens.OWN, name, second(line))
        return False

    def _look_at_debug(self, line: LogLine, content: bytes) -> None:
        if content.startswith(_CONDITION):
            title = line.text[len(_CONDITION) :].rpartition("'")[0]
            self._add(self.count, Opens.CONDITION, title, second(line))
            self.debug = True
        elif content == _LAST:
            self._add(self.count, Opens.CONDITION, "Complete job", second(line))
        elif content.startswith(_STARTING) and len(self._open) < _MAX_OPEN:
            self._open.append(content[len(_STARTING) :])
        elif content.startswith(_FINISHING):
            ended = content[len(_FINISHING) :]
            if ended in self._open:
                del self._open[self._open.index(ended) :]

    def _open_group(self, body: LogLine) -> None:
        """Add the open group, whose form its first line shows."""
        group, index = self._group, self._group_index
        self._group = None
        if group is None:
            return
        when, title = second(group), group.text
        content = body.content
        form = Opens.BARE
        if content.startswith(b"shell: ") and _HOOK.match(title):
            form = Opens.HOOK
        elif content.startswith((b"\x1b[36;1m", b"shell: ")):
            form = Opens.SCRIPT
        elif _ACTION.match(title) and (
            body.kind is LineKind.ENDGROUP or content in {b"with:", b"env:"}
        ):
            form = Opens.EMPTY if body.kind is LineKind.ENDGROUP else Opens.ACTION
            if self._lead is not None:
                index, when = self._lead
        self._lead = None
        self._add(index, form, title, when)
        if form in {Opens.ACTION, Opens.EMPTY}:
            self._action, self._ended = self._openers[-1], False

    def _end_action(self, line: LogLine) -> None:
        """Find out from the line after an action's inputs whether it is a composite action."""
        if not self._ended:
            self._ended = line.kind is LineKind.ENDGROUP
            return
        content = line.content
        run = line.kind is LineKind.GROUP and content.startswith(b"Run ")
        run = run and not content.startswith(b"Run '")
        part = run or content == _LEAD or line.kind is LineKind.ACTION
        if self._openers[-1] is self._action and part:
            self._openers[-1] = attrs.evolve(self._action, form=Opens.COMPOSITE)
        self._action = None


def second(line: LogLine) -> int | None:
    """Return the second since the epoch in which *line* was written; None where unknown."""
    time = line.time
    return None if time is None else int(time.timestamp())
