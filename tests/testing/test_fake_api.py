"""The fake's API: what GitHub answers, this answers too."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import msgspec
import pytest

from ghjobs_async.testing import FakeGitHub, scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REPO = "octo-org/octo-repo"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake(clock: Clock) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(clock=clock) as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


class Got:
    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status, self.headers = response.status, response.headers
        self.raw = body
        self.body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body

    def json(self) -> dict[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])

    def items(self, key: str = "jobs") -> list[dict[str, object]]:
        value = self.json()[key]
        assert isinstance(value, list)
        return value


async def get(http: aiohttp.ClientSession, url: str, headers: dict[str, str] | None = None) -> Got:
    async with http.get(url, headers=headers, allow_redirects=False) as response:
        return Got(response, await response.read())


async def test_a_job_is_served(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A job is answered with its data, its URLs below the root that was asked."""
    job = fake.add_run(REPO).jobs[0]
    got = await get(http, f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}")
    assert got.status == 200
    assert got.json()["id"] == job.id
    assert got.json()["url"] == f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}"


async def test_the_root_works_without_a_prefix(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """The same API is served at the root, and its URLs then have no prefix."""
    run = fake.add_run(REPO, jobs=3)
    url = f"{fake.web_url}/repos/{REPO}/actions/runs/{run.id}/jobs"
    got = await get(http, f"{url}?per_page=1")
    assert str(got.items()[0]["run_url"]).startswith(f"{fake.web_url}/repos/")
    assert f"<{url}?per_page=1&page=2>" in got.headers["Link"]


async def test_names_have_no_case(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Owner and repository are not case sensitive."""
    run = fake.add_run(REPO)
    got = await get(http, f"{fake.base_url}/repos/OCTO-Org/Octo-REPO/actions/runs/{run.id}")
    assert got.status == 200


@pytest.mark.parametrize(
    ("page", "rels"),
    [(1, ["next", "last"]), (2, ["prev", "next", "last", "first"]), (3, ["prev", "first"])],
)
async def test_link_names_the_neighbours(
    fake: FakeGitHub, http: aiohttp.ClientSession, page: int, rels: list[str]
) -> None:
    """Link has just the relations that a page has."""
    run = fake.add_run(REPO, jobs=5)
    root = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}/jobs"
    got = await get(http, f"{root}?per_page=2&page={page}")
    assert [part.split('rel="')[1][:-1] for part in got.headers["Link"].split(", ")] == rels
    assert got.json()["total_count"] == 5


async def test_one_page_has_no_link(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Link is absent where there is one page."""
    run = fake.add_run(REPO, jobs=5)
    got = await get(http, f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}/jobs")
    assert "Link" not in got.headers


@pytest.mark.parametrize(("asked", "given"), [("", 30), ("1000", 100), ("0", 30), ("x", 30)])
async def test_page_sizes(
    fake: FakeGitHub, http: aiohttp.ClientSession, asked: str, given: int
) -> None:
    """per_page is 30 by default and 100 at most."""
    run = fake.add_run(REPO, jobs=120)
    root = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}/jobs"
    assert len((await get(http, f"{root}?per_page={asked}")).items()) == given


async def test_attempts(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The latest attempt, each attempt and all of them have the jobs they should."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed([scenario.failing("a")] * 2))
    root = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}"
    ids = [[job.id for job in attempt.jobs] for attempt in run.attempts]
    for url, wanted in (
        (f"{root}/jobs", ids[1]),
        (f"{root}/attempts/1/jobs", ids[0]),
        (f"{root}/jobs?filter=all", ids[0] + ids[1]),
    ):
        assert [job["id"] for job in (await get(http, url)).items()] == wanted
    assert (await get(http, f"{root}/attempts/3/jobs")).status == 404
    assert (await get(http, f"{root}/attempts/1")).json()["run_attempt"] == 1


async def test_inherited_jobs_keep_their_start(fake: FakeGitHub) -> None:
    """A job that a re-run inherited has a new id and its old start."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed(scenario.matrix(3, failing=[1])))
    first, second = (attempt.jobs for attempt in run.attempts)
    assert first[0].id != second[0].id
    assert first[0].data["started_at"] == second[0].data["started_at"]
    assert str(second[0].data["created_at"]) > str(second[0].data["started_at"])
    assert first[1].data["started_at"] != second[1].data["started_at"]


async def test_data_can_be_changed(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """What a test does to a job's data is what is sent."""
    job = fake.add_run(REPO).jobs[0]
    job.data["conclusion"] = "evaporated"
    del job.data["labels"]
    data = (await get(http, f"{fake.base_url}/repos/{REPO}/actions/jobs/{job.id}")).json()
    assert data["conclusion"] == "evaporated"
    assert "labels" not in data


async def test_unchanged_answers_cost_nothing(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """If-None-Match with the weak ETag is answered 304, and the limit is not touched."""
    run = fake.add_run(REPO)
    url = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}"
    first = await get(http, url)
    assert first.headers["ETag"].startswith('W/"')
    again = await get(http, url, {"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]


@pytest.mark.parametrize("form", ["{}", '{}, W/"x"', '"x" , {}', "*", "strong"])
async def test_every_form_of_a_condition_is_understood(
    fake: FakeGitHub, http: aiohttp.ClientSession, form: str
) -> None:
    """A list, a star and the strong form of the ETag give 304 too, with the limit's headers."""
    url = f"{fake.base_url}/repos/{REPO}/actions/runs/{fake.add_run(REPO).id}"
    etag = (await get(http, url)).headers["ETag"]
    given = etag.removeprefix("W/") if form == "strong" else form.format(etag)
    again = await get(http, url, {"If-None-Match": given})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == etag
    assert again.headers["Vary"].startswith("Accept, Authorization")
    assert again.headers["X-RateLimit-Remaining"] == "4999"
    assert (await get(http, url, {"If-None-Match": etag[:-2] + '"'})).status == 200


async def test_each_credential_has_its_own_etags(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """The same answer has another ETag for another token, and the first one's is answered 200."""
    url = f"{fake.base_url}/repos/{REPO}/actions/runs/{fake.add_run(REPO).id}"
    one, other = ({"Authorization": f"Bearer {name}"} for name in ("one", "other"))
    first, second = await get(http, url, one), await get(http, url, other)
    assert first.body == second.body
    assert first.headers["ETag"] != second.headers["ETag"]
    crossed = await get(http, url, {**other, "If-None-Match": first.headers["ETag"]})
    assert crossed.status == 200
    assert crossed.headers["X-RateLimit-Remaining"] == "4998"


async def test_an_etag_changes_exactly_with_its_answer(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """A job's change shows in the ETags of the job and the page with it, and in no other."""
    run = fake.add_run(REPO, jobs=3)
    root = f"{fake.base_url}/repos/{REPO}/actions"
    jobs = f"{root}/runs/{run.id}/jobs?per_page=2"
    urls = [f"{root}/jobs/{run.jobs[0].id}", jobs, f"{jobs}&page=2", f"{root}/runs/{run.id}"]

    async def etags() -> list[str]:
        return [(await get(http, url)).headers["ETag"] for url in urls]

    before = await etags()
    assert await etags() == before
    run.jobs[0].data["name"] = "renamed"
    changed = [old != new for old, new in zip(before, await etags(), strict=True)]
    assert changed == [True, True, False, False]


async def test_every_answer_of_the_api_has_a_weak_etag(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """Whatever is answered 200 in JSON can be asked for on condition."""
    run = fake.add_run(REPO)
    repo, job = f"/repos/{REPO}", run.jobs[0].id
    actions = f"{repo}/actions"
    for path in (
        *("", "/user", "/rate_limit", repo, f"{repo}/check-runs/{job}/annotations"),
        *(f"{actions}/workflows", f"{actions}/runs", f"{actions}/jobs/{job}"),
        *(f"{actions}/runs/{run.id}{more}" for more in ("", "/jobs", "/artifacts", "/attempts/1")),
    ):
        got = await get(http, fake.base_url + path)
        assert got.status == 200
        assert got.headers["ETag"].startswith('W/"')
        left = fake.budget.window("").used
        again = await get(http, fake.base_url + path, {"If-None-Match": got.headers["ETag"]})
        assert again.status == 304
        assert fake.budget.window("").used == left


async def test_large_answers_are_compressed(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A large body is sent as gzip to those who accept it, and plain to others."""
    run = fake.add_run(REPO, jobs=50)
    url = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}/jobs"
    packed = await get(http, url, {"Accept-Encoding": "gzip"})
    plain = await get(http, url, {"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.body == plain.raw


async def test_budget_runs_out_and_comes_back(http: aiohttp.ClientSession, clock: Clock) -> None:
    """When the hour's budget is used up 403 says so, until the window is over by the clock."""
    async with FakeGitHub(clock=clock, rate_limit=2) as fake:
        fake.add_run(REPO)
        url = f"{fake.base_url}/repos/{REPO}"
        remaining = [(await get(http, url)).headers["X-RateLimit-Remaining"] for _ in range(2)]
        assert remaining == ["1", "0"]
        refused = await get(http, url)
        assert refused.status == 403
        assert "API rate limit exceeded for" in str(refused.json()["message"])
        assert (await get(http, url, {"Authorization": "Bearer other"})).status == 200
        clock.now = float(refused.headers["X-RateLimit-Reset"])
        assert (await get(http, url)).status == 200


async def test_no_limit_sends_no_headers(http: aiohttp.ClientSession) -> None:
    """With rate_limit=None there are no limit headers and no /rate_limit, as on GHES."""
    async with FakeGitHub(rate_limit=None) as fake:
        got = await get(http, f"{fake.base_url}/rate_limit")
        assert got.status == 404
        assert got.json()["message"] == "Rate limiting is not enabled."
        assert not [name for name in got.headers if "ratelimit" in name.lower()]


async def test_rate_limit_can_be_asked_for_free(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """Asking for the limit is not counted."""
    got = (await get(http, f"{fake.base_url}/rate_limit")).json()
    assert got["rate"] == {"limit": 5000, "used": 0, "remaining": 5000, "reset": 1782910800}


@pytest.mark.parametrize(("token", "status"), [("good", 200), ("bad", 401), (None, 401)])
async def test_tokens(http: aiohttp.ClientSession, token: str | None, status: int) -> None:
    """Where tokens are given, no other one is accepted."""
    async with FakeGitHub(tokens={"good"}) as fake:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert (await get(http, f"{fake.base_url}/user", headers)).status == status


async def test_versions(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A known API version is selected, an unknown one answered 400."""
    known = await get(http, f"{fake.base_url}/user", {"X-GitHub-Api-Version": "2026-03-10"})
    assert known.headers["x-github-api-version-selected"] == "2026-03-10"
    unknown = await get(http, f"{fake.base_url}/user", {"X-GitHub-Api-Version": "2099-01-01"})
    assert (unknown.status, unknown.json()["status"]) == (400, "400")


async def test_a_user_agent_is_required(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A request without a User-Agent is refused, as GitHub does."""
    assert (await get(http, f"{fake.base_url}/user", {"User-Agent": ""})).status == 403


@pytest.mark.parametrize(
    "path",
    ["/nope", "/repos/o/none/actions/runs", f"/repos/{REPO}/actions/jobs/7", "/repositories/9"],
)
async def test_what_is_not_there(fake: FakeGitHub, http: aiohttp.ClientSession, path: str) -> None:
    """What does not exist is answered 404 with GitHub's JSON."""
    fake.add_run(REPO)
    got = await get(http, fake.base_url + path)
    assert got.status == 404
    assert got.json()["message"] == "Not Found"
    assert set(got.json()) == {"message", "documentation_url", "status"}


async def test_a_run_of_another_repository_is_not_there(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """A run is found below its own repository only."""
    run = fake.add_run(REPO)
    other = fake.add_run("octo-org/other")
    for repo, number in ((REPO, other.id), ("octo-org/other", run.id)):
        url = f"{fake.base_url}/repos/{repo}/actions/runs/{number}"
        assert (await get(http, url)).status == 404


async def test_renamed_repository(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The old name of a repository is answered 301 to its number, which works."""
    run = fake.add_run(REPO)
    fake.rename(REPO, "octo-org/new-name")
    old = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}/jobs?per_page=7"
    got = await get(http, old)
    repo_id = run.repository.id
    wanted = f"{fake.base_url}/repositories/{repo_id}/actions/runs/{run.id}/jobs?per_page=7"
    assert (got.status, got.headers["Location"]) == (301, wanted)
    assert (await get(http, wanted)).json()["total_count"] == 1
    assert run.ref.repo == "octo-org/new-name"


@pytest.mark.parametrize(
    ("created", "hits"),
    [
        ("2026-07-01", 4),
        ("2026-07-01T02:00:00Z..2026-07-01T04:00:00Z", 3),
        ("2026-07-01T04:00:00%2B02:00..2026-07-01T04:00:00Z", 3),
        (">=2026-07-01T04:00:00Z", 2),
        (">2026-07-01T04:00:00Z", 1),
        ("<=2026-07-01T02:00:00Z", 2),
        ("<2026-07-01T02:00:00Z", 1),
        ("*..2026-07-01T01:00:00Z", 1),
        ("2026-07-02..*", 1),
        ("2026-07-01..2026-07-02", 5),
        (">2026-07-01", 1),
        ("<2026-07-01", 0),
    ],
)
async def test_created(
    fake: FakeGitHub, http: aiohttp.ClientSession, created: str, hits: int
) -> None:
    """Created takes all of GitHub's ways to write a range, both ends included."""
    day = datetime(2026, 7, 1, tzinfo=UTC)
    for hours in (1, 2, 3, 4, 26):
        fake.add_run(REPO, created_at=day + timedelta(hours=hours))
    got = await get(http, f"{fake.base_url}/repos/{REPO}/actions/runs?created={created}")
    assert got.json()["total_count"] == hits


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("event=schedule", 1),
        ("branch=dev", 1),
        ("actor=HUBOT", 1),
        ("status=failure", 1),
        ("status=completed", 3),
        ("head_sha=abc", 0),
        ("event=push&branch=main", 1),
    ],
)
async def test_filters(
    fake: FakeGitHub, http: aiohttp.ClientSession, query: str, hits: int
) -> None:
    """Each filter of a run listing filters."""
    fake.add_run(REPO, event="schedule", conclusion="failure")
    fake.add_run(REPO, branch="dev")
    fake.add_run(REPO, actor="hubot")
    got = await get(http, f"{fake.base_url}/repos/{REPO}/actions/runs?{query}")
    assert got.json()["total_count"] == hits


async def test_runs_are_newest_first(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Runs are listed newest first."""
    ids = [fake.add_run(REPO).id for _ in range(3)]
    got = await get(http, f"{fake.base_url}/repos/{REPO}/actions/runs")
    assert [run["id"] for run in got.items("workflow_runs")] == ids[::-1]


async def test_runs_of_a_workflow(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Runs of one workflow are found by its number and by its file's name."""
    run = fake.add_run(REPO, workflow="Nightly")
    fake.add_run(REPO)
    root = f"{fake.base_url}/repos/{REPO}/actions/workflows"
    for key in (run.workflow_id, "nightly.yml"):
        assert (await get(http, f"{root}/{key}/runs")).json()["total_count"] == 1
    assert (await get(http, f"{root}/other.yml/runs")).status == 404


async def test_filtered_listings_stop_at_a_thousand(
    fake: FakeGitHub, http: aiohttp.ClientSession
) -> None:
    """A filtered run listing ends after 1,000 results; one without a filter does not."""
    for _ in range(1010):
        fake.add_run(REPO, jobs=0)
    root = f"{fake.base_url}/repos/{REPO}/actions/runs?per_page=100"
    assert len((await get(http, f"{root}&page=11")).items("workflow_runs")) == 10
    filtered = await get(http, f"{root}&event=push&page=11")
    assert (filtered.items("workflow_runs"), filtered.json()["total_count"]) == ([], 1010)


async def test_requests_are_recorded(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Everything asked is kept: path, query, headers, and the status it was answered."""
    await get(http, f"{fake.base_url}/user?a=1", {"X-Test": "yes"})
    (asked,) = fake.requests
    assert (asked.origin, asked.method, asked.path, asked.status) == (
        *("api", "GET", "/api/v3/user"),
        200,
    )
    assert asked.query == {"a": "1"}
    assert asked.headers["x-test"] == "yes"
    fake.clear_requests()
    assert fake.requests == []


async def test_date_is_the_clocks(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The Date header tells the fake's own time."""
    assert (await get(http, fake.base_url)).headers["Date"] == "Wed, 01 Jul 2026 12:00:00 GMT"


async def test_app_tokens(http: aiohttp.ClientSession, clock: Clock) -> None:
    """An App finds its installation and mints a token that works for an hour."""
    async with FakeGitHub(clock=clock, tokens=()) as fake:
        fake.add_run(REPO)
        fake.apps.fresh_refusals = 1
        jwt = {"Authorization": "Bearer a.b.c"}
        found = (await get(http, f"{fake.base_url}/repos/{REPO}/installation", jwt)).json()
        url = f"{fake.base_url}/app/installations/{found['id']}/access_tokens"
        async with http.post(url, headers=jwt) as response:
            assert response.status == 201
            token = (await response.json())["token"]
        headers = {"Authorization": f"Bearer {token}"}
        seen = [(await get(http, f"{fake.base_url}/user", headers)).status for _ in range(2)]
        clock.now += 3600
        seen.append((await get(http, f"{fake.base_url}/user", headers)).status)
        assert seen == [401, 200, 401]
        async with http.post(url) as response:
            assert response.status == 401
