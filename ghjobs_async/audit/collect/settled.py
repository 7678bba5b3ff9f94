"""Decide which attempts of a run have to be asked for, and which a list of jobs settles. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Sequence

import attrs


@attrs.define(eq=False)
class Settled:
    """The attempts whose jobs are stored, of many runs: some bytes for each run."""

    _ids: array[int] = attrs.field(factory=lambda: array("q"))
    # The last attempt, where all before it are settled too; else the run is among the others.
    _last: array[int] = attrs.field(factory=lambda: array("l"))
    _others: dict[int, frozenset[int]] = attrs.field(factory=dict)

    def add(self, run_id: int, attempts: Sequence[int]) -> None:
        """Add a run; ids must grow."""
        self._ids.append(run_id)
        self._last.append(max(attempts))
        if len(attempts) != max(attempts):
            self._others[run_id] = frozenset(attempts)

    def of(self, run_id: int) -> Collection[int]:
        """Return the settled attempts of a run."""
        place = bisect_left(self._ids, run_id)
        if place == len(self._ids) or self._ids[place] != run_id:
            return ()
        return self._others.get(run_id) or range(1, self._last[place] + 1)


def wanted(run_attempt: int, settled: Collection[int], *, latest: bool) -> tuple[int | None, ...]:
    """
    Return the attempts of a run whose jobs have to be asked for; None stands for the whole run.

    Args:
        run_attempt: The number of its latest attempt.
        settled: The attempts that are stored.
        latest: Whether only the latest attempt is wanted.
    """
    if latest:
        return () if run_attempt in settled else (None,)
    if not settled:
        return (None,)
    return tuple(number for number in range(1, run_attempt + 1) if number not in settled)


def settles(
    asked: int | None, run_attempt: int, *, completed: bool, latest: bool
) -> tuple[int, ...]:
    """
    Return the attempts that are settled once a list of jobs is complete.

    Args:
        asked: The attempt that was asked for; None for the whole run.
        run_attempt: The number of the run's latest attempt.
        completed: Whether that has completed; all before it have.
        latest: Whether only the latest attempt was asked for.
    """
    first = (run_attempt if latest else 1) if asked is None else asked
    last = run_attempt if asked is None else asked
    return tuple(n for n in range(first, last + 1) if n < run_attempt or completed)
