"""What watching costs: conditional requests, a share of the budget, one list for many runs."""

from __future__ import annotations

from collections import Counter
from time import thread_time

import pytest
from async_tools import EPOCH, FakeClock, MakeClient, take_all
from told import judge

from ghjobs_async import GitHubJobs, JobEvent, RunEvent, RunRef, Verdict, Wait
from ghjobs_async.testing import FakeGitHub, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"


def paid(github: FakeGitHub) -> list[str]:
    """Return what was asked and was answered 200."""
    return [
        f"{asked.path}?{asked.query.get('page')}&{asked.query.get('created')}"
        for asked in github.requests
        if asked.status == 200
    ]


async def test_an_unchanged_run_costs_nothing(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """An hour's wait for a run that does not move costs its first two answers."""
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    assert (await gh.wait_for_run(run.ref)).verdict == Verdict.DEADLINE
    assert len(paid(github)) == 2
    assert gh.stats.not_modified > 300


async def test_no_answer_is_paid_for_twice(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Each 200 is a new version of its URL, from one watch to the next too."""
    runs = [github.play(github.add_run(REPO, jobs=2)) for _ in range(5)]
    refs = [run.ref for run in runs]
    async with gh.watch(refs) as events:
        await take_all(events)
    before = len(paid(github))
    async with gh.watch(refs) as events:
        await take_all(events)
    again = paid(github)[before:]
    # What the lists told was never asked of the runs themselves: only that is new.
    alone = {f"/api/v3/repos/{REPO}/actions/runs/{run.id}?None&None" for run in runs}
    assert set(again) <= alone
    assert len(again) == len(set(again))
    assert github.budget.window("Bearer ghp_secret").used == len(paid(github))


async def test_many_queued_runs(github: FakeGitHub, client: MakeClient, time: FakeClock) -> None:
    """A queue in a quiet repository costs each of its URLs once, and lists tell about all of it."""
    runs = [github.add_run(REPO, jobs=[scenario.queued()]) for _ in range(120)]
    gh = client(requests_per_minute=900)
    async with gh.watch([run.ref for run in runs], timeout=600) as watch:
        events = await take_all(watch)
    ends = [event.verdict for event in events if isinstance(event, RunEvent) and event.verdict]
    assert ends == [Verdict.DEADLINE] * 120
    assert time.time == EPOCH + 600
    answers = paid(github)
    assert len(answers) == len(set(answers))
    # Ten minutes, at a fifth of 5,000 an hour.
    assert len(answers) <= 100 + 150


async def test_lists_follow_one_another(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Runs behind the first page of the list are found by closed windows of their creation."""
    runs = []
    for _ in range(120):
        runs.append(github.play(github.add_run(REPO)))
        time.time += 1
    async with gh.watch([run.ref for run in runs], budget_share=1) as watch:
        events = await take_all(watch)
    verdicts = [event.verdict for event in events if isinstance(event, RunEvent) and event.verdict]
    assert verdicts == [Verdict.SUCCESS] * 120
    lists = {asked.query.get("created") for asked in github.requests if asked.operation == "runs"}
    assert len(lists) == 2
    alone = [asked for asked in github.requests if asked.operation == "run"]
    assert len(alone) < 10


async def test_a_run_among_strangers(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """Runs that new ones push off the list are still watched."""
    runs = [github.play(github.add_run(REPO, jobs=[JobSpec(seconds=900)])) for _ in range(3)]
    async with gh.watch([run.ref for run in runs]) as watch:
        found = [await anext(watch) for _ in range(9)]
        for _ in range(150):
            time.time += 1
            github.play(github.add_run(REPO))
        events = found + await take_all(watch)
    assert [judge(events, run) for run in runs] == [Verdict.SUCCESS] * 3
    assert time.time - EPOCH < 1000


async def test_a_run_that_the_list_no_longer_has(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A run that is gone from the list is looked at by itself at once, and ends after the grace."""
    runs = [github.add_run(REPO, jobs=[scenario.queued()]) for _ in range(4)]
    gone = runs[0]
    ended = {}
    async with gh.watch([run.ref for run in runs], timeout=280) as watch:
        await anext(watch)
        github.repo(REPO).newest_first.remove(gone)
        del github.runs_by_id[gone.id]
        async for event in watch:
            if isinstance(event, RunEvent) and event.kind == "ended":
                ended[event.ref] = (event.verdict, time.time - EPOCH)
    verdict, after = ended.pop(gone.ref)
    assert verdict == Verdict.UNREACHABLE
    assert 60 <= after < 100
    assert {verdict for verdict, _ in ended.values()} == {Verdict.DEADLINE}


async def test_a_list_that_is_refused(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Where runs cannot be listed, each is looked at by itself."""
    runs = [github.play(github.add_run(REPO)) for _ in range(3)]
    github.fail("runs", faults.missing_permission(), times=None)
    async with gh.watch([run.ref for run in runs]) as watch:
        events = await take_all(watch)
    assert [judge(events, run) for run in runs] == [Verdict.SUCCESS] * 3


@pytest.mark.parametrize(
    ("on", "lasts", "verdict"),
    [
        ("runs", 5, Verdict.DEADLINE),
        ("runs", None, Verdict.SUCCESS),
        ("api", None, Verdict.UNREACHABLE),
    ],
)
async def test_a_list_that_fails(
    github: FakeGitHub,
    client: MakeClient,
    time: FakeClock,
    on: str,
    lasts: int | None,
    verdict: Verdict,
) -> None:
    """A failure of the list is waited out once for all; at the deadline each run is asked itself."""
    waits: list[Wait] = []
    # They end while the list fails, but for those that are waited for beyond the deadline.
    jobs = [JobSpec(queued_for=100 if lasts is None else 900, seconds=9, steps=0)]
    runs = [github.play(github.add_run(REPO, jobs=jobs)) for _ in range(5)]
    gh = client(on_wait=waits.append)
    async with gh.watch([run.ref for run in runs], timeout=250) as watch:
        events = [await anext(watch) for _ in range(5)]
        github.fail(on, faults.status(500), times=lasts, where=lambda _: time.time > EPOCH + 30)
        events += await take_all(watch)
    ends = [event for event in events if isinstance(event, RunEvent) and event.kind == "ended"]
    assert [event.verdict for event in ends] == [verdict] * 5
    assert {wait.reason for wait in waits} == {"retry after 500"}
    assert len(waits) < 20


async def test_a_list_that_never_changes(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Each run is also looked at by itself every five minutes, whatever the list says."""
    runs = [github.play(github.add_run(REPO)) for _ in range(3)]
    github.fail("runs", faults.stale(10**6), times=None)
    async with gh.watch([run.ref for run in runs]) as watch:
        events = await take_all(watch)
    assert [judge(events, run) for run in runs] == [Verdict.SUCCESS] * 3
    assert time.time - EPOCH < 400


async def test_the_list_is_read_at_the_deadline(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """What ended just before the deadline has its own verdict."""
    jobs = [JobSpec(queued_for=290, seconds=5, steps=0)]
    runs = [github.play(github.add_run(REPO, jobs=jobs)) for _ in range(3)]
    async with gh.watch([run.ref for run in runs], timeout=299) as watch:
        events = await take_all(watch)
    assert [judge(events, run) for run in runs] == [Verdict.SUCCESS] * 3


async def test_a_sweep_every_five_minutes(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What waits in a queue is asked by itself every five minutes, and else only in the list."""
    runs = [github.add_run(REPO, jobs=[scenario.queued()]) for _ in range(3)]
    async with gh.watch([run.ref for run in runs], timeout=1700) as watch:
        await take_all(watch)
    alone = [asked for asked in github.requests if asked.operation == "run"]
    # Five sweeps, and the look at the deadline, for which the list is enough.
    assert len(alone) == 5 * 3


async def test_a_limit_is_reported_once(github: FakeGitHub, client: MakeClient) -> None:
    """However many runs have to wait for a limit, that is one wait."""
    waits: list[object] = []
    refs = [github.play(github.add_run(f"{REPO}{n}")).ref for n in range(5)]
    github.fail("run", faults.secondary_limit(retry_after=100), after=5)
    async with client(on_wait=waits.append).watch(refs) as watch:
        await take_all(watch)
    assert len(waits) == 1


async def test_a_share_of_the_budget(github: FakeGitHub, client: MakeClient) -> None:
    """No more requests that cost budget are sent in an hour than the share allows."""
    github.budget.limit = 200
    for n in range(30):
        github.play(github.add_run(f"{REPO}{n}", jobs=[JobSpec(seconds=3000)]))
    async with client().watch([run.ref for run in github.runs], timeout=3500) as watch:
        await take_all(watch)
    used = github.budget.window("Bearer ghp_secret").used
    assert 30 <= used <= 42


async def test_errors_cost_budget_too(github: FakeGitHub, client: MakeClient) -> None:
    """A 404 is paid for like any answer, so it counts."""
    github.budget.limit = 200
    missing = [RunRef(github.add_run(f"{REPO}{n}").repo, 7) for n in range(10)]
    async with client().watch(missing, timeout=3500, grace=3600) as watch:
        await take_all(watch)
    assert 10 <= github.budget.window("Bearer ghp_secret").used <= 42


async def test_failing_lists_of_jobs_are_left_alone(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The list of runs tells often that a run goes on; what fails is asked less often than that."""
    runs = [github.add_run(REPO, jobs=[scenario.in_progress()]) for _ in range(3)]
    github.fail("jobs", faults.status(500), times=None)
    async with gh.watch([run.ref for run in runs], timeout=600) as watch:
        await take_all(watch)
    asked = Counter(asked.operation for asked in github.requests)
    assert asked["jobs"] / 3 < 30 < asked["runs"]


async def test_an_interval_is_kept(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """An interval of the caller's is the pace, whatever the budget says."""
    github.budget.limit = 60
    run = github.play(github.add_run(REPO, jobs=[JobSpec(seconds=40)]))
    await gh.wait_for_run(run.ref, interval=1)
    looks = [asked for asked in github.requests if asked.operation == "run"]
    assert 45 <= len(looks) <= 50


async def test_a_poll_of_an_unchanged_run_is_cheap(github: FakeGitHub, gh: GitHubJobs) -> None:
    """An unchanged answer is neither decoded nor compared: what it holds is what was told."""
    run = github.add_run(REPO, jobs=[scenario.in_progress()] * 100)
    async with gh.watch([run.ref], timeout=600) as watch:
        events = await take_all(watch)
    assert sum(isinstance(event, JobEvent) for event in events) == 100
    assert len(paid(github)) == 2


async def test_a_poll_takes_below_a_millisecond(time: FakeClock) -> None:
    """A poll of an unchanged run, which is two requests, takes below 1 ms of this thread's CPU."""
    polls = 100
    with FakeGitHub() as github:
        run = github.add_run(REPO, jobs=[scenario.in_progress()] * 10)
        async with GitHubJobs("x", base_url=github.base_url, clock=time.clock) as gh:
            best = 1.0
            for _ in range(4):
                begun = thread_time()
                await gh.wait_for_run(run.ref, timeout=polls, interval=1)
                best = min(best, (thread_time() - begun) / polls)
            assert gh.stats.not_modified >= 4 * 2 * polls - 2
    assert best < 0.001
