"""Find runs and list their jobs at the same time, for what stores nothing: a search of logs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from typing import TYPE_CHECKING

import attrs

from ghjobs_async.audit.collect.counts import Counts
from ghjobs_async.audit.collect.missing import failure_of, incomplete
from ghjobs_async.audit.collect.plan import AuditPlan
from ghjobs_async.audit.database.batch import Failure
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Failed, FanOut, Fetched, Outcome
from ghjobs_async.models import Job, JobList
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.wire.operations import Filter

if TYPE_CHECKING:
    from ghjobs_async.client import GitHubJobs


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
        counts: Grows as runs are found and jobs come.
        fail: Called with everything that is missing.
        runs: Take these runs instead of searching.
    """

    gh: GitHubJobs
    plan: AuditPlan
    counts: Counts
    fail: Callable[[Failure], None]
    runs: tuple[RunRef, ...] = ()
    _search_errors: list[GHJobsError] = attrs.field(factory=list, init=False)

    def listings(self) -> FanOut[RunRef, JobList]:
        """Return the fan-out over the runs; enter it, then pass it to `jobs`."""
        which: Filter = "latest" if self.plan.latest else "all"
        return self.gh.fan_out(self._named() if self.runs else self._found(), filter=which)

    async def jobs(
        self, listings: AsyncIterable[Outcome[RunRef, JobList]]
    ) -> AsyncGenerator[JobOf, None]:
        """Count the jobs of each run and yield those whose log is wanted."""
        async for outcome in listings:
            match outcome:
                case Failed(ref, error):
                    self.failed(failure_of("jobs", ref.repo, error, run_id=ref.run_id))
                case Fetched(ref, jobs):
                    self._took(ref, jobs)
                    wanted = [job for job in jobs if self.plan.wants_log(job)]
                    self.counts.logs_wanted += len(wanted)
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

    def failed(self, failure: Failure) -> None:
        """Count and report what is missing."""
        self.counts.missing += 1
        self.fail(failure)

    def _took(self, ref: RunRef, jobs: JobList) -> None:
        self.counts.add(jobs)
        if not jobs.complete:
            short = (jobs.expected, jobs.got, jobs.undecodable)
            self.failed(incomplete("jobs", ref.repo, *short, run_id=ref.run_id))

    async def _named(self) -> AsyncGenerator[RunRef, None]:
        for ref in self.runs:
            self.counts.found += 1
            self.counts.expected += 1
            yield ref
        self.counts.estimated = True

    async def _found(self) -> AsyncGenerator[RunRef, None]:
        plan, counts = self.plan, self.counts
        for place, repo in enumerate(plan.repos, 1):
            before = counts.found
            search = plan.search(self.gh, repo)
            try:
                async for run in search:
                    counts.found += 1
                    counts.expected = max(counts.found, before + search.total_count)
                    counts.estimated = place == len(plan.repos)
                    # The name as the caller wrote it: GitHub may return another case, or a new name.
                    yield RunRef(repo, run.id)
            except GHJobsError as error:
                self._search_errors.append(error)
                self.failed(failure_of("search", repo, error))
                continue
            counts.expected = before + search.total_count
            if not search.complete:
                short = (search.total_count, search.got, search.undecodable)
                self.failed(incomplete("search", repo, *short))
        # The last search may have found nothing, or failed.
        counts.estimated = True
