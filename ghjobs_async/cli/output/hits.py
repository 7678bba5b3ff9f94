"""Print the hits of a search as grep prints them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from enum import Enum, auto
from itertools import takewhile

import attrs

from ghjobs_async.audit.collect.feed import JobOf
from ghjobs_async.cli.output.console import BOLD, DIM, colours, is_terminal, paint
from ghjobs_async.display import clean
from ghjobs_async.logs.log_grep import JobHit
from ghjobs_async.logtext import plain
from ghjobs_async.logtext.search import find

_GREEN, _MATCH = "32", "1;31"


class Mode(Enum):
    """What to print of the hits."""

    LINES = auto()
    MATCHES = auto()
    JOBS = auto()
    COUNTS = auto()
    JSON = auto()
    NOTHING = auto()


@attrs.frozen
class Search:
    """
    What to look for, and what to print: lines with *context* before and after them; where *invert*
    is set those that do not match; at most *max_count* of a job.
    """

    pattern: re.Pattern[str]
    mode: Mode = Mode.LINES
    context: tuple[int, int] = (0, 0)
    invert: bool = False
    max_count: int | None = None


@attrs.define
class _Job:
    """A job with hits: name, address, how many there were, and the last line that was printed."""

    name: str
    address: str
    hits: int = 0
    line: int = 0


@attrs.define(eq=False)
class HitPrinter:
    """Print hits, or what is asked about them, line by line with *write*; count them in *found*."""

    search: Search
    write: Callable[[str], None]
    found: int = attrs.field(default=0, init=False)
    _piped: bool = attrs.field(factory=lambda: not is_terminal(sys.stdout), init=False)
    _colour: bool = attrs.field(factory=lambda: colours(sys.stdout), init=False)
    # By repository and id; and the one whose lines were printed last.
    _jobs: dict[tuple[str, int], _Job] = attrs.field(factory=dict, init=False)
    _current: _Job | None = attrs.field(default=None, init=False)

    def take(self, found: JobHit) -> None:
        """Print one hit, or count it."""
        self.found += 1
        key = (found.job.repo, found.job.job_id)
        # What to click on: the address of the job's page, where it is known.
        known = found.job.job if isinstance(found.job, JobOf) else None
        name = clean(known.name if known else "") or str(found.job)
        address = clean((known and known.html_url) or "") or "/".join(map(str, key))
        job = self._jobs.setdefault(key, _Job(name, address))
        job.hits += 1
        match self.search.mode:
            case Mode.LINES:
                self._lines(found, job)
            case Mode.MATCHES:
                self._matches(found, job)
            case Mode.JOBS if job.hits == 1:
                self.write(job.address if self._piped else self._heading(job))
            case Mode.JSON:
                self.write(json.dumps(self._to_dict(found, job), separators=(",", ":")))

    def close(self) -> None:
        """Print what is known only at the end."""
        if self.search.mode is Mode.COUNTS:
            for job in self._jobs.values():
                if self._piped:
                    self.write(f"{job.address}:{job.hits}")
                else:
                    # The address stands alone: so it mostly fits, and can be clicked on.
                    self.write(f"{self._in(BOLD, job.name)}:{self._in(_GREEN, str(job.hits))}")
                    self.write(self._in(DIM, job.address))

    def _lines(self, found: JobHit, job: _Job) -> None:
        # The lines after a hit end before the next hit, which brings the rest of them. After the last
        # hit of a job, lines that match are context too.
        after = found.after
        if job.hits != self.search.max_count:
            pattern, invert = self.search.pattern, self.search.invert
            after = tuple(takewhile(lambda line: (find(pattern, line) is None) != invert, after))
        # A line printed for the hit before is not printed again.
        fresh = [*(one for one in found.before if one.number > job.line), found.line, *after]
        self._begin(job, follows=fresh[0].number == job.line + 1)
        for line in fresh:
            hit = line is found.line
            text = clean(line.text)
            if hit and self._colour and not self.search.invert:
                text = self.search.pattern.sub(lambda m: self._in(_MATCH, m[0]), text)
            self._line(job, line.number, text, ":" if hit else "-")
        job.line = fresh[-1].number

    def _matches(self, found: JobHit, job: _Job) -> None:
        matches = self.search.pattern.finditer(plain(found.line.text).text)
        for number, text in enumerate(match[0] for match in matches if match[0]):
            if not number:
                self._begin(job, follows=False)
            self._line(job, found.line.number, self._in(_MATCH, clean(text)), ":")

    def _heading(self, job: _Job) -> str:
        return f"{self._in(BOLD, job.name)}  {self._in(DIM, job.address)}"

    def _begin(self, job: _Job, *, follows: bool) -> None:
        """Begin the lines of a hit: with a heading, a separator, or nothing."""
        last, self._current = self._current, job
        if last is not job and not self._piped:
            if last is not None:
                self.write("")
            self.write(self._heading(job))
        elif any(self.search.context) and last is not None and not (follows and last is job):
            self.write("--")

    def _line(self, job: _Job, number: int, text: str, mark: str) -> None:
        if self._piped:
            self.write(f"{job.address}{mark}{number}{mark}{text}")
        else:
            self.write(f"{self._in(_GREEN, str(number))}{mark}{text}")

    def _in(self, style: str, text: str) -> str:
        return paint(style, text, on=self._colour)

    def _to_dict(self, found: JobHit, job: _Job) -> dict[str, object]:
        known = found.job.job if isinstance(found.job, JobOf) else None
        return {
            "repository": found.job.repo,
            "run_id": known and known.run_id,
            "run_attempt": known and known.run_attempt,
            "job_id": found.job.job_id,
            "name": known and known.name,
            "url": job.address,
            "line": found.line.number,
            "time": found.line.time_text,
            "text": plain(found.line.text).text,
            "match": None if self.search.invert else found.match,
            "before": [plain(line.text).text for line in found.before],
            "after": [plain(line.text).text for line in found.after],
        }
