"""No token and no signature stands in an error, a repr, a log record or a file."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses
from async_tools import MakeClient

from ghjobs_async import (
    Failed,
    GHJobsError,
    GitHubJobs,
    JobLog,
    JobRef,
    ResponseError,
    RunRef,
    Wait,
)
from ghjobs_async.testing import FakeGitHub, Fault, JobSpec, faults

REPO = "octo-org/octo-repo"
TOKEN = "ghp_s3cretTokenThatNobodyMaySee"
LOG = b"2026-10-01T12:00:00.0000000Z a line\n" * 4000
QUICK = aiohttp.ClientTimeout(total=0.1, sock_read=0.1)
FAULTS: list[tuple[str, Fault]] = [
    *(("api", fault) for fault in (faults.status(500), faults.bad_gateway(), faults.reset())),
    *(("api", fault) for fault in (faults.disconnect(), faults.html(), faults.truncated_json())),
    *(("api", fault) for fault in (faults.bad_credentials(), faults.saml(), faults.blocked())),
    *(("api", fault) for fault in (faults.missing_permission(), faults.unknown_api_version())),
    *(("api", fault) for fault in (faults.redirect(301, "loop"), faults.stall_headers())),
    *(("api", fault) for fault in (faults.primary_limit(99999), faults.break_body(10))),
    ("api", faults.redirect(302, "other_host")),
    ("api", faults.redirect(302, "https://u:p@evil.example/x?sig=abc")),
    ("api", faults.redirect(302, "ftp://evil.example/x?sig=abc")),
    ("log", faults.log_location("http://127.0.0.1:1/log?sig=abc")),
    ("log", faults.log_location("http://a..b/log?sig=abc")),
    ("log", faults.log_location("http://[::1/log?sig=abc")),
    ("log", faults.log_location("http://127.0.0.1:99999/log?sig=abc")),
    ("log", faults.log_location("file:///log?sig=abc")),
    *(("storage", fault) for fault in (faults.status(500), faults.reset(), faults.disconnect())),
    *(("storage", faults.storage_status(code)) for code in (401, 403, 503)),
    *(("storage", fault) for fault in (faults.expired_link(), faults.blob_not_found())),
    *(("storage", fault) for fault in (faults.blob_not_found(200), faults.stall_headers())),
    *(("storage", fault) for fault in (faults.stall_body(0), faults.break_body(100))),
    *(("storage", fault) for fault in (faults.lying_length(10), faults.change_blob())),
    ("storage", faults.redirect(307, "loop")),
    ("storage", faults.redirect(307, "https://evil.example/x?sig=abc")),
]


def texts(error: BaseException) -> Iterator[str]:
    """Everything an error says: text, repr, data, traceback, and so for its causes."""
    yield from traceback.format_exception(error)
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
        todo += [one.__cause__, one.__context__]


def files(folder: Path) -> list[str]:
    return [path.name + path.read_text() for path in folder.rglob("*") if path.is_file()]


def leaks(text: str) -> bool:
    return TOKEN in text or "sig=" in text or "sig%3D" in text


@pytest.mark.parametrize(("on", "fault"), FAULTS, ids=lambda value: getattr(value, "name", value))
async def test_a_faulty_run_tells_no_secret(
    github: FakeGitHub,
    client: MakeClient,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    on: str,
    fault: Fault,
) -> None:
    """Whatever fails: no error, repr, traceback, log record, output or file holds token or link."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    def on_wait(wait: Wait) -> None:
        said.extend([str(wait), repr(wait)])

    run = github.add_run(REPO, jobs=[JobSpec("a", log=LOG), JobSpec("b", log=LOG)])
    gh = client(TOKEN, retries=1, max_wait=60, on_wait=on_wait, timeout=QUICK)

    async def handle(log: JobLog) -> int:
        said.extend([repr(log), repr(log.ref)])
        return await log.save(tmp_path / f"{log.ref.job_id}.txt")

    github.fail(on, fault, times=None)
    failed: list[BaseException] = []
    outcomes: Any
    async with gh.fan_out([RunRef(REPO, run.id)]) as outcomes:
        failed += [o.error async for o in outcomes if isinstance(o, Failed)]
    async with gh.fan_out_logs([JobRef(REPO, job.id) for job in run.jobs], handle) as outcomes:
        failed += [o.error async for o in outcomes if isinstance(o, Failed)]
    try:
        said += [repr(await gh.get_log_url(REPO, run.jobs[0].id))]
    except GHJobsError as error:
        failed.append(error)
    assert failed or fault.name in {"change_blob", "break_body", "stall_body"}
    for one in failed:
        assert isinstance(one, GHJobsError)
        said += texts(one)
        said += texts(pickle.loads(pickle.dumps(one)))
    said += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    said += [repr(gh), str(gh), repr(gh._requester.credentials), *capfd.readouterr()]
    said += files(tmp_path)
    assert [text for text in said if leaks(text)] == []


async def test_the_requests_did_carry_both(github: FakeGitHub, client: MakeClient) -> None:
    """The test above looks for what is really there: the token went out, and a signature came."""
    job = github.add_run(REPO).jobs[0]
    link = await client(TOKEN).get_log_url(REPO, job.id)
    assert leaks(link.url)
    assert leaks(github.requests[0].headers["authorization"])


@pytest.mark.parametrize("status", [404, 500])
async def test_a_query_that_the_server_chose_is_a_secret(status: int) -> None:
    """Also below the API's own paths, where our own queries may be told."""
    first = "https://api.github.com/repos/o/r/actions/jobs/1"
    then = "https://api.github.com/repos/new/r/actions/jobs/1?sig=abc"
    with aioresponses() as answers:
        answers.get(first, status=302, headers={"Location": then})
        answers.get(then, status=status)
        async with GitHubJobs(TOKEN, base_url="https://api.github.com", retries=0) as gh:
            with pytest.raises(ResponseError) as caught:
                await gh.get_job("o/r", 1)
    assert not any(leaks(text) for text in texts(caught.value))
