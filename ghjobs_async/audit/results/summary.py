"""Sum up what an audit's database holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from ghjobs_async.audit.database.duck import dicts
from ghjobs_async.audit.sql.failed import FAILED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@attrs.frozen
class Summary:
    """
    The sums of a store. A job that a re-run took over counts once.

    Attributes:
        repositories: The counts of each repository, by the names of `COUNTS`.
        total: Those of all.
        failing: The jobs that fail most: repository, workflow, name, failed, ran.
        slowest: The slowest jobs: seconds, job_id, repository, run_id, name.
    """

    repositories: list[dict[str, Any]]
    total: dict[str, Any]
    failing: list[dict[str, Any]]
    slowest: list[dict[str, Any]]


def summarize(connection: DuckDBPyConnection) -> Summary:
    """Sum up what the store has."""
    rows = dicts(connection, _COUNTS)
    return Summary(
        [row for row in rows if row["repository"] is not None],
        # An empty store has only this row.
        {**rows[-1], "repository": None},
        dicts(connection, _FAILING),
        dicts(connection, _SLOWEST),
    )


_OWN: Final = f"SELECT jobs.*, {FAILED} AS failed FROM jobs WHERE NOT inherited"
_COUNTS: Final = f"""
    WITH own AS ({_OWN}),
    per_run AS (
        SELECT runs.repository, run_id, count(job_id) AS jobs,
            count(DISTINCT own.run_attempt) AS attempts
        FROM runs LEFT JOIN own USING (repository, run_id) GROUP BY ALL
    ),
    a AS (
        SELECT repository, count(*) AS runs, count(*) FILTER (jobs = 0) AS runs_without_jobs,
            sum(attempts)::BIGINT AS attempts
        FROM per_run GROUP BY GROUPING SETS ((repository), ())
    ),
    b AS (
        SELECT repository, count(*) AS jobs, count(seconds) AS ran,
            count(*) FILTER (failed) AS failed,
            count(*) FILTER (status = 'completed' AND conclusion = 'skipped') AS skipped,
            quantile_cont(seconds, 0.5) AS median_seconds,
            quantile_cont(seconds, 0.95) AS p95_seconds, sum(seconds) AS total_seconds
        FROM own GROUP BY GROUPING SETS ((repository), ())
    ),
    c AS (
        SELECT repository, count(*) AS logs, sum(bytes)::BIGINT AS log_bytes
        FROM logs GROUP BY GROUPING SETS ((repository), ())
    ),
    d AS (
        SELECT repository, count(*) AS failures
        FROM failures GROUP BY GROUPING SETS ((repository), ())
    ),
    names AS (
        SELECT repository FROM runs UNION SELECT repository FROM failures UNION SELECT NULL
    )
    SELECT names.repository, coalesce(a.runs, 0) AS runs,
        coalesce(runs_without_jobs, 0) AS runs_without_jobs, coalesce(attempts, 0) AS attempts,
        coalesce(b.jobs, 0) AS jobs, coalesce(ran, 0) AS ran, coalesce(failed, 0) AS failed,
        coalesce(skipped, 0) AS skipped, coalesce(logs, 0) AS logs,
        coalesce(log_bytes, 0) AS log_bytes, median_seconds, p95_seconds,
        coalesce(total_seconds, 0) AS total_seconds, coalesce(failures, 0) AS failures
    FROM names
    LEFT JOIN a ON a.repository IS NOT DISTINCT FROM names.repository
    LEFT JOIN b ON b.repository IS NOT DISTINCT FROM names.repository
    LEFT JOIN c ON c.repository IS NOT DISTINCT FROM names.repository
    LEFT JOIN d ON d.repository IS NOT DISTINCT FROM names.repository
    ORDER BY names.repository NULLS LAST
"""
_FAILING: Final = f"""
    SELECT repository, coalesce(workflow_name, '') AS workflow, name,
        count(*) FILTER (failed) AS failed, count(*) AS ran
    FROM ({_OWN}) WHERE seconds IS NOT NULL OR failed
    GROUP BY ALL HAVING count(*) FILTER (failed) > 0
    ORDER BY failed DESC, repository, workflow, name LIMIT 5
"""
_SLOWEST: Final = """
    SELECT seconds, job_id, repository, run_id, name
    FROM jobs WHERE NOT inherited AND seconds IS NOT NULL
    ORDER BY seconds DESC, job_id DESC LIMIT 5
"""
