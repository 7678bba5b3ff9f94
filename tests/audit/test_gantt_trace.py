"""The timeline as a trace: the rules of the format, and what people find in it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import START, forty_jobs, job, many_jobs, odd_jobs, step, three_jobs

from ghjobs_async import Job
from ghjobs_async.audit.gantt.chart import chart
from ghjobs_async.audit.gantt.trace import trace

MICROSECONDS = 1_000_000


def events(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(trace(chart(jobs)))["traceEvents"]
    return found


def slices(jobs: Iterable[Job], kind: str) -> list[dict[str, Any]]:
    return [one for one in events(jobs) if one["ph"] == "X" and one["cat"] == kind]


def names(jobs: Iterable[Job], what: str) -> dict[tuple[int, int], str]:
    return {
        (one["pid"], one["tid"]): one["args"]["name"] for one in events(jobs) if one["name"] == what
    }


def check(jobs: list[Job]) -> None:
    """Check the rules of the format, and that slices of a thread nest, as Perfetto demands."""
    owners: dict[int, set[int]] = defaultdict(set)
    threads: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    named = set()
    for event in events(jobs):
        assert event["ph"] in {"X", "M"}
        assert type(event["pid"]) is int
        assert type(event["tid"]) is int
        assert event["tid"] not in {0, event["pid"]}
        owners[event["tid"]].add(event["pid"])
        assert event["name"]
        if event["ph"] == "M":
            allowed = {"process_name", "process_sort_index", "thread_name", "thread_sort_index"}
            assert event["name"] in allowed
            named.add((event["pid"], event["tid"]))
        else:
            assert type(event["ts"]) is type(event["dur"]) is int
            assert event["ts"] >= 0
            assert event["dur"] >= 0
            key = event["pid"], event["tid"]
            assert key in named
            threads[key].append((event["ts"], event["ts"] + event["dur"]))
    assert all(len(pids) == 1 for pids in owners.values())
    for spans in threads.values():
        open_: list[tuple[int, int]] = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while open_ and open_[-1][1] <= start:
                open_.pop()
            assert not open_ or end <= open_[-1][1]
            open_.append((start, end))


@pytest.mark.parametrize("jobs", [[], three_jobs(), forty_jobs(), odd_jobs(), many_jobs(60)])
def test_the_rules_of_the_format(jobs: list[Job]) -> None:
    """Whole microseconds, named threads, slices that nest, whatever the clocks say."""
    check(jobs)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 90), st.integers(-20, 90)), max_size=8))
def test_any_steps_nest(times: list[tuple[int, int]]) -> None:
    """Steps that ran side by side, or beyond their job, nest all the same; none is lost."""
    steps = [step(f"s{n}", start, end) for n, (start, end) in enumerate(times)]
    check([job(1, steps=steps)])
    assert len(slices([job(1, steps=steps)], "step")) == len(steps)


def test_times_are_microseconds_since_the_epoch() -> None:
    """A job that ran a minute has a slice of 60,000,000, after that of its waiting."""
    [waiting], [work] = (slices([job(1)], kind) for kind in ("waiting", "job"))
    begin = int(START.timestamp()) * MICROSECONDS
    assert (waiting["ts"], waiting["dur"]) == (begin, 5 * MICROSECONDS)
    assert (work["ts"], work["dur"]) == (begin + 5 * MICROSECONDS, 60 * MICROSECONDS)


def test_attempts_are_processes_and_jobs_are_threads() -> None:
    """An attempt is a process, a job is a thread; both have names, equal ones too."""
    jobs = [job(1, "same"), job(2, "same"), job(3, "same", created=900, run_attempt=2)]
    assert set(names(jobs, "process_name").values()) == {"attempt 1", "attempt 2"}
    threads = names(jobs, "thread_name")
    assert list(threads.values()).count("same") == 3


def test_the_critical_path_is_a_thread() -> None:
    """The critical path stands first in its attempt, and its jobs say that they are on it."""
    jobs = [job(1, "build"), job(2, "lint", seconds=9), job(3, "test", created=66)]
    assert [one["name"] for one in slices(jobs, "critical path")] == ["build", "test"]
    marked = {one["name"]: one["args"]["critical_path"] for one in slices(jobs, "job")}
    assert marked == {"build": True, "lint": False, "test": True}


def test_steps_side_by_side_have_threads_of_their_own() -> None:
    """Where steps overlap, the second one is in another thread."""
    steps = [step("a", 5, 40), step("b", 10, 50), step("c", 40, 60)]
    found = {one["name"]: one["tid"] for one in slices([job(1, steps=steps)], "step")}
    assert found["a"] == found["c"] != found["b"]


def test_names_are_clean() -> None:
    """Names are text: without control characters, and never empty."""
    [one] = slices([job(1, "\x1b[2Ja\x00\u202eb")], "job")
    assert one["name"] == "ab"
