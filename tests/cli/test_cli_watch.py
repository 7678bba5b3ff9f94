"""``ghjobs watch``: what it watches, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from async_tools import EPOCH, FakeClock, MakeClient
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ghjobs_async import Job, JobEvent, Run, RunEvent, RunRef, StepEvent, Verdict
from ghjobs_async.cli.commands.watch import _Follower, _How
from ghjobs_async.cli.output.watch import WatchView
from ghjobs_async.testing import AttemptSpec, FakeGitHub, FakeRun, Fault, JobSpec, faults, scenario
from ghjobs_async.wire.convert import load

REPO = "octo-org/octo-repo"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, fake: FakeGitHub) -> FakeClock:
    """The time of the command and of what is played: nobody waits for it."""
    time = FakeClock()
    monkeypatch.setattr("ghjobs_async.client.Clock", lambda: time.clock)
    return time


def play(fake: FakeGitHub, clock: FakeClock, *jobs: JobSpec, **options: Any) -> FakeRun:
    return fake.play(fake.add_run(REPO, jobs=list(jobs), **options), clock=clock.now)


def lines(ran: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


# -- how it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [
        ("success", 0),
        ("skipped", 0),
        ("failure", 1),
        ("startup_failure", 1),
        ("cancelled", 4),
        ("timed_out", 5),
        ("action_required", 6),
    ],
)
def test_the_exit_status_of_a_conclusion(
    ghjobs: Any, fake: FakeGitHub, clock: FakeClock, conclusion: str, status: int
) -> None:
    """With ``--exit-status`` the status says how the run ended; without it is 0."""
    run = fake.add_run(
        REPO, jobs=0 if conclusion == "startup_failure" else 1, conclusion=conclusion
    )
    assert ghjobs("watch", "-R", REPO, run.id, "--exit-status").status == status
    assert ghjobs("watch", "-R", REPO, run.id).status == 0


def test_no_end_within_the_timeout(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """A run that does not end in time is status 124, one without jobs 7, as gh knows none."""
    begun = clock.time
    stuck = fake.add_run(REPO, jobs=[scenario.queued()])
    ran = ghjobs("watch", "-R", REPO, stuck.id, "--timeout", "30m")
    assert ran.status == 124
    assert f"watch again with ghjobs watch {stuck.id} --repo {REPO} --timeout 30m" in ran.err
    assert clock.time == begun + 1800
    empty = {"status": "queued", "conclusion": None}
    run = fake.add_run(REPO, attempts=[AttemptSpec([])], overrides=empty)
    assert ghjobs("watch", "-R", REPO, run.id, "--timeout", "2h").status == 7


def test_superseded(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """A new attempt that is seen before the end of the watched one is status 8."""
    first, second = scenario.rerun_failed([scenario.failing()])
    run = fake.add_run(REPO, attempts=[first, AttemptSpec(second.jobs, after=1)])
    fake.play(run, clock=clock.now)
    ran = ghjobs("watch", "-R", REPO, run.id, "--interval", "100", "--json")
    assert ran.status == 8
    assert lines(ran)[-1]["verdict"] == "superseded"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.status(404), "404"),
        (faults.bad_credentials(), "401"),
        (faults.missing_permission(), "403"),
    ],
)
def test_refused(ghjobs: Any, fake: FakeGitHub, clock: FakeClock, fault: Any, said: str) -> None:
    """What may not be seen is status 9, and one line says why."""
    run = fake.add_run(REPO)
    fake.fail("run", fault, times=None)
    ran = ghjobs("watch", "-R", REPO, run.id)
    *waits, last = ran.err.splitlines()
    assert ran.status == 9
    assert said in last
    assert len(waits) == (said == "404")


@pytest.mark.parametrize("by", ["run", "job", "--branch", "--commit", "pull"])
def test_what_is_not_there_yet_is_told_at_once(
    ghjobs: Any, fake: FakeGitHub, clock: FakeClock, by: str
) -> None:
    """The first line says what is not there yet and until when; the last one what to check."""
    fake.add_run(REPO)
    web = f"{fake.base_url.removesuffix('/api/v3')}/{REPO}"
    what, *argv = {
        "run": ("run 55", "-R", REPO, 55),
        "job": ("job 66", f"{web}/actions/runs/55/job/66"),
        "--branch": ("branch nope", "-R", REPO, "--branch", "nope"),
        "--commit": ("run of commit ccccccc", "-R", REPO, "--commit", "c" * 40),
        "pull": ("pull request 7", f"{web}/pull/7"),
    }[by]
    until = datetime.fromtimestamp(clock.time + 60, UTC)
    ran = ghjobs("watch", *argv)
    first, last = ran.err.splitlines()
    assert ran.status == 9
    assert first.startswith(f"waiting 60 s, until {until:%H:%M:%S} UTC: {REPO} ")
    assert f"{what} " in first
    assert "yet" in first
    assert ("is it pushed" if by == "--commit" else "check the n") in last
    assert "GET" not in last


def test_unreachable_until_the_timeout(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """An API that is down at the deadline is status 9."""
    run = fake.add_run(REPO, jobs=[scenario.in_progress()])
    fake.fail("run", faults.bad_gateway(), times=None, after=2)
    ran = ghjobs("watch", "-R", REPO, run.id, "--timeout", "10m")
    assert ran.status == 9
    assert "502" in ran.err


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ({"unreachable", "deadline", "failure"}, 9),
        ({"deadline", "failure", "success"}, 124),
        ({"failure", "timed_out", "cancelled"}, 1),
        ({"timed_out", "cancelled", "action_required"}, 5),
        ({"cancelled", "action_required", "no_jobs"}, 4),
        ({"action_required", "no_jobs"}, 6),
        ({"no_jobs", "superseded"}, 7),
        ({"superseded", "success"}, 8),
        ({"success", "skipped"}, 0),
    ],
)
def test_the_worst_counts(verdicts: set[str], status: int) -> None:
    """Of several runs the worst verdict decides."""
    how = _How(timeout=None, interval=None, fail_fast=False, exit_status=True)
    follower = _Follower(how, None, json=False, verdicts={Verdict(one) for one in verdicts})
    assert follower._status() == status


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_interrupted(fake: FakeGitHub, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    """Ctrl-C ends with status 130, and says how to go on."""
    run = fake.add_run(REPO, jobs=[scenario.in_progress()])
    process = start("watch", "-R", REPO, run.id, "--exit-status", "--timeout", "2h")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"run\tfound")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    again = f"ghjobs watch {run.id} --repo {REPO} --timeout 2h --exit-status"
    assert again in err.decode()


# -- what it watches -----------------------------------------------------------------------------


def test_fail_fast(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """The first failed job ends the watch."""
    run = play(fake, clock, scenario.failing("a"), JobSpec("b", seconds=2000))
    begun = clock.time
    ran = ghjobs("watch", "-R", REPO, run.id, "--fail-fast", "--exit-status", "--json")
    assert ran.status == 1
    assert clock.time < begun + 200
    assert lines(ran)[-1]["conclusion"] == "failure"


def test_one_job(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """The address of a job watches that job alone, to its own end."""
    run = play(fake, clock, JobSpec("a"), scenario.failing("b"), JobSpec("c", seconds=2000))
    clock.time += 5
    web = fake.base_url.removesuffix("/api/v3")
    job = run.jobs[1].id
    ran = ghjobs(
        "watch", f"{web}/{REPO}/actions/runs/{run.id}/job/{job}", "--json", "--exit-status"
    )
    told = lines(ran)
    assert {line["job_id"] for line in told if line["event"] != "run"} == {job}
    assert (ran.status, told[-1]["conclusion"]) == (1, "failure")


def sources(fake: FakeGitHub, run: FakeRun) -> dict[str, tuple[object, ...]]:
    """Return the ways to name a run of the commit of branch topic/x and of pull request 7."""
    fake.repo(REPO).pulls[7] = run.head_sha
    web = f"{fake.base_url.removesuffix('/api/v3')}/{REPO}"
    return {
        "run": ("-R", REPO, run.id),
        "job": (f"{web}/actions/runs/{run.id}/job/{run.jobs[0].id}",),
        "--branch": ("-R", REPO, "--branch", "topic/x"),
        "--commit": ("-R", REPO, "--commit", run.head_sha),
        "pull": (f"{web}/pull/7/files",),
    }


WAYS = ["run", "job", "--branch", "--commit", "pull"]


@pytest.mark.parametrize("by", WAYS)
def test_five_bad_minutes_at_the_start(
    ghjobs: Any, fake: FakeGitHub, clock: FakeClock, by: str
) -> None:
    """Finding what is to be watched outlasts failures, too."""
    run = play(fake, clock, JobSpec("a", seconds=1000), branch="topic/x")
    bad = clock.time + 300
    fake.fail("api", faults.bad_gateway(), times=None, where=lambda _: clock.time < bad)
    ran = ghjobs("watch", *sources(fake, run)[by], "--json")
    assert ran.status == 0
    assert lines(ran)[-1]["conclusion"] == "success"
    assert "waiting" in ran.err


@pytest.mark.parametrize("by", WAYS)
def test_a_limit_until_the_timeout(
    ghjobs: Any, fake: FakeGitHub, clock: FakeClock, by: str
) -> None:
    """A limit that is longer than the timeout is status 9, at the timeout."""
    run = play(fake, clock, JobSpec(), branch="topic/x")
    fake.fail("api", faults.secondary_limit(retry_after=500), times=None)
    begun = clock.time
    ran = ghjobs("watch", *sources(fake, run)[by], "--timeout", "90s")
    assert ran.status == 9
    assert clock.time == begun + 90


def test_a_part_of_the_timeout_is_gone(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """The timeout begins when the command does."""
    run = play(fake, clock, JobSpec(seconds=5000), branch="topic/x")
    begun = clock.time
    fake.fail("branch", faults.bad_gateway(), None, where=lambda _: clock.time < begun + 50)
    ran = ghjobs("watch", *sources(fake, run)["--branch"], "--timeout", "90s")
    assert ran.status == 124
    assert clock.time == begun + 90


@pytest.mark.parametrize("by", ["job", "--branch", "pull"])
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (faults.status(404), 60),
        (faults.bad_credentials(), 0),
        (faults.missing_permission(), 0),
    ],
)
def test_what_is_not_found(
    ghjobs: Any, fake: FakeGitHub, clock: FakeClock, by: str, fault: Fault, seconds: int
) -> None:
    """A refusal ends the command at once, a 404 after the grace."""
    run = play(fake, clock, JobSpec(), branch="topic/x")
    rule = fake.fail("api", fault, times=None)
    begun = clock.time
    ran = ghjobs("watch", *sources(fake, run)[by])
    # Before the end of the grace, a line says that it is not there yet.
    assert (ran.status, len(ran.err.splitlines())) == (9, 2 if seconds else 1)
    assert clock.time == begun + seconds
    rule.stop()
    if seconds:
        fake.fail("api", fault, times=2)
        assert ghjobs("watch", *sources(fake, run)[by]).status == 0


def test_a_conclusion_that_lags(
    ghjobs: Any, fake: FakeGitHub, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is completed without a conclusion has not failed yet."""
    run = play(fake, clock, JobSpec("a", seconds=10), JobSpec("b", seconds=300))
    job, begun, payload = run.jobs[0], clock.time, type(run.jobs[0]).payload

    def late(self: Any, *given: Any) -> dict[str, object]:
        data = payload(self, *given)
        lags = self is job and clock.time < begun + 100 and data["conclusion"]
        return {**data, "conclusion": None} if lags else data

    monkeypatch.setattr(type(job), "payload", late)
    ran = ghjobs("watch", *sources(fake, run)["run"], "--fail-fast", "--exit-status", "--json")
    assert (ran.status, lines(ran)[-1]["verdict"]) == (0, "success")


@pytest.mark.parametrize("by", ["--branch", "--commit", "pull"])
def test_the_runs_of_a_commit(ghjobs: Any, fake: FakeGitHub, clock: FakeClock, by: str) -> None:
    """All runs of a commit are watched, whatever their event, and no others."""
    sha = "a" * 40
    play(fake, clock, JobSpec(), head_sha="b" * 40, branch="topic/x")
    wanted = [
        play(fake, clock, JobSpec(), head_sha=sha, branch="topic/x", event=event)
        for event in ("push", "pull_request")
    ]
    fake.repo(REPO).pulls[7] = sha
    web = fake.base_url.removesuffix("/api/v3")
    argv = {
        "--branch": ("-R", REPO, "--branch", "topic/x"),
        "--commit": ("-R", REPO, "--commit", sha),
        "pull": (f"{web}/{REPO}/pull/7/files",),
    }[by]
    ran = ghjobs("watch", *argv, "--json")
    told = lines(ran)
    assert ran.status == 0
    assert {line["run_id"] for line in told} == {run.id for run in wanted}
    assert [line["verdict"] for line in told if line["kind"] == "ended"] == ["success"] * 2


def test_a_commit_without_runs(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """Where no run appears within the grace, one line says so."""
    fake.add_run(REPO)
    begun = clock.time
    ran = ghjobs("watch", "-R", REPO, "--commit", "c" * 40)
    assert (ran.status, ran.out) == (9, "")
    assert "has appeared" in ran.err
    assert 60 <= clock.time - begun < 70
    begun = clock.time
    ran = ghjobs("watch", "-R", REPO, "--commit", "c" * 40, "--timeout", "20s")
    assert (ran.status, ran.out) == (124, "")
    assert "--timeout" in ran.err
    assert clock.time == begun + 20


async def test_logs_that_never_come(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """At the end the logs that are still missing are waited for together, not one by one."""
    gh = client()
    specs = [JobSpec(f"{n}", "failure", log_state="not_ready") for n in range(10)]
    # The log of a job that ended long ago is taken for lost.
    lately = datetime.fromtimestamp(EPOCH - 60, UTC)
    jobs = await gh.list_jobs(github.add_run(REPO, jobs=specs, created_at=lately).ref)
    how = _How(timeout=None, interval=None, fail_fast=False, exit_status=True)
    follower = _Follower(how, None, json=False)
    for item in (*((REPO, job) for job in jobs), None):
        follower._failed.put_nowait(item)
    assert [reason async for reason in follower._reasons(gh)] == []
    assert 18 <= time.time - EPOCH <= 60


# -- what it prints ------------------------------------------------------------------------------


def test_a_line_for_each_change(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """In a pipe each change is a line with tabs."""
    run = play(fake, clock, JobSpec("bu\x1b[2Jild", steps=1, seconds=20))
    ran = ghjobs("watch", "-R", REPO, run.id, "--interval", "1")
    assert "\x1b" not in ran.out
    assert ran.rows[0] == ["run", "found", str(run.id), "1", "CI", "", "queued", ""]
    assert ran.rows[1] == ["job", "found", str(run.id), "1", "build", "", "queued", ""]
    assert ran.rows[-1] == ["run", "ended", str(run.id), "1", "CI", "", "success", "success"]
    assert ["step", "changed", str(run.id), "1", "build", "Set up job", "success", ""] in ran.rows


def test_an_object_for_each_change(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """With ``--json`` each change is one object; only a run's last one has a verdict."""
    run = play(fake, clock, JobSpec("build", steps=1, seconds=20))
    told = lines(ghjobs("watch", "-R", REPO, run.id, "--json", "--interval", "1"))
    keys = ["event", "kind", "repo", "run_id", "attempt", "job_id", "name", "step"]
    keys += ["status", "conclusion", "previous"]
    assert all(list(line) == keys for line in told[:-1])
    assert list(told[-1]) == [*keys, "verdict"]
    runs = [(line["status"], line["previous"]) for line in told if line["event"] == "run"]
    assert runs == [
        ("queued", None),
        ("in_progress", "queued"),
        ("completed", "in_progress"),
    ]
    (start,) = [line for line in told if line["event"] == "job" and line["status"] == "in_progress"]
    assert start == {
        "event": "job",
        "kind": "changed",
        "repo": REPO,
        "run_id": run.id,
        "attempt": 1,
        "job_id": run.jobs[0].id,
        "name": "build",
        "step": None,
        "status": "in_progress",
        "conclusion": None,
        "previous": "queued",
    }


def test_waits_are_notes(ghjobs: Any, fake: FakeGitHub, clock: FakeClock) -> None:
    """A wait is a line on stderr, not among the changes."""
    run = play(fake, clock, JobSpec())
    fake.fail("run", faults.secondary_limit(retry_after=30), after=2)
    ran = ghjobs("watch", "-R", REPO, run.id)
    assert ran.status == 0
    assert ran.err.count("secondary rate limit") == 1
    assert "waiting" not in ran.out


# -- the table -----------------------------------------------------------------------------------

NOW = datetime(2027, 1, 15, 8, 2, tzinfo=UTC)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.sampled_from(
    ["build (\u6771\u4eac)", "\U0001f468\u200d\U0001f469\u200d\U0001f467 family", "a" * 200]
)


def view_of(jobs: list[JobSpec], seconds: float) -> WatchView:
    fake = FakeGitHub(clock=lambda: 1_800_000_000.0)
    run = fake.add_run(REPO, jobs=jobs, created_at=datetime.fromtimestamp(1_800_000_000, UTC))
    state = fake.at(run, seconds)
    view = WatchView()
    import msgspec  # noqa: PLC0415

    view.take(RunEvent(run.ref, load(msgspec.json.encode(state.run), Run), "found"))
    for data in state.jobs:
        job = load(msgspec.json.encode(data), Job)
        view.take(JobEvent(run.ref, job))
        for step in job.steps:
            view.take(StepEvent(run.ref, job, step))
        if job.state == "failure":
            view.reasons[job.id] = "failed at 'Run tests': expected 4, got 5"
    return view


@given(
    st.lists(names, max_size=8),
    st.integers(8, 120),
    st.integers(1, 30),
    st.sampled_from([0, 20, 60, 500]),
)
@settings(deadline=None)
def test_the_table_fits(found: list[str], width: int, height: int, seconds: float) -> None:
    """No line is wider than the terminal, and there are no more than it has."""
    jobs = [JobSpec(name, "failure" if n % 3 == 0 else "success") for n, name in enumerate(found)]
    shown = view_of(jobs, seconds).lines(width, height, NOW)
    assert len(shown) <= height
    assert all(cell_len(line.plain) <= width for line in shown)
    assert all("\n" not in line.plain for line in shown)


def test_what_matters_is_shown() -> None:
    """Where not all jobs fit, the failed and the running ones do, and the others are counted."""
    jobs = [JobSpec(f"done {n}", queued_for=0, seconds=5) for n in range(30)]
    jobs += [JobSpec("bad", "failure", queued_for=0, seconds=5), JobSpec("runs", seconds=500)]
    shown = [line.plain for line in view_of(jobs, 60).lines(80, 10, NOW)]
    assert len(shown) == 10
    assert any("bad" in line and "at Run tests" in line for line in shown)
    assert any("expected 4, got 5" in line for line in shown)
    assert any("runs" in line and "1m" in line for line in shown)
    assert shown[-1] == "  and 25 more jobs: 25 success"


def test_no_name_is_cut_beside_blanks() -> None:
    """On a narrow terminal names have the room that no detail needs."""
    jobs = [JobSpec("test (ubuntu-latest, 3.13)", queued_for=0, seconds=5)]
    long = JobSpec("test (windows-latest, 3.13)", queued_for=500)
    shown = [line.plain for line in view_of([*jobs, long], 60).lines(40, None, NOW)]
    assert jobs[0].name in shown[1]
    assert "queued" in shown[2]
    assert re.search(r"\S {1,4}queued", shown[2])


def test_a_run_that_was_never_found() -> None:
    """A run that is not there has a line, too."""
    view = WatchView()
    view.take(RunEvent(RunRef(REPO, 7), None, "ended", Verdict.UNREACHABLE))
    assert [line.plain for line in view.lines(80, None)] == [f"{REPO} run 7: unreachable"]
