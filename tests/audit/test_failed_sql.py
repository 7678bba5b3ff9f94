"""What counts as a failure, in SQL and in Python."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import attrs
from timelines import START, job, step

from ghjobs_async import Job
from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.collect.plan import failed
from ghjobs_async.audit.database.batch import Batch, Listing
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.sql.failed import FAILED

CONCLUSIONS = ("success", "failure", "timed_out", "startup_failure", "cancelled", "skipped", None)
STEPS = ("success", "failure", "cancelled")


def test_sql_counts_the_failures_that_python_counts(tmp_path: Path) -> None:
    """A cancelled job failed if a step failed after one that was cancelled, not before it."""
    jobs: list[Job] = []
    for conclusion in CONCLUSIONS:
        for states in (found for size in range(4) for found in product(STEPS, repeat=size)):
            steps = tuple(
                attrs.evolve(step("a", 1, 2), number=number, conclusion=state)
                for number, state in enumerate(states, 1)
            )
            one = job(len(jobs) + 1)
            jobs.append(attrs.evolve(one, steps=steps, status="completed", conclusion=conclusion))
    jobs.append(attrs.evolve(job(len(jobs) + 1), status="in_progress", conclusion="failure"))
    store = AuditStore(tmp_path)
    with store.write() as connection:
        batch = Batch(at=START, listings=[Listing("octo-org/octo-repo", jobs[0].run_id, jobs)])
        write_batch(connection, batch)
    with store.read() as connection:
        rows = connection.execute(f"SELECT job_id, {FAILED} FROM jobs ORDER BY job_id").fetchall()
    assert rows == [(one.id, failed(one)) for one in jobs]
