"""Jobs across attempts: the newest execution of each, and what a re-run inherited."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import GitHubJobs, Job, inherited, latest_jobs
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


def job(id: int, **changes: Any) -> Job:  # noqa: A002
    plain: dict[str, Any] = {"run_id": 1, "run_url": "u", "node_id": "n", "head_sha": "s"}
    plain |= {"url": "u", "name": "build", "check_run_url": "c", "status": "completed"}
    plain |= {"run_attempt": 1, "started_at": START, "completed_at": START + timedelta(seconds=id)}
    return Job(id=id, **(plain | changes))


# Each attempt of a run as the names of its jobs; names repeat.
attempts = st.lists(st.lists(st.sampled_from("abc"), max_size=6), min_size=1, max_size=4)


@given(attempts, st.randoms(use_true_random=False))
def test_the_newest_attempt_of_each_name_counts(
    names: list[list[str]], chance: random.Random
) -> None:
    """Each name has its jobs of the last attempt that lists it, in whatever order they come."""
    numbered = [(n, name) for n, listed in enumerate(names, 1) for name in listed]
    jobs = [job(i, name=name, run_attempt=n) for i, (n, name) in enumerate(numbered, 1)]
    shuffled = chance.sample(jobs, len(jobs))
    found = latest_jobs(shuffled)
    last = {name: n for n, name in numbered}
    wanted = Counter(name for n, name in numbered if n == last[name])
    assert Counter(job.name for job in found) == wanted
    assert all(job.run_attempt == last[job.name] for job in found)
    assert list(found) == sorted(found, key=lambda job: job.id)
    assert set(found) <= set(jobs)


@given(st.permutations(["queued", "in_progress", "completed"]))
def test_two_answers_about_one_job_count_once(states: list[str]) -> None:
    """The same id in the same attempt is one job, as far as it has come."""
    (found,) = latest_jobs(job(7, status=status) for status in states)
    assert found.status == "completed"


def test_runs_do_not_mix() -> None:
    """Jobs of several runs with the same name are kept for each run."""
    one, other = job(1), job(2, run_id=2, run_attempt=3)
    assert latest_jobs([other, one]) == (one, other)
    assert not inherited(attrs.evolve(other, completed_at=one.completed_at), [one])


def test_servers_without_attempts() -> None:
    """Where a server sends no attempt, all jobs are of one."""
    assert len(latest_jobs([job(1, run_attempt=None), job(2)])) == 2


async def test_a_rerun_of_failed_jobs(github: FakeGitHub, gh: GitHubJobs) -> None:
    """As GitHub lists them: what ran again is new, the others are inherited, each once."""
    specs = [JobSpec("same"), scenario.failing("same"), JobSpec("docs"), scenario.skipped()]
    run = github.add_run("octo-org/octo-repo", attempts=scenario.rerun_failed(specs))
    every = await gh.list_jobs(run.ref, filter="all")
    latest = await gh.list_jobs(run.ref)
    assert latest_jobs(reversed(every)) == latest.jobs
    assert [inherited(job, every) for job in latest] == [True, False, True, True]
    assert not any(inherited(job, every) for job in every if job.run_attempt == 1)


@given(
    st.sampled_from(
        [
            {"name": "other"},
            {"started_at": START + timedelta(seconds=1)},
            {"completed_at": START},
            {"completed_at": None, "status": "in_progress"},
            {"runner_id": 2},
            {"runner_name": "another"},
            {"run_attempt": 1},
        ]
    ),
    st.booleans(),
)
def test_only_the_same_execution_is_inherited(change: dict[str, Any], same_id: bool) -> None:
    """Another name, time, runner or the same attempt is no inheritance; the id does not matter."""
    before = job(1, runner_id=1, runner_name="one")
    copy = attrs.evolve(before, id=1 if same_id else 2, run_attempt=2)
    assert inherited(copy, [copy, before])
    assert not inherited(attrs.evolve(copy, **change), [before])
