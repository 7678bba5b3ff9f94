"""Pages of runs by windows: only what has changed comes again, and a verdict on each window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from async_tools import MakeClient, take_all

from ghjobs_async import GitHubJobs, TransportError
from ghjobs_async.listing.run_pages import KnownPage, RunPage, WindowEnd
from ghjobs_async.listing.windows import Window
from ghjobs_async.testing import FakeGitHub, faults
from ghjobs_async.testing.world.runs import FakeRun

REPO = "octo-org/octo-repo"
DAY = datetime(2026, 10, 1, tzinfo=UTC)
WINDOW = Window(DAY, DAY + timedelta(days=1, seconds=-1))


class Memory:
    """Reads windows, keeps their pages, and tells what came."""

    def __init__(self) -> None:
        self.known: dict[tuple[Window, int], KnownPage] = {}
        self.fresh: list[int] = []
        self.ends: list[WindowEnd] = []

    async def read(self, gh: GitHubJobs, *days: Window) -> Memory:
        self.fresh, self.ends = [], []
        pages = gh.iter_runs(REPO, exclude_pull_requests=True).by_window(
            days or (WINDOW,), lambda window, number: self.known.get((window, number))
        )
        found = [one for part in pages.windows() for one in await take_all(pages.read(part))]
        for one in found:
            match one:
                case RunPage(window, number, known, fresh):
                    self.known[window, number] = known
                    self.fresh += [run.id for run in fresh]
                case WindowEnd():
                    self.ends.append(one)
        return self


def fill(github: FakeGitHub, count: int, every: int = 10) -> list[FakeRun]:
    return [
        github.add_run(REPO, created_at=DAY + timedelta(seconds=n * every)) for n in range(count)
    ]


def statuses(github: FakeGitHub) -> list[int]:
    found = [one.status for one in github.requests]
    github.clear_requests()
    return found


async def test_unchanged_pages_cost_nothing(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The second reading gets 304s, no run, and the same verdict."""
    runs = fill(github, 250)
    memory = await Memory().read(gh)
    assert sorted(memory.fresh) == [run.id for run in runs]
    assert statuses(github) == [200] * 3
    (first,) = memory.ends
    assert (first.settled, first.pages, first.expected, first.got) == (True, 3, 250, 250)
    await memory.read(gh)
    assert statuses(github) == [304] * 3
    assert (memory.fresh, memory.ends) == ([], [first])


async def test_only_the_changed_page_comes_again(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A run that changes costs its own page."""
    runs = fill(github, 250)
    memory = await Memory().read(gh)
    statuses(github)
    runs[0].overrides["display_title"] = "another"
    await memory.read(gh)
    assert statuses(github) == [304, 304, 200]
    assert runs[0].id in memory.fresh
    assert len(memory.fresh) == 50
    assert memory.ends[0].settled


async def test_another_token_asks_for_everything(github: FakeGitHub, client: MakeClient) -> None:
    """An ETag is sent only with the credential that got it."""
    fill(github, 5)
    memory = await Memory().read(client("ghp_one"))
    await memory.read(client("ghp_two"))
    assert statuses(github) == [200, 200]


async def test_a_full_window_is_halved_for_good(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A window beyond the cap costs one page, once; after that its halves are asked for at once."""
    runs = fill(github, 1900, every=45)
    memory = await Memory().read(gh)
    assert sorted(memory.fresh) == [run.id for run in runs]
    assert statuses(github) == [200] * (1 + 10 + 10)
    assert all(end.settled for end in memory.ends)
    await memory.read(gh)
    assert statuses(github) == [304] * (10 + 10)
    assert memory.fresh == []


async def test_few_runs_are_one_page(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Where the runs of all days fit on a page, it is the only one; else each day has its own."""
    days = [
        Window(DAY + timedelta(days=n), DAY + timedelta(days=n + 1, seconds=-1)) for n in (1, 0)
    ]
    fill(github, 90)
    memory = await Memory().read(gh, *days)
    assert (len(memory.fresh), len(memory.ends), statuses(github)) == (90, 1, [200])
    await memory.read(gh, *days)
    assert (memory.fresh, statuses(github)) == ([], [304])
    for n in range(20):
        github.add_run(REPO, created_at=DAY + timedelta(days=1, hours=n))
    await memory.read(gh, *days)
    assert (len(memory.fresh), len(memory.ends), statuses(github)) == (110, 2, [200] * 3)
    await memory.read(gh, *days)
    assert (memory.fresh, statuses(github)) == ([], [304] * 2)


async def test_a_second_can_hold_more_than_the_cap(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What GitHub does not list is missing, and the verdict says so."""
    fill(github, 1100, every=0)
    window = Window(DAY, DAY)
    memory = await Memory().read(gh, window)
    assert len(memory.fresh) == 1000
    (end,) = memory.ends
    assert (end.settled, end.expected, end.got) == (False, 1100, 1000)


async def test_a_window_that_changes_is_read_once_more(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A run that comes between two pages shifts them: the second reading has each run once."""
    fill(github, 150)
    pages = gh.iter_runs(REPO).by_window((WINDOW,), lambda window, number: None)
    fresh: list[int] = []
    end: WindowEnd | None = None
    async for one in pages.read(WINDOW):
        if isinstance(one, WindowEnd):
            end = one
        else:
            fresh += [run.id for run in one.fresh]
            if one.number == 1 and len(github.runs) == 150:
                github.add_run(REPO, created_at=DAY + timedelta(hours=12))
    assert sorted(fresh) == sorted(run.id for run in github.runs)
    assert end is not None
    assert end.settled


async def test_an_odd_run_keeps_its_page_unsettled(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A run that cannot be decoded is reported, and its page is asked for anew."""
    runs = fill(github, 3)
    runs[1].overrides["id"] = "x"
    memory = await Memory().read(gh)
    assert [run.id for run in (runs[2], runs[0])] == memory.fresh
    (end,) = memory.ends
    assert (end.settled, len(end.undecodable)) == (False, 1)
    statuses(github)
    await memory.read(gh)
    assert set(statuses(github)) == {200}


async def test_pages_that_are_too_large_come_in_smaller_ones(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """Where GitHub fails on 100 runs, the window is read in smaller pages, without ETags."""
    fill(github, 120)
    github.fail(
        "runs",
        faults.bad_gateway(),
        times=None,
        where=lambda asked: asked.query["per_page"] == "100",
    )
    memory = await Memory().read(gh)
    assert len(memory.fresh) == 120
    assert [end.settled for end in memory.ends] == [True]
    assert {known.etag for known in memory.known.values()} == {None}


async def test_a_server_that_ignores_the_window(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Runs of another day are an error: nothing could be told from them."""
    fill(github, 3)
    other = Window(DAY - timedelta(days=9), DAY - timedelta(days=8))
    path = f"{github.base_url}/repos/{REPO}/actions/runs?per_page=100"
    github.fail("runs", faults.redirect(302, path), where=lambda asked: "created" in asked.query)
    with pytest.raises(TransportError, match="ignores created"):
        await Memory().read(gh, other)
