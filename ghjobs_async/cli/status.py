"""How a command ends: its exit status, what counts as failed, what is missing. Pure."""

from __future__ import annotations

from typing import Final

from ghjobs_async.models import JobList

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
#: The shell's own numbers for a command that SIGINT or SIGPIPE ended.
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

# What gh's own --exit-status counts as failed.
# https://github.com/cli/cli/blob/trunk/pkg/cmd/run/shared/shared.go
_FAILURES: Final = frozenset({"action_required", "failure", "startup_failure", "timed_out"})


def has_failed(status: object, conclusion: object) -> bool:
    """Return whether it has completed, and failed. Both may be anything that JSON holds."""
    completed = status is None or status == "completed"
    return completed and isinstance(conclusion, str) and conclusion in _FAILURES


def missing(jobs: JobList) -> list[str]:
    """Report what is missing in a list of jobs."""
    if jobs.complete:
        return []
    lost = f", {len(jobs.undecodable)} of them not decodable" if jobs.undecodable else ""
    return [f"incomplete: {jobs.expected} jobs expected, {jobs.got} got{lost}"]
