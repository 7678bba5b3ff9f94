"""GitHub Apps: tokens that are minted, shared, renewed, and refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import jwt
import pytest
from aioresponses import aioresponses
from app_keys import pem, rsa_key
from async_tools import EPOCH, FakeClock, MakeClient
from yarl import URL

from ghjobs_async import (
    AppAuth,
    AuthError,
    ConfigurationError,
    Failed,
    ForbiddenError,
    GitHubJobs,
    JobLog,
    JobRef,
    NotFoundError,
    ResponseError,
    RunRef,
    ServerError,
    Wait,
)
from ghjobs_async.models import InstallationToken
from ghjobs_async.testing import FakeGitHub, Fault, faults
from ghjobs_async.wire.messages import Request

REPO = "octo-org/octo-repo"
JOB_URL = "https://api.github.com/repos/o/r/actions/jobs/1"


def app(**options: Any) -> AppAuth:
    return AppAuth(7, pem(), **(options or {"installation_id": 5}))


def refused(server: float | None) -> AuthError:
    """A 401, with the server's clock where it says so."""
    error = AuthError("401", status=401, url="https://x/access_tokens", message="Bad JWT")
    if server is not None:
        error.server_time = datetime.fromtimestamp(server, UTC)
    return error


class Mint:
    """
    Hands out installation tokens as GitHub does, and counts them.

    Its own clock is *ahead* seconds behind the machine's, and a JWT has to be valid by it.
    """

    def __init__(self, life: float = 3600.0, ahead: float = 0.0) -> None:
        self.life = life
        self.ahead = ahead
        self.count = 0
        self.seen: list[str] = []
        self.targets: list[str] = []
        self.errors: list[Exception] = []
        self.time = FakeClock()

    async def __call__(self, request: Request[Any], authorization: str) -> Any:
        self.seen.append(authorization)
        self.targets.append(request.target)
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        now = self.time.time - self.ahead
        claims = claims_of(authorization)
        if not claims["iat"] <= now <= claims["exp"] <= now + 600:
            raise refused(now)
        if request.target.endswith("/installation"):
            return 5
        self.count += 1
        return InstallationToken(f"ghs_{self.count}", datetime.fromtimestamp(now + self.life, UTC))


def claims_of(authorization: str) -> dict[str, Any]:
    """What a JWT claims; its signature is checked."""
    key = rsa_key().public_key()
    options: Any = {"verify_exp": False, "verify_iat": False}
    token = authorization.removeprefix("Bearer ")
    return jwt.decode(token, key, algorithms=["RS256"], options=options)


@pytest.mark.parametrize(
    "options",
    [{}, {"installation_id": 1, "repository": REPO}, {"installation_id": 0}, {"repository": "x"}],
)
def test_an_app_needs_one_installation(options: dict[str, Any]) -> None:
    """Its number or a repository, one of them, and well formed."""
    with pytest.raises(ConfigurationError):
        AppAuth(7, pem(), **options)


async def test_a_token_is_minted_once_for_all_who_wait() -> None:
    """A cold fan-out of a hundred tasks mints one token, where a peer minted one for each task."""
    auth, mint = app(), Mint()
    headers = await asyncio.gather(*(auth.header(mint, mint.time.clock) for _ in range(100)))
    assert set(headers) == {"Bearer ghs_1"}
    assert mint.count == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    """Five minutes before its end a new one is minted, and not earlier."""
    auth, mint = app(), Mint()
    now = mint.time
    for at, expected in ((0, 1), (3299, 1), (3300, 2), (6000, 2), (6600, 3)):
        now.time = EPOCH + at
        assert await auth.header(mint, now.clock) == f"Bearer ghs_{expected}"


async def test_a_refused_token_is_dropped_once() -> None:
    """The refused one is minted anew; word of an older one changes nothing."""
    auth, mint = app(), Mint()
    first = await auth.header(mint, mint.time.clock)
    assert auth.refused(first)
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_2"
    assert auth.refused(first)
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_2"


async def test_a_cancelled_mint_blocks_nobody() -> None:
    """The task that was minting is cancelled: the next one mints."""
    auth, mint = app(), Mint()
    tasks = [asyncio.ensure_future(auth.header(mint, mint.time.clock)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert len(set(results[1:])) == 1


async def test_the_app_signs_with_room_for_wrong_clocks() -> None:
    """The JWT began a minute ago, and ends within the ten minutes that GitHub allows."""
    auth, mint = app(repository=REPO), Mint()
    await auth.header(mint, mint.time.clock)
    assert claims_of(mint.seen[0]) == {"iat": int(EPOCH) - 60, "exp": int(EPOCH) + 540, "iss": "7"}
    assert mint.targets == [f"/repos/{REPO}/installation", "/app/installations/5/access_tokens"]


@pytest.mark.parametrize(
    ("life", "last"), [(3600, 3299), (600, 299), (300, 149), (60, 29), (2, 9), (-9999, 9)]
)
async def test_a_token_is_used_for_half_its_life_at_least(life: float, last: int) -> None:
    """One that lives for a minute is not minted for each request, nor one that seems to have ended."""
    auth, mint = app(), Mint(life)
    await auth.header(mint, mint.time.clock)
    mint.time.time = EPOCH + last
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_1"
    mint.time.time = EPOCH + last + 1
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_2"


async def test_a_cancelled_waiter_costs_the_others_nothing() -> None:
    """Only the task that mints asks; whoever else gives up is not missed."""
    auth, mint = app(), Mint()
    tasks = [asyncio.ensure_future(auth.header(mint, mint.time.clock)) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[::2] == ["Bearer ghs_1"] * 3
    assert mint.count == 1


def test_an_app_outlives_an_event_loop() -> None:
    """An object of a module serves one `asyncio.run` after another, many tasks at a time."""
    auth, mint = app(), Mint()

    async def main() -> list[str]:
        mint.time.time += 4000
        return await asyncio.gather(*(auth.header(mint, mint.time.clock) for _ in range(3)))

    assert asyncio.run(main()) == ["Bearer ghs_1"] * 3
    assert asyncio.run(main()) == ["Bearer ghs_2"] * 3


# Clocks that differ.


@pytest.mark.parametrize(
    ("ahead", "asked"), [(0, 1), (30, 1), (-90, 1), (61, 2), (90, 2), (600, 2), (-3600, 2)]
)
async def test_a_wrong_clock_is_corrected(ahead: float, asked: int) -> None:
    """Signed by a clock that GitHub refuses, a JWT is signed once more by GitHub's own."""
    auth, mint = app(), Mint(ahead=ahead)
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_1"
    assert len(mint.seen) == asked


@pytest.mark.parametrize("ahead", [600, -3600])
async def test_a_learnt_difference_is_kept(ahead: float) -> None:
    """The next token is signed right at once, and ends when GitHub says."""
    auth, mint = app(), Mint(ahead=ahead)
    for at, count in ((0, 1), (3299, 1), (3300, 2)):
        mint.time.time = EPOCH + at
        assert await auth.header(mint, mint.time.clock) == f"Bearer ghs_{count}"
    assert len(mint.seen) == 3


async def test_a_clock_that_changes_is_corrected_again() -> None:
    """The machine's clock was set right meanwhile."""
    auth, mint = app(), Mint(ahead=600)
    await auth.header(mint, mint.time.clock)
    mint.ahead = 0
    mint.time.time += 4000
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_2"
    assert len(mint.seen) == 4


@pytest.mark.parametrize("server", [None, EPOCH + 5, EPOCH - 29, EPOCH + 999])
async def test_a_refusal_for_another_reason_is_not_repeated_for_ever(server: float | None) -> None:
    """Without a difference of the clocks it is final; with one that does not help, after one more."""
    auth, mint = app(), Mint()
    mint.errors = [refused(server) for _ in range(9)]
    with pytest.raises(AuthError):
        await auth.header(mint, mint.time.clock)
    assert len(mint.seen) == (2 if server == EPOCH + 999 else 1)


async def test_a_difference_that_is_known_explains_no_refusal() -> None:
    """Once it was learnt, a refusal that shows the same one is final."""
    auth, mint = app(), Mint(ahead=600)
    await auth.header(mint, mint.time.clock)
    mint.time.time += 4000
    mint.errors = [refused(mint.time.time - 600) for _ in range(9)]
    with pytest.raises(AuthError):
        await auth.header(mint, mint.time.clock)
    assert len(mint.seen) == 3


async def test_the_date_of_a_refusal_counts() -> None:
    """GitHub's clock is the ``Date`` of its answer."""
    url = "https://api.github.com/app/installations/5/access_tokens"
    time = FakeClock()
    date = format_datetime(datetime.fromtimestamp(EPOCH - 600, UTC), usegmt=True)
    token = {"token": "ghs_1", "expires_at": "2027-01-15T09:00:00Z"}
    auth = app()
    with aioresponses() as answers:
        answers.post(url, status=401, headers={"Date": date}, payload={"message": "'exp' is far"})
        answers.post(url, status=201, payload=token)
        answers.get(JOB_URL, status=404, headers={"Date": date}, payload={"message": "Not Found"})
        async with GitHubJobs(auth, base_url="https://api.github.com", clock=time.clock) as gh:
            with pytest.raises(NotFoundError) as caught:
                await gh.get_job("o/r", 1)
        (asked, again) = answers.requests["POST", URL(url)]
    assert claims_of(asked.kwargs["headers"]["Authorization"])["iat"] == EPOCH - 60
    assert claims_of(again.kwargs["headers"]["Authorization"])["iat"] == EPOCH - 660
    assert caught.value.server_time == datetime.fromtimestamp(EPOCH - 600, UTC)


async def test_a_signature_that_waited_too_long_is_made_anew() -> None:
    """A limit may hold the request back for longer than a JWT lives."""
    auth, mint = app(), Mint()

    async def slowly(request: Request[Any], authorization: str) -> Any:
        if not mint.seen:
            mint.time.time += 700
        return await mint(request, authorization)

    assert await auth.header(slowly, mint.time.clock) == "Bearer ghs_1"
    assert len(mint.seen) == 2


# Failures.

WRONG_SHAPE = b'{"token": 7}'
FAILURES = [
    (faults.status(503), 6),
    (faults.disconnect(), 6),
    (faults.bad_credentials(), 1),
    (faults.status(404), 1),
    (faults.status(201, WRONG_SHAPE), 1),
    (faults.primary_limit(5000), 1),
]


@pytest.mark.parametrize(("fault", "asked"), FAILURES, ids=lambda value: getattr(value, "name", ""))
async def test_a_failing_mint_is_shared(
    github: FakeGitHub, client: MakeClient, fault: Fault, asked: int
) -> None:
    """Sixteen runs and logs cost as many requests for a token as one: its retries are the only ones."""
    run = github.add_run(REPO, jobs=16)
    rule = github.fail("token", fault, times=None)
    waits: list[Wait] = []
    gh = client(app(), on_wait=waits.append)
    async with gh.fan_out([RunRef(REPO, number) for number in range(1, 17)]) as outcomes:
        failed = [one.error async for one in outcomes if isinstance(one, Failed)]

    async def handle(log: JobLog) -> None:
        raise AssertionError("there is no log without a token")

    refs = [JobRef(REPO, job.id) for job in run.jobs]
    async with gh.fan_out_logs(refs, handle) as logs:
        failed += [one.error async for one in logs if isinstance(one, Failed)]
    assert (rule.hits, len(waits), len(failed)) == (asked, asked - 1, 32)
    assert len({id(error) for error in failed}) == 32
    assert len({(type(error), str(error)) for error in failed}) == 1
    assert {one.operation for one in github.requests} == {"token"}


async def test_a_failed_mint_is_asked_for_again_later(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """For ten seconds everybody gets the error at once; then the next one asks."""
    run = github.add_run(REPO)
    rule = github.fail("token", faults.status(403), times=None)
    gh = client(app())
    for after, hits in ((0, 1), (9.9, 1), (0.2, 2)):
        time.time += after
        with pytest.raises(ForbiddenError):
            await gh.list_jobs(REPO, run.id)
        assert rule.hits == hits
    rule.stop()
    time.time += 10
    assert (await gh.list_jobs(REPO, run.id)).complete


async def test_a_clock_that_is_set_back_does_not_make_a_failure_last() -> None:
    """What failed an hour ahead of the time is not believed for an hour."""
    auth, mint = app(), Mint()
    mint.errors = [ServerError("503", status=503)]
    with pytest.raises(ServerError):
        await auth.header(mint, mint.time.clock)
    mint.time.time -= 3600
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_1"


async def test_a_failed_renewal_costs_nothing_while_the_token_lives() -> None:
    """It is renewed five minutes early: until it ends, it serves, and a refused one does not."""
    auth, mint = app(), Mint()
    error = ServerError("503", status=503)
    await auth.header(mint, mint.time.clock)
    mint.errors = [error, error]
    for at, asked in ((3300, 2), (3309, 2), (3311, 3), (3320, 3)):
        mint.time.time = EPOCH + at
        assert await auth.header(mint, mint.time.clock) == "Bearer ghs_1"
        assert len(mint.seen) == asked
    auth.refused("Bearer ghs_1")
    with pytest.raises(ServerError):
        await auth.header(mint, mint.time.clock)
    mint.time.time += 2
    assert await auth.header(mint, mint.time.clock) == "Bearer ghs_2"


@pytest.mark.parametrize(
    ("error", "check"),
    [
        (refused(None), "401 Bad JWT; .*check app_id, and that private_key"),
        (NotFoundError("404", status=404), "check app_id, and that the App is installed"),
        (ResponseError("a proxy is in between", status=401), "^a proxy is in between$"),
    ],
)
async def test_a_refused_app_is_told_what_to_check(error: ResponseError, check: str) -> None:
    """What the user gave is wrong, and no token is: the error names the arguments."""
    auth, mint = app(), Mint()
    mint.errors = [error]
    with pytest.raises(type(error), match=check) as caught:
        await auth.header(mint, mint.time.clock)
    assert "another one" not in str(caught.value)
    assert (caught.value.status, caught.value.url) == (error.status, error.url)


# Against the fake.


async def test_an_app_reads_jobs(github: FakeGitHub, client: MakeClient) -> None:
    """A fan-out over many runs through an App mints one token and carries it everywhere."""
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(20)]
    gh = client(app(repository=REPO))
    async with gh.fan_out(refs) as outcomes:
        async for outcome in outcomes:
            assert len(outcome.value) == 1  # type: ignore[union-attr]
    asked = [one.operation for one in github.requests]
    assert (asked.count("installation"), asked.count("token")) == (1, 1)
    carried = {one.headers["authorization"] for one in github.requests if one.operation == "jobs"}
    assert len(carried) == 1


async def test_a_fresh_token_refused_for_a_moment_is_replayed(
    github: FakeGitHub, client: MakeClient
) -> None:
    """GitHub may answer 401 to a token that it has just minted: one renewal, one replay.

    The wait before it is reported.
    """
    run = github.add_run(REPO)
    github.fail("jobs", faults.bad_credentials(), times=1)
    waits: list[Wait] = []
    jobs = await client(app(), on_wait=waits.append).list_jobs(REPO, run.id)
    assert len(jobs) == 1
    assert [(wait.seconds, wait.reason) for wait in waits] == [(0.25, "a fresh token")]


async def test_an_app_refused_twice_is_an_error(github: FakeGitHub, client: MakeClient) -> None:
    """There is no second replay."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.bad_credentials(), times=None)
    with pytest.raises(AuthError):
        await client(app()).list_jobs(REPO, run.id)
    assert rule.hits == 2


async def test_an_app_that_is_not_installed_is_told(github: FakeGitHub, client: MakeClient) -> None:
    """A repository that it cannot see is not found."""
    with pytest.raises(NotFoundError):
        await client(app(repository="no/where")).get_job(REPO, 1)


async def test_minting_is_retried(github: FakeGitHub, client: MakeClient) -> None:
    """A server that fails while a token is minted is asked again."""
    run = github.add_run(REPO)
    rule = github.fail("token", faults.status(503), times=2)
    assert len(await client(app()).list_jobs(REPO, run.id)) == 1
    assert rule.hits == 2
