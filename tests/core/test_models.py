"""Models: what jobs, steps, runs and lists say about themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from ghjobs_async import (
    Conclusion,
    ConfigurationError,
    Failed,
    Fetched,
    Job,
    JobList,
    JobRef,
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


def run(**changes: Any) -> Run:
    plain: dict[str, Any] = {"id": 7, "node_id": "n", "head_sha": "s", "run_number": 1}
    plain |= {"event": "push", "workflow_id": 1, "url": "u", "created_at": NOW}
    plain["repository"] = Repository(id=1, full_name="octo-org/octo-repo")
    return Run(**(plain | changes))


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [(0, 90, 90), (0, 0, 0), (90, 0, None), (None, 5, None), (0, None, None), (0, -1906073, None)],
)
def test_durations_are_never_negative(
    start: int | None, end: int | None, seconds: int | None
) -> None:
    """Where the end is before the start, or a time is missing, the duration is None."""
    times: dict[str, Any] = {
        "started_at": None if start is None else at(start),
        "completed_at": None if end is None else at(end),
    }
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert job(**times).duration == expected
    assert Step(name="s", status="completed", number=1, **times).duration == expected


def test_a_job_that_runs_again_has_no_duration_yet() -> None:
    """The end of its last run is not the end of this one."""
    assert job(status="in_progress", started_at=at(0), completed_at=at(90)).duration is None


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
    """Inherited jobs keep their old start, and waiting ones have one already: both give None."""
    waited = job(
        status=status,
        created_at=None if created is None else at(created),
        started_at=None if started is None else at(started),
    ).queued_for
    assert waited == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("started", "steps", "seconds"),
    [
        (0, (7200, 7260), 7200),  # the start is the time of queueing
        (1, (7200,), 7200),
        (0, (7260, 7200, None), 7200),  # parallel steps, in any order
        (0, (0,), 0),
        (0, (), None),
        (0, (None,), None),
        (0, (-5,), None),
        (4, (5,), 5),
        (4, (3,), 4),  # the runner's clock is behind
        (4, (), 4),
        (-60, (-58,), None),  # inherited by a re-run
        (-1, (5,), None),
    ],
)
def test_a_wait_ends_with_the_first_step(
    started: int, steps: tuple[int | None, ...], seconds: int | None
) -> None:
    """Where `started_at` is the time of queueing, the first step shows when a runner came."""
    waited = job(
        created_at=at(0),
        started_at=at(started),
        steps=tuple(
            Step(
                name="s",
                number=number,
                status="completed",
                started_at=None if begun is None else at(begun),
            )
            for number, begun in enumerate(steps)
        ),
    ).queued_for
    assert waited == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("completed", "failure", "failure"),
        ("completed", "evaporated", "evaporated"),
        ("completed", None, "completed"),
        ("queued", None, "queued"),
        ("in_progress", "failure", "in_progress"),
        ("vanishing", "success", "vanishing"),
    ],
)
def test_a_state_is_what_people_are_shown(status: str, conclusion: str | None, state: str) -> None:
    """The conclusion counts once the status is completed: one from before a re-run does not."""
    given: dict[str, Any] = {"status": status, "conclusion": conclusion}
    assert job(**given).state == state
    assert Step(name="s", number=1, **given).state == state
    assert run(**given).state == state


@pytest.mark.parametrize(("conclusion", "state"), [("success", "success"), (None, "unknown")])
def test_a_run_without_a_status_has_a_state(conclusion: str | None, state: str) -> None:
    """A run whose status is null shows its conclusion, if it has one."""
    assert run(status=None, conclusion=conclusion).state == state


ROOTS = ("https://api.github.com", "http://ghe.example.com:8443/api/v3", "https://[::1]/gate/way")
ODD = ("octo-org/octo.repo", "repos/repos", "actions/runs", "a/check-runs", "runs/actions")


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("repo", ODD)
@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("url", "/actions/jobs/999"),
        ("run_url", "/actions/runs/7"),
        ("check_run_url", "/check-runs/9"),
    ],
)
def test_a_job_knows_its_reference(root: str, repo: str, field: str, path: str) -> None:
    """The repository stands in any of the API's URLs, below any root; the id is the job's own."""
    assert job(id=9, **{field: f"{root}/repos/{repo}{path}"}).ref == JobRef(repo, 9)


@pytest.mark.parametrize(
    "path", ["actions/runs/7/job/9", "runs/9", "actions/runs/7/jobs/3", "runs/9?check_suite_focus"]
)
@pytest.mark.parametrize("repo", ODD)
def test_a_reference_is_found_in_the_web_url(repo: str, path: str) -> None:
    """Where the API's URLs do not name the repository, the web URL does, in all of its forms."""
    found = job(id=9, url="https://h/repositories/1", html_url=f"https://h/{repo}/{path}")
    assert found.ref == JobRef(repo, 9)


@pytest.mark.parametrize(
    "url",
    [
        *("", "u", "https://", "https://[::1/repos/o/r/actions/jobs/9", "//h/o/r/runs/9"),
        *("ftp://h/repos/o/r/actions/jobs/9", "https://h/repos/o/../actions/jobs/9"),
        *("https://h/repositories/3/actions/jobs/9", "https://h/repos/o/r%2f/actions/jobs/9"),
        *("https://h/repos/o/r/actions/jobs/9/../../x", "https://h/repos/o/r", "https://h/o/r"),
        *("https://h/?/repos/o/r/actions/jobs/9", "https://h/#/repos/o/r/actions/jobs/9"),
    ],
)
def test_a_job_whose_urls_name_no_repository(url: str) -> None:
    """Nothing is guessed: the error says what to give instead."""
    with pytest.raises(ConfigurationError, match="job 9 do not name its repository"):
        _ = job(id=9, url=url, run_url=url, check_run_url=url, html_url=url).ref


def test_a_job_with_an_odd_id_has_no_reference() -> None:
    """An id from the server is checked as one from the caller is."""
    with pytest.raises(ConfigurationError, match="positive number"):
        _ = job(id=0, url="https://h/repos/o/r/actions/jobs/0").ref


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
        ({"conclusion": "skipped", "status": "in_progress", "runner_id": 3}, True),
        ({"conclusion": "success", "status": "in_progress", **RAN}, False),
    ],
)
def test_whether_a_job_ran(changes: dict[str, Any], *, ran: bool) -> None:
    """Skipped and waiting jobs and other apps' check runs did not run; missing steps prove nothing."""
    assert job(**changes).ran is ran


def test_values_are_frozen_and_hashable() -> None:
    """A value can be a key, and cannot change."""
    assert len({job(), job(), job(id=2)}) == 2
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        job().id = 3  # type: ignore[misc]
    assert not hasattr(job(), "__dict__")
    hash(Undecodable("p", "r", {"not": "hashable"}))


def test_known_values_equal_their_text() -> None:
    """A field holds a plain string, which compares with the members of the enums."""
    assert job(conclusion="failure").conclusion == Conclusion.FAILURE
    assert job(status="completed").status == Status.COMPLETED
    assert job(conclusion="evaporated").conclusion == "evaporated"


def test_a_job_list_is_a_sequence_with_a_verdict() -> None:
    """It has a length, an order and slices, and says whether it is complete."""
    jobs = tuple(job(id=n) for n in range(1, 4))
    listed = JobList(jobs, 3)
    assert isinstance(listed, Sequence)
    assert (len(listed), listed[0], listed[-1], list(listed)) == (3, jobs[0], jobs[2], [*jobs])
    assert jobs[2] in listed
    assert (listed.complete, listed.expected, listed.got) == (True, 3, 3)
    assert repr(listed) == "<JobList of 3 jobs, complete>"


def test_a_slice_of_a_job_list_is_a_list() -> None:
    """A part of the jobs claims no completeness, and is a plain list."""
    jobs = [job(id=n) for n in range(1, 5)]
    listed = JobList(tuple(jobs), 4)
    assert listed[1:3] == jobs[1:3]
    assert listed[::-2] == jobs[::-2]
    assert listed[9:] == []


def test_models_give_githubs_json() -> None:
    """`to_dict` is a method of each model, and writes names and times as GitHub does."""
    step = attrs.evolve(STEP, started_at=at(1.5)).to_dict()
    assert (step["started_at"], step["completed_at"]) == ("2026-10-01T12:00:01.500Z", None)
    found = job(labels=("a",), steps=(STEP,), started_at=at(0)).to_dict()
    assert found["started_at"] == "2026-10-01T12:00:00Z"
    assert (found["labels"], found["steps"]) == (["a"], [STEP.to_dict()])
    assert set(found) == {field.name for field in attrs.fields(Job)} - {"created_at", "run_attempt"}
    assert run().to_dict()["repository"] == {
        "id": 1,
        "full_name": "octo-org/octo-repo",
        "private": None,
        "html_url": None,
    }


def test_a_short_job_list_says_so() -> None:
    """An incomplete list gives both numbers: expected and got."""
    short = JobList((job(),), 3)
    assert (short.complete, short.expected, short.got) == (False, 3, 1)
    assert repr(short) == "<JobList of 1 jobs, incomplete: 1 of 3>"


def test_outcomes_match_by_position() -> None:
    """`case Fetched(ref, value)` and `case Failed(ref, error)` match."""
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
    """The signature gives access to the log, so neither repr nor text shows it."""
    link = LogLink("https://storage.example/log.txt?se=2026&sig=s3cret", NOW)
    assert link.url.endswith("s3cret")
    for text in (repr(link), str(link), f"{link}", f"{[link]}"):
        assert "sig=" not in text
        assert "https://storage.example/log.txt" in text


def test_a_minted_token_is_hidden() -> None:
    """The repr of an installation token does not contain the token."""
    assert "ghs_s3cret" not in repr(InstallationToken("ghs_s3cret", NOW))


def test_a_wait_reads_well() -> None:
    """Printed by `on_wait=print`, it says how long, until when, and why."""
    wait = Wait(60.4, NOW, "secondary rate limit")
    assert str(wait) == "waiting 60 s, until 12:00:00 UTC: secondary rate limit"


@pytest.mark.parametrize(("last", "count"), [(None, 1), (1, 1), (3, 3)])
def test_a_run_names_its_attempts(last: int | None, count: int) -> None:
    """A run gives references to itself and to each of its attempts, the first one first."""
    found = run(run_attempt=last)
    assert found.ref == RunRef("octo-org/octo-repo", 7)
    assert [ref.attempt for ref in found.attempts] == list(range(1, count + 1))
