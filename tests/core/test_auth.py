"""Credentials: tokens, Apps, and one per owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt
import pytest
from async_tools import EPOCH, FakeClock, MakeClient
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ghjobs_async import (
    AppAuth,
    AuthError,
    ConfigurationError,
    GitHubJobs,
    NotFoundError,
    RunRef,
    TokenAuth,
)
from ghjobs_async.models import InstallationToken
from ghjobs_async.testing import FakeGitHub, faults
from ghjobs_async.transport.auth import Auth, CredentialStore, as_auth
from ghjobs_async.wire.messages import Request

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


@cache
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return pem.decode()


def app(**options: Any) -> AppAuth:
    return AppAuth(7, private_key(), **(options or {"installation_id": 5}))


class Mint:
    """Hands out installation tokens, and counts them."""

    def __init__(self, life: float = 3600.0) -> None:
        self.life = life
        self.count = 0
        self.seen: list[str] = []
        self.targets: list[str] = []
        self.time = FakeClock()

    async def __call__(self, request: Request[Any], authorization: str) -> Any:
        self.seen.append(authorization)
        self.targets.append(request.target)
        await asyncio.sleep(0)
        if request.target.endswith("/installation"):
            return 5
        self.count += 1
        end = datetime.fromtimestamp(self.time.time + self.life, UTC)
        return InstallationToken(f"ghs_{self.count}", end)


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


async def test_a_callable_may_change_its_token() -> None:
    """It is asked before every request; what it gives is checked like any other token."""
    tokens = iter(["ghp_1", "ghp_2", "bad token"])

    async def get() -> str:
        return next(tokens)

    auth, mint = TokenAuth(get), Mint()
    assert [await auth.header(mint, mint.time.clock) for _ in range(2)] == [
        "Bearer ghp_1",
        "Bearer ghp_2",
    ]
    with pytest.raises(ConfigurationError, match="callable"):
        await auth.header(mint, mint.time.clock)


def test_credentials_hide_themselves() -> None:
    """No repr shows a token or a key."""
    assert "ghp_s3cret" not in repr(TokenAuth("ghp_s3cret"))
    assert "PRIVATE KEY" not in repr(app())


@pytest.mark.parametrize("given", [7, b"ghp", object(), ["ghp"]])
def test_other_things_are_no_credentials(given: object) -> None:
    """A token is a text, an auth object or None."""
    with pytest.raises(ConfigurationError, match="a token is"):
        as_auth(given)


@pytest.mark.parametrize(
    "options",
    [{}, {"installation_id": 1, "repository": REPO}, {"installation_id": 0}, {"repository": "x"}],
)
def test_an_app_needs_one_installation(options: dict[str, Any]) -> None:
    """Its number or a repository, one of them, and well formed."""
    with pytest.raises(ConfigurationError):
        AppAuth(7, private_key(), **options)


@pytest.mark.parametrize("key", ["", "no key", b"\xff", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
def test_a_bad_key_is_refused_at_once(key: str | bytes) -> None:
    """Before any request, and without repeating it."""
    with pytest.raises(ConfigurationError, match="PEM"):
        AppAuth(7, key, installation_id=5)


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
    token = mint.seen[0].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {"iat": int(EPOCH) - 60, "exp": int(EPOCH) + 540, "iss": "7"}
    assert mint.targets == [f"/repos/{REPO}/installation", "/app/installations/5/access_tokens"]


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
    """GitHub may answer 401 to a token that it has just minted: one renewal, one replay."""
    run = github.add_run(REPO)
    github.fail("jobs", faults.bad_credentials(), times=1)
    jobs = await client(app()).list_jobs(REPO, run.id)
    assert len(jobs) == 1


async def test_an_app_refused_twice_is_an_error(github: FakeGitHub, client: MakeClient) -> None:
    """There is no second replay."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.bad_credentials(), times=None)
    with pytest.raises(AuthError):
        await client(app()).list_jobs(REPO, run.id)
    assert rule.hits == 2


async def test_a_refused_token_fails_at_once(github: FakeGitHub, client: MakeClient) -> None:
    """A token that is expired or revoked is asked with once."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.bad_credentials(), times=None)
    with pytest.raises(AuthError, match="expired or revoked"):
        await client("ghp_old").list_jobs(REPO, run.id)
    assert rule.hits == 1


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
