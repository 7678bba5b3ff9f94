"""Runs made of recorded payloads: lists of jobs, single jobs, webhook bodies, logs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from ghjobs_async.testing.specs import JobSpec
from ghjobs_async.testing.times import epoch
from ghjobs_async.testing.world import FakeAttempt, FakeRun, sha_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghjobs_async.testing.fake import FakeGitHub

_REPO: Final = re.compile(r"/repos/([^/]+/[^/]+)/actions/")
_LOG: Final = re.compile(r"(?:.*_job)?([0-9]+)")

_Object = dict[str, object]


def fill_from_folder(fake: FakeGitHub, folder: Path) -> None:
    """
    Add everything recorded in *folder* to *fake*; see `FakeGitHub.from_folder`.

    Raises:
        NotADirectoryError: There is no such folder.

        ValueError: A file with JSON cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(folder)
    for path in sorted(folder.rglob("*.json")):
        try:
            value = msgspec.json.decode(path.read_bytes())
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}: {error}") from error
        for job in _jobs(value):
            _add(fake, job)
    for path in sorted(folder.rglob("*.txt")):
        found = _LOG.fullmatch(path.stem)
        if found and int(found[1]) in fake.world.jobs:
            fake.set_log(int(found[1]), path.read_bytes())
    for run in fake.runs:
        _settle(run)


def _jobs(value: object) -> Iterator[_Object]:
    """Find the jobs in what a file holds."""
    if isinstance(value, list):
        for item in value:
            yield from _jobs(item)
    elif isinstance(value, dict):
        if isinstance(value.get("jobs"), list):
            yield from _jobs(value["jobs"])
        elif isinstance(value.get("workflow_job"), dict):
            yield from _jobs(value["workflow_job"])
        elif isinstance(value.get("id"), int) and isinstance(value.get("run_id"), int):
            yield value


def _add(fake: FakeGitHub, data: _Object) -> None:
    repo = _REPO.search(str(data.get("run_url"))) or _REPO.search(str(data.get("url")))
    number, run_id = data["id"], data["run_id"]
    if repo is None or not isinstance(number, int) or not isinstance(run_id, int):
        return
    if number in fake.world.jobs:
        return
    run = fake.world.runs.get(run_id) or _new_run(fake, repo[1], run_id, data)
    attempt_number = data.get("run_attempt")
    wanted = attempt_number if isinstance(attempt_number, int) and attempt_number > 0 else 1
    created = epoch(data.get("created_at")) or epoch(data.get("started_at")) or run.created
    while len(run.attempts) < wanted:
        run.attempts.append(FakeAttempt(len(run.attempts) + 1, created, "completed", "success"))
    spec = JobSpec(
        str(data.get("name")),
        _text(data.get("conclusion")),
        str(data.get("status")),
        runner="hosted" if data.get("runner_id") or data.get("steps") else "none",
        overrides={"id": number},
    )
    job = fake.world.add_job(run, run.attempts[wanted - 1], spec, created)
    job.data = data


def _new_run(fake: FakeGitHub, repo: str, run_id: int, data: _Object) -> FakeRun:
    created = epoch(data.get("created_at")) or epoch(data.get("started_at"))
    run = fake.add_run(
        repo,
        jobs=0,
        run_id=run_id,
        workflow=_text(data.get("workflow_name")) or "CI",
        branch=_text(data.get("head_branch")),
        created_at=None if created is None else datetime.fromtimestamp(created, UTC),
        head_sha=_text(data.get("head_sha")) or sha_of(run_id),
    )
    run.attempts.clear()
    return run


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _settle(run: FakeRun) -> None:
    """Sum up each attempt's jobs, now that all are known."""
    for attempt in run.attempts:
        ends = [epoch(job.payload().get("completed_at")) or 0 for job in attempt.jobs]
        attempt.updated = max([attempt.started, *ends])
        conclusions = {job.spec.conclusion for job in attempt.jobs}
        if any(job.spec.status != "completed" for job in attempt.jobs):
            attempt.status, attempt.conclusion = "in_progress", None
        elif "failure" in conclusions:
            attempt.conclusion = "failure"
        elif "cancelled" in conclusions:
            attempt.conclusion = "cancelled"
