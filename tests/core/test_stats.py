"""What a client tells about itself: counts, budgets, and aiohttp's tracing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
import attrs
import pytest
from app_keys import pem
from async_tools import MakeClient

from ghjobs_async import AppAuth, ConfigurationError, GitHubJobs, TransportError, Wait
from ghjobs_async.testing import FakeGitHub, JobSpec, faults
from ghjobs_async.transport.auth import ANONYMOUS, label_of

REPO = "octo-org/octo-repo"


async def test_a_new_client_has_done_nothing(gh: GitHubJobs) -> None:
    """Before the first request every count is zero."""
    stats = gh.stats
    assert (stats.requests, stats.quota) == ({}, {})
    assert not any(
        [stats.not_modified, stats.bytes, stats.retries, stats.waits, stats.seconds_waited]
    )
    assert stats.downloads == 0


async def test_answers_are_counted_by_status(github: FakeGitHub, client: MakeClient) -> None:
    """Every answer of the API counts, those that were tried again and a 304 too."""
    gh = client(conditional=True)
    run = github.add_run(REPO, jobs=250)
    github.fail("jobs", faults.bad_gateway())
    for _ in range(2):
        await gh.list_jobs(run.ref)
    assert gh.stats.requests == {200: 3, 304: 3, 502: 1}
    assert list(gh.stats.requests) == [200, 304, 502]
    assert gh.stats.not_modified == 3
    assert sum(gh.stats.requests.values()) == github.asked_count()


async def test_what_never_answered_has_no_status(github: FakeGitHub, client: MakeClient) -> None:
    """A broken connection is a retry, and no answer."""
    gh = client(retries=2)
    github.fail("job", faults.disconnect(), times=None)
    with pytest.raises(TransportError):
        await gh.get_job(REPO, 1)
    assert gh.stats.requests == {}
    assert gh.stats.retries == 2


async def test_waits_are_those_that_were_reported(github: FakeGitHub, client: MakeClient) -> None:
    """Retries and limits count as `on_wait` sees them; only the first is a retry."""
    waits: list[Wait] = []
    gh = client(on_wait=waits.append)
    job = github.add_run(REPO).jobs[0]
    github.fail("job", faults.bad_gateway())
    github.fail("job", faults.secondary_limit(30))
    await gh.get_job(REPO, job.id)
    assert gh.stats.waits == len(waits) == 2
    assert gh.stats.seconds_waited == sum(wait.seconds for wait in waits) > 30
    assert gh.stats.retries == 1


async def test_bytes_are_counted_as_they_come(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Logs count while they are read, and answers before they are unpacked."""
    job = github.add_run(REPO, jobs=[JobSpec(log=b"x" * 100_000)]).jobs[0]
    await gh.get_job(REPO, job.id)
    before = gh.stats.bytes
    assert before > 100
    async with gh.open_log(REPO, job.id) as log:
        assert b"".join([chunk async for chunk in log.chunks()]) == b"x" * 100_000
        during = gh.stats.bytes
    assert during == gh.stats.bytes == before + 100_000


async def test_packed_bytes_count_as_they_are_sent(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A page of jobs counts packed, a fraction of its JSON."""
    run = github.add_run(REPO, jobs=100)
    await gh.list_jobs(run.ref)
    assert 1000 < gh.stats.bytes < 50_000


async def test_downloads_are_logs_that_were_opened(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Each opening of a log's content counts, a resumed one again; the link alone does not."""
    jobs = github.add_run(REPO, jobs=[JobSpec(log=b"line\n" * 50_000)] * 2).jobs
    await gh.get_log_url(REPO, jobs[0].id)
    assert gh.stats.downloads == 0
    async with gh.open_log(REPO, jobs[0].id) as log:
        await log.tail(1)
    assert gh.stats.downloads == 1
    github.fail("storage", faults.break_body(100_000))
    async with gh.open_log(REPO, jobs[1].id) as log:
        await log.tail(1)
    assert gh.stats.downloads == 3
    assert gh.stats.requests == {302: 4}


async def test_a_log_that_is_not_there_is_no_download(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What the storage refuses is not counted."""
    job = github.add_run(REPO, jobs=[JobSpec(log=b"line\n")]).jobs[0]
    github.fail("storage", faults.blob_not_found(), times=None)
    with pytest.raises(Exception, match="never uploaded"):
        async with gh.open_log(REPO, job.id):
            pass
    assert gh.stats.downloads == 0


async def test_the_quota_is_told_by_label(github: FakeGitHub, client: MakeClient) -> None:
    """Each credential has its budget under a label that does not show the token."""
    tokens = {"one": "ghp_for_one", "two": "ghp_for_two", "three": None}
    gh = client(tokens.__getitem__)
    for count, owner in enumerate(tokens, 1):
        run = github.add_run(f"{owner}/r")
        for _ in range(count):
            await gh.get_run(run.ref)
    quota = gh.stats.quota
    assert {label: limit.remaining for label, limit in quota.items()} == {
        label_of("Bearer ghp_for_one"): 4999,
        label_of("Bearer ghp_for_two"): 4998,
        ANONYMOUS: 4997,
    }
    assert {limit.limit for limit in quota.values()} == {5000}
    assert gh.rate_limit == quota[ANONYMOUS]
    assert "ghp_" not in repr(gh.stats)


async def test_an_app_is_told_by_its_token(github: FakeGitHub, client: MakeClient) -> None:
    """An App's label is that of the installation token in use."""
    gh = client(AppAuth(7, pem(), installation_id=5))
    await gh.get_run(github.add_run(REPO).ref)
    assert list(gh.stats.quota) == [label_of(f"Bearer {next(iter(github.apps.minted))}")]
    assert gh.stats.requests == {200: 1, 201: 1}


async def test_servers_without_limits_have_no_quota(client: MakeClient) -> None:
    """Where no headers tell a budget, none is told."""
    async with FakeGitHub(rate_limit=None) as github:
        gh = client(base_url=github.base_url)
        await gh.get_run(github.add_run(REPO).ref)
        assert gh.stats.quota == {}


async def test_a_snapshot_stays_as_it_is(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Later requests change no snapshot, and nobody can change one."""
    run = github.add_run(REPO)
    await gh.get_run(run.ref)
    stats: Any = gh.stats
    await gh.get_run(run.ref)
    assert stats.requests == {200: 1}
    assert gh.stats.requests == {200: 2}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        stats.bytes = 0
    for mapping in (stats.requests, stats.quota):
        with pytest.raises(TypeError):
            mapping[200] = 7


class Tracer:
    """A trace that notes what aiohttp reports."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.config = aiohttp.TraceConfig()
        self.config.on_request_end.append(self.noted)

    async def noted(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        self.paths.append(params.url.path)


async def test_tracing_sees_every_request(github: FakeGitHub, client: MakeClient) -> None:
    """Each trace sees the requests to the API and to the storage."""
    tracers = [Tracer(), Tracer()]
    gh = client(trace_configs=[tracer.config for tracer in tracers])
    job = github.add_run(REPO, jobs=[JobSpec(log=b"line\n")]).jobs[0]
    await gh.get_job(REPO, job.id)
    async with gh.open_log(REPO, job.id) as log:
        await log.tail(1)
    assert [tracer.paths for tracer in tracers] == [[one.path for one in github.requests]] * 2
    assert len(tracers[0].paths) == 3


async def test_tracing_of_a_borrowed_session_is_refused() -> None:
    """A session made elsewhere has its own tracing, so nothing is ignored silently."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigurationError, match="was made elsewhere"):
            GitHubJobs(None, session=session, trace_configs=[Tracer().config])
        GitHubJobs(None, session=session)


@pytest.mark.parametrize("given", [aiohttp.TraceConfig, "trace", [None], 7, None])
def test_other_kinds_of_tracing_are_told(given: Any) -> None:
    """What is no list of TraceConfig is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="trace_configs is a list"):
        GitHubJobs(None, trace_configs=given)
