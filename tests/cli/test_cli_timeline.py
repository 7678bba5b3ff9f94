"""``ghjobs timeline``: text for people, files for browsers and Perfetto."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import attrs
import pytest
from rich.console import Console
from timelines import HOSTILE, START, forty_jobs, job, many_jobs, odd_jobs, skipped, three_jobs

from ghjobs_async import Job
from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch, Listing
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.gantt.chart import chart
from ghjobs_async.cli.output.timeline import draw_timeline
from ghjobs_async.testing import FakeGitHub, scenario

REPO = "octo-org/octo-repo"
JOBS = [scenario.failing("test"), scenario.skipped("deploy")]


def _fifty_attempts() -> list[Job]:
    return [job(n, f"job {n}", created=n * 9e3, run_attempt=n) for n in range(1, 51)]


def drawn(jobs: list[Job], width: int) -> list[str]:
    """Return the lines of the text for a terminal of that width."""
    file = io.StringIO()
    draw_timeline(Console(file=file, width=width, markup=False, highlight=False), chart(jobs))
    return file.getvalue().splitlines()


# What is written.


@pytest.mark.parametrize(
    ("name", "begins"),
    [("run.svg", "<svg "), ("run.html", "<!DOCTYPE html>"), ("RUN.SVG", "<svg ")],
)
def test_a_file_of_each_kind(
    ghjobs: Any, fake: FakeGitHub, tmp_path: Path, name: str, begins: str
) -> None:
    """The name of the file says what it becomes; stdout stays empty."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed(JOBS))
    ran = ghjobs("timeline", "-R", REPO, run.id, "-o", tmp_path / name)
    assert (ran.status, ran.out) == (0, "")
    written = (tmp_path / name).read_text(encoding="utf-8")
    assert written.startswith(begins)
    assert "attempt 2" in written
    assert str(tmp_path / name) in ran.err


def test_a_trace(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """JSON is a trace with every job once, the re-run ones too."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed(JOBS))
    assert ghjobs("timeline", "-R", REPO, run.id, "-o", tmp_path / "run.json").status == 0
    events = json.loads((tmp_path / "run.json").read_text())["traceEvents"]
    assert [one["name"] for one in events if one.get("cat") == "job"] == ["test", "test"]


def test_one_attempt(ghjobs: Any, fake: FakeGitHub) -> None:
    """``--attempt``, or the address of an attempt, shows only that."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed(JOBS))
    web = fake.base_url.removesuffix("/api/v3")
    for argv in (
        ["-R", REPO, run.id, "--attempt", 1],
        [f"{web}/{REPO}/actions/runs/{run.id}/attempts/1"],
    ):
        ran = ghjobs("timeline", *argv)
        assert ran.status == 0
        assert "attempt 2" not in ran.out
        assert "\u2717 test" in ran.out


def test_a_list_that_is_short(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """What is missing is said, and the rest is drawn: status 3."""
    run = fake.add_run(REPO, jobs=3)
    run.jobs[1].data["name"] = None
    ran = ghjobs("timeline", "-R", REPO, run.id, "-o", tmp_path / "run.svg")
    assert ran.status == 3
    assert "3 jobs expected, 2 got" in ran.err
    assert len([*ET.parse(tmp_path / "run.svg").iter("{http://www.w3.org/2000/svg}a")]) == 2


def test_an_error_leaves_files_as_they_are(ghjobs: Any, tmp_path: Path) -> None:
    """Nothing is written where there is nothing to show, and a file that is there stays."""
    (tmp_path / "old.svg").write_text("old")
    for name in ("old.svg", "new.svg"):
        assert ghjobs("timeline", "-R", REPO, 1, "-o", tmp_path / name).status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["old.svg"]
    assert (tmp_path / "old.svg").read_text() == "old"


# Text.


def test_text_in_a_pipe(ghjobs: Any, fake: FakeGitHub) -> None:
    """Without a file it is text: names, bars, durations, how the path is inferred; no colours."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed(JOBS))
    ran = ghjobs("timeline", "-R", REPO, run.id)
    assert ran.status == 0
    assert "\x1b" not in ran.out
    assert "attempt 1" in ran.out
    assert "attempt 2" in ran.out
    assert re.search(r"critical path: attempt 1 \d+\w+, attempt 2 \d+\w+", ran.out)
    assert "critical path of each attempt" in ran.out
    assert any(line.startswith("\u2713 test") and "\u2588" in line for line in ran.out.splitlines())
    assert "Critical path: inferred" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 120


def test_a_running_job_lasts_until_now(ghjobs: Any, fake: FakeGitHub) -> None:
    """A job that has not ended is drawn until the time of the command."""
    created = datetime.now(UTC) - timedelta(hours=3)
    run = fake.add_run(REPO, jobs=[scenario.in_progress("deploy")], created_at=created)
    line = next(
        one for one in ghjobs("timeline", "-R", REPO, run.id).out.splitlines() if "deploy" in one
    )
    assert re.search(r"(2h59m|3h0\dm)$", line)


def test_text_in_the_width_that_is_asked_for(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe is as wide as COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "60")
    run = fake.add_run(REPO, jobs=3)
    assert max(map(len, ghjobs("timeline", "-R", REPO, run.id).out.splitlines())) == 60


def test_a_terminal_without_such_characters(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the encoding lacks bars, they are drawn in ASCII."""
    run = fake.add_run(REPO, jobs=3)
    monkeypatch.setattr("ghjobs_async.cli.output.timeline.glyph", lambda fancy, ascii_: ascii_)
    assert "#" in ghjobs("timeline", "-R", REPO, run.id).out


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 200])
@pytest.mark.parametrize(
    "make", [three_jobs, forty_jobs, odd_jobs, many_jobs, list, _fifty_attempts]
)
def test_no_line_is_too_long(make: Callable[[], list[Job]], width: int) -> None:
    """At any width each line fits, but for what a terminal may measure in its own way."""
    lines = drawn(make(), width)
    console = Console(width=width)
    assert max(console.measure(line).maximum for line in lines) <= width


def test_bars_are_to_scale() -> None:
    """A job that takes half of the time has half of the columns; waiting is told from work."""
    half, whole = job(1, "half", wait=0, seconds=50), job(2, "whole", wait=50, seconds=50)
    lines = {line[2:7].strip(): line for line in drawn([half, whole], 100)}
    assert lines["half"].count("\u2501") == pytest.approx(lines["whole"].count("\u2588"), abs=1)
    assert lines["whole"].count("\u2591") == pytest.approx(lines["half"].count("\u2501"), abs=1)
    assert lines["half"].index("\u2501") == lines["whole"].index("\u2591")


@pytest.mark.parametrize("width", [40, 60, 120])
def test_a_state_is_whole_behind_its_row(width: int) -> None:
    """Where a job did not run, its state is not cut, as far as there is room."""
    never = [job(1, state="cancelled", runner_id=None), job(2, "b", state="action_required")]
    lines = "\n".join(drawn([*never, job(3, "c")], width))
    assert "cancelled" in lines
    never[1] = job(2, "b", state="startup_failure", runner_id=None)
    assert ("startup_failure" in "\n".join(drawn([*never, job(3, "c")], width))) is (width >= 60)


def test_the_shortest_job_can_be_seen() -> None:
    """What took no time, and what waited for a moment, has a column."""
    brief = [skipped(1, "skipped"), job(2, "brief", wait=0, seconds=0, steps=1)]
    lines = drawn([*brief, job(3, "long", seconds=9000)], 100)
    assert any(line.startswith("- skipped") and "\u00b7" in line for line in lines)
    assert any(line.startswith("\u2713 brief") and "\u2501" in line for line in lines)


@pytest.mark.parametrize("width", range(60, 100))
def test_attempts_keep_apart(width: int) -> None:
    """At any width, what ends the first attempt stands left of the edge, the second right of it."""
    first = [job(1, "a", seconds=115), skipped(2, "b", created=120)]
    lines = drawn([*first, job(3, "c", created=9e3, run_attempt=2)], width)
    [a, b, c] = [line for line in lines if line[2:3] in "abc" and "\u2502" in line]
    edge = a.index("\u2502")
    assert a.rindex("\u2588") < edge
    assert b.rindex("\u00b7") < edge == b.index("\u2502")
    assert edge == c.index("\u2502") < c.index("\u2588")


def test_names_cannot_control_the_terminal() -> None:
    """Control characters and direction marks of names are not printed."""
    printed = "\n".join(drawn([job(n, name) for n, name in enumerate(HOSTILE, 1)], 100))
    assert set(printed) & set("\x1b\x00\x07\x0b\u202e\u202c") == set()
    assert "<script>alert(1)</script>" in printed


def test_every_job_has_a_line() -> None:
    """600 jobs are 600 lines; a few jobs show their steps, too."""
    assert sum("integration (" in line for line in drawn(many_jobs(), 100)) == 598
    assert any("Run unit tests" in line for line in drawn(three_jobs(), 100))


# Out of an audit.


def store_run(folder: Path, jobs: list[Job]) -> Path:
    store = AuditStore(folder)
    with store.write() as connection:
        listing = Listing(REPO, jobs[0].run_id, jobs)
        write_batch(connection, Batch(at=START, listings=[listing]))
    return store.folder


@pytest.fixture
def audit(fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit with a run of the host that is asked, in the default folder."""
    monkeypatch.chdir(tmp_path)
    root = f"{fake.base_url}/repos/{REPO}"
    jobs = [attrs.evolve(one, url=f"{root}/actions/jobs/{one.id}") for one in forty_jobs()]
    return store_run(tmp_path / "ghjobs-audit", jobs)


@pytest.mark.parametrize("argv", [["-R", REPO, 29679449], [29679449]])
def test_an_audit_that_has_the_run_is_enough(
    ghjobs: Any, fake: FakeGitHub, audit: Path, argv: list[Any]
) -> None:
    """A stored run needs no request, and no repository: its number is known."""
    ran = ghjobs("timeline", *argv)
    assert ran.status == 0
    assert f"{REPO}, run 29679449" in ran.out
    assert "attempt 2" in ran.out
    assert "from ghjobs-audit; --live asks GitHub" in ran.err
    assert not fake.requests


@pytest.mark.parametrize(
    "argv",
    [
        ("-R", REPO, 5, "--base-url", "{fake}"),
        ("-R", f"{{host}}/{REPO}", 5),
        (f"http://{{host}}/{REPO}/actions/runs/5",),
    ],
)
def test_an_audit_of_another_host_does_not_answer(
    ghjobs: Any,
    fake: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[object, ...],
) -> None:
    """The host that is asked has the run too: its own is shown, unless the audit was named."""
    monkeypatch.chdir(tmp_path)
    store_run(tmp_path / "ghjobs-audit", [job(1, "elsewhere", run_id=5)])
    fake.add_run(REPO, run_id=5, jobs=[scenario.failing("here")])
    host = urlsplit(fake.base_url).netloc
    words = [str(one).format(fake=fake.base_url, host=host) for one in argv]
    ran = ghjobs("timeline", *words)
    assert (ran.status, "here" in ran.out) == (0, True)
    assert f"ghjobs-audit is of github.com, not of {host}" in ran.err
    named = ghjobs("timeline", *words, "--audit", "ghjobs-audit")
    assert "elsewhere" in named.out


@pytest.mark.parametrize("content", [None, "no database", "another run"])
def test_without_the_run_github_is_asked(
    ghjobs: Any, fake: FakeGitHub, tmp_path: Path, audit: Path, content: str | None
) -> None:
    """Where the default audit is missing, unreadable or has another run, GitHub has it."""
    if content != "another run":
        (audit / "audit.duckdb").unlink()
    if content == "no database":
        (audit / "audit.duckdb").write_text(content)
    run = fake.add_run(REPO, jobs=3)
    ran = ghjobs("timeline", "-R", REPO, run.id)
    assert (ran.status, "build (1)" in ran.out) == (0, True)
    assert ("asking GitHub" in ran.err) == (content == "no database")


def test_an_audit_that_is_named_is_there(ghjobs: Any, fake: FakeGitHub, tmp_path: Path) -> None:
    """An audit that the user names and that is none is wrong usage."""
    ran = ghjobs("timeline", "-R", REPO, 1, "--audit", tmp_path / "none")
    assert ran.status == 2
    assert "there is no audit" in ran.err
    assert not fake.requests


def test_live_asks_github(ghjobs: Any, fake: FakeGitHub, audit: Path) -> None:
    """``--live`` asks GitHub, whatever is stored, so a number needs its repository again."""
    assert ghjobs("timeline", "-R", REPO, 29679449, "--live").status == 1
    assert "needs its repository" in ghjobs("timeline", 29679449, "--live").err
    assert "not both" in ghjobs("timeline", 29679449, "--live", "--audit", audit).err


def test_a_run_that_had_not_ended(ghjobs: Any, fake: FakeGitHub, audit: Path) -> None:
    """A run that was stored while it ran is shown as it was, and that is said."""
    with AuditStore(audit).write() as connection:
        connection.execute(
            "INSERT INTO runs (repository, run_id, status) VALUES (?, ?, 'in_progress')",
            [REPO, 29679449],
        )
    ran = ghjobs("timeline", 29679449)
    assert ran.status == 0
    assert "--live" in ran.err
