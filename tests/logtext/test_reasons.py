"""Why a step failed: the headline, its kind and its lines, for the tools that people use."""

import re

import pytest
from reason_logs import LOGS

from ghjobs_async.logtext import (
    FailureReason,
    find_reason,
    parse_log,
    rules,
)
from ghjobs_async.logtext.rules import Rule

TABLES = ("STOPPED", "RECORDS", "BLOCKS", "CAUSES", "EXCEPTIONS")
TABLE: list[Rule] = [rule for name in TABLES for rule in getattr(rules, name)]


def reason_of(*lines: str) -> FailureReason | None:
    log = "".join(f"2026-03-01T12:00:00.0000000Z {line}\n" for line in lines)
    return find_reason(list(parse_log([log.encode()])))


def cases() -> list[tuple[str, str, str, list[str]]]:
    found = []
    for part in re.split(r"(?m)^=== (?=[\w ]+: \w+$)", LOGS)[1:]:
        head, *lines = part.rstrip("\n").split("\n")
        family, _, kind = head.rpartition(": ")
        (headline,) = [line[4:] for line in lines if line.startswith(">>> ")]
        found.append((family, kind, headline, [line.removeprefix(">>> ") for line in lines]))
    return found


@pytest.mark.parametrize(
    ("family", "kind", "headline", "lines"), cases(), ids=[c[0] for c in cases()]
)
def test_the_reason_of_each_family(family: str, kind: str, headline: str, lines: list[str]) -> None:
    """The headline is the line that a person would quote, and its kind what a person would say."""
    reason = reason_of(
        "##[group]Run ./it", "\x1b[36;1m./it\x1b[0m", "shell: bash", "##[endgroup]", *lines
    )
    assert reason is not None
    assert reason.headline.startswith(headline.removeprefix("##[error]").strip())
    assert reason.kind == kind
    assert 1 <= len(reason.lines) <= 5
    assert reason.lines[0].plain.strip() == headline.removeprefix("##[error]").strip()
    numbers = [line.number for line in reason.lines[1:]]
    assert numbers == sorted(numbers)
