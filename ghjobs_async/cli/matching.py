"""Options that say what to look for in logs and what to print of it, as GNU grep has them."""

from __future__ import annotations

import re
from typing import Annotated, Final

import attrs
from cyclopts import Parameter

from ghjobs_async.cli.output.hits import Mode, Search
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.logtext.search import compiled

_MAX_CONTEXT: Final = 1000
#: Flags at the start of an expression: of the whole one.
_FLAGS: Final = re.compile(r"\(\?([aiLmsux]+)\)")
#: What refers to a group by its number or name.
_REFERENCE: Final = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Matching:
    """
    What to look for, and what to print.

    Attributes:
        regexp: A pattern, instead of PATTERN; may be given several times.
        ignore_case: Ignore case.
        fixed_strings: The pattern is a text, not an expression.
        word_regexp: Only matches that are whole words.
        invert_match: Find the lines that do not match.
        after_context: This many lines after each hit.
        before_context: This many lines before each hit.
        context: This many lines around each hit; -A and -B override it.
        max_count: This many hits of each job at most.
        only_matching: Only what matches, each match on a line of its own.
        jobs_with_matches: Only which jobs have hits.
        count: Only the number of hits of each job that has any.
        no_messages: No messages about logs that cannot be read; the exit status says it.
        line_number: Always on.
        with_filename: Always on: the job's address.
        extended_regexp: Always on, but for -F.
        json: Print one JSON object per hit.
    """

    regexp: Annotated[list[str] | None, Parameter(alias="-e", allow_leading_hyphen=True)] = None
    ignore_case: Annotated[bool, Parameter(alias="-i")] = False
    fixed_strings: Annotated[bool, Parameter(alias="-F")] = False
    word_regexp: Annotated[bool, Parameter(alias="-w")] = False
    invert_match: Annotated[bool, Parameter(alias="-v")] = False
    after_context: Annotated[int | None, Parameter(alias="-A")] = None
    before_context: Annotated[int | None, Parameter(alias="-B")] = None
    context: Annotated[int, Parameter(alias="-C")] = 0
    max_count: Annotated[int | None, Parameter(alias="-m")] = None
    only_matching: Annotated[bool, Parameter(alias="-o")] = False
    jobs_with_matches: Annotated[bool, Parameter(alias="-l")] = False
    count: Annotated[bool, Parameter(alias="-c")] = False
    no_messages: Annotated[bool, Parameter(alias="-s")] = False
    # People type these three out of habit.
    line_number: Annotated[bool, Parameter(alias="-n")] = False
    with_filename: Annotated[bool, Parameter(alias="-H")] = False
    extended_regexp: Annotated[bool, Parameter(alias="-E")] = False
    json: bool = False

    def search(self, pattern: str | None, *, quiet: bool) -> Search:
        """
        Make the search that the options and *pattern* ask for; ``-e`` replaces *pattern*.

        Raises:
            ConfigurationError: The options contradict each other, or a pattern is none.
        """
        mode = self._mode(quiet=quiet)
        around = self._around()
        if mode is Mode.MATCHES and any(around):
            raise ConfigurationError("-o prints matches alone: leave out -A, -B and -C")
        if self.max_count is not None and self.max_count < 1:
            raise ConfigurationError(f"--max-count is 1 or more hits, not {self.max_count}")
        return Search(
            self._pattern(pattern),
            mode,
            # Where no line is printed, none is needed around it, and the first hit may say it all.
            context=around if mode in {Mode.LINES, Mode.JSON} else (0, 0),
            invert=self.invert_match,
            max_count=1 if mode in {Mode.JOBS, Mode.NOTHING} else self.max_count,
        )

    def _mode(self, *, quiet: bool) -> Mode:
        if self.jobs_with_matches + self.count + self.json > 1:
            raise ConfigurationError("-l, -c and --json are three ways to print: not two of them")
        if self.json and self.only_matching:
            raise ConfigurationError("--json has what matches in each hit: leave out -o")
        modes = {
            Mode.NOTHING: quiet,
            Mode.JSON: self.json,
            Mode.COUNTS: self.count,
            Mode.JOBS: self.jobs_with_matches,
            Mode.MATCHES: self.only_matching,
        }
        return next((mode for mode, given in modes.items() if given), Mode.LINES)

    def _around(self) -> tuple[int, int]:
        before = self.context if self.before_context is None else self.before_context
        after = self.context if self.after_context is None else self.after_context
        asked = {"--context": self.context, "--before-context": before, "--after-context": after}
        for name, lines in asked.items():
            if not 0 <= lines <= _MAX_CONTEXT:
                raise ConfigurationError(f"{name} is 0 to {_MAX_CONTEXT} lines, not {lines}")
        return before, after

    def _pattern(self, pattern: str | None) -> re.Pattern[str]:
        if self.extended_regexp and self.fixed_strings:
            raise ConfigurationError("-E and -F are two kinds of pattern: leave one of them out")
        sources = list(self.regexp or ([] if pattern is None else [pattern]))
        if not sources:
            raise ConfigurationError("which pattern? Name one, then OWNER/REPO; or use -e PATTERN")
        flags = re.IGNORECASE if self.ignore_case else 0
        if self.fixed_strings:
            # The longest first: it is what matches where a shorter one is its beginning.
            sources.sort(key=len, reverse=True)
            source = "|".join(map(re.escape, sources))
        else:
            for source in sources:
                compiled(source, flags=flags)
            source = sources[0] if len(sources) == 1 else _any_of(sources)
        if self.word_regexp:
            source = rf"(?<!\w)(?:{_scoped(source)})(?!\w)"
        return compiled(source, flags=flags)


def _any_of(sources: list[str]) -> str:
    """Join expressions into one that matches what any of them does."""
    for source in sources:
        if _REFERENCE.search(source):
            raise ConfigurationError(
                f"{source[:80]!r} refers to one of its groups: use it alone, without another -e"
            )
    return "|".join(map(_scoped, sources))


def _scoped(source: str) -> str:
    """Limit the flags at the start of an expression to it, so that it can be part of another."""
    found = _FLAGS.match(source)
    return f"(?{found[1]}:{source[found.end() :]})" if found else source
