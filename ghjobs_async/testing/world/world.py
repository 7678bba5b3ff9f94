"""What the fake GitHub holds, and the numbers for what is added."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from ghjobs_async.refs import check_id, check_repo
from ghjobs_async.testing.world.blobs import LogContent
from ghjobs_async.testing.world.payloads import sha_of
from ghjobs_async.testing.world.runs import FakeAttempt, FakeJob, FakeRepo, FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec, JobSpec, LogState, outcome_of, plain_jobs

#: Real ids have exceeded 32 bits for years, and clients still break on it.
_FIRST_RUN_ID = 30_000_000_001
_FIRST_JOB_ID = 80_000_000_001
_FIRST_REPO_ID = 1_296_269


@attrs.frozen
class RunState:
    """
    What GitHub answers about a run at one moment.

    Attributes:
        run: The JSON object of the run.
        jobs: Those of the jobs of its latest attempt, with their steps.
        all_jobs: Those of the jobs of every attempt.
    """

    run: dict[str, object]
    jobs: list[dict[str, object]]
    all_jobs: list[dict[str, object]]


class World:
    """All repositories, runs and jobs."""

    def __init__(self, epoch: int) -> None:
        #: When the first run without a time of its own was created; the next one a second later.
        self._epoch = epoch
        #: How many seconds ago the state of played runs is that answers show, as on a replica.
        self.lag = 0.0
        #: Repositories by name in lower case, and by number.
        self.repos: dict[str, FakeRepo] = {}
        self.repos_by_id: dict[int, FakeRepo] = {}
        #: Names that a repository once had, in lower case, with its number.
        self.former_names: dict[str, int] = {}
        self.runs_by_id: dict[int, FakeRun] = {}
        self.jobs: dict[int, FakeJob] = {}
        self._next_run = _FIRST_RUN_ID
        self._next_job = _FIRST_JOB_ID

    @property
    def runs(self) -> list[FakeRun]:
        """Every run, in the order they were added."""
        return list(self.runs_by_id.values())

    def repo(self, full_name: str) -> FakeRepo:
        """Give the repository of that name; make it if there is none."""
        repo = self.repos.get(full_name.lower())
        if repo is None:
            repo = FakeRepo(_FIRST_REPO_ID + len(self.repos_by_id), full_name)
            self.repos[full_name.lower()] = self.repos_by_id[repo.id] = repo
        return repo

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
        while self._next_run in self.runs_by_id:
            self._next_run += 1
        run_id = self._next_run if run_id is None else check_id(run_id, "a run's id")
        if run_id in self.runs_by_id:
            raise ValueError(f"there is a run {run_id} already")
        repository = self.repo(repo)
        created = int(created_at.timestamp()) if created_at else self._epoch + len(self.runs_by_id)
        slug = re.sub(r"[^a-z0-9]", "-", workflow.lower()).strip("-") or "workflow"
        path = workflow_path or f".github/workflows/{slug}.yml"
        run = FakeRun(
            repository=repository,
            id=run_id,
            number=len(repository.runs) + 1,
            workflow=workflow,
            path=path,
            workflow_id=1_000_000 + int(sha_of(repository.id, path)[:6], 16),
            check_suite_id=run_id + 10_000_000_000,
            created=created,
            head_sha=head_sha or sha_of(repository.id, run_id),
            event=event,
            branch=branch,
            actor=actor,
            overrides=dict(overrides or {}),
        )
        self.runs_by_id[run_id] = run
        repository.runs.append(run)
        insort(repository.newest_first, run, key=_newest_first)
        self._add_attempts(run, specs)
        return run

    def rename(self, old: str, new: str) -> None:
        """Rename a repository: the old name redirects (301) to ``/repositories/ID/...``."""
        check_repo(new)
        repo = self.repos.pop(old.lower())
        self.former_names[old.lower()] = repo.id
        self.repos[new.lower()] = repo
        repo.full_name = new

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
        self.jobs[job_id].set_log(content, state, size, etag)

    def add_job(self, run: FakeRun, attempt: FakeAttempt, spec: JobSpec, created: int) -> FakeJob:
        """Add one job to an attempt."""
        while self._next_job in self.jobs:
            self._next_job += 1
        wanted = spec.overrides.get("id")
        number = self._next_job
        if isinstance(wanted, int) and wanted not in self.jobs:
            number = wanted
        job = FakeJob(number, run, attempt.number, spec, created)
        attempt.jobs.append(job)
        self.jobs[number] = job
        return job

    def at(self, run: FakeRun, seconds: float) -> RunState:
        """
        Give what GitHub answers about a run some seconds after it was created.

        Args:
            run: The run, played or not.
            seconds: How many of the run's own seconds, from 0.
        """
        moment = attrs.evolve(run.moment, now=run.created + seconds, begin=run.created)
        attempts = run.begun(moment)
        earlier, last = (
            [job.payload(moment) for job in run.listed(part, moment)]
            for part in (attempts[:-1], attempts[-1:])
        )
        return RunState(run.payload(moment=moment), last, earlier + last)

    def start_now(self, run: FakeRun, now: int) -> None:
        """Move a run to begin now, also in the listing of its repository."""
        run.move(now)
        run.repository.newest_first.sort(key=_newest_first)

    def _add_attempts(self, run: FakeRun, specs: Sequence[AttemptSpec]) -> None:
        start = run.created
        previous: FakeAttempt | None = None
        for spec in specs:
            start += spec.after if previous else 0
            ended = spec.conclusion is not None
            outcome = ("completed", spec.conclusion) if ended else outcome_of(spec.jobs)
            attempt = FakeAttempt(len(run.attempts) + 1, start, *outcome)
            ends = [start]
            for index, job_spec in enumerate(spec.jobs):
                job = self.add_job(run, attempt, job_spec, start + 1 + job_spec.listed_after)
                job.before = _inherited(job_spec, previous, index)
                ends += [job.created] if job.before else job.times()
            attempt.updated = max(ends) + 1
            run.attempts.append(attempt)
            previous = attempt
            start = attempt.updated


def _attempts(
    jobs: int | Sequence[JobSpec],
    attempts: int | Sequence[AttemptSpec | Sequence[JobSpec]],
    conclusion: str | None,
) -> list[AttemptSpec]:
    if not isinstance(attempts, int):
        return [a if isinstance(a, AttemptSpec) else AttemptSpec(a) for a in attempts]
    if attempts < 1:
        raise ValueError("a run has at least one attempt")
    if isinstance(jobs, int):
        earlier, last = plain_jobs(jobs, "failure"), plain_jobs(jobs, conclusion)
    else:
        earlier = last = list(jobs)
        conclusion = None if conclusion == "success" else conclusion
    return [AttemptSpec(earlier, "failure")] * (attempts - 1) + [AttemptSpec(last, conclusion)]


def _inherited(spec: JobSpec, previous: FakeAttempt | None, index: int) -> FakeJob | None:
    """Find the job of the attempt before whose execution an inherited one has."""
    if not spec.inherited or previous is None:
        return None
    # Names may repeat, so the job at the same place comes first.
    candidates = [*previous.jobs[index : index + 1], *previous.jobs]
    return next((job for job in candidates if job.spec.name == spec.name), None)


def _newest_first(run: FakeRun) -> tuple[int, int]:
    return -run.created, -run.id
