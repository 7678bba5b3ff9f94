"""The flags of ``ghjobs grep`` that are GNU grep's, and their combinations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ghjobs_async.testing import FakeGitHub, FakeJob, faults

REPO = "octo-org/octo-repo"
STAMP = "2026-11-21T16:37:39.0005085Z "


def log(*lines: str) -> bytes:
    return "".join(f"{STAMP}{line}\n" for line in lines).encode()


@pytest.fixture
def job(fake: FakeGitHub) -> FakeJob:
    job = fake.add_run(REPO).jobs[0]
    fake.set_log(job.id, log("one", "two x", "three", "x four \x1b[31mx\x1b[0m", "five", "x six"))
    return job


@pytest.fixture
def place(job: FakeJob, fake: FakeGitHub) -> str:
    web = fake.base_url.removesuffix("/api/v3")
    return f"{web}/{REPO}/actions/runs/{job.run.id}/job/{job.id}"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("-A1 x", ":2:two x|-3-three|:4:x four x|-5-five|:6:x six"),
        ("-A1 two", ":2:two x|-3-three"),
        ("-B1 x", "-1-one|:2:two x|-3-three|:4:x four x|-5-five|:6:x six"),
        ("-B1 six", "-5-five|:6:x six"),
        ("-C1 -B0 four", ":4:x four x|-5-five"),
        ("-C1 -A2 three", "-2-two x|:3:three|-4-x four x|-5-five"),
        ("-A0 -B0 -C3 five", ":5:five"),
        ("-A1 one|six", ":1:one|-2-two x|--|:6:x six"),
        ("-v x", ":1:one|:3:three|:5:five"),
        ("-v -A1 x", ":1:one|-2-two x|:3:three|-4-x four x|:5:five|-6-x six"),
        ("-vc x", ":3"),
        ("-vl x", ""),
        ("-o x", ":2:x|:4:x|:4:x|:6:x|:6:x"),
        ("-o t[a-z]+", ":2:two|:3:three"),
        ("-oc x", ":3"),
        ("-ol x", ""),
        ("-m1 x", ":2:two x"),
        ("-m2 x", ":2:two x|:4:x four x"),
        ("-m1 -A2 x", ":2:two x|-3-three|-4-x four x"),
        ("-m2 -A1 x", ":2:two x|-3-three|:4:x four x|-5-five"),
        ("-m1 -vB1 x", ":1:one"),
        ("-m1 -vA2 x", ":1:one|-2-two x|-3-three"),
        ("-m2 -c x", ":2"),
        ("-m2 -l x", ""),
        ("-m2 -o x", ":2:x|:4:x|:4:x"),
        ("-EnH x{1}", ":2:two x|:4:x four x|:6:x six"),
        ("-m9 -e six -e one", ":1:one|:6:x six"),
        ("-e (t)wo -e (?i)SIX -e ^f", ":2:two x|:5:five|:6:x six"),
        ("-F -e . -e six -e si -o", ":6:six"),
        ("-i -e TWO -e SIX", ":2:two x|:6:x six"),
        ("--regexp=-x -e five", ":5:five"),
        ("-w two", ":2:two x"),
        ("-w t.*e", ":3:three"),
        ("-w f...|ONE", ":4:x four x|:5:five"),
        ("-wo (?i)F...|ONE", ":1:one|:4:four|:5:five"),
        ("-wi -e ON -e (s)ix", ":6:x six"),
        ("-wF x", ":2:two x|:4:x four x|:6:x six"),
        ("-wv x", ":1:one|:3:three|:5:five"),
    ],
)
def test_flags_are_greps(ghjobs: Any, place: str, argv: str, expected: str) -> None:
    """What is printed is what GNU grep prints with these flags, with an address for the file."""
    ran = ghjobs("grep", *argv.split(" "), REPO)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        line if line == "--" else f"{place}{line}" for line in expected.split("|")
    ]


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        ("-ov x", 0),
        ("-w tw", 1),
        ("-o z*", 0),
        ("-v .", 1),
        ("-q -v x", 0),
        ("-m1 nope", 1),
        ("-e -x", 1),
    ],
)
@pytest.mark.usefixtures("job")
def test_flags_that_print_nothing(ghjobs: Any, argv: str, status: int) -> None:
    """Where nothing is to print, the status is still grep's: 0 for a line found, else 1."""
    ran = ghjobs("grep", *argv.split(" "), REPO)
    assert (ran.status, ran.out, ran.err) == (status, "", "")


def test_hits_are_counted_per_job(ghjobs: Any, fake: FakeGitHub) -> None:
    """``-m`` limits the hits of each job, not of all together; groups of lines are separated."""
    for one in fake.add_run(REPO, jobs=2).jobs:
        fake.set_log(one.id, log("x", "x", "x"))
    assert len(ghjobs("grep", "-m2", "x", REPO).out.splitlines()) == 4
    assert ghjobs("grep", "-m1", "-A1", "x", REPO).out.splitlines()[2] == "--"


@pytest.mark.parametrize("flag", ["-l", "-m1", "-q"])
def test_a_log_is_read_no_further_than_needed(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, flag: str
) -> None:
    """Once the last hit is found, the rest of the log is not read: here it never comes."""
    fake.set_log(job.id, log("x") + log("y" * 100) * 100_000)
    fake.fail("storage", faults.break_body(after=1_000_000), times=None)
    ran = ghjobs("grep", flag, "x", REPO)
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.usefixtures("job")
def test_an_inverted_hit_as_json(ghjobs: Any) -> None:
    """``-v --json`` has no match, the other keys are the same."""
    first = json.loads(ghjobs("grep", "-v", "x", REPO, "--json", "-m1", "-A1").out)
    assert (first["line"], first["text"], first["match"]) == (1, "one", None)
    assert (first["before"], first["after"]) == ([], ["two x"])


def test_with_e_every_word_is_a_repository(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``-e`` no word is a pattern: all are repositories, or GH_REPO is where there is none."""
    other = fake.add_run("octo-org/other").jobs[0]
    fake.set_log(other.id, log("two"))
    both = ghjobs("grep", "-l", "-e", "two", REPO, "octo-org/other").out.splitlines()
    assert sorted(line.rpartition("/")[2] for line in both) == sorted([str(job.id), str(other.id)])
    monkeypatch.setenv("GH_REPO", "octo-org/other")
    assert ghjobs("grep", "-c", "-e", "two").out.endswith(f"/{other.id}:1\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "which pattern"),
        (("-e",), "-e"),
        (("-e", "x"), "which repository"),
        (("-e", "x", "-e", "(", REPO), "no regular expression: '('"),
        (("-e", "x", "-e", r"(a)\1", REPO), "without another -e"),
        (("-e", "(?P<n>a)", "-e", "(?P<n>b)", REPO), "no regular expression"),
        (("x", REPO, "-E", "-F"), "-E and -F"),
        (("x", REPO, "-m", "0"), "--max-count is 1 or more"),
        (("x", REPO, "-m", "-1"), "--max-count is 1 or more"),
        (("x", REPO, "-A", "1001"), "--after-context is 0 to 1000"),
        (("x", REPO, "-B", "-1"), "--before-context is 0 to 1000"),
        (("x", REPO, "-o", "-C", "1"), "-o prints matches alone"),
        (("x", REPO, "-o", "--json"), "leave out -o"),
    ],
)
def test_flags_that_cannot_be(
    ghjobs: Any, fake: FakeGitHub, argv: tuple[str, ...], said: str
) -> None:
    """Flags that contradict each other are a usage error in one line, before any request."""
    ran = ghjobs("grep", *argv)
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert said in ran.err
    assert not fake.requests


def test_s_keeps_logs_that_cannot_be_read_quiet(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub
) -> None:
    """``-s`` drops the messages about them; the status stays 2, as grep's."""
    gone = fake.add_run(REPO).jobs[0]
    fake.set_log(gone.id, state="expired")
    loud, silent = ghjobs("grep", "two", REPO), ghjobs("grep", "-s", "two", REPO)
    assert f"log {gone.id}: " in loud.err
    assert (silent.status, silent.out, silent.err) == (loud.status, loud.out, "")
    assert silent.status == 2
    fake.fail("jobs", faults.bad_credentials())
    assert ghjobs("grep", "-s", "two", REPO).err.count("\n") == 1


def test_event_has_no_short_name(ghjobs: Any, job: FakeJob, fake: FakeGitHub) -> None:
    """``--event`` filters the runs; ``-e`` is the pattern's."""
    assert ghjobs("grep", "two", REPO, "--event", "push").status == 0
    (runs,) = [asked for asked in fake.requests if asked.operation == "runs"]
    assert runs.query["event"] == "push"
