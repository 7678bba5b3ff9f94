"""Count what an audit or a search has done so far: for its progress, not for its results. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import attrs

from ghjobs_async.audit.collect.plan import failed
from ghjobs_async.models import Job

# Once this part of the windows was read, their number tells how many runs there are.
_SURE: Final = 4


@attrs.define
class Counts:
    """
    What has been done so far.

    Attributes:
        found: Runs found.
        elsewhere: Runs found that are in other shards.
        expected: Runs that there are, as far as known.
        estimated: Whether ``expected`` covers everything that is asked for.
        windows, windows_done: The windows of a search, and those that were read.
        asked: Runs whose jobs had to be asked for.
        listed: Runs whose jobs were listed; less while some attempts of a run are still missing.
        without_jobs: How many of them have no jobs, such as those that failed at startup.
        jobs, failed: Jobs that came, and those that failed.
        logs_wanted, logs, log_bytes: Logs to fetch, those fetched, and their size.
        missing: Searches, listings and logs that could not be fetched.
    """

    found: int = 0
    elsewhere: int = 0
    expected: int = 0
    estimated: bool = False
    windows: int = 0
    windows_done: int = 0
    asked: int = 0
    listed: int = 0
    without_jobs: int = 0
    jobs: int = 0
    failed: int = 0
    logs_wanted: int = 0
    logs: int = 0
    log_bytes: int = 0
    missing: int = 0

    def expect(self) -> None:
        """Estimate ``expected`` by the windows that were read: they hold about as many runs each."""
        if self.windows_done:
            self.expected = max(self.found, self.found * self.windows // self.windows_done)
        self.estimated = self.windows_done * _SURE >= self.windows

    @property
    def exact(self) -> bool:
        """Whether ``expected`` is no estimate: all windows were read, or GitHub told the number."""
        return self.estimated and self.windows_done >= self.windows

    def add(self, jobs: Collection[Job]) -> None:
        """Count the jobs of one listing."""
        self.jobs += len(jobs)
        self.failed += sum(map(failed, jobs))
        self.listed += 1
        self.without_jobs += not jobs
