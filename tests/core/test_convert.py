"""Bytes into models and back: nothing is lost in silence, and nothing else is raised."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import Job, Run, to_dict
from ghjobs_async.wire.convert import NotJsonError, Page, ShapeError, load

STEP: dict[str, Any] = {
    "name": "Run tests",
    "status": "completed",
    "conclusion": "success",
    "number": 1,
    "started_at": "2026-10-01T12:00:01.500Z",
    "completed_at": "2026-10-01T12:00:09Z",
}
JOB: dict[str, Any] = {
    "id": 5_000_000_000,
    "run_id": 6_000_000_000,
    "workflow_name": "CI",
    "head_branch": "main",
    "run_url": "https://api.github.com/repos/o/r/actions/runs/6",
    "run_attempt": 2,
    "node_id": "CR_1",
    "head_sha": "f83a356",
    "url": "https://api.github.com/repos/o/r/actions/jobs/5",
    "html_url": None,
    "status": "completed",
    "conclusion": "success",
    "created_at": "2026-10-01T12:00:00Z",
    "started_at": "2026-10-01T04:00:01-08:00",
    "completed_at": "2026-10-01T12:01:00Z",
    "name": "build / linux: \U0001f680",
    "steps": [STEP],
    "check_run_url": "https://api.github.com/repos/o/r/check-runs/5",
    "labels": ["ubuntu-latest"],
    "runner_id": 1,
    "runner_name": "runner",
    "runner_group_id": 2,
    "runner_group_name": "GitHub Actions",
}
RUN: dict[str, Any] = {
    "id": 6,
    "node_id": "WFR",
    "head_sha": "f83a356",
    "run_number": 3,
    "event": "push",
    "workflow_id": 1,
    "url": "u",
    "created_at": "2026-10-01T12:00:00Z",
    "repository": {"id": 1, "full_name": "o/r", "private": False},
    "actor": {"login": "octocat", "id": 1},
}
REQUIRED = ("id", "run_id", "run_url", "node_id", "head_sha", "url", "status", "name")

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def packed(value: object) -> bytes:
    return json.dumps(value).encode()


def page(*jobs: object, total: object = None) -> bytes:
    return packed({"total_count": len(jobs) if total is None else total, "jobs": jobs})


def job(**changes: object) -> dict[str, Any]:
    return {**JOB, **changes}


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in JOB.items() if key not in keys}


def test_a_job_comes_back_as_it_was() -> None:
    """Every field is decoded, and `to_dict` gives GitHub's JSON back, text for text."""
    expected = json.loads(json.dumps(JOB))
    assert to_dict(load(packed(JOB), Job)) == expected


def test_times_keep_their_offset() -> None:
    """A date-time is aware, with the offset as it was sent, and with its fraction."""
    found = load(packed(JOB), Job)
    assert found.started_at is not None
    assert found.started_at.utcoffset() == timedelta(hours=-8)
    assert found.steps[0].started_at is not None
    assert found.steps[0].started_at.microsecond == 500_000


@pytest.mark.parametrize(
    "text",
    ["2020-01-20T09:42:40.000-08:00", "2020-01-20T09:42:40.000Z", "2020-01-20T09:42:40.000+02:00"],
)
def test_every_recorded_form_of_time_is_read(text: str) -> None:
    """Steps have come with offsets, fractions and neither."""
    step = {**STEP, "started_at": text, "completed_at": None}
    assert load(packed(job(steps=[step])), Job).steps[0].started_at is not None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("created_at",), {"created_at": None}),
        (("run_attempt",), {"run_attempt": None}),
        (("head_branch", "workflow_name"), {"head_branch": None, "workflow_name": None}),
        (("labels", "runner_id", "runner_name"), {"labels": (), "runner_id": None}),
        (("runner_group_id", "runner_group_name"), {"runner_group_id": None}),
        (("steps",), {"steps": ()}),
    ],
)
def test_keys_absent_on_older_servers_are_tolerated(
    keys: tuple[str, ...], expected: dict[str, Any]
) -> None:
    """GHES 2.22 to 3.8 lack these; GitHub's own example lacks two of them."""
    found = load(packed(without(*keys)), Job)
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_older_servers_leave_out_is_left_out_again() -> None:
    """A job without `created_at` and `run_attempt` is given back without them."""
    assert {"created_at", "run_attempt"}.isdisjoint(
        to_dict(load(packed(without("created_at", "run_attempt")), Job))
    )


@pytest.mark.parametrize("key", ["labels", "steps"])
def test_null_stands_for_an_empty_list(key: str) -> None:
    """Where a list is null, nothing is in it."""
    assert getattr(load(packed(job(**{key: None})), Job), key) == ()


@pytest.mark.parametrize("value", ["evaporated", "in_progress", "startup_failure", None])
def test_unknown_values_survive(value: str | None) -> None:
    """One conclusion that nobody knows yet must not cost a page, as a closed enum's would."""
    found = load(page(job(conclusion=value, status="vanishing"), JOB), Page[Job])
    assert [item.conclusion for item in found.items] == [value, "success"]
    assert found.undecodable == ()


def test_unknown_keys_are_ignored() -> None:
    """New keys come without notice."""
    assert load(packed(job(mood="fine", nested={"a": [1]})), Job).id == JOB["id"]


@pytest.mark.parametrize(
    ("bad", "path", "reason"),
    [
        (job(id="5"), "jobs[1].id", "expected int"),
        (job(id=True), "jobs[1].id", "expected int"),
        (job(id=None), "jobs[1].id", "expected int"),
        (job(name=7), "jobs[1].name", "expected str"),
        (job(labels="ubuntu"), "jobs[1].labels", "expected a list"),
        (job(labels=["a", 3]), "jobs[1].labels[1]", "expected str"),
        (job(steps=[STEP, {**STEP, "number": "2"}]), "jobs[1].steps[1].number", "expected int"),
        (job(started_at="yesterday"), "jobs[1].started_at", "date-time"),
        (job(started_at="2026-10-01T12:00:00"), "jobs[1].started_at", "date-time"),
        (job(completed_at=5), "jobs[1].completed_at", "date-time"),
        (job(steps=[None]), "jobs[1].steps[0]", "expected object"),
        (job(steps=[STEP, "x"]), "jobs[1].steps[1]", "expected object"),
        (without("run_id"), "jobs[1]", "required field missing: run_id"),
        ("not an object", "jobs[1]", "expected object"),
        (None, "jobs[1]", "expected object"),
    ],
)
def test_one_bad_job_never_costs_its_page(bad: object, path: str, reason: str) -> None:
    """The good ones are kept; the bad one is told with its path, the reason and the raw value."""
    found = load(page(JOB, bad, job(id=3)), Page[Job])
    assert [item.id for item in found.items] == [JOB["id"], 3]
    (problem,) = found.undecodable
    assert problem.path.startswith(path)
    assert reason in problem.reason
    assert ("missing" in problem.reason) is ("missing" in reason)
    if "." in problem.path:
        *_, key = problem.path.partition("].")[2].split(".")
        assert key


def test_the_raw_value_is_kept() -> None:
    """What stood there can be looked at: the offending value, or the object that lacks a key."""
    broken = without("run_id")
    found = load(page(job(id="five"), broken), Page[Job])
    assert [problem.raw for problem in found.undecodable] == ["five", broken]


def test_all_that_is_wrong_is_told() -> None:
    """A job with two mistakes is one problem that names both."""
    found = load(page(job(id="x", name=3)), Page[Job])
    (problem,) = found.undecodable
    assert "expected int" in problem.reason
    assert "name" in problem.reason


@pytest.mark.parametrize("cut", [rb"\ud83d", b"\xff", b"\xf0\x9f"])
def test_half_a_character_costs_nothing(cut: bytes) -> None:
    """A name cut in the middle of a character is kept, what is no text in it replaced."""
    body = page(job(name="before MARK after"), job(id=2)).replace(b"MARK", cut)
    found = load(body, Page[Job])
    assert not found.undecodable
    assert found.items[0].name.startswith("before \ufffd")
    assert found.items[0].name.endswith(" after")
    assert found.items[1].name == job()["name"]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_job_without_a_required_key_is_no_job(key: str) -> None:
    """A single job that does not fit is an error with its path."""
    with pytest.raises(ShapeError, match=key) as caught:
        load(packed(without(key)), Job)
    assert caught.value.problems


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"nul", b"\xff\xfe", b"<!DOCTYPE html><html></html>"),
        *(b"Server Error", page(JOB)[:-1], page(JOB)[: len(page(JOB)) // 2], b"[" * 100_000),
        b'{"total_count": 1, "jobs": [' + b"[" * 50_000,
        packed(JOB) + b"x",
    ],
)
def test_what_is_not_json_is_told_apart(body: bytes) -> None:
    """HTML, half an answer, wrong bytes and endless nesting are no JSON, never a value."""
    for cls in (Job, Run, Page[Job], Page[Run]):
        with pytest.raises(NotJsonError):
            load(body, cls)


@pytest.mark.parametrize(
    "value",
    [
        *([], None, 7, "jobs", {}, {"jobs": []}, {"total_count": 1}),
        *({"total_count": "1", "jobs": []}, {"total_count": True, "jobs": []}),
        *({"total_count": 1, "jobs": {}}, {"total_count": 1, "jobs": None}),
        {"total_count": 1, "workflow_runs": []},
        {"message": "Server Error"},
    ],
)
def test_an_envelope_is_never_guessed(value: object) -> None:
    """A page is an object with its own two keys: nothing else is taken for an empty list."""
    with pytest.raises(ShapeError):
        load(packed(value), Page[Job])


def test_pages_of_runs_have_their_own_key() -> None:
    """Runs stand under `workflow_runs`; a bad one is told by that path."""
    body = packed({"total_count": 2, "workflow_runs": [RUN, {**RUN, "id": None}]})
    found = load(body, Page[Run])
    assert [run.id for run in found.items] == [6]
    assert found.items[0].actor is not None
    assert found.undecodable[0].path == "workflow_runs[1].id"


def test_a_run_comes_back_as_it_was() -> None:
    """`to_dict` gives a run's JSON shape."""
    found = to_dict(load(packed(RUN), Run))
    assert {key: found[key] for key in RUN if key not in {"repository", "actor"}} == {
        key: RUN[key] for key in RUN if key not in {"repository", "actor"}
    }


@given(st.binary())
def test_any_bytes_are_a_value_or_an_error(body: bytes) -> None:
    """Arbitrary bytes raise nothing but the two errors of this room."""
    for cls in (Job, Run, Page[Job], Page[Run]):
        with pytest.raises((NotJsonError, ShapeError)):
            load(body, cls)


@given(anything, st.sampled_from(sorted(JOB)), st.sampled_from(sorted(STEP)))
def test_any_json_is_a_value_or_an_error(value: object, key: str, step_key: str) -> None:
    """Arbitrary JSON, in place of any part, raises nothing but the two errors of this room."""
    for body in (
        packed(value),
        packed(job(**{key: value})),
        packed(job(steps=[{**STEP, step_key: value}])),
    ):
        for cls in (Job, Run, Page[Job]):
            with suppress(NotJsonError, ShapeError):
                load(body, cls)
    found = load(page(JOB, job(**{key: value})), Page[Job])
    assert len(found.items) + len(found.undecodable) == 2
    assert found.items[0].id == JOB["id"]


@given(
    st.fixed_dictionaries(
        {key: st.just(value) for key, value in JOB.items()}
        | {
            "id": st.integers(1, 2**63 - 1),
            "name": st.text(st.characters(exclude_categories=["Cs"])),
            "conclusion": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            "labels": st.lists(st.sampled_from(["a", "b"]), max_size=3),
            "runner_id": st.none() | st.integers(0, 2**40),
            "steps": st.lists(st.just(STEP), max_size=2),
            "completed_at": st.none()
            | st.datetimes().map(lambda t: f"{t.replace(microsecond=0, tzinfo=None).isoformat()}Z"),
        }
    )
)
def test_jobs_round_trip(raw: dict[str, Any]) -> None:
    """Whatever a job holds, decoding and giving back changes nothing."""
    assert to_dict(load(packed(raw), Job)) == raw
