"""Searches for runs: windows of time, and beyond the cap of a thousand results."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from async_tools import EPOCH, FakeClock, MakeClient
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import ConfigurationError, GitHubJobs
from ghjobs_async.listing.windows import SPAN, Window, days
from ghjobs_async.testing import FakeGitHub, faults

REPO = "octo-org/octo-repo"
NOW = datetime.fromtimestamp(EPOCH, UTC)
DAY = datetime(2026, 10, 1, tzinfo=UTC)
END = DAY + timedelta(days=1, seconds=-1)
SECOND = timedelta(seconds=1)
moments = st.integers(1_546_300_800, 1_861_920_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("2026-10-01", Window(DAY, END)),
        ("2026-10-01..2026-10-01", Window(DAY, END)),
        ("2026-10-01T12:00:00Z", Window(DAY + timedelta(hours=12), DAY + timedelta(hours=12))),
        ("2026-10-01T14:00:00+02:00..*", Window(DAY + timedelta(hours=12), None)),
        ("*..2026-10-01", Window(None, END)),
        ("*..*", Window(None, None)),
        (">=2026-10-01", Window(DAY, None)),
        (">2026-10-01", Window(END + SECOND, None)),
        ("<=2026-10-01", Window(None, END)),
        ("<2026-10-01", Window(None, DAY - SECOND)),
        ("7d", Window(NOW - timedelta(days=7), None)),
        ("24h", Window(NOW - timedelta(hours=24), None)),
    ],
)
def test_windows_are_github_s(text: str, window: Window) -> None:
    """Every form of GitHub's date syntax is read."""
    assert Window.parse(text, NOW) == window


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-10-01..",
        "..",
        "=2026-10-01",
        "2026-02-30",
        "<<2026",
        "7y",
        "d",
    ],
)
def test_other_windows_are_refused(text: str) -> None:
    """What is no window is said."""
    with pytest.raises(ConfigurationError, match="created reads"):
        Window.parse(text, NOW)


@given(moments, st.integers(0, 10**8), st.lists(moments, max_size=5))
def test_two_halves_are_one_whole(start: datetime, length: int, newest: list[datetime]) -> None:
    """Splitting loses no second and counts none twice; it ends at a single second."""
    window = Window(start, start + timedelta(seconds=length))
    parts = window.split(newest, NOW)
    if length == 0:
        assert parts is None
        return
    assert parts is not None
    older, newer = parts
    assert (older.start, newer.end) == (window.start, window.end)
    assert older.end is not None
    assert newer.start == older.end + SECOND
    assert older.start is not None
    assert older.start <= older.end
    assert newer.end is not None
    assert newer.start <= newer.end


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (Window(DAY, END), DAY - SECOND, END + SECOND),
        (Window(DAY, None), DAY - SECOND, NOW + timedelta(days=999)),
        (Window(None, END), NOW - timedelta(days=9999), END + SECOND),
    ],
)
def test_a_window_holds_what_lies_in_it(window: Window, first: datetime, last: datetime) -> None:
    """Give or take a second, and without an end where it is open."""
    assert window.holds(first)
    assert window.holds(last)
    assert window.holds(first - SECOND) is (window.start is None)
    assert window.holds(last + SECOND) is (window.end is None)


def test_an_open_window_stays_open() -> None:
    """Its parts are open where it is: the server's clock may be ahead, and no run is left out."""
    parts = Window().split([], NOW)
    assert parts is not None
    assert (parts[0].start, parts[1].end) == (None, None)
    assert str(parts[0]).startswith("<=")
    assert str(parts[1]).startswith(">=")


async def test_runs_of_a_server_whose_clock_is_ahead(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Runs that were created in our future are found like all others, however often it splits."""
    for _ in range(1200):
        github.add_run(REPO, jobs=0, created_at=datetime.fromtimestamp(time.now() + 3600, UTC))
    for _ in range(1200):
        github.add_run(REPO, jobs=0, created_at=datetime.fromtimestamp(time.now() + 7200, UTC))
    search = gh.iter_runs(REPO, event="push")
    assert len([run async for run in search]) == 2000
    assert not search.complete  # 1,200 in one second are more than GitHub lists
    assert search.total_count == 2400


async def test_runs_are_found_newest_first(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Without any filter all are listed; once through, the search says that it found all."""
    runs = [github.add_run(REPO, jobs=0) for _ in range(230)]
    search = gh.iter_runs(REPO)
    found = [run.id async for run in search]
    assert found == [run.id for run in reversed(runs)]
    assert (search.complete, search.got, search.total_count) == (True, 230, 230)


async def test_a_search_may_be_peeked_at(github: FakeGitHub, gh: GitHubJobs) -> None:
    """One request gives the total and the newest runs; the search itself has not begun by that."""
    runs = [github.add_run(REPO, jobs=0) for _ in range(230)]
    search = gh.iter_runs(REPO)
    assert search.known_total() is None
    total, newest = await search.peek()
    assert (total, [run.id for run in newest]) == (230, [run.id for run in runs[:-101:-1]])
    assert (len(github.requests), search.got) == (1, 0)
    assert len([run async for run in search]) == search.known_total() == 230


async def test_filters_are_github_s(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Each filter is sent under GitHub's own name."""
    github.add_run(REPO, branch="dev", event="push", actor="hubot", conclusion="failure")
    github.add_run(REPO)
    search = gh.iter_runs(
        REPO,
        workflow="ci.yml",
        branch="dev",
        event="push",
        actor="hubot",
        status="failure",
        exclude_pull_requests=True,
    )
    assert len([run async for run in search]) == 1
    asked = github.requests[0]
    assert asked.path.endswith("/actions/workflows/ci.yml/runs")
    expected = {"branch": "dev", "event": "push", "actor": "hubot", "status": "failure"}
    assert expected.items() <= asked.query.items()
    assert asked.query["exclude_pull_requests"] == "true"


@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize("spread", [0, 1, 600])
async def test_beyond_the_cap(
    github: FakeGitHub, gh: GitHubJobs, spread: int, *, capped: bool
) -> None:
    """A search with more than a thousand results is split until it has them all, each once."""
    github.api.capped_total = capped
    start = NOW - timedelta(days=20)
    runs = [
        github.add_run(REPO, jobs=0, created_at=start + timedelta(seconds=(n // 3) * (spread or 1)))
        for n in range(2300)
    ]
    search = gh.iter_runs(REPO, event="push")
    found = [run.id async for run in search]
    assert len(found) == len(set(found))
    assert set(found) == {run.id for run in runs}
    assert search.complete


async def test_a_long_list_without_filter_is_split_too(
    github: FakeGitHub, gh: GitHubJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts have a filter, and so the cap that all such searches have."""
    monkeypatch.setattr("ghjobs_async.listing.run_search._MAX_UNFILTERED", 1500)
    start = NOW - timedelta(days=20)
    for n in range(2300):
        github.add_run(REPO, jobs=0, created_at=start + timedelta(seconds=n * n // 3))
    search = gh.iter_runs(REPO)
    assert len([run async for run in search]) == 2300
    assert search.complete


async def test_a_second_that_holds_too_many_is_said(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What cannot be split further comes as far as GitHub gives it, and `complete` is False."""
    for _ in range(1100):
        github.add_run(REPO, jobs=0, created_at=NOW - timedelta(hours=1))
    search = gh.iter_runs(REPO, event="push")
    found = [run.id async for run in search]
    assert len(found) == 1000
    assert (search.complete, search.total_count) == (False, 1100)


async def test_a_search_may_be_left(github: FakeGitHub, gh: GitHubJobs) -> None:
    """It holds nothing between its runs, and goes on where it was left."""
    for _ in range(5):
        github.add_run(REPO, jobs=0)
    search = gh.iter_runs(REPO)
    first = [(await anext(search)).id for _ in range(2)]
    rest = [run.id async for run in search]
    assert len({*first, *rest}) == 5


async def test_a_big_listing_steps_down(github: FakeGitHub, client: MakeClient) -> None:
    """Lists of runs have their own page size, apart from that of jobs."""
    for _ in range(120):
        github.add_run(REPO, jobs=0)
    github.fail("runs", faults.bad_gateway(min_per_page=60), times=None)
    gh = client()
    assert len([run async for run in gh.iter_runs(REPO)]) == 120
    assert {one.query["per_page"] for one in github.requests} == {"100", "50"}


async def test_created_may_be_an_age(github: FakeGitHub, gh: GitHubJobs) -> None:
    """``created="7d"`` searches everything since seven days ago, in GitHub's own syntax."""
    github.add_run(REPO)
    assert len([run async for run in gh.iter_runs(REPO, created="7d")]) == 1
    since = NOW - timedelta(days=7)
    assert github.requests[0].query["created"] == f">={since:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(("status", "hint"), [("failed", "failure"), ("nope", "use one of")])
def test_an_unknown_status_is_refused(gh: GitHubJobs, status: str, hint: str) -> None:
    """GitHub answers a mistyped status with an empty list, which looks like a clean result."""
    with pytest.raises(ConfigurationError, match=hint):
        gh.iter_runs(REPO, status=status)


# Windows that stay the same.


@given(moments, st.integers(0, 3000))
def test_days_cover_the_time_once(end: datetime, back: int) -> None:
    """Whole days, each in one window, and in no more windows than some seventy."""
    start = max(end - timedelta(days=back), datetime(2018, 10, 16, tzinfo=UTC))
    windows = list(days(start, end))
    bounds = [(window.start, window.end) for window in reversed(windows)]
    assert all(first and first.time() == time() for first, _ in bounds)
    assert [last + SECOND for _, last in bounds[:-1] if last] == [first for first, _ in bounds[1:]]
    assert bounds[0][0] == start.replace(hour=0, minute=0, second=0)
    assert bounds[-1][1] == end.replace(hour=23, minute=59, second=59)
    assert len(windows) < 2 * SPAN + 16


@given(moments)
def test_recent_days_stay_windows(now: datetime) -> None:
    """What was searched day by day is searched by the same days the next day, whatever the start."""
    single = {w for w in days(now - timedelta(days=30), now) if w in set(days(None, now))}
    assert len(single) == 31
    assert set(days(now - timedelta(days=29), now + timedelta(days=1))) >= {
        window for window in single if window.start and window.start > now - timedelta(days=30)
    }


def test_older_days_are_searched_together() -> None:
    """Without a start there are few windows, and the old ones are the same next month."""
    windows = list(days(None, NOW))
    assert len(windows) < 70
    assert len(set(windows) & set(days(None, NOW + timedelta(days=1)))) == len(windows)


@given(moments, st.integers(1, 100_000_000))
def test_halves_are_the_whole(start: datetime, length: int) -> None:
    """The halves join without a gap; days are divided between two days."""
    window = Window(start, start + timedelta(seconds=length))
    older, newer = window.halves() or (Window(), Window())
    assert older.end is not None
    assert newer.start == older.end + SECOND
    assert (older.start, newer.end) == (window.start, window.end)
    assert older.start is not None
    assert older.start <= older.end


def test_days_are_divided_between_days() -> None:
    """Half of three days is whole days; half of a day is twelve hours."""
    three = Window(DAY, DAY + timedelta(days=3) - SECOND)
    assert three.halves() == (Window(DAY, END), Window(END + SECOND, three.end))
    assert Window(DAY, END).halves() == (
        Window(DAY, DAY + timedelta(hours=12) - SECOND),
        Window(DAY + timedelta(hours=12), END),
    )
    assert Window(DAY, DAY).halves() is None
