"""Credentials: tokens, and one for each owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from async_tools import EPOCH, FakeClock, MakeClient

from ghjobs_async import (
    AuthError,
    ConfigurationError,
    Failed,
    GitHubJobs,
    RunRef,
    ServerError,
    TokenAuth,
)
from ghjobs_async.testing import FakeGitHub, faults
from ghjobs_async.transport.auth import Auth, CredentialStore, as_auth

REPO = "octo-org/octo-repo"
BAD_TOKENS = (
    "",
    " ",
    "ghp x",
    "ghp\n",
    "\nghp",
    "gh\r\nX-Evil: 1",
    "ghp\x00",
    "ghp\u00e9",
    "x" * 5000,
)


@pytest.mark.parametrize("token", [*BAD_TOKENS, 7, b"ghp_1"])
def test_bad_tokens_are_refused(token: Any) -> None:
    """Spaces, line ends and strange characters stand in no token; the error does not repeat it."""
    with pytest.raises(ConfigurationError, match="not a token") as caught:
        TokenAuth(token)
    if isinstance(token, str) and token.strip():
        assert token not in str(caught.value)


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says from where the token came."""
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "ghp with spaces")
    with pytest.raises(ConfigurationError, match="GH_ENTERPRISE_TOKEN"):
        GitHubJobs(base_url="ghe.example.com")


async def test_a_callable_may_change_its_token(github: FakeGitHub, client: MakeClient) -> None:
    """It is asked before every request; what it gives is checked like any other token."""
    tokens = iter(["ghp_1", "ghp_2", "bad token"])

    async def get() -> str:
        return next(tokens)

    run = github.add_run(REPO)
    gh = client(TokenAuth(get))
    for _ in range(2):
        await gh.list_jobs(REPO, run.id)
    carried = [one.headers["authorization"] for one in github.requests]
    assert carried == ["Bearer ghp_1", "Bearer ghp_2"]
    with pytest.raises(ConfigurationError, match="callable"):
        await gh.list_jobs(REPO, run.id)


def test_credentials_hide_themselves() -> None:
    """No repr shows a token or a key."""
    assert "ghp_s3cret" not in repr(TokenAuth("ghp_s3cret"))


@pytest.mark.parametrize("given", [7, b"ghp", object(), ["ghp"]])
def test_other_things_are_no_credentials(given: object) -> None:
    """A token is a text, an auth object or None."""
    with pytest.raises(ConfigurationError, match="a token is"):
        as_auth(given)


# Against the fake.


async def test_a_refused_token_fails_at_once(github: FakeGitHub, client: MakeClient) -> None:
    """A token that is expired or revoked is asked with once."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.bad_credentials(), times=None)
    with pytest.raises(AuthError, match="expired or revoked"):
        await client("ghp_old").list_jobs(REPO, run.id)
    assert rule.hits == 1


Choose = Callable[[str], Any]


async def test_credentials_per_owner(github: FakeGitHub, client: MakeClient) -> None:
    """One fan-out spans owners, each with its own credential; the callable is asked once for each."""
    asked: list[str] = []

    async def choose(owner: str) -> str | None:
        asked.append(owner)
        await asyncio.sleep(0)
        return None if owner == "public" else f"ghp_{owner}"

    gh = client(choose)
    refs = [RunRef(f"{o}/r", github.add_run(f"{o}/r").id) for o in ("a", "b", "public")]
    for _ in range(2):
        async with gh.fan_out(refs) as outcomes:
            assert len([outcome async for outcome in outcomes]) == 3
    await gh.list_jobs("A/r", refs[0].run_id)
    assert sorted(asked) == ["a", "b", "public"]
    carried = {one.path.split("/")[4]: one.headers.get("authorization") for one in github.requests}
    assert carried == {
        "a": "Bearer ghp_a",
        "A": "Bearer ghp_a",
        "b": "Bearer ghp_b",
        "public": None,
    }


@pytest.mark.parametrize(
    ("choose", "same"),
    [
        (lambda owner: "ghp_one", True),
        (lambda owner: f"ghp_{owner}", False),
        (lambda owner: None, True),
        (lambda owner: TokenAuth(f"ghp_{owner}"), False),
    ],
)
async def test_limits_are_kept_per_credential(choose: Choose, *, same: bool) -> None:
    """Two owners with one token share its budget; two tokens have one each."""
    store = CredentialStore(choose, 100.0)
    one, two = await store.get("a"), await store.get("b")
    assert (one.budget is two.budget) is same
    assert one.budget.requests_per_minute == 100.0
    assert await store.get("A") is one


async def test_a_limit_of_one_owner_holds_no_other(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """While one credential waits, another one goes on."""
    slow, quick = github.add_run("slow/r"), github.add_run("quick/r")
    github.fail("jobs", faults.primary_limit(60), where=lambda asked: "/slow/" in asked.path)
    gh = client(lambda owner: f"ghp_{owner}")
    waiting = asyncio.ensure_future(gh.list_jobs("slow/r", slow.id))
    await github.wait_asked(1)
    done = await gh.list_jobs("quick/r", quick.id)
    assert done.complete
    assert (await waiting).complete
    assert time.time >= EPOCH + 60


async def test_a_wrong_choice_is_told(client: MakeClient) -> None:
    """What the callable gives is checked before any request."""
    with pytest.raises(ConfigurationError):
        await client(lambda owner: 7).get_job(REPO, 1)


async def test_an_object_of_one_s_own_will_do(github: FakeGitHub, client: MakeClient) -> None:
    """Anything that gives the header is a credential."""

    class Own:
        async def header(self, ask: object, clock: object) -> str:
            return "Token mine"

        def refused(self, header: str) -> bool:
            return False

    assert isinstance(Own(), Auth)
    run = github.add_run(REPO)
    await client(Own()).list_jobs(REPO, run.id)
    assert github.requests[0].headers["authorization"] == "Token mine"


# The caller's code behind a credential.


def use(gh: GitHubJobs, how: str) -> Any:
    """Ask something of a client, in one of the ways that there are."""

    async def by_fan_out() -> None:
        async with gh.fan_out([RunRef("other/r", 1)]) as outcomes:
            async for outcome in outcomes:
                assert isinstance(outcome, Failed)
                raise outcome.error

    async def by_log() -> None:
        async with gh.open_log("other/r", 1) as log:
            await log.tail(1)

    ways = {"get": lambda: gh.get_job("Other/r", 1), "fan_out": by_fan_out, "log": by_log}
    return ways[how]()


@pytest.mark.parametrize("how", ["get", "fan_out", "log"])
@pytest.mark.parametrize("kind", ["token", "owner", "object"])
async def test_credentials_must_not_use_their_own_client(
    github: FakeGitHub, client: MakeClient, kind: str, how: str
) -> None:
    """That would wait for itself: an error at once, for an own object too, and no request at all."""

    class Own:
        async def header(self, ask: object, clock: object) -> str:
            await use(gh, how)
            raise AssertionError("not reached")

        def refused(self, header: str) -> bool:
            return False

    async def choose(owner: str) -> str:
        return await Own().header(None, None)

    async def fetch() -> str:
        return await Own().header(None, None)

    given: Any = {"token": TokenAuth(fetch), "owner": choose, "object": Own()}[kind]
    gh = client(given, concurrency=1)
    async with asyncio.timeout(5):
        with pytest.raises(ConfigurationError, match="a client of its own"):
            await gh.get_job(REPO, 1)
    assert github.requests == []


async def test_owners_that_ask_for_one_another_do_not_wait_for_ever(client: MakeClient) -> None:
    """Two at once, each of which wants the other's credential: both fail."""

    async def choose(owner: str) -> str:
        await asyncio.sleep(0)
        await gh.get_job(f"{'b' if owner == 'a' else 'a'}/r", 1)
        raise AssertionError("not reached")

    gh = client(choose)
    async with asyncio.timeout(5):
        jobs = (gh.get_job(f"{owner}/r", 1) for owner in "ab")
        errors = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(error) for error in errors] == [ConfigurationError] * 2


async def test_credentials_may_use_another_client(github: FakeGitHub, client: MakeClient) -> None:
    """One with credentials of its own; and what they start goes on after they have answered."""
    run = github.add_run(REPO)
    other = client("ghp_other")
    begun: list[asyncio.Task[Any]] = []

    async def later() -> Any:
        await answered.wait()
        return await gh.list_jobs(REPO, run.id)

    async def choose(owner: str) -> str:
        begun.append(asyncio.ensure_future(later()))
        return f"ghp_{(await other.list_jobs(REPO, run.id)).total_count}"

    gh, answered = client(choose), asyncio.Event()
    assert (await gh.list_jobs(REPO, run.id)).complete
    answered.set()
    assert (await begun[0]).complete
    carried = [one.headers["authorization"] for one in github.requests]
    assert carried == ["Bearer ghp_other", "Bearer ghp_1", "Bearer ghp_1"]


async def test_failures_behind_a_credential_do_not_multiply(
    github: FakeGitHub, client: MakeClient
) -> None:
    """What the other client has retried as often as allowed is not retried around it."""
    github.add_run(REPO)
    rule = github.fail("jobs", faults.status(503), times=None)
    other = client("ghp_other", retries=3)

    async def fetch() -> str:
        return str((await other.list_jobs(REPO, 1)).total_count)

    with pytest.raises(ServerError):
        await client(TokenAuth(fetch)).get_job(REPO, 1)
    assert rule.hits == 4


async def test_a_slow_owner_delays_no_other(github: FakeGitHub, client: MakeClient) -> None:
    """While the credential of one is looked up, the others' requests are answered."""
    slow, quick = github.add_run("slow/r"), github.add_run("quick/r")
    go, asked = asyncio.Event(), []

    async def choose(owner: str) -> str:
        asked.append(owner)
        if owner == "slow":
            await go.wait()
        return f"ghp_{owner}"

    gh = client(choose)
    waiting = [asyncio.ensure_future(gh.list_jobs("slow/r", slow.id)) for _ in range(3)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert (await gh.list_jobs("quick/r", quick.id)).complete
    go.set()
    assert all(jobs.complete for jobs in await asyncio.gather(*waiting))
    assert asked == ["slow", "quick"]


async def test_a_lookup_that_ends_early_is_made_by_the_next() -> None:
    """The task that looked up an owner's credential is cancelled, another one fails."""
    asked: list[int] = []

    async def choose(owner: str) -> str:
        asked.append(len(asked))
        await asyncio.sleep(0)
        if len(asked) == 2:
            raise OSError
        return "ghp_1"

    store = CredentialStore(choose, None)
    tasks = [asyncio.ensure_future(store.get("a")) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one).__name__ for one in results] == [
        "CancelledError",
        "OSError",
        "Credential",
        "Credential",
    ]
    assert len(asked) == 3
