"""`FakeGitHub`: the one object a user of this package holds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from ghjobs_async.refs import check_id, check_repo
from ghjobs_async.testing.answers import Answer, Asked, Call, Origin
from ghjobs_async.testing.api import Api, call_of
from ghjobs_async.testing.apps import Apps
from ghjobs_async.testing.budget import Budget
from ghjobs_async.testing.hosting import Hosted
from ghjobs_async.testing.ledger import Ledger
from ghjobs_async.testing.recorded import fill_from_folder
from ghjobs_async.testing.script import Fault, Rule, Script
from ghjobs_async.testing.shares import recoverable
from ghjobs_async.testing.specs import (
    AttemptSpec,
    JobSpec,
    LogContent,
    LogState,
    plain_jobs,
)
from ghjobs_async.testing.storage import Storage, measure
from ghjobs_async.testing.times import iso
from ghjobs_async.testing.world import FakeRun, World, sha_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from aiohttp import web

#: Runs without a time of their own were created one second after another, from a day ago on.
_FIRST_RUN_AGE = 86_400


class FakeGitHub(Hosted):
    """
    An embedded GitHub: the workflow-jobs API, and the storage its logs lie in.

    Enter it with ``async with`` to serve in the running event loop, or with ``with`` to serve in
    a thread of its own.

    Args:
        clock: What time it is, in seconds since the epoch.

        link_lifetime: Seconds that a log's signed link lives.

        latency: Seconds before each answer.

        rate_limit: Requests an hour for each credential; None sends no limit headers at all, as
            GHES by default.

        tokens: Which tokens are accepted; None takes any, or none.

        api_versions: Which values of ``X-GitHub-Api-Version`` are known.

        record: Whether `requests` keeps what was asked; a soak would fill the memory.

        capped_total: Whether ``total_count`` of a filtered run listing stops at 1,000 as the
            results do.

        storage_host: The host that signed links name. Clients that compare hosts without their
            ports (gh does) need ``localhost`` here to see that the storage is another host.
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
        super().__init__(storage_host)
        self.clock = clock
        self.latency = latency
        self.ledger = Ledger(keep=record)
        self.world = World()
        self.apps = Apps(clock)
        self.budget = Budget(clock, rate_limit)
        self.storage = Storage(self.world, clock, link_lifetime)
        self.api = Api(
            self.world,
            self.storage,
            self.budget,
            self.apps,
            clock,
            tokens=tokens,
            api_versions=tuple(api_versions),
            capped_total=capped_total,
        )
        self.script = Script()
        self._epoch = int(clock()) - _FIRST_RUN_AGE

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
            repo: Repository as ``"owner/name"``; made where there is none.

            jobs: How many jobs, or which, the last attempt has.

            attempts: How many attempts (those before the last one failed), or which: the jobs
                of each, in place of ``jobs``.

            conclusion: How the last attempt ended; ``"success"`` leaves that to the jobs where
                they are given. None: it is still in progress.

            run_id: Its number; None takes the next one.

            event: What triggered it.

            branch: The branch it ran on.

            workflow: The name of its workflow.

            workflow_path: The workflow's file; None derives it from the name.

            created_at: When it was created; None: one second after the run added before.

            actor: Who triggered it.

            head_sha: The commit; None makes one up.

            overrides: Keys of the run's JSON object, as they shall be sent.
        """
        check_repo(repo)
        world = self.world
        number = world.run_id() if run_id is None else check_id(run_id, "a run's id")
        if number in world.runs:
            raise ValueError(f"there is a run {number} already")
        specs = _attempts(jobs, attempts, conclusion)
        repository = world.repo(repo)
        file_name = workflow_path or f".github/workflows/{_slug(workflow)}.yml"
        created = int(created_at.timestamp()) if created_at else self._epoch + len(world.runs)
        run = FakeRun(
            repository=repository,
            id=number,
            number=len(repository.runs) + 1,
            event=event,
            branch=branch,
            workflow=workflow,
            path=file_name,
            workflow_id=1_000_000 + int(sha_of(repository.id, file_name)[:6], 16),
            actor=actor,
            created=created,
            head_sha=head_sha or sha_of(repository.id, number),
            overrides=dict(overrides or {}),
        )
        world.add_attempts(run, specs)
        world.runs[number] = run
        repository.runs.append(run)
        return run

    @property
    def runs(self) -> list[FakeRun]:
        """Every run, in the order they were added."""
        return list(self.world.runs.values())

    def rename(self, old: str, new: str) -> None:
        """Rename a repository: the old name is answered 301 to ``/repositories/ID/...``."""
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
        Set a job's log, or what happens to whoever asks for it.

        Args:
            job_id: The job.

            content: The bytes, or a function that gives them block by block each time it is
                called; None keeps the generated log.

            state: ``"ok"``; ``"expired"`` (410); ``"deleted"`` (404); ``"not_ready"`` (the link
                leads to BlobNotFound); ``"direct"`` (the API itself answers 200 with the log);
                None: ``"ok"`` where there is content, else what the job's status implies.

            size: How many bytes the function gives; None reads it once to find out.

            etag: The blob's ETag; None derives it from the content, or from the size.
        """
        job = self.world.jobs[job_id]
        measured = None if size is None else (size, etag or f'"0x8{size:X}"')
        if state is None and content is not None:
            state = "ok"
        job.set_log(content, state, measured)
        if content is not None and not isinstance(content, bytes) and measured is None:
            # Once here, rather than at each request while others wait.
            job.measured = measure(content())

    @classmethod
    def from_folder(
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
        Make one of recorded payloads.

        Args:
            path: A folder with ``*.json`` (lists of jobs, single jobs, ``workflow_job`` webhook
                bodies) and logs named ``JOBID.txt`` or ``*_jobJOBID.txt``.

            clock: As for the class; so are the others.

            link_lifetime: Seconds that a log's signed link lives.

            latency: Seconds before each answer.

            rate_limit: Requests an hour for each credential, or None.

            storage_host: The host that signed links name.
        """
        fake = cls(
            clock=clock,
            link_lifetime=link_lifetime,
            latency=latency,
            rate_limit=rate_limit,
            storage_host=storage_host,
        )
        fill_from_folder(fake, Path(path))
        return fake

    def now(self) -> str:
        """Give the time by its own clock, as GitHub writes it."""
        return iso(int(self.clock()))

    # -- what goes wrong -------------------------------------------------------------------

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

            where: Which requests; None takes all.

            after: How many fitting requests are answered well before.

        Returns:
            The rule, which counts its ``hits`` and can be stopped.
        """
        return self.script.add(on, fault, times=times, where=where, after=after)

    def fault_rate(self, rate: float, seed: int = 0, faults: Sequence[Fault] | None = None) -> None:
        """
        Make a share of all answers faulty, the same ones at each run whatever the order.

        Args:
            rate: The share, from 0 to 1.

            seed: Another seed picks others.

            faults: What goes wrong; None takes all those from which a client can recover.
        """
        self.script.set_rate(rate, seed, recoverable() if faults is None else faults)

    def heal(self) -> None:
        """End every fault."""
        self.script.clear()

    # -- what it was asked -----------------------------------------------------------------

    @property
    def requests(self) -> list[Asked]:
        """Everything asked, in order."""
        return self.ledger.requests

    def clear_requests(self) -> None:
        """Forget what was asked, and the greatest numbers in flight."""
        self.ledger.clear()

    def most_in_flight(self, origin: Origin = "api") -> int:
        """Give the greatest number of requests in flight at once."""
        return self.ledger.most_in_flight[origin]

    def in_flight(self, origin: Origin = "api") -> int:
        """Give the number of requests in flight now."""
        return self.ledger.in_flight[origin]

    def asked_count(self, origin: Origin = "api") -> int:
        """Give the number of requests, kept or not."""
        return self.ledger.counts[origin]

    async def wait_asked(self, count: int, origin: Origin = "api") -> None:
        """
        Wait until *count* requests have come since the start (or `clear_requests`).

        Only where it is served in the running event loop.
        """
        await self.ledger.wait(count, origin)

    # -- from request to answer ------------------------------------------------------------

    async def _respond_api(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = _asked("api", request)
        host = request.headers.get("Host", "")
        call = call_of(asked, host, self.storage_url)
        answer = self.script.answer(self, call, self.api.answer)
        return await self._send(request, call, self.api.finish(call, answer))

    async def _respond_storage(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = attrs.evolve(_asked("storage", request), operation="storage")
        root = self.storage_url
        call = Call(asked, asked.path, self.base_url, root, root, "storage")
        answer = self.script.answer(self, call, self.storage.answer)
        answer.encoded = True
        answer.headers.setdefault("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
        return await self._send(request, call, answer)

    async def _send(
        self, request: web.BaseRequest, call: Call, answer: Answer
    ) -> web.StreamResponse:
        origin = call.asked.origin
        never = answer.hang_up is not None or answer.stall_after == -1
        answer.headers.setdefault("Server", "github.com")
        answer.headers.setdefault("Date", self.api.date())
        self.ledger.arrived(attrs.evolve(call.asked, status=0 if never else answer.status))
        try:
            return await self._deliver(request, answer, self.latency)
        finally:
            self.ledger.left(origin)


def _asked(origin: Origin, request: web.BaseRequest) -> Asked:
    headers = {key.lower(): value for key, value in request.headers.items()}
    return Asked(origin, request.method, request.path, dict(request.query), headers)


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


def _slug(name: str) -> str:
    text = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return text or "workflow"
