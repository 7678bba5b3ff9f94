"""A run that is played forward: what is answered at each moment, and when it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from async_tools import EPOCH, FakeClock, MakeClient
from hypothesis import given, settings
from hypothesis import strategies as st

from ghjobs_async import GitHubJobs, LogUnavailableError, NotFoundError, inherited
from ghjobs_async.testing import AttemptSpec, FakeGitHub, FakeRun, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"
PROGRESS = ["waiting", "pending", "queued", "in_progress", "completed"]
ENDLESS = 100_000

specs = st.lists(
    st.builds(
        JobSpec,
        st.sampled_from(["build", "test", "lint"]),
        st.sampled_from(["success", "failure", "cancelled", "timed_out"]),
        steps=st.integers(0, 4),
        queued_for=st.integers(-5, 30),
        seconds=st.integers(-5, 90),
        listed_after=st.sampled_from([0, 0, 20]),
    )
    | st.sampled_from(
        [
            *(scenario.skipped(), scenario.cancelled_before_start(), scenario.check_run()),
            *(scenario.in_progress(), scenario.queued(), scenario.queued(status="waiting")),
            *(scenario.inverted_clocks(), scenario.unheard_of(), scenario.parallel_steps()),
            *(scenario.within_one_second(), scenario.older_server(), scenario.failing()),
        ]
    ),
    min_size=1,
    max_size=4,
)
#: One attempt, or a re-run of what failed once all has ended.
runs = specs.map(lambda jobs: [AttemptSpec(jobs)]) | specs.filter(
    lambda jobs: all(job.status == "completed" for job in jobs)
).map(scenario.rerun_failed)


def make(attempts: list[AttemptSpec]) -> tuple[FakeGitHub, FakeRun]:
    fake = FakeGitHub(clock=lambda: EPOCH)
    return fake, fake.add_run(REPO, attempts=attempts)


def moments(fake: FakeGitHub, run: FakeRun) -> Iterator[Any]:
    end = run.attempts[-1].updated - run.created
    return (fake.at(run, seconds) for seconds in range(0, end + 100, 3))


def consistent(part: dict[str, Any]) -> bool:
    """Whether a job or a step has a conclusion and an end just if it is completed."""
    return {part[key] is not None for key in ("conclusion", "completed_at")} == {
        part["status"] == "completed"
    }


@given(runs)
@settings(deadline=None, max_examples=50)
def test_at_the_end_it_is_what_was_told(attempts: list[AttemptSpec]) -> None:
    """When everything has happened, run and jobs are those of a run that is not played."""
    fake, run = make(attempts)
    state = fake.at(run, ENDLESS)
    assert [job["status"] for job in state.all_jobs] == [job.spec.status for job in run.all_jobs]
    parts = ("status", "conclusion", "started_at", "completed_at", "steps", "runner_name")
    for data, job in zip(state.all_jobs, run.all_jobs, strict=True):
        assert {key: data.get(key) for key in parts} == {key: job.data.get(key) for key in parts}
    assert (state.run["status"], state.run["conclusion"]) == run.attempts[-1].state()[:2]


@given(runs)
@settings(deadline=None, max_examples=50)
def test_states_only_go_forward(attempts: list[AttemptSpec]) -> None:
    """Attempts, jobs and steps come, and go from the queue to their ends, never back."""
    fake, run = make(attempts)
    rank: dict[object, int] = {}
    for state in moments(fake, run):
        parts = {("run", state.run["run_attempt"]): state.run["status"]}
        for job in state.all_jobs:
            parts[job["id"]] = job["status"]
            parts |= {(job["id"], step["number"]): step["status"] for step in job["steps"]}
        assert {key for key in rank if "run" not in str(key)} <= parts.keys()
        for part, status in parts.items():
            now = PROGRESS.index(status) if status in PROGRESS else 2
            assert now >= rank.get(part, 0), (part, status)
            rank[part] = now


@given(runs)
@settings(deadline=None, max_examples=50)
def test_nothing_is_known_before_it_happens(attempts: list[AttemptSpec]) -> None:
    """What is not completed has neither end nor conclusion, and no started step follows a pending one."""
    fake, run = make(attempts)
    odd = {job.id for job in run.all_jobs if job.spec.overrides}
    for state in moments(fake, run):
        assert (state.run["conclusion"] is not None) == (state.run["status"] == "completed")
        for job in state.all_jobs:
            assert consistent(job)
            if job["id"] in odd:
                continue
            assert all(consistent(step) for step in job["steps"])
            ranks = [PROGRESS.index(step["status"]) for step in job["steps"]]
            assert ranks == sorted(ranks, reverse=True)
            assert ranks.count(3) <= 1
        if state.run["status"] == "completed":
            assert all(job["status"] == "completed" for job in state.jobs)


@given(runs, st.sampled_from([1.0, 7.0, 60.0]))
@settings(deadline=None, max_examples=30)
def test_no_time_lies_in_the_future(attempts: list[AttemptSpec], speed: float) -> None:
    """No answer of a played run has a time after its clock's, at any speed."""
    fake, run = make(
        [a for a in attempts if not any(job.overrides for job in a.jobs)] or [AttemptSpec()]
    )
    time = FakeClock()
    fake.play(run, speed, time.now)
    for _ in range(40):
        time.time += 20 / speed
        now = fake_iso(time.now())
        for data in (run.payload(), *(job.payload() for job in run.listed(run.begun()))):
            steps: list[Any] = data.get("steps", [])  # type: ignore[assignment]
            for part in (data, *steps):
                keys = [key for key in part if key.endswith("_at") and part[key] is not None]
                assert [part[key] for key in keys if part[key] > now] == []


def fake_iso(now: float) -> str:
    return FakeGitHub(clock=lambda: now).now()


@pytest.fixture
async def http(github: FakeGitHub) -> Any:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_play_begins_now(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """A played run is queued at first, then runs, then has ended as it was told."""
    older = github.add_run(REPO)
    run = github.play(github.add_run(REPO, jobs=[JobSpec("a", queued_for=10, seconds=50)]))
    assert [one.id async for one in gh.iter_runs(REPO)] == [run.id, older.id]
    seen = []
    for _ in range(70):
        now, jobs = await gh.get_run(run.ref), await gh.list_jobs(run.ref)
        seen.append((now.state, *(job.state for job in jobs)))
        time.time += 1
    assert list(dict.fromkeys(seen)) == [
        ("queued",),
        ("queued", "queued"),
        ("in_progress", "in_progress"),
        ("in_progress", "success"),
        ("success", "success"),
    ]


async def test_a_play_has_a_speed(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """At speed 60 a minute of the run takes a second."""
    run = github.play(github.add_run(REPO, jobs=[JobSpec(seconds=600)]), speed=60)
    time.time += 9.9
    assert (await gh.get_run(run.ref)).state == "in_progress"
    time.time += 1
    assert (await gh.get_run(run.ref)).state == "success"


async def test_a_play_can_have_a_clock_of_its_own(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A clock that is passed in decides, not the fake's."""
    own = FakeClock()
    run = github.play(github.add_run(REPO), clock=own.now)
    own.time += 1000
    assert (await gh.get_run(run.ref)).state == "success"


async def test_a_rerun_is_played(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """The second attempt is there only when it has begun, with what it inherits."""
    first, second = scenario.rerun_failed([JobSpec("lint"), scenario.failing("test")])
    run = github.play(github.add_run(REPO, attempts=[first, AttemptSpec(second.jobs, after=60)]))
    time.time += 100
    assert (await gh.get_run(run.ref)).state == "failure"
    with pytest.raises(NotFoundError):
        await gh.get_job(run.jobs[0].ref)
    time.time += 45
    again = await gh.get_run(run.ref)
    assert (again.state, again.run_attempt) == ("in_progress", 2)
    jobs = await gh.list_jobs(run.ref)
    every = await gh.list_jobs(run.ref, filter="all")
    assert [inherited(job, every) for job in jobs] == [True, False]
    time.time += 200
    assert (await gh.get_run(run.ref)).state == "success"


async def test_a_cancellation_is_played(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A cancelled job was running until its step was cancelled; one without a runner never ran."""
    specs = [JobSpec("a", "cancelled", seconds=30), scenario.cancelled_before_start("b")]
    run = github.play(github.add_run(REPO, jobs=specs))
    seen: dict[str, list[str]] = {"a": [], "b": []}
    for _ in range(60):
        for job in await gh.list_jobs(run.ref):
            seen[job.name].append(job.state)
        time.time += 1
    assert list(dict.fromkeys(seen["a"])) == ["queued", "in_progress", "cancelled"]
    assert list(dict.fromkeys(seen["b"])) == ["queued", "cancelled"]
    assert (await gh.get_run(run.ref)).state == "cancelled"


async def test_a_log_is_there_when_its_job_has_ended(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Before that the storage answers BlobNotFound, also for a log that a test gave."""
    specs = [JobSpec("a", seconds=30), JobSpec("b", seconds=30, log=b"mine\n")]
    run = github.play(github.add_run(REPO, jobs=specs))
    time.time += 20
    for job in run.jobs:
        with pytest.raises(LogUnavailableError) as caught:
            async with gh.open_log(job.ref):
                pass
        assert caught.value.reason == "not_ready"
    time.time += 30
    for job in run.jobs:
        async with gh.open_log(job.ref) as log:
            assert await log.text()


async def test_etags_change_just_when_answers_change(
    github: FakeGitHub, http: aiohttp.ClientSession, time: FakeClock
) -> None:
    """A condition is answered 304 as long as nothing has changed, and never after."""
    run = github.play(github.add_run(REPO, jobs=[JobSpec(seconds=20), scenario.skipped()]))
    root = f"{github.base_url}/repos/{REPO}/actions"
    paths = ("/runs", f"/runs/{run.id}", f"/runs/{run.id}/jobs", f"/runs/{run.id}/attempts/1")
    known: dict[str, tuple[str, bytes]] = {}
    fresh = 0
    for _ in range(40):
        time.time += 1
        for path in paths:
            async with http.get(root + path) as response:
                etag, body = response.headers["ETag"], await response.read()
            before = known.get(path, ("", b""))
            assert (etag == before[0]) == (json.loads(body) == json.loads(before[1] or b"{}"))
            async with http.get(root + path, headers={"If-None-Match": before[0]}) as response:
                assert response.status == (304 if etag == before[0] else 200)
                fresh += response.status == 200
            known[path] = etag, body
    assert 10 <= fresh < 40


async def test_a_status_filter_sees_the_moment(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A listing of runs that succeeded has a played one only when it has."""
    github.play(github.add_run(REPO))
    assert [run async for run in gh.iter_runs(REPO, status="success")] == []
    time.time += 200
    assert len([run async for run in gh.iter_runs(REPO, status="success")]) == 1


async def test_a_stale_replica(github: FakeGitHub, client: MakeClient, time: FakeClock) -> None:
    """A stale answer shows a played run as it was, and the next one how it is."""
    run = github.play(github.add_run(REPO))
    time.time += 200
    github.fail("run", faults.stale(150))
    gh = client()
    assert (await gh.get_run(run.ref)).state == "in_progress"
    assert (await gh.get_run(run.ref)).state == "success"
