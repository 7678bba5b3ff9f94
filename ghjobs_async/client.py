"""`GitHubJobs`: one method for each operation, and the fan-outs."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import urlsplit

from ghjobs_async import environment
from ghjobs_async.checks import (
    JobLike,
    RunLike,
    check_api_version,
    check_filter,
    check_number,
    check_refs,
    resolve_job,
    resolve_run,
)
from ghjobs_async.clock import Clock
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.fanout import FanOut, FanOutLate
from ghjobs_async.listing.pages import Pages, Reading
from ghjobs_async.listing.run_search import RunSearch
from ghjobs_async.logs.annotations import read_annotations
from ghjobs_async.logs.download import Download
from ghjobs_async.logs.job_log import JobLog, compiled
from ghjobs_async.logs.log_grep import LogGrep
from ghjobs_async.logs.storage import Storage
from ghjobs_async.logtext.search import Context
from ghjobs_async.models import CheckAnnotation, Job, JobList, LogLink, RateLimit, Run, Wait
from ghjobs_async.refs import JobRef, RunRef, check_id, check_repo
from ghjobs_async.transport.auth import AuthSource, CredentialStore, TokenAuth
from ghjobs_async.transport.gate import Gate
from ghjobs_async.transport.requester import Requester
from ghjobs_async.transport.retries import Retries
from ghjobs_async.transport.session import DEFAULT_TIMEOUT, Sessions
from ghjobs_async.wire.operations import (
    Filter,
    get_job,
    get_job_json,
    get_pull_head,
    get_run,
    list_jobs,
)

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

API_VERSION: Final = "2026-03-10"
# github.com allows 900 points a minute; a GET is one.
# https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
_GITHUB_COM_PACE: Final = 900.0


class _Environment(Enum):
    """The default of `GitHubJobs`: the token that the environment holds for the host, if any."""

    TOKEN = "the environment's token"  # noqa: S105 -- no token


class GitHubJobs:
    """
    GitHub's workflow jobs: get a job, list the jobs of a run, read their logs; one or many.

    Enter it with ``async with``. Many tasks may use it at once.

    Args:
        auth: A token, an auth object (`TokenAuth`, `AppAuth`), None for no token, or a callable
            that takes a repository's owner and returns one of these. By default, the token that
            the environment holds for the host, if any.
        base_url: The API's root, ``https://HOSTNAME/api/v3`` for an Enterprise Server, or a bare
            host name. By default ``GITHUB_API_URL``, ``GH_HOST``, or github.com.
        api_version: Sent as ``X-GitHub-Api-Version``; None sends none.
        concurrency: How many requests, and how many downloads, may be under way at once.
        session: A session to use; it is never closed here. By default, one is made.
        timeout: For every request; its ``total`` does not bound the content of logs.
        max_wait: The longest wait for a rate limit, in seconds; a longer one raises at once.
        on_wait: Called for every wait for a limit or a retry, before it begins.
        requests_per_minute: The pace; None is what GitHub allows: 900 on github.com and ghe.com, no
            limit on an Enterprise Server.
        retries: How often a request is sent again after a failure that may pass.
        clock: Time and chance, for tests.

    Raises:
        ConfigurationError: One of these is malformed.
    """

    def __init__(
        self,
        auth: AuthSource | _Environment = _Environment.TOKEN,
        *,
        base_url: str | None = None,
        api_version: str | None = API_VERSION,
        concurrency: int = 32,
        session: aiohttp.ClientSession | None = None,
        timeout: aiohttp.ClientTimeout = DEFAULT_TIMEOUT,
        max_wait: float = 900.0,
        on_wait: Callable[[Wait], object] | None = None,
        requests_per_minute: float | None = None,
        retries: int = 5,
        clock: Clock | None = None,
    ) -> None:
        check_number("concurrency", concurrency, least=1, whole=True)
        check_number("max_wait", max_wait, least=0)
        check_number("retries", retries, least=0, whole=True)
        if requests_per_minute is not None:
            check_number("requests_per_minute", requests_per_minute, least=0.1)
        check_api_version(api_version)
        root = environment.api_root(base_url, os.environ)
        host = urlsplit(root).hostname or ""
        if requests_per_minute is None and environment.is_github_com(host):
            requests_per_minute = _GITHUB_COM_PACE
        if isinstance(auth, _Environment):
            found = environment.find_token(root, os.environ)
            auth = None if found is None else TokenAuth(found[0], source=found[1])
        clock = clock or Clock()
        gate = Gate(concurrency, clock, max_wait, on_wait)
        self._base_url = root
        self._pace = requests_per_minute
        self._concurrency = concurrency
        self._clock = clock
        self._requester = Requester(
            sessions=Sessions(root, timeout, session),
            credentials=CredentialStore(auth, requests_per_minute),
            gate=gate,
            api_version=api_version,
            retries=Retries(retries, clock, max_wait, gate.report),
            clock=clock,
        )
        self._pages = Pages(self._requester, concurrency)
        # Downloads have their own slots: a log that waits for its reader blocks no API call.
        self._storage = Storage(concurrency)

    @property
    def base_url(self) -> str:
        """The API's root, without a slash at its end."""
        return self._base_url

    @property
    def requests_per_minute(self) -> float | None:
        """The pace of each credential's requests; None does not pace."""
        return self._pace

    @property
    def rate_limit(self) -> RateLimit | None:
        """
        The hourly budget that remains, as the last answers reported it; None before the first one,
        and on servers without limits. Of several credentials, it is the one with the least left.
        """
        return self._requester.credentials.rate_limit(self._clock.now())

    def __repr__(self) -> str:
        return f"<GitHubJobs at {self._base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the session, unless it was borrowed. Twice is fine."""
        await self._requester.aclose()

    async def get_job(self, job: JobLike, job_id: int | str | None = None) -> Job:
        """
        Fetch one job.

        ``GET /repos/{owner}/{repo}/actions/jobs/{job_id}`` --
        https://docs.github.com/rest/actions/workflow-jobs#get-a-job-for-a-workflow-run

        Args:
            job: Repository as ``"owner/name"``; or, alone, a `JobRef`, a `Job` or the job's URL.
            job_id: Numeric id of the job.

        Raises:
            NotFoundError: No such job, or the token cannot see it.
        """
        ref = resolve_job(job, job_id)
        return await self._requester.send(get_job(ref.repo, ref.job_id))

    async def get_job_json(
        self, job: JobLike, job_id: int | str | None = None
    ) -> dict[str, object]:
        """Fetch one job as GitHub's JSON object, with the keys that `Job` lacks."""
        ref = resolve_job(job, job_id)
        return await self._requester.send(get_job_json(ref.repo, ref.job_id))

    async def list_jobs(
        self,
        run: RunLike,
        run_id: int | str | None = None,
        *,
        filter: Filter = "latest",  # noqa: A002 -- GitHub's own name
    ) -> JobList:
        """
        List the jobs of a run, or of one attempt of it: all pages, fetched concurrently.

        ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs`` --
        https://docs.github.com/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run

        ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs`` --
        https://docs.github.com/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt

        Args:
            run: Repository as ``"owner/name"``; or, alone, a `RunRef`, a `Run` or the run's URL.
            run_id: Numeric id of the run.
            filter: ``"latest"`` for the latest attempt, ``"all"`` for the jobs of every attempt.

        Returns:
            The jobs, and whether they are all: ``complete``, ``total_count``, ``undecodable``.

        Raises:
            NotFoundError: No such run or attempt, or the token cannot see it.
            ConfigurationError: ``filter="all"`` for a single attempt.
        """
        ref = resolve_run(run, run_id)
        check_filter(filter)
        if ref.attempt is not None and filter == "all":
            raise ConfigurationError(
                f'filter="all" asks for every attempt, but {ref} names one: leave one of them out'
            )
        return await self._decode(await self._fetch(ref, filter))

    def _fetch(self, ref: RunRef, filter: Filter) -> Awaitable[Reading[Job]]:  # noqa: A002
        return self._pages.fetch((ref.repo, "jobs"), partial(list_jobs, ref, filter))

    async def _decode(self, reading: Reading[Job]) -> JobList:
        listing = await self._pages.decode(reading)
        return JobList(listing.items, listing.total_count, listing.undecodable, listing.settled)

    async def list_annotations(
        self, job: JobLike, job_id: int | str | None = None
    ) -> tuple[CheckAnnotation, ...]:
        """
        List what GitHub and actions said about a job besides its log, such as a time limit.

        ``GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations`` --
        https://docs.github.com/rest/checks/runs#list-check-run-annotations

        The token needs to read checks.
        """
        found = job if isinstance(job, Job) else await self.get_job(job, job_id)
        return await read_annotations(self._requester, found)

    async def get_run(self, run: RunLike, run_id: int | str | None = None) -> Run:
        """
        Fetch one run, or one attempt of it.

        ``GET /repos/{owner}/{repo}/actions/runs/{run_id}`` --
        https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run

        ``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}`` --
        https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run-attempt

        Takes what `list_jobs` takes.

        Raises:
            NotFoundError: No such run or attempt, or the token cannot see it.
        """
        return await self._requester.send(get_run(resolve_run(run, run_id)))

    async def get_pull_head(self, repo: str, number: int) -> str:
        """
        Fetch the head commit of a pull request, whose runs ``iter_runs(repo, head_sha=...)`` gives.

        ``GET /repos/{owner}/{repo}/pulls/{pull_number}`` --
        https://docs.github.com/rest/pulls/pulls#get-a-pull-request
        """
        number = check_id(number, "a pull request")
        return await self._requester.send(get_pull_head(check_repo(repo), number))

    def iter_runs(
        self,
        repo: str,
        *,
        workflow: str | int | None = None,
        actor: str | None = None,
        branch: str | None = None,
        event: str | None = None,
        status: str | None = None,
        created: str | None = None,
        head_sha: str | None = None,
        check_suite_id: int | None = None,
        exclude_pull_requests: bool = False,
    ) -> RunSearch:
        """
        Iterate over the runs of a repository or of one workflow, the newest first.

        ``GET /repos/{owner}/{repo}/actions/runs`` --
        https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository

        ``GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs`` --
        https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow

        GitHub lists at most 1,000 results of a search: a longer one is split by its ``created``
        window until every part has fewer.

        Args:
            repo: Repository as ``"owner/name"``.
            workflow: The workflow's id or its file name, ``"ci.yml"``.
            actor: Login of the user who triggered the run.
            branch: The branch.
            event: The event, such as ``"push"``.
            status: A status or a conclusion.
            head_sha: The commit.
            check_suite_id: The check suite.
            created: ``"7d"`` (since then), ``"2026-10-01..2026-11-01"``, or another form of GitHub's.
            exclude_pull_requests: Leave the pull requests out of the answers, which is faster.

        Returns:
            An async iterator of `Run`; at its end, its ``complete`` says whether it found all.

        Raises:
            ConfigurationError: *repo*, *workflow*, *status* or *created* is malformed or unknown.
        """
        filters = {
            "actor": actor,
            "branch": branch,
            "event": event,
            "status": status,
            "created": created,
            "head_sha": head_sha,
            "check_suite_id": check_suite_id,
            "exclude_pull_requests": "true" if exclude_pull_requests else None,
        }
        return RunSearch(self._pages, self._clock, repo, workflow, filters)

    async def get_log_url(self, job: JobLike, job_id: int | str | None = None) -> LogLink:
        """
        Ask for the signed link of a job's log. Anyone who has it can read the log for a minute.

        ``GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs`` --
        https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run

        Takes what `get_job` takes.

        Raises:
            LogUnavailableError: There is no log; its ``reason`` says why.
            NotFoundError: No such job, or the token cannot see it.
        """
        return await Download(self._requester, self._storage, resolve_job(job, job_id)).link()

    def open_log(self, job: JobLike, job_id: int | str | None = None) -> JobLog:
        """
        Open the log of a job: ``async with gh.open_log(repo, job_id) as log``.

        ``GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs`` --
        https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run

        Entering the block asks for the link and follows it without the token. While the log is read,
        an expired link is renewed and a broken download is resumed.

        Takes what `get_job` takes.

        Raises (when entered):
            LogUnavailableError: There is no log; its ``reason`` says why.
            NotFoundError: No such job, or the token cannot see it.
        """
        return JobLog(self._requester, self._storage, resolve_job(job, job_id))

    def fan_out(
        self,
        refs: Iterable[RunLike] | AsyncIterable[RunLike],
        *,
        filter: Filter = "latest",  # noqa: A002 -- GitHub's own name
    ) -> FanOut[RunRef, JobList]:
        """
        List the jobs of many runs or attempts: ``async with gh.fan_out(refs) as outcomes``.

        Iterating gives a `Fetched` or `Failed` for each reference, as they finish. *refs* is read
        lazily, few results wait at a time, and leaving the block ends every request.

        Args:
            refs: Runs or attempts, as `RunRef`, `Run` or URL: any iterable, or async iterable, such
                as `iter_runs` gives.
            filter: As in `list_jobs`, for references without an attempt.
        """
        check_filter(filter)
        check_refs(refs)
        total = refs.known_total if isinstance(refs, RunSearch) else None
        # A list waits undecoded, which takes less memory, until its outcome is taken.
        work = partial(self._fetch, filter=filter)
        return FanOutLate(
            refs, work, self._decode, resolve_run, concurrency=self._concurrency, total=total
        )

    def fan_out_logs(
        self,
        refs: Iterable[JobLike] | AsyncIterable[JobLike],
        handle: Callable[[JobLog], Awaitable[T]],
    ) -> FanOut[JobRef, T]:
        """
        Handle the logs of many jobs: ``async with gh.fan_out_logs(refs, handle) as outcomes``.

        Args:
            refs: Jobs, as `JobRef`, `Job` or URL: any iterable, or async iterable.
            handle: Takes an open `JobLog`; what it returns is the value of the outcome.
        """
        check_refs(refs)

        async def work(ref: JobRef) -> T:
            async with self.open_log(ref) as log:
                return await handle(log)

        return FanOut(refs, work, resolve=resolve_job, concurrency=self._concurrency)

    def grep(
        self,
        refs: Iterable[JobLike] | AsyncIterable[JobLike],
        pattern: str | re.Pattern[str],
        *,
        context: Context = 0,
        invert: bool = False,
        max_count: int | None = None,
    ) -> LogGrep:
        """
        Search the logs of many jobs: ``async with gh.grep(jobs, pattern) as hits``.

        Iterating gives a `JobHit` for every line that matches, as it is found. No log is kept, and
        ``hits.failures`` reports those that could not be read.

        Args:
            refs: Jobs, as `JobRef`, `Job` or URL: any iterable, or async iterable.
            pattern: A regular expression. It sees a line without timestamp, marker and colours.
            context: How many lines to give around each hit: one number for both sides, or a pair.
            invert: Give the lines that do not match.
            max_count: Stop reading a log after this many hits; None gives them all.

        Raises:
            ConfigurationError: *pattern* is not a regular expression, *context* is negative, or
                *max_count* is not positive.
        """
        regex = compiled(pattern, context, max_count)
        check_refs(refs)
        search = partial(
            JobLog.grep, pattern=regex, context=context, invert=invert, max_count=max_count
        )
        return LogGrep(refs, self.open_log, search, concurrency=self._concurrency)
