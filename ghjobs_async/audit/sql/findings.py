"""
The findings as SQL: each is a view in the audit's database, with a comment that defines it.

``--since`` and ``--repo`` are the variables ``since`` and ``repo`` of the connection. They filter every
view through `counted_jobs`; `incomplete` also reads them itself. The views must work in DuckDB 1.4 too.
"""

from __future__ import annotations

from typing import Final

from ghjobs_async.audit.sql.schema import TABLES, View

#: The jobs that passed or failed.
DECIDED: Final = "conclusion IN ('success', 'failure', 'timed_out')"
#: Twice the middle of the window, in microseconds: as a whole number it is exact.
_WINDOW: Final = """\
SELECT epoch_us(min(created_at)) + epoch_us(max(created_at)) AS twice FROM counted_jobs"""
_CHANGE: Final = """\
(quantile_cont(seconds, 0.5) FILTER (late))::DOUBLE
        - (quantile_cont(seconds, 0.5) FILTER (NOT late))::DOUBLE"""
_LATE: Final = "2 * epoch_us(created_at) >= twice"
_KEY: Final = "repository, workflow_name, name"

_WHERE: Final = {
    "repository": "Repository, as OWNER/NAME",
    "workflow_name": "Name of the workflow",
    "name": "Name of the job",
}
_JOB_COLUMNS: Final = {
    column.name: column.comment
    for table in TABLES
    if table.name == "jobs"
    for column in table.columns
}
_IDS: Final = {"run_id": "Id of the run", "job_id": "Id of the job"}
_HALVES: Final = (
    "NULL where a half has none. The halves meet midway between the first and the last created_at"
)
_DURATIONS: Final = {
    "total_seconds": "Sum of all durations",
    "p50": "The median, in seconds",
    "p95": "The 95th percentile, in seconds",
    "change": f"The median in the second half of the window minus that in the first; {_HALVES}",
}
_SKU: Final = "GitHub's name for the runner on the bill; or self, unpriced, or a label"


def _quantiles(column: str) -> str:
    return f"""\
quantile_cont({column}, 0.5)::DOUBLE AS p50,
    quantile_cont({column}, 0.95)::DOUBLE AS p95"""


#: The views that the findings read: they must be created first.
PARTS: Final = (
    View(
        "counted_jobs",
        comment="The jobs that the findings count: without those that a re-run took over, so that each"
        " counts once. The variables since (the earliest created_at) and repo filter them.",
        columns=_JOB_COLUMNS,
        sql="""\
SELECT * FROM jobs
WHERE NOT inherited
    AND (getvariable('since') IS NULL OR created_at >= getvariable('since')::TIMESTAMP)
    AND (
        getvariable('repo') IS NULL
        OR lower(repository) = lower(getvariable('repo')::VARCHAR)
    )""",
    ),
    View(
        "billed_jobs",
        comment="What each job costs by the table prices, at the price of its day. Its SKU is the first"
        " of these that applies: one of its labels, if prices has it; self for a self-hosted runner"
        " (free unless prices has self); that of GitHub's runner with this label; unpriced. List"
        " prices: GitHub bills nothing for standard runners in public repositories, nor within a"
        " plan's free minutes.",
        columns={
            "repository": _WHERE["repository"],
            "workflow_name": _WHERE["workflow_name"],
            **_IDS,
            "date": "The day of started_at, UTC",
            "sku": _SKU,
            "minutes": "Duration, rounded up to whole minutes",
            "usd": "US dollars; NULL without a price",
        },
        sql=r"""
WITH ran AS (
    SELECT
        repository, workflow_name, run_id, job_id, labels,
        started_at::DATE AS date,
        ceil(seconds / 60)::BIGINT AS minutes,
        coalesce(lower(runner_group_name) = 'default', FALSE) AS in_default_group
    FROM counted_jobs
    WHERE seconds IS NOT NULL
), named AS (
    SELECT
        labels,
        min(prices.sku) AS own,
        bool_or(label = 'self-hosted') AS self_hosted,
        min(CASE
            WHEN label = 'ubuntu-slim' THEN 'actions_linux_slim'
            WHEN regexp_full_match(label, 'ubuntu-(latest|[\d.]+)') THEN 'actions_linux'
            WHEN regexp_full_match(label, 'ubuntu-(latest|[\d.]+)-arm') THEN 'actions_linux_arm'
            WHEN regexp_full_match(label, 'windows-(latest|\d+)(-vs\d+)?') THEN 'actions_windows'
            WHEN regexp_full_match(label, 'windows-\d+(-vs\d+)?-arm') THEN 'actions_windows_arm'
            WHEN regexp_full_match(label, 'macos-(latest|[\d.]+)(-intel)?') THEN 'actions_macos'
            WHEN regexp_full_match(label, 'macos-(latest|[\d.]+)-large') THEN 'macos_l'
            WHEN regexp_full_match(label, 'macos-(latest|[\d.]+)-xlarge') THEN 'macos_xl'
            WHEN regexp_full_match(label, 'ubuntu-(latest|[\d.]+)-\d+-cores')
                THEN 'linux_' || regexp_extract(label, '(\d+)-cores', 1) || '_core'
            WHEN regexp_full_match(label, 'windows-(latest|\d+)-\d+-cores')
                THEN 'windows_' || regexp_extract(label, '(\d+)-cores', 1) || '_core'
        END) AS hosted
    FROM (
        SELECT labels, lower(unnest(labels)) AS label FROM (SELECT DISTINCT labels FROM ran)
    ) LEFT JOIN prices ON lower(prices.sku) = label
    GROUP BY labels
), billed AS (
    SELECT
        ran.*,
        CASE
            WHEN own IS NOT NULL THEN own
            WHEN self_hosted OR in_default_group THEN 'self'
            ELSE coalesce(hosted, 'unpriced')
        END AS sku
    FROM ran LEFT JOIN named USING (labels)
)
SELECT
    repository, workflow_name, run_id, job_id, date, billed.sku AS sku, minutes,
    round(minutes * coalesce(usd_per_minute, CASE WHEN billed.sku = 'self' THEN 0 END), 6) AS usd
FROM billed ASOF LEFT JOIN prices ON billed.sku = prices.sku AND billed.date >= prices.from_date""",
    ),
)

FINDINGS: Final = (
    View(
        "flaky_jobs",
        comment="Jobs that failed and then succeeded with nothing changed: same repository, workflow, name"
        " and commit; the success started later, in another run or attempt.",
        columns={
            **_WHERE,
            "flaky": "Commits with a failure that a later success contradicts",
            "commits": "Commits on which the job ended with success, failure or timed_out",
            "minutes": "How long these failures ran, in minutes",
            "first_seen": "When the first of these failures started",
            "last_seen": "When the last of these failures started",
            "links": "Addresses of the pages of these failures, the latest first",
        },
        sql=f"""\
WITH decided AS (
    SELECT {_KEY}, head_sha, run_id, run_attempt, job_id, conclusion, started_at, seconds, html_url
    FROM counted_jobs
    WHERE {DECIDED}
), failed AS (
    SELECT * FROM decided WHERE conclusion <> 'success'
), passed AS (
    -- Most commits have no failure: the query takes half the time without them.
    SELECT * FROM decided SEMI JOIN failed USING (head_sha) WHERE conclusion = 'success'
), contradicted AS (
    SELECT *
    FROM failed SEMI JOIN passed
    ON passed.repository = failed.repository
        AND passed.workflow_name IS NOT DISTINCT FROM failed.workflow_name
        AND passed.name = failed.name
        AND passed.head_sha = failed.head_sha
        AND passed.started_at > failed.started_at
        AND (
            passed.run_id <> failed.run_id
            OR passed.run_attempt IS DISTINCT FROM failed.run_attempt
        )
), flaky AS (
    SELECT
        {_KEY},
        count(DISTINCT head_sha) AS flaky,
        coalesce(sum(seconds), 0) / 60 AS minutes,
        min(started_at) AS first_seen,
        max(started_at) AS last_seen,
        coalesce(
            list(html_url ORDER BY started_at DESC, job_id DESC) FILTER (html_url IS NOT NULL), []
        ) AS links
    FROM contradicted
    GROUP BY {_KEY}
)
SELECT
    flaky.repository, flaky.workflow_name, flaky.name,
    any_value(flaky) AS flaky,
    count(DISTINCT head_sha) AS commits,
    any_value(minutes) AS minutes,
    any_value(first_seen) AS first_seen,
    any_value(last_seen) AS last_seen,
    any_value(links) AS links
FROM flaky JOIN decided
ON decided.repository = flaky.repository
    AND decided.workflow_name IS NOT DISTINCT FROM flaky.workflow_name
    AND decided.name = flaky.name
GROUP BY flaky.repository, flaky.workflow_name, flaky.name
ORDER BY flaky DESC, minutes DESC, 1, 2, 3""",
    ),
    View(
        "failure_rates",
        comment="How often each job fails, of the times it ended with success, failure or timed_out.",
        columns={
            **_WHERE,
            "jobs": "Jobs that ended with success, failure or timed_out",
            "failures": "Those with failure or timed_out",
            "rate": "failures / jobs",
            "change": f"The rate in the second half of the window minus that in the first; {_HALVES}",
        },
        sql=f"""\
WITH halves AS ({_WINDOW}),
decided AS (
    SELECT
        {_KEY},
        (conclusion <> 'success')::INTEGER AS failed,
        {_LATE} AS late
    FROM counted_jobs, halves
    WHERE {DECIDED}
)
SELECT
    {_KEY},
    count(*) AS jobs,
    sum(failed)::BIGINT AS failures,
    avg(failed) AS rate,
    avg(failed) FILTER (late) - avg(failed) FILTER (NOT late) AS change
FROM decided
GROUP BY {_KEY}
ORDER BY failures DESC, rate DESC, {_KEY}""",
    ),
    View(
        "failure_reasons",
        comment="Failures grouped by reason: by the headline without numbers, folders, times and ids.",
        columns={
            "fingerprint": "Equal for equal reasons",
            "kind": "Kind of the latest failure",
            "headline": "Headline of the latest failure",
            "times": "Failures with this reason",
            "jobs": "Distinct jobs with this reason, by repository, workflow and name",
            "repositories": "Distinct repositories with this reason",
            "first_seen": "When the first of these jobs started",
            "last_seen": "When the last of these jobs started",
        },
        sql="""\
SELECT
    fingerprint,
    arg_max(reasons.kind, (coalesce(started_at, TIMESTAMP '1970-01-01'), reasons.job_id)) AS kind,
    arg_max(headline, (coalesce(started_at, TIMESTAMP '1970-01-01'), reasons.job_id)) AS headline,
    count(*) AS times,
    count(DISTINCT (counted_jobs.repository, workflow_name, name)) AS jobs,
    count(DISTINCT counted_jobs.repository) AS repositories,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen
FROM reasons JOIN counted_jobs USING (job_id)
GROUP BY fingerprint
ORDER BY times DESC, jobs DESC, fingerprint""",
    ),
    View(
        "slow_jobs",
        comment="How long jobs take, and how that changed. Jobs without a possible duration are left out.",
        columns={
            **_WHERE,
            "jobs": "Jobs whose duration is known",
            **_DURATIONS,
        },
        sql=f"""\
WITH halves AS ({_WINDOW}),
timed AS (
    SELECT {_KEY}, seconds, {_LATE} AS late FROM counted_jobs, halves WHERE seconds IS NOT NULL
)
SELECT
    {_KEY},
    count(*) AS jobs,
    sum(seconds)::DOUBLE AS total_seconds,
    {_quantiles("seconds")},
    {_CHANGE} AS change
FROM timed
GROUP BY {_KEY}
ORDER BY total_seconds DESC, {_KEY}""",
    ),
    View(
        "slow_steps",
        comment="How long steps take, and how that changed. Steps without a possible duration are left out.",
        columns={
            **_WHERE,
            "step": "Name of the step",
            "steps": "Steps whose duration is known",
            **_DURATIONS,
        },
        sql=f"""\
WITH halves AS ({_WINDOW}),
timed AS (
    SELECT
        counted_jobs.repository, workflow_name, counted_jobs.name, steps.name AS step,
        steps.seconds, {_LATE} AS late
    FROM steps JOIN counted_jobs USING (job_id), halves
    WHERE steps.seconds IS NOT NULL
)
SELECT
    {_KEY}, step,
    count(*) AS steps,
    sum(seconds)::DOUBLE AS total_seconds,
    {_quantiles("seconds")},
    {_CHANGE} AS change
FROM timed
GROUP BY {_KEY}, step
ORDER BY total_seconds DESC, {_KEY}, step""",
    ),
    View(
        "queueing",
        comment="How long jobs wait for a runner, by each of their labels and the hour of the week",
        columns={
            "label": "One of the labels of runs-on",
            "hour": "Hour of the week of created_at, in UTC: 0 from Monday 00:00, 167 the last",
            "jobs": "Jobs with this label whose wait is known",
            "p50": "The median wait, in seconds",
            "p95": "The 95th percentile, in seconds",
            "most": "The longest wait, in seconds",
        },
        sql=f"""\
SELECT
    label,
    24 * (isodow(created_at) - 1) + hour(created_at) AS hour,
    count(*) AS jobs,
    {_quantiles("queued_seconds")},
    max(queued_seconds)::DOUBLE AS most
FROM (
    SELECT unnest(list_distinct(labels)) AS label, created_at, queued_seconds
    FROM counted_jobs
    WHERE queued_seconds IS NOT NULL
)
GROUP BY ALL
ORDER BY p95 DESC, jobs DESC, label, hour""",
    ),
    View(
        "waste",
        comment="Time that may have been wasted. A job may be of several kinds. superseded: before the run's"
        " updated_at, a newer run of the same workflow and branch was created for another commit.",
        columns={
            "repository": _WHERE["repository"],
            "workflow_name": _WHERE["workflow_name"],
            "kind": "re-run (in a second or later attempt), cancelled or superseded",
            "jobs": "Jobs whose duration is known",
            "minutes": "How long these jobs ran, in minutes",
        },
        sql="""\
WITH spent AS (
    SELECT repository, run_id, workflow_name, run_attempt, conclusion, seconds
    FROM counted_jobs
    WHERE seconds IS NOT NULL
), superseded AS (
    SELECT repository, run_id
    FROM runs AS older SEMI JOIN runs AS newer
    ON newer.repository = older.repository
        AND newer.workflow_id = older.workflow_id
        AND newer.head_branch = older.head_branch
        AND newer.head_sha <> older.head_sha
        AND newer.created_at > older.created_at
        AND newer.created_at < older.updated_at
), wasted AS (
    SELECT *, 're-run' AS kind FROM spent WHERE run_attempt > 1
    UNION ALL
    SELECT *, 'cancelled' AS kind FROM spent WHERE conclusion = 'cancelled'
    UNION ALL
    SELECT *, 'superseded' AS kind FROM spent SEMI JOIN superseded USING (repository, run_id)
)
SELECT
    repository, workflow_name, kind, count(*) AS jobs, sum(seconds) / 60 AS minutes
FROM wasted
GROUP BY ALL
ORDER BY minutes DESC, 1, 2, 3""",
    ),
    View(
        "costs",
        comment="What the jobs of each day cost: see billed_jobs. Jobs without a possible duration are left"
        " out.",
        columns={
            "date": "The day of started_at, UTC",
            "repository": _WHERE["repository"],
            "sku": _SKU,
            "jobs": "Jobs",
            "minutes": "Duration, each job rounded up to whole minutes",
            "usd": "US dollars by the table prices; NULL without a price",
        },
        sql="""\
SELECT
    date, repository, sku, count(*) AS jobs, sum(minutes)::BIGINT AS minutes,
    round(sum(usd), 6) AS usd
FROM billed_jobs
GROUP BY date, repository, sku
ORDER BY usd DESC NULLS LAST, minutes DESC, date, repository, sku""",
    ),
    View(
        "incomplete",
        comment="What the other findings lack: what the audit could not get, and durations that are"
        " impossible. The next audit tries again to get what may still come.",
        columns={
            "what": "What is missing; or duration, step duration or wait, where an end is before its start",
            "repository": _WHERE["repository"],
            **_IDS,
            "reason": "For a log expired, deleted, never_ran or lost; else the error, or by how much",
        },
        sql="""\
SELECT
    what, failures.repository, failures.run_id, failures.job_id,
    coalesce(failures.reason, failures.text, failures.error) AS reason
FROM failures
LEFT JOIN runs ON runs.run_id = failures.run_id
WHERE (
        getvariable('since') IS NULL
        OR runs.created_at IS NULL
        OR runs.created_at >= getvariable('since')::TIMESTAMP
    )
    AND (
        getvariable('repo') IS NULL
        OR lower(failures.repository) = lower(getvariable('repo')::VARCHAR)
    )
UNION ALL
SELECT
    'duration', repository, run_id, job_id,
    'ended ' || date_diff('second', completed_at, started_at) || ' s before it started'
FROM counted_jobs
WHERE status = 'completed' AND completed_at < started_at
UNION ALL
SELECT
    'step duration', counted_jobs.repository, counted_jobs.run_id, job_id,
    'step ' || number || ' ended '
        || date_diff('second', steps.completed_at, steps.started_at) || ' s before it started'
FROM steps JOIN counted_jobs USING (job_id)
WHERE steps.completed_at < steps.started_at
UNION ALL
SELECT
    'wait', repository, run_id, job_id,
    'started ' || date_diff('second', started_at, created_at) || ' s before it was created'
FROM counted_jobs
WHERE started_at < created_at
ORDER BY ALL""",
    ),
)
