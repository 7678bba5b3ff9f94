"""Whether a run or a job counts as failed for ``--exit-status``. Pure."""

from __future__ import annotations

from typing import Final

# What gh's own --exit-status counts as failed.
# https://github.com/cli/cli/blob/trunk/pkg/cmd/run/shared/shared.go
_FAILURES: Final = frozenset({"action_required", "failure", "startup_failure", "timed_out"})


def has_failed(status: object, conclusion: object) -> bool:
    """Return whether it has completed, and failed. Both may be anything that JSON holds."""
    completed = status is None or status == "completed"
    return completed and isinstance(conclusion, str) and conclusion in _FAILURES
