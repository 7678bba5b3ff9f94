"""The whole of what the fake GitHub holds, and the numbers for what is added."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ghjobs_async.testing.world.payloads import sha_of
from ghjobs_async.testing.world.runs import FakeAttempt, FakeJob, FakeRepo, FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec, JobSpec, outcome_of

#: Real ids have exceeded 32 bits for years, and clients still break on it.
FIRST_RUN_ID = 30_000_000_001
FIRST_JOB_ID = 80_000_000_001
FIRST_REPO_ID = 1_296_269


@attrs.define
class World:
    """
    All repositories, runs and jobs.

    Attributes:
        epoch: When the first run without a time of its own was created; the next one a second
            later.
        former_names: Names that a repository once had, in lower case, with its number.
    """

    epoch: int
    repos: dict[str, FakeRepo] = attrs.field(factory=dict)
    repos_by_id: dict[int, FakeRepo] = attrs.field(factory=dict)
    runs: dict[int, FakeRun] = attrs.field(factory=dict)
    jobs: dict[int, FakeJob] = attrs.field(factory=dict)
    former_names: dict[str, int] = attrs.field(factory=dict)
    _next_run: int = FIRST_RUN_ID
    _next_job: int = FIRST_JOB_ID

    def repo(self, full_name: str) -> FakeRepo:
        """Give the repository of that name; make it if there is none."""
        repo = self.repos.get(full_name.lower())
        if repo is None:
            repo = FakeRepo(FIRST_REPO_ID + len(self.repos_by_id), full_name)
            self.repos[full_name.lower()] = self.repos_by_id[repo.id] = repo
        return repo

    def rename(self, old: str, new: str) -> None:
        """Give a repository another name, to which the old one redirects."""
        repo = self.repos.pop(old.lower())
        self.former_names[old.lower()] = repo.id
        self.repos[new.lower()] = repo
        repo.full_name = new

    def add_run(
        self,
        repo: str,
        run_id: int | None = None,
        *,
        workflow: str = "CI",
        path: str | None = None,
        created: int | None = None,
        head_sha: str | None = None,
    ) -> FakeRun:
        """Add a run that has no attempts yet; see `FakeGitHub.add_run`."""
        if run_id is None:
            while self._next_run in self.runs:
                self._next_run += 1
            run_id = self._next_run
        if run_id in self.runs:
            raise ValueError(f"there is a run {run_id} already")
        repository = self.repo(repo)
        path = path or f".github/workflows/{_slug(workflow)}.yml"
        run = FakeRun(
            repository=repository,
            id=run_id,
            number=len(repository.runs) + 1,
            workflow=workflow,
            path=path,
            workflow_id=1_000_000 + int(sha_of(repository.id, path)[:6], 16),
            created=self.epoch + len(self.runs) if created is None else created,
            head_sha=head_sha or sha_of(repository.id, run_id),
        )
        self.runs[run_id] = run
        repository.runs.append(run)
        return run

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


def _slug(name: str) -> str:
    text = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return text or "workflow"
