"""
Logs as runners write them, made from a job's JSON object, and the truth of which line is whose.

The same job and the same options always give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.testing.times import epoch, iso

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

BOM: Final = "\ufeff"
#: Ticks of 100 ns: seven digits of a second, as runners write them.
_SECOND: Final = 10_000_000
#: Between two lines of one step where nothing else spreads them.
_TICK: Final = 4_117
_PERMISSIONS: Final = ("Actions: read", "Contents: read", "Metadata: read", "Packages: read")


@attrs.frozen(kw_only=True)
class LogOptions:
    """
    How a log shall look.

    Args:
        lines: Lines of output of each step.

        nested: Further ``##[group]Run`` lines inside each step, as composite actions write them.

        silent: Numbers of the steps that write nothing at all.

        bom_every: A byte order mark stands again at the start of every so manieth line; 0 for
            only at the start of the file.

        crlf: Whether lines end as they did in 2021.

        interleaved: Whether lines are in the order of time, as of steps that run in parallel.

        server_lines: Whether the server's own lines about finding a runner come first.

        continuations: Whether each failing or warning message goes on without a timestamp.
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
    A log and its truth.

    Attributes:
        content: The bytes.

        truth: For each line (what stands between two line feeds), the number of the step that
            wrote it; None for the server's own lines.
    """

    content: bytes
    truth: list[int | None]


@attrs.frozen
class _Line:
    """One message; *more* are the lines that continue it without a timestamp."""

    ticks: int
    step: int | None
    text: str
    more: tuple[str, ...] = ()


_DEFAULT: Final = LogOptions()


def generate_log(job_data: Mapping[str, object], options: LogOptions = _DEFAULT) -> GeneratedLog:
    """
    Make the log of a job.

    Args:
        job_data: The job's JSON object; whatever it lacks is made up.

        options: How the log shall look.
    """
    lines = list(_lines(job_data, options))
    if options.interleaved:
        lines.sort(key=lambda line: line.ticks)
    out: list[str] = []
    truth: list[int | None] = []
    second, prefix = -1, ""
    for line in lines:
        if line.ticks // _SECOND != second:
            second = line.ticks // _SECOND
            prefix = iso(second)[:-1]
        mark = BOM if not out or (options.bom_every and len(out) % options.bom_every == 0) else ""
        out.append(f"{mark}{prefix}.{line.ticks % _SECOND:07}Z {line.text}")
        out.extend(line.more)
        truth.extend([line.step] * (1 + len(line.more)))
    end = "\r\n" if options.crlf else "\n"
    return GeneratedLog(end.join([*out, ""]).encode() if out else b"", truth)


def _lines(job: Mapping[str, object], options: LogOptions) -> Iterator[_Line]:
    raw = job.get("steps")
    steps = [step for step in raw if isinstance(step, dict)] if isinstance(raw, list) else []
    start = epoch(job.get("started_at")) or 0
    if options.server_lines:
        now = (epoch(job.get("created_at")) or start) * _SECOND + 17_341
        for text in _server_lines(job):
            yield _Line(now, None, text)
            now += _TICK
    now = start * _SECOND
    if not steps:
        # The steps of old runs are gone before their jobs and logs are.
        for text in ("Prepare workflow directory", "Hello", "Cleaning up orphan processes"):
            now += _TICK
            yield _Line(now, None, text)
    for step in steps:
        number = step.get("number")
        begun = epoch(step.get("started_at"))
        if begun is None or step.get("conclusion") == "skipped" or not isinstance(number, int):
            continue
        if options.interleaved or begun * _SECOND > now:
            now = begun * _SECOND + 1_017 * number
        if number in options.silent:
            continue
        texts = list(_step_lines(job, step, options))
        ended = epoch(step.get("completed_at")) or begun
        room = max(0, (ended - begun) * _SECOND)
        pace = max(_TICK, min(_SECOND, room // (len(texts) + 1)))
        for text, more in texts:
            now += pace
            yield _Line(now, number, text, more if options.continuations else ())


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
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give what a step writes: each message, and the lines that continue it."""
    name = str(step.get("name"))
    if name == "Set up job":
        for text in _preamble(job):
            yield text, ()
        return
    if name == "Complete job":
        yield "Cleaning up orphan processes", ()
        return
    if name.startswith("Post "):
        yield "Post job cleanup.", ()
        yield f"[command]/usr/bin/true {name.removeprefix('Post ')}", ()
        return
    command = name.removeprefix("Run ")
    yield from _opening(command)
    for part in range(options.nested):
        yield from _opening(f"./part-{part + 1}.sh")
        yield f"part {part + 1} of {command}", ()
    for number in range(options.lines):
        yield f"\x1b[32mok\x1b[0m {command} {number + 1} of {options.lines}", ()
    yield from _ending(command, step.get("conclusion"))


def _ending(command: str, conclusion: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    if conclusion == "success" and command.startswith("Install"):
        yield "##[warning]A newer release of this tool is available.", ("Update when you can.",)
    if conclusion == "failure":
        yield (
            f"##[error]{command}: expected 4, got 5",
            ("    at tests/test_sum.py:12", "", "    assert add(2, 2) == 5"),
        )
        yield "##[error]Process completed with exit code 1.", ()
    elif conclusion == "cancelled":
        yield "##[error]The operation was canceled.", ()
    elif conclusion == "timed_out":
        yield "##[error]The action has timed out.", ()


def _opening(command: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield f"##[group]Run {command}", ()
    if "@" in command:
        yield "with:", ()
        yield "  fetch-depth: 1", ()
    else:
        yield f"\x1b[36;1m{command}\x1b[0m", ()
        yield "shell: /usr/bin/bash -e {0}", ()
    yield "##[endgroup]", ()


def _preamble(job: Mapping[str, object]) -> Iterator[str]:
    yield "Current runner version: '2.330.0'"
    yield f"Runner name: '{job.get('runner_name')}'"
    yield f"Runner group name: '{job.get('runner_group_name')}'"
    yield "##[group]Operating System"
    yield from ("Ubuntu", "24.04.3", "LTS", "##[endgroup]")
    yield "##[group]GITHUB_TOKEN Permissions"
    yield from _PERMISSIONS
    yield "##[endgroup]"
    yield "Secret source: Actions"
    yield "Prepare workflow directory"
    yield "Prepare all required actions"
    yield f"Complete job name: {job.get('name')}"


def endless_lines(megabytes: int, *, line_bytes: int = 128) -> Iterator[bytes]:
    """
    Give a large log in blocks of 64 KiB, for `FakeGitHub.set_log`, without ever holding it.

    Every line is numbered, so that a spliced or a shortened copy shows.

    Args:
        megabytes: Its size, in units of 1,048,576 bytes.

        line_bytes: The length of each line, its line feed included; a power of two from 64 on.
    """
    per_block = 65_536 // line_bytes
    for block in range(megabytes * 16):
        first = block * per_block
        moment = iso(1_700_000_000 + block)[:-1]
        yield b"".join(
            (f"{moment}.{n:07}Z line {first + n} ".ljust(line_bytes - 1, ".") + "\n").encode()
            for n in range(per_block)
        )
