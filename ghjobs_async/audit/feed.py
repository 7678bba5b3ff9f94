"""Runs found and their jobs listed at the same time: each feeds the next by being pulled."""

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

#: What could not be had, as it is written down.
Failure: TypeAlias = Mapping[str, object]


@attrs.frozen
class JobOf(JobRef):
    """A reference that brings its job along, to where its log is read."""

    job: Job


@attrs.define(eq=False)
class Feed:
    """
    The jobs of many runs.

    Args:
        gh: The client.
        plan: Which runs.
        tally: Grows as runs are found and jobs come.
        fail: Told of what could not be had.
        take: Told of each run's jobs.
        runs: These runs, instead of those that a search finds.
    """

    gh: GitHubJobs
    plan: AuditPlan
    tally: Tally
    fail: Callable[[Failure], None]
    take: Callable[[str, JobList], None] | None = None
    runs: tuple[RunRef, ...] = ()
    _search_errors: list[GHJobsError] = attrs.field(factory=list, init=False)

    def listings(self) -> FanOut[RunRef, JobList]:
        """Give the fan-out over the runs, to be entered, and then given to `jobs`."""
        which: Filter = "all" if self.plan.all_attempts else "latest"
        return self.gh.fan_out(self._named() if self.runs else self._found(), filter=which)

    async def jobs(
        self, listings: AsyncIterable[Outcome[RunRef, JobList]]
    ) -> AsyncGenerator[JobOf, None]:
        """Take the jobs of each run; give those whose logs are wanted."""
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
        Raise the error of the first search if none succeeded: then nothing was looked at.

        Raises:
            GHJobsError: As it came.
        """
        if self._search_errors and len(self._search_errors) == len(self.plan.repos):
            raise self._search_errors[0]

    def failed(self, what: str, repo: str, error: Exception, **ids: int) -> None:
        """
        Tell that a search, a listing or a log could not be had.

        Raises:
            Exception: *error* itself, where it is not about GitHub but the disk, or a mistake of our
                own: going on would only repeat it.
        """
        if not isinstance(error, GHJobsError):
            raise error
        failure: dict[str, object] = {"what": what, "repository": repo, **ids}
        failure["error"] = type(error).__name__
        if reason := getattr(error, "reason", None):
            failure["reason"] = reason
        failure["text"] = str(error)
        self._tell(repo, failure)

    def _took(self, ref: RunRef, jobs: JobList) -> None:
        if self.take is not None:
            self.take(ref.repo, jobs)
        self.tally.add(ref.repo, jobs)
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
                    # As it was asked for: GitHub may write the name in another case, or a new one.
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
        self._tell(
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

    def _tell(self, repo: str, failure: Failure) -> None:
        self.tally.of(repo).failures += 1
        self.fail(failure)
