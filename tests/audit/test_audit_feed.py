"""Runs found and their jobs listed at the same time."""

from __future__ import annotations

from async_tools import MakeClient, take_all

from ghjobs_async.audit import AuditPlan, Feed, Tally
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"


async def test_the_time_left_is_known_early(github: FakeGitHub, client: MakeClient) -> None:
    """Once the last repository has told its number of runs, though most are still to be found."""
    for _ in range(150):
        github.add_run(REPO, jobs=1)
        github.add_run("octo-org/other", jobs=1)
    tally = Tally()
    async with client(concurrency=2) as gh:
        feed = Feed(gh, AuditPlan(repos=(REPO, "octo-org/other")), tally, lambda failure: None)
        async with feed.listings() as listings:
            known = [
                (tally.total.found, tally.total.expected) async for _ in listings if tally.estimated
            ]
    assert known[0][0] < 160
    assert {expected for _, expected in known} == {300}


async def test_the_last_repository_may_have_nothing(github: FakeGitHub, client: MakeClient) -> None:
    """Where it has no runs, or cannot be searched, all is known nevertheless."""
    github.add_run(REPO, jobs=1)
    for last in ("octo-org/empty", "octo-org/missing"):
        tally = Tally()
        async with client() as gh:
            feed = Feed(gh, AuditPlan(repos=(REPO, last)), tally, lambda failure: None)
            async with feed.listings() as listings:
                assert len(await take_all(listings)) == 1
        assert tally.estimated
