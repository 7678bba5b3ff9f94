"""Repositories, runs, attempts and jobs, with the JSON objects that GitHub sends for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import inf
from typing import Final

import attrs
from msgspec import Raw

from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.testing.world.blobs import Blob, LogContent
from ghjobs_async.testing.world.logs import generate_log
from ghjobs_async.testing.world.moments import END, RUNNER, Moment, course, job_at
from ghjobs_async.testing.world.payloads import API, WEB, iso, node_id, repository, urls, user
from ghjobs_async.testing.world.specs import JobSpec, LogState, steps_of

#: The message of GitHub's annotation, by the job's conclusion.
_TOLD: Final = {
    "failure": "Process completed with exit code 1.",
    "timed_out": "The job has exceeded the maximum execution time of 6h0m0s",
    "cancelled": "The operation was canceled.",
}
#: The keys that an inherited job takes from the attempt before.
_INHERITED: Final = {"started_at", "completed_at", "steps", *RUNNER}


@attrs.define(eq=False)
class FakeRepo:
    """
    A repository: its id never changes, its name may.

    Attributes:
        archived, fork: Sent in the list of its owner's repositories.
    """

    id: int
    full_name: str
    archived: bool = False
    fork: bool = False
    runs: list[FakeRun] = attrs.field(factory=list)
    #: The runs in the order GitHub lists them.
    newest_first: list[FakeRun] = attrs.field(factory=list)
    #: The head commit of each pull request, by its number.
    pulls: dict[int, str] = attrs.field(factory=dict)

    def payload(self) -> Raw:
        """Write its JSON object."""
        return repository(self.id, self.full_name, archived=self.archived, fork=self.fork)

    def workflows(self) -> list[FakeRun]:
        """Give the first run of each workflow, which stands for the workflow."""
        first: dict[int, FakeRun] = {}
        for run in self.runs:
            first.setdefault(run.workflow_id, run)
        return list(first.values())


@attrs.define(eq=False)
class FakeJob:
    """
    One job of one attempt.

    Attributes:
        id: Its id.
        run, attempt: The run and the number of the attempt.
        spec: What it was made from.
        created: When it was first listed, in seconds since the epoch.
        before: The job of the previous attempt that it inherits; None where it runs itself.
    """

    id: int
    run: FakeRun
    attempt: int
    spec: JobSpec
    created: int
    before: FakeJob | None = None
    _data: dict[str, object] | None = None
    _blob: Blob | None = None
    _log_state: LogState | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str((self._data or {}).get("name", self.spec.name))

    @property
    def ref(self) -> JobRef:
        """The reference that a client asks with."""
        return JobRef(self.run.repo, self.id)

    @property
    def data(self) -> dict[str, object]:
        """The JSON object that is sent; change it to change the next answer."""
        if self._data is None:
            self._data = self._make()
        return self._data

    @data.setter
    def data(self, value: dict[str, object]) -> None:
        self._data = value

    def payload(self, moment: Moment | None = None) -> dict[str, object]:
        """
        Give the JSON object: made anew each time, unless a test has used `data`.

        Args:
            moment: The moment of the answer; None takes the run's own.
        """
        # Made anew, since 20,000 runs with all their objects would not fit into memory.
        if self._data is not None:
            return self._data
        moment = moment or self.run.moment
        return self._make() if moment is END else job_at(self._make(), self.created, moment)

    def course(self) -> tuple[float, float]:
        """Give when it leaves the queue and when it ends; infinite if it never does."""
        return course(self._make() if self._data is None else self._data, self.created)

    @property
    def _idle(self) -> bool:
        """Whether it never gets a runner: it is skipped, or another app's check run."""
        return self.spec.check_run or self.spec.conclusion == "skipped"

    @property
    def _started(self) -> bool:
        return not self._idle and self.spec.status in {"completed", "in_progress"}

    def times(self) -> tuple[int, int]:
        """Give its start and its end as its spec implies them."""
        spec = self.spec
        if not self._started:
            return self.created, self.created
        if spec.conclusion == "cancelled" and spec.runner == "none":
            # If no runner came before a job is cancelled, GitHub's start is later than its end.
            return self.created + 2, self.created + 1
        started = self.created + spec.queued_for
        return started, started + spec.seconds

    def _make(self) -> dict[str, object]:
        spec, run = self.spec, self.run
        root = f"{API}/repos/{run.repo}"
        started, completed = self.times()
        ran = spec.runner != "none" and self._started
        hosted = spec.runner == "hosted"
        runner = 1 + self.id % 997
        page = f"runs/{self.id}" if spec.check_run else f"actions/runs/{run.id}/job/{self.id}"
        data: dict[str, object] = {
            "id": self.id,
            "run_id": run.id,
            "workflow_name": run.workflow,
            "head_branch": run.branch,
            "run_url": f"{root}/actions/runs/{run.id}",
            "run_attempt": self.attempt,
            "node_id": node_id("CR", self.id),
            "head_sha": run.head_sha,
            "url": f"{root}/actions/jobs/{self.id}",
            "html_url": f"{WEB}/{run.repo}/{page}",
            "status": spec.status,
            "conclusion": spec.conclusion,
            "created_at": iso(self.created),
            "started_at": iso(started),
            "completed_at": iso(completed) if spec.status == "completed" else None,
            "name": spec.name,
            "steps": steps_of(spec, started) if ran else [],
            "check_run_url": f"{root}/check-runs/{self.id}",
            "labels": [] if self._idle else list(spec.labels),
            "runner_id": runner if ran else None,
            "runner_name": f"{'GitHub Actions ' if hosted else 'runner-'}{runner}" if ran else None,
            "runner_group_id": (0 if hosted else 1) if ran else None,
            "runner_group_name": ("GitHub Actions" if hosted else "Default") if ran else None,
        }
        if self.before is not None:
            before = self.before._make()
            data |= {key: before[key] for key in _INHERITED & before.keys()}
        data |= spec.overrides
        return {key: value for key, value in data.items() if key not in spec.without}

    def annotations(self) -> list[dict[str, object]]:
        """Make the JSON objects of its check run's annotations: why it did not succeed."""
        given = self.spec.annotations
        if given is None:
            told = _TOLD.get(str(self.payload().get("conclusion")))
            given = () if told is None else (told,)
        return [
            {
                "path": ".github",
                "blob_href": f"{WEB}/{self.run.repo}/blob/{self.run.head_sha}/.github",
                "start_line": 1,
                "start_column": None,
                "end_line": 1,
                "end_column": None,
                "annotation_level": "failure",
                "title": "",
                "message": "",
                "raw_details": "",
                **({"message": one} if isinstance(one, str) else one),
            }
            for one in given
        ]

    @property
    def log(self) -> LogContent:
        """The log: what was set, or one generated from the job."""
        return self.blob.content

    @property
    def blob(self) -> Blob:
        """The log with its size and ETag."""
        if self._blob is None and self.spec.log is not None:
            self._blob = Blob.of(self.spec.log)
        if self._blob is not None:
            return self._blob
        return Blob.of(generate_log(self.payload()).content)

    @property
    def has_own_log(self) -> bool:
        """Whether the log was given by a test, so that its steps are unknown."""
        return self._blob is not None or self.spec.log is not None

    @property
    def log_state(self) -> LogState:
        """How a request for the log is answered: as set, or as the status implies."""
        moment = self.run.moment
        if moment is not END and moment.now < self.course()[1]:
            return "not_ready"
        if state := self._log_state or self.spec.log_state:
            return state
        spec = {"status": self.spec.status, "conclusion": self.spec.conclusion}
        data = spec if self._data is None else self._data
        if data.get("status") != "completed":
            return "not_ready"
        if self.has_own_log or self.spec.runner != "none":
            return "deleted" if self.spec.check_run else "ok"
        return "not_ready" if data.get("conclusion") == "cancelled" else "deleted"

    def set_log(
        self,
        content: LogContent | None,
        state: LogState | None = None,
        size: int | None = None,
        etag: str | None = None,
    ) -> None:
        """Replace the log; see `FakeGitHub.set_log`."""
        self._blob = None if content is None else Blob.of(content, size, etag)
        self._log_state = "ok" if state is None and content is not None else state


@attrs.define(eq=False)
class FakeAttempt:
    """One attempt of a run: when it started, how it ended, its jobs."""

    number: int
    started: int
    status: str
    conclusion: str | None
    jobs: list[FakeJob] = attrs.field(factory=list)
    updated: int = 0

    def state(self, moment: Moment = END) -> tuple[str, str | None, int]:
        """Give the run's status, conclusion and time of the last change at a moment."""
        if moment is END:
            return self.status, self.conclusion, self.updated
        spans = [job.course() for job in self.jobs if not job.spec.check_run]
        end = max([self.updated, *(int(ends) + 1 for _, ends in spans if ends < inf)])
        if moment.now >= end:
            return self.status, self.conclusion, end
        begun = min((begins for begins, _ in spans), default=inf)
        if moment.now >= begun:
            return "in_progress", None, int(begun)
        return "queued", None, self.started


@attrs.define(eq=False)
class FakeRun:
    """
    One run.

    Attributes:
        id: Its id.
        attempts: Its attempts, the first one first.
        created: When it was created, in seconds since the epoch.
        overrides: Keys of the run's JSON object to replace or add.
        play: Gives the current moment of a run that `FakeGitHub.play` plays.
    """

    repository: FakeRepo
    id: int
    number: int
    workflow: str
    path: str
    workflow_id: int
    check_suite_id: int
    created: int
    head_sha: str
    event: str = "push"
    branch: str | None = "main"
    actor: str = "octocat"
    attempts: list[FakeAttempt] = attrs.field(factory=list)
    overrides: dict[str, object] = attrs.field(factory=dict)
    play: Callable[[], Moment] | None = None

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
        """The reference that a client asks with."""
        return RunRef(self.repo, self.id)

    @property
    def created_at(self) -> datetime:
        """When it was created."""
        return datetime.fromtimestamp(self.created, UTC)

    @property
    def moment(self) -> Moment:
        """Its current moment: the end, unless it is played."""
        return END if self.play is None else self.play()

    def begun(self, moment: Moment | None = None) -> list[FakeAttempt]:
        """Give the attempts that have started at a moment; None takes the run's own."""
        now = (moment or self.moment).now
        return [attempt for attempt in self.attempts if attempt.started <= max(now, self.created)]

    def listed(
        self, attempts: Iterable[FakeAttempt], moment: Moment | None = None
    ) -> list[FakeJob]:
        """Give the jobs of some attempts that are listed at a moment; None takes the run's own."""
        now = (moment or self.moment).now
        return [job for attempt in attempts for job in attempt.jobs if job.created <= now]

    def move(self, created: int) -> None:
        """Move it, with all its attempts and jobs, to begin at another time."""
        by = created - self.created
        self.created = created
        for attempt in self.attempts:
            attempt.started += by
            attempt.updated += by
            for job in attempt.jobs:
                job.created += by

    @property
    def workflow_keys(self) -> set[str]:
        """What can stand for its workflow in a URL: the id and the file name."""
        return {str(self.workflow_id), self.path.split("/")[-1]}

    def payload(
        self, attempt: FakeAttempt | None = None, moment: Moment | None = None
    ) -> dict[str, object]:
        """
        Make the JSON object of the run.

        Args:
            attempt: The attempt to show; None takes the last one.
            moment: The moment of the answer; None takes the run's own.
        """
        moment = moment or self.moment
        attempt = attempt or self.begun(moment)[-1]
        status, conclusion, updated = attempt.state(moment)
        root = f"{API}/repos/{self.repo}"
        url = f"{root}/actions/runs/{self.id}"
        earlier = f"{url}/attempts/{attempt.number - 1}" if attempt.number > 1 else None
        actor = user(self.actor)
        repo = repository(self.repository.id, self.repo)
        title = f"Change {self.head_sha[:7]}"
        return {
            "id": self.id,
            "name": self.workflow,
            "node_id": node_id("WFR", self.id),
            "head_branch": self.branch,
            "head_sha": self.head_sha,
            "path": self.path,
            "display_title": title,
            "run_number": self.number,
            "event": self.event,
            "status": status,
            "conclusion": conclusion,
            "workflow_id": self.workflow_id,
            "check_suite_id": self.check_suite_id,
            "check_suite_node_id": node_id("CS", self.check_suite_id),
            "url": url,
            "html_url": f"{WEB}/{self.repo}/actions/runs/{self.id}",
            "pull_requests": [],
            "created_at": iso(self.created),
            "updated_at": moment.write(updated),
            "actor": actor,
            "run_attempt": attempt.number,
            "referenced_workflows": [],
            "run_started_at": moment.write(attempt.started),
            "triggering_actor": actor,
            **urls(url, "jobs /jobs  logs /logs"),
            "check_suite_url": f"{root}/check-suites/{self.check_suite_id}",
            **urls(url, "artifacts /artifacts  cancel /cancel  rerun /rerun"),
            "previous_attempt_url": earlier,
            "workflow_url": f"{root}/actions/workflows/{self.workflow_id}",
            "head_commit": {
                "id": self.head_sha,
                "tree_id": self.head_sha[::-1],
                "message": title,
                "timestamp": iso(self.created),
                "author": {"name": self.actor, "email": f"{self.actor}@users.noreply.github.com"},
                "committer": {"name": "GitHub", "email": "noreply@github.com"},
            },
            "repository": repo,
            "head_repository": repo,
            **self.overrides,
        }

    def workflow_payload(self) -> dict[str, object]:
        """Make the JSON object of its workflow."""
        web = f"{WEB}/{self.repo}"
        return {
            "id": self.workflow_id,
            "node_id": node_id("W", self.workflow_id),
            "name": self.workflow,
            "path": self.path,
            "state": "active",
            "created_at": iso(self.created),
            "updated_at": iso(self.created),
            "url": f"{API}/repos/{self.repo}/actions/workflows/{self.workflow_id}",
            "html_url": f"{web}/blob/main/{self.path}",
            "badge_url": f"{web}/actions/workflows/{self.path.split('/')[-1]}/badge.svg",
        }
