"""`Operations`: one method for each operation that reads a job, a run or a list."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from itertools import count
from typing import TypeVar

from ghjobs_async.checks import (
    JobLike,
    RunLike,
    check_branch,
    check_filter,
    resolve_job,
    resolve_run,
)
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.listing.pages import Pages, Reading
from ghjobs_async.listing.run_search import RunSearch
from ghjobs_async.logs.annotations import read_annotations
from ghjobs_async.models import CheckAnnotation, Job, JobList, Run
from ghjobs_async.refs import RunRef, check_id, check_repo
from ghjobs_async.transport.etags import EtagMemory
from ghjobs_async.transport.requester import Requester
from ghjobs_async.wire.messages import Request
from ghjobs_async.wire.operations import (
    Filter,
    get_branch_head,
    get_job,
    get_job_json,
    get_pull_head,
    get_run,
    list_jobs,
)
from ghjobs_async.wire.owners import OwnedRepository, OwnerKind, list_repositories

T = TypeVar("T")


class Operations:
    """
    The operations of `GitHubJobs` that read jobs and runs.

    Args:
        requester: Asks GitHub.
        concurrency: How many pages of one list are asked for at once.
        etags: Remembers jobs, runs and lists of jobs; None asks for them in full.
    """

    def __init__(self, requester: Requester, concurrency: int, etags: EtagMemory | None) -> None:
        self._requester = requester
        self._etags = etags
        self._job_pages = Pages(requester, concurrency, etags)
        self._run_pages = Pages(requester, concurrency)

    async def _send(self, request: Request[T]) -> T:
        if self._etags is None:
            return await self._requester.send(request)
        return (await self._etags.send(request)).value

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
        return await self._send(get_job(ref.repo, ref.job_id))

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
        return self._job_pages.fetch((ref.repo, "jobs"), partial(list_jobs, ref, filter))

    async def _decode(self, reading: Reading[Job]) -> JobList:
        listing = await self._job_pages.decode(reading)
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
        return await self._send(get_run(resolve_run(run, run_id)))

    async def get_pull_head(self, repo: str, number: int) -> str:
        """
        Fetch the head commit of a pull request, whose runs ``iter_runs(repo, head_sha=...)`` gives.

        ``GET /repos/{owner}/{repo}/pulls/{pull_number}`` --
        https://docs.github.com/rest/pulls/pulls#get-a-pull-request
        """
        number = check_id(number, "a pull request")
        return await self._requester.send(get_pull_head(check_repo(repo), number))

    async def get_branch_head(self, repo: str, branch: str) -> str:
        """
        Fetch the newest commit of a branch, whose runs `watch_commit` watches.

        ``GET /repos/{owner}/{repo}/branches/{branch}`` --
        https://docs.github.com/rest/branches/branches#get-a-branch
        """
        return await self._requester.send(get_branch_head(check_repo(repo), check_branch(branch)))

    async def list_repos(
        self, owner: str, *, kind: OwnerKind = "orgs"
    ) -> tuple[OwnedRepository, ...]:
        """
        List the repositories of an organization or a user, as far as the token may see them.

        ``GET /orgs/{org}/repos`` --
        https://docs.github.com/rest/repos/repos#list-organization-repositories

        ``GET /users/{username}/repos`` --
        https://docs.github.com/rest/repos/repos#list-repositories-for-a-user

        Args:
            owner: The organization or the user.
            kind: Which of them: ``"orgs"`` or ``"users"``.

        Raises:
            NotFoundError: There is no such owner.
            ConfigurationError: *owner* is malformed.
        """
        check_repo(f"{owner}/name")
        found: list[OwnedRepository] = []
        for page in count(1):
            items, more = await self._requester.send(list_repositories(kind, owner, page))
            found += items
            if not more:
                break
        return tuple(found)

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
        return RunSearch(self._run_pages, self._requester.clock, repo, workflow, filters)
