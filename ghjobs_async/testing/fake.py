"""`FakeGitHub`: the one object that users of this package hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from ghjobs_async.refs import check_id, check_repo
from ghjobs_async.testing.faults import recoverable
from ghjobs_async.testing.recorded import fill_from_folder
from ghjobs_async.testing.script import Fault, Rule, Script
from ghjobs_async.testing.server.hosting import Hosted
from ghjobs_async.testing.server.messages import Answer, Asked
from ghjobs_async.testing.site.api import Api
from ghjobs_async.testing.site.credentials import Apps, Budget
from ghjobs_async.testing.site.routes import call_of
from ghjobs_async.testing.site.storage import Storage
from ghjobs_async.testing.world.blobs import LogContent
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec, JobSpec, LogState, plain_jobs
from ghjobs_async.testing.world.times import iso
from ghjobs_async.testing.world.world import World

#: Runs without a time of their own were created one second after another, from a day ago on.
_FIRST_RUN_AGE = 86_400


class FakeGitHub(Hosted):
    """
    An embedded GitHub: the workflow-jobs API, and the storage of its logs.

    Enter it with ``async with`` to serve in the running event loop, or with ``with`` to serve in
    a thread of its own.

    Args:
        clock: The current time, in seconds since the epoch.
        link_lifetime: How long a log's signed link is valid, in seconds.
        latency: Seconds before each answer.
        rate_limit: Requests an hour for each credential; None sends no limit headers, as GHES by
            default.
        tokens: The accepted tokens; None accepts any, and requests without one.
        api_versions: The known values of ``X-GitHub-Api-Version``.
        record: Whether `requests` keeps what was asked; False saves memory in long tests.
        capped_total: Whether ``total_count`` of a filtered run listing stops at 1,000, like the
            results.
        storage_host: The host in signed links. Clients that compare hosts without their ports
            (gh does) need ``localhost`` here to see that the storage is another host.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        link_lifetime: float = 60.0,
        latency: float = 0.0,
        rate_limit: int | None = 5000,
        tokens: Collection[str] | None = None,
        api_versions: Collection[str] = ("2022-11-28", "2026-03-10"),
        record: bool = True,
        capped_total: bool = False,
        storage_host: str = "127.0.0.1",
    ) -> None:
        super().__init__(storage_host=storage_host, latency=latency, record=record)
        self.clock = clock
        self.world = World(int(clock()) - _FIRST_RUN_AGE)
        self.apps = Apps(clock)
        self.budget = Budget(clock, rate_limit)
        self.storage = Storage(self.world, clock, link_lifetime)
        self.api = Api(
            clock=clock,
            world=self.world,
            storage=self.storage,
            budget=self.budget,
            apps=self.apps,
            tokens=tokens,
            api_versions=tuple(api_versions),
            capped_total=capped_total,
        )
        self.script = Script()

    # -- what it holds ---------------------------------------------------------------------

    def add_run(
        self,
        repo: str,
        *,
        jobs: int | Sequence[JobSpec] = 1,
        attempts: int | Sequence[AttemptSpec | Sequence[JobSpec]] = 1,
        conclusion: str | None = "success",
        run_id: int | None = None,
        event: str = "push",
        branch: str | None = "main",
        workflow: str = "CI",
        workflow_path: str | None = None,
        created_at: datetime | None = None,
        actor: str = "octocat",
        head_sha: str | None = None,
        overrides: Mapping[str, object] | None = None,
    ) -> FakeRun:
        """
        Add a run.

        Args:
            repo: Repository as ``"owner/name"``; made if there is none.
            jobs: The jobs of the last attempt, or their number.
            attempts: The jobs of each attempt, in place of ``jobs``; or the number of attempts,
                of which all but the last one failed.
            conclusion: How the last attempt ended; ``"success"`` leaves that to the jobs if they
                are given. None: it is still in progress.
            run_id: Its number; None takes the next one.
            event: What triggered it.
            branch: The branch it ran on.
            workflow: The name of its workflow.
            workflow_path: The workflow's file; None derives it from the name.
            created_at: When it was created; None: one second after the run before.
            actor: Who triggered it.
            head_sha: The commit; None invents one.
            overrides: Keys of the run's JSON object to replace or add.
        """
        check_repo(repo)
        specs = _attempts(jobs, attempts, conclusion)
        run = self.world.add_run(
            repo,
            None if run_id is None else check_id(run_id, "a run's id"),
            workflow=workflow,
            path=workflow_path,
            created=None if created_at is None else int(created_at.timestamp()),
            head_sha=head_sha,
        )
        run.event, run.branch, run.actor = event, branch, actor
        run.overrides.update(overrides or {})
        self.world.add_attempts(run, specs)
        return run

    @property
    def runs(self) -> list[FakeRun]:
        """Every run, in the order they were added."""
        return list(self.world.runs.values())

    def rename(self, old: str, new: str) -> None:
        """Rename a repository: the old name redirects (301) to ``/repositories/ID/...``."""
        if old.lower() not in self.world.repos:
            raise KeyError(old)
        self.world.rename(old, check_repo(new))

    def set_log(
        self,
        job_id: int,
        content: LogContent | None = None,
        *,
        state: LogState | None = None,
        size: int | None = None,
        etag: str | None = None,
    ) -> None:
        """
        Set a job's log, or how a request for it is answered.

        Args:
            job_id: The job.
            content: The bytes, or a function that makes them block by block at each call; None
                generates a log.
            state: ``"ok"``; ``"expired"`` (410); ``"deleted"`` (404); ``"not_ready"`` (the link
                leads to BlobNotFound); ``"direct"`` (the API itself answers 200 with the log);
                None: ``"ok"`` if there is content, else what the job's status implies.
            size: The number of bytes that the function makes; None calls it once to count them.
            etag: The blob's ETag; None derives it from the content, or from *size* if given.
        """
        self.world.jobs[job_id].set_log(content, state, size, etag)

    @classmethod
    def from_folder(  # noqa: D417 - most arguments are those of the class
        cls,
        path: str | Path,
        *,
        clock: Callable[[], float] = time.time,
        link_lifetime: float = 60.0,
        latency: float = 0.0,
        rate_limit: int | None = 5000,
        storage_host: str = "127.0.0.1",
    ) -> Self:
        """
        Make one from recorded payloads.

        Args:
            path: A folder with ``*.json`` (lists of jobs, single jobs, ``workflow_job`` webhook
                bodies) and logs named ``JOBID.txt`` or ``*_jobJOBID.txt``.
            clock, link_lifetime, latency, rate_limit, storage_host: As for the class.
        """
        fake = cls(
            clock=clock,
            link_lifetime=link_lifetime,
            latency=latency,
            rate_limit=rate_limit,
            storage_host=storage_host,
        )
        fill_from_folder(fake.world, Path(path))
        return fake

    def now(self) -> str:
        """Give the time by its own clock, as GitHub writes it."""
        return iso(int(self.clock()))

    # -- faults ----------------------------------------------------------------------------

    def fail(
        self,
        on: str,
        fault: Fault,
        times: int | None = 1,
        where: Callable[[Asked], bool] | None = None,
        after: int = 0,
    ) -> Rule:
        """
        Make answers faulty; see `ghjobs_async.testing.faults`.

        Args:
            on: ``jobs``, ``job``, ``runs``, ``run``, ``log`` (the link), ``storage``, ``token``
                and the other operations of `Asked`; ``api``: all but the storage; ``any``.
            fault: What goes wrong.
            times: How often; None for ever.
            where: A predicate of the request; None takes every one.
            after: The number of matching requests to answer well first.

        Returns:
            The rule, which counts its ``hits`` and can be stopped.
        """
        return self.script.add(Rule(on, fault, times, where, after))

    def fault_rate(self, rate: float, seed: int = 0, faults: Sequence[Fault] | None = None) -> None:
        """
        Make a share of all answers faulty: the same ones each time, in whatever order they come.

        Args:
            rate: The share, from 0 to 1.
            seed: Another seed picks other answers.
            faults: What goes wrong; None takes all from which a client can recover.
        """
        self.script.set_rate(rate, seed, recoverable() if faults is None else faults)

    def heal(self) -> None:
        """End every fault."""
        self.script.clear()

    def _answer(self, asked: Asked) -> tuple[Asked, Answer]:
        call = call_of(asked, self.web_url, self.storage_url)
        origin = self.storage if asked.origin == "storage" else self.api
        answer = self.script.answer(self.api, call, origin.answer)
        return call.asked, origin.finish(call, answer)


def _attempts(
    jobs: int | Sequence[JobSpec],
    attempts: int | Sequence[AttemptSpec | Sequence[JobSpec]],
    conclusion: str | None,
) -> list[AttemptSpec]:
    if not isinstance(attempts, int):
        return [a if isinstance(a, AttemptSpec) else AttemptSpec(a) for a in attempts]
    if attempts < 1:
        raise ValueError("a run has at least one attempt")
    last = plain_jobs(jobs, conclusion) if isinstance(jobs, int) else list(jobs)
    given = conclusion if isinstance(jobs, int) or conclusion != "success" else None
    earlier = plain_jobs(jobs, "failure") if isinstance(jobs, int) else last
    return [
        *(AttemptSpec(earlier, "failure") for _ in range(attempts - 1)),
        AttemptSpec(last, given),
    ]
