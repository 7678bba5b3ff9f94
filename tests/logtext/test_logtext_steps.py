from collections import Counter
from datetime import UTC, datetime

import attrs
import pytest
from logtext_generator import Maker, make_job

from ghjobs_async.logtext import (
    Certainty,
    FailureExcerpt,
    FailureFinder,
    failing_step,
    failure_excerpt,
    parse_log,
    split_steps,
)
from ghjobs_async.models import Step

JOBS = 500
# Jobs in which something was certain and wrong once: a silent step beside what a script imitates.
WERE_WRONG = (10118, 20056, 20168, 20457, 21662, 31558, 33024, 34441, 35119, 35347)
FORMS = ("plain", "debug", "hooks", "parts")


def stamped(second: int, *texts: str) -> bytes:
    return "".join(f"2026-03-01T12:00:{second:02}.5000000Z {text}\n" for text in texts).encode()


def script(second: int, first: str, *output: str) -> bytes:
    body = (f"##[group]Run {first}", f"\x1b[36;1m{first}\x1b[0m", "shell: bash", "##[endgroup]")
    return stamped(second, *body, *output)


def step(name: str, start: int, end: int, conclusion: str = "success") -> Step:
    def time(second: int) -> datetime:
        return datetime(2026, 3, 1, 12, 0, second, tzinfo=UTC)

    return Step(
        name=name,
        status="completed",
        conclusion=conclusion,
        number=1,
        started_at=time(start),
        completed_at=time(end),
    )


@pytest.mark.parametrize("form", FORMS)
def test_what_is_certain_is_right(form: str) -> None:
    """In generated jobs, every line of a certain step is right; every line appears once."""
    made = [Maker(seed, form).make() for seed in (*range(JOBS), *WERE_WRONG)]
    lines: Counter[Certainty] = Counter()
    right: Counter[Certainty] = Counter()
    total = 0
    for job in made:
        logs = split_steps(parse_log([job.log]), job.job)
        numbers = [line.number for line in logs.unattributed]
        for place, log in enumerate(logs.steps):
            numbers += [line.number for line in log.lines]
            lines[log.certainty] += len(log.lines)
            right[log.certainty] += sum(job.truth[line.number - 1] == place for line in log.lines)
        assert sorted(numbers) == list(range(1, len(job.truth) + 1))
        total += len(numbers)
    assert {"composite", "parallel", "skipped", "silent", "imitation"} <= set().union(
        *(job.features for job in made)
    )
    assert right[Certainty.CERTAIN] == lines[Certainty.CERTAIN]
    assert right[Certainty.CERTAIN] + right[Certainty.LIKELY] >= 0.95 * sum(lines.values())
    assert lines[Certainty.CERTAIN] >= 0.45 * total
    assert not lines[Certainty.UNKNOWN]


def test_a_plain_job_is_certain() -> None:
    """Server lines belong to no step; the lines of set-up, script and end are separated."""
    log = stamped(1, "##[section]Starting: Request a runner") + stamped(5, "Current runner version")
    log += script(6, "make", "out") + stamped(9, "Cleaning up orphan processes")
    steps = (step("Set up job", 5, 6), step("Build it", 6, 9), step("Complete job", 9, 9))
    logs = split_steps(parse_log([log]), make_job(steps))
    assert [(len(s.lines), s.certainty) for s in logs.steps] == [
        (1, "certain"),
        (5, "certain"),
        (1, "certain"),
    ]
    assert [line.number for line in logs.unattributed] == [1]


def test_without_steps_nothing_is_attributed() -> None:
    """All lines of a job whose steps GitHub has deleted are unattributed."""
    logs = split_steps(parse_log([script(6, "make")]), make_job())
    assert (logs.steps, len(logs.unattributed)) == ((), 4)


def test_an_empty_log() -> None:
    """Without lines, only the steps that did not run are certain."""
    steps = (step("Build", 1, 2), step("Test", 2, 2, "skipped"))
    logs = split_steps([], make_job(steps))
    assert [(s.lines, s.certainty) for s in logs.steps][1] == ((), "certain")
    assert logs.steps[0].certainty is not Certainty.CERTAIN


def test_parallel_steps_are_unknown() -> None:
    """The lines of steps that ran at the same time are not split."""
    steps = (
        step("Set up job", 0, 1),
        step("Parallel group", 1, 5),
        step("Run a", 1, 4),
        step("Run b", 1, 5),
        step("Run c", 6, 7),
    )
    log = stamped(0, "hi") + script(1, "a") + script(1, "b") + stamped(4, "x") + script(6, "c")
    logs = split_steps(parse_log([log]), make_job(steps))
    assert [s.certainty for s in logs.steps][1:4] == [Certainty.UNKNOWN] * 3
    assert len(logs.unattributed) == 9
    assert logs.steps[4].lines[0].text == "Run c"


def test_a_failing_steps_errors_with_context() -> None:
    """The excerpt contains the failing step's errors and the lines around them."""
    noise = [f"line {number}" for number in range(50)]
    log = (
        stamped(0, "hi")
        + script(1, "a", "##[error]not this")
        + script(3, "make", *noise, "##[error]broken")
        + stamped(5, "Cleaning up orphan processes")
    )
    steps = (
        step("Set up job", 0, 1),
        step("Run a", 1, 3),
        step("Run make", 3, 5, "failure"),
        step("Complete job", 5, 5),
    )
    found = failure_excerpt(parse_log([log]), make_job(steps, failed=True), context=2)
    assert found is not None
    assert found.step is steps[2]
    assert [line.text for line in found.lines] == ["line 48", "line 49", "broken"]
    assert [line.text for line in found.errors] == ["broken"]
    assert (found.certainty, found.capped) == (Certainty.CERTAIN, False)


def test_errors_side_by_side_share_their_context() -> None:
    """No line comes twice, whatever lies between two errors."""
    for between in range(7):
        texts = [f"line {number}" for number in range(between)]
        log = stamped(3, "a", "b", "##[error]one", *texts, "##[error]two", "z")
        job = attrs.evolve(make_job(), conclusion="failure")
        found = failure_excerpt(parse_log([log]), job, context=2)
        assert found is not None
        shown = [line.text for line in found.lines]
        inner = texts if between < 5 else [*texts[:2], *texts[-2:]]
        assert shown == ["a", "b", "one", *inner, "two", "z"]


def test_the_end_of_a_long_step_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of endless lines without an error, few bytes are kept; of one line that is too long, it."""
    job = make_job((step("Run make", 3, 5, "failure"),), failed=True)
    monkeypatch.setattr("ghjobs_async.logtext.failure._MAX_KEPT", 3000)
    for size in (100, 10_000):
        finder = FailureFinder(job)
        longest = 0
        for line in parse_log([script(3, "make", *(f"{n}".zfill(size) for n in range(500)))]):
            longest = max(longest, len(line.raw))
            finder.feed([line])
            assert finder._last._bytes <= max(3000, longest)
        found = finder.close()
        assert found is not None
        assert found.lines[-1].text == "499".zfill(size)


def test_a_failing_step_without_errors_gives_its_end() -> None:
    """Without errors the excerpt contains the last lines of the step, up to the maximum."""
    log = script(3, "make", *(f"line {number}" for number in range(50)))
    steps = (step("Run make", 3, 5, "failure"),)
    found = failure_excerpt(parse_log([log]), make_job(steps, failed=True), max_lines=2)
    assert found is not None
    assert [line.text for line in found.lines] == ["line 48", "line 49"]
    assert found.capped


def test_an_excerpt_is_capped_in_bytes() -> None:
    """Lines beyond the cap are left out, but never all of them."""
    log = script(3, "make", *("##[error]" + "x" * 500 for _ in range(50)))
    job = make_job((step("Run make", 3, 5, "failure"),), failed=True)
    found = failure_excerpt(parse_log([log]), job, context=0, max_bytes=1200)
    assert found is not None
    assert (len(found.lines), found.capped) == (2, True)


def test_no_failure_no_excerpt() -> None:
    """A job that did not fail has no excerpt; one that failed without steps has its errors."""
    log = script(3, "make", "##[error]x")
    assert failure_excerpt(parse_log([log]), make_job()) is None
    found = failure_excerpt(parse_log([log]), attrs.evolve(make_job(), conclusion="failure"))
    assert found is not None
    assert (found.step, found.certainty, found.errors[0].text) == (None, Certainty.UNKNOWN, "x")


def test_errors_outside_the_steps_time_are_given_nevertheless() -> None:
    """Where the log's times are not the step's, the errors of the log are given as unknown."""
    log = script(3, "make", "##[error]boom")
    steps = (step("Run make", 30, 50, "failure"),)
    found = failure_excerpt(parse_log([log]), make_job(steps, failed=True))
    assert found is not None
    assert found.step is steps[0]
    assert [line.text for line in found.errors] == ["boom"]
    assert found.certainty is Certainty.UNKNOWN


def excerpt(*output: str, name: str = "Run make", conclusion: str = "failure") -> FailureExcerpt:
    steps = (step(name, 3, 5, conclusion),)
    found = failure_excerpt(
        parse_log([script(3, "make", *output)]), make_job(steps, failed=True), context=5
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("conclusion", "word"),
    [("failure", "failed"), ("timed_out", "timed out"), ("cancelled", "was cancelled")],
)
def test_an_excerpt_as_a_message(conclusion: str, word: str) -> None:
    """Its text is the step and the reason's lines, each once, without markers and colours."""
    found = excerpt(
        "noise",
        "##[error]\x1b[31mexpected 4,\x1b[0m got 5",
        "##[error]expected 4, got 5",
        "##[error]##[error]and\tmore",
        "##[error]Process completed with exit code 1.",
        conclusion=conclusion,
    )
    assert str(found) == (f'Step "Run make" {word}:\n  expected 4, got 5\n  and more')


def test_a_message_whose_only_error_is_an_exit_code() -> None:
    """An exit code names no cause: the line above it that does is the message."""
    found = excerpt(
        *(f"line {number}" for number in range(9)),
        "\x1b[31mcase 200 FAILED",
        "",
        "##[error]Process completed with exit code 1.",
        "after",
    )
    assert str(found) == 'Step "Run make" failed:\n  case 200 FAILED'


def test_a_message_of_a_log_that_does_not_say_why() -> None:
    """Where every line is of the kind that says nothing, the message says so and has the last ones."""
    found = excerpt("make: *** [all] Error 2", "##[error]Process completed with exit code 2.")
    assert found.reason is None
    assert str(found).splitlines()[0] == 'Step "Run make" failed; the log does not say why:'
    assert str(found).endswith("\n  make: *** [all] Error 2\n  Process completed with exit code 2.")


def test_a_message_without_errors() -> None:
    """Without a word about an error the message has the last lines, the very last one first."""
    text = str(excerpt(*(f"line {number}" for number in range(50))))
    assert text.splitlines()[1:] == [f"  line {number}" for number in (49, 45, 46, 47, 48)]


def test_a_message_is_short() -> None:
    """However long names, errors and their number are, a chat shows the whole message."""
    errors = [f"##[error]{number}{'x' * 700}" for number in range(40)]
    text = str(excerpt(*errors, name="n\x07\n" * 1000, conclusion="cancelled"))
    assert len(text) < 2000
    assert len(text.splitlines()) == 6
    assert text.replace("\n", "").isprintable()


def test_a_message_says_what_is_unknown() -> None:
    """Without a step, without lines, or with lines of perhaps another step, the text says so."""
    job = make_job((step("Run make", 30, 50, "failure"),), failed=True)
    other = failure_excerpt(parse_log([script(3, "make", "##[error]boom")]), job)
    assert str(other) == 'Step "Run make" failed (these lines may be from another step):\n  boom'
    assert str(failure_excerpt([], job)) == 'Step "Run make" failed.'
    lost = attrs.evolve(make_job(), conclusion="failure")
    found = failure_excerpt(parse_log([script(3, "make", "##[error]boom")]), lost)
    assert str(found) == "The job did not succeed:\n  boom"


def test_a_conclusion_from_before_is_no_failure() -> None:
    """A job or step that runs again has not failed, even if it still has its old conclusion."""
    again = attrs.evolve(step("Run make", 3, 5, "failure"), status="in_progress")
    job = attrs.evolve(make_job((again,), failed=True), status="in_progress")
    assert failing_step(job) is None
    assert failure_excerpt(parse_log([script(3, "make", "##[error]x")]), job) is None
