"""Requests are the scarce good: the client sends no more than README says."""

from __future__ import annotations

import pytest

from ghjobs_async import Fetched, GitHubJobs, JobLog, JobRef
from ghjobs_async.testing import FakeGitHub, scenario

REPO = "octo-org/octo-repo"


@pytest.mark.parametrize(
    ("jobs", "requests"), [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3), (1000, 10)]
)
async def test_a_list_takes_a_request_for_each_hundred_jobs(jobs: int, requests: int) -> None:
    """A run's jobs cost one request for each hundred of them, and one for none."""
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        run = fake.add_run(REPO, jobs=scenario.matrix(jobs) if jobs else [])
        assert (await gh.list_jobs(run.ref)).complete
        assert fake.asked_count("api") == requests


@pytest.mark.parametrize(("runs", "requests"), [(1, 1), (99, 1), (100, 1), (250, 3), (999, 10)])
async def test_a_search_takes_a_request_for_each_hundred_runs(runs: int, requests: int) -> None:
    """A search costs one request for each hundred runs, as long as GitHub lists them all."""
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        for _ in range(runs):
            fake.add_run(REPO, jobs=0)
        found = gh.iter_runs(REPO, event="push")
        assert len([run async for run in found]) == runs
        assert found.complete
        assert fake.asked_count("api") == requests


async def test_a_split_search_takes_little_more() -> None:
    """A search that has to be split costs at most a third more than one request for a hundred."""
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        for _ in range(5000):
            fake.add_run(REPO, jobs=0)
        found = gh.iter_runs(REPO, event="push")
        assert len([run async for run in found]) == 5000
        assert found.complete
        assert fake.asked_count("api") <= 5000 / 100 * 4 / 3


async def test_an_audit_takes_what_its_parts_take() -> None:
    """Runs, pages, attempts and logs add up, and nothing else is asked."""
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        for _ in range(20):
            fake.add_run(REPO, attempts=2, jobs=scenario.matrix(120))

        async def size(log: JobLog) -> int:
            return sum([len(chunk) async for chunk in log.chunks()])

        runs = [run async for run in gh.iter_runs(REPO)]
        refs: list[JobRef] = []
        async with gh.fan_out((run.ref for run in runs), filter="all") as outcomes:
            async for outcome in outcomes:
                assert isinstance(outcome, Fetched)
                assert len(outcome.value) == 240
                refs += [JobRef(REPO, job.id) for job in outcome.value[:2]]
        async with gh.fan_out_logs(refs, size) as logs:
            assert all([isinstance(outcome, Fetched) async for outcome in logs])
        assert fake.asked_count("api") == 1 + 20 * 3 + len(refs)
        assert fake.asked_count("storage") == len(refs)
