"""Find the errors, warnings and notices of a log, each with its group and continuation lines."""

from collections.abc import Iterable
from typing import Final

import attrs

from ghjobs_async.logtext.lines import LineKind, LogLine

#: The most continuation lines of an annotation to keep; nobody reads a longer message.
MAX_CONTINUATION: Final = 100

#: The most open groups to keep by name, so that a log that never closes its groups uses no more
#: memory.
_MAX_GROUPS: Final = 100

_LEVELS: Final = frozenset({LineKind.ERROR, LineKind.WARNING, LineKind.NOTICE})


@attrs.frozen
class Annotation:
    """
    An error, a warning or a notice.

    Attributes:
        line: The line with the marker; its ``kind`` is the level.
        group: The name of the innermost group around it; None outside of groups.
        continuation: For an error, the lines without a timestamp that follow it, at most
            `MAX_CONTINUATION` of them.
        dropped: The number of further such lines.
    """

    line: LogLine
    group: str | None = None
    continuation: tuple[LogLine, ...] = ()
    dropped: int = 0

    @property
    def kind(self) -> LineKind:
        """The level: error, warning or notice."""
        return self.line.kind

    @property
    def text(self) -> str:
        """The whole message, its lines joined by newlines."""
        return "\n".join(line.text for line in (self.line, *self.continuation))


class AnnotationFinder:
    """Find annotations in lines that are fed."""

    def __init__(self) -> None:
        self._groups: list[str] = []
        self._error: LogLine | None = None
        self._group: str | None = None
        self._more: list[LogLine] = []
        self._dropped = 0

    def feed(self, lines: Iterable[LogLine]) -> list[Annotation]:
        """Take the next lines; return the annotations that they complete."""
        found: list[Annotation] = []
        for line in lines:
            kind = line.kind
            if self._error is not None:
                if line.continuation and kind is LineKind.PLAIN:
                    if len(self._more) < MAX_CONTINUATION:
                        self._more.append(line)
                    else:
                        self._dropped += 1
                    continue
                found += self.close()
            if kind is LineKind.PLAIN:
                continue
            # The depth says which groups are still open, also where there are too many to keep.
            del self._groups[line.depth :]
            if kind is LineKind.GROUP:
                if line.depth == len(self._groups) < _MAX_GROUPS:
                    self._groups.append(line.text.strip())
            elif kind in _LEVELS:
                group = self._groups[-1] if self._groups else None
                if kind is LineKind.ERROR:
                    self._error, self._group = line, group
                else:
                    found.append(Annotation(line, group))
        return found

    def close(self) -> list[Annotation]:
        """Return the error that the log ends with, if it ends with one."""
        if self._error is None:
            return []
        found = Annotation(self._error, self._group, tuple(self._more), self._dropped)
        self._error, self._more, self._dropped = None, [], 0
        return [found]
