"""What lines say nothing, and which begin like an error, whoever wrote them."""

# ruff: noqa: FLY002, RUF001, SIM905 -- a table with a row a line; tools write signs of all kinds

from __future__ import annotations

import re
from typing import Final

# What a line that says nothing contains, in lower case.
_EMPTY_PHRASES: Final = tuple(
    (
        "exited with|exit with code|following error occurred|failed with exit|failed with code|exit code|: exit status|exit status: |non-zero exit|"
        "a non-zero|non-zero status|non-zero code|did not complete successfully|"
        "calledprocesserror|elifecycle|err_pnpm_recursive|build failed|build failure|"
        "test failed. |test failed, to rerun|build did not complete|could not compile|"
        "aborting due to|ld returned|linker command failed|use -v to see|re-run maven|"
        "issues found|this is a script/workflow error|has been deprecated|script called |"
        "too many retries|executing the custom container|see above|see the above|see the log|"
        "see the output|being treated as error|following build commands failed|"
        "before trying again|please visit|for more details|debug.log|debug-0.log"
    ).split("|")
)

# How a line that says nothing begins, in lower case and without marks such as "Error:".
_EMPTY: Final = re.compile(
    "|".join(
        (
            r"exit(?:ing|ed)? |returned? \d|status:? \d+$|errno\b|(?:g?make|ninja)(?:\[\d+\])?: (?!\*\*\* no rule|.*not found)",
            r"npm (?:err!|error)\s*(?:errno|syscall|path|command|node v|npm v|cwd|argv|signal|code \w+$|exit|failed at|this is|a complete|for a full|test failed|lifecycle|workspace|location|in workspace|at |if you|\S+@\S+ \w|/|[a-z]:|enoent this|enoent\s*$|fix the|this command|to accept|node_modules|while resolving|$)",
            r"(?:there (?:are|were|was) )?(?:some |the following |\d+ )?(?:failing tests?|test failures?|tests? (?:run )?failed|tests? failures?)\b(?!.* - )",
            r"(?:the )?(?:build|compilation|linting|lint|check|checks|tests?|test run|action|job|step|task|command|script|process|operation) (?:has |have )?fail(?:ed|ure|s)?\W*$",
            r'(?:command|process|script) failed|collect2|tests? failed|script "|commands? "',
            r"for more |(?:get )?more (?:help|info)|help \d\]|after correcting|please refer|mvn <|to see the full",
            r"failed to execute goal.*(?:failures|failed)|execution failed for task|task \S+ failed$|try:?$|run with|there were failing|process '|a problem occurred configuring|what went wrong|a failure occurred",
            r"\d+ (?:of \d+ )?(?:\w+ )?(?:errors?|problems?|failed|failing|failures?|warnings?|issues?|passed|passing|pending|tests?|vulnerabilit|file)|found \d+ |test(?:s| suites?| files)?:? +\d|failed tests?:? *\d*$|failed:? *\(?(?:errors|failures|\d+\W*$)|(?:errors?|failures?)\W*\d*$|fail(?:ed)?\W*$",
            r"[^:]*=+.*\d+ (?:failed|passed|error)|ran \d+ tests|tests run:|interrupted: \d+ error|test result:|retrying|giving up|waiting \d+",
            r"node \d+ |info visit|visit https?:|lerna err! |nx run",
            r"stack ?trace|traceback|call stack|during handling|the above exception|note:|help:|hint:|for help|caused by:?$|to rerun|use --|try |if you |you can\s",
            r"file .*(?:line \d+|:\d+:\d+)|at [\w$.<(@]|\d+: +0x|frame \#",
            r"line \|$|coverage\b|total time|finished |elapsed|duration|done\b|cleaning up|killing|stopping|uploading|upload |post job|publishing|shutting down",
            r"undefined$|null$|none$|error\W*$|https?://\S+$|[^\w]*$|[\w./ %-]*\|[^|]*\|[^|]*\|",
        )
    )
)
_LEAD: Final = re.compile(r"\W*(?:(?:error|fatal|failure|failed|err)\b\W+)?")

#: A line that begins as an error, by anybody; the last one in the step counts.
MARK: Final = re.compile(
    r"(?:\W{0,4}\b(?i:error|fatal|err!|failed|failure|fail|critical|exception|panic|abort(?:ed|ing)?)\b[^\w\s]{0,3}(?:\s|$)"
    r"|[✖❌✗✘×⨯⛔🚨]|[^\s:]{1,80}: (?i:fatal|error|failed)\b|E: |npm (?:ERR!|error) "
    r"|[\w./-]{1,60}(?:\[\d+\])?: .*(?i:\berror\b|failed|cannot|unable|invalid|unrecognized|unknown|missing))"
)

#: Words of lines that tell of a failure, wherever they stand.
WORDS: Final = re.compile(
    r"(?i:\berrors?\b|\bfail(?:ed|ure|s|ing)?\b|\bfatal\b|exception\b|\bcannot\b|\bcan't\b|could(?: not|n't)|unable to|not found"
    r"|\bdenied\b|refus(?:ed|ing)|\binvalid\b|\bmissing\b|unexpected|\bundefined\b|mismatch|conflict|\babort|\bunknown\b|unsupported"
    r"|not (?:allowed|supported|available|defined|valid|permitted|up[ -]to[ -]date)|\bmust\b|\brequired?s?\b|out of date|too many|exceeds?\b)"
)

#: Lines of a lower level, code frames and differences: they count as records only.
MUTED: Final = re.compile(
    r"(?i:\W{0,3}(?:info|debug|trace|verbose|warn(?:ing)?|notice|note|hint|deprecat\w+|skip(?:ped|ping)?|pass(?:ed)?|ok|success\w*)\b(?:\W|$))"
    r"|[+-](?!-- FAIL)(?:[\s\w\"'{}()<]|$)|>? *\d+ *[|│]|[|│>] |\s*[|^~]+|(?i:.*\b(?:warning|PASSED|DEBUG|INFO)\b)|.*(?:\b0 (?:errors?|fail)|\bno errors?\b)|level=(?:info|warn)"
)


def says_nothing(text: str) -> bool:
    """Return whether a line is of the kind that names no cause, such as an exit code."""
    low = text.lower()
    if any(phrase in low for phrase in _EMPTY_PHRASES):
        return True
    lead = _LEAD.match(low)
    return _EMPTY.match(low, lead.end() if lead else 0) is not None
