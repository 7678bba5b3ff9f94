"""Generated logs: the runner's format, the same bytes each time, and the truth of their lines."""

from __future__ import annotations

import re

import pytest

from ghjobs_async.testing import FakeGitHub, JobSpec, LogOptions, generate_log, scenario

STAMP = re.compile(r"\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ")


def data_of(spec: JobSpec) -> dict[str, object]:
    fake = FakeGitHub(clock=lambda: 1_800_000_000.0)
    return fake.add_run("octo-org/octo-repo", jobs=[spec]).jobs[0].data


def lines_of(content: bytes) -> list[str]:
    return content.decode().split("\n")[:-1]


SPECS = [
    JobSpec(),
    scenario.failing(),
    scenario.in_progress(),
    scenario.within_one_second(),
    scenario.parallel_steps(),
    scenario.expired_steps(),
    scenario.unheard_of(),
    JobSpec("slow", "timed_out", seconds=9000),
    JobSpec("gone", "cancelled"),
]
OPTIONS = [
    LogOptions(),
    LogOptions(nested=3),
    LogOptions(bom_every=5),
    LogOptions(crlf=True),
    LogOptions(interleaved=True),
    LogOptions(silent={1, 2}, server_lines=False, continuations=False),
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_truth_has_one_entry_for_each_line(spec: JobSpec, options: LogOptions) -> None:
    """Every line has its truth, every log its byte order mark, and both are always the same."""
    data = data_of(spec)
    log = generate_log(data, options)
    assert len(lines_of(log.content)) == len(log.truth)
    assert log.content.startswith(b"\xef\xbb\xbf") == bool(log.truth)
    assert generate_log(data, options) == log


def test_lines_are_stamped_in_order() -> None:
    """Each message starts with seven digits of a second, and none is earlier than the one before."""
    stamps = [
        line.lstrip("\ufeff")[:28]
        for line in lines_of(generate_log(data_of(scenario.failing())).content)
        if STAMP.match(line)
    ]
    assert stamps == sorted(stamps)
    assert len(stamps) > 40


def test_failing_step_says_so() -> None:
    """The step that failed owns the error, its continuation lines, and the exit code."""
    data = data_of(scenario.failing(step="Run tests"))
    steps = data["steps"]
    assert isinstance(steps, list)
    (number,) = [step["number"] for step in steps if step["conclusion"] == "failure"]
    log = generate_log(data)
    lines = lines_of(log.content)
    errors = [n for n, line in enumerate(lines) if "##[error]" in line]
    assert lines[errors[-1]].endswith("##[error]Process completed with exit code 1.")
    assert {log.truth[n] for n in range(errors[0], errors[-1] + 1)} == {number}
    assert [n for n in range(errors[0], errors[-1]) if not STAMP.match(lines[n])]


def test_each_step_opens_as_runners_do() -> None:
    """Main steps open a group, post steps and the last one have their own first line."""
    log = generate_log(data_of(JobSpec()))
    first: dict[int | None, str] = {}
    for owner, line in zip(log.truth, lines_of(log.content), strict=True):
        first.setdefault(owner, STAMP.sub("", line))
    openings = [first[number] for number in first if number not in {None, 1}]
    assert openings[0].startswith("##[group]Run ")
    assert openings[-3:] == ["Post job cleanup."] * 2 + ["Cleaning up orphan processes"]


def test_nested_actions_open_more_groups_than_there_are_steps() -> None:
    """With nested actions there are more opening lines than steps."""
    data = data_of(JobSpec(steps=3))
    count = [
        generate_log(data, LogOptions(nested=n)).content.count(b"##[group]Run ") for n in (0, 2)
    ]
    assert count == [3, 9]


def test_silent_steps_and_marks_and_line_ends() -> None:
    """Silent steps write nothing, marks recur, lines may end as they did in 2021."""
    data = data_of(JobSpec())
    assert 3 not in generate_log(data, LogOptions(silent={3})).truth
    assert generate_log(data, LogOptions(bom_every=4)).content.count(b"\xef\xbb\xbf") > 5
    crlf = generate_log(data, LogOptions(crlf=True)).content
    assert crlf.count(b"\n") == crlf.count(b"\r\n")


def test_skipped_steps_write_nothing() -> None:
    """A skipped step owns no line."""
    data = data_of(scenario.failing(step="Set up Python"))
    steps = data["steps"]
    assert isinstance(steps, list)
    skipped = {step["number"] for step in steps if step["conclusion"] == "skipped"}
    assert skipped
    assert skipped.isdisjoint(generate_log(data).truth)
