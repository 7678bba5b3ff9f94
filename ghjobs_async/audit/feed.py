"""Find runs and list their jobs at the same time: each stage pulls from the one before."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from typing import TypeAlias

import attrs

from ghjobs_async.audit.plan import AuditPlan
from ghjobs_async.audit.tally import Tally
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError, Undecodable
from ghjobs_async.fanout import Failed, FanOut, Fetched, Outcome
from ghjobs_async.models import Job, JobList
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.wire.operations import Filter

#: What is missing and why, as it is written down.
Failure: TypeAlias = Mapping[str, object]


@attrs.frozen
class JobOf(JobRef):
    """A job's reference together with the job, for whoever reads its log."""

    job: Job


@attrs.define(eq=False)
class Feed:
    """
    The jobs of many runs.

    Args:
        gh: The client.
        plan: Which runs.
        tally: Grows as runs are found and jobs come.
        fail: Called with everything that is missing.
        take: Called with each run's jobs.
        runs: Take these runs instead of searching.
    """

    gh: GitHubJobs
    plan: AuditPlan
    tally: Tally
    fail: Callable[[Failure], None]
    take: Callable[[str, JobList], None] | None = None
    runs: tuple[RunRef, ...] = ()
    _search_errors: list[GHJobsError] = attrs.field(factory=list, init=False)

    def listings(self) -> FanOut[RunRef, JobList]:
        """Return the fan-out over the runs; enter it, then pass it to `jobs`."""
        which: Filter = "all" if self.plan.all_attempts else "latest"
        return self.gh.fan_out(self._named() if self.runs else self._found(), filter=which)

    async def jobs(
        self, listings: AsyncIterable[Outcome[RunRef, JobList]]
    ) -> AsyncGenerator[JobOf, None]:
        """Count the jobs of each run and yield those whose log is wanted."""
        async for outcome in listings:
            match outcome:
                case Failed(ref, error):
                    self.failed("jobs", ref.repo, error, run_id=ref.run_id)
                case Fetched(ref, jobs):
                    self._took(ref, jobs)
                    wanted = [job for job in jobs if self.plan.wants_log(job)]
                    self.tally.of(ref.repo).logs_wanted += len(wanted)
                    for job in wanted:
                        yield JobOf(ref.repo, job.id, job)

    def check_searched(self) -> None:
        """
        Raise the error of the first search if no search succeeded.

        Raises:
            GHJobsError: The error of that search.
        """
        if self._search_errors and len(self._search_errors) == len(self.plan.repos):
            raise self._search_errors[0]

    def failed(self, what: str, repo: str, error: Exception, **ids: int) -> None:
        """
        Record that a search, a listing or a log failed.

        Raises:
            Exception: *error* itself where it does not come from GitHub, but from the disk or from
                a bug: every other job would fail in the same way.
        """
        if not isinstance(error, GHJobsError):
            raise error
        failure: dict[str, object] = {"what": what, "repository": repo, **ids}
        failure["error"] = type(error).__name__
        if reason := getattr(error, "reason", None):
            failure["reason"] = reason
        failure["text"] = str(error)
        self._record(repo, failure)

    def _took(self, ref: RunRef, jobs: JobList) -> None:
        if self.take is not None:
            self.take(ref.repo, jobs)
        self.tally.add(ref.repo, jobs)
        if not jobs.total_count:
            self.tally.of(ref.repo).without_jobs += 1
        if not jobs.complete:
            self._short(
                "jobs", ref.repo, jobs.expected, jobs.got, jobs.undecodable, run_id=ref.run_id
            )

    async def _named(self) -> AsyncGenerator[RunRef, None]:
        for ref in self.runs:
            tally = self.tally.of(ref.repo)
            tally.found += 1
            tally.expected += 1
            yield ref
        self.tally.estimated = True

    async def _found(self) -> AsyncGenerator[RunRef, None]:
        plan = self.plan
        for place, repo in enumerate(plan.repos, 1):
            tally = self.tally.of(repo)
            search = plan.search(self.gh, repo)
            try:
                async for run in search:
                    tally.found += 1
                    tally.expected = max(tally.found, search.total_count)
                    self.tally.estimated = place == len(plan.repos)
                    # The name as the caller wrote it: GitHub may return another case, or a new name.
                    yield RunRef(repo, run.id)
            except GHJobsError as error:
                self._search_errors.append(error)
                self.failed("search", repo, error)
                continue
            tally.expected = search.total_count
            if not search.complete:
                self._short("search", repo, search.total_count, search.got, search.undecodable)
        # The last search may have found nothing, or failed.
        self.tally.estimated = True

    def _short(
        self,
        what: str,
        repo: str,
        expected: int,
        got: int,
        undecodable: tuple[Undecodable, ...],
        **ids: int,
    ) -> None:
        self._record(
            repo,
            {
                "what": what,
                "repository": repo,
                **ids,
                "error": "Incomplete",
                "text": f"{expected} expected, {got} got",
                "expected": expected,
                "got": got,
                "undecodable": [attrs.asdict(one) for one in undecodable],
            },
        )

    def _record(self, repo: str, failure: Failure) -> None:
        self.tally.of(repo).failures += 1
        self.fail(failure)
