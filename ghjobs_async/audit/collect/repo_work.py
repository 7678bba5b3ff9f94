"""One repository in an audit: which of its runs have to be asked for, and what was found of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from ghjobs_async.audit.collect.counts import Counts
from ghjobs_async.audit.collect.known import Known, Unsettled
from ghjobs_async.audit.collect.missing import failure_of, incomplete
from ghjobs_async.audit.collect.plan import AuditPlan
from ghjobs_async.audit.collect.settled import settles, wanted
from ghjobs_async.audit.database.batch import Attempt, Batch, Failure, Listing, Missing, StoredPage
from ghjobs_async.errors import GHJobsError, NotFoundError, ResponseError, ServerError
from ghjobs_async.listing.run_pages import RunPage, RunPages, WindowEnd
from ghjobs_async.listing.windows import Window
from ghjobs_async.models import JobList, Run
from ghjobs_async.refs import RunRef


@attrs.define(eq=False)
class WaitingPage:
    """
    A page that is stored once all of its runs are: a 304 for it would hide the others.

    Attributes:
        left: How many listings it waits for.
    """

    page: StoredPage
    left: int = 0


@attrs.frozen(kw_only=True, order=False)
class Wanted(RunRef):
    """
    A run, or an attempt of it, whose jobs have to be asked for.

    Attributes:
        run_attempt: The number of the run's latest attempt.
        completed: Whether that has completed.
        run: What to store of the run; None where it is stored already.
        waiting: The page that waits for it.
    """

    work: RepoWork = attrs.field(eq=False, repr=False)
    run_attempt: int
    completed: bool
    run: Run | None = attrs.field(default=None, eq=False, repr=False)
    waiting: WaitingPage | None = attrs.field(default=None, eq=False, repr=False)


@attrs.define(eq=False)
class RepoWork:
    """
    The work on one repository.

    What it finds goes into a *batch*, which is passed each time: the writer begins one after another.

    Args:
        repo: Its name, as the store has it.
        plan: What is audited.
        known: What the store knew when the audit began.
        search: Reads the pages of its runs.
        counts: Grows as runs are found.

    Attributes:
        error: The first error of its search.
        hopeless: Whether GitHub refuses to search this repository, so that it is asked no more.
        ends: The windows that were read.
        kept: The pages that are in the store, or will be: window, number, label.
    """

    repo: str
    plan: AuditPlan
    known: Known
    search: RunPages
    counts: Counts
    error: GHJobsError | None = None
    hopeless: bool = False
    ends: list[WindowEnd] = attrs.field(factory=list)
    kept: list[tuple[Window, int, str]] = attrs.field(factory=list)
    _unsettled: dict[int, Unsettled] = attrs.field(init=False)
    # Runs on an unchanged page: they are as they are stored.
    _confirmed: set[int] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        self._unsettled = dict(self.known.unsettled)

    def take(self, found: RunPage | WindowEnd, batch: Batch) -> list[Wanted]:
        """Take a page or the end of a window; return what has to be asked for."""
        if isinstance(found, WindowEnd):
            self.ends.append(found)
            self.counts.windows_done += 1
            return []
        self.counts.windows += max(0, found.divided - 1)
        self.kept.append((found.window, found.number, found.known.label))
        if not found.changed:
            self._take_unchanged(found.known.run_ids)
            return []
        fresh = [run for run in found.fresh if self.plan.takes(run.id)]
        self.counts.elsewhere += len(found.fresh) - len(fresh)
        waiting = WaitingPage(self._stored(found))
        refs = [ref for run in fresh for ref in self.take_run(run, batch, waiting)]
        waiting.left = len(refs)
        if not refs:
            batch.pages.append(waiting.page)
        return refs

    def _take_unchanged(self, run_ids: Sequence[int]) -> None:
        own = [run_id for run_id in run_ids if self.plan.takes(run_id)]
        self.counts.found += len(own)
        self.counts.elsewhere += len(run_ids) - len(own)
        self.counts.listed += len(own)
        self._confirmed.update(self._unsettled.keys() & own)

    def take_run(self, run: Run, batch: Batch, waiting: WaitingPage | None = None) -> list[Wanted]:
        """Take a run as GitHub has it now; return what has to be asked for."""
        self._unsettled.pop(run.id, None)
        self.counts.found += 1
        # Old servers count no attempts: there, a run that has changed may have run again.
        settled = () if run.run_attempt is None else self.known.settled.of(run.id)
        numbers = wanted(run.run_attempt or 1, settled, latest=self.plan.latest)
        completed = run.status is None or run.status == "completed"
        if not numbers:
            batch.runs.append((self.repo, run))
        # Of a run with several attempts to ask for, only the last one counts.
        self.counts.listed += 1 - len(numbers)
        self.counts.asked += bool(numbers)
        return [
            Wanted(
                self.repo,
                run.id,
                number,
                work=self,
                run_attempt=run.run_attempt or 1,
                completed=completed,
                run=run,
                waiting=waiting,
            )
            for number in numbers
        ]

    def confirmed(self) -> Iterator[Wanted]:
        """Return what is missing of the runs that are as the store has them."""
        for run_id in sorted(self._confirmed & self._unsettled.keys(), reverse=True):
            one = self._unsettled.pop(run_id)
            self.counts.asked += 1
            settled = self.known.settled.of(run_id)
            for number in wanted(one.run_attempt, settled, latest=self.plan.latest):
                # It was counted with its page, and is again when its jobs come.
                self.counts.listed -= 1
                yield Wanted(
                    self.repo,
                    run_id,
                    number,
                    work=self,
                    run_attempt=one.run_attempt,
                    completed=one.completed,
                )

    def unconfirmed(self) -> Iterator[RunRef]:
        """Return the runs of which something is missing and that were on no page."""
        if not self.error:
            for run_id in sorted(self._unsettled, reverse=True):
                if not self._unsettled[run_id].gone:
                    yield RunRef(self.repo, run_id)

    def listed(self, ref: Wanted, jobs: JobList, batch: Batch) -> None:
        """Take the jobs of a run or an attempt: the run is stored with them, and not before."""
        self._add_run(ref, batch)
        self.counts.add(jobs)
        batch.listings.append(
            Listing(self.repo, ref.run_id, jobs.jobs, ref.attempt, complete=jobs.complete)
        )
        if jobs.complete:
            numbers = settles(
                ref.attempt, ref.run_attempt, completed=ref.completed, latest=self.plan.latest
            )
            # Old servers count no attempts.
            counts = Counter(job.run_attempt or ref.run_attempt for job in jobs)
            batch.attempts += [
                Attempt(self.repo, ref.run_id, number, counts[number]) for number in numbers
            ]
            batch.settled.append(Missing(self.repo, ref.run_id, None, "jobs"))
        else:
            short = (jobs.expected, jobs.got, jobs.undecodable)
            self.failed(incomplete("jobs", self.repo, *short, run_id=ref.run_id), batch)
        self._done(ref, batch)

    def unlisted(self, ref: RunRef, error: Exception, batch: Batch) -> None:
        """Take the failure to list jobs, or to find a run; a 404 says that the run is gone."""
        if isinstance(ref, Wanted):
            self._add_run(ref, batch)
        if isinstance(error, NotFoundError):
            batch.gone.append((self.repo, ref.run_id))
            batch.settled.append(Missing(self.repo, ref.run_id, None, "jobs"))
        else:
            self.failed(failure_of("jobs", self.repo, error, run_id=ref.run_id), batch)
        if isinstance(ref, Wanted):
            self._done(ref, batch)

    def failed_search(self, error: Exception) -> None:
        """Take the failure to read a window."""
        if not isinstance(error, GHJobsError):
            raise error
        self.error = self.error or error
        refused = isinstance(error, ResponseError) and not isinstance(error, ServerError)
        self.hopeless = self.hopeless or refused

    def end_search(self, batch: Batch) -> None:
        """Write down how the search ended."""
        short = [end for end in self.ends if not end.settled]
        if self.error is not None:
            self.failed(failure_of("search", self.repo, self.error), batch)
        elif short:
            expected, got = sum(one.expected for one in short), sum(one.got for one in short)
            problems = [problem for one in short for problem in one.undecodable]
            self.failed(incomplete("search", self.repo, expected, got, problems), batch)
        else:
            batch.settled.append(Missing(self.repo, None, None, "search"))

    def failed(self, failure: Failure, batch: Batch) -> None:
        """Write down what is missing."""
        self.counts.missing += 1
        batch.failures.append(failure)

    def _add_run(self, ref: Wanted, batch: Batch) -> None:
        if ref.run is not None:
            batch.runs.append((self.repo, ref.run))

    def _done(self, ref: Wanted, batch: Batch) -> None:
        if ref.waiting is not None:
            ref.waiting.left -= 1
            if not ref.waiting.left:
                batch.pages.append(ref.waiting.page)

    def _stored(self, found: RunPage) -> StoredPage:
        window, known = found.window, found.known
        assert window.start is not None
        assert window.end is not None
        return StoredPage(
            repository=self.repo,
            search=self.plan.key,
            credential=known.label,
            window_start=window.start,
            window_end=window.end,
            page=found.number,
            etag=known.etag or "",
            total=known.total_count,
            run_ids=known.run_ids,
        )
