"""Options that several commands have, and the client; a command's own are in its docstring."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import attrs
from cyclopts import App, Group, Parameter

from ghjobs_async.cli.output.console import report, start_verbose
from ghjobs_async.cli.programs import ask, find_repository
from ghjobs_async.cli.target import Targets, host_of
from ghjobs_async.environment import find_token
from ghjobs_async.refs import check_repo

if TYPE_CHECKING:
    from ghjobs_async.audit import AuditPlan, Logs, Shard
    from ghjobs_async.cli.output.progress import Progress
    from ghjobs_async.client import GitHubJobs
    from ghjobs_async.transport.auth import TokenAuth

T = TypeVar("T")

#: Long enough for the hourly budget to return, for work that would otherwise end half done.
BUDGET_WAIT = 3900.0


def command(name: str, usage: str, epilogue: str) -> App:
    """Make the application of one command. Its help is shown as it is written, line by line."""
    # A flag is off unless it is given, and there is no --no-FLAG.
    options = Parameter(negative=(), show_default=lambda value: None if value is False else value)
    return App(
        name=name,
        usage=f"Usage: {usage}",
        help_format="plaintext",
        help_epilogue=epilogue,
        default_parameter=options,
    )


Repo: TypeAlias = Annotated[
    str | None,
    Parameter(
        alias="-R",
        help="Repository of a number, [HOST/]OWNER/REPO; else GH_REPO, or the git checkout's.",
    ),
]
# Given without a value it is an empty text: `app.prepare` completes it.
Json: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="[FIELDS]",
        help="Print JSON: --json alone everything, --json name,id these fields.",
    ),
]
Jq: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="EXPRESSION",
        help="Print what this jq expression makes of the JSON, texts as they are.",
    ),
]
Web: TypeAlias = Annotated[bool, Parameter(help="Open its page in the browser instead.")]
ExitStatus: TypeAlias = Annotated[bool, Parameter(help="End with status 1 where something failed.")]
#: Where an audit is written and read, where nothing else is said.
AUDIT = Path("ghjobs-audit")
AuditDir: TypeAlias = Annotated[Path, Parameter(help="The folder of the audit to read.")]
Quiet: TypeAlias = Annotated[bool, Parameter(alias="-q", help="No progress, no messages.")]
Verbose: TypeAlias = Annotated[
    bool, Parameter(help="Report every request, retry and wait on stderr.")
]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Counted:
    """
    What the findings of an audit count.

    Attributes:
        since: Count only jobs created since: 7d, 24h, 2026-10-01.
        repo: Count only this repository, OWNER/REPO.
    """

    since: str | None = None
    repo: Annotated[str | None, Parameter(alias="-R")] = None

    def parse(self) -> tuple[datetime | None, str | None]:
        """
        Return the moment from which jobs count, and the repository.

        Raises:
            ConfigurationError: One of them is malformed.
        """
        start = None
        if self.since is not None:
            # Without --since, the command starts faster when this is not imported.
            from ghjobs_async.audit.collect.plan import parse_when, start_of  # noqa: PLC0415

            start = start_of(parse_when(self.since))
        return start, None if self.repo is None else check_repo(self.repo)


@Parameter(name="*", group=Group("Common options", sort_key=100))
@attrs.frozen(kw_only=True)
class Common:
    """
    Where to ask, and how.

    Attributes:
        base_url: The API's root, or a host name; else GH_HOST, GITHUB_API_URL, github.com.
        api_version: X-GitHub-Api-Version to ask for; none sends none, for older servers.
        concurrency: How many requests and downloads may be under way at once.
    """

    base_url: str | None = None
    api_version: str | None = None
    concurrency: int = 32
    quiet: Quiet = False
    verbose: Verbose = False

    @property
    def targets(self) -> Targets:
        """Return what finds the things that the user names."""
        return Targets(self.base_url, os.environ, find_repository)

    def connect(
        self,
        root: str,
        *,
        draws: bool = True,
        max_wait: float = 900.0,
        retries: int = 5,
        processes: int = 1,
    ) -> tuple[GitHubJobs, Progress]:
        """
        Make the client for the API at *root*, and the display of its progress.

        Args:
            root: The root of the API.
            draws: Whether progress may be drawn.
            max_wait: The longest wait for a rate limit, in seconds.
            retries: How often a request is sent again after a failure that may pass.
            processes: How many processes share the pace.
        """
        # Here, so that commands that only read a folder start without them.
        from ghjobs_async.cli.output.progress import Progress  # noqa: PLC0415
        from ghjobs_async.client import API_VERSION, GitHubJobs  # noqa: PLC0415

        if self.verbose:
            start_verbose()
        progress = Progress(quiet=self.quiet, verbose=self.verbose, draws=draws)
        version = API_VERSION if self.api_version is None else self.api_version
        make = partial(
            GitHubJobs,
            _find_auth(root),
            base_url=root,
            api_version=None if version.lower() == "none" else version,
            concurrency=self.concurrency,
            max_wait=max_wait,
            retries=retries,
            on_wait=progress.on_wait,
        )
        gh = make()
        if processes > 1 and gh.requests_per_minute is not None:
            gh = make(requests_per_minute=gh.requests_per_minute / processes)
        return gh, progress


def run_with(gh: GitHubJobs, work: Callable[[GitHubJobs], Coroutine[object, None, T]]) -> T:
    """Run *work* with the client, in an event loop of its own."""
    import asyncio  # noqa: PLC0415

    async def inside() -> T:
        async with gh:
            return await work(gh)

    return asyncio.run(inside())


def _find_auth(root: str) -> TokenAuth | None:
    from ghjobs_async.transport.auth import TokenAuth  # noqa: PLC0415

    if found := find_token(root, os.environ):
        return TokenAuth(found[0], source=found[1])
    token = (ask("gh", "auth", "token", "--hostname", host_of(root)) or "").strip()
    return TokenAuth(token, source="gh") if token else None


@Parameter(name="*", group=Group("Which runs", sort_key=50))
@attrs.frozen(kw_only=True)
class RunFilters:
    """
    GitHub's own filters.

    Attributes:
        since: Created since: 7d, 24h, 2026-10-01. Default: no limit.
        until: Created until, written as --since.
        workflow: File name, or number.
        branch: Branch.
        event: What triggered them, such as push.
        status: Status or conclusion: failure, ...
        actor: Who triggered them.
    """

    since: str | None = None
    until: str | None = None
    workflow: Annotated[str | None, Parameter(alias="-w")] = None
    branch: Annotated[str | None, Parameter(alias="-b")] = None
    event: Annotated[str | None, Parameter(alias="-e")] = None
    status: Annotated[str | None, Parameter(alias="-s")] = None
    actor: str | None = None

    def plan(
        self,
        repos: tuple[str, ...],
        logs: Logs,
        *,
        latest: bool = False,
        shard: Shard | None = None,
    ) -> AuditPlan:
        """Make the plan for *repos*."""
        from ghjobs_async.audit import AuditPlan, parse_when  # noqa: PLC0415

        return AuditPlan(
            repos=repos,
            since=None if self.since is None else parse_when(self.since),
            until=None if self.until is None else parse_when(self.until),
            workflow=self.workflow,
            branch=self.branch,
            event=self.event,
            status=self.status,
            actor=self.actor,
            latest=latest,
            logs=logs,
            shard=shard,
        )


@attrs.frozen(kw_only=True)
class Filters(RunFilters):
    """
    GitHub's own filters, and whether there may be no run.

    Attributes:
        allow_empty: Finding no run at all is a success, too.
    """

    allow_empty: bool = False

    @property
    def given(self) -> dict[str, object]:
        """Return the filters that were given, by their options."""
        return {
            f"--{field.name.replace('_', '-')}": value
            for field in attrs.fields(type(self))
            if field.name != "allow_empty" and (value := getattr(self, field.name)) != field.default
        }

    def check_found(self, runs: int, repos: tuple[str, ...]) -> bool:
        """Check that runs were found, or that none were needed; otherwise say so on stderr."""
        if runs or self.allow_empty:
            return True
        narrowed = " ".join(
            f"{name} {value}" for name, value in self.given.items() if value is not True
        )
        which = f"no run matches {narrowed}" if narrowed else "there are no runs"
        report(f"{which} in {', '.join(repos)}: no run was found (see --allow-empty)")
        return False


@attrs.frozen(kw_only=True)
class GrepFilters(Filters):
    """
    The filters, with ``-e``, ``-w`` and ``-s`` left to what they mean in grep.

    Attributes:
        workflow: File name, or number.
        event: What triggered them, such as push.
        status: Status or conclusion: failure, ...
        all_attempts: Every attempt, not only the latest.
    """

    workflow: str | None = None
    event: str | None = None
    status: str | None = None
    all_attempts: bool = False
