"""`Watching`: the methods of the client that wait for runs and jobs."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable

from ghjobs_async.checks import JobLike, RunLike, check_sha, resolve_job, resolve_run
from ghjobs_async.operations import Operations
from ghjobs_async.refs import check_repo
from ghjobs_async.transport.etags import EtagMemory
from ghjobs_async.transport.requester import Requester
from ghjobs_async.watch import watch as watching
from ghjobs_async.watch.events import Follow, Waited
from ghjobs_async.watch.looks import Looks, WatchBudgets
from ghjobs_async.watch.rounds import Rounds
from ghjobs_async.watch.watch import Watch


class Watching(Operations):
    """
    The methods of `GitHubJobs` that wait for runs and jobs.

    Args:
        requester: Asks GitHub.
        concurrency: How many requests of one list or watch are under way at once.
        etags: Remembers the answers for watching, which asks for the same again and again.
        conditional: Whether the other operations use these answers too.
    """

    def __init__(
        self, requester: Requester, concurrency: int, etags: EtagMemory, *, conditional: bool
    ) -> None:
        super().__init__(requester, concurrency, etags if conditional else None)
        self._watch_etags = etags
        self._at_once = concurrency
        self._budgets: WatchBudgets = {}

    def _rounds(self, options: watching.Options) -> Rounds:
        looks = Looks(self._watch_etags, self._at_once, options.budget_share, self._budgets)
        return Rounds(looks, self._at_once, options.interval)

    async def wait_for_run(
        self,
        run: RunLike,
        run_id: int | str | None = None,
        *,
        timeout: float | None = watching.DEFAULT_TIMEOUT,  # noqa: ASYNC109 -- by the client's clock
        follow: Follow = "attempt",
        grace: float = 60.0,
        budget_share: float = 0.2,
        interval: float | None = None,
    ) -> Waited:
        """
        Wait until a run and all its jobs have ended.

        An unchanged answer costs no hourly budget. Failures and rate limits are waited out up to the
        deadline.

        Args:
            run: Repository as ``"owner/name"``; or, alone, a `RunRef`, a `Run` or the run's URL.
            run_id: Numeric id of the run.
            timeout: After how many seconds to return at the latest; None waits for ever.
            follow: What a new attempt does: ``"attempt"`` ends the wait, ``"run"`` goes on with it.
            grace: For how many seconds a 404 means that the run is not there yet.
            budget_share: The share of the hourly limit that this may use, together with the client's
                other watches of the same share.
            interval: Seconds between two looks; None adapts it.

        Returns:
            The verdict, the run and its jobs. A deadline is a verdict, not an error.

        Raises:
            NotFoundError: No such run after *grace*, or the token cannot see it.
            AuthError: The token is wrong, expired or revoked.
            ForbiddenError: The token may not see it.
        """
        options = watching.Options(
            timeout=timeout,
            follow=follow,
            grace=grace,
            budget_share=budget_share,
            interval=interval,
        )
        ref = resolve_run(run, run_id)
        return await watching.wait_for_run(self._rounds(options), ref, options)

    async def wait_for_job(
        self,
        job: JobLike,
        job_id: int | str | None = None,
        *,
        timeout: float | None = watching.DEFAULT_TIMEOUT,  # noqa: ASYNC109 -- by the client's clock
        grace: float = 60.0,
        interval: float | None = None,
    ) -> Waited:
        """
        Wait until a job has ended, as `wait_for_run` does for a run.

        Takes what `get_job` takes.
        """
        options = watching.Options(timeout=timeout, grace=grace, interval=interval)
        ref = resolve_job(job, job_id)
        return await watching.wait_for_job(self._rounds(options), ref, options)

    def watch(
        self,
        refs: Iterable[RunLike] | AsyncIterable[RunLike],
        *,
        timeout: float | None = None,
        follow: Follow = "attempt",
        grace: float = 60.0,
        budget_share: float = 0.2,
        interval: float | None = None,
    ) -> Watch:
        """
        Watch runs until all have ended: ``async with gh.watch(refs) as events``.

        Iterating gives a `RunEvent`, `JobEvent` or `StepEvent` for every change, once. The last event
        of each run has its verdict. Several runs of a repository share one list of runs.

        Args:
            refs: Runs or attempts, as `RunRef`, `Run` or URL: any iterable, or async iterable.
            timeout: After how many seconds every run gets a verdict; None waits for ever.
            follow: What a new attempt does; as in `wait_for_run`.
            grace: For how many seconds a 404 means that a run is not there yet.
            budget_share: The share of the hourly limit that this may use, together with the client's
                other watches of the same share.
            interval: Seconds between two looks; None adapts it.
        """
        options = watching.Options(
            timeout=timeout,
            follow=follow,
            grace=grace,
            budget_share=budget_share,
            interval=interval,
        )
        return Watch(self._rounds(options), refs, options)

    def watch_commit(
        self,
        repo: str,
        head_sha: str,
        *,
        timeout: float | None = None,
        follow: Follow = "attempt",
        grace: float = 60.0,
        budget_share: float = 0.2,
        interval: float | None = None,
    ) -> Watch:
        """
        Watch the runs of a commit, also those that appear later, until all have ended.

        ``async with gh.watch_commit(repo, head_sha) as events``; takes what `watch` takes.

        Args:
            repo: Repository as ``"owner/name"``.
            head_sha: The commit's full id, as `get_branch_head` and `get_pull_head` return it.
            timeout: After how many seconds every run gets a verdict; None waits for ever.
            follow: What a new attempt does; as in `wait_for_run`.
            grace: For how many seconds to wait for the first run.
            budget_share: The share of the hourly limit that this may use, together with the client's
                other watches of the same share.
            interval: Seconds between two looks; None adapts it.

        Raises (while iterating):
            GHJobsError: No run appeared within *grace*, or the token may not list them. If
                *timeout* ends before *grace*, there is no event and no error.
        """
        options = watching.Options(
            timeout=timeout,
            follow=follow,
            grace=grace,
            budget_share=budget_share,
            interval=interval,
        )
        commit = check_repo(repo), check_sha(head_sha)
        return Watch(self._rounds(options), (), options, commit)
