"""What need not be asked for again: a decision about attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.audit.collect.settled import Settled, settles, wanted

attempts = st.integers(1, 6)
stored = st.frozensets(st.integers(1, 6))


@pytest.mark.parametrize(
    ("run_attempt", "settled", "latest", "asked"),
    [
        (1, (), False, (None,)),
        (3, (), False, (None,)),
        (1, (1,), False, ()),
        (2, (1,), False, (2,)),
        (4, (1,), False, (2, 3, 4)),
        (3, (3,), False, (1, 2)),
        (3, (), True, (None,)),
        (3, (3,), True, ()),
        (3, (1, 2), True, (None,)),
    ],
)
def test_what_is_asked_for(
    run_attempt: int, settled: tuple[int, ...], latest: bool, asked: tuple[int | None, ...]
) -> None:
    """A run as a whole where nothing is stored, else the attempts that are missing."""
    assert wanted(run_attempt, settled, latest=latest) == asked


@given(attempts, stored)
def test_a_settled_attempt_is_never_asked_for_again(last: int, settled: frozenset[int]) -> None:
    """Not by itself, and the whole run only where none of its attempts is settled."""
    asked = wanted(last, settled, latest=False)
    assert not settled & set(asked)
    assert (None in asked) == (not settled)
    assert settled | {
        n for one in asked for n in (range(1, last + 1) if one is None else [one])
    } >= {*range(1, last + 1)}


@given(attempts, stored, st.booleans())
def test_what_was_asked_for_is_settled(last: int, settled: frozenset[int], latest: bool) -> None:
    """Once all lists are complete, a run that has completed is not asked for again."""
    for one in wanted(last, settled, latest=latest):
        settled |= set(settles(one, last, completed=True, latest=latest))
    assert wanted(last, settled, latest=latest) == ()


@given(attempts, stored, st.booleans())
def test_a_run_under_way_is_asked_for_again(
    last: int, settled: frozenset[int], latest: bool
) -> None:
    """Its last attempt is never settled; those before are."""
    settled -= {last}
    for one in wanted(last, settled, latest=latest):
        settled |= set(settles(one, last, completed=False, latest=latest))
    assert last not in settled
    assert wanted(last, settled, latest=latest) in ((None,), (last,))


@given(st.dictionaries(st.integers(1, 2**62), st.frozensets(st.integers(1, 50), min_size=1)))
def test_settled_attempts_are_found(given: dict[int, frozenset[int]]) -> None:
    """Whatever attempts of whatever runs are stored, they are what is found."""
    settled = Settled()
    for run_id in sorted(given):
        settled.add(run_id, sorted(given[run_id]))
    for run_id, numbers in given.items():
        assert set(settled.of(run_id)) == numbers
        assert given.get(run_id + 1, frozenset()) == set(settled.of(run_id + 1))
