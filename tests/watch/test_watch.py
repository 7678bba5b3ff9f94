"""Watch runs: each change is one event, in order, through everything that a bad hour brings."""

from __future__ import annotations

import os
import random
import runpy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from async_tools import EPOCH, FakeClock, MakeClient, take_all
from told import judge

from ghjobs_async import (
    AuthError,
    ConfigurationError,
    GHJobsError,
    GitHubJobs,
    JobEvent,
    NotFoundError,
    RunEvent,
    RunRef,
    StepEvent,
    Verdict,
)
from ghjobs_async.testing import AttemptSpec, FakeGitHub, FakeRun, Fault, JobSpec, faults, scenario
from ghjobs_async.watch.events import WatchEvent

REPO = "octo-org/octo-repo"
#: More of them take minutes: ``PLAYS=1000 pytest tests/watch``.
PLAYS = int(os.environ.get("PLAYS", "12"))


async def watched(gh: GitHubJobs, *runs: FakeRun, **options: object) -> list[WatchEvent]:
    async with gh.watch([run.ref for run in runs], **options) as events:  # type: ignore[arg-type]
        return await take_all(events)


def summary(event: WatchEvent) -> tuple[str, str]:
    if isinstance(event, RunEvent):
        assert event.run is not None
        return event.kind, event.run.state
    return "job", event.job.state


async def test_an_event_is_one_line_for_people(github: FakeGitHub, gh: GitHubJobs) -> None:
    """It says what changed to what; a name from GitHub cannot break the line."""
    run = github.play(github.add_run(REPO, jobs=[JobSpec("a\n\x1b[2Jb", steps=1, seconds=20)]))
    lines = [str(event) for event in await watched(gh, run, interval=1)]
    assert all(line.isprintable() and len(line) < 200 for line in lines)
    assert lines[0] == f"{run.ref} found: queued"
    assert lines[-1] == f"{run.ref} ended: success"
    assert any(line.endswith("b: in_progress, now success") for line in lines)


async def test_each_change_is_told_once(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A job that appears is followed by its steps; a change has what was told before."""
    run = github.play(github.add_run(REPO, jobs=[JobSpec("a", steps=1, seconds=20)]))
    events = await watched(gh, run, interval=1)
    assert judge(events, run) == Verdict.SUCCESS
    told = [summary(event) for event in events if not isinstance(event, StepEvent)]
    assert told == [
        ("found", "queued"),
        ("job", "queued"),
        ("changed", "in_progress"),
        ("job", "in_progress"),
        ("job", "success"),
        ("ended", "success"),
    ]
    steps = [(e.step.name, e.step.state) for e in events if isinstance(e, StepEvent)]
    assert steps[:2] == [("Set up job", "in_progress"), ("Run actions/checkout@v4", "pending")]
    assert steps[-1] == ("Complete job", "success")
    assert len(steps) == len(set(steps))


async def test_a_run_that_ended_long_ago(github: FakeGitHub, gh: GitHubJobs) -> None:
    """All that is known of it is told at once."""
    run = github.add_run(REPO, jobs=scenario.matrix(3, failing=[1]))
    events = await watched(gh, run)
    assert judge(events, run) == Verdict.FAILURE
    assert [type(event) for event in events].count(JobEvent) == 3


async def test_the_deadline_ends_each_run(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Every run has its last event, with the verdict."""
    done = github.add_run(REPO)
    stuck = github.add_run(REPO, jobs=[scenario.queued()])
    other = github.add_run("octo-org/other", jobs=[scenario.in_progress()])
    events = await watched(gh, done, stuck, other, timeout=500)
    ends = {e.ref: e.verdict for e in events if isinstance(e, RunEvent) and e.kind == "ended"}
    assert ends == {
        done.ref: Verdict.SUCCESS,
        stuck.ref: Verdict.DEADLINE,
        other.ref: Verdict.DEADLINE,
    }
    assert time.time == EPOCH + 500


async def test_a_missing_run_costs_the_others_nothing(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A run that is not there ends with its error; the others go on."""
    run = github.play(github.add_run(REPO))
    async with gh.watch([RunRef(REPO, 7), run.ref]) as watch:
        events = await take_all(watch)
    (missing,) = [event for event in events if event.ref.run_id == 7]
    match missing:
        case RunEvent(ref, None, "ended", Verdict.UNREACHABLE):
            assert ref == RunRef(REPO, 7)
            assert isinstance(missing.error, NotFoundError)
        case _:
            pytest.fail(f"{missing!r}")
    assert judge(events, run) == Verdict.SUCCESS


async def test_a_new_attempt_is_announced(github: FakeGitHub, gh: GitHubJobs) -> None:
    """With follow="run" there is one event before the jobs of the new attempt."""
    first, second = scenario.rerun_failed([scenario.failing("a"), JobSpec("b")])
    run = github.play(github.add_run(REPO, attempts=[first, AttemptSpec(second.jobs, after=1)]))
    events = await watched(gh, run, interval=50, follow="run")
    assert judge(events, run) == Verdict.SUCCESS
    kinds = [e.kind if isinstance(e, RunEvent) else type(e).__name__ for e in events]
    at = kinds.index("new_attempt")
    assert kinds.count("new_attempt") == 1
    later = {e.job.run_attempt for e in events[at:] if isinstance(e, JobEvent)}
    before = {e.job.run_attempt for e in events[:at] if isinstance(e, JobEvent)}
    assert (before, later) == ({1}, {2})


async def test_a_superseded_attempt_has_ended(github: FakeGitHub, gh: GitHubJobs) -> None:
    """With follow="attempt" the new attempt is the end of the watch."""
    first, second = scenario.rerun_failed([scenario.failing("a")])
    run = github.play(github.add_run(REPO, attempts=[first, AttemptSpec(second.jobs, after=1)]))
    events = await watched(gh, run, interval=50)
    assert judge(events, run) == Verdict.SUPERSEDED
    assert {e.job.run_attempt for e in events if isinstance(e, JobEvent)} == {1}


async def test_jobs_on_page_2(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Every page of the list is watched."""
    jobs = [JobSpec(f"job {n}", steps=0, seconds=20) for n in range(101)]
    run = github.play(github.add_run(REPO, jobs=jobs))
    assert judge(await watched(gh, run), run) == Verdict.SUCCESS


async def test_references_of_every_kind(github: FakeGitHub, gh: GitHubJobs) -> None:
    """References may come twice, as URLs and from an async iterable; a single string is refused."""
    runs = [github.add_run(REPO) for _ in range(2)]

    async def refs() -> AsyncIterator[RunRef | str]:
        for run in (*runs, *runs):
            yield run.ref
            yield f"https://github.com/{REPO}/actions/runs/{run.id}"

    async with gh.watch(refs()) as watch:
        events = await take_all(watch)
    assert sum(isinstance(e, RunEvent) and e.kind == "ended" for e in events) == 2
    async with gh.watch([]) as watch:
        assert await take_all(watch) == []
    with pytest.raises(ConfigurationError):
        gh.watch(f"https://github.com/{REPO}/actions/runs/1")


async def test_outside_its_block(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A watch gives events inside its block only, which is entered once."""
    watch = gh.watch([github.add_run(REPO).ref])
    with pytest.raises(RuntimeError, match="async with"):
        await anext(watch)
    async with watch:
        await anext(watch)
    with pytest.raises(RuntimeError, match="async with"):
        await anext(watch)
    with pytest.raises(RuntimeError, match="entered once"):
        await watch.__aenter__()


# -- seeded plays, with faults at random places ----------------------------------------------------


def some_run(github: FakeGitHub, chance: random.Random) -> FakeRun:
    """Add a run of any kind, and play it."""
    jobs = [
        JobSpec(
            chance.choice(["build", "test", "lint"]),
            chance.choice(["success", "success", "failure", "cancelled", "timed_out"]),
            steps=chance.randrange(4),
            queued_for=chance.randrange(120),
            seconds=chance.randrange(400),
            listed_after=chance.choice([0, 0, 0, 200]),
        )
        for _ in range(101 if chance.random() < 0.02 else chance.randrange(1, 4))
    ]
    jobs += chance.choice(
        [[], [scenario.skipped()], [scenario.cancelled_before_start()], [scenario.check_run()]]
    )
    attempts = [AttemptSpec(jobs)]
    if chance.random() < 0.3:
        first, second = scenario.rerun_failed(jobs)
        attempts = [first, AttemptSpec(second.jobs, after=chance.choice([1, 30, 300]))]
    return github.play(github.add_run(f"{REPO}{chance.randrange(2)}", attempts=attempts))


def some_faults(github: FakeGitHub, time: FakeClock, chance: random.Random) -> None:
    """Fail at random places: short failures here and there, and one bad time of minutes."""
    small = [faults.bad_gateway(), faults.reset(), faults.disconnect(), faults.truncated_json()]
    small += [faults.stale(chance.randrange(1, 120)), faults.secondary_limit(retry_after=30)]
    github.fault_rate(0.2, chance.randrange(10**6), small)
    begin = time.time + chance.randrange(300)
    bad: Fault = chance.choice(
        [
            *(faults.bad_gateway(), faults.stale(90), faults.primary_limit(), faults.status(404)),
            faults.stale(30),
        ]
    )
    length = 40 if bad.name == "status 404" else 300
    github.fail("api", bad, times=None, where=lambda _: begin <= time.time < begin + length)


@pytest.mark.parametrize("seed", range(PLAYS))
async def test_a_bad_hour(
    client: MakeClient, github: FakeGitHub, time: FakeClock, seed: int
) -> None:
    """Whatever fails meanwhile, each run has its own verdict, and each change is told once."""
    chance = random.Random(seed)
    runs = [some_run(github, chance) for _ in range(chance.choice([1, 2, 5]))]
    some_faults(github, time, chance)
    options = {"follow": chance.choice(["attempt", "run"])}
    events = await watched(client(), *runs, **options)
    for run in runs:
        numbers = {
            e.run.run_attempt
            for e in events
            if isinstance(e, RunEvent) and e.ref == run.ref and e.run
        }
        last = max(n for n in numbers if n)
        verdict = judge(events, run, last=last)
        if verdict != Verdict.SUPERSEDED:
            assert verdict == judge_of(run, last)
        else:
            assert options["follow"] == "attempt"
            assert last < len(run.attempts)


def judge_of(run: FakeRun, attempt: int) -> Verdict:
    return Verdict(str(run.attempts[attempt - 1].conclusion).replace("timed_out", "failure"))


# -- the runs of a commit --------------------------------------------------------------------------


async def test_runs_that_appear_are_followed(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """The watch of a commit takes up its runs as they appear, and ends when all have ended."""
    sha = "a" * 40
    events: list[WatchEvent] = []
    added: list[FakeRun] = []
    async with gh.watch_commit(REPO, sha.upper()) as watch:
        # Nothing is there at first.
        time.time += 20
        added.append(github.play(github.add_run(REPO, head_sha=sha)))
        async for event in watch:
            events.append(event)
            if len(added) < 3 and isinstance(event, RunEvent) and event.kind == "ended":
                added.append(github.play(github.add_run(REPO, head_sha=sha, event="schedule")))
    assert len(added) == 3
    assert [judge(events, run) for run in added] == [Verdict.SUCCESS] * 3


async def test_no_run_of_a_commit(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """Where none appears within the grace that is an error, as is a list that is refused."""
    github.add_run(REPO)
    async with gh.watch_commit(REPO, "b" * 40, grace=30) as watch:
        with pytest.raises(GHJobsError, match="has appeared"):
            await anext(watch)
    assert 30 <= time.time - EPOCH < 40
    github.fail("runs", faults.bad_credentials())
    async with gh.watch_commit(REPO, "b" * 40) as watch:
        with pytest.raises(AuthError):
            await anext(watch)
    with pytest.raises(ConfigurationError, match="full id"):
        gh.watch_commit(REPO, "main")


async def test_runs_of_a_commit_that_cannot_be_listed(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A list that fails for longer than the grace does not say that there is no run."""
    run = github.play(github.add_run(REPO, jobs=[JobSpec("a", seconds=500)]))
    github.fail("runs", faults.bad_gateway(), None, where=lambda _: time.time < EPOCH + 300)
    async with gh.watch_commit(REPO, run.head_sha) as watch:
        events = await take_all(watch)
    assert judge(events, run) == Verdict.SUCCESS


async def test_no_run_of_a_commit_before_the_deadline(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A deadline within the grace ends the watch of a commit, which may still get runs."""
    github.add_run(REPO)
    async with gh.watch_commit(REPO, "c" * 40, timeout=20) as watch:
        assert await take_all(watch) == []
    assert time.time == EPOCH + 20


async def test_many_runs_of_a_commit(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Every page of their list is read."""
    sha = "d" * 40
    jobs = [JobSpec(steps=0)]
    wanted = {github.add_run(REPO, jobs=jobs, head_sha=sha).id for _ in range(105)}
    async with gh.watch_commit(REPO, sha) as watch:
        ended = [e async for e in watch if isinstance(e, RunEvent) and e.kind == "ended"]
    assert {event.ref.run_id for event in ended} == wanted


async def test_the_head_of_a_branch(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The newest commit of a branch is asked for, whatever is in its name."""
    run = github.add_run(REPO, branch="topic/a#b")
    assert await gh.get_branch_head(REPO, "topic/a#b") == run.head_sha
    with pytest.raises(NotFoundError):
        await gh.get_branch_head(REPO, "other")
    for wrong in ("", "..", "a b", "a\n"):
        with pytest.raises(ConfigurationError, match="branch"):
            await gh.get_branch_head(REPO, wrong)


async def test_the_comment_of_an_example(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Why each job failed is told, though the log of one never came."""
    path = Path(__file__).parents[2] / "examples" / "comment_on_a_commit.py"
    comment = runpy.run_path(str(path))["comment"]
    lost = JobSpec("lost", "failure", log_state="not_ready")
    run = github.play(github.add_run(REPO, jobs=[scenario.failing("a"), lost, JobSpec("b")]))
    first, *reasons = (await comment(gh, REPO, run.head_sha)).splitlines()
    assert "2 of 3 jobs failed" in first
    assert [line.partition("]")[0] for line in reasons] == ["- [a", "- [lost"]
    assert "expected 4, got 5" in reasons[0]
    assert reasons[1].endswith("unknown")
