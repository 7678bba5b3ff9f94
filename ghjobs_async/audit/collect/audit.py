"""
Run an audit: find runs, list their jobs, save logs and store it all, at the same time.

Windows give pages, pages give runs, runs give jobs, jobs give logs: each stage pulls from the one
before. What comes goes into a batch; the writer stores it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from array import array
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs
import msgspec

from ghjobs_async.audit.collect import finish
from ghjobs_async.audit.collect.counts import Counts
from ghjobs_async.audit.collect.feed import JobOf
from ghjobs_async.audit.collect.known import read_known, stored_name
from ghjobs_async.audit.collect.log_paths import log_path
from ghjobs_async.audit.collect.missing import failure_of
from ghjobs_async.audit.collect.plan import AuditPlan, failed
from ghjobs_async.audit.collect.repo_work import RepoWork, Wanted
from ghjobs_async.audit.database.batch import AuditRow, Batch, Missing, Reason, SavedLog
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.database.store import LOGS, AuditStore
from ghjobs_async.audit.database.stored_jobs import read_jobs
from ghjobs_async.audit.database.writer import Writer
from ghjobs_async.fanout import Failed, FanOut, FanOutMany, Fetched, Outcome
from ghjobs_async.listing.run_pages import RunPage, WindowEnd
from ghjobs_async.listing.windows import Window
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import FailureExcerpt
from ghjobs_async.logtext.reason import fingerprint
from ghjobs_async.models import Job, JobList, Run
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.wire.operations import Filter

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ghjobs_async.client import GitHubJobs

# How many windows are read at once, and how many runs that were on no page.
_WINDOWS: Final = 8
# How many jobs are read from the store at once.
_JOBS: Final = 200

_WindowOf: TypeAlias = tuple[RepoWork, Window]
_RunOf: TypeAlias = tuple[RepoWork, RunRef]


@attrs.frozen
class _Saved:
    """A log that was saved: where, how large, and why its job failed."""

    path: str
    size: int
    excerpt: FailureExcerpt | None


class Audit:
    """
    One audit, which continues what the folder has. Run it once.

    Args:
        gh: The client.
        plan: What to audit.
        folder: Where the results go, or its store.

    Attributes:
        counts: What has been done so far; read them at any time.
        store: The store of the folder.
        may_come: At the end, how many things of the plan's repositories the folder misses that may
            still come.
    """

    def __init__(
        self,
        gh: GitHubJobs,
        plan: AuditPlan,
        folder: str | os.PathLike[str] | AuditStore,
    ) -> None:
        self.counts = Counts()
        self.store = folder if isinstance(folder, AuditStore) else AuditStore(folder)
        self.may_come = 0
        self._gh = gh
        self._plan = plan
        self._began = self._now()
        self._before = gh.stats
        self._row = AuditRow(
            id=secrets.token_hex(8),
            started_at=self._began,
            arguments=msgspec.json.encode(_arguments(plan)).decode(),
        )
        self._writer = Writer(self.store, self._row.id, gh.clock.now)
        self._works: list[RepoWork] = []

    @property
    def complete(self) -> bool:
        """Check that nothing is missing that may still come, once the audit has ended."""
        return not self.may_come

    @property
    def unsearched(self) -> dict[str, Exception]:
        """The repositories of which a search failed, and why."""
        return {work.repo: work.error for work in self._works if work.error is not None}

    @property
    def requests(self) -> int:
        """How many requests this audit has sent to the API."""
        return sum(self._gh.stats.requests.values()) - sum(self._before.requests.values())

    @property
    def not_modified(self) -> int:
        """How many of them cost nothing, since the page had not changed."""
        return self._gh.stats.not_modified - self._before.not_modified

    async def run(self) -> Counts:
        """
        Run the audit to its end.

        A failure is written down and does not stop the rest. Whatever ends the audit, all that has
        come is stored.

        Raises:
            GHJobsError: No repository could be searched at all.
            ConfigurationError: Another audit writes to the folder, or it holds something else.
            OSError: The folder cannot be written to.
        """
        with self.store.lock():
            await asyncio.to_thread(self._begin)
            try:
                await self._collect()
                await asyncio.to_thread(self._conclude, await self._writer.last())
            except BaseException as error:
                # This blocks: nothing else runs any more, and nothing may cancel it.
                self._writer.close()
                interrupted = isinstance(error, (asyncio.CancelledError, KeyboardInterrupt))
                with self.store.write() as connection:
                    self._write_row(connection, "interrupted" if interrupted else "failed")
                raise
        errors = [work.error for work in self._works if work.error is not None and not work.ends]
        if errors and len(errors) == len(self._works):
            raise errors[0]
        return self.counts

    def _begin(self) -> None:
        with self.store.write() as connection:
            if finish.mark_killed(connection):
                for part in (self.store.folder / LOGS).rglob(".*.part"):
                    part.unlink(missing_ok=True)
            self._write_row(connection, None)

    def _conclude(self, last: Batch) -> None:
        with self._writer.transaction() as connection:
            write_batch(connection, last)
            for work in self._works:
                finish.conclude(connection, work, self._began, last.at)
            self.may_come = finish.may_come(connection, [work.repo for work in self._works])
            self._write_row(connection, "complete" if self.complete else "incomplete")
        self.store.compact()

    def _write_row(self, connection: DuckDBPyConnection, outcome: str | None) -> None:
        row = attrs.evolve(
            self._row,
            ended_at=None if outcome is None else self._now(),
            requests=self.requests,
            not_modified=self.not_modified,
            runs=self.counts.asked,
            jobs=self.counts.jobs,
            outcome=outcome,
        )
        write_batch(connection, Batch(at=self._now(), audit=row))

    # The stages, in the order in which a run passes them. Each pulls from the one before.

    async def _collect(self) -> None:
        which: Filter = "latest" if self._plan.latest else "all"
        searched = asyncio.Event()
        async with (
            FanOutMany(self._windows(), _read, concurrency=_WINDOWS) as pages,
            FanOut(self._unconfirmed(searched), self._find, concurrency=_WINDOWS) as unconfirmed,
            self._gh.fan_out(self._runs(pages, searched, unconfirmed), filter=which) as listings,
            self._gh.fan_out_logs(self._jobs(listings), self._save) as logs,
        ):
            async for outcome in logs:
                self._took_log(outcome)
                await self._writer.turn()
        for work in self._works:
            work.end_search(self._batch)

    async def _windows(self) -> AsyncGenerator[_WindowOf, None]:
        """Give the windows in which to search each repository."""
        now = self._now()
        repos = {repo.lower(): repo for repo in self._plan.repos}.values()
        self.counts.windows = len(repos)
        for repo in repos:
            await self._writer.release()
            work = await asyncio.to_thread(self._load, repo, now)
            self._works.append(work)
            windows = list(work.search.windows())
            self.counts.windows += len(windows) - 1
            for window in windows:
                if not work.hopeless:
                    yield work, window

    def _load(self, repo: str, now: datetime) -> RepoWork:
        with self.store.read() as connection:
            name = stored_name(connection, repo)
            known = read_known(connection, name, self._plan, now)
        search = self._plan.search(self._gh, name, created=False)
        pages = search.by_window(
            self._plan.days(now), lambda window, number: known.pages.get((window, number))
        )
        return RepoWork(name, self._plan, known, pages, self.counts)

    async def _runs(
        self,
        pages: AsyncIterable[Outcome[_WindowOf, RunPage | WindowEnd]],
        searched: asyncio.Event,
        unconfirmed: AsyncIterable[Outcome[_RunOf, Run]],
    ) -> AsyncGenerator[Wanted, None]:
        """
        Give the runs, or attempts of runs, whose jobs have to be asked for.

        First those on the pages, then those of which something was missing before.
        """
        async for page in pages:
            work, _ = page.ref
            if isinstance(page, Failed):
                work.failed_search(page.error)
                continue
            refs = work.take(page.value, self._batch)
            self.counts.expect()
            await self._writer.turn()
            for ref in refs:
                yield ref
        for work in self._works:
            for ref in work.confirmed():
                yield ref
        # Now it is known which runs were on no page.
        searched.set()
        async for run in unconfirmed:
            work, run_ref = run.ref
            if isinstance(run, Failed):
                work.unlisted(run_ref, run.error, self._batch)
                continue
            for ref in work.take_run(run.value, self._batch):
                yield ref

    async def _unconfirmed(self, searched: asyncio.Event) -> AsyncGenerator[_RunOf, None]:
        """Give the runs of which something is missing and that were on no page."""
        await searched.wait()
        for work in self._works:
            for ref in work.unconfirmed():
                yield work, ref

    async def _find(self, key: _RunOf) -> Run:
        return await self._gh.get_run(key[1])

    async def _jobs(
        self, listings: AsyncIterable[Outcome[RunRef, JobList]]
    ) -> AsyncGenerator[JobOf, None]:
        """Take the jobs of each run, and give those whose log is wanted."""
        async for outcome in listings:
            ref = outcome.ref
            assert isinstance(ref, Wanted)
            jobs: Sequence[Job] = ()
            if isinstance(outcome, Failed):
                ref.work.unlisted(ref, outcome.error, self._batch)
            else:
                jobs = outcome.value
                ref.work.listed(ref, outcome.value, self._batch)
            await self._writer.turn()
            done = ref.work.known.logs_done
            for wanted in self._with_log(ref.repo, (job for job in jobs if job.id not in done)):
                yield wanted
        for work in self._works:
            # Those of earlier audits whose log is missing.
            ids = work.known.logs_missing
            for start in range(0, len(ids), _JOBS):
                part = ids[start : start + _JOBS]
                await self._writer.release()
                stored = await asyncio.to_thread(self._read_jobs, work.repo, part)
                for wanted in self._with_log(work.repo, stored):
                    yield wanted

    def _with_log(self, repo: str, jobs: Iterable[Job]) -> list[JobOf]:
        """Return those of the jobs whose log is wanted."""
        wanted = [JobOf(repo, job.id, job) for job in jobs if self._plan.wants_log(job)]
        self.counts.logs_wanted += len(wanted)
        return wanted

    def _read_jobs(self, repo: str, ids: array[int]) -> list[Job]:
        with self.store.read() as connection:
            return read_jobs(connection, repo, ids)

    async def _save(self, log: JobLog) -> _Saved:
        """Save a log, and find out why its job failed. This runs where the download runs."""
        ref = log.ref
        assert isinstance(ref, JobOf)
        path = f"{LOGS}/{log_path(ref.repo, ref.job)}"
        place = self.store.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        size = await log.save(place)
        excerpt = await log.failure(ref.job, saved=place) if failed(ref.job) else None
        return _Saved(path, size, excerpt)

    def _took_log(self, outcome: Outcome[JobRef, _Saved]) -> None:
        ref = outcome.ref
        assert isinstance(ref, JobOf)
        repo, run_id, job_id = ref.repo, ref.job.run_id, ref.job_id
        match outcome:
            case Failed(_, error):
                self.counts.missing += 1
                self._batch.failures.append(
                    failure_of("log", repo, error, run_id=run_id, job_id=job_id)
                )
            case Fetched(_, saved):
                self.counts.logs += 1
                self.counts.log_bytes += saved.size
                self._batch.logs.append(SavedLog(repo, run_id, job_id, saved.path, saved.size))
                self._batch.settled.append(Missing(repo, run_id, job_id, "log"))
                if saved.excerpt is not None:
                    self._batch.reasons.append(_reason(ref, saved.excerpt))

    @property
    def _batch(self) -> Batch:
        return self._writer.batch

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._gh.clock.now(), UTC)


def _read(key: _WindowOf) -> AsyncGenerator[RunPage | WindowEnd, None]:
    work, window = key
    return work.search.read(window)


def _reason(ref: JobOf, excerpt: FailureExcerpt) -> Reason:
    reason, headline = excerpt.reason, excerpt.headline
    return Reason(
        repository=ref.repo,
        run_id=ref.job.run_id,
        job_id=ref.job_id,
        step=None if excerpt.step is None else excerpt.step.name,
        kind=None if reason is None else str(reason.kind),
        headline=headline,
        fingerprint=reason.fingerprint if reason else headline and fingerprint(headline),
        excerpt="\n".join(line.plain for line in excerpt.lines),
        certainty=str(reason.certainty if reason else excerpt.certainty),
    )


def _arguments(plan: AuditPlan) -> dict[str, object]:
    """Return what was asked for, as values of JSON."""
    given = attrs.asdict(plan, recurse=False)
    return {
        name: value if isinstance(value, (bool, tuple)) else value and str(value)
        for name, value in given.items()
    }
