"""Run an audit: write jobs and save logs while runs are still being found."""

from __future__ import annotations

from ghjobs_async.audit.feed import Feed, JobOf
from ghjobs_async.audit.folder import AuditFolder
from ghjobs_async.audit.plan import AuditPlan, Logs
from ghjobs_async.audit.tally import Tally
from ghjobs_async.client import GitHubJobs
from ghjobs_async.fanout import Failed, Fetched, Outcome
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.refs import JobRef


class Audit:
    """
    One audit. Run it once.

    Args:
        gh: The client.
        plan: What to audit.
        folder: Where the results go.

    Attributes:
        tally: The counts so far; read them at any time.
    """

    def __init__(self, gh: GitHubJobs, plan: AuditPlan, folder: AuditFolder) -> None:
        self.tally = Tally()
        self._gh = gh
        self._plan = plan
        self._folder = folder
        self._feed = Feed(gh, plan, self.tally, folder.add_failure, folder.add_jobs)

    @property
    def complete(self) -> bool:
        """Check that nothing is missing so far."""
        return not self.tally.total.failures

    async def run(self) -> Tally:
        """
        Run the audit to its end.

        A failure is written down and does not stop the rest.

        Raises:
            GHJobsError: No repository could be searched at all.
            OSError: The folder cannot be written to.
        """
        async with self._feed.listings() as listings:
            jobs = self._feed.jobs(listings)
            if self._plan.logs is Logs.NONE:
                async for _ in jobs:
                    raise AssertionError("no log was asked for")
            else:
                async with self._gh.fan_out_logs(jobs, self._save) as logs:
                    async for outcome in logs:
                        self._took(outcome)
        self._feed.check_searched()
        return self.tally

    async def _save(self, log: JobLog) -> int:
        ref = log.ref
        if not isinstance(ref, JobOf):
            raise TypeError(f"a job's log without its job: {ref}")
        return await log.save(self._folder.place_of_log(ref.repo, ref.job))

    def _took(self, outcome: Outcome[JobRef, int]) -> None:
        match outcome:
            case Fetched(ref, written):
                tally = self.tally.of(ref.repo)
                tally.logs += 1
                tally.log_bytes += written
            case Failed(ref, error):
                self._feed.failed("log", ref.repo, error, job_id=ref.job_id)
