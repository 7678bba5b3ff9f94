"""What a timeline shows: when jobs waited and worked, in which row, and the critical path."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import START, at, forty_jobs, job, many_jobs, odd_jobs, skipped, step, three_jobs

from ghjobs_async import Job
from ghjobs_async.audit.gantt.axis import Lane, lanes, texts
from ghjobs_async.audit.gantt.chart import Bar, Chart, Span, chart

EPOCH = START.timestamp()


def bar_of(one: Job, now: datetime | None = None) -> Bar:
    [bar] = chart([one], now).bars
    return bar


def shifted(span: Span | None) -> tuple[float, float] | None:
    """Return a span in seconds after `START`."""
    return None if span is None else (span.start - EPOCH, span.end - EPOCH)


def paths(*jobs: Job) -> list[list[str]]:
    return [[bar.job.name for bar in attempt.path] for attempt in chart(jobs).attempts]


# Waiting and work.


@pytest.mark.parametrize(
    ("one", "waiting", "work"),
    [
        pytest.param(job(1, wait=5, seconds=60), (0, 5), (5, 65), id="plain"),
        pytest.param(job(1, wait=0), None, (0, 60), id="no wait"),
        pytest.param(job(1, created=None), None, (5, 65), id="older server"),
        pytest.param(job(1, wait=30, seconds=-20), (0, 30), (30, 30), id="ended before it began"),
        pytest.param(job(1, wait=-30, seconds=60), None, (-30, 30), id="began before creation"),
        pytest.param(job(1, seconds=0, steps=1), (0, 5), (5, 5), id="no time"),
        pytest.param(job(1, completed_at=at(366 * 86_400)), None, (366 * 86_400,) * 2, id="a year"),
        pytest.param(
            job(1, created_at=datetime(1, 1, 1, tzinfo=UTC)), None, (5, 65), id="year one"
        ),
        pytest.param(job(1, completed_at=None, steps=3), (0, 5), (5, 65), id="end of its steps"),
        pytest.param(
            job(1, started_at=None, steps=[step("a", 9, 20)]), (0, 9), (9, 65), id="start of steps"
        ),
        pytest.param(
            job(1, wait=0, seconds=90, steps=[step("a", 40, 90)]), (0, 40), (40, 90), id="queueing"
        ),
        pytest.param(
            job(1, state="queued", created_at=datetime(1970, 1, 1, tzinfo=UTC)),
            (5, 5),
            None,
            id="queued in 1970",
        ),
        pytest.param(skipped(1, created=7), (7, 7), None, id="skipped"),
        pytest.param(
            job(1, state="skipped", runner_id=None), (0, 0), None, id="skipped some time later"
        ),
        pytest.param(
            job(1, state="cancelled", runner_id=None, completed_at=at(50)),
            (0, 50),
            None,
            id="cancelled while it waited",
        ),
        pytest.param(
            job(1, created=None, started_at=None, completed_at=None), None, None, id="no times"
        ),
    ],
)
def test_waiting_is_told_from_work(
    one: Job, waiting: tuple[float, float] | None, work: tuple[float, float] | None
) -> None:
    """Waiting lasts from creation to the first work; wrong clocks never give negative time."""
    bar = bar_of(one)
    assert (shifted(bar.waiting), shifted(bar.work)) == (waiting, work)


@pytest.mark.parametrize(("state", "ran"), [("in_progress", True), ("queued", False)])
def test_what_has_not_ended_lasts_until_now(state: str, ran: bool) -> None:
    """A running job works until now, a queued one waits until now, whatever its start says."""
    bar = bar_of(job(1, wait=5, state=state), at(100))
    assert shifted(bar.span) == (0, 100)
    assert shifted(bar.work) == ((5, 100) if ran else None)


def test_a_job_that_runs_again_has_no_end() -> None:
    """The end that a running job still has from before does not count."""
    again = job(1, state="in_progress", completed_at=at(20))
    assert shifted(bar_of(again, at(100)).work) == (5, 100)


def test_without_a_now_the_latest_time_counts() -> None:
    """Nothing reads a clock: the latest time of the jobs stands for now."""
    bars = chart([job(1, state="in_progress"), job(2, seconds=300)]).bars
    assert {bar.job.id: shifted(bar.work) for bar in bars} == {1: (5, 305), 2: (5, 305)}


def test_odd_clocks_are_said() -> None:
    """A job whose clocks run backwards says so."""
    assert "clocks disagree" in bar_of(job(1, seconds=-3)).told
    assert "clocks disagree" in bar_of(job(1, wait=-5)).told
    assert "clocks disagree" not in bar_of(job(1)).told


def test_steps_stay_within_their_job() -> None:
    """A step whose clock is off is drawn within its job; one that never began is not drawn."""
    steps = [step("early", -50, 8), step("late", 50, 500), step("not yet", None, None)]
    bar = bar_of(job(1, wait=0, seconds=60, steps=steps))
    assert [(one.step.name, shifted(one.span)) for one in bar.steps] == [
        ("early", (0, 8)),
        ("late", (50, 60)),
    ]


# Rows.


def test_an_inherited_job_is_shown_once() -> None:
    """A job that a re-run took over, with another id and attempt, is shown in its first attempt."""
    first = job(1, "build"), job(2, "test", state="failure")
    again = (
        job(11, "build", run_attempt=2, runner_id=1),
        job(12, "test", created=900, run_attempt=2),
    )
    drawn = chart([*first, *again])
    assert [(bar.attempt, bar.job.id) for bar in drawn.bars] == [(1, 1), (1, 2), (2, 12)]
    assert [[bar.job.id for bar in row.bars] for row in drawn.rows] == [[1], [2, 12]]


def test_what_ran_again_is_no_inherited_job() -> None:
    """Another runner, start or end: the job ran again, and both are shown."""
    again = [
        job(2, run_attempt=2, runner_id=7),
        job(3, run_attempt=2, wait=6, seconds=59, runner_id=1),
        job(4, run_attempt=2, seconds=61, runner_id=1),
    ]
    assert len(chart([job(1), *again]).bars) == 4
    unknown: dict[str, Any] = {"started_at": None, "completed_at": None}
    assert len(chart([job(1, **unknown), job(2, run_attempt=2, **unknown)]).bars) == 2
    assert len(chart([skipped(1), skipped(2)]).bars) == 2


def test_a_job_listed_twice_is_shown_once() -> None:
    """The list of a re-run may hold an older job under its own id."""
    assert len(chart([job(1), job(1), job(2)]).bars) == 2


def test_equal_names_have_a_row_each() -> None:
    """Jobs of one name in one attempt are told apart; a skipped one is not taken for another."""
    drawn = chart([job(1, "same"), job(2, "same"), skipped(3, "same"), skipped(4, "same")])
    assert [[bar.job.id for bar in row.bars] for row in drawn.rows] == [[3], [4], [1], [2]]


def test_steps_across_attempts_share_a_row() -> None:
    """Where steps have rows, a step has one for all attempts, and equal names have one each."""
    steps = [step("a", 5, 9), step("a", 9, 20), step("b", 20, 65)]
    later = [step("a", 905, 910), step("b", 910, 965)]
    drawn = chart([job(1, steps=steps), job(2, created=900, steps=later, run_attempt=2)])
    [row] = drawn.rows
    assert [(one.name, len(one.bars)) for one in row.steps] == [("a", 2), ("a", 1), ("b", 2)]


# The critical path.


def test_the_critical_path_goes_back_from_the_end() -> None:
    """A job waited for the one that ended last before it was created, and so on to the first."""
    assert paths(
        job(1, "lint", seconds=20),
        job(2, "build", seconds=100),
        job(3, "docs", created=26, seconds=30),
        job(4, "test", created=106, seconds=300),
        job(5, "quick", created=106, seconds=10),
        job(6, "deploy", created=412, seconds=50),
    ) == [["build", "test", "deploy"]]


@pytest.mark.parametrize(("created", "path"), [(64, ["a", "b"]), (63, ["b"])])
def test_times_are_whole_seconds_of_two_clocks(created: float, path: list[str]) -> None:
    """A need that seems to end one second too late still counts; one that ends later does not."""
    assert paths(job(1, "a", wait=5, seconds=60), job(2, "b", created=created)) == [path]


def test_what_did_not_run_is_on_no_path() -> None:
    """Skipped jobs are on no critical path, even where they are last; each attempt has its own."""
    assert paths(
        job(1, "a"), skipped(2, "last", created=500), job(3, "b", created=900, run_attempt=2)
    ) == [["a"], ["b"]]


def test_jobs_side_by_side_are_not_each_others_needs() -> None:
    """Jobs created together, however short, are not on one path."""
    assert paths(job(1, "a", wait=0, seconds=1), job(2, "b", wait=0, seconds=1)) == [["b"]]


# Where things lie.


def test_attempts_lie_side_by_side_to_one_scale() -> None:
    """The hours between two attempts take no room, and a second is as wide in both."""
    placed = lanes(chart([job(1, seconds=595, wait=5), job(2, created=9e4, run_attempt=2)]))
    first, second = placed[1], placed[2]
    assert 0 == first.left < first.right < second.left < second.right <= 1.0001
    assert second.left - first.right < 0.05
    per_second = [
        (lane.at(span.end) - lane.at(span.start)) / span.seconds
        for lane in (first, second)
        if (span := lane.attempt.span)
    ]
    assert per_second[0] == pytest.approx(per_second[1])


def test_days_of_waiting_are_cut() -> None:
    """An approval that took days leaves the work visible; usual waiting is to scale."""
    build, deploy = job(1, seconds=100), job(2, created=106, wait=3 * 86_400, seconds=80)
    lane = lanes(chart([build, deploy]))[1]
    assert [piece.cut for piece in lane.pieces] == [False, True, False]
    assert lane.place(Span(EPOCH + 5, EPOCH + 105))[1] > 0.4
    assert not any(piece.cut for piece in lanes(chart([job(1, wait=100)]))[1].pieces)


def test_what_waits_alone_is_not_cut() -> None:
    """Where nothing has worked yet, the waiting itself is shown."""
    lane = lanes(chart([job(1, state="queued")], at(7200)))[1]
    assert lane.place(Span(EPOCH, EPOCH + 7200)) == pytest.approx((0, 1))


def test_the_axis_says_how_long_it_has_been() -> None:
    """Ticks are round, in order and start at 0; behind a cut they say the time since the start."""
    [lane] = lanes(chart([job(1, wait=0, seconds=600)])).values()
    assert [tick.text for tick in lane.ticks][:3] == ["0", "1m", "2m"]
    placed = lanes(chart([job(1), job(2, created=70, wait=3 * 86_400)]))
    assert [tick.text for tick in placed[1].ticks].count("3d") == 1
    assert [tick.text for tick in texts(placed, 0.1)[0]].count("3d") == 1


def test_the_texts_of_ticks_have_room() -> None:
    """Texts are in even steps, apart from one another, whatever is shown already."""
    placed = lanes(chart(forty_jobs()))
    wide, every = texts(placed, 0.1)
    phone, of_phone = texts(placed, 0.18, among=every)
    more, _ = texts(placed, 0.1, kept=phone)
    assert of_phone % every == 0
    assert [tick.text for tick in wide] == ["0", "0", "2m", "4m", "6m", "8m", "2m"]
    for found, least in ((wide, 0.1), (phone, 0.18), (phone + more, 0.1)):
        places = sorted(tick.at for tick in found)
        assert all(after - before >= least * 0.98 for before, after in pairwise(places))
        assert places[-1] <= 1 - least


@pytest.mark.parametrize("wait", [5, 3 * 86_400])
@pytest.mark.parametrize("first", [60, 36_000])
def test_fifty_attempts_have_room(first: float, wait: float) -> None:
    """Even the most attempts lie in order within the width, the short ones beside a long one too."""
    jobs = [job(1, seconds=first, wait=wait)]
    jobs += [job(n, created=n * 9e5, wait=wait, run_attempt=n) for n in range(2, 51)]
    placed = lanes(chart(jobs))
    edges = [edge for lane in placed.values() for edge in (lane.left, lane.right)]
    assert edges == sorted(edges)
    assert edges[-1] <= 1.0001
    assert all(lane.right - lane.left > 0.005 for lane in placed.values())


times = st.none() | st.sampled_from([at(n) for n in (-9e8, -60, 0, 1, 59, 60, 61, 3600, 9e5, 9e9)])
fields = st.fixed_dictionaries(
    {
        "created_at": times,
        "started_at": times,
        "completed_at": times,
        "status": st.sampled_from(["completed", "in_progress", "queued", "odd"]),
        "conclusion": st.sampled_from(["success", "failure", "skipped", None]),
        "run_attempt": st.sampled_from([None, 1, 2, 3]),
        "runner_id": st.sampled_from([None, 1]),
        "name": st.sampled_from(["a", "b"]),
        "steps": st.lists(st.builds(step, st.just("s"), st.just(3), st.just(70)), max_size=2),
    }
)


def whole(made: list[dict[str, object]]) -> Chart:
    return chart([job(n + 1, **one) for n, one in enumerate(made)])  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(fields, max_size=8))
def test_whatever_the_clocks_say(made: list[dict[str, object]]) -> None:
    """Every bar lies within its attempt's part of the width, and paths never go back in time."""
    drawn = whole(made)
    placed = lanes(drawn)
    assert {bar.attempt for bar in drawn.bars if bar.span} == set(placed)
    for bar in drawn.bars:
        assert all(_inside(placed[bar.attempt], one.span) for one in bar.steps)
        assert bar.span is None or _inside(placed[bar.attempt], bar.span)
    for attempt in drawn.attempts:
        ends = [bar.work.end for bar in attempt.path if bar.work]
        assert ends == sorted(ends)
        assert len(ends) == len(attempt.path) == len({bar.job.id for bar in attempt.path})


def _inside(lane: Lane, span: Span) -> bool:
    left, size = lane.place(span)
    return -1e-9 <= lane.left - 1e-9 <= left <= left + size <= lane.right + 1e-9 <= 1 + 1e-6


@pytest.mark.parametrize("jobs", [three_jobs(), forty_jobs(), many_jobs(60), odd_jobs()])
def test_every_job_has_one_place(jobs: list[Job]) -> None:
    """No job is lost or drawn twice."""
    ids = [bar.job.id for row in chart(jobs).rows for bar in row.bars]
    assert sorted(ids) == sorted(one.id for one in jobs)
