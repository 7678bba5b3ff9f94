"""Which step failed, and where its lines are, in logs and jobs of every form."""

from datetime import UTC, datetime

import attrs
import pytest
from logtext_generator import make_job

from ghjobs_async.logtext import Certainty, failing_step, failure_excerpt, parse_log
from ghjobs_async.logtext.reason import tells_time_limit, told
from ghjobs_async.models import Job, Step
from ghjobs_async.wire.urls import check_run

ROOT = "https://api.github.com"


def step(name: str, start: int, end: int | None, conclusion: str | None = "success") -> Step:
    def time(second: int) -> datetime:
        return datetime(2026, 3, 1, 12, second // 60, second % 60, tzinfo=UTC)

    return Step(
        name=name,
        status="in_progress" if conclusion is None else "completed",
        conclusion=conclusion,
        number=1,
        started_at=time(start),
        completed_at=None if end is None else time(end),
    )


def job(conclusion: str, *steps: Step) -> Job:
    return attrs.evolve(make_job(steps), conclusion=conclusion)


def stamped(second: int, *texts: str) -> bytes:
    when = f"2026-03-01T12:{second // 60:02}:{second % 60:02}.5000000Z"
    return "".join(f"{when} {text}\n" for text in texts).encode()


def script(second: int, first: str, *output: str) -> bytes:
    body = (f"##[group]Run {first}", f"\x1b[36;1m{first}\x1b[0m", "shell: bash", "##[endgroup]")
    return stamped(second, *body, *output)


SLOW = step("Slow tests", 2, 50, "cancelled")
REPORT = step("Report", 51, 52, "failure")


@pytest.mark.parametrize(
    ("conclusion", "steps", "name"),
    [
        ("cancelled", (SLOW, REPORT), "Slow tests"),
        ("timed_out", (SLOW, REPORT), "Slow tests"),
        ("failure", (SLOW, REPORT), "Report"),
        ("failure", (step("A", 1, 2, "failure"), step("B", 3, 4, "failure")), "A"),
        ("failure", (step("B", 3, 4, "failure"), step("A", 1, 2, "failure")), "A"),
        ("failure", (step("Set up job", 0, 1), step("Analyse", 2, None, None)), "Analyse"),
        ("cancelled", (step("Set up job", 0, 1), REPORT), "Report"),
    ],
)
def test_the_failing_step_by_conclusion_and_time(
    conclusion: str, steps: tuple[Step, ...], name: str
) -> None:
    """In a stopped job it is the step that was stopped; else the first that failed or was lost."""
    found = failing_step(job(conclusion, *steps))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("conclusion", "steps", "out_of_time"),
    [
        ("cancelled", (SLOW, REPORT), True),
        ("timed_out", (), True),
        ("cancelled", (SLOW,), False),
        ("cancelled", (REPORT, SLOW), False),
        ("failure", (SLOW, REPORT), False),
    ],
)
def test_a_job_that_ran_out_of_time(
    conclusion: str, steps: tuple[Step, ...], out_of_time: bool
) -> None:
    """A step that fails behind a cancelled one shows a time limit; a person's cancel does not."""
    assert job(conclusion, *steps).ran_out_of_time is out_of_time


def test_an_error_behind_the_end_of_its_step_is_found() -> None:
    """Where GitHub's end of a step lies before its last lines, they count up to the next step."""
    log = script(5, "./build", "begun") + stamped(40, "total.c:7:1: error: bad")
    log += stamped(60, "##[error]Process completed with exit code 1.")
    log += stamped(62, "Cleaning up orphan processes", "##[error]not this")
    steps = (step("Build", 5, 18, "failure"), step("Complete job", 62, 62))
    found = failure_excerpt(parse_log([log]), job("failure", *steps))
    assert found is not None
    assert [line.text for line in found.errors] == ["Process completed with exit code 1."]
    assert found.reason is not None
    assert found.reason.headline == "total.c:7:1: error: bad"
    assert found.certainty is Certainty.LIKELY


def test_fifty_lines_stand_before_an_error_that_says_nothing() -> None:
    """One exit code alone has 50 lines before it; an error that says something has 5."""
    output = [f"line {number}" for number in range(80)]
    for error, count in (("Process completed with exit code 1.", 51), ("the sum is wrong", 6)):
        log = script(5, "./build", *output, f"##[error]{error}")
        found = failure_excerpt(parse_log([log]), job("failure", step("Build", 5, 6, "failure")))
        assert found is not None
        assert len(found.lines) == count
        assert not found.capped


def test_marks_of_composite_parts_keep_the_parts_in_their_step() -> None:
    """What stands between the runner's marks belongs to the step around it, and so does its error."""
    log = script(5, "./a", "fine")
    log += stamped(6, "##[group]Run ./ci", "##[endgroup]", "##[start-action display=x;id=c.x]")
    log += script(6, "./b", "##[error]boom went the part")
    log += stamped(6, "##[end-action id=c.x;outcome=failure;conclusion=failure]")
    log += stamped(7, "Cleaning up orphan processes")
    steps = (step("A", 5, 6), step("C", 6, 7, "failure"), step("Complete job", 7, 7))
    found = failure_excerpt(parse_log([log]), job("failure", *steps))
    assert found is not None
    assert found.reason is not None
    assert found.reason.headline == "boom went the part"
    assert not any("action" in line.text for line in found.lines)


def test_an_unknown_marker_makes_nothing_certain() -> None:
    """A marker of a form that is not known may mean that the split is wrong."""
    log = script(5, "./a", "x") + script(7, "./b", "##[new-thing a=b]", "##[error]boom")
    steps = (step("A", 5, 6), step("B", 7, 8, "failure"))
    found = failure_excerpt(parse_log([log]), job("failure", *steps))
    assert found is not None
    assert found.certainty is Certainty.LIKELY


@pytest.mark.parametrize(
    ("messages", "kind", "start"),
    [
        (
            [
                "Process completed with exit code 1.",
                "The job has exceeded the maximum execution time",
            ],
            "timeout",
            "The job has exceeded",
        ),
        (
            ["The operation was canceled.", "lost communication with the server"],
            "runner_lost",
            "lost",
        ),
        (["Quota exceeded for this account"], "action", "Quota"),
    ],
)
def test_what_annotations_tell(messages: list[str], kind: str, start: str) -> None:
    """The annotation that says something is the reason; it has no lines of the log."""
    reason = told(messages)
    assert reason is not None
    assert (reason.kind, reason.lines) == (kind, ())
    assert reason.headline.startswith(start)


def test_annotations_that_say_nothing_tell_no_reason() -> None:
    """Exit codes and cancellations add nothing to the log."""
    assert told(["Process completed with exit code 1.", "The operation was canceled."]) is None


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("The job running on runner X has exceeded the maximum execution time of 5 minutes.", True),
        ("The job has exceeded the maximum execution time of 6h0m0s", True),
        ("Error: timed out waiting for the condition", False),
        ("The operation was canceled.", False),
        ("The run was canceled by @octocat.", False),
    ],
)
def test_which_annotation_tells_a_time_limit(message: str, limit: bool) -> None:
    """Only the runner's own sentence does, not a tool's about some timeout."""
    assert tells_time_limit(["Process completed with exit code 1.", message]) is limit


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/repos/o/r/check-runs/1",
        f"{ROOT}.evil.example/repos/o/r/check-runs/1",
        f"{ROOT}/repos/o/r/check-runs/1?x=2",
        f"{ROOT}/repos/o/r/../../check-runs/1",
        f"{ROOT}/repos/o/r/check-runs/x",
    ],
)
def test_a_check_run_elsewhere_is_never_followed(url: str) -> None:
    """Only an address below the API's own root names a check run."""
    assert check_run(url, ROOT) is None
    assert check_run(f"{ROOT}/repos/o/r/check-runs/7", ROOT) == ("o/r", 7)
