"""`GitHubJobs`: the client, its logs and its fan-outs; `Operations` and `Watching` have the rest."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import urlsplit

from ghjobs_async import environment
from ghjobs_async.checks import (
    JobLike,
    RunLike,
    check_api_version,
    check_conditional,
    check_filter,
    check_number,
    check_refs,
    resolve_job,
    resolve_run,
)
from ghjobs_async.clock import Clock
from ghjobs_async.fanout import FanOut, FanOutLate
from ghjobs_async.listing.run_search import RunSearch
from ghjobs_async.logs.download import Download
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logs.log_grep import LogGrep
from ghjobs_async.logs.storage import Storage
from ghjobs_async.logtext.search import Context, compiled
from ghjobs_async.models import JobList, LogLink, RateLimit, Wait
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.transport.auth import AuthSource, CredentialStore, TokenAuth
from ghjobs_async.transport.etags import DEFAULT_BOUND, EtagMemory
from ghjobs_async.transport.gate import Gate
from ghjobs_async.transport.requester import Requester
from ghjobs_async.transport.retries import Retries
from ghjobs_async.transport.session import DEFAULT_TIMEOUT, Sessions
from ghjobs_async.transport.stats import Counters, Stats
from ghjobs_async.watch.methods import Watching
from ghjobs_async.wire.operations import Filter

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


class GitHubJobs(Watching):
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
        conditional: Whether `get_run`, `get_job` and `list_jobs` remember their answers, and ask only
            for what has changed: an unchanged one costs no hourly budget. A number is how many bytes
            they may take, instead of 32 MiB.
        trace_configs: For aiohttp's own tracing, which sees tokens and signed links too.
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
        conditional: bool | int = False,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        clock: Clock | None = None,
    ) -> None:
        check_number("concurrency", concurrency, least=1, whole=True)
        check_number("max_wait", max_wait, least=0)
        check_number("retries", retries, least=0, whole=True)
        check_conditional(conditional)
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
        self._counters = Counters()
        gate = Gate(concurrency, clock, max_wait, on_wait, self._counters)
        requester = Requester(
            sessions=Sessions(root, timeout, session, trace_configs, self._counters),
            credentials=CredentialStore(auth, requests_per_minute),
            gate=gate,
            api_version=api_version,
            retries=Retries(retries, clock, max_wait, gate.report_retry),
            clock=clock,
        )
        bound = DEFAULT_BOUND if isinstance(conditional, bool) else conditional
        etags = EtagMemory(requester, bound)
        super().__init__(requester, concurrency, etags, conditional=bool(conditional))
        self._base_url = root
        self._pace = requests_per_minute
        self._concurrency = concurrency
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
    def clock(self) -> Clock:
        """Time and chance, as this client has them."""
        return self._requester.clock

    @property
    def rate_limit(self) -> RateLimit | None:
        """
        The hourly budget that remains, as the last answers reported it; None before the first one,
        and on servers without limits. Of several credentials, it is the one with the least left.
        """
        known = self._requester.credentials.rate_limits(self._requester.clock.now()).values()
        return min(known, key=lambda limit: limit.remaining, default=None)

    @property
    def stats(self) -> Stats:
        """What this client has done so far, as an immutable snapshot."""
        requester = self._requester
        return self._counters.snapshot(requester.credentials.rate_limits(requester.clock.now()))

    def __repr__(self) -> str:
        return f"<GitHubJobs at {self._base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the session, unless it was borrowed. Twice is fine."""
        await self._requester.aclose()

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
