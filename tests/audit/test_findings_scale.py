"""Findings and report of 10,000 runs: 100,000 jobs with 1,200,000 steps."""

from __future__ import annotations

import time
from collections.abc import Iterator

import duckdb
import pytest
from findings_world import database

from ghjobs_async.audit import findings, report
from ghjobs_async.audit.results.findings import NAMES

#: Runs of three repositories and five workflows within a month. Chance is a hash: always the same.
FILL = (
    """
    INSERT INTO runs BY NAME
    SELECT
        ['octo/a', 'octo/b', 'octo/c'][1 + (i // 10) % 3] AS repository, i AS run_id,
        1 AS run_attempt, i % 5 AS workflow_id, 'workflow ' || (i % 5) AS workflow_name,
        if(i % 3 = 0, 'main', 'branch ' || (i // 50)) AS head_branch, md5((i // 10)::VARCHAR) AS head_sha,
        TIMESTAMP '2026-10-01' + to_seconds(i * 260) AS created_at,
        created_at + INTERVAL 20 MINUTE AS updated_at
    FROM range(10000) AS runs(i)
    """,
    """
    INSERT INTO jobs BY NAME
    SELECT
        repository, run_id, run_attempt, i AS job_id, 'job ' || (i % 10) AS name, workflow_name,
        head_branch, head_sha, 'completed' AS status, created_at,
        CASE
            WHEN hash(i * 7) % 20 = 0 THEN 'failure'
            WHEN hash(i * 3) % 50 = 0 THEN 'cancelled'
            ELSE 'success'
        END AS conclusion,
        (4 + hash(i) % 30)::DOUBLE AS queued_seconds, (60 + hash(i + 1) % 600)::DOUBLE AS seconds,
        created_at + to_seconds(queued_seconds) AS started_at,
        started_at + to_seconds(seconds) AS completed_at,
        [['ubuntu-latest'], ['windows-latest'], ['self-hosted', 'x64'], ['macos-14']][1 + i % 4]
            AS labels,
        'https://github.com/octo/a/actions/runs/' || run_id || '/job/' || i AS html_url,
        hash(i * 11) % 40 = 0 AS inherited, 'https://api.github.com/repos/octo/a' AS api_url
    FROM runs JOIN (SELECT i FROM range(100000) AS jobs(i)) ON run_id = i // 10
    """,
    """
    INSERT INTO steps BY NAME
    SELECT
        repository, run_id, run_attempt, job_id, number, 'step ' || number AS name, started_at,
        (hash(job_id * 12 + number) % 30)::DOUBLE AS seconds,
        started_at + to_seconds(steps.seconds) AS completed_at
    FROM jobs, (SELECT i AS number, 0.0 AS seconds FROM range(12) AS steps(i)) AS steps
    """,
    """
    INSERT INTO reasons BY NAME
    SELECT
        repository, run_id, job_id, 'test' AS kind, 'test ' || (job_id % 200) AS headline,
        headline AS fingerprint
    FROM jobs WHERE conclusion = 'failure'
    """,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    # One thread of DuckDB's: it is the test's own, whose CPU time no other process changes.
    with database() as connection:
        for statement in FILL:
            connection.execute(statement)
        yield connection


def test_findings_of_a_hundred_thousand_jobs(connection: duckdb.DuckDBPyConnection) -> None:
    """All findings together take at most a second."""
    began = time.thread_time()
    found = [findings(connection, name, limit=3) for name in NAMES]
    assert time.thread_time() - began < 1
    assert [one.name for one in found if not one.rows] == ["incomplete"]


def test_a_report_of_ten_thousand_runs(connection: duckdb.DuckDBPyConnection) -> None:
    """The page takes at most three seconds and one megabyte."""
    began = time.thread_time()
    page = report(connection)
    assert time.thread_time() - began < 3
    assert 10_000 < len(page.encode()) < 1_000_000
