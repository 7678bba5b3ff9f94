"""What the store knows of one repository when an audit begins: what need not be asked for again."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from ghjobs_async.audit.collect.missing import FINAL
from ghjobs_async.audit.collect.plan import AuditPlan, Logs
from ghjobs_async.audit.collect.settled import Settled
from ghjobs_async.audit.database.duck import execute, in_utc
from ghjobs_async.audit.sql.failed import FAILED
from ghjobs_async.listing.run_pages import KnownPage
from ghjobs_async.listing.windows import Window

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Rows are fetched from the database in parts of this size.
_ROWS: Final = 5_000
_BEFORE: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class Unsettled:
    """
    A stored run of which something is missing.

    Attributes:
        gone: Whether GitHub no longer had it.
    """

    run_id: int
    run_attempt: int
    completed: bool
    gone: bool


@attrs.frozen(eq=False)
class Known:
    """
    What is known of one repository.

    Attributes:
        pages: The pages of the search, by window and number.
        settled: The attempts that are stored.
        unsettled: The runs of which something is missing.
        logs_done: Of these runs, the jobs whose log is stored, or will never come.
        logs_missing: Of the other runs, the jobs whose log is wanted and missing, in order.
    """

    pages: Mapping[tuple[Window, int], KnownPage] = attrs.field(factory=dict)
    settled: Settled = attrs.field(factory=Settled)
    unsettled: Mapping[int, Unsettled] = attrs.field(factory=dict)
    logs_done: frozenset[int] = frozenset()
    logs_missing: array[int] = attrs.field(factory=lambda: array("q"))


def stored_name(connection: DuckDBPyConnection, repo: str) -> str:
    """Return a repository's name as the store has it: names are not case sensitive."""
    # Of a repository without runs there may be failures.
    for table in ("runs", "failures"):
        sql = f"SELECT repository FROM {table} WHERE lower(repository) = lower($repo) LIMIT 1"
        if found := connection.execute(sql, {"repo": repo}).fetchall():
            return str(found[0][0])
    return repo


def read_known(connection: DuckDBPyConnection, repo: str, plan: AuditPlan, now: datetime) -> Known:
    """Read what is known of *repo*."""
    settled = Settled()
    for row in _rows(connection, _SETTLED, repo=repo):
        settled.add(*row)
    pages = {
        (Window(_utc(start), _utc(end)), number): KnownPage(
            etag or None, label, total, array("q", ids)
        )
        for start, end, number, etag, label, total, ids in _rows(
            connection, _PAGES, repo=repo, search=plan.key
        )
    }
    scope = _scope(plan, now)
    unsettled = {
        row[0]: Unsettled(*row)
        for row in _rows(connection, _UNSETTLED, repo=repo, latest=plan.latest, **scope)
        if plan.takes(row[0])
    }
    if plan.logs is Logs.NONE:
        return Known(pages, settled, unsettled)
    done = _rows(connection, _LOGS_DONE, repo=repo, runs=list(unsettled), final=FINAL)
    missing = _rows(
        connection,
        _LOGS_MISSING,
        repo=repo,
        every=plan.logs is Logs.ALL,
        final=FINAL,
        runs=list(unsettled),
        **scope,
    )
    ids = (job_id for run_id, job_id in missing if plan.takes(run_id))
    return Known(pages, settled, unsettled, frozenset(row[0] for row in done), array("q", ids))


def count_settled(connection: DuckDBPyConnection, repo: str, plan: AuditPlan, now: datetime) -> int:
    """Return how many runs of *plan* need not be asked for again."""
    given = {"repo": stored_name(connection, repo), "latest": plan.latest, **_scope(plan, now)}
    [(count,)] = _rows(connection, _COUNT, **given)
    return int(count)


def _scope(plan: AuditPlan, now: datetime) -> dict[str, object]:
    """Return the parameters that tell the runs of a plan from others."""
    days = plan.days(now)
    first, last = (days[-1].start, days[0].end) if days else (now, _BEFORE)
    return {
        "first": in_utc(first),
        "last": in_utc(last),
        "workflow": plan.workflow,
        "branch": plan.branch,
        "event": plan.event,
        "status": plan.status,
        "actor": plan.actor,
    }


def _rows(connection: DuckDBPyConnection, sql: str, **given: object) -> Iterator[tuple[Any, ...]]:
    found = execute(connection, sql, given)
    while rows := found.fetchmany(_ROWS):
        yield from rows


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


_SETTLED: Final = """
    SELECT run_id, list(run_attempt) FROM attempts WHERE repository = $repo
    GROUP BY run_id ORDER BY run_id
"""
# Of several credentials, the last one counts.
_PAGES: Final = """
    SELECT window_start, window_end, page, etag, credential, total, run_ids FROM pages
    WHERE repository = $repo AND search = $search
    QUALIFY row_number() OVER (PARTITION BY window_start, window_end, page ORDER BY fetched_at DESC) = 1
"""
_IN_SCOPE: Final = """(
    runs.created_at BETWEEN $first AND $last
    AND ($branch IS NULL OR runs.head_branch = $branch)
    AND ($event IS NULL OR runs.event = $event)
    AND ($actor IS NULL OR lower(runs.actor) = lower($actor))
    AND ($status IS NULL OR $status IN (runs.status, runs.conclusion))
    AND (
        $workflow IS NULL OR $workflow IN (runs.workflow_id::VARCHAR, parse_filename(runs.path))
    )
)"""
# Besides the runs of the plan: those that had not ended, and those whose jobs could not be fetched.
_UNSETTLED: Final = f"""
    SELECT run_id, run_attempt, status = 'completed', gone_at IS NOT NULL
    FROM runs LEFT JOIN (
        SELECT run_id, list(run_attempt) AS settled FROM attempts WHERE repository = $repo
        GROUP BY run_id
    ) USING (run_id)
    WHERE repository = $repo
        AND NOT coalesce(CASE WHEN $latest THEN list_contains(settled, run_attempt)
            ELSE len(list_filter(settled, lambda n: n <= run_attempt)) = run_attempt END, false)
        AND ({_IN_SCOPE} OR status <> 'completed' OR run_id IN (
            SELECT run_id FROM failures WHERE repository = $repo AND what = 'jobs'
        ))
"""
_COUNT: Final = f"""
    SELECT count(*) FROM runs WHERE repository = $repo AND gone_at IS NULL AND {_IN_SCOPE}
        AND run_id NOT IN (SELECT run_id FROM ({_UNSETTLED}))
"""
_FINAL: Final = """
    SELECT job_id FROM failures
    WHERE repository = $repo AND what = 'log' AND list_contains($final, reason)
"""
_LOGS_DONE: Final = f"""
    SELECT job_id FROM (SELECT job_id FROM logs WHERE repository = $repo UNION ALL {_FINAL})
    JOIN jobs USING (job_id) WHERE repository = $repo AND list_contains($runs, run_id)
"""
_LOGS_MISSING: Final = f"""
    SELECT jobs.run_id, jobs.job_id FROM jobs JOIN runs USING (repository, run_id)
    WHERE repository = $repo AND jobs.status = 'completed' AND runs.gone_at IS NULL
        AND (
            {_IN_SCOPE}
            OR job_id IN (SELECT job_id FROM failures WHERE repository = $repo AND what = 'log')
        )
        AND ($every OR {FAILED})
        AND jobs.conclusion IS DISTINCT FROM 'skipped'
        AND NOT list_contains($runs, run_id)
        AND job_id NOT IN (SELECT job_id FROM logs WHERE repository = $repo)
        AND job_id NOT IN ({_FINAL})
    ORDER BY jobs.job_id
"""
