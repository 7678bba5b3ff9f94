"""The findings of what the embedded GitHub holds, against plain Python over its own JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec
import pytest
from findings_model import Model, comparable
from findings_world import Row, World, database
from hypothesis import given, settings
from hypothesis import strategies as st

from ghjobs_async.audit.database.batch import Batch, Listing
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.results.findings import NAMES
from ghjobs_async.audit.sql.prices import list_prices
from ghjobs_async.models import Job, Run
from ghjobs_async.testing import AttemptSpec, FakeGitHub, FakeRun, JobSpec, scenario
from ghjobs_async.wire.convert import load

START = datetime(2025, 12, 29, 22, tzinfo=UTC)
#: The same runner for all: a job that a re-run takes over keeps its own.
RUNNER = {"runner_id": 7, "runner_name": "GitHub Actions 7"}
ODD = (
    scenario.skipped,
    scenario.cancelled_before_start,
    scenario.in_progress,
    scenario.queued,
    scenario.check_run,
    scenario.inverted_clocks,
    scenario.expired_steps,
    scenario.older_server,
    scenario.unheard_of,
    scenario.within_one_second,
    scenario.parallel_steps,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as connection:
        yield connection


def fill(rng: random.Random) -> list[FakeRun]:
    """Make runs as GitHub has them: re-runs with inherited jobs, odd jobs, commits run twice."""
    fake = FakeGitHub()
    return [
        fake.add_run(
            rng.choice(("octo/a", "octo/b")),
            attempts=_attempts(rng),
            workflow=rng.choice(("CI", "Nightly")),
            branch=rng.choice(("main", "main", "fix")),
            head_sha=rng.choice("abc") * 40,
            created_at=START + timedelta(minutes=rng.choice((0, 1, 2, 90, 3000, 20_000))),
        )
        for _ in range(rng.randint(1, 6))
    ]


def _attempts(rng: random.Random) -> list[AttemptSpec]:
    jobs = [_job(rng) for _ in range(rng.randint(1, 4))]
    return scenario.rerun_failed(jobs) if rng.random() < 0.6 else [AttemptSpec(jobs)]


def _job(rng: random.Random) -> JobSpec:
    if rng.random() < 0.3:
        return rng.choice(ODD)()
    return JobSpec(
        rng.choice(("build", "test")),
        rng.choice(("success", "success", "failure", "timed_out", "cancelled", "neutral")),
        steps=rng.randint(0, 3),
        queued_for=rng.choice((0, 4, 30, -5)),
        seconds=rng.choice((0, 1, 60, 61, 400, -8)),
        labels=rng.choice((("ubuntu-latest",), ("self-hosted", "x64"), ("large",))),
        runner=rng.choice(("hosted", "hosted", "self-hosted")),
        overrides=RUNNER,
    )


def store(connection: duckdb.DuckDBPyConnection, runs: Sequence[FakeRun]) -> None:
    """Write runs and jobs as an audit does that has read them from GitHub."""
    for table in ("runs", "jobs", "steps", "failures", "reasons"):
        connection.execute(f"DELETE FROM {table}")
    batch = Batch(
        at=START,
        runs=[(run.repo, load(msgspec.json.encode(run.payload()), Run)) for run in runs],
        listings=[
            Listing(
                run.repo,
                run.id,
                [load(msgspec.json.encode(job.payload()), Job) for job in run.all_jobs],
            )
            for run in runs
        ],
    )
    write_batch(connection, batch)


def world_of(runs: Sequence[FakeRun]) -> World:
    """Make the rows of a world from GitHub's JSON, in plain Python."""
    tables: dict[str, list[Row]] = {"failures": [], "reasons": [], "jobs": [], "steps": []}
    tables["runs"] = [_run(run) for run in runs]
    tables["prices"] = [
        {"sku": sku, "from_date": day, "usd_per_minute": usd} for sku, day, usd in list_prices()
    ]
    for run in runs:
        seen: dict[object, int] = {}
        for fake in run.all_jobs:
            data: Row = json.loads(msgspec.json.encode(fake.payload()))
            job = _row(run.repo, data)
            identity = tuple(
                data.get(key)
                for key in ("name", "started_at", "completed_at", "runner_id", "runner_name")
            )
            first = seen.setdefault(identity, job["run_attempt"])
            ended = None not in {job["started_at"], job["completed_at"]}
            tables["jobs"].append({**job, "inherited": ended and job["run_attempt"] > first})
            tables["steps"] += [_step(job, step) for step in data.get("steps", ())]
    return World(tables)


def _run(run: FakeRun) -> Row:
    data = json.loads(msgspec.json.encode(run.payload()))
    times = {name: _time(data[name]) for name in ("created_at", "updated_at")}
    names = ("workflow_id", "head_branch", "head_sha")
    return {"run_id": run.id, "repository": run.repo, **{n: data[n] for n in names}, **times}


def _row(repo: str, data: Row) -> Row:
    created, started, completed = (
        _time(data.get(name)) for name in ("created_at", "started_at", "completed_at")
    )
    done = data["status"] == "completed"
    seconds = _between(started, completed) if done else None
    taken = bool(data.get("steps") or data.get("runner_id") or data.get("runner_name"))
    decided = data["conclusion"] in {"success", "failure", "timed_out"}
    ran = (
        data["conclusion"] != "skipped"
        and data["status"] not in {"queued", "waiting", "requested", "pending"}
        and (taken or (done and decided and bool(seconds)))
    )
    # The wait ends with the first step, where the job's own start does not lie behind it.
    begun = [_time(step.get("started_at")) for step in data.get("steps", ())]
    first = min((moment for moment in begun if moment), default=None)
    queued = _between(created, started)
    if queued is not None:
        queued = (
            _between(created, first) if first and started and first >= started else (queued or None)
        )
    names = ("run_id", "name", "head_sha", "status", "conclusion")
    return {
        **{name: data[name] for name in names},
        "repository": repo,
        "job_id": data["id"],
        "run_attempt": data.get("run_attempt") or 1,
        "workflow_name": data.get("workflow_name"),
        "created_at": created,
        "started_at": started,
        "completed_at": completed,
        "seconds": seconds if ran else None,
        "queued_seconds": queued if ran else None,
        "labels": data.get("labels") or [],
        "runner_group_name": data.get("runner_group_name"),
        "html_url": data.get("html_url"),
    }


def _step(job: Row, data: Row) -> Row:
    started, completed = _time(data.get("started_at")), _time(data.get("completed_at"))
    ended = completed if data["status"] == "completed" else None
    ran = data["conclusion"] != "skipped"
    return {
        **{name: job[name] for name in ("repository", "run_id", "job_id")},
        **{name: data[name] for name in ("number", "name")},
        "started_at": started,
        "completed_at": completed,
        "seconds": _between(started, ended) if ran else None,
    }


def _time(text: str | None) -> datetime | None:
    return (
        None if text is None else datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    )


def _between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_findings_are_those_of_githubs_own_records(
    connection: duckdb.DuckDBPyConnection, rng: random.Random
) -> None:
    """Each finding of a stored audit is what plain Python finds in GitHub's JSON."""
    runs = fill(rng)
    store(connection, runs)
    model = Model(world_of(runs))
    for name in NAMES:
        found: list[tuple[Any, ...]] = connection.execute(f"FROM {name}").fetchall()
        assert comparable(found) == comparable(getattr(model, name)()), name
