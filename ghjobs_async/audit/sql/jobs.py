"""The SQL that turns GitHub's JSON of jobs into rows, and the rows back into that JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

_STEP: Final = {
    "name": "VARCHAR",
    "status": "VARCHAR",
    "conclusion": "VARCHAR",
    "number": "BIGINT",
    "started_at": "TIMESTAMPTZ",
    "completed_at": "TIMESTAMPTZ",
}
_JOB: Final = {
    "id": "BIGINT",
    "run_id": "BIGINT",
    "workflow_name": "VARCHAR",
    "head_branch": "VARCHAR",
    "run_url": "VARCHAR",
    "run_attempt": "BIGINT",
    "node_id": "VARCHAR",
    "head_sha": "VARCHAR",
    "url": "VARCHAR",
    "html_url": "VARCHAR",
    "status": "VARCHAR",
    "conclusion": "VARCHAR",
    "created_at": "TIMESTAMPTZ",
    "started_at": "TIMESTAMPTZ",
    "completed_at": "TIMESTAMPTZ",
    "name": "VARCHAR",
    "steps": [_STEP],
    "check_run_url": "VARCHAR",
    "labels": ["VARCHAR"],
    "runner_id": "BIGINT",
    "runner_name": "VARCHAR",
    "runner_group_id": "BIGINT",
    "runner_group_name": "VARCHAR",
}
_ITEM: Final = json.dumps({"repository": "VARCHAR", "attempt": "BIGINT", "job": _JOB})
_SCOPE: Final = json.dumps(
    {
        "repository": "VARCHAR",
        "run_id": "BIGINT",
        "attempt": "BIGINT",
        "complete": "BOOLEAN",
        "ids": ["BIGINT"],
    }
)

#: One row for each line of the parameter, a list of texts; each line is a JSON object. To parse one
#: JSON list would take three times as long, and one text of all lines more memory.
LINES: Final = (
    "(SELECT unnest(string_split(text, chr(10))) AS line"
    " FROM (SELECT unnest($1::VARCHAR[]) AS text))"
)

#: The runs and attempts that were listed, and the ids of their jobs.
SCOPE: Final = (
    "CREATE OR REPLACE TEMP TABLE scope AS"
    f" SELECT unnest(from_json_strict(line, '{_SCOPE}')) FROM {LINES}"
)
#: The stored jobs that the listings replace or repeat.
KNOWN: Final = """
    CREATE OR REPLACE TEMP TABLE known AS
    SELECT DISTINCT jobs.repository, jobs.job_id, jobs.run_attempt AS first_attempt
    FROM jobs JOIN scope USING (repository, run_id)
    WHERE (complete AND (attempt IS NULL OR attempt = run_attempt)) OR list_contains(ids, job_id)
"""
FORGET: Final = tuple(
    f"DELETE FROM {table} USING known"
    f" WHERE {table}.repository = known.repository AND {table}.job_id = known.job_id"
    for table in ("jobs", "steps")
)
#: Parse objects with repository, attempt and job. A job with a value that does not fit is NULL.
PARSE: Final = f"""
    CREATE OR REPLACE TEMP TABLE incoming AS
    SELECT given.repository AS repository, given.attempt AS attempt, given.job AS job
    FROM (SELECT TRY(from_json_strict(line, '{_ITEM}')) AS given FROM {LINES})
"""
#: The positions of the lines whose jobs do not fit, from 0.
UNFIT: Final = (
    "SELECT place FROM (SELECT row_number() OVER () - 1 AS place, job IS NULL AS unfit"
    " FROM incoming) WHERE unfit"
)


def _micros(start: str, end: str) -> str:
    return f"(epoch_us({end}) - epoch_us({start}))"


def _utc(name: str) -> str:
    # The same as AT TIME ZONE 'UTC', which takes several times as long.
    return f"make_timestamp(epoch_us({name})) AS {name}"


# `Job.state`, `Job.duration`, `Job.ran` and `Job.queued_for` in SQL.
_STATE: Final = (
    "CASE status WHEN 'completed' THEN coalesce(nullif(conclusion, ''), status) ELSE status END"
)
_DURATION: Final = (
    "CASE WHEN status = 'completed' AND completed_at >= started_at"
    f" THEN {_micros('started_at', 'completed_at')} END"
)
_WAITS: Final = "status IN ('queued', 'waiting', 'requested', 'pending')"
_RAN: Final = f"""
    state <> 'skipped' AND NOT {_WAITS} AND (
        steps > 0 OR coalesce(runner_id, 0) <> 0 OR coalesce(runner_name, '') <> ''
        OR (state IN ('success', 'failure', 'timed_out') AND coalesce(duration, 0) > 0)
    )
"""
_QUEUED: Final = f"""
    CASE
        WHEN started_at < created_at THEN NULL
        WHEN first >= started_at THEN {_micros("created_at", "first")}
        WHEN started_at > created_at THEN {_micros("created_at", "started_at")}
    END
"""
# The API's URL of the repository: the beginning of the job's URL.
_API: Final = """
    CASE WHEN suffix(url, '/actions/jobs/' || id)
    THEN left(url, length(url) - length('/actions/jobs/' || id)) END
"""
_RUN_URL: Final = "api_url || '/actions/runs/' || run_id"
_CHECK_URL: Final = "api_url || '/check-runs/' || {id}"
# A JSON object of the fields that cannot be derived from the columns; NULL if there are none.
_OTHER: Final = f"""
    '{{' || nullif(concat_ws(',',
        CASE WHEN api_url IS NULL THEN '"url":' || to_json(url)::VARCHAR END,
        CASE WHEN run_url IS DISTINCT FROM {_RUN_URL}
            THEN '"run_url":' || to_json(run_url)::VARCHAR END,
        CASE WHEN check_run_url IS DISTINCT FROM {_CHECK_URL.format(id="id")}
            THEN '"check_run_url":' || to_json(check_run_url)::VARCHAR END,
        CASE WHEN run_attempt IS NULL THEN '"run_attempt":null' END
    ), '') || '}}'
"""
#: Insert the jobs that were parsed.
INSERT_JOBS: Final = f"""
    INSERT INTO jobs (
        repository, run_id, run_attempt, job_id, node_id, name, workflow_name, head_branch,
        head_sha, status, conclusion, created_at, started_at, completed_at, queued_seconds,
        seconds, labels, runner_id, runner_name, runner_group_id, runner_group_name, html_url,
        inherited, api_url, other
    )
    SELECT
        incoming.repository, run_id, least(attempt, known.first_attempt), id, node_id, name,
        workflow_name, head_branch, head_sha, status, conclusion,
        {_utc("created_at")}, {_utc("started_at")}, {_utc("completed_at")},
        CASE WHEN {_RAN} THEN {_QUEUED} / 1e6 END, CASE WHEN {_RAN} THEN duration / 1e6 END,
        labels, runner_id, runner_name, runner_group_id, runner_group_name, html_url,
        false, api_url, {_OTHER}
    FROM (
        SELECT *, {_STATE} AS state, {_DURATION} AS duration, {_API} AS api_url
        FROM (
            SELECT
                repository, attempt, {", ".join(f"job.{name}" for name in _JOB if name != "steps")},
                len(job.steps) AS steps, list_min(list_transform(job.steps, lambda step: step.started_at)) AS first
            FROM incoming WHERE job IS NOT NULL
        )
    ) AS incoming
    LEFT JOIN known ON known.repository = incoming.repository AND known.job_id = incoming.id
"""
#: Insert their steps.
INSERT_STEPS: Final = f"""
    INSERT INTO steps (
        repository, run_id, run_attempt, job_id, number, name, status, conclusion,
        started_at, completed_at, seconds
    )
    SELECT
        repository, run_id, run_attempt, job_id, number, name, status, conclusion,
        {_utc("started_at")}, {_utc("completed_at")},
        CASE WHEN {_STATE} <> 'skipped' AND completed_at >= started_at
            THEN {_micros("started_at", "completed_at")} / 1e6 END
    FROM (
        SELECT
            incoming.repository, job.run_id AS run_id,
            least(attempt, known.first_attempt) AS run_attempt, job.id AS job_id,
            unnest(job.steps, recursive := true)
        FROM incoming
        LEFT JOIN known ON known.repository = incoming.repository AND known.job_id = job.id
        WHERE job IS NOT NULL
    )
"""
#: Mark the jobs that a re-run took over, in all listed runs.
INHERIT: Final = """
    UPDATE jobs SET inherited = found.inherited
    FROM (
        SELECT repository, job_id, inherited AS before, (
            started_at IS NOT NULL AND completed_at IS NOT NULL AND run_attempt > min(run_attempt)
            OVER (
                PARTITION BY
                    repository, run_id, name, started_at, completed_at, runner_id, runner_name
            )
        ) AS inherited
        FROM jobs SEMI JOIN scope USING (repository, run_id)
    ) AS found
    WHERE jobs.repository = found.repository AND jobs.job_id = found.job_id
        AND found.inherited <> found.before
"""
#: One row if any listed run has a job of a later attempt: else `INHERIT` would change nothing.
RERUN: Final = (
    "SELECT 1 FROM jobs SEMI JOIN scope USING (repository, run_id) WHERE run_attempt > 1 LIMIT 1"
)
END: Final = tuple(f"DROP TABLE IF EXISTS {name}" for name in ("scope", "known", "incoming"))


def _text(name: str) -> str:
    """Write a time as `Job.to_dict` does: with a fraction only if there is one."""
    return (
        f"CASE WHEN epoch_us({name}) % 1000000 = 0 THEN strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
        f" ELSE strftime({name}, '%Y-%m-%dT%H:%M:%S.%gZ') END"
    )


def _object(fields: Iterable[str], **values: str) -> str:
    return f"{{{', '.join(f'{name}: {values.get(name, name)}' for name in fields)}}}"


_STEP_JSON: Final = _object(
    _STEP, started_at=_text("started_at"), completed_at=_text("completed_at")
)
_JOB_JSON: Final = _object(
    ("repository", *_JOB),
    id="jobs.job_id",
    run_url=_RUN_URL,
    url="api_url || '/actions/jobs/' || jobs.job_id",
    created_at=_text("created_at"),
    started_at=_text("started_at"),
    completed_at=_text("completed_at"),
    steps="coalesce(steps_of.steps, [])",
    check_run_url=_CHECK_URL.format(id="jobs.job_id"),
)
#: The JSON of each job as GitHub sent it, and its repository. Older servers send no created_at.
AS_JSON: Final = f"""
    WITH steps_of AS (
        SELECT repository, job_id, list({_STEP_JSON} ORDER BY rowid) AS steps
        FROM steps GROUP BY repository, job_id
    ),
    whole AS (
        SELECT to_json({_JOB_JSON}) AS job, created_at, other
        FROM jobs LEFT JOIN steps_of USING (repository, job_id)
    ),
    patched AS (
        SELECT created_at, CASE WHEN other IS NULL THEN job ELSE json_merge_patch(job, other) END
            AS job
        FROM whole
    )
    SELECT (
        CASE WHEN created_at IS NULL THEN json_merge_patch(job, '{{"created_at":null}}')
        ELSE job END
    )::VARCHAR AS job
    FROM patched
"""
