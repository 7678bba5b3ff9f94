"""The values: what a job answers about itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from ghjobs_async import (
    Conclusion,
    Failed,
    Fetched,
    Job,
    JobList,
    LogLink,
    Repository,
    Run,
    RunRef,
    Status,
    Step,
    Undecodable,
    Wait,
)
from ghjobs_async.models import InstallationToken

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def job(**changes: Any) -> Job:
    plain: dict[str, Any] = {"run_id": 1, "run_url": "u", "node_id": "n", "head_sha": "s"}
    plain |= {"url": "u", "name": "build", "check_run_url": "c", "id": 1, "status": "completed"}
    return Job(**(plain | changes))


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [(0, 90, 90), (0, 0, 0), (90, 0, None), (None, 5, None), (0, None, None), (0, -1906073, None)],
)
def test_durations_are_never_negative(
    start: int | None, end: int | None, seconds: int | None
) -> None:
    """Where GitHub's clocks are inverted, or a time is missing, there is no duration."""
    times: dict[str, Any] = {
        "started_at": None if start is None else at(start),
        "completed_at": None if end is None else at(end),
    }
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert job(**times).duration == expected
    assert Step(name="s", status="completed", number=1, **times).duration == expected


@pytest.mark.parametrize(
    ("status", "created", "started", "seconds"),
    [
        ("completed", 0, 4, 4),
        ("in_progress", 0, 4, 4),
        ("completed", 4, 0, None),
        ("queued", 0, 4, None),
        ("waiting", 0, 4, None),
        ("pending", 0, 4, None),
        ("requested", 0, 4, None),
        ("completed", None, 4, None),
        ("completed", 0, None, None),
    ],
)
def test_waits_for_a_runner_are_never_negative(
    status: str, created: int | None, started: int | None, seconds: int | None
) -> None:
    """Inherited jobs keep their old start, and waiting ones have one already: no wait is told."""
    waited = job(
        status=status,
        created_at=None if created is None else at(created),
        started_at=None if started is None else at(started),
    ).queued_for
    assert waited == (None if seconds is None else timedelta(seconds=seconds))


STEP = Step(name="s", status="completed", number=1)
RAN = {"started_at": at(0), "completed_at": at(5)}


@pytest.mark.parametrize(
    ("changes", "ran"),
    [
        ({"conclusion": "success", "runner_id": 3, "steps": (STEP,)}, True),
        ({"conclusion": "success", "runner_id": 3, **RAN}, True),
        ({"conclusion": "cancelled", "runner_name": "mine"}, True),
        ({"conclusion": "success", **RAN}, True),
        ({"conclusion": None, "status": "in_progress", "runner_id": 3}, True),
        ({"conclusion": "skipped"}, False),
        ({"conclusion": None, "status": "queued", "started_at": at(0)}, False),
        ({"conclusion": None, "status": "waiting"}, False),
        ({"conclusion": "cancelled", **RAN}, False),
        ({"conclusion": "success", "started_at": at(0), "completed_at": at(0)}, False),
    ],
)
def test_whether_a_job_ran(changes: dict[str, Any], *, ran: bool) -> None:
    """Skipped and waiting jobs, and other apps' check runs, never ran; expired steps tell nothing."""
    assert job(**changes).ran is ran


def test_values_are_frozen_and_hashable() -> None:
    """A value can be a key, and cannot change."""
    assert len({job(), job(), job(id=2)}) == 2
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        job().id = 3  # type: ignore[misc]
    assert not hasattr(job(), "__dict__")
    hash(Undecodable("p", "r", {"not": "hashable"}))


def test_known_values_equal_their_text() -> None:
    """A field holds a plain text, and compares with the names of the known ones."""
    assert job(conclusion="failure").conclusion == Conclusion.FAILURE
    assert job(status="completed").status == Status.COMPLETED
    assert job(conclusion="evaporated").conclusion == "evaporated"


def test_a_job_list_is_a_sequence_with_a_verdict() -> None:
    """It is counted, indexed, sliced and searched like a tuple, and says whether it is whole."""
    jobs = tuple(job(id=n) for n in range(1, 4))
    listed = JobList(jobs, 3)
    assert isinstance(listed, Sequence)
    assert (len(listed), listed[0], listed[1:], list(listed)) == (3, jobs[0], jobs[1:], [*jobs])
    assert jobs[2] in listed
    assert (listed.complete, listed.expected, listed.got) == (True, 3, 3)
    assert repr(listed) == "<JobList of 3 jobs, complete>"


def test_a_short_job_list_says_so() -> None:
    """What came short gives the numbers: expected and got."""
    short = JobList((job(),), 3)
    assert (short.complete, short.expected, short.got) == (False, 3, 1)
    assert repr(short) == "<JobList of 1 jobs, incomplete: 1 of 3>"


def test_outcomes_match_by_position() -> None:
    """`case Fetched(ref, value)` and `case Failed(ref, error)` work as written."""
    error = ValueError()
    outcomes: list[Fetched[str, int] | Failed[str]] = [Fetched("a", 1), Failed("b", error)]
    seen: list[object] = []
    for outcome in outcomes:
        match outcome:
            case Fetched(ref, value):
                seen += [ref, value]
            case Failed(ref, cause):
                seen += [ref, cause]
    assert seen == ["a", 1, "b", error]


def test_a_link_hides_its_query() -> None:
    """Whoever has the signature can read the log, so neither repr nor text shows it."""
    link = LogLink("https://storage.example/log.txt?se=2026&sig=s3cret", NOW)
    assert link.url.endswith("s3cret")
    for text in (repr(link), str(link), f"{link}", f"{[link]}"):
        assert "sig=" not in text
        assert "https://storage.example/log.txt" in text


def test_a_minted_token_is_hidden() -> None:
    """The repr of an installation token does not hold the token."""
    assert "ghs_s3cret" not in repr(InstallationToken("ghs_s3cret", NOW))


def test_a_wait_reads_well() -> None:
    """Told to `on_wait`, printed as it is: how long, until when, what for."""
    wait = Wait(60.4, NOW, "secondary rate limit")
    assert str(wait) == "waiting 60 s, until 12:00:00 UTC: secondary rate limit"


@pytest.mark.parametrize(("last", "count"), [(None, 1), (1, 1), (3, 3)])
def test_a_run_names_its_attempts(last: int | None, count: int) -> None:
    """A run gives references to itself and to each of its attempts, the first one first."""
    repository = Repository(id=1, full_name="octo-org/octo-repo")
    run = Run(
        id=7,
        node_id="n",
        head_sha="s",
        run_number=1,
        event="push",
        workflow_id=1,
        url="u",
        created_at=NOW,
        run_attempt=last,
        repository=repository,
    )
    assert run.ref == RunRef("octo-org/octo-repo", 7)
    assert [ref.attempt for ref in run.attempts] == list(range(1, count + 1))
