"""Hits of a search, printed as grep prints them."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto
from itertools import takewhile
from typing import Final

import attrs

from ghjobs_async.audit.feed import JobOf
from ghjobs_async.cli.output.console import colours, is_terminal
from ghjobs_async.cli.output.text import clean
from ghjobs_async.logs.log_grep import JobHit
from ghjobs_async.logtext import LogLine, plain
from ghjobs_async.logtext.search import find

_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_GREEN: Final = "\x1b[32m"
_MATCH: Final = "\x1b[1;31m"
_RESET: Final = "\x1b[0m"


class Mode(Enum):
    """What is printed."""

    LINES = auto()
    JOBS = auto()
    COUNTS = auto()
    JSON = auto()
    NOTHING = auto()


@attrs.define(eq=False)
class HitPrinter:
    """
    Print hits, or what is asked of them.

    Args:
        mode: What is printed.

        pattern: What was searched for, to be coloured.

        write: Takes a line to print.

    Attributes:
        found: How many lines match.
    """

    mode: Mode
    pattern: re.Pattern[str]
    write: Callable[[str], None]
    found: int = attrs.field(default=0, init=False)
    _piped: bool = attrs.field(init=False)
    _colour: bool = attrs.field(init=False)
    _counts: Counter[str] = attrs.field(factory=Counter, init=False)
    # Of which job lines were printed last, and how far each job's were.
    _place: str = attrs.field(default="", init=False)
    _shown: dict[str, int] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._piped = not is_terminal(sys.stdout)
        self._colour = colours(sys.stdout)

    def take(self, found: JobHit) -> None:
        """Print one hit, or count it."""
        self.found += 1
        place = address(found)
        self._counts[place] += 1
        match self.mode:
            case Mode.JOBS:
                if self._counts[place] == 1:
                    self.write(place)
            case Mode.JSON:
                self.write(json.dumps(_to_dict(found, place), separators=(",", ":")))
            case Mode.LINES:
                self._lines(found, place)
            case Mode.COUNTS | Mode.NOTHING:
                pass

    def close(self) -> None:
        """Print what is only known at the end."""
        if self.mode is Mode.COUNTS:
            for place, count in self._counts.items():
                self.write(f"{place}:{count}")

    def _lines(self, found: JobHit, place: str) -> None:
        if place != self._place and not self._piped:
            self._heading(found, place, first=not self._place)
        self._place = place
        # Lines that a hit before has shown already are not shown again; and of those after this one,
        # a line that matches comes as a hit of its own, with the rest behind it.
        last = self._shown.get(place, 0)
        after = takewhile(lambda line: find(self.pattern, line) is None, found.after)
        fresh = [line for line in found.before if line.number > last]
        fresh += [found.line, *after]
        if (found.before or found.after) and last and fresh[0].number > last + 1:
            self.write("--")
        for line in fresh:
            self._line(line, place, hit=line is found.line)
        self._shown[place] = fresh[-1].number

    def _heading(self, found: JobHit, place: str, *, first: bool) -> None:
        name = clean(found.job.job.name) if isinstance(found.job, JobOf) else ""
        if not first:
            self.write("")
        self.write(self._in(_BOLD, name or str(found.job)) + "  " + self._in(_DIM, place))

    def _line(self, line: LogLine, place: str, *, hit: bool) -> None:
        mark = ":" if hit else "-"
        text = clean(line.text)
        if hit and self._colour:
            text = self.pattern.sub(lambda m: f"{_MATCH}{m[0]}{_RESET}" if m[0] else "", text)
        if self._piped:
            self.write(f"{place}{mark}{line.number}{mark}{text}")
        else:
            self.write(self._in(_GREEN, f"{line.number}") + f"{mark}{text}")

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._colour else text


def address(found: JobHit) -> str:
    """Give what to click on: the job's page, where it is known."""
    url = found.job.job.html_url if isinstance(found.job, JobOf) else None
    return clean(url) if url else f"{found.job.repo}/{found.job.job_id}"


def _to_dict(found: JobHit, place: str) -> dict[str, object]:
    job = found.job.job if isinstance(found.job, JobOf) else None
    return {
        "repository": found.job.repo,
        "run_id": None if job is None else job.run_id,
        "run_attempt": None if job is None else job.run_attempt,
        "job_id": found.job.job_id,
        "name": None if job is None else job.name,
        "url": place,
        "line": found.line.number,
        "time": found.line.time_text,
        "text": plain(found.line.text).text,
        "match": found.match,
        "before": [plain(line.text).text for line in found.hit.before],
        "after": [plain(line.text).text for line in found.hit.after],
    }
