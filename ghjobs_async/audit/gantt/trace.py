"""
A chart in the Chrome trace event format, which Perfetto opens.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final, TypeAlias

import msgspec

from ghjobs_async.audit.gantt.chart import HOW_INFERRED, Attempt, Bar, Chart, Span, StepBar
from ghjobs_async.audit.gantt.labels import name

#: One event: what JSON holds.
Event: TypeAlias = dict[str, object]

#: The first thread. Perfetto takes 0 for the idle thread, and the number of a process for its main
#: thread; no number is used twice.
_FIRST: Final = 1000


def trace(chart: Chart) -> bytes:
    """
    Return *chart* as JSON: a process for each attempt, a thread for each job.

    Slices of one thread never overlap but where one holds the other, as the format demands. Steps
    that ran side by side have threads of their own.
    """
    critical = chart.critical
    tids = count(_FIRST)
    events = [event for attempt in chart.attempts for event in _attempt(attempt, critical, tids)]
    about = {"title": name(", ".join(chart.titles)), "critical_path": " ".join(HOW_INFERRED)}
    return msgspec.json.encode({"traceEvents": events, "displayTimeUnit": "ms", "otherData": about})


def _attempt(attempt: Attempt, critical: frozenset[int], tids: Iterator[int]) -> Iterator[Event]:
    pid, tid = attempt.number, next(tids)
    yield _metadata("process_name", pid, tid, name=f"attempt {pid}")
    yield _metadata("process_sort_index", pid, tid, sort_index=pid)
    yield from _thread(pid, tid, "critical path (inferred)")
    yield from _path(pid, tid, attempt)
    for bar in attempt.bars:
        title = name(bar.job.name)
        for number, steps in enumerate(_lanes(bar) or [[]]):
            tid = next(tids)
            yield from _thread(pid, tid, f"{title}, side by side {number + 1}" if number else title)
            if number == 0:
                yield from _job(bar, pid, tid, critical=bar.job.id in critical)
            for step in steps:
                args = {"state": step.step.state, "number": step.step.number}
                yield _slice(pid, tid, "step", name(step.step.name), step.span, args)


def _job(bar: Bar, pid: int, tid: int, *, critical: bool) -> Iterator[Event]:
    job = bar.job
    args: dict[str, object] = {
        "id": job.id,
        "state": job.state,
        "critical_path": critical,
        "clocks_disagree": bar.odd,
        "labels": job.labels,
        "runner": job.runner_name,
        "url": job.html_url,
    }
    title = name(job.name)
    if bar.waiting is not None:
        yield _slice(pid, tid, "waiting", f"waiting: {title}", bar.waiting, args)
    if bar.work is not None:
        yield _slice(pid, tid, "job", title, bar.work, args)


def _path(pid: int, tid: int, attempt: Attempt) -> Iterator[Event]:
    end = float("-inf")
    for bar in attempt.path:
        if bar.span is not None:
            # A job may seem to begin just before the one it waited for ended.
            span = Span(min(max(bar.span.start, end), bar.span.end), bar.span.end)
            end = max(end, span.end)
            yield _slice(pid, tid, "critical path", name(bar.job.name), span, {"id": bar.job.id})


def _lanes(bar: Bar) -> list[list[StepBar]]:
    """Divide the steps so that none overlaps another of its list."""
    lanes: list[list[StepBar]] = []
    for step in sorted(bar.steps, key=lambda one: (one.span.start, one.span.end)):
        lane = next((one for one in lanes if one[-1].span.end <= step.span.start), None)
        if lane is None:
            lanes.append([step])
        else:
            lane.append(step)
    return lanes


def _thread(pid: int, tid: int, title: str) -> Iterator[Event]:
    yield _metadata("thread_name", pid, tid, name=title)
    yield _metadata("thread_sort_index", pid, tid, sort_index=tid)


def _metadata(what: str, pid: int, tid: int, **args: object) -> Event:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": args}


def _slice(pid: int, tid: int, kind: str, title: str, span: Span, args: dict[str, object]) -> Event:
    start, end = (round(time * 1_000_000) for time in (span.start, span.end))
    where = {"pid": pid, "tid": tid, "ts": start, "dur": end - start}
    return {"ph": "X", "cat": kind, "name": title, **where, "args": args}
