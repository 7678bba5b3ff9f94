"""Derive the JSON object of a job at an earlier moment from its final one."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Final

import attrs

from ghjobs_async.testing.world.payloads import epoch, iso, steps_in

_TIMES: Final = ("created_at", "started_at", "completed_at")
#: The keys of a job that say who runs it.
RUNNER: Final = ("runner_id", "runner_name", "runner_group_id", "runner_group_name")


@attrs.frozen
class Moment:
    """
    A moment in the course of a run.

    Args:
        now: Seconds since the epoch, by the run's own times.
        begin: When the run was created.
        speed: How many of the run's seconds pass in one second of the clock. The times that are sent
            are the clock's, so that none of them lies in the future.
    """

    now: float = inf
    begin: int = 0
    speed: float = 1.0

    def write(self, time: int) -> str:
        """Return one of the run's own times as it is sent."""
        return iso(int(self.begin + (time - self.begin) / self.speed))

    def rewrite(self, data: dict[str, object]) -> dict[str, object]:
        """Return a job or a step with its times as they are sent."""
        times = {key: epoch(data.get(key)) for key in _TIMES}
        return data | {key: self.write(time) for key, time in times.items() if time is not None}


#: The moment after everything has happened.
END: Final = Moment()


def course(final: Mapping[str, object], created: int) -> tuple[float, float]:
    """Give when a job leaves the queue and when it ends; infinite if it never does."""
    begins = max(created, epoch(final.get("started_at")) or created)
    steps = [epoch(step.get("completed_at")) for step in steps_in(final)]
    # A job that is shorter than its steps ends with the last of them.
    ends = max(begins, *(time or begins for time in (epoch(final.get("completed_at")), *steps)))
    if final.get("status") == "completed":
        # A job that no runner took, such as a skipped one, is never in progress.
        return (ends if final.get("runner_name", "") is None else begins), ends
    return (begins if final.get("status") == "in_progress" else inf), inf


def job_at(final: dict[str, object], created: int, moment: Moment) -> dict[str, object]:
    """Give the JSON object of a job at a moment; *created* is when it was first listed."""
    begins, ends = course(final, created)
    changes: dict[str, object] = {}
    if moment.now < begins:
        waits = begins == inf
        changes = {"status": final.get("status") if waits else "queued", "conclusion": None}
        # GitHub fills the start while a job is still queued.
        changes |= {"started_at": iso(created), "completed_at": None, "steps": []}
        changes |= dict.fromkeys(RUNNER)
    elif moment.now < ends:
        changes = {"status": "in_progress", "conclusion": None, "completed_at": None}
    data = {key: changes.get(key, value) for key, value in final.items()}
    if data.get("steps"):
        data["steps"] = [_step_at(step, moment) for step in steps_in(final)]
    return data if moment.speed == 1 else moment.rewrite(data)


def _step_at(final: dict[str, object], moment: Moment) -> dict[str, object]:
    begins, ends = epoch(final.get("started_at")), epoch(final.get("completed_at"))
    data = final
    if begins is not None and moment.now < begins:
        data = final | {"status": "pending", "conclusion": None}
        data |= {"started_at": None, "completed_at": None}
    elif ends is not None and moment.now < ends:
        data = final | {"status": "in_progress", "conclusion": None, "completed_at": None}
    return data if moment.speed == 1 else moment.rewrite(data)
