"""Count what an audit has found so far. Memory grows with names, not with jobs. Pure."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Final

import attrs

from ghjobs_async.audit.plan import failed
from ghjobs_async.models import Conclusion, Job

_MAX_SLOW: Final = 5
_MAX_FAILING: Final = 5


@attrs.define
class RepoTally:
    """
    Counts of one repository.

    Attributes:
        expected: Runs that GitHub counts, as far as known.
        found: Runs found.
        listed: Runs whose jobs were listed.
        without_jobs: Listed runs that have no jobs, such as those that failed at startup.
        attempts: Attempts that these jobs belong to.
        jobs, ran, failed, skipped: Jobs in all, and those that ran, failed, were skipped.
        seconds: How long each job that ran took.
        logs_wanted, logs: Logs to fetch, and logs fetched.
        log_bytes: Size of the fetched logs.
        failures: Searches, runs and logs that are missing.
    """

    expected: int = 0
    found: int = 0
    listed: int = 0
    without_jobs: int = 0
    attempts: int = 0
    jobs: int = 0
    ran: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: array[float] = attrs.field(factory=lambda: array("d"))
    logs_wanted: int = 0
    logs: int = 0
    log_bytes: int = 0
    failures: int = 0

    def add(self, jobs: Iterable[Job]) -> None:
        """Count the jobs of one run."""
        attempts = set[int | None]()
        for job in jobs:
            attempts.add(job.run_attempt)
            self.jobs += 1
            self.ran += job.ran
            self.failed += failed(job)
            self.skipped += job.state == Conclusion.SKIPPED
            if job.ran and job.duration is not None:
                self.seconds.append(job.duration.total_seconds())
        self.listed += 1
        self.attempts += len(attempts)

    def plus(self, other: RepoTally) -> RepoTally:
        """Return the sum of both."""
        both = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in attrs.fields(RepoTally)
        }
        return RepoTally(**both)

    def quantile(self, share: float) -> float | None:
        """Return the seconds that *share* of the jobs took at most; None where no job ran."""
        if not self.seconds:
            return None
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]

    def to_dict(self) -> dict[str, object]:
        """Return it as a dictionary for JSON."""
        counts: dict[str, object] = {
            "runs_expected": self.expected,
            "runs_found": self.found,
            "runs": self.listed,
            "runs_without_jobs": self.without_jobs,
        }
        for name in ("attempts", "jobs", "ran", "failed", "skipped", "logs", "log_bytes"):
            counts[name] = getattr(self, name)
        counts["median_seconds"] = self.quantile(0.5)
        counts["p95_seconds"] = self.quantile(0.95)
        counts["total_seconds"] = sum(self.seconds)
        counts["failures"] = self.failures
        return counts


@attrs.frozen(order=True)
class SlowJob:
    """One of the slowest jobs; ordered by duration."""

    seconds: float
    job_id: int
    repository: str
    run_id: int
    name: str


@attrs.define
class Tally:
    """
    Counts of all repositories, the slowest jobs, and those that fail most.

    Attributes:
        repos: The counts of each repository.
        estimated: Whether ``expected`` is known for every repository.
    """

    repos: dict[str, RepoTally] = attrs.field(factory=dict)
    estimated: bool = False
    _slowest: list[SlowJob] = attrs.field(factory=list)
    _failing: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)
    _seen: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)

    def of(self, repo: str) -> RepoTally:
        """Return the counts of one repository."""
        return self.repos.setdefault(repo, RepoTally())

    @property
    def total(self) -> RepoTally:
        """Return the sum over all repositories."""
        total = RepoTally()
        # A copy: the progress display reads this from a thread of its own.
        for one in tuple(self.repos.values()):
            total = total.plus(one)
        return total

    def add(self, repo: str, jobs: Iterable[Job]) -> None:
        """Count the jobs of one run."""
        jobs = tuple(jobs)
        self.of(repo).add(jobs)
        for job in jobs:
            if not job.ran:
                continue
            key = (repo, job.workflow_name or "", job.name)
            self._seen[key] += 1
            self._failing[key] += failed(job)
            if job.duration is not None:
                slow = SlowJob(job.duration.total_seconds(), job.id, repo, job.run_id, job.name)
                add = heapq.heappush if len(self._slowest) < _MAX_SLOW else heapq.heappushpop
                add(self._slowest, slow)

    @property
    def slowest(self) -> list[SlowJob]:
        """Return the slowest jobs, the slowest first."""
        return sorted(self._slowest, reverse=True)

    @property
    def failing(self) -> list[tuple[str, str, str, int, int]]:
        """Return the jobs that fail most: repository, workflow, name, failures, times it ran."""
        most = [(key, count) for key, count in self._failing.items() if count]
        most.sort(key=lambda item: (-item[1], item[0]))
        return [(*key, count, self._seen[key]) for key, count in most[:_MAX_FAILING]]

    def to_dict(self) -> dict[str, object]:
        """Return it as a dictionary for JSON."""
        return {
            "repositories": [
                {"repository": repo, **one.to_dict()} for repo, one in self.repos.items()
            ],
            "total": self.total.to_dict(),
            "slowest": [attrs.asdict(slow) for slow in self.slowest],
            "failing": [
                {"repository": repo, "workflow": flow, "name": name, "failed": count, "ran": ran}
                for repo, flow, name, count, ran in self.failing
            ],
        }
