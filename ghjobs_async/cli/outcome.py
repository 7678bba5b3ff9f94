"""How a run, a job or a step stands, as one word. Pure."""

from __future__ import annotations

from typing import Final

# What gh's own --exit-status counts as failed.
# https://github.com/cli/cli/blob/trunk/pkg/cmd/run/shared/shared.go
_FAILURES: Final = frozenset({"action_required", "failure", "startup_failure", "timed_out"})


def state_of(status: str | None, conclusion: str | None) -> str:
    """
    Return the conclusion of what has completed, else the status.

    What runs again can still have its former conclusion.
    """
    if status in {None, "completed"}:
        return conclusion or status or ""
    return str(status)


def has_failed(status: object, conclusion: object) -> bool:
    """Return whether it has completed, and failed. Both may be anything that JSON holds."""
    completed = status is None or status == "completed"
    return completed and isinstance(conclusion, str) and conclusion in _FAILURES
