"""No token and no signature stands in an error, a repr, a log record or a file."""

from __future__ import annotations

import json
import logging
import pickle
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses
from app_keys import pem
from async_tools import FakeClock, MakeClient

from ghjobs_async import (
    AppAuth,
    DecodeError,
    Failed,
    GHJobsError,
    GitHubJobs,
    JobLog,
    JobRef,
    ResponseError,
    RunRef,
    TokenAuth,
    TransportError,
    Wait,
)
from ghjobs_async.models import InstallationToken
from ghjobs_async.testing import FakeGitHub, Fault, JobSpec, faults
from ghjobs_async.transport.auth import CredentialStore
from ghjobs_async.wire.messages import Answer

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


# A token that the server sends.

MINTED = "ghs_s3cretTokenThatGitHubMinted"
MINT_URL = "https://api.github.com/app/installations/5/access_tokens"
JOB_URL = "https://api.github.com/repos/o/r/actions/jobs/1"
END = "2099-01-01T00:00:00Z"
WRONG: list[tuple[str, object]] = [
    ("no end", {"token": MINTED}),
    ("an end without offset", {"token": MINTED, "expires_at": "2099-01-01T00:00:00"}),
    ("no token", {"expires_at": END, "value": MINTED}),
    ("token as the end", {"token": MINTED, "expires_at": MINTED}),
    ("token in a list", {"token": [MINTED], "expires_at": END}),
    ("token in an object", {"token": {MINTED: MINTED}, "expires_at": END}),
    ("token as a key", {MINTED: 1}),
    ("token with a line end", {"token": f"{MINTED}\r\nX-Evil: 1", "expires_at": END}),
    ("token with blanks", {"token": f"{MINTED} {MINTED}", "expires_at": END}),
    ("a token far too long", {"token": MINTED * 999, "expires_at": END}),
    ("a list", [{"token": MINTED, "expires_at": END}]),
    ("a text", MINTED),
    ("no JSON", None),
]


@pytest.mark.parametrize("answer", [one for _, one in WRONG], ids=[name for name, _ in WRONG])
@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "cut"])
async def test_a_mint_of_the_wrong_shape_shows_no_token(
    answer: object, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever the token stands in the answer, it stands in no error, cause, wait or log record."""
    caplog.set_level(logging.DEBUG)
    body = (f"<p>{MINTED}</p>" if answer is None else json.dumps(answer)).encode()
    said: list[str] = []
    options: dict[str, Any] = {"retries": 1, "clock": FakeClock().clock}
    with aioresponses() as answers:
        answers.post(MINT_URL, status=201, body=body[: len(body) - cut], repeat=True)
        async with GitHubJobs(
            AppAuth(7, pem(), installation_id=5),
            base_url="https://api.github.com",
            on_wait=lambda wait: said.append(repr(wait)),
            **options,
        ) as gh:
            with pytest.raises((DecodeError, TransportError)) as caught:
                await gh.get_job("o/r", 1)
            async with gh.fan_out([RunRef("o/r", 1)]) as outcomes:
                failed = [o.error async for o in outcomes if isinstance(o, Failed)]
    for error in (caught.value, *failed):
        said += [*texts(error), *texts(pickle.loads(pickle.dumps(error)))]
    if isinstance(caught.value, DecodeError):
        assert caught.value.problems
        assert all(problem.path and problem.reason for problem in caught.value.problems)
    said += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    assert len(failed) == 1
    assert [text for text in said if MINTED[:12] in text] == []


ECHO = f"not a key=value pair in Authorization=Bearer {TOKEN}, please"
ECHOES: list[dict[str, Any]] = [
    *({"status": code, "payload": {"message": ECHO}} for code in (400, 401, 403, 404, 410, 500)),
    {"status": 429, "payload": {"message": ECHO}, "headers": {"Retry-After": "99999"}},
    {"status": 404, "payload": {"message": "no", "documentation_url": f"https://x?{TOKEN}"}},
    {"status": 200, "payload": {"headers": {"Authorization": f"Bearer {TOKEN}"}}},
    {"status": 200, "payload": [f"Bearer {TOKEN}"]},
    {"status": 200, "body": f"Authorization: Bearer {TOKEN}"},
]


@pytest.mark.parametrize("answer", ECHOES)
async def test_a_server_that_repeats_the_token_tells_it_nobody(answer: dict[str, Any]) -> None:
    """Some gateways quote the header that they do not understand, in an error or as their answer."""
    said: list[str] = []
    with aioresponses() as answers:
        answers.get(JOB_URL, repeat=True, **answer)
        async with GitHubJobs(
            TOKEN,
            base_url="https://api.github.com",
            retries=1,
            clock=FakeClock().clock,
            on_wait=lambda wait: said.append(repr(wait)),
        ) as gh:
            with pytest.raises(GHJobsError) as caught:
                await gh.get_job("o/r", 1)
    said += [*texts(caught.value), *texts(pickle.loads(pickle.dumps(caught.value)))]
    assert [text for text in said if leaks(text)] == []


async def test_a_job_that_cannot_be_decoded_shows_no_token(client: MakeClient) -> None:
    """The raw value of an item of a list is kept, but for the token that asked for it."""
    page = {"total_count": 1, "jobs": [{"id": f"{TOKEN}!"}]}
    with aioresponses() as answers:
        answers.get(re.compile(".*"), payload=page, repeat=True)
        jobs = await client(TOKEN).list_jobs(REPO, 1)
    assert "...!" in repr(jobs.undecodable)
    assert not leaks(repr(jobs.undecodable))


def test_values_hide_what_they_hold() -> None:
    """No repr of what this library passes around shows a token, or a body that may hold one."""
    answer = Answer(200, {}, TOKEN.encode(), "GET", JOB_URL)
    values = [answer, TokenAuth(TOKEN), CredentialStore(TOKEN, None)._only]
    values += [InstallationToken(TOKEN, datetime.now(UTC))]
    assert [repr(one) for one in values if leaks(repr(one))] == []


@pytest.mark.parametrize("token", [TOKEN, "github_pat_s3cretTokenThatNobodyMaySee"])
def test_a_token_in_the_wrong_place_is_not_shown(token: str) -> None:
    """An argument that is refused is shown, but for what looks like a token."""
    for wrong in (
        lambda: RunRef(token, 1),
        lambda: JobRef("o/r", token),
        lambda: RunRef.parse(token),
        lambda: GitHubJobs(None, base_url=f"https://h/{token}?x"),
        lambda: GitHubJobs(None, api_version=token),
        lambda: GitHubJobs(None, concurrency=token),  # type: ignore[arg-type]
    ):
        with pytest.raises(GHJobsError) as caught:
            wrong()
        assert "s3cret" not in "".join(texts(caught.value))
