"""`FakeGitHub`: the object through which tests use this package."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self, TypedDict, Unpack

from ghjobs_async.testing.faults import recoverable
from ghjobs_async.testing.recorded import fill_from_folder
from ghjobs_async.testing.script import Fault, Rule, Script
from ghjobs_async.testing.server.hosting import Hosted
from ghjobs_async.testing.server.messages import Answer, Asked
from ghjobs_async.testing.site.api import Api
from ghjobs_async.testing.site.credentials import Apps, Budget
from ghjobs_async.testing.site.routes import call_of
from ghjobs_async.testing.site.storage import Storage
from ghjobs_async.testing.world.moments import Moment
from ghjobs_async.testing.world.payloads import iso
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.testing.world.world import World

#: Runs without a given time are created one second after another, beginning a day ago.
_FIRST_RUN_AGE = 86_400


class FolderOptions(TypedDict, total=False):
    """The arguments of `FakeGitHub` that `FakeGitHub.from_folder` also takes."""

    clock: Callable[[], float]
    link_lifetime: float
    latency: float
    rate_limit: int | None
    storage_host: str


class FakeGitHub(World, Hosted):
    """
    An embedded GitHub: the workflow-jobs API, and the storage of its logs.

    Enter it with ``async with`` to serve in the running event loop, or with ``with`` to serve in
    another thread.

    Args:
        clock: The current time, in seconds since the epoch.
        link_lifetime: How long a log's signed link is valid, in seconds.
        latency: Seconds before each answer.
        rate_limit: Requests an hour for each credential; None sends no limit headers, as GHES does
            by default.
        tokens: The accepted tokens; None accepts any, and requests without one.
        api_versions: The supported values of ``X-GitHub-Api-Version``.
        record: Whether `requests` keeps the requests; False saves memory in long tests.
        capped_total: Whether ``total_count`` of a filtered list of runs stops at 1,000, like the
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
        World.__init__(self, int(clock()) - _FIRST_RUN_AGE)
        Hosted.__init__(self, storage_host=storage_host, latency=latency, record=record)
        self.clock = clock
        self.apps = Apps(clock)
        self.budget = Budget(clock, rate_limit)
        self.storage = Storage(self, clock, link_lifetime)
        known = tuple(api_versions)
        self.api = Api(
            clock, self, self.storage, self.budget, self.apps, tokens, known, capped_total
        )
        self.script = Script()

    @classmethod
    def from_folder(cls, path: str | Path, **options: Unpack[FolderOptions]) -> Self:
        """
        Make a fake from recorded payloads.

        Args:
            path: A folder with ``*.json`` (lists of jobs, single jobs, ``workflow_job`` webhook
                bodies) and logs named ``JOBID.txt`` or ``*_jobJOBID.txt``.
            options: *clock*, *link_lifetime*, *latency*, *rate_limit* and *storage_host* of the
                class.
        """
        fake = cls(**options)
        fill_from_folder(fake, Path(path))
        return fake

    def now(self) -> str:
        """Give the time of its clock, as GitHub writes it."""
        return iso(int(self.clock()))

    def play(
        self, run: FakeRun, speed: float = 1.0, clock: Callable[[], float] | None = None
    ) -> FakeRun:
        """
        Let a run begin now, and go from queued to the state that `add_run` was given.

        Its attempts follow one another. No answer shows what happens later; `at` gives the answers
        of any moment.

        Args:
            run: A run of this fake.
            speed: How many of the run's seconds pass in one second.
            clock: The current time, in seconds since the epoch; None takes the fake's own.

        Returns:
            The run.
        """
        now = clock or self.clock
        start = now()
        self.start_now(run, int(start))

        def moment() -> Moment:
            passed = max(0.0, now() - start - self.lag)
            return Moment(run.created + passed * speed, run.created, speed)

        run.play = moment
        return run

    def fail(
        self,
        on: str,
        fault: Fault,
        times: int | None = 1,
        where: Callable[[Asked], bool] | None = None,
        after: int = 0,
    ) -> Rule:
        """
        Make some answers faulty; see `ghjobs_async.testing.faults`.

        Args:
            on: ``jobs``, ``job``, ``runs``, ``run``, ``log`` (the link), ``storage``, ``token``
                and the other operations of `Asked`; ``api``: all but the storage; ``any``.
            fault: What goes wrong.
            times: How many times; None for ever.
            where: A predicate of the request; None takes every one.
            after: How many matching requests to answer without the fault first.

        Returns:
            The rule, which counts its ``hits`` and can be stopped.
        """
        return self.script.add(Rule(on, fault, times, where, after))

    def fault_rate(self, rate: float, seed: int = 0, faults: Sequence[Fault] | None = None) -> None:
        """
        Make a share of all answers faulty: always the same ones, in any order of the requests.

        Args:
            rate: The share, from 0 to 1.
            seed: Another seed picks other answers.
            faults: What goes wrong; None takes all faults from which a client can recover.
        """
        self.script.set_rate(rate, seed, recoverable() if faults is None else faults)

    def heal(self) -> None:
        """End every fault."""
        self.script.rules.clear()
        self.script.set_rate(0.0, 0, ())

    def _answer(self, asked: Asked) -> tuple[Asked, Answer]:
        call = call_of(asked, self.web_url, self.storage_url)
        origin = self.storage if asked.origin == "storage" else self.api
        answer = self.script.answer(self.api, call, origin.answer)
        return call.asked, origin.finish(call, answer)
