"""Runs found, jobs listed and logs fetched at the same time: one feeds the other by being pulled."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path

from ghjobs_async.audit.folder import AuditFolder
from ghjobs_async.audit.plan import AuditPlan, Logs
from ghjobs_async.audit.tally import Tally
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import GHJobsError
from ghjobs_async.fanout import Outcome
from ghjobs_async.logs import JobLog
from ghjobs_async.models import Failed, Fetched, JobList
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.wire import Filter


class Audit:
    """
    One audit, to be run once.

    Args:
        gh: The client.

        plan: What to audit.

        folder: Where the findings go.

    Attributes:
        tally: What was found so far; it may be read at any time.
    """

    def __init__(self, gh: GitHubJobs, plan: AuditPlan, folder: AuditFolder) -> None:
        self.tally = Tally()
        self._gh = gh
        self._plan = plan
        self._folder = folder
        # Where the logs under way go to.
        self._places: dict[int, Path] = {}
        self._search_errors: list[GHJobsError] = []

    @property
    def complete(self) -> bool:
        """Whether nothing is missing so far."""
        return not self.tally.total.failures

    async def run(self) -> Tally:
        """
        Run it to its end.

        What fails is written down, and costs nothing else.

        Raises:
            GHJobsError: No repository could be searched at all.

            OSError: The folder cannot be written to.
        """
        which: Filter = "all" if self._plan.all_attempts else "latest"
        async with self._gh.fan_out(self._runs(), filter=which) as listings:
            if self._plan.logs is Logs.NONE:
                async for _ in self._jobs(listings):
                    pass
            else:
                async with self._gh.fan_out_logs(self._jobs(listings), self._save) as logs:
                    async for outcome in logs:
                        self._take_log(outcome)
        if len(self._search_errors) == len(self._plan.repos):
            raise self._search_errors[0]
        return self.tally

    async def _runs(self) -> AsyncGenerator[RunRef, None]:
        plan = self._plan
        for repo in plan.repos:
            tally = self.tally.of(repo)
            search = self._gh.iter_runs(
                repo,
                workflow=plan.workflow,
                actor=plan.actor,
                branch=plan.branch,
                event=plan.event,
                status=plan.status,
                created=plan.created,
                exclude_pull_requests=True,
            )
            try:
                async for run in search:
                    tally.found += 1
                    tally.expected = max(tally.found, search.total_count)
                    # As it was asked for: GitHub may write the name in another case, or a new one.
                    yield RunRef(repo, run.id)
            except GHJobsError as error:
                self._search_errors.append(error)
                self._fail("search", repo, error)
                continue
            tally.expected = search.total_count
            if not search.complete:
                self._short("search", repo, search.total_count, search.got, search.undecodable)
        self.tally.searching = False

    async def _jobs(
        self, listings: AsyncIterable[Outcome[RunRef, JobList]]
    ) -> AsyncGenerator[JobRef, None]:
        """Take the jobs of each run; give those whose logs are wanted."""
        async for outcome in listings:
            match outcome:
                case Failed(ref, error):
                    self._fail("jobs", ref.repo, error, run_id=ref.run_id)
                case Fetched(ref, jobs):
                    self._folder.add_jobs(ref.repo, jobs)
                    self.tally.add(ref.repo, jobs)
                    if not jobs.complete:
                        self._short(
                            "jobs",
                            ref.repo,
                            jobs.expected,
                            jobs.got,
                            jobs.undecodable,
                            run_id=ref.run_id,
                        )
                    wanted = [job for job in jobs if self._plan.wants_log(job)]
                    self.tally.of(ref.repo).logs_wanted += len(wanted)
                    for job in wanted:
                        self._places[job.id] = self._folder.place_of_log(ref.repo, job)
                        yield JobRef(ref.repo, job.id)

    async def _save(self, log: JobLog) -> int:
        return await log.save(self._places[log.ref.job_id])

    def _take_log(self, outcome: Outcome[JobRef, int]) -> None:
        ref = outcome.ref
        del self._places[ref.job_id]
        match outcome:
            case Fetched(_, written):
                tally = self.tally.of(ref.repo)
                tally.logs += 1
                tally.log_bytes += written
            case Failed(_, error):
                self._fail("log", ref.repo, error, job_id=ref.job_id)

    def _fail(self, what: str, repo: str, error: Exception, **ids: int) -> None:
        if not isinstance(error, GHJobsError):
            # The disk, or a mistake of our own: going on would only repeat it.
            raise error
        reason = getattr(error, "reason", None)
        self._write(
            {
                "what": what,
                "repository": repo,
                **ids,
                "error": type(error).__name__,
                **({} if reason is None else {"reason": reason}),
                "text": str(error),
            }
        )

    def _short(
        self, what: str, repo: str, expected: int, got: int, undecodable: object, **ids: int
    ) -> None:
        self._write(
            {
                "what": what,
                "repository": repo,
                **ids,
                "error": "Incomplete",
                "text": f"{expected} expected, {got} got",
                "expected": expected,
                "got": got,
                "undecodable": undecodable,
            }
        )

    def _write(self, failure: dict[str, object]) -> None:
        self.tally.of(str(failure["repository"])).failures += 1
        self._folder.add_failure(failure)
