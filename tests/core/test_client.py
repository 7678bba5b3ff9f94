"""The client: what it takes, what it refuses before any request, what it owns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from async_tools import FakeClock, MakeClient

from ghjobs_async import (
    ConfigurationError,
    GitHubJobs,
    JobRef,
    NotFoundError,
    RunRef,
    TokenAuth,
)
from ghjobs_async.testing import FakeGitHub, scenario

REPO = "octo-org/octo-repo"


@pytest.mark.parametrize("options", [{"timeout": 5}, {"timeout": None}, {"session": "mine"}])
def test_other_kinds_of_options_are_told(options: dict[str, Any]) -> None:
    """What is no ClientTimeout or no session is a ConfigurationError that says what it should be."""
    with pytest.raises(ConfigurationError, match="aiohttp"):
        GitHubJobs(None, **options)


async def test_a_job_is_got_by_id_reference_or_url(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Whatever names the job, it is the same one."""
    job = github.add_run(REPO, jobs=3).jobs[1]
    url = f"https://github.com/{REPO}/actions/runs/1/job/{job.id}"
    for named in ((REPO, job.id), (JobRef(REPO, job.id),), (url,)):
        found = await gh.get_job(*named)
        assert (found.id, found.name) == (job.id, "build (2)")
        assert found.duration == timedelta(seconds=75)


async def test_a_run_is_named_in_three_ways(github: FakeGitHub, gh: GitHubJobs) -> None:
    """By repository and id, by reference, by address; also one attempt of it."""
    run = github.add_run(REPO, attempts=2)
    url = f"https://github.com/{REPO}/actions/runs/{run.id}"
    for named in ((REPO, run.id), (RunRef(REPO, run.id),), (url,)):
        assert (await gh.get_run(*named)).run_attempt == 2
        assert len(await gh.list_jobs(*named)) == 1
    assert (await gh.get_run(RunRef(REPO, run.id, attempt=1))).run_attempt == 1
    assert (await gh.get_run(f"{url}/attempts/1")).conclusion == "failure"


async def test_every_scenario_decodes(github: FakeGitHub, gh: GitHubJobs) -> None:
    """What runs look like in the wild comes whole."""
    for run in scenario.everything(github):
        jobs = await gh.list_jobs(REPO, run.id)
        assert jobs.complete
        for job in jobs:
            assert job.duration is None or job.duration >= timedelta()
            assert job.queued_for is None or job.queued_for >= timedelta()


@pytest.mark.parametrize("named", [(7,), (None,), (RunRef(REPO, 1), 2), (b"x", 1), ("o/r",)])
async def test_a_wrong_reference_is_refused(gh: GitHubJobs, named: tuple[Any, ...]) -> None:
    """Before any request, with one clear line."""
    for method in (gh.list_jobs, gh.get_run, gh.get_job, gh.get_log_url):
        with pytest.raises(ConfigurationError):
            await method(*named)
    with pytest.raises(ConfigurationError):
        gh.open_log(*named)


@pytest.mark.parametrize(
    "options",
    [
        *({"concurrency": value} for value in (0, -1, 1.5, "8", True, None)),
        *({"max_wait": value} for value in (-1, "60", float("nan"), None, True)),
        *({"retries": value} for value in (-1, 1.5, None)),
        *({"requests_per_minute": value} for value in (0, -5, "900", float("nan"))),
        *({"api_version": value} for value in ("", "2026 03", "2026-03-10\n", "x" * 50, 20260310)),
        *({"base_url": value} for value in ("", "ftp://x", "http://github.com", "a b", 7)),
        *({"auth": value} for value in ("", "a b", "a\nb", 7, b"x")),
    ],
    ids=str,
)
def test_options_that_cannot_be_right(options: dict[str, Any]) -> None:
    """Each is refused with its name or what it should be, before anything is opened."""
    with pytest.raises(ConfigurationError) as caught:
        GitHubJobs(options.pop("auth", None), **{"base_url": "ghe.example.com", **options})
    assert len(str(caught.value).splitlines()) == 1


async def test_filters_that_cannot_be_right(gh: GitHubJobs) -> None:
    """An unknown filter, or every attempt of one attempt."""
    with pytest.raises(ConfigurationError, match="filter"):
        await gh.list_jobs(REPO, 1, filter="newest")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="leave one"):
        await gh.list_jobs(RunRef(REPO, 1, attempt=1), filter="all")


@pytest.mark.parametrize(
    "options",
    [
        {"repo": "nope"},
        {"workflow": "a/b"},
        {"workflow": ""},
        {"workflow": "a\nb"},
        {"created": "x"},
    ],
)
async def test_searches_that_cannot_be_right(gh: GitHubJobs, options: dict[str, Any]) -> None:
    """Refused when the search is made, not when it is read."""
    with pytest.raises(ConfigurationError):
        gh.iter_runs(**{"repo": REPO, **options})


@pytest.mark.parametrize(
    ("auth", "environ", "sent"),
    [
        ("default", {"GH_ENTERPRISE_TOKEN": "ghe_1"}, "Bearer ghe_1"),
        ("default", {"GH_TOKEN": "ghp_1", "GITHUB_TOKEN": "ghp_2"}, None),
        ("default", {}, None),
        (None, {"GH_ENTERPRISE_TOKEN": "ghe_1"}, None),
        ("ghp_given", {"GH_ENTERPRISE_TOKEN": "ghe_1"}, "Bearer ghp_given"),
        (TokenAuth("ghp_given"), {}, "Bearer ghp_given"),
    ],
)
async def test_which_token_is_sent(
    github: FakeGitHub,
    time: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    auth: Any,
    environ: dict[str, str],
    sent: str | None,
) -> None:
    """A github.com token of the environment never goes to another host; None sends none."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    job = github.add_run(REPO).jobs[0]
    given = () if auth == "default" else (auth,)
    async with GitHubJobs(*given, base_url=github.base_url, clock=time.clock) as gh:
        await gh.get_job(REPO, job.id)
    assert github.requests[0].headers.get("authorization") == sent


async def test_what_every_request_carries(github: FakeGitHub, gh: GitHubJobs) -> None:
    """GitHub asks for a User-Agent, the media type and the API version; gzip is understood."""
    job = github.add_run(REPO).jobs[0]
    await gh.get_job(REPO, job.id)
    headers = github.requests[0].headers
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2026-03-10"
    assert headers["user-agent"].startswith("ghjobs-async/")
    assert "gzip" in headers["accept-encoding"]


async def test_what_is_borrowed_is_never_closed(github: FakeGitHub, time: FakeClock) -> None:
    """A session passed in stays open; one of its own is closed, and closing twice is fine."""
    job = github.add_run(REPO).jobs[0]
    async with aiohttp.ClientSession() as session:
        async with GitHubJobs(None, base_url=github.base_url, session=session) as gh:
            await gh.get_job(REPO, job.id)
        assert not session.closed
        with pytest.raises(RuntimeError, match="closed"):
            await gh.get_job(REPO, job.id)
    own = GitHubJobs(None, base_url=github.base_url, clock=time.clock)
    await own.get_job(REPO, job.id)
    for _ in range(2):
        await own.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await own.get_job(REPO, job.id)


def test_a_client_reads_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its repr says where it asks; nothing is opened by making one."""
    monkeypatch.setenv("GH_HOST", "ghe.example.com")
    gh = GitHubJobs("ghp_secret")
    assert repr(gh) == "<GitHubJobs at https://ghe.example.com/api/v3>"
    assert gh.base_url == "https://ghe.example.com/api/v3"


@pytest.mark.parametrize(
    ("host", "pace"), [("github.com", 900.0), ("a.ghe.com", 900.0), ("g.example", None)]
)
async def test_github_com_is_spared_by_default(host: str, pace: float | None) -> None:
    """900 points a minute where GitHub counts them; an Enterprise Server is not paced."""
    gh = GitHubJobs(None, base_url=host)
    assert (await gh._requester.credentials.get("o")).budget.requests_per_minute == pace


async def test_a_proxy_of_the_environment_is_used(
    github: FakeGitHub, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With HTTP_PROXY the request goes to the proxy, whole URL and all; not with NO_PROXY."""
    job = github.add_run(REPO).jobs[0]
    monkeypatch.setenv("http_proxy", github.web_url)
    gh = client(base_url="http://ghe.invalid/api/v3")
    assert (await gh.get_job(REPO, job.id)).id == job.id
    assert github.requests[0].headers["host"] == "ghe.invalid"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await client().get_job(REPO, job.id)).id == job.id


async def test_one_client_serves_many_tasks(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A bad run in a fan-out never costs the others."""
    refs = [RunRef(REPO, github.add_run(REPO, jobs=n).id) for n in range(1, 9)]
    async with gh.fan_out([*refs, RunRef(REPO, 999)]) as outcomes:
        found = {outcome.ref: outcome async for outcome in outcomes}
    bad = found.pop(RunRef(REPO, 999))
    assert isinstance(bad.error, NotFoundError)  # type: ignore[union-attr]
    assert sorted(len(o.value) for o in found.values()) == list(range(1, 9))  # type: ignore[union-attr]
