"""Why a step failed: the headline, its kind and its lines, for the tools that people use."""

import re
import time

import pytest
from reason_logs import LOGS
from rule_lines import LINES

from ghjobs_async.logtext import (
    Certainty,
    FailureReason,
    find_reason,
    fingerprint,
    parse_log,
    reason,
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
    found = reason_of(
        "##[group]Run ./it", "\x1b[36;1m./it\x1b[0m", "shell: bash", "##[endgroup]", *lines
    )
    assert found is not None
    assert found.headline.startswith(headline.removeprefix("##[error]").strip())
    assert found.kind == kind
    assert 1 <= len(found.lines) <= 5
    assert found.lines[0].plain.strip() == headline.removeprefix("##[error]").strip()
    numbers = [line.number for line in found.lines[1:]]
    assert numbers == sorted(numbers)


def rule_cases() -> list[tuple[str, str, str]]:
    rows = [row.split(" | ", 2) for row in LINES.strip("\n").replace("⇥", "\t").split("\n")]
    return [(tool, kind, line) for tool, kind, line in rows]


def found_in(tool: str, kind: str, line: str) -> tuple[str, str, str] | None:
    """Return what is found in a step whose only telling line is *line*, and how certain it is."""
    lines = ["9 failing", line] if tool == "numbered" else [line]
    if kind == "cancelled":
        lines = [f"##[error]{line}"]
    got = reason_of(*lines, "##[error]Process completed with exit code 1.")
    return None if got is None else (got.headline, got.kind, got.certainty)


@pytest.mark.parametrize(
    ("at", "tool", "kind", "line"),
    [(at, *case) for at, case in enumerate(rule_cases())],
    ids=[f"{case[0]}-{at}" for at, case in enumerate(rule_cases())],
)
def test_each_rule_is_needed(
    at: int, tool: str, kind: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule finds its line here, and its own example; without it, something else is found."""
    rule = TABLE[at]
    assert (rule.tool, rule.kind) == (tool, kind)
    for text in (line, rule.example):
        assert rule.pattern.match(text.strip())
        assert any(needle in text for needle in rule.needles)
    both = [found_in(tool, kind, text) for text in (line, rule.example)]
    assert all(both)
    for name in TABLES:
        table = getattr(rules, name)
        monkeypatch.setattr(reason, name, tuple(one for one in table if one is not rule))
    for text, found in zip((line, rule.example), both, strict=True):
        assert found_in(tool, kind, text) != found


def test_every_rule_has_its_line() -> None:
    """Whoever adds a rule adds a line, and whoever drops one notices."""
    assert [rule.tool for rule in TABLE] == [tool for tool, _, _ in rule_cases()]


@pytest.mark.parametrize("rule", TABLE, ids=[f"{rule.tool}-{at}" for at, rule in enumerate(TABLE)])
def test_no_rule_is_slow_on_any_line(rule: Rule) -> None:
    """A line made to mislead a rule costs it no more than a millisecond or so."""
    pieces = [
        "a",
        "a ",
        "/",
        "a/",
        "a.",
        "a:",
        "1:1:",
        "[",
        "] ",
        "(",
        " > ",
        "::",
        " - ",
        "error: ",
    ]
    for piece in [*pieces, *rule.needles, rule.example]:
        line = (piece * 1000)[:1000]
        start = time.thread_time()
        rule.pattern.match(line)
        rule.pattern.match(rule.example.strip()[:-1] + line)
        assert time.thread_time() - start < 0.05


def test_a_step_of_misleading_lines_is_read_at_once() -> None:
    """Two thousand long lines that look like failures but say nothing are read within seconds."""
    lines = ["error: 1 failed, at a/b.c:1:1: exited with " + "x:1: " * 180] * 2000
    start = time.thread_time()
    reason_of(*lines, "##[error]Process completed with exit code 1.")
    assert time.thread_time() - start < 4


def test_a_log_that_says_nothing_has_no_reason() -> None:
    """Exit codes, summaries and footers of tools are no reason."""
    assert (
        reason_of("make: *** [all] Error 2", "##[error]Process completed with exit code 2.") is None
    )
    assert reason_of() is None


def test_an_earlier_failure_was_tolerated() -> None:
    """Of two tools, the one that spoke last counts; of its records, the first."""
    found = reason_of(
        "--- FAIL: TestOld (0.00s)",
        "src/sum.c:4:1: error: one",
        "src/sum.c:9:1: error: two",
        "##[error]Process completed with exit code 2.",
    )
    assert found is not None
    assert found.headline == "src/sum.c:4:1: error: one"
    assert "src/sum.c:9:1: error: two" in [line.text for line in found.lines]


def test_what_wrappers_put_in_front_is_passed_over() -> None:
    """Names of services and packages, times and step numbers do not hide a record."""
    for lead in ("#12 3.4 ", "web-1  | ", "[junit] ", "[pkg]: ", "12:00:01.5 ", "web:build: "):
        found = reason_of(f"{lead}--- FAIL: TestSum (0.00s)", "##[error]exit code 1")
        assert found is not None
        assert (found.kind, found.certainty) == ("test", Certainty.CERTAIN)


def test_the_echoed_script_is_no_failure() -> None:
    """What the runner echoes of the script is not what the script wrote."""
    found = reason_of(
        "##[group]Run test",
        "echo 'E: Unable to locate package x'",
        "shell: bash",
        "##[endgroup]",
        "price is wrong",
        "##[error]Process completed with exit code 1.",
    )
    assert found is not None
    assert (found.headline, found.certainty) == ("price is wrong", Certainty.UNKNOWN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/home/a/x.c:3:1: error: bad", "/src/x.c:77:9: error: bad"),
        ("Timeout after 30 s at 12:00:01", "Timeout after 31 s at 13:10:59"),
        ("pull https://a.example/x?sig=1 failed", "pull https://b.example/y failed"),
        ("commit 0a1b2c3d4e is gone", "commit ffee00112233 is gone"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174000"),
    ],
)
def test_equal_failures_have_equal_fingerprints(one: str, other: str) -> None:
    """Numbers, folders, times, addresses and ids differ from run to run."""
    assert fingerprint(one) == fingerprint(other)


def test_other_failures_have_other_fingerprints() -> None:
    """Digits within words stay, as they name the failure."""
    texts = [
        "error TS2345: x",
        "error TS2322: x",
        "error CS1929: x",
        "x64 is missing",
        "x86 is missing",
    ]
    assert len({fingerprint(text) for text in texts}) == len(texts)
