"""``ghjobs runs``."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aioresponses import aioresponses

from ghjobs_async.cli.target import RunsOf, Targets
from ghjobs_async.display import clean
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.testing import FakeGitHub, faults, scenario

REPO = "octo-org/octo-repo"
COM = "https://api.github.com"


@pytest.fixture(autouse=True)
def _runs(fake: FakeGitHub) -> None:
    fake.add_run(REPO, workflow="Release", event="push", head_sha="a" * 40)
    fake.add_run(REPO, jobs=[scenario.failing()], branch="topic", head_sha="b" * 40)
    fake.add_run(
        REPO,
        jobs=[scenario.queued("later")],
        head_sha="b" * 40,
        overrides={"display_title": "\x1b[2JA\ttitle", "conclusion": "failure"},
    )


def test_runs_are_lines_with_tabs(ghjobs: Any, fake: FakeGitHub) -> None:
    """In a pipe each run is a line of nine columns, the newest run first."""
    ran = ghjobs("runs", REPO)
    assert (ran.status, ran.err) == (0, "")
    assert [len(row) for row in ran.rows] == [9, 9, 9]
    newest, failed, oldest = ran.rows
    assert newest[:2] == ["queued", "A title"]
    assert failed[0] == "failure"
    assert failed[3] == "topic"
    run = fake.runs[0]
    web = fake.base_url.removesuffix("/api/v3")
    assert oldest[2:6] == ["Release", "main", "push", str(run.id)]
    assert re.fullmatch(r"\d+m\d\ds", oldest[6])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", oldest[7])
    assert oldest[8] == f"{web}/{REPO}/actions/runs/{run.id}"


def test_what_runs_again_shows_its_status(ghjobs: Any) -> None:
    """A conclusion left over from before is not shown while a run is queued again."""
    assert ghjobs("runs", REPO).rows[0][0] == "queued"


def test_a_limit_costs_one_request(ghjobs: Any, fake: FakeGitHub) -> None:
    """``--limit`` gives the newest runs, and asks for one page only."""
    for _ in range(250):
        fake.add_run(REPO)
    fake.requests.clear()
    ran = ghjobs("runs", REPO, "--limit", 5)
    assert [row[5] for row in ran.rows] == [str(run.id) for run in reversed(fake.runs[-5:])]
    assert len(fake.requests) == 1
    assert len(ghjobs("runs", REPO).rows) == 20


def test_a_limit_may_be_more_than_a_page(ghjobs: Any, fake: FakeGitHub) -> None:
    """More runs than a page holds are listed as well, and no more than there are."""
    for _ in range(150):
        fake.add_run(REPO)
    assert len(ghjobs("runs", REPO, "-L", 120).rows) == 120
    assert len(ghjobs("runs", REPO, "-L", 1000).rows) == 153


@pytest.mark.parametrize(
    ("option", "count"),
    [(("-b", "topic"), 1), (("-s", "failure"), 1), (("-e", "push"), 3), (("--actor", "no"), 0)],
)
def test_runs_are_filtered(ghjobs: Any, option: tuple[str, ...], count: int) -> None:
    """The filters are GitHub's own; a search without a result is an empty list."""
    ran = ghjobs("runs", REPO, *option)
    assert (ran.status, len(ran.rows)) == (0, count)


def test_the_runs_of_a_pull_request(ghjobs: Any, fake: FakeGitHub) -> None:
    """Of a pull request's address, the runs of its head commit are listed."""
    web = fake.base_url.removesuffix("/api/v3")
    with aioresponses(passthrough=[f"{fake.base_url}/repos/{REPO}/actions"]) as mock:
        mock.get(
            f"{fake.base_url}/repos/{REPO}/pulls/7",
            payload={"number": 7, "head": {"sha": "b" * 40, "ref": "topic"}},
        )
        ran = ghjobs("runs", f"{web}/{REPO}/pull/7/files")
    assert ran.status == 0
    assert [row[5] for row in ran.rows] == [str(run.id) for run in reversed(fake.runs[1:])]


def test_a_pull_request_that_does_not_exist(ghjobs: Any, fake: FakeGitHub) -> None:
    """An unknown pull request is an error in one line, with status 1."""
    ran = ghjobs("runs", f"{fake.base_url.removesuffix('/api/v3')}/{REPO}/pull/8")
    assert (ran.status, ran.out) == (1, "")
    assert "pulls/8: 404" in ran.err


def test_an_incomplete_list_of_runs_says_so(ghjobs: Any, fake: FakeGitHub) -> None:
    """A run that cannot be decoded is missing: one line says so, and the status is 3."""
    fake.runs[0].overrides["id"] = None
    ran = ghjobs("runs", REPO)
    assert (ran.status, len(ran.rows)) == (3, 2)
    assert ran.err == "ghjobs: incomplete: 1 run could not be decoded\n"


def test_a_list_that_came_short_says_so(ghjobs: Any, fake: FakeGitHub) -> None:
    """Where fewer runs come than GitHub counts, one line says how many, and the status is 3."""
    fake.fail("runs", faults.shifting_list("short"), times=None)
    ran = ghjobs("runs", REPO)
    assert (ran.status, len(ran.rows)) == (3, 2)
    assert "3 runs expected, 2 got" in ran.err


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_the_table_of_runs(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """At any width no line is too long, the numbers are whole, and no control comes through."""
    long = "字" * 30 + "a very long title, longer than any terminal" * 4
    fake.add_run(REPO, branch="b" * 200, overrides={"display_title": long, "name": "n" * 200})
    monkeypatch.setenv("GH_FORCE_TTY", str(columns))
    out = ghjobs("runs", REPO).out
    assert "\x1b[2J" not in out
    lines = [clean(line) for line in out.splitlines()]
    assert max(len(line) for line in lines) <= columns
    for run in fake.runs:
        assert any(line.rstrip().endswith(str(run.id)) for line in lines)
    assert lines[-1] == f"{REPO}: 4 runs"


@pytest.mark.parametrize(
    ("text", "repo", "expected"),
    [
        ("o/r", None, RunsOf("o/r")),
        (None, "o/r", RunsOf("o/r")),
        ("o/r", "O/R", RunsOf("o/r")),
        ("github.com/o/r", None, RunsOf("o/r")),
        ("www.github.com/o/r/", None, RunsOf("o/r")),
        ("https://github.com/o/r.git", None, RunsOf("o/r")),
        ("https://github.com/o/r/pull/5", None, RunsOf("o/r", 5)),
        ("https://github.com/o/r/pull/5/checks?check_run_id=1", "o/r", RunsOf("o/r", 5)),
        ("github.com/o/r/pull/5/files", None, RunsOf("o/r", 5)),
        ("https://api.github.com/repos/o/r/pulls/5", None, RunsOf("o/r", 5)),
    ],
)
def test_what_has_runs(text: str | None, repo: str | None, expected: RunsOf) -> None:
    """A repository is named in any form; a pull request by its address, with a scheme or not."""
    target = Targets().runs(text, repo)
    assert (target.root, target.ref) == (COM, expected)


@pytest.mark.parametrize(
    ("text", "repo"),
    [
        (None, None),
        ("o/r", "a/b"),
        ("https://github.com/o/r/pull/5", "a/b"),
        ("https://github.com/o/r/pull/0", None),
        ("https://github.com/o/../pull/1", None),
        ("https://github.com/o/r/issues/5", None),
        ("https://github.com:x/o/r/pull/5", None),
        ("o", None),
    ],
)
def test_what_has_no_runs(text: str | None, repo: str | None) -> None:
    """Anything else is refused before a request."""
    with pytest.raises(ConfigurationError):
        Targets().runs(text, repo)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--limit", "0"), "--limit is 1 or more"),
        (("--since", "yesterday"), "a time reads"),
        (("--json", "nme"), "no field nme; there are: id, name"),
    ],
)
def test_wrong_options_ask_nothing(
    ghjobs: Any, fake: FakeGitHub, argv: tuple[str, ...], said: str
) -> None:
    """A wrong option is a usage error before any request."""
    ran = ghjobs("runs", REPO, *argv)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not fake.requests
