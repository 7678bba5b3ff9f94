"""The SQL that adds the database ``part`` to this one. Pure."""

from __future__ import annotations

from typing import Final

from ghjobs_async.audit.sql.schema import TABLES

_NAMES: Final = {table.name: ", ".join(column.name for column in table.columns) for table in TABLES}


def _add(table: str, key: str) -> str:
    """Return the statement that adds the rows whose key is not here yet."""
    names = _NAMES[table]
    return (
        f"INSERT INTO {table} ({names})"
        f" SELECT {names} FROM part.{table} ANTI JOIN {table} USING ({key}) ORDER BY rowid"
    )


# Compares two states of a run: the later one is greater; of equal ones, the one with gone_at.
_STATE: Final = (
    "ROW(coalesce({0}.updated_at, {0}.created_at, '-infinity'), coalesce({0}.run_attempt, 0),"
    " coalesce({0}.gone_at, '-infinity'))"
)
_RUNS: Final = (
    f"""
    DELETE FROM runs USING part.runs AS other
    WHERE runs.repository = other.repository AND runs.run_id = other.run_id
        AND {_STATE.format("other")} > {_STATE.format("runs")}
    """,
    _add("runs", "repository, run_id"),
)

# An attempt that is complete here stays; one that is complete only in the part replaces ours.
# Otherwise the jobs of both are kept, each as in the later state of the run.
_JOBS: Final = (
    """
    CREATE OR REPLACE TEMP TABLE scope AS
    SELECT
        repository, run_id, run_attempt, theirs.settled_at IS NOT NULL AS complete,
        coalesce(other.updated_at > coalesce(runs.updated_at, '-infinity'), false) AS later
    FROM (
        SELECT DISTINCT repository, run_id, run_attempt FROM part.jobs
        UNION SELECT repository, run_id, run_attempt FROM part.attempts
    )
    ANTI JOIN attempts USING (repository, run_id, run_attempt)
    LEFT JOIN part.attempts AS theirs USING (repository, run_id, run_attempt)
    LEFT JOIN part.runs AS other USING (repository, run_id)
    LEFT JOIN runs USING (repository, run_id)
    """,
    *(
        f"DELETE FROM {table} USING scope"
        f" WHERE complete AND {table}.repository = scope.repository"
        f" AND {table}.run_id = scope.run_id AND {table}.run_attempt = scope.run_attempt"
        for table in ("jobs", "steps")
    ),
    """
    CREATE OR REPLACE TEMP TABLE taken AS
    SELECT repository, job_id, ours.run_attempt AS replaced
    FROM part.jobs AS theirs
    JOIN scope USING (repository, run_id, run_attempt)
    LEFT JOIN jobs AS ours USING (repository, job_id)
    WHERE ours.run_attempt IS NULL OR ours.run_attempt > run_attempt
        OR (later AND ours.run_attempt = run_attempt)
    """,
    *(
        f"DELETE FROM {table} USING taken WHERE replaced IS NOT NULL"
        f" AND {table}.repository = taken.repository AND {table}.job_id = taken.job_id"
        for table in ("jobs", "steps")
    ),
    *(
        f"INSERT INTO {table} ({_NAMES[table]}) SELECT {_NAMES[table]} FROM part.{table}"
        " SEMI JOIN taken USING (repository, job_id) ORDER BY rowid"
        for table in ("jobs", "steps")
    ),
)

# A side that knows the end of an audit, but not a failure of that audit, has settled the failure.
_KEY: Final = " AND ".join(
    f"{{0}}.{name} IS NOT DISTINCT FROM {{1}}.{name}"
    for name in ("repository", "run_id", "job_id", "what")
)
_FAILURES: Final = (
    f"""
    DELETE FROM failures
    WHERE EXISTS (
        SELECT 1 FROM part.audits AS known WHERE known.id = failures.audit_id AND (
            known.ended_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM part.audits AS later WHERE later.started_at > known.started_at)
        )
    ) AND NOT EXISTS (
        SELECT 1 FROM part.failures AS other WHERE {_KEY.format("other", "failures")}
    )
    """,
    f"""
    CREATE OR REPLACE TEMP TABLE failed AS
    SELECT * FROM part.failures AS other
    WHERE NOT EXISTS (
        SELECT 1 FROM failures
        WHERE {_KEY.format("other", "failures")} AND failures.failed_at >= other.failed_at
    ) AND (
        EXISTS (SELECT 1 FROM failures WHERE {_KEY.format("other", "failures")})
        OR NOT EXISTS (
            SELECT 1 FROM audits WHERE audits.id = other.audit_id AND audits.ended_at IS NOT NULL
        )
    )
    """,
    f"DELETE FROM failures USING failed WHERE {_KEY.format('failures', 'failed')}",
    f"INSERT INTO failures ({_NAMES['failures']}) SELECT {_NAMES['failures']} FROM failed",
)
# What one side could not fetch, the other may have.
_SETTLED: Final = (
    """
    DELETE FROM failures USING logs
    WHERE what = 'log' AND failures.repository = logs.repository AND failures.job_id = logs.job_id
    """,
    """
    DELETE FROM failures USING runs SEMI JOIN attempts USING (repository, run_id, run_attempt)
    WHERE what = 'jobs' AND failures.job_id IS NULL
        AND failures.repository = runs.repository AND failures.run_id = runs.run_id
    """,
)
_AUDITS: Final = (
    """
    DELETE FROM audits USING part.audits AS other
    WHERE audits.id = other.id AND audits.ended_at IS NULL AND other.ended_at IS NOT NULL
    """,
    _add("audits", "id"),
)

# Some file systems take names for equal that differ in case or in how accents are written.
_FILE: Final = "nfc_normalize(lower(upper(path)))"
#: The paths of the logs that only the part has, and whether a log that is here has the same file.
LOGS: Final = (
    f"SELECT path, {_FILE} IN (SELECT {_FILE} FROM logs)"
    " FROM part.logs ANTI JOIN logs USING (repository, job_id)"
)
#: Add them, but not those whose files are missing: the parameter is the list of their paths.
ADD_LOGS: Final = (
    f"INSERT INTO logs ({_NAMES['logs']}) SELECT {_NAMES['logs']}"
    " FROM part.logs ANTI JOIN logs USING (repository, job_id)"
    " ANTI JOIN (SELECT unnest($1::VARCHAR[]) AS path) USING (path)"
    " WHERE path IS NOT NULL ORDER BY rowid"
)
#: All the others, in this order: the jobs are merged before the runs, whose states of both sides they
#: compare; the failures after the logs and attempts and before the audits, which they read.
STATEMENTS: Final = (
    *_JOBS,
    *_RUNS,
    _add("attempts", "repository, run_id, run_attempt"),
    _add("reasons", "repository, job_id"),
    *_FAILURES,
    *_SETTLED,
    *_AUDITS,
)
END: Final = tuple(f"DROP TABLE {name}" for name in ("scope", "taken", "failed"))
