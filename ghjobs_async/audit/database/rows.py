"""
Write what an audit has found into its tables.

DuckDB parses the rows from JSON: rows that are made in Python take three times as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from ghjobs_async.audit.database.batch import Batch, Failure, Listing
from ghjobs_async.audit.sql import jobs as jobs_sql
from ghjobs_async.audit.sql.schema import TABLES
from ghjobs_async.models import Job, Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_Row = Mapping[str, object]

#: The most jobs in one statement: DuckDB plans each statement anew, so small ones are slow.
_MAX_JOBS: Final = 8192
#: The most lines in one text: longer texts take more memory, and more time to allocate it.
_LINES: Final = 512
_ENCODER: Final = msgspec.json.Encoder()
#: The columns that identify a row: a new row replaces an old one with the same values there.
_KEYS: Final = {
    "runs": ("repository", "run_id"),
    "attempts": ("repository", "run_id", "run_attempt"),
    "reasons": ("repository", "job_id"),
    "logs": ("repository", "job_id"),
    "failures": ("repository", "run_id", "job_id", "what"),
    "pages": ("repository", "search", "credential", "window_start", "window_end", "page"),
    "audits": ("id",),
}
_UTC: Final = " AT TIME ZONE 'UTC'"
_TYPES: Final = {
    table.name: {column.name: column.type for column in table.columns} for table in TABLES
}


def write_batch(connection: DuckDBPyConnection, batch: Batch) -> None:
    """
    Write a batch in the current transaction of the connection.

    Writing it again changes nothing. A job with a value that no column can hold is stored as a failure.
    """
    at = batch.at
    _replace(connection, "runs", [_run(repo, run) for repo, run in batch.runs])
    if batch.gone:
        _mark_gone(connection, batch.gone, at)
    unfit = _write_jobs(connection, batch.listings)
    _replace(connection, "attempts", _rows(batch.attempts, settled_at=at))
    _replace(connection, "logs", _rows(batch.logs, fetched_at=at))
    _replace(connection, "reasons", _rows(batch.reasons))
    _delete(connection, "failures", _rows(batch.settled))
    failures = _rows((*batch.failures, *unfit), failed_at=at, audit_id=batch.audit_id)
    _replace(connection, "failures", failures)
    _replace(connection, "pages", _rows(batch.pages, fetched_at=at))
    _replace(connection, "audits", _rows(() if batch.audit is None else (batch.audit,)))


def _run(repository: str, run: Run) -> _Row:
    return {
        "repository": repository,
        "run_id": run.id,
        "run_attempt": run.run_attempt or 1,
        "workflow_id": run.workflow_id,
        "workflow_name": run.name,
        "path": run.path,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "actor": run.actor and run.actor.login,
        "triggering_actor": run.triggering_actor and run.triggering_actor.login,
        "display_title": run.display_title,
        "run_number": run.run_number,
        "created_at": run.created_at,
        "run_started_at": run.run_started_at,
        "updated_at": run.updated_at,
        "html_url": run.html_url,
        "gone_at": None,
    }


def _rows(values: Iterable[attrs.AttrsInstance], **more: object) -> list[_Row]:
    return [{**attrs.asdict(value, recurse=False), **more} for value in values]


def _replace(connection: DuckDBPyConnection, table: str, rows: Sequence[_Row]) -> None:
    """Insert rows, in place of those with the same keys; of *rows* with equal keys, the last counts."""
    if not rows:
        return
    last = {tuple(row[name] for name in _KEYS[table]): row for row in rows}
    fitting = [_fitting(table, row) for row in last.values()]
    _delete(connection, table, fitting)
    names = ", ".join(_TYPES[table])
    connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM ({_parse(_TYPES[table])})",
        [_encode(fitting)],
    )


def _delete(connection: DuckDBPyConnection, table: str, rows: Sequence[_Row]) -> None:
    """Delete the rows with the same keys as *rows*."""
    if rows:
        keys = {name: _TYPES[table][name] for name in _KEYS[table]}
        same = " AND ".join(f"{table}.{name} IS NOT DISTINCT FROM given.{name}" for name in keys)
        given = [{name: row[name] for name in keys} for row in rows]
        connection.execute(
            f"DELETE FROM {table} USING ({_parse(keys)}) AS given WHERE {same}",
            [_encode(given)],
        )


def _fitting(table: str, row: _Row) -> _Row:
    """Return the row with None in place of integers that are too large for their columns."""
    return {
        name: None if type(value) is int and not _fits(value, _TYPES[table][name]) else value
        for name, value in row.items()
    }


def _fits(value: int, kind: str) -> bool:
    bits = 31 if kind == "INTEGER" else 63
    return -(1 << bits) <= value < 1 << bits


def _parse(columns: Mapping[str, str]) -> str:
    """Return the query that parses the parameter: a JSON list of objects with these columns."""
    shape = {
        name: [kind[:-2]] if kind.endswith("[]") else "TIMESTAMPTZ" if kind == "TIMESTAMP" else kind
        for name, kind in columns.items()
    }
    values = ", ".join(
        f"row.{name}{_UTC if kind == 'TIMESTAMP' else ''} AS {name}"
        for name, kind in columns.items()
    )
    return (
        f"SELECT {values} FROM (SELECT from_json_strict(line, '{json.dumps(shape)}') AS row"
        f" FROM {jobs_sql.LINES})"
    )


def _mark_gone(
    connection: DuckDBPyConnection, gone: Sequence[tuple[str, int]], at: datetime
) -> None:
    keys = [{"repository": repo, "run_id": run_id} for repo, run_id in gone]
    parsed = _parse({name: _TYPES["runs"][name] for name in _KEYS["runs"]})
    connection.execute(
        f"UPDATE runs SET gone_at = $2::TIMESTAMPTZ{_UTC} FROM ({parsed}) AS given"
        " WHERE runs.repository = given.repository AND runs.run_id = given.run_id"
        " AND runs.gone_at IS NULL",
        [_encode(keys), at.isoformat()],
    )


# Jobs and steps.


@attrs.frozen
class _Item:
    repository: str
    attempt: int
    job: Job


def _write_jobs(connection: DuckDBPyConnection, listings: Sequence[Listing]) -> list[Failure]:
    """Write the jobs of the listings; return a failure for each that does not fit."""
    if not listings:
        return []
    connection.execute(jobs_sql.SCOPE, [_encode([_scope(listing) for listing in listings])])
    connection.execute(jobs_sql.KNOWN)
    [(known,)] = connection.execute("SELECT count(*) FROM known").fetchall()
    for statement in jobs_sql.FORGET if known else ():
        connection.execute(statement)
    failures: list[Failure] = []
    items = _once(listings)
    for start in range(0, len(items), _MAX_JOBS):
        part = items[start : start + _MAX_JOBS]
        connection.execute(jobs_sql.PARSE, [_encode(part)])
        connection.execute(jobs_sql.INSERT_JOBS)
        connection.execute(jobs_sql.INSERT_STEPS)
        unfit = connection.execute(jobs_sql.UNFIT).fetchall()
        failures += [_failure(part[index]) for (index,) in unfit]
    if connection.execute(jobs_sql.RERUN).fetchall():
        connection.execute(jobs_sql.INHERIT)
    for statement in jobs_sql.END:
        connection.execute(statement)
    return failures


def _scope(listing: Listing) -> _Row:
    return {
        "repository": listing.repository,
        "run_id": listing.run_id,
        "attempt": listing.attempt,
        "complete": listing.complete,
        "ids": [job.id for job in listing.jobs],
    }


def _once(listings: Sequence[Listing]) -> list[_Item]:
    """Return each job once, in its first attempt: the list of a later one may repeat it."""
    items: dict[tuple[str, int], _Item] = {}
    for listing in listings:
        for job in listing.jobs:
            key = listing.repository, job.id
            attempt = job.run_attempt or listing.attempt or 1
            if key not in items or attempt <= items[key].attempt:
                items[key] = _Item(listing.repository, attempt, job)
    return list(items.values())


def _failure(item: _Item) -> Failure:
    job = item.job
    return Failure(
        item.repository,
        job.run_id,
        job.id,
        what="jobs",
        error="DecodeError",
        text=f"job {job.id} of run {job.run_id} has a number that is too large to store",
    )


def _encode(rows: Sequence[object]) -> list[str]:
    """Return the rows as lines of JSON, many in each text."""
    return [_lines(rows[start : start + _LINES]) for start in range(0, len(rows), _LINES)]


def _lines(rows: Sequence[object]) -> str:
    try:
        return _ENCODER.encode_lines(rows)[:-1].decode()
    except (UnicodeEncodeError, OverflowError):
        # A lone surrogate, or a number beyond 64 bits.
        lines = [json.dumps(msgspec.to_builtins(row), ensure_ascii=False) for row in rows]
        return "\n".join(lines).encode(errors="replace").decode()
