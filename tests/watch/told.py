"""Judge the events of a watch by what was played: each change once, in order, and nothing invented."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ghjobs_async import Job, JobEvent, RunEvent, RunRef, Step, StepEvent, Verdict
from ghjobs_async.testing import FakeRun
from ghjobs_async.watch.events import WatchEvent, verdict_of

RANKS = {"waiting": 0, "pending": 0, "queued": 1, "in_progress": 2, "completed": 3}


def judge(events: Iterable[WatchEvent], run: FakeRun, *, last: int | None = None) -> Verdict:
    """
    Check the events of one run up to its end; return its verdict.

    Args:
        events: All events of the watch.
        run: What was played.
        last: The attempt that was watched to its end; None for the last one.
    """
    told = [event for event in events if event.ref.run_id == run.id]
    runs = [event for event in told if isinstance(event, RunEvent)]
    assert told[0] is runs[0], "found is the first event"
    assert told[-1] is runs[-1], "ended is the last event"
    kinds = [event.kind for event in runs]
    assert (kinds.count("found"), kinds[0]) == (1, "found")
    assert (kinds.count("ended"), kinds[-1]) == (1, "ended")
    assert [event.verdict for event in runs[:-1]] == [None] * (len(runs) - 1)
    changed = [(e.run and (e.run.status, e.run.conclusion, e.run.run_attempt)) for e in runs[:-1]]
    assert all(a != b for a, b in pairwise(changed)), changed
    ranks = [(e.run.run_attempt, RANKS[str(e.run.status)]) for e in runs if e.run]
    assert ranks == sorted(ranks, key=lambda one: (one[0] or 0, one[1])), "no run goes back here"
    _jobs(told)
    verdict = runs[-1].verdict
    assert verdict is not None
    attempt = run.attempts[(last or len(run.attempts)) - 1]
    if verdict == verdict_of(attempt.conclusion):
        ended = {e.job.id: e.job for e in told if isinstance(e, JobEvent)}
        for job in attempt.jobs:
            assert ended[job.id].status == "completed", "ended comes after every job's completion"
            assert ended[job.id].conclusion == job.spec.conclusion
            wanted = {(s["number"], s["name"]): s["conclusion"] for s in job.payload()["steps"]}  # type: ignore[attr-defined]
            seen = {
                (e.step.number, e.step.name): e.step.conclusion
                for e in told
                if isinstance(e, StepEvent) and e.job.id == job.id
            }
            assert seen == wanted
    return verdict


def _jobs(told: list[WatchEvent]) -> None:
    jobs: dict[int, Job] = {}
    steps: dict[tuple[int, int, str], Step] = {}
    for event in told:
        if isinstance(event, JobEvent):
            assert event.previous is jobs.get(event.job.id)
            _forward(event.previous, event.job)
            jobs[event.job.id] = event.job
        elif isinstance(event, StepEvent):
            assert event.job.id in jobs, "a job comes before its steps"
            key = event.job.id, event.step.number, event.step.name
            assert event.previous is steps.get(key)
            _forward(event.previous, event.step)
            steps[key] = event.step


def _forward(before: Job | Step | None, after: Job | Step) -> None:
    if before is not None:
        assert (before.status, before.conclusion) != (after.status, after.conclusion)
        assert RANKS[before.status] <= RANKS[after.status]


def of(events: Iterable[WatchEvent], ref: RunRef) -> list[WatchEvent]:
    """Return the events of one run."""
    return [event for event in events if event.ref == ref]
