"""``ghjobs watch``: wait for runs, and show their changes."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from math import inf
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import attrs
from cyclopts import Parameter

from ghjobs_async.checks import check_number, check_sha
from ghjobs_async.cli.options import Common, Repo, command, run_with
from ghjobs_async.cli.output.console import Exit, is_terminal, report
from ghjobs_async.cli.output.log_lines import failed_at
from ghjobs_async.cli.output.problems import explain
from ghjobs_async.cli.output.progress import Progress
from ghjobs_async.cli.output.watch import WatchView, print_line
from ghjobs_async.cli.target import Target
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import (
    AuthError,
    ConfigurationError,
    ForbiddenError,
    GHJobsError,
    LogUnavailableError,
    NotFoundError,
)
from ghjobs_async.fanout import Failed, FanOutMany
from ghjobs_async.models import Job, Run, Status, Wait
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.transport.retries import reason_of
from ghjobs_async.watch.events import JobEvent, RunEvent, Verdict, WatchEvent, verdict_of
from ghjobs_async.watch.pace import backoff
from ghjobs_async.watch.rounds import YET
from ghjobs_async.watch.watch import Watch

app = command(
    "watch",
    "ghjobs watch [RUN | JOB-ADDRESS | PULL-REQUEST] [OPTIONS]",
    """\
A branch stands for the runs of its newest commit, a pull request for those of
its head commit. Runs that appear later are watched too.

If stdout is not a terminal, each change is a line with tabs: run, job or step;
found, changed, new_attempt or ended; run, attempt, name, step, state, verdict.

Exit status: 7 no jobs appeared, 8 a new attempt began, 9 unreachable or
refused, 124 not ended within --timeout, 130 interrupted, else 0. With
--exit-status also 1 failure, 4 cancelled, 5 timed out, 6 action required.
The worst of several runs counts.

Examples:

    ghjobs watch -R octo-org/octo-repo 29679449 --exit-status
    ghjobs watch https://github.com/OWNER/REPO/actions/runs/1/job/2
    ghjobs watch https://github.com/OWNER/REPO/pull/1 --fail-fast --timeout 30m
    ghjobs watch -R octo-org/octo-repo --branch main --json
""",
)

_LEAST_INTERVAL: Final = 0.2
_TIMEOUT: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]+)?)([smh])")
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
#: The exit status of each verdict, the worst first; the second group only with ``--exit-status``.
_ALWAYS: Final = {Verdict.UNREACHABLE: 9, Verdict.DEADLINE: 124}
_IF_ASKED: Final = {
    Verdict.FAILURE: 1,
    Verdict.TIMED_OUT: 5,
    Verdict.CANCELLED: 4,
    Verdict.ACTION_REQUIRED: 6,
}
_LAST: Final = {Verdict.NO_JOBS: 7, Verdict.SUPERSEDED: 8}
#: A log appears some seconds after the end of its job.
_LOG_TRIES: Final = 6
_LOG_WAIT: Final = 3.0
#: The most seconds to spend on the reason of one job.
_LOG_TIMEOUT: Final = 60.0
#: For how many seconds a 404 for a branch, a pull request or a job means "not yet".
_GRACE: Final = 60.0

T = TypeVar("T")

_What: TypeAlias = Literal["changes", "reasons"]
#: A change, or why a job failed.
_Told: TypeAlias = WatchEvent | tuple[int, str]


@attrs.frozen
class _Commit:
    """A commit whose runs are watched, given by its id, a branch or a pull request."""

    repo: str
    sha: str | None = None
    branch: str | None = None
    pull: int | None = None

    def __str__(self) -> str:
        what = f"pull request {self.pull}" if self.branch is None else f"branch {self.branch}"
        return f"{self.repo} {what}"

    async def head(self, gh: GitHubJobs) -> str:
        """Ask for the newest commit of the branch or the pull request."""
        if self.branch is not None:
            return await gh.get_branch_head(self.repo, self.branch)
        assert self.pull is not None
        return await gh.get_pull_head(self.repo, self.pull)


@attrs.frozen(kw_only=True)
class _How:
    """How to watch, and when to stop."""

    timeout: float | None
    interval: float | None
    fail_fast: bool
    exit_status: bool


@app.default
def watch_command(  # noqa: D417 -- what commands share describes itself
    source: str | None = None,
    /,
    *,
    repo: Repo = None,
    branch: Annotated[str | None, Parameter(alias="-b")] = None,
    commit: str | None = None,
    exit_status: bool = False,
    fail_fast: bool = False,
    timeout: Annotated[str | None, Parameter(metavar="90s|30m|2h")] = None,
    interval: Annotated[float | None, Parameter(metavar="SECONDS")] = None,
    json: bool = False,
    common: Common = Common(),  # noqa: B008 -- frozen
) -> int:
    """
    Wait until runs have ended, and show how their jobs and steps change.

    Args:
        source: Number or address of a run, or address of a job or of a pull request.
        branch: The runs of the newest commit of this branch.
        commit: The runs of this commit, by its full id.
        exit_status: End with a status that says how the runs ended.
        fail_fast: End as soon as a job has failed.
        timeout: Stop after this long.
        interval: Look this often, 0.2 or more; else as often as things move.
        json: Print one JSON object for each change.
    """
    if sum(one is not None for one in (source, branch, commit)) != 1:
        raise ConfigurationError("name one thing to watch: a RUN, --branch or --commit")
    if interval is not None:
        check_number("--interval", interval, least=_LEAST_INTERVAL)
    how = _How(
        timeout=_seconds(timeout), interval=interval, fail_fast=fail_fast, exit_status=exit_status
    )
    target = _target(common, source, repo, branch, commit)
    draws = is_terminal(sys.stdout) and not (json or common.quiet or common.verbose)
    gh, progress = common.connect(target.root)
    find = _Finder(lambda: common.connect(target.root, max_wait=0, retries=0)[0], how, progress)
    follow = _Follower(how, progress if draws else None, json=json)
    again = _again(
        source,
        {
            "--repo": repo,
            "--branch": branch,
            "--commit": commit,
            "--timeout": timeout,
            "--interval": interval,
            "--base-url": common.base_url,
            "--exit-status": exit_status,
            "--fail-fast": fail_fast,
            "--json": json,
        },
    )
    try:
        status = run_with(gh, lambda gh: follow.run(gh, find, target.ref))
    except ConfigurationError:
        raise
    except GHJobsError as error:
        report(explain(error))
        return _ALWAYS[Verdict.UNREACHABLE]
    except KeyboardInterrupt:
        report(f"interrupted: the runs go on; {again}")
        return Exit.INTERRUPTED
    if status == _ALWAYS[Verdict.DEADLINE]:
        report(f"--timeout {timeout} is over: the runs go on; {again}")
    return status


def _again(source: str | None, options: Mapping[str, object]) -> str:
    """Say with which command the watch goes on."""
    words = ["ghjobs", "watch", *([source] if source else ())]
    for name, value in options.items():
        if value:
            words += [name] if value is True else [name, str(value)]
    return f"watch again with {shlex.join(words)}"


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = _TIMEOUT.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f"--timeout reads 90s, 30m or 2h, not {text[:40]!r}")
    return float(found[1]) * _UNITS[found[2]]


def _target(
    common: Common, source: str | None, repo: str | None, branch: str | None, commit: str | None
) -> Target[RunRef] | Target[JobRef] | Target[_Commit]:
    """Return what to watch."""
    if source is None:
        found = common.targets.runs(None, repo)
        sha = None if commit is None else check_sha(commit)
        return Target(found.root, _Commit(found.ref.repo, sha, branch))
    if source.strip().isdecimal():
        return common.targets.run(source, repo)
    with suppress(ConfigurationError):
        return common.targets.job(source, repo)
    with suppress(ConfigurationError):
        pull = common.targets.runs(source, repo)
        if pull.ref.pull is not None:
            return Target(pull.root, _Commit(pull.ref.repo, pull=pull.ref.pull))
    return common.targets.run(source, repo)


@attrs.frozen
class _Finder:
    """
    Asks for what to watch, and like a watch tries again after failures until the deadline.

    Args:
        connect: Makes a client without retries and waits: these are done here.
        progress: Shows the waits.
    """

    connect: Callable[[], GitHubJobs]
    how: _How
    progress: Progress

    async def answer(self, what: object, ask: Callable[[GitHubJobs], Awaitable[T]]) -> T:
        """Ask for *what* until there is an answer; raise a refusal, and a 404 after the grace."""
        async with self.connect() as gh:
            clock = gh.clock
            begun = clock.now()
            until = begun + (inf if self.how.timeout is None else self.how.timeout)
            failures = 0
            told = False
            while True:
                left = until - clock.now()
                try:
                    async with asyncio.timeout(None if left == inf else max(1.0, left)):
                        return await ask(gh)
                except (AuthError, ForbiddenError, ConfigurationError):
                    raise
                except GHJobsError as error:
                    now, failures = clock.now(), failures + 1
                    missing = isinstance(error, NotFoundError)
                    end = min(until, begun + _GRACE) if missing else until
                    if now >= end:
                        raise
                    pause = min(backoff(error, now, self.how.interval, failures), end - now)
                    if missing and not told:
                        told = True
                        self._tell(now, end, f"{what} is not there{YET}")
                    elif not missing:
                        self._tell(now, now + pause, reason_of(error))
                    await clock.sleep(pause)
                except TimeoutError:
                    raise GHJobsError("there was no answer within --timeout") from None

    def _tell(self, now: float, until: float, reason: str) -> None:
        self.progress.on_wait(Wait(until - now, datetime.fromtimestamp(until, UTC), reason))


@attrs.define
class _Follower:
    """Shows the changes, and keeps what the exit status depends on."""

    how: _How
    #: Draws the table; None prints lines.
    progress: Progress | None
    json: bool
    view: WatchView = attrs.field(factory=WatchView)
    verdicts: set[Verdict] = attrs.field(factory=set)
    #: The id of the only job to watch; None for all jobs of the runs.
    only: int | None = None
    # Errors to report below the table, at its end.
    _errors: list[GHJobsError] = attrs.field(factory=list)
    _failed: asyncio.Queue[tuple[str, Job] | None] = attrs.field(factory=asyncio.Queue)

    async def run(self, gh: GitHubJobs, find: _Finder, what: RunRef | JobRef | _Commit) -> int:
        """Watch until the end, and return the exit status."""
        async with await self._open(gh, find, what) as events:
            if self.progress is None:
                await self._print(events)
            else:
                try:
                    with self.progress.drawing(self.view.lines):
                        await self._draw(gh, events, self.progress)
                finally:
                    for error in self._errors:
                        report(explain(error))
        if not self.verdicts:
            report("no run has appeared within --timeout")
            self.verdicts.add(Verdict.DEADLINE)
        return self._status()

    def _report(self, error: GHJobsError) -> None:
        """Report an error, but not inside a table."""
        if self.progress is None:
            report(explain(error))
        else:
            self._errors.append(error)

    async def _print(self, events: Watch) -> None:
        runs: dict[RunRef, Run | None] = {}
        async with aclosing(self._changes(events)) as changes:
            async for event in changes:
                print_line(event, runs.get(event.ref), as_json=self.json)
                if isinstance(event, RunEvent):
                    runs[event.ref] = event.run

    async def _open(self, gh: GitHubJobs, find: _Finder, what: RunRef | JobRef | _Commit) -> Watch:
        timeout, interval = self.how.timeout, self.how.interval
        begun = gh.clock.now()
        if isinstance(what, JobRef):
            ref = what
            job = await find.answer(ref, lambda gh: gh.get_job(ref))
            self.only = job.id
            what = RunRef(ref.repo, job.run_id, job.run_attempt)
        elif isinstance(what, _Commit) and what.sha is None:
            what = attrs.evolve(what, sha=await find.answer(what, what.head))
        if timeout is not None:
            timeout = max(0.0, begun + timeout - gh.clock.now())
        if isinstance(what, RunRef):
            return gh.watch([what], timeout=timeout, interval=interval)
        assert what.sha is not None
        return gh.watch_commit(what.repo, what.sha, timeout=timeout, interval=interval)

    async def _changes(self, events: Watch) -> AsyncGenerator[WatchEvent, None]:
        """Yield the changes, with ``--fail-fast`` up to the first failed job."""
        async for event in events:
            if isinstance(event, RunEvent):
                if event.error is not None:
                    self._report(event.error)
                if event.verdict is not None:
                    self.verdicts.add(event.verdict)
            elif self.only is not None and event.job.id != self.only:
                continue
            yield event
            if not isinstance(event, JobEvent) or event.job.conclusion is None:
                # The conclusion may come later than the status.
                continue
            if event.job.status == Status.COMPLETED:
                verdict = verdict_of(event.job.conclusion)
                bad = verdict in {Verdict.FAILURE, Verdict.TIMED_OUT}
                if bad:
                    self._failed.put_nowait((event.ref.repo, event.job))
                if self.only is not None or (bad and self.how.fail_fast):
                    self.verdicts.add(verdict)
                    return

    async def _draw(self, gh: GitHubJobs, events: Watch, progress: Progress) -> None:
        """Draw the changes, and why jobs failed as soon as their logs are there."""

        def work(what: _What) -> AsyncGenerator[_Told, None]:
            return self._watched(events) if what == "changes" else self._reasons(gh)

        keys: tuple[_What, ...] = ("changes", "reasons")
        async with FanOutMany[_What, _Told](keys, work, concurrency=2) as told:
            async for outcome in told:
                if isinstance(outcome, Failed):
                    raise outcome.error
                if isinstance(outcome.value, tuple):
                    self.view.reasons.update([outcome.value])
                else:
                    progress.appeared()
                    self.view.take(outcome.value)

    async def _watched(self, events: Watch) -> AsyncGenerator[_Told, None]:
        async with aclosing(self._changes(events)) as changes:
            async for event in changes:
                yield event
        self._failed.put_nowait(None)

    async def _reasons(self, gh: GitHubJobs) -> AsyncGenerator[_Told, None]:
        tries: Counter[int] = Counter()
        until: float | None = None
        # After the end of the watch, all missing logs together have this much time to appear.
        while until is None or not (self._failed.empty() or gh.clock.now() >= until):
            failed = await self._failed.get()
            if failed is None:
                until = gh.clock.now() + _LOG_TRIES * _LOG_WAIT
                continue
            repo, job = failed
            try:
                async with asyncio.timeout(_LOG_TIMEOUT), gh.open_log(repo, job.id) as log:
                    excerpt = await log.failure(job)
            except LogUnavailableError as error:
                tries[job.id] += 1
                if error.reason == "not_ready" and tries[job.id] < _LOG_TRIES:
                    await gh.clock.sleep(_LOG_WAIT)
                    self._failed.put_nowait(failed)
            except (GHJobsError, TimeoutError):
                # The table does without it.
                continue
            else:
                if excerpt is not None:
                    yield job.id, failed_at(excerpt)

    def _status(self) -> int:
        known = {**_ALWAYS, **(_IF_ASKED if self.how.exit_status else {}), **_LAST}
        return next((status for verdict, status in known.items() if verdict in self.verdicts), 0)
