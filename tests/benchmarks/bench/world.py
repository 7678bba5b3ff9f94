"""Serve the soak's fake GitHub, in a process of its own: many runs, many faults, the truth."""

from __future__ import annotations

import hashlib
import re
import time
from collections import defaultdict
from multiprocessing.connection import Connection
from typing import Any, Final

import attrs

from ghjobs_async.testing import FakeGitHub, Fault, JobSpec, faults, recoverable, scenario

REPO: Final = "octo-org/octo-repo"
RATE: Final = 0.05
SEED: Final = 20_261_122
#: Every Nth run has a log that the audit reads.
LOG_EVERY: Final = 10
# Few requests fit these faults, so that a share of them would be none: serve this many instead.
_RARE_TIMES: Final = 5
_LARGE_LOG: Final = b"".join(
    b"2026-07-01T10:00:%02d.%07dZ line %d of a larger log\n" % (n // 100 % 60, n, n)
    for n in range(6000)
)
_KEY: Final = re.compile(r"/(runs/[0-9]+)/(?:attempts/[0-9]+/)?jobs$|/job(?:s|-logs)/([0-9]+)")


@attrs.frozen
class Truth:
    """
    What the server serves.

    Attributes:
        base_url: The API's root.

        runs: By run, the id of its first job and the number of jobs over all attempts.

        logs: By job, size and digest of the log, for some jobs.
    """

    base_url: str
    runs: dict[int, tuple[int, int]]
    logs: dict[int, tuple[int, str]]


@attrs.frozen
class Record:
    """
    What the server did.

    Attributes:
        requests: How many requests came.

        counts: How often each fault was served.

        struck: The faults served for a run's list (``runs/ID``) or a job's log (``ID``).

        in_flight: How many requests are still being answered.
    """

    requests: int
    counts: dict[str, int]
    struck: dict[str, list[str]]
    in_flight: int


class Clock:
    """A clock that runs ``speed`` times as fast, and alike in every process."""

    def __init__(self, begun: float, speed: float) -> None:
        self.begun = begun
        self.speed = speed

    def now(self) -> float:
        """Return the seconds since the epoch on this clock."""
        return self.begun + (time.time() - self.begun) * self.speed


def final() -> dict[str, tuple[str, list[Fault]]]:
    """
    Return the faults that end a list or a log, by name, each with the error it must become.

    No other error may occur, except those of a log that changed.
    """
    both, lists, logs, storage = ("jobs", "log"), ("jobs",), ("log",), ("storage",)
    rows: list[tuple[str, str, tuple[str, ...], Fault]] = [
        ("bad credentials", "AuthError", both, faults.bad_credentials()),
        ("blocked", "ForbiddenError", both, faults.blocked()),
        ("missing permission", "ForbiddenError", both, faults.missing_permission()),
        ("saml", "ForbiddenError", both, faults.saml()),
        ("api version 400", "ApiVersionError", both, faults.unknown_api_version(400)),
        ("api version 410", "ApiVersionError", both, faults.unknown_api_version(410)),
        ("gzip bomb", "TransportError", both, faults.gzip_bomb()),
        ("huge answer", "TransportError", both, faults.huge_answer()),
        ("redirect loop", "TransportError", both, faults.redirect(302, "loop")),
        ("redirect away", "TransportError", lists, faults.redirect(302, "other_host")),
        ("not found", "NotFoundError", lists, faults.status(404)),
        ("log expired", "LogUnavailableError", logs, faults.status(410)),
        ("log location ftp", "TransportError", logs, faults.log_location("ftp://example.org/x")),
        ("no log location", "TransportError", logs, faults.log_location("")),
        ("no blob 404", "LogUnavailableError", storage, faults.blob_not_found(404)),
        ("no blob 200", "LogUnavailableError", storage, faults.blob_not_found(200)),
    ]
    return {
        name: (error, [attrs.evolve(faults.only(fault, *on), name=name)])
        for name, error, on, fault in rows
    }


def passing() -> list[Fault]:
    """Return the faults that must leave no trace: `recoverable`, and some it leaves out."""
    more = [
        ("short length", faults.only(faults.lying_length(-50), "jobs", "runs")),
        ("html for a log", faults.only(faults.html(), "log", "storage")),
        ("link to another host", faults.only(faults.link_host(), "jobs", "runs")),
        ("moved total", faults.only(faults.shifting_list("total"), "jobs")),
        ("log redirect away", faults.only(faults.redirect(302, "other_host"), "log")),
        ("dead log location", faults.only(faults.log_location("http://127.0.0.1:9/"), "log")),
    ]
    return [*recoverable(), *(attrs.evolve(fault, name=name) for name, fault in more)]


def serve(pipe: Connection, runs: int, clock: Clock, rate: float, without: frozenset[str]) -> None:
    """Serve this many runs until the other end of the pipe asks for the record."""
    # Links must live for a minute of real time, whatever the speed of the clock.
    fake = FakeGitHub(
        clock=clock.now, record=False, rate_limit=10_000_000, link_lifetime=60.0 * clock.speed
    )
    truth = _fill(fake, runs)
    struck: defaultdict[str, list[str]] = defaultdict(list)
    chosen = [*passing(), *(fault for _, found in final().values() for fault in found)]
    wanted = [fault for fault in chosen if fault.name not in without]
    fake.fault_rate(rate, SEED, [_recorded(fault, struck) for fault in wanted])
    rules = [
        fake.fail("storage", _recorded(faults.ignore_range(), struck), times=_RARE_TIMES),
        fake.fail(
            "jobs",
            _recorded(faults.shifting_list("repeat"), struck),
            times=_RARE_TIMES,
            after=_RARE_TIMES,
        ),
    ]
    with fake:
        pipe.send(attrs.evolve(truth, base_url=fake.base_url))
        pipe.recv()
        in_flight = fake.in_flight("api") + fake.in_flight("storage")
        asked = fake.asked_count("api") + fake.asked_count("storage")
        counts = dict.fromkeys((fault.name for fault in wanted), 0) | fake.script.counts
        for rule in rules:
            counts[rule.fault.name] = counts.get(rule.fault.name, 0) + rule.hits
        pipe.send(Record(asked, counts, dict(struck), in_flight))


def _recorded(fault: Fault, struck: defaultdict[str, list[str]]) -> Fault:
    """Record which list or log the fault is served for."""
    apply = fault.apply

    def recording(site: Any, call: Any, normal: Any) -> Any:
        if found := _KEY.search(call.path):
            struck[found[1] or found[2]].append(fault.name)
        return apply(site, call, normal)

    return attrs.evolve(fault, apply=recording)


def _fill(fake: FakeGitHub, runs: int) -> Truth:
    """Add runs: most small, some with several pages, two attempts or a large log."""
    small = scenario.matrix(5, failing=(3,))
    large = scenario.matrix(230)
    again = scenario.rerun_failed(small)
    heavy = [JobSpec("heavy", log=_LARGE_LOG), *small]
    truth = Truth("", {}, {})
    for number in range(runs):
        if number % 50 == 7:
            run = fake.add_run(REPO, jobs=large)
        elif number % 10 == 3:
            run = fake.add_run(REPO, attempts=again)
        elif number % (LOG_EVERY * 5) == 0:
            run = fake.add_run(REPO, jobs=heavy)
        else:
            run = fake.add_run(REPO, jobs=small)
        jobs = run.all_jobs
        truth.runs[run.id] = (jobs[0].id, len(jobs))
        assert jobs[-1].id == jobs[0].id + len(jobs) - 1
        if number % LOG_EVERY == 0:
            content = jobs[0].log
            assert isinstance(content, bytes)
            truth.logs[jobs[0].id] = (len(content), hashlib.sha256(content).hexdigest())
    return truth
