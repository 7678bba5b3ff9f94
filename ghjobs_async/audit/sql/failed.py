"""What counts as a failure, as `plan.failed` and `Job.ran_out_of_time` say it, in SQL. Pure."""

from __future__ import annotations

from typing import Final

#: Of the table ``jobs``: whether a job failed by itself or ran out of time; never NULL. GitHub
#: cancels a step whose job runs out of time, and a step that runs always fails then.
FAILED: Final = """coalesce(
    jobs.status = 'completed' AND (
        jobs.conclusion IN ('failure', 'timed_out', 'startup_failure')
        OR jobs.conclusion = 'cancelled' AND jobs.job_id IN (
            SELECT job_id FROM steps JOIN steps AS before USING (repository, job_id)
            WHERE before.conclusion = 'cancelled' AND steps.conclusion = 'failure'
                AND before.number < steps.number
        )
    ), false)"""
