"""Runs found and their jobs listed at the same time."""

from __future__ import annotations

from async_tools import MakeClient, take_all

from ghjobs_async.audit import AuditPlan, Counts, Feed
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"


async def test_the_time_left_is_known_early(github: FakeGitHub, client: MakeClient) -> None:
    """Once the last repository has told its number of runs, though most are still to be found."""
    for _ in range(150):
        github.add_run(REPO, jobs=1)
        github.add_run("octo-org/other", jobs=1)
    counts = Counts()
    async with client(concurrency=2) as gh:
        feed = Feed(gh, AuditPlan(repos=(REPO, "octo-org/other")), counts, lambda failure: None)
        async with feed.listings() as listings:
            known = [(counts.found, counts.expected) async for _ in listings if counts.estimated]
    assert known[0][0] < 160
    assert {expected for _, expected in known} == {300}


async def test_the_last_repository_may_have_nothing(github: FakeGitHub, client: MakeClient) -> None:
    """Where it has no runs, or cannot be searched, all is known nevertheless."""
    github.add_run(REPO, jobs=1)
    for last in ("octo-org/empty", "octo-org/missing"):
        counts = Counts()
        async with client() as gh:
            feed = Feed(gh, AuditPlan(repos=(REPO, last)), counts, lambda failure: None)
            async with feed.listings() as listings:
                assert len(await take_all(listings)) == 1
        assert counts.estimated
