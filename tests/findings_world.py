"""Worlds for the findings: the rows of an audit's tables, as odd as GitHub's own, by chance."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

import attrs
import duckdb

from ghjobs_async.audit.sql.schema import create, define
from ghjobs_async.audit.sql.views import MACROS, VIEWS

Row: TypeAlias = dict[str, Any]

START = datetime(2025, 12, 22, 3)  # noqa: DTZ001 -- UTC, as the tables have it
LABELS = (
    (),
    ("ubuntu-latest",),
    ("Ubuntu-24.04",),
    ("ubuntu-24.04-arm",),
    ("ubuntu-slim",),
    ("windows-2025-vs2026",),
    ("windows-11-arm",),
    ("macos-15-intel",),
    ("macos-latest-xlarge",),
    ("macos-14-large",),
    ("ubuntu-latest-16-cores",),
    ("windows-latest-8-cores",),
    ("self-hosted", "linux", "x64", "linux"),
    ("ubuntu-latest", "self-hosted"),
    ("arc-runners",),
    ("gpu", "ubuntu-latest"),
    ("GPU", "self-hosted"),
    ("half-price",),
)
#: What a user added to the list of prices.
OWN_PRICES = (
    ("gpu", date(2025, 12, 25), 0.5),
    ("gpu", date(2026, 1, 3), 0.25),
    ("half-price", date(2026, 1, 1), 0.001),
)
CONCLUSIONS = (
    *("success", "success", "success", "failure", "failure", "timed_out", "cancelled"),
    *("skipped", "neutral", "startup_failure", None),
)


@attrs.frozen
class World:
    """The rows of each table, and what the findings are asked about."""

    tables: Mapping[str, Sequence[Row]]
    since: datetime | None = None
    repo: str | None = None

    def fill(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Replace what the tables hold by this world's rows, and set the variables."""
        for table, rows in self.tables.items():
            connection.execute(f"DELETE FROM {table}")
            if rows:
                holes = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {holes}",
                    [cell for row in rows for cell in row.values()],
                )
        connection.execute("SET VARIABLE since = ?", [self.since])
        connection.execute("SET VARIABLE repo = ?", [self.repo])


def database() -> duckdb.DuckDBPyConnection:
    """Make an audit's database in memory."""
    connection = duckdb.connect(config={"threads": 1})
    for statement in (*create(), *define(MACROS, VIEWS)):
        connection.execute(statement)
    return connection


def make(rng: random.Random) -> World:
    """Make a world."""
    runs = [_run(rng, number) for number in range(1, rng.choice((0, 2, 4, 6, 9, 20)) + 1)]
    jobs = [job for run in runs for job in _jobs(rng, run)]
    steps = [step for job in jobs for step in _steps(rng, job)]
    reasons = [_reason(rng, job) for job in jobs if rng.random() < 0.4]
    prices: list[tuple[str, date, float]] = []
    if rng.random() < 0.5:
        prices += OWN_PRICES
    if rng.random() < 0.3:
        prices.append(("self", date(2025, 12, 28), 0.002))
    since = _moment(rng) if rng.random() < 0.3 else None
    return World(
        {
            "runs": runs,
            "jobs": jobs,
            "steps": steps,
            "reasons": reasons,
            "failures": [_failure(rng, runs, jobs) for _ in range(rng.randint(0, 3))],
            "prices": [
                {"sku": sku, "from_date": day, "usd_per_minute": usd}
                for sku, day, usd in (*list_prices(), *prices)
            ],
        },
        since,
        rng.choice(("Octo/A", "octo/b")) if rng.random() < 0.3 else None,
    )


def _moment(rng: random.Random) -> datetime:
    # Few hours of few days, so that moments are equal and next to one another.
    hours = 24 * rng.choice((0, 0, 1, 7, 7, 13, 14)) + rng.choice((0, 0, 1, 20, 21))
    return START + timedelta(hours=hours, minutes=rng.choice((0, 0, 0, 30)))


def _run(rng: random.Random, number: int) -> Row:
    created = _moment(rng)
    return {
        "repository": rng.choice(("octo/a", "octo/a", "octo/b")),
        "run_id": number,
        "run_attempt": rng.choice((1, 1, 2, 3)),
        "workflow_id": rng.choice((1, 1, 2)),
        "workflow_name": rng.choice(("CI", "CI", "Nightly", None)),
        "status": "completed",
        "head_branch": rng.choice(("main", "main", "main", "fix", None)),
        "head_sha": rng.choice(("a1", "a1", "b2", "c3")),
        "created_at": created,
        "updated_at": created + timedelta(minutes=rng.choice((0, 30, 60, 90, 3000))),
    }


def _jobs(rng: random.Random, run: Row) -> list[Row]:
    jobs: list[Row] = []
    for attempt in range(1, run["run_attempt"] + 1):
        for _ in range(rng.randint(0, 4)):
            jobs.append(_job(rng, run, attempt, 100 * run["run_id"] + len(jobs)))
        if attempt > 1 and jobs and rng.random() < 0.4:
            # A re-run takes a job over: with its times, under another id.
            job_id = 100 * run["run_id"] + len(jobs)
            taken = {"job_id": job_id, "run_attempt": attempt, "inherited": True}
            jobs.append({**rng.choice(jobs), **taken})
    return jobs


def _job(rng: random.Random, run: Row, attempt: int, job_id: int) -> Row:
    conclusion = rng.choice(CONCLUSIONS)
    created = run["created_at"] + timedelta(minutes=rng.choice((0, 0, 1, 30, 60, 1500)))
    started = created + timedelta(seconds=rng.choice((0, 0, 1, 5, 5, 30, 600, -90)))
    completed = started + timedelta(seconds=rng.choice((0, 0, 1, 59, 60, 61, 75, 3600, -20)))
    times: Row = {"created_at": created, "started_at": started, "completed_at": completed}
    for name in times:
        if rng.random() < 0.05:
            times[name] = None
    if conclusion is None and rng.random() < 0.8:
        times["completed_at"] = None
    ran = conclusion != "skipped"
    done = conclusion is not None
    return {
        "repository": run["repository"],
        "run_id": run["run_id"],
        "run_attempt": attempt if rng.random() < 0.95 else None,
        "job_id": job_id,
        "name": rng.choice(("build", "test (3.12)")),
        "workflow_name": run["workflow_name"],
        "head_branch": run["head_branch"],
        "head_sha": run["head_sha"],
        "status": "completed" if done else "in_progress",
        "conclusion": conclusion,
        **times,
        "queued_seconds": _between(times["created_at"], times["started_at"]) if ran else None,
        "seconds": _between(times["started_at"], times["completed_at"]) if ran and done else None,
        "labels": list(rng.choice(LABELS)) if ran else [],
        "runner_group_name": rng.choice(("GitHub Actions", "GitHub Actions", "Default", None)),
        "html_url": f"https://github.com/o/r/actions/runs/1/job/{job_id}"
        if rng.random() < 0.9
        else None,
        "inherited": False,
        "api_url": f"https://api.github.com/repos/{run['repository']}",
    }


def _between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def _steps(rng: random.Random, job: Row) -> list[Row]:
    steps = []
    for number in range(1, rng.randint(0, 3) + 1):
        started = job["started_at"]
        ended = started and started + timedelta(seconds=rng.choice((0, 1, 2, 30, 500, -7)))
        if rng.random() < 0.1:
            ended = None
        steps.append(
            {
                "repository": job["repository"],
                "run_id": job["run_id"],
                "run_attempt": job["run_attempt"],
                "job_id": job["job_id"],
                "number": number,
                "name": rng.choice(("Set up", "Run tests")),
                "started_at": started,
                "completed_at": ended,
                "seconds": _between(started, ended),
            }
        )
    return steps


def _reason(rng: random.Random, job: Row) -> Row:
    headline = rng.choice(("no space left: 12 kB", "no space left: 3 kB", "1 test failed"))
    return {
        "repository": job["repository"],
        "run_id": job["run_id"],
        "job_id": job["job_id"],
        "kind": rng.choice(("disk_full", "test")),
        "headline": headline,
        "fingerprint": headline.replace("12", "N").replace("3", "N"),
    }


def _failure(rng: random.Random, runs: Sequence[Row], jobs: Sequence[Row]) -> Row:
    about = rng.choice(("search", "jobs", "log"))
    row: Row = {"repository": rng.choice(("octo/a", "octo/b")), "run_id": None, "job_id": None}
    if about == "jobs" and runs:
        row = {**row, **{key: rng.choice(runs)[key] for key in ("repository", "run_id")}}
    if about == "log" and jobs:
        job = rng.choice(jobs)
        row = {key: job[key] for key in row}
    return {
        **row,
        "what": about,
        "error": "LogUnavailableError",
        "reason": rng.choice(("expired", None)),
        "text": rng.choice(("the log has expired", None)),
    }


def list_prices() -> list[tuple[str, date, float]]:
    """Return what GitHub's page says of some runners, typed by hand: the tests need no more."""
    first, lower = date(2019, 11, 13), date(2026, 1, 1)
    return [
        ("actions_linux", first, 0.008),
        ("actions_linux", lower, 0.006),
        ("actions_windows", first, 0.016),
        ("actions_windows", lower, 0.010),
        ("actions_macos", first, 0.080),
        ("actions_macos", lower, 0.062),
        ("actions_linux_slim", first, 0.002),
        ("actions_linux_arm", lower, 0.005),
        ("actions_windows_arm", lower, 0.010),
        ("linux_16_core", first, 0.064),
        ("linux_16_core", lower, 0.042),
        ("windows_8_core", first, 0.064),
        ("macos_l", first, 0.120),
        ("macos_xl", first, 0.160),
        ("macos_xl", lower, 0.102),
    ]
