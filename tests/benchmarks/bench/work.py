"""Define what a contender is given, and the proof that it returns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

#: How many requests may be in flight at once.
CONCURRENCY = 32
TOKEN = "ghp_000000000000000000000000000000000000"


@attrs.frozen
class Setting:
    """
    One piece of work.

    Attributes:
        api: The API's root.

        repo: The repository as ``"owner/name"``.

        first_run, runs: The first run to list, and how many.

        first_log, logs: The first job whose log to read, and how many.

        folder: Where to write the logs, as ``JOBID.log``.
    """

    api: str
    repo: str
    first_run: int = 0
    runs: int = 0
    first_log: int = 0
    logs: int = 0
    folder: str = ""

    @property
    def run_ids(self) -> range:
        """The runs to list."""
        return range(self.first_run, self.first_run + self.runs)

    @property
    def log_ids(self) -> range:
        """The jobs whose logs to read."""
        return range(self.first_log, self.first_log + self.logs)

    def jobs_path(self, run_id: int) -> str:
        """Return the path of a run's jobs."""
        return f"/repos/{self.repo}/actions/runs/{run_id}/jobs"

    def log_path(self, job_id: int) -> str:
        """Return the path of a job's log."""
        return f"/repos/{self.repo}/actions/jobs/{job_id}/logs"

    def file(self, job_id: int) -> Path:
        """Return the file to write a job's log to."""
        return Path(self.folder) / f"{job_id}.log"


@attrs.define
class Tally:
    """The proof of a listing: counts every job and its steps."""

    jobs: int = 0
    id_sum: int = 0
    steps: int = 0

    def add(self, jobs: Iterable[Any]) -> None:
        """Count jobs with attributes."""
        for job in jobs:
            self.jobs += 1
            self.id_sum += job.id
            self.steps += len(job.steps)

    def add_dicts(self, jobs: Iterable[Any]) -> None:
        """Count jobs that are dictionaries."""
        for job in jobs:
            self.jobs += 1
            self.id_sum += job["id"]
            self.steps += len(job["steps"])

    def proof(self) -> dict[str, int]:
        """Return the counts."""
        return {"jobs": self.jobs, "id_sum": self.id_sum, "steps": self.steps}
