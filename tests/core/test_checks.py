"""What callers may give, and how the rest is rejected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import pytest

from ghjobs_async import (
    Conclusion,
    ConfigurationError,
    Job,
    JobRef,
    Repository,
    Run,
    RunRef,
    Status,
)
from ghjobs_async.checks import (
    check_api_version,
    check_filter,
    check_number,
    check_refs,
    check_run_status,
    resolve_job,
    resolve_run,
)

JOB = Job(
    id=9,
    run_id=7,
    run_url="https://h/api/v3/repos/o/r/actions/runs/7",
    node_id="n",
    head_sha="s",
    url="https://h/api/v3/repos/o/r/actions/jobs/9",
    status="completed",
    name="build",
    check_run_url="",
)
RUN = Run(
    id=7,
    node_id="n",
    head_sha="s",
    run_number=1,
    event="push",
    workflow_id=1,
    url="u",
    created_at=datetime(2026, 10, 1, tzinfo=UTC),
    run_attempt=2,
    repository=Repository(id=1, full_name="o/r"),
)


@pytest.mark.parametrize(
    "given",
    [
        *((RunRef("o/r", 7),), (RUN,), ("o/r", 7), ("o/r", "7")),
        ("https://github.com/o/r/actions/runs/7",),
    ],
)
def test_a_run_is_named_in_many_forms(given: tuple[object, ...]) -> None:
    """A reference, a run, a URL, or repository and id all name the same run."""
    assert resolve_run(*given) == RunRef("o/r", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        *((JobRef("o/r", 9),), (JOB,), ("o/r", 9), ("o/r", "9")),
        ("https://github.com/o/r/actions/runs/7/job/9",),
    ],
)
def test_a_job_is_named_in_many_forms(given: tuple[object, ...]) -> None:
    """A reference, a job, a URL, or repository and id all name the same job."""
    assert resolve_job(*given) == JobRef("o/r", 9)  # type: ignore[arg-type]


@pytest.mark.parametrize("resolve", [resolve_run, resolve_job])
@pytest.mark.parametrize(
    "given",
    [
        *((None,), (7,), (7, 7), ("o/r",), ("o/r", "x"), ("o/r", 0), ("", 1)),
        *((RUN, 7), (JOB, 9), (RunRef("o/r", 7), 7), (JobRef("o/r", 9), 9), (["x" * 10_000], 1)),
        (attrs.evolve(JOB, url="", run_url=""),),
    ],
)
def test_other_forms_are_rejected(
    resolve: Callable[..., object], given: tuple[object, ...]
) -> None:
    """Anything else is an error in one short line."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(*given)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


def test_a_run_is_no_job() -> None:
    """A run does not name one of its jobs, nor a job its run: the ids would be mixed up."""
    with pytest.raises(ConfigurationError, match="a job is a JobRef, a Job"):
        resolve_job(RUN)
    with pytest.raises(ConfigurationError, match="a run is a RunRef, a Run"):
        resolve_run(JOB)


@pytest.mark.parametrize("value", [*Status, *Conclusion, "failure"])
def test_known_run_statuses_pass(value: str) -> None:
    """Every known status and conclusion can be searched for, as a plain string."""
    found = check_run_status(value)
    assert (found, type(found)) == (value, str)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *(("failed", "failure"), ("Failure", "failure"), ("error", "failure")),
        *(("passed", "success"), ("successful", "success"), ("canceled", "cancelled")),
        *(("in progress", "in_progress"), ("running", "in_progress"), ("timeout", "timed_out")),
        *(("skip", "skipped"), ("startup-failure", "startup_failure"), (" queued", "queued")),
    ],
)
def test_a_mistyped_run_status_gets_a_suggestion(value: str, meant: str) -> None:
    """GitHub would answer it with an empty list; the error names the value that was meant."""
    with pytest.raises(ConfigurationError, match=rf"did you mean {meant}\?"):
        check_run_status(value)


@pytest.mark.parametrize("value", ["", "xyz", "\x1b[31mred", "y" * 100_000, None, 7])
def test_an_unknown_run_status_gets_the_list(value: object) -> None:
    """Where nothing is similar, the error lists all values, and shows the given one safely."""
    with pytest.raises(ConfigurationError, match="use one of action_required, cancelled") as caught:
        check_run_status(value)  # type: ignore[arg-type]
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", ["LATEST", None, "", [], {}])
def test_other_filters_are_rejected(value: object) -> None:
    """A filter is one of GitHub's two, whatever the type of what is given."""
    with pytest.raises(ConfigurationError, match='"latest" or "all"'):
        check_filter(value)


@pytest.mark.parametrize("value", ["", "2026/03/10", "a b", "x\n", 7, "x" * 41])
def test_odd_api_versions_are_rejected(value: object) -> None:
    """A version is sent in a header, so it holds nothing but letters, digits, dots and dashes."""
    with pytest.raises(ConfigurationError, match="2026-03-10"):
        check_api_version(value)


def test_a_string_is_not_many_references() -> None:
    """A string would be taken apart into letters."""
    with pytest.raises(ConfigurationError, match="iterable"):
        check_refs("https://github.com/o/r/actions/runs/7")


@pytest.mark.parametrize("value", [0, -1, True, None, "1", float("nan"), 1.5])
def test_numbers_are_checked(value: object) -> None:
    """Booleans, strings, NaN, fractions and numbers that are too small are rejected by name."""
    with pytest.raises(ConfigurationError, match="retries is a whole number of 1 or more"):
        check_number("retries", value, least=1, whole=True)
