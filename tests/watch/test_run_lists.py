"""Which list of runs tells about which run, without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from async_tools import EPOCH

from ghjobs_async import Repository, Run, RunRef
from ghjobs_async.listing.pages import Listing
from ghjobs_async.watch.run_lists import RunList, RunLists
from ghjobs_async.watch.trackers import RunTracker

REPO = "octo-org/octo-repo"
BEGIN = datetime.fromtimestamp(EPOCH, UTC)


def run(number: int, created: int) -> Run:
    return Run(
        id=number,
        node_id="n",
        head_sha="s",
        run_number=number,
        event="push",
        status="queued",
        workflow_id=1,
        url="u",
        created_at=BEGIN + timedelta(seconds=created),
        repository=Repository(id=1, full_name=REPO),
    )


def listing(runs: list[Run], total: int) -> Listing[Run]:
    return Listing(tuple(runs), total, (), settled=True)


def trackers(*numbers: int) -> dict[int, RunTracker]:
    return {number: RunTracker(RunRef(REPO, number), EPOCH) for number in numbers}


def read(lists: RunLists, page: int, known: dict[int, RunTracker], newest: int = 500) -> RunList:
    """Read the list at that place, of runs 1 to *newest*, one a second: 100 on a page."""
    run_list = lists.all[page]
    until = newest if run_list.until is None else int((run_list.until - BEGIN).total_seconds())
    first = max(1, until - 99)
    lists.tell(run_list, listing([run(n, n) for n in range(first, until + 1)], until), known, EPOCH)
    return run_list


def test_older_runs_have_lists_that_are_closed_to_new_ones() -> None:
    """Lists follow one another until each run is in one, and each has an address that stays."""
    lists, known = RunLists(REPO), trackers(*range(211, 501, 10))
    for page in range(3):
        assert len(lists.all) == page + 1
        read(lists, page, known)
    assert lists.shown() == known.keys()
    assert len(lists.all) == 3
    created = [lists.query(run_list).get("created") for run_list in lists.all]
    assert created[0] is None
    assert created[1] == f"<={BEGIN + timedelta(seconds=401):%Y-%m-%dT%H:%M:%SZ}"


def test_what_is_pushed_off_the_first_page_gets_a_list() -> None:
    """New runs push watched ones off the list of the newest: one more list then tells of them."""
    lists, known = RunLists(REPO), trackers(410, 420, 430)
    read(lists, 0, known)
    assert len(lists.all) == 1
    read(lists, 0, known, newest=600)
    assert lists.shown() == set()
    read(lists, 1, known, newest=600)
    assert lists.shown() == known.keys()


def test_a_list_for_few_is_not_worth_it() -> None:
    """A list that would tell about one of many runs is dropped, and never made again."""
    lists, known = RunLists(REPO), trackers(5, *range(450, 500))
    read(lists, 0, known)
    assert len(lists.all) == 2
    read(lists, 1, known)
    assert len(lists.all) == 1
    read(lists, 0, known)
    assert len(lists.all) == 1


def test_runs_of_one_second_end_the_lists() -> None:
    """Where a whole page was created in one second there is no older list: no endless row of them."""
    lists, known = RunLists(REPO), trackers(*range(1, 151))
    page = listing([run(n, 7) for n in range(51, 151)], 150)
    lists.tell(lists.all[0], page, known, EPOCH)
    assert len(lists.all) == 2
    lists.tell(lists.all[1], page, known, EPOCH)
    assert len(lists.all) == 2
    lists.tell(lists.all[0], page, known, EPOCH)
    assert len(lists.all) == 2


def test_what_no_list_has_makes_none() -> None:
    """A run that is in no list at all, since it is gone, is looked for once only."""
    lists, known = RunLists(REPO), trackers(7, 450, 460, 470)
    lists.tell(lists.all[0], listing([run(n, n) for n in (450, 460, 470)], 3), known, EPOCH)
    assert len(lists.all) == 1
