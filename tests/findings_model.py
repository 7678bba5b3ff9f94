"""The findings once more, in plain Python over the rows of a world: what the views have to give."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from findings_world import Row, World

DECIDED = {"success", "failure", "timed_out"}
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- UTC, as the tables have it
#: The runner that GitHub bills for each label of `findings_world.LABELS`.
SKUS = {
    "ubuntu-latest": "actions_linux",
    "ubuntu-24.04": "actions_linux",
    "ubuntu-24.04-arm": "actions_linux_arm",
    "ubuntu-slim": "actions_linux_slim",
    "windows-2025-vs2026": "actions_windows",
    "windows-11-arm": "actions_windows_arm",
    "macos-15-intel": "actions_macos",
    "macos-latest-xlarge": "macos_xl",
    "macos-14-large": "macos_l",
    "ubuntu-latest-16-cores": "linux_16_core",
    "windows-latest-8-cores": "windows_8_core",
}


class Model:
    """One world's findings: a method for each, which returns the rows as tuples."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs = [
            job
            for job in world.tables["jobs"]
            if not job["inherited"] and self._asked(job["repository"], job["created_at"])
        ]
        self._by_id = {job["job_id"]: job for job in self._jobs}
        created = [job["created_at"] for job in self._jobs if job["created_at"]]
        self._middle = min(created) + (max(created) - min(created)) / 2 if created else None

    def _asked(self, repository: str, created: datetime | None) -> bool:
        since, repo = self._world.since, self._world.repo
        if repo is not None and repository.lower() != repo.lower():
            return False
        return since is None or (created is not None and created >= since)

    def flaky_jobs(self) -> Iterator[tuple[Any, ...]]:
        decided = [job for job in self._jobs if job["conclusion"] in DECIDED]
        for key, jobs in grouped(decided, "repository", "workflow_name", "name"):
            passed = [job for job in jobs if job["conclusion"] == "success"]
            contradicted = [
                job
                for job in jobs
                if job["conclusion"] != "success" and any(_contradicts(one, job) for one in passed)
            ]
            if contradicted:
                contradicted.sort(key=lambda job: (job["started_at"], job["job_id"]), reverse=True)
                yield (
                    *key,
                    len({job["head_sha"] for job in contradicted}),
                    len({job["head_sha"] for job in jobs}),
                    sum(job["seconds"] or 0 for job in contradicted) / 60,
                    contradicted[-1]["started_at"],
                    contradicted[0]["started_at"],
                    [job["html_url"] for job in contradicted if job["html_url"]],
                )

    def failure_rates(self) -> Iterator[tuple[Any, ...]]:
        decided = [job for job in self._jobs if job["conclusion"] in DECIDED]
        for key, jobs in grouped(decided, "repository", "workflow_name", "name"):
            failures = sum(_failed(job) for job in jobs)
            yield (*key, len(jobs), failures, failures / len(jobs), self._change(jobs, _rate))

    def failure_reasons(self) -> Iterator[tuple[Any, ...]]:
        told = [
            {**self._by_id[reason["job_id"]], **reason}
            for reason in self._world.tables["reasons"]
            if reason["job_id"] in self._by_id
        ]
        for key, all_of_it in grouped(told, "fingerprint"):
            latest = max(all_of_it, key=lambda job: (job["started_at"] or EPOCH, job["job_id"]))
            started = sorted(job["started_at"] for job in all_of_it if job["started_at"])
            yield (
                *key,
                latest["kind"],
                latest["headline"],
                len(all_of_it),
                len({(job["repository"], job["workflow_name"], job["name"]) for job in all_of_it}),
                len({job["repository"] for job in all_of_it}),
                started[0] if started else None,
                started[-1] if started else None,
            )

    def slow_jobs(self) -> Iterator[tuple[Any, ...]]:
        return self._slow(self._jobs, "repository", "workflow_name", "name")

    def slow_steps(self) -> Iterator[tuple[Any, ...]]:
        steps = [
            {**self._by_id[step["job_id"]], "step": step["name"], "seconds": step["seconds"]}
            for step in self._world.tables["steps"]
            if step["job_id"] in self._by_id
        ]
        return self._slow(steps, "repository", "workflow_name", "name", "step")

    def _slow(self, rows: Sequence[Row], *names: str) -> Iterator[tuple[Any, ...]]:
        timed = [row for row in rows if row["seconds"] is not None]
        for key, group in grouped(timed, *names):
            seconds = [row["seconds"] for row in group]
            yield (
                *key,
                len(group),
                sum(seconds),
                quantile(seconds, 0.5),
                quantile(seconds, 0.95),
                self._change(group, _median),
            )

    def queueing(self) -> Iterator[tuple[Any, ...]]:
        waits = [
            {"label": label, "hour": _hour(job["created_at"]), "wait": job["queued_seconds"]}
            for job in self._jobs
            if job["queued_seconds"] is not None
            for label in sorted(set(job["labels"]))
        ]
        for key, group in grouped(waits, "label", "hour"):
            found = [row["wait"] for row in group]
            yield (*key, len(found), quantile(found, 0.5), quantile(found, 0.95), max(found))

    def waste(self) -> Iterator[tuple[Any, ...]]:
        overtaken = {
            run["run_id"]
            for run in self._world.tables["runs"]
            if any(_overtakes(other, run) for other in self._world.tables["runs"])
        }
        wasted = [
            {**job, "kind": kind}
            for job in self._jobs
            if job["seconds"] is not None
            for kind, applies in (
                ("re-run", (job["run_attempt"] or 1) > 1),
                ("cancelled", job["conclusion"] == "cancelled"),
                ("superseded", job["run_id"] in overtaken),
            )
            if applies
        ]
        for key, group in grouped(wasted, "repository", "workflow_name", "kind"):
            yield (*key, len(group), sum(job["seconds"] for job in group) / 60)

    def costs(self) -> Iterator[tuple[Any, ...]]:
        billed = [
            {**job, "date": job["started_at"].date(), "sku": self._sku(job)}
            for job in self._jobs
            if job["seconds"] is not None
        ]
        for key, group in grouped(billed, "date", "repository", "sku"):
            minutes = sum(math.ceil(job["seconds"] / 60) for job in group)
            price = self._price(group[0]["sku"], group[0]["date"])
            yield (*key, len(group), minutes, None if price is None else minutes * price)

    def _sku(self, job: Row) -> str:
        labels = [label.lower() for label in job["labels"]]
        own = {row["sku"] for row in self._world.tables["prices"]} & set(labels)
        if own:
            return str(min(own))
        if "self-hosted" in labels or job["runner_group_name"] == "Default":
            return "self"
        known = [SKUS[label] for label in labels if label in SKUS]
        return min(known, default="unpriced")

    def _price(self, sku: str, day: object) -> float | None:
        known = [
            (row["from_date"], row["usd_per_minute"])
            for row in self._world.tables["prices"]
            if row["sku"] == sku and row["from_date"] <= day
        ]
        return max(known)[1] if known else (0.0 if sku == "self" else None)

    def incomplete(self) -> Iterator[tuple[Any, ...]]:
        begun = {run["run_id"]: run["created_at"] for run in self._world.tables["runs"]}
        for row in self._world.tables["failures"]:
            if self._asked(row["repository"], begun.get(row["run_id"]) or self._world.since):
                reason = row["reason"] or row["text"] or row["error"]
                yield row["what"], row["repository"], row["run_id"], row["job_id"], reason
        for job in self._jobs:
            where = job["repository"], job["run_id"], job["job_id"]
            started, completed = job["started_at"], job["completed_at"]
            if job["status"] == "completed" and (early := _seconds_before(completed, started)):
                yield "duration", *where, f"ended {early} s before it started"
            if early := _seconds_before(started, job["created_at"]):
                yield "wait", *where, f"started {early} s before it was created"
        for step in self._world.tables["steps"]:
            early = _seconds_before(step["completed_at"], step["started_at"])
            if early and step["job_id"] in self._by_id:
                where = step["repository"], step["run_id"], step["job_id"]
                text = f"step {step['number']} ended {early} s before it started"
                yield "step duration", *where, text

    def _change(
        self, rows: Sequence[Row], measure: Callable[[Sequence[Row]], float]
    ) -> float | None:
        known = [row for row in rows if row["created_at"] is not None]
        first = [row for row in known if row["created_at"] < self._middle]
        second = [row for row in known if row["created_at"] >= self._middle]
        return measure(second) - measure(first) if first and second else None


def grouped(rows: Iterable[Row], *names: str) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    """Return the rows by their values under *names*."""
    groups = defaultdict[tuple[Any, ...], list[Row]](list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    yield from groups.items()


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* of them do not exceed, between two of them where needed."""
    ranked = sorted(values)
    position = share * (len(ranked) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (position - below)


def comparable(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sort rows, whatever their columns hold; numbers are equal when nine digits are."""
    rounded = [
        tuple(float(f"{cell:.9g}") if isinstance(cell, float | int) else cell for cell in row)
        for row in rows
    ]
    return sorted(rounded, key=repr)


def _contradicts(success: Row, failure: Row) -> bool:
    if success["head_sha"] != failure["head_sha"]:
        return False
    if not (success["started_at"] and failure["started_at"]):
        return False
    if success["started_at"] <= failure["started_at"]:
        return False
    attempts = [(job["run_id"], job["run_attempt"]) for job in (success, failure)]
    return attempts[0] != attempts[1]


def _overtakes(newer: Row, older: Row) -> bool:
    same = ("repository", "workflow_id", "head_branch")
    return (
        older["head_branch"] is not None
        and all(newer[name] == older[name] for name in same)
        and newer["head_sha"] != older["head_sha"]
        and older["created_at"] < newer["created_at"] < older["updated_at"]
    )


def _failed(job: Row) -> bool:
    return job["conclusion"] in {"failure", "timed_out"}


def _rate(jobs: Sequence[Row]) -> float:
    return sum(map(_failed, jobs)) / len(jobs)


def _median(rows: Sequence[Row]) -> float:
    return quantile([row["seconds"] for row in rows], 0.5)


def _hour(moment: datetime) -> int:
    return moment.weekday() * 24 + moment.hour


def _seconds_before(earlier: datetime | None, later: datetime | None) -> int | None:
    """Return how much *earlier* lies before *later*; None where it does not."""
    if earlier is None or later is None or earlier >= later:
        return None
    return int((later - earlier).total_seconds())
