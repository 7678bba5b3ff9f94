"""What the logger `ghjobs_async` reports: requests, waits and retries, and never a secret."""

from __future__ import annotations

import logging

import pytest
from async_tools import MakeClient

from ghjobs_async import GitHubJobs, TransportError
from ghjobs_async.testing import FakeGitHub, JobSpec, faults

REPO = "octo-org/octo-repo"
TOKEN = "ghp_s3cret"
LOG = b"2026-10-01T12:00:00.0000000Z a line\n"


async def test_requests_are_logged_at_debug(
    github: FakeGitHub, client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Each request is a line: method, URL, status, request id, seconds, bytes; no link, no token."""
    caplog.set_level(logging.DEBUG, "ghjobs_async")
    job = github.add_run(REPO, jobs=[JobSpec(log=LOG)]).jobs[0]
    gh = client(TOKEN)
    async with gh.open_log(job.ref) as log:
        assert await log.text() == LOG.decode()
    asked, stored = [record.getMessage() for record in caplog.records]
    assert asked.startswith(f"GET {gh.base_url}/repos/{REPO}/actions/jobs/{job.id}/logs: 302")
    assert "request id C0DE:" in asked
    assert stored.endswith(f"s, {len(LOG)} bytes")
    assert "sig=" not in caplog.text
    assert TOKEN not in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


async def test_a_request_is_logged_once(
    github: FakeGitHub, client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one whose answer is no answer, and whose connection is dropped."""
    caplog.set_level(logging.DEBUG, "ghjobs_async")
    job = github.add_run(REPO).jobs[0]
    github.fail("job", faults.truncated_json(), times=None)
    with pytest.raises(TransportError):
        await client(retries=0).get_job(job.ref)
    assert len(caplog.records) == 1


async def test_waits_and_retries_are_logged_at_info(
    github: FakeGitHub, gh: GitHubJobs, caplog: pytest.LogCaptureFixture
) -> None:
    """Every wait is a line, before it begins, with its reason."""
    caplog.set_level(logging.INFO, "ghjobs_async")
    run = github.add_run(REPO)
    github.fail("jobs", faults.status(500), times=1)
    github.fail("jobs", faults.secondary_limit(retry_after=7), times=1)
    await gh.list_jobs(run.ref)
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "retry after 500",
        "secondary rate limit",
    ]


async def test_nothing_is_put_together_where_nobody_listens(
    github: FakeGitHub, gh: GitHubJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the level is off, a request costs one check."""

    def unexpected(*_: object, **__: object) -> None:
        raise AssertionError("a record was made")

    monkeypatch.setattr(logging.Logger, "makeRecord", unexpected)
    logging.getLogger("ghjobs_async").setLevel(logging.WARNING)
    run = github.add_run(REPO)
    assert (await gh.list_jobs(run.ref)).complete


async def test_the_first_wait_names_the_cause(client: MakeClient) -> None:
    """Without a network, the first wait says what is wrong, not only the error at the end."""
    reasons: list[str] = []
    gh = client(
        base_url="http://127.0.0.1:1", retries=1, on_wait=lambda wait: reasons.append(wait.reason)
    )
    with pytest.raises(TransportError, match="check the address"):
        await gh.get_job(REPO, 1)
    assert len(reasons) == 1
    assert "Connect call failed" in reasons[0]
    assert "check the address and the network" in reasons[0]
