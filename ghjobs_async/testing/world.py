"""What the fake GitHub holds: repositories, runs, attempts and jobs, each with its id."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.testing import payloads
from ghjobs_async.testing.logs import generate_log
from ghjobs_async.testing.specs import AttemptSpec, JobSpec, LogContent, LogState, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Real ids have exceeded 32 bits for years, and clients still break on it.
FIRST_RUN_ID = 30_000_000_001
FIRST_JOB_ID = 80_000_000_001
FIRST_REPO_ID = 1_296_269


@attrs.define(eq=False)
class FakeRepo:
    """A repository: its number never changes, its name may."""

    id: int
    full_name: str
    runs: list[FakeRun] = attrs.field(factory=list)
    _newest_first: list[FakeRun] | None = None

    def newest_first(self) -> list[FakeRun]:
        """Give all runs in the order GitHub lists them."""
        if self._newest_first is None or len(self._newest_first) != len(self.runs):
            self._newest_first = sorted(
                self.runs, key=lambda run: (run.created, run.id), reverse=True
            )
        return self._newest_first


@attrs.define(eq=False)
class FakeJob:
    """
    One job of one attempt.

    Attributes:
        id: Its number.

        run, attempt: Where it belongs.

        spec: What it was made from.

        created: When its attempt created it, in seconds since the epoch.
    """

    id: int
    run: FakeRun
    attempt: int
    spec: JobSpec
    created: int
    _data: dict[str, object] | None = None
    _log: LogContent | None = None
    _log_state: LogState | None = None
    #: Size and ETag of a generated log, so that it need not be made to be measured.
    measured: tuple[int, str] | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.payload().get("name", self.spec.name)) if self._data else self.spec.name

    @property
    def ref(self) -> JobRef:
        """The reference a client asks with."""
        return JobRef(self.run.repo, self.id)

    @property
    def data(self) -> dict[str, object]:
        """The JSON object as it is sent: change it and the next answer is changed."""
        if self._data is None:
            self._data = payloads.job(self)
        return self._data

    @data.setter
    def data(self, value: dict[str, object]) -> None:
        self._data = value

    def payload(self) -> dict[str, object]:
        """Give the JSON object; made anew each time unless a test holds `data`."""
        # A soak over 20,000 runs would not fit into memory if every object were kept.
        return self._data if self._data is not None else payloads.job(self)

    @property
    def log(self) -> LogContent:
        """The log: what was set, or one generated from the job."""
        if self._log is not None:
            return self._log
        if self.spec.log is not None:
            return self.spec.log
        return generate_log(self.payload()).content

    @property
    def log_state(self) -> LogState:
        """What happens to whoever asks for the log: what was set, or what the status implies."""
        if self._log_state is not None:
            return self._log_state
        if self.spec.log_state is not None:
            return self.spec.log_state
        data = self._data
        status = self.spec.status if data is None else data.get("status")
        conclusion = self.spec.conclusion if data is None else data.get("conclusion")
        if status != "completed":
            return "not_ready"
        if self.spec.log is not None or self._log is not None or self.spec.runner != "none":
            return "deleted" if self.spec.check_run else "ok"
        return "not_ready" if conclusion == "cancelled" else "deleted"

    def set_log(
        self,
        content: LogContent | None,
        state: LogState | None,
        measured: tuple[int, str] | None = None,
    ) -> None:
        """Replace the log; see `FakeGitHub.set_log`."""
        self._log = content
        self._log_state = state
        self.measured = measured


@attrs.define(eq=False)
class FakeAttempt:
    """One attempt of a run: when it started, how it ended, its jobs."""

    number: int
    started: int
    status: str
    conclusion: str | None
    jobs: list[FakeJob] = attrs.field(factory=list)
    updated: int = 0


@attrs.define(eq=False)
class FakeRun:
    """
    One run.

    Attributes:
        id: Its number.

        attempts: Its attempts, the first one first.

        created: When it was created, in seconds since the epoch.

        overrides: Keys of the run's JSON object, as they shall be sent.
    """

    repository: FakeRepo
    id: int
    number: int
    event: str
    branch: str | None
    workflow: str
    path: str
    workflow_id: int
    actor: str
    created: int
    head_sha: str
    attempts: list[FakeAttempt] = attrs.field(factory=list)
    overrides: dict[str, object] = attrs.field(factory=dict)

    @property
    def repo(self) -> str:
        """The repository as ``owner/name``."""
        return self.repository.full_name

    @property
    def jobs(self) -> list[FakeJob]:
        """The jobs of the last attempt."""
        return self.attempts[-1].jobs

    @property
    def all_jobs(self) -> list[FakeJob]:
        """The jobs of every attempt, the first attempt first."""
        return [job for attempt in self.attempts for job in attempt.jobs]

    @property
    def ref(self) -> RunRef:
        """The reference a client asks with."""
        return RunRef(self.repo, self.id)

    @property
    def created_at(self) -> datetime:
        """When it was created."""
        return datetime.fromtimestamp(self.created, UTC)

    @property
    def check_suite_id(self) -> int:
        """The number of its check suite."""
        return self.id + 10_000_000_000


@attrs.define
class World:
    """Everything there is, and the numbers to give to what comes."""

    repos: dict[str, FakeRepo] = attrs.field(factory=dict)
    repos_by_id: dict[int, FakeRepo] = attrs.field(factory=dict)
    runs: dict[int, FakeRun] = attrs.field(factory=dict)
    jobs: dict[int, FakeJob] = attrs.field(factory=dict)
    #: Names that a repository once had, lower-case, with its number.
    former_names: dict[str, int] = attrs.field(factory=dict)
    _next_run: int = FIRST_RUN_ID
    _next_job: int = FIRST_JOB_ID

    def repo(self, full_name: str) -> FakeRepo:
        """Give the repository of that name, made where there is none."""
        repo = self.repos.get(full_name.lower())
        if repo is None:
            repo = FakeRepo(FIRST_REPO_ID + len(self.repos_by_id), full_name)
            self.repos[full_name.lower()] = self.repos_by_id[repo.id] = repo
        return repo

    def rename(self, old: str, new: str) -> None:
        """Give a repository another name; the old one leads there."""
        repo = self.repos.pop(old.lower())
        self.former_names[old.lower()] = repo.id
        self.repos[new.lower()] = repo
        repo.full_name = new

    def run_id(self) -> int:
        """Give an unused number for a run."""
        while self._next_run in self.runs:
            self._next_run += 1
        return self._next_run

    def add_job(self, run: FakeRun, attempt: FakeAttempt, spec: JobSpec, created: int) -> FakeJob:
        """Add one job to an attempt."""
        wanted = spec.overrides.get("id")
        number = wanted if isinstance(wanted, int) and wanted not in self.jobs else self._next_job
        if number == self._next_job:
            self._next_job += 1
            while self._next_job in self.jobs:
                self._next_job += 1
        job = FakeJob(number, run, attempt.number, spec, created)
        attempt.jobs.append(job)
        self.jobs[number] = job
        return job

    def add_attempts(self, run: FakeRun, specs: Sequence[AttemptSpec]) -> None:
        """Add attempts to a run, one after the other."""
        start = run.created
        previous: FakeAttempt | None = None
        for spec in specs:
            status, conclusion = outcome_of(spec.jobs)
            if spec.conclusion is not None:
                conclusion = spec.conclusion
                status = "completed"
            attempt = FakeAttempt(len(run.attempts) + 1, start, status, conclusion)
            ends = [start]
            for index, job_spec in enumerate(spec.jobs):
                job = self.add_job(run, attempt, _inheriting(job_spec, previous, index), start + 1)
                ends.append(start + 1 + max(0, job.spec.queued_for) + max(0, job.spec.seconds))
            attempt.updated = max(ends) + 1
            run.attempts.append(attempt)
            previous = attempt
            start = attempt.updated + 300


def _inheriting(spec: JobSpec, previous: FakeAttempt | None, index: int) -> JobSpec:
    """Give an inherited job the times of the attempt before, as GitHub does."""
    if not spec.inherited or previous is None:
        return spec
    jobs = previous.jobs
    before = jobs[index] if index < len(jobs) and jobs[index].spec.name == spec.name else None
    before = before or next((job for job in jobs if job.spec.name == spec.name), None)
    if before is None:
        return spec
    data = before.payload()
    times: dict[str, object] = {
        key: data[key] for key in ("started_at", "completed_at", "steps") if key in data
    }
    return attrs.evolve(spec, overrides={**times, **spec.overrides})


def sha_of(*parts: object) -> str:
    """Give 40 hex digits that depend on *parts* only."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def jobs_of(runs: Sequence[FakeRun]) -> Iterator[FakeJob]:
    """Give every job of every attempt of *runs*."""
    for run in runs:
        yield from run.all_jobs
