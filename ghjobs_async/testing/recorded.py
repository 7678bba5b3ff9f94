"""Runs made from recorded payloads: lists of jobs, single jobs, webhook bodies, logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from ghjobs_async.testing.world.payloads import epoch
from ghjobs_async.testing.world.runs import FakeAttempt
from ghjobs_async.testing.world.specs import JobSpec, outcome_of
from ghjobs_async.testing.world.world import World

_REPO: Final = re.compile(r"/repos/([^/]+/[^/]+)/actions/")
_LOG: Final = re.compile(r"(?:.*_job)?([0-9]+)")


def fill_from_folder(world: World, folder: Path) -> None:
    """
    Add everything recorded in *folder* to *world*; see `FakeGitHub.from_folder`.

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
            if job["id"] not in world.jobs:
                _add(world, job)
    for path in sorted(folder.rglob("*.txt")):
        found = _LOG.fullmatch(path.stem)
        if found and int(found[1]) in world.jobs:
            world.set_log(int(found[1]), path.read_bytes())
    for attempt in (attempt for run in world.runs for attempt in run.attempts):
        ends = [epoch(job.payload().get("completed_at")) or 0 for job in attempt.jobs]
        attempt.updated = max([attempt.started, *ends])
        attempt.status, attempt.conclusion = outcome_of([job.spec for job in attempt.jobs])


def _jobs(value: object) -> Iterator[dict[str, object]]:
    """Find the jobs in a file's content."""
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


def _add(world: World, data: dict[str, object]) -> None:
    repo = _REPO.search(str(data.get("run_url"))) or _REPO.search(str(data.get("url")))
    number, run_id = data["id"], data["run_id"]
    if repo is None or not isinstance(number, int) or not isinstance(run_id, int):
        return
    begun = epoch(data.get("created_at")) or epoch(data.get("started_at"))
    run = world.runs_by_id.get(run_id) or world.add_run(
        repo[1],
        attempts=(),
        run_id=run_id,
        branch=_text(data.get("head_branch")),
        workflow=_text(data.get("workflow_name")) or "CI",
        created_at=None if begun is None else datetime.fromtimestamp(begun, UTC),
        head_sha=_text(data.get("head_sha")),
    )
    attempt_number = data.get("run_attempt")
    wanted = attempt_number if isinstance(attempt_number, int) and attempt_number > 0 else 1
    created = begun or run.created
    while len(run.attempts) < wanted:
        run.attempts.append(FakeAttempt(len(run.attempts) + 1, created, "completed", "success"))
    spec = JobSpec(
        str(data.get("name")),
        _text(data.get("conclusion")),
        str(data.get("status")),
        runner="hosted" if data.get("runner_id") or data.get("steps") else "none",
        overrides={"id": number},
    )
    world.add_job(run, run.attempts[wanted - 1], spec, created).data = data


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
