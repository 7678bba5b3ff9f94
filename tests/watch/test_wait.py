"""Wait for a run or a job: verdicts, errors, grace, deadline."""

from __future__ import annotations

import pytest
from async_tools import EPOCH, FakeClock, MakeClient

from ghjobs_async import (
    AuthError,
    ConfigurationError,
    ForbiddenError,
    GitHubJobs,
    NotFoundError,
    RunRef,
    ServerError,
    Verdict,
)
from ghjobs_async.testing import AttemptSpec, FakeGitHub, Fault, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"


@pytest.mark.parametrize(
    ("conclusion", "verdict"),
    [
        ("success", Verdict.SUCCESS),
        ("neutral", Verdict.SUCCESS),
        ("failure", Verdict.FAILURE),
        ("startup_failure", Verdict.FAILURE),
        ("evaporated", Verdict.FAILURE),
        ("cancelled", Verdict.CANCELLED),
        ("stale", Verdict.CANCELLED),
        ("timed_out", Verdict.TIMED_OUT),
        ("action_required", Verdict.ACTION_REQUIRED),
        ("skipped", Verdict.SKIPPED),
    ],
)
async def test_a_conclusion_is_a_verdict(
    github: FakeGitHub, gh: GitHubJobs, conclusion: str, verdict: Verdict
) -> None:
    """Each conclusion of a run gives its verdict, an unknown one failure."""
    jobs = 0 if conclusion == "startup_failure" else 2
    run = github.play(github.add_run(REPO, jobs=jobs, conclusion=conclusion))
    waited = await gh.wait_for_run(run.ref)
    assert waited.verdict == verdict
    assert waited.run is not None
    assert waited.run.conclusion == conclusion
    assert waited.jobs is not None
    assert len(waited.jobs) == jobs
    assert all(job.status == "completed" for job in waited.jobs)
    assert (waited.attempt, waited.job, waited.error) == (1, None, None)
    assert conclusion in waited.reason


async def test_a_job_is_waited_for(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """The wait for a job ends with it, not with its run."""
    specs = [scenario.failing("test"), JobSpec("slow", seconds=1000)]
    run = github.play(github.add_run(REPO, jobs=specs))
    time.time += 1
    waited = await gh.wait_for_job(run.jobs[0].ref)
    assert waited.verdict == Verdict.FAILURE
    assert waited.job is not None
    assert (waited.job.name, waited.attempt, waited.run, waited.jobs) == ("test", 1, None, None)
    assert 80 <= time.time - EPOCH < 110


async def test_a_job_without_a_conclusion(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A conclusion may lag behind the status; a job that never gets one has failed."""
    job = github.add_run(REPO).jobs[0]
    job.data |= {"conclusion": None}
    waited = await gh.wait_for_job(job.ref)
    assert waited.verdict == Verdict.FAILURE
    assert "no conclusion" in waited.reason
    assert 60 <= time.time - EPOCH < 75
    assert (await gh.wait_for_job(job.ref, timeout=5)).verdict == Verdict.FAILURE


async def test_queued_for_ever_is_the_deadline(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """At the deadline, and not a second later, a verdict is returned."""
    run = github.add_run(REPO, jobs=[scenario.queued()])
    for ref_wait in (gh.wait_for_run(run.ref), gh.wait_for_job(run.jobs[0].ref)):
        begun = time.time
        waited = await ref_wait
        assert waited.verdict == Verdict.DEADLINE
        assert "queued" in waited.reason
        assert time.time == begun + 3600


async def test_no_jobs_at_the_deadline(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A run whose list of jobs stays empty has a verdict of its own."""
    run = github.add_run(
        REPO, attempts=[AttemptSpec([])], overrides={"status": "queued", "conclusion": None}
    )
    assert (await gh.wait_for_run(run.ref, timeout=300)).verdict == Verdict.NO_JOBS


async def test_the_last_answer_was_an_error(github: FakeGitHub, gh: GitHubJobs) -> None:
    """An API that is down until the deadline is unreachable, whatever was seen before."""
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    github.fail("api", faults.status(502), times=None, after=10)
    waited = await gh.wait_for_run(run.ref, timeout=300)
    assert waited.verdict == Verdict.UNREACHABLE
    assert isinstance(waited.error, ServerError)
    assert waited.run is not None
    assert "502" in waited.reason


async def test_a_run_just_dispatched_is_not_yet(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A 404 is waited out for the grace, then it is an error."""
    run = github.add_run(REPO)
    rule = github.fail("run", faults.status(404), times=None)
    with pytest.raises(NotFoundError):
        await gh.wait_for_run(run.ref, grace=40)
    assert 40 <= time.time - EPOCH < 50
    rule.stop()
    github.fail("run", faults.status(404), times=5)
    assert (await gh.wait_for_run(run.ref)).verdict == Verdict.SUCCESS


async def test_a_run_that_is_deleted(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """A run that is gone in the middle is an error, once it stays so for the grace."""
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    github.fail("run", faults.status(404), times=None, after=5)
    with pytest.raises(NotFoundError):
        await gh.wait_for_run(run.ref)
    assert time.time - EPOCH < 150


@pytest.mark.parametrize(
    ("fault", "error"),
    [(faults.bad_credentials(), AuthError), (faults.missing_permission(), ForbiddenError)],
)
@pytest.mark.parametrize("on", ["run", "jobs"])
async def test_a_refusal_is_an_error_at_once(
    github: FakeGitHub,
    gh: GitHubJobs,
    time: FakeClock,
    fault: Fault,
    error: type[Exception],
    on: str,
) -> None:
    """401 and 403 are raised, since waiting does not help."""
    run = github.add_run(REPO)
    github.fail(on, fault)
    with pytest.raises(error):
        await gh.wait_for_run(run.ref)
    assert time.time == EPOCH


async def test_a_limit_is_waited_out_up_to_the_deadline(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """A limit beyond ``max_wait`` is waited out, and reported once; the deadline ends it."""
    waits: list[object] = []
    gh = client(max_wait=5, on_wait=waits.append)
    run = github.play(github.add_run(REPO))
    github.fail("run", faults.secondary_limit(retry_after=1200), after=2)
    assert (await gh.wait_for_run(run.ref, interval=1)).verdict == Verdict.SUCCESS
    assert 1200 <= time.time - EPOCH < 1300
    assert len(waits) == 1
    github.fail("run", faults.secondary_limit(retry_after=1200))
    begun = time.time
    waited = await gh.wait_for_run(run.ref, timeout=100)
    assert waited.verdict == Verdict.UNREACHABLE
    assert time.time == begun + 100


async def test_no_wait_is_longer_than_the_deadline(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A limit that other operations would wait for does not delay the verdict."""
    run = github.add_run(REPO, jobs=[scenario.in_progress()])
    github.fail("run", faults.secondary_limit(retry_after=300), after=2)
    waited = await gh.wait_for_run(run.ref, timeout=100)
    assert waited.verdict == Verdict.UNREACHABLE
    assert time.time == EPOCH + 100


class Broken:
    """An auth object that has no key."""

    async def header(self, ask: object, clock: object) -> str:
        raise ConfigurationError("no key")

    def refused(self, header: str) -> bool:
        return False


@pytest.mark.parametrize("auth", [lambda owner: 5, Broken()])
async def test_a_wrong_configuration_is_an_error_at_once(
    github: FakeGitHub, client: MakeClient, time: FakeClock, auth: object
) -> None:
    """What the caller has to change is not waited out."""
    gh = client(auth)
    with pytest.raises(ConfigurationError):
        await gh.wait_for_run(github.add_run(REPO).ref)
    assert time.time == EPOCH


async def test_a_bad_hour_is_one_more_poll(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Five minutes of 502s, resets and half answers cost nothing but time."""
    run = github.play(github.add_run(REPO, jobs=[JobSpec(seconds=600)]))
    bad = [faults.bad_gateway(), faults.reset(), faults.truncated_json(), faults.html()]
    github.fault_rate(0.6, seed=3, faults=bad)
    waited = await gh.wait_for_run(run.ref)
    assert waited.verdict == Verdict.SUCCESS
    assert 600 < time.time - EPOCH < 1200


async def test_a_new_attempt_supersedes(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A re-run that is seen before the end of the attempt ends the wait for it."""
    first, second = scenario.rerun_failed([scenario.failing()])
    run = github.play(github.add_run(REPO, attempts=[first, AttemptSpec(second.jobs, after=1)]))
    waited = await gh.wait_for_run(run.ref, interval=100)
    assert (waited.verdict, waited.attempt) == (Verdict.SUPERSEDED, 1)
    assert "attempt 2" in waited.reason


async def test_an_attempt_that_ended_has_ended(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A run that was seen to end has its own verdict, though it is run again later."""
    run = github.play(github.add_run(REPO, attempts=scenario.rerun_failed([scenario.failing()])))
    assert (await gh.wait_for_run(run.ref)).verdict == Verdict.FAILURE
    time.time += 400
    assert (await gh.wait_for_run(run.ref)).verdict == Verdict.SUCCESS
    waited = await gh.wait_for_run(RunRef(REPO, run.id, attempt=1))
    assert (waited.verdict, waited.attempt) == (Verdict.FAILURE, 1)


async def test_every_attempt_is_followed(github: FakeGitHub, gh: GitHubJobs) -> None:
    """With follow="run" the wait goes on with the new attempt."""
    first, second = scenario.rerun_failed([scenario.failing("a"), JobSpec("b")])
    run = github.play(github.add_run(REPO, attempts=[first, AttemptSpec(second.jobs, after=1)]))
    waited = await gh.wait_for_run(run.ref, interval=50, follow="run")
    assert (waited.verdict, waited.attempt) == (Verdict.SUCCESS, 2)
    assert waited.jobs is not None
    assert [job.id for job in waited.jobs] == [job.id for job in run.jobs]


async def test_all_jobs_completed_is_not_the_end(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The run itself says when it has ended: more jobs may come."""
    specs = [JobSpec("a", seconds=10), JobSpec("b", seconds=10, listed_after=300)]
    run = github.play(github.add_run(REPO, jobs=specs))
    waited = await gh.wait_for_run(run.ref)
    assert waited.jobs is not None
    assert [job.name for job in waited.jobs] == ["a", "b"]


async def test_a_list_that_lags_is_read_again(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """A run ends with all its jobs completed, or a minute after it said so."""
    run = github.play(github.add_run(REPO))
    time.time += 90
    github.fail("jobs", faults.stale(60), times=4)
    waited = await gh.wait_for_run(run.ref)
    assert waited.jobs is not None
    assert [job.status for job in waited.jobs] == ["completed"]
    assert 1 <= time.time - EPOCH - 90 < 60
    begun = time.time
    odd = await gh.wait_for_run(
        github.add_run(
            REPO,
            jobs=[scenario.in_progress()],
            overrides={"status": "completed", "conclusion": "failure"},
        ).ref
    )
    assert odd.verdict == Verdict.FAILURE
    assert time.time == begun + 60


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": -1},
        {"grace": -1},
        {"interval": 0},
        {"budget_share": 0},
        {"budget_share": 1.5},
        {"follow": "both"},
    ],
)
async def test_arguments_are_checked(gh: GitHubJobs, wrong: dict[str, object]) -> None:
    """What cannot be is refused before any request."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        await gh.wait_for_run(REPO, 1, **wrong)  # type: ignore[arg-type]


async def test_no_wait_at_all(github: FakeGitHub, gh: GitHubJobs, time: FakeClock) -> None:
    """With a timeout of 0 there is one look."""
    run = github.add_run(REPO, jobs=[scenario.queued()])
    assert (await gh.wait_for_run(run.ref, timeout=0)).verdict == Verdict.DEADLINE
    done = github.add_run(REPO)
    assert (await gh.wait_for_run(done.ref, timeout=0)).verdict == Verdict.SUCCESS
    assert time.time == EPOCH


async def test_the_result_as_text(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Printed, it says on one short line what was waited for, and how that ended."""
    run = github.add_run(REPO, jobs=[scenario.failing("te\nst"), JobSpec("b")])
    ended = "failure, the run ended with failure: te st (failure)"
    assert str(await gh.wait_for_run(run.ref)) == f"{run.ref}: {ended}"
    told = str(await gh.wait_for_job(REPO, run.jobs[0].id))
    assert told == "job te st: failure, the job ended with failure"
    github.fail("run", faults.bad_gateway(), times=None)
    told = str(await gh.wait_for_run(run.ref, timeout=1))
    assert told.startswith("unreachable, ")
