"""
Logs as runners write them, made from a job's JSON object, and which step wrote each line.

The same job and the same options always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from ghjobs_async.testing.world.payloads import epoch, iso, steps_in

BOM: Final = "\ufeff"
#: Ticks of 100 ns: seven digits of a second, as runners write them.
_SECOND: Final = 10_000_000
#: Between two lines of one step where nothing else spreads them.
_TICK: Final = 4_117
#: How a step ends that did not succeed.
_ENDINGS: Final = {
    "failure": (
        "##[error]{}: expected 4, got 5\n    at tests/test_sum.py:12\n\n    assert add(2, 2) == 5",
        "##[error]Process completed with exit code 1.",
    ),
    "cancelled": ("##[error]The operation was canceled.",),
    "timed_out": ("##[error]The action has timed out.",),
}
_PERMISSIONS: Final = ("Actions: read", "Contents: read", "Metadata: read", "Packages: read")


@attrs.frozen(kw_only=True)
class LogOptions:
    """
    How a log looks.

    Args:
        lines: The number of lines of output of each step.
        nested: The number of further ``##[group]Run`` lines in each step, as composite actions
            write them.
        silent: Numbers of the steps that write nothing.
        bom_every: Repeat the byte order mark at the start of every Nth line; 0 writes it at the
            start of the file only.
        crlf: Whether lines end in CRLF, as in 2021.
        interleaved: Whether lines are in the order of time, as with parallel steps.
        server_lines: Whether the server's own lines about finding a runner come first.
        continuations: Whether failures and warnings have further lines without a timestamp.
    """

    lines: int = 6
    nested: int = 0
    silent: Collection[int] = ()
    bom_every: int = 0
    crlf: bool = False
    interleaved: bool = False
    server_lines: bool = True
    continuations: bool = True


@attrs.frozen
class GeneratedLog:
    """
    A log, and who wrote it.

    Attributes:
        content: The bytes.
        truth: For each line (the text up to a line feed), the number of the step that wrote it;
            None for the server's own lines.
    """

    content: bytes
    truth: list[int | None]

    def by_step(self) -> dict[int, bytes]:
        """Give each step's lines, with a byte order mark at the start as in GitHub's archives."""
        mark = BOM.encode()
        steps: dict[int, bytes] = {}
        for number, line in zip(self.truth, self.content.split(b"\n"), strict=False):
            if number is not None:
                steps[number] = steps.get(number, mark) + line.removeprefix(mark) + b"\n"
        return steps


_DEFAULT: Final = LogOptions()
#: Ticks, the step's number, and a text; what follows a line feed there has no timestamp.
_Line: TypeAlias = tuple[int, int | None, str]


def generate_log(job_data: Mapping[str, object], options: LogOptions = _DEFAULT) -> GeneratedLog:
    """
    Generate the log of a job.

    Args:
        job_data: The job's JSON object; keys may be missing.
        options: How the log looks.
    """
    lines = list(_lines(job_data, options))
    if options.interleaved:
        lines.sort(key=lambda line: line[0])
    out: list[str] = []
    truth: list[int | None] = []
    second, prefix = -1, ""
    for ticks, step, text in lines:
        if ticks // _SECOND != second:
            second = ticks // _SECOND
            prefix = iso(second)[:-1]
        mark = BOM if not out or (options.bom_every and len(out) % options.bom_every == 0) else ""
        first, *more = text.split("\n")
        if not options.continuations:
            more = []
        out += [f"{mark}{prefix}.{ticks % _SECOND:07}Z {first}", *more]
        truth += [step] * (1 + len(more))
    end = "\r\n" if options.crlf else "\n"
    return GeneratedLog(end.join([*out, ""]).encode() if out else b"", truth)


def _lines(job: Mapping[str, object], options: LogOptions) -> Iterator[_Line]:
    steps = steps_in(job)
    start = epoch(job.get("started_at")) or 0
    if options.server_lines:
        now = (epoch(job.get("created_at")) or start) * _SECOND + 17_341
        for text in _server_lines(job):
            yield now, None, text
            now += _TICK
    now = start * _SECOND
    if not steps:
        # GitHub deletes the steps of old runs before their jobs and logs.
        for text in ("Prepare workflow directory", "Hello", "Cleaning up orphan processes"):
            now += _TICK
            yield now, None, text
    for step in steps:
        number = step.get("number")
        begun = epoch(step.get("started_at"))
        if begun is None or step.get("conclusion") == "skipped" or not isinstance(number, int):
            continue
        if options.interleaved or begun * _SECOND > now:
            now = begun * _SECOND + 1_017 * number
        if number in options.silent:
            continue
        texts = _step_lines(job, step, options)
        ended = epoch(step.get("completed_at")) or begun
        room = max(0, (ended - begun) * _SECOND)
        pace = max(_TICK, min(_SECOND, room // (len(texts) + 1)))
        for text in texts:
            now += pace
            yield now, number, text


def _server_lines(job: Mapping[str, object]) -> tuple[str, ...]:
    labels = job.get("labels")
    wanted = ", ".join(map(str, labels)) if isinstance(labels, list) else ""
    return (
        f"Requested labels: {wanted}",
        f"Job defined at: octo-org/octo-repo/.github/workflows/ci.yml@{job.get('head_branch')}",
        "Waiting for a runner to pick up this job...",
        f"Job is about to start running on the runner: {job.get('runner_name')}",
    )


def _step_lines(
    job: Mapping[str, object], step: Mapping[str, object], options: LogOptions
) -> Sequence[str]:
    name, conclusion = str(step.get("name")), step.get("conclusion")
    if name == "Set up job":
        return _preamble(job)
    if name == "Complete job":
        return ["Cleaning up orphan processes"]
    if name.startswith("Post "):
        return ["Post job cleanup.", f"[command]/usr/bin/true {name.removeprefix('Post ')}"]
    command = name.removeprefix("Run ")
    lines = _opening(command)
    for part in range(1, options.nested + 1):
        lines += [*_opening(f"./part-{part}.sh"), f"part {part} of {command}"]
    for number in range(1, options.lines + 1):
        lines.append(f"\x1b[32mok\x1b[0m {command} {number} of {options.lines}")
    if conclusion == "success" and command.startswith("Install"):
        lines.append("##[warning]A newer release of this tool is available.\nUpdate when you can.")
    return lines + [text.format(command) for text in _ENDINGS.get(str(conclusion), ())]


def _opening(command: str) -> list[str]:
    details = [f"\x1b[36;1m{command}\x1b[0m", "shell: /usr/bin/bash -e {0}"]
    if "@" in command:
        details = ["with:", "  fetch-depth: 1"]
    return [f"##[group]Run {command}", *details, "##[endgroup]"]


def _preamble(job: Mapping[str, object]) -> list[str]:
    return [
        "Current runner version: '2.330.0'",
        f"Runner name: '{job.get('runner_name')}'",
        f"Runner group name: '{job.get('runner_group_name')}'",
        *("##[group]Operating System", "Ubuntu", "24.04.3", "LTS", "##[endgroup]"),
        *("##[group]GITHUB_TOKEN Permissions", *_PERMISSIONS, "##[endgroup]"),
        "Secret source: Actions",
        "Prepare workflow directory",
        "Prepare all required actions",
        f"Complete job name: {job.get('name')}",
    ]
