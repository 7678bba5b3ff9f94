"""``ghjobs grep``."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from async_tools import FakeClock
from rich.console import Console

from ghjobs_async.testing import FakeGitHub, FakeJob, faults

REPO = "octo-org/octo-repo"
STAMP = b"2026-11-21T16:37:39.0005085Z "
LOG = b"".join(
    STAMP + line + b"\n"
    for line in (
        b"one",
        b"two \x1b[31mMatch\x1b[0m here",
        b"three",
        b"four",
        b"five",
        b"##[error]a match",
    )
)


@pytest.fixture
def job(fake: FakeGitHub) -> FakeJob:
    run = fake.add_run(REPO, jobs=2)
    for one in run.jobs:
        fake.set_log(one.id, b"")
    fake.set_log(run.jobs[0].id, LOG)
    return run.jobs[0]


@pytest.fixture
def place(job: FakeJob, fake: FakeGitHub) -> str:
    web = fake.base_url.removesuffix("/api/v3")
    return f"{web}/{REPO}/actions/runs/{job.run.id}/job/{job.id}"


def test_hits_are_lines_with_address_and_number(ghjobs: Any, place: str) -> None:
    """A hit is the job's address, the line's number and its text as it is shown; status 0."""
    ran = ghjobs("grep", "Match", REPO)
    assert ran.status == 0
    assert ran.out == f"{place}:2:two Match here\n"


def test_nothing_found(ghjobs: Any, place: str) -> None:
    """Without a hit the status is 1, as grep's, and nothing is printed."""
    ran = ghjobs("grep", "nowhere", REPO)
    assert (ran.status, ran.out, ran.err) == (1, "", "")


def test_ignoring_case_with_context(ghjobs: Any, place: str) -> None:
    """``-i`` and ``-C`` are grep's; a line shown once is not shown again, gaps have two dashes."""
    ran = ghjobs("grep", "-i", "match", REPO, "-C", 1)
    assert ran.out.splitlines() == [
        f"{place}-1-one",
        f"{place}:2:two Match here",
        f"{place}-3-three",
        "--",
        f"{place}-5-five",
        f"{place}:6:a match",
    ]
    wide = ghjobs("grep", "-i", "match", REPO, "-C", 3).out.splitlines()
    assert [line.removeprefix(place)[:3] for line in wide] == [
        "-1-",
        ":2:",
        "-3-",
        "-4-",
        "-5-",
        ":6:",
    ]


@pytest.mark.usefixtures("job")
def test_quiet_is_greps(ghjobs: Any) -> None:
    """``-q`` prints nothing and tells by its status; ``-n`` is taken, and changes nothing."""
    ran = ghjobs("grep", "-q", "Match", REPO)
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert ghjobs("grep", "-q", "nowhere", REPO).status == 1
    assert ghjobs("grep", "-q", "Match", REPO, "no-such/repository").status == 0
    missing = ghjobs("grep", "Match", "no-such/repository")
    assert (missing.status, missing.err.count("\n")) == (2, 1)
    assert ghjobs("grep", "-n", "Match", REPO).out == ghjobs("grep", "Match", REPO).out


def test_hits_near_each_other(ghjobs: Any, place: str) -> None:
    """A hit within another one's context stands in its place, once, and as a hit."""
    out = ghjobs("grep", "two|three|five", REPO, "-C", 2).out.splitlines()
    assert [line.removeprefix(place)[:3] for line in out] == [
        *("-1-", ":2:", ":3:", "-4-", ":5:", "-6-")
    ]


@pytest.mark.parametrize(("option", "said"), [("-l", ""), ("-c", ":2")])
def test_less_is_printed_if_asked(ghjobs: Any, place: str, option: str, said: str) -> None:
    """``-l`` prints each job with hits once, ``-c`` how many."""
    assert ghjobs("grep", option, "[mM]atch", REPO).out == f"{place}{said}\n"


def test_a_text_is_no_expression(ghjobs: Any, place: str) -> None:
    """``-F`` takes the pattern as it is written."""
    assert ghjobs("grep", "-F", "m.tch", REPO).status == 1


def test_hits_as_json(ghjobs: Any, place: str, job: FakeJob) -> None:
    """``--json`` prints one object for each hit, with everything to find it again."""
    ran = ghjobs("grep", "Match", REPO, "--json", "-C", 1)
    hit = json.loads(ran.out)
    assert (hit["repository"], hit["job_id"], hit["line"]) == (REPO, job.id, 2)
    assert (hit["text"], hit["match"], hit["url"]) == ("two Match here", "Match", place)
    assert (hit["before"], hit["after"]) == (["one"], ["three"])


@pytest.mark.parametrize("named", ["number", "address"])
def test_runs_by_name(ghjobs: Any, fake: FakeGitHub, place: str, job: FakeJob, named: str) -> None:
    """``--runs`` searches these runs and no others, without a search for runs."""
    fake.add_run(REPO)
    web = fake.base_url.removesuffix("/api/v3")
    address = f"{web}/{REPO}/actions/runs/{job.run.id}"
    argv = [REPO, "--runs", job.run.id] if named == "number" else ["--runs", address]
    assert ghjobs("grep", "Match", *argv).out.startswith(place)
    assert {asked.operation for asked in fake.requests} == {"jobs", "log", "storage"}


def test_a_log_that_cannot_be_read(ghjobs: Any, fake: FakeGitHub, place: str, job: FakeJob) -> None:
    """Hits come all the same; the log is told on stderr, and the status is 2, as grep's."""
    other = job.run.jobs[1]
    fake.set_log(other.id, state="expired")
    ran = ghjobs("grep", "Match", REPO)
    assert ran.status == 2
    assert ran.out.startswith(place)
    assert str(other.id) in ran.err
    assert ghjobs("grep", "Match", "octo-org/nope").status == 2


def test_hits_on_a_terminal(ghjobs: Any, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, each job has a heading with its address, and matches are coloured."""
    monkeypatch.setattr(
        "ghjobs_async.cli.output.hits.is_terminal", lambda stream: stream is sys.stdout
    )
    monkeypatch.setattr("ghjobs_async.cli.output.hits.colours", lambda stream: True)
    out = ghjobs("grep", "-i", "match", REPO).out.splitlines()
    assert place in out[0]
    assert out[1] == "\x1b[32m2\x1b[0m:two \x1b[1;31mMatch\x1b[0m here"
    assert out[2] == "\x1b[32m6\x1b[0m:a \x1b[1;31mmatch\x1b[0m"


def test_hits_stand_above_the_progress(
    ghjobs: Any, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where hits and progress are on one terminal, hits stand whole above it, however long."""
    monkeypatch.setattr("ghjobs_async.cli.output.progress._DELAY", 0)
    screen = io.StringIO()
    monkeypatch.setattr("ghjobs_async.cli.output.progress.is_terminal", lambda stream: True)
    monkeypatch.setattr(
        "ghjobs_async.cli.output.progress.console",
        lambda stream: Console(file=screen, force_terminal=True, width=60),
    )
    monkeypatch.setattr("ghjobs_async.cli.output.progress.one_terminal", lambda: True)
    ran = ghjobs("grep", "Match", REPO)
    assert (ran.status, ran.out) == (0, "")
    hit = f"{place}:2:two Match here\n"
    assert hit in screen.getvalue()
    assert "logs" in screen.getvalue().partition(hit)[2]


@pytest.mark.usefixtures("job")
def test_nothing_searched_is_not_nothing_found(ghjobs: Any, fake: FakeGitHub) -> None:
    """Where no run was searched the status is 2, also with ``-q``; ``--allow-empty`` makes it 1."""
    fake.repo("octo-org/quiet")
    for argv in (["-b", "nope", REPO], ["octo-org/quiet"]):
        ran = ghjobs("grep", "Match", *argv, "-q")
        assert (ran.status, ran.err.count("\n")) == (2, 1)
        assert "no run was found" in ran.err
        ran = ghjobs("grep", "Match", *argv, "--allow-empty")
        assert (ran.status, ran.out, ran.err) == (1, "", "")
    assert "--branch nope" in ghjobs("grep", "Match", "-b", "nope", REPO).err


def test_hits_hide_nothing(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Concealed text is shown in hits and in their context."""
    fake.set_log(job.id, STAMP + b"\x1b[8mbefore\n" + STAMP + b"a \x1b[8mmatch \x1b[30;40mhere\n")
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    out = ghjobs("grep", "match", REPO, "-C", 1).out
    assert out.splitlines()[1:] == [
        "\x1b[32m1\x1b[0m-before",
        "\x1b[32m2\x1b[0m:a \x1b[1;31mmatch\x1b[0m here",
    ]


def test_jobs_on_a_terminal_have_names(
    ghjobs: Any, job: FakeJob, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts and lists of jobs say which job it is; the address of a count has its own line."""
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    page = f"{fake.base_url.removesuffix('/api/v3')}/{REPO}/actions/runs/{job.run.id}/job/{job.id}"
    ran = ghjobs("grep", "-c", "-i", "match", REPO)
    assert ran.out.splitlines() == ["build (1):2", page]
    assert ghjobs("grep", "-l", "-i", "match", REPO).out == f"build (1)  {page}\n"


@pytest.mark.parametrize("quiet", [False, True])
def test_a_search_reports_its_waits(
    ghjobs: Any, fake: FakeGitHub, place: str, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    """A search that is told to wait reports that on stderr, in a line, unless it is quiet."""
    monkeypatch.setattr("ghjobs_async.client.Clock", lambda: FakeClock().clock)
    fake.fail("jobs", faults.secondary_limit(retry_after=60))
    ran = ghjobs("grep", "Match", REPO, *(["-q"] if quiet else []))
    assert ran.status == 0
    assert ran.err.count("\n") == (0 if quiet else 1)
    assert quiet or "secondary rate limit" in ran.err
