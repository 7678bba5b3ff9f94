"""The tracker of a run, without any I/O: answers in any order and from any moment."""

from __future__ import annotations

import random
from typing import TypeVar

import msgspec
import pytest
from async_tools import EPOCH
from hypothesis import given, settings
from hypothesis import strategies as st
from told import judge

from ghjobs_async import Job, JobEvent, JobList, NotFoundError, Run, StepEvent, Verdict, to_dict
from ghjobs_async.errors import ServerError
from ghjobs_async.testing import AttemptSpec, FakeGitHub, FakeRun, JobSpec, scenario
from ghjobs_async.watch.events import WatchEvent
from ghjobs_async.watch.trackers import RunTracker
from ghjobs_async.wire.convert import load

REPO = "octo-org/octo-repo"
T = TypeVar("T", Run, Job)


def play(*jobs: JobSpec) -> tuple[FakeGitHub, FakeRun]:
    fake = FakeGitHub(clock=lambda: EPOCH)
    return fake, fake.add_run(REPO, jobs=list(jobs))


def decoded(data: dict[str, object], cls: type[T]) -> T:
    return load(msgspec.json.encode(data), cls)


def look(tracker: RunTracker, fake: FakeGitHub, run: FakeRun, seconds: float, now: float) -> None:
    """See the run and its jobs as they were at a moment."""
    state = fake.at(run, seconds)
    tracker.see_run(decoded(state.run, Run), now)
    jobs = tuple(decoded(job, Job) for job in state.jobs)
    tracker.see_jobs(JobList(jobs, len(jobs)), now)


@given(st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_older_answers_change_nothing(seed: int) -> None:
    """Whatever older answers come in between, each change is told once and the end is right."""
    chance = random.Random(seed)
    fake, run = play(JobSpec("a", seconds=60), scenario.failing("b"), scenario.skipped())
    tracker = RunTracker(run.ref, EPOCH)
    events: list[WatchEvent] = []
    newest = 0.0
    while tracker.verdict is None:
        newest += chance.expovariate(0.1)
        seconds = newest if chance.random() < 0.6 else newest * chance.random()
        look(tracker, fake, run, seconds, EPOCH + newest)
        tracker.close(EPOCH + newest)
        events += tracker.events
        tracker.events.clear()
    assert judge(events, run) == Verdict.FAILURE


def test_the_same_answers_tell_nothing() -> None:
    """Seeing again what is known gives no event."""
    fake, run = play(JobSpec("a"))
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 20, EPOCH)
    assert tracker.events
    tracker.events.clear()
    look(tracker, fake, run, 20, EPOCH + 5)
    assert tracker.events == []


def test_steps_that_expire_are_kept() -> None:
    """An answer without the steps that were there loses none of them."""
    fake, run = play(JobSpec("a"))
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 20, EPOCH)
    (before,) = tracker.jobs or ()
    bare = decoded({**to_dict(before), "steps": []}, Job)
    tracker.see_jobs(JobList((bare,), 1), EPOCH)
    assert [job.steps for job in tracker.jobs or ()] == [before.steps]
    assert len(before.steps) > 1


def test_a_job_ends_after_its_steps() -> None:
    """Of one look, the steps that ended come before their job, which began before its steps."""
    fake, run = play(JobSpec("a", steps=1, queued_for=5, seconds=30))
    tracker = RunTracker(run.ref, EPOCH)
    told: list[list[type]] = []
    for seconds in (3, 10, 60):
        look(tracker, fake, run, seconds, EPOCH)
        told.append([type(event) for event in tracker.events if hasattr(event, "job")])
        tracker.events.clear()
    assert told[0] == [JobEvent]
    assert told[1][0] is JobEvent
    assert told[1][1:] == [StepEvent] * 4
    assert told[2][-1] is JobEvent
    assert told[2][:-1] == [StepEvent] * (len(told[2]) - 1)


def test_a_status_of_the_run_may_go_back() -> None:
    """A run that waits for an approval again is reported as it is."""
    fake, run = play(JobSpec("a", queued_for=5))
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 20, EPOCH)
    tracker.events.clear()
    state = fake.at(run, 20).run | {"status": "waiting", "updated_at": "2027-01-15T09:00:00Z"}
    tracker.see_run(decoded(state, Run), EPOCH + 30)
    (event,) = tracker.events
    assert (event.kind, event.run and event.run.status) == ("changed", "waiting")  # type: ignore[union-attr]


def test_an_end_that_is_taken_back() -> None:
    """A run that had ended, and has not, is in progress as it was told: that is not told again."""
    fake, run = play(JobSpec("a", queued_for=5))
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 20, EPOCH)
    tracker.events.clear()
    before = fake.at(run, 20).run
    ended = {**before, "status": "completed", "conclusion": "success"}
    for seconds, data in ((30, ended), (40, before), (50, ended)):
        tracker.see_run(decoded(data, Run), EPOCH + seconds)
        tracker.close(EPOCH + seconds)
    assert tracker.events == []


@pytest.mark.parametrize("status", ["in_progress", "completed"])
def test_a_list_of_jobs_that_stays_missing(status: str) -> None:
    """A 404 of the list of jobs counts after the grace, although the run itself is there."""
    fake, run = play(JobSpec("a", queued_for=5))
    tracker = RunTracker(run.ref, EPOCH)
    state = fake.at(run, 20).run | {"status": status}
    for seconds in range(0, 70, 5):
        assert tracker.verdict is None
        tracker.see_run(decoded(state, Run), EPOCH + seconds)
        tracker.fail(NotFoundError("404", status=404, url="", method="GET"), EPOCH + seconds)
        tracker.close(EPOCH + seconds)
        if seconds >= 60:
            break
    assert (tracker.verdict, tracker.refused) == (Verdict.UNREACHABLE, True)


def test_a_list_of_jobs_that_was_missing() -> None:
    """A 404 of long ago does not count."""
    fake, run = play(JobSpec("a", queued_for=5))
    tracker = RunTracker(run.ref, EPOCH)
    for seconds in range(0, 700, 50):
        tracker.fail(NotFoundError("404", status=404, url="", method="GET"), EPOCH + seconds)
        assert tracker.verdict is None
        look(tracker, fake, run, 20, EPOCH + seconds + 5)


def test_a_run_that_ended_is_not_superseded() -> None:
    """An end that was seen counts, though the list of jobs lags and the run is run again."""
    fake = FakeGitHub(clock=lambda: EPOCH)
    first, second = scenario.rerun_failed([scenario.failing("a")])
    attempts = [first, AttemptSpec(second.jobs, after=20)]
    run = fake.add_run(REPO, attempts=attempts)
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 30, EPOCH + 30)
    tracker.see_run(decoded(fake.at(run, 90).run, Run), EPOCH + 90)
    tracker.close(EPOCH + 90)
    assert tracker.verdict is None
    tracker.see_run(decoded(fake.at(run, 150).run, Run), EPOCH + 150)
    ended = tuple(decoded(job, Job) for job in fake.at(run, 90).jobs)
    tracker.see_jobs(JobList(ended, 1), EPOCH + 150)
    tracker.close(EPOCH + 150)
    assert tracker.waited().verdict == Verdict.FAILURE
    assert tracker.waited().attempt == 1


def test_a_list_without_the_last_job_is_read_again() -> None:
    """Where no job ended when the run did, the list is older than that: one is missing."""
    fake, run = play(JobSpec("a", seconds=10), JobSpec("b", seconds=10, listed_after=200))
    tracker = RunTracker(run.ref, EPOCH)
    now = run.attempts[-1].updated + 5.0
    tracker.see_run(decoded(fake.at(run, 1000).run, Run), now)
    early = tuple(decoded(job, Job) for job in fake.at(run, 100).jobs)
    tracker.see_jobs(JobList(early, 1), now)
    tracker.close(now)
    assert tracker.verdict is None
    late = tuple(decoded(job, Job) for job in fake.at(run, 1000).jobs)
    tracker.see_jobs(JobList(late, 2), now + 1)
    tracker.close(now + 1)
    assert tracker.verdict == Verdict.SUCCESS


def test_a_list_that_cannot_be_read_does_not_lag() -> None:
    """The minute for a lagging list ends with a good answer, not with an error."""
    fake, run = play(JobSpec("a"))
    tracker = RunTracker(run.ref, EPOCH)
    tracker.see_run(decoded(fake.at(run, 1000).run, Run), EPOCH + 1000)
    running = tuple(decoded(job, Job) for job in fake.at(run, 20).jobs)
    tracker.see_jobs(JobList(running, 1), EPOCH + 1000)
    tracker.fail(ServerError("GET /: 502 Bad Gateway", status=502), EPOCH + 1070)
    tracker.close(EPOCH + 1070)
    assert tracker.verdict is None
    tracker.see_jobs(JobList(running, 1), EPOCH + 1080)
    tracker.close(EPOCH + 1080)
    assert tracker.verdict == Verdict.SUCCESS


def test_jobs_of_the_next_attempt_are_not_this_ones() -> None:
    """A list that is newer than the run has jobs that the watched attempt has not."""
    fake, run = play(JobSpec("a"))
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 20, EPOCH)
    (job,) = fake.at(run, 20).jobs
    later = decoded({**job, "id": 7, "run_attempt": 2}, Job)
    tracker.events.clear()
    tracker.see_jobs(JobList((later,), 1), EPOCH)
    assert tracker.events == []


def test_a_refusal_while_it_is_there() -> None:
    """A 404 counts from the first one on, and a good answer ends the count."""
    fake, run = play(JobSpec("a"))
    tracker = RunTracker(run.ref, EPOCH, grace=60)
    missing = NotFoundError("GET /: 404 Not Found", status=404)
    look(tracker, fake, run, 20, EPOCH + 100)
    tracker.fail(missing, EPOCH + 110)
    tracker.fail(missing, EPOCH + 160)
    assert tracker.verdict is None
    look(tracker, fake, run, 30, EPOCH + 165)
    tracker.fail(missing, EPOCH + 180)
    assert tracker.verdict is None
    tracker.fail(missing, EPOCH + 240)
    assert tracker.refused


@pytest.mark.parametrize("last", ["error", "answer"])
def test_the_last_answer_counts_at_the_deadline(last: str) -> None:
    """An error before the last good answer does not matter."""
    fake, run = play(scenario.queued())
    tracker = RunTracker(run.ref, EPOCH, until=EPOCH + 100)
    error = ServerError("GET /: 502 Bad Gateway", status=502)
    look(tracker, fake, run, 20, EPOCH)
    tracker.fail(error, EPOCH + 50)
    if last == "answer":
        look(tracker, fake, run, 20, EPOCH + 99)
    tracker.close(EPOCH + 100)
    wanted = Verdict.UNREACHABLE if last == "error" else Verdict.DEADLINE
    assert tracker.verdict == wanted
    assert tracker.waited().error is (error if last == "error" else None)


def test_a_reason_names_what_failed() -> None:
    """The reason of a failure names some jobs, on one line."""
    fake, run = play(*[JobSpec(f"job\n{n}", "failure") for n in range(5)], JobSpec("good"))
    tracker = RunTracker(run.ref, EPOCH)
    look(tracker, fake, run, 1000, EPOCH)
    tracker.close(EPOCH)
    assert tracker.reason == (
        "the run ended with failure: job 0 (failure), job 1 (failure), job 2 (failure) and 2 more"
    )
