"""Rate limits: one shared pause, at the server's word, or an error at once."""

from __future__ import annotations

from typing import Any

import pytest
from async_tools import EPOCH, FakeClock, MakeClient

from ghjobs_async import Failed, Fetched, ForbiddenError, GitHubJobs, RateLimitError, RunRef, Wait
from ghjobs_async.testing import FakeGitHub, Fault, faults

REPO = "octo-org/octo-repo"
FORMS: dict[str, tuple[Fault, float, str]] = {
    f"{name} {status}": (fault, wait, scope)
    for status in (403, 429)
    for name, fault, wait, scope in (
        ("retry-after", faults.secondary_limit(45, status), 45.0, "secondary"),
        ("message", faults.secondary_limit(None, status, "message"), 60.0, "secondary"),
        ("docs", faults.secondary_limit(None, status, "documentation_url"), 60.0, "secondary"),
        ("html", faults.secondary_limit(None, status, "html"), 60.0, "secondary"),
        ("reset", faults.primary_limit(90, status), 90.0, "primary"),
    )
}


@pytest.fixture
def waits() -> list[Wait]:
    return []


@pytest.mark.parametrize("form", FORMS)
async def test_a_limit_is_one_shared_pause(
    github: FakeGitHub, client: MakeClient, time: FakeClock, waits: list[Wait], form: str
) -> None:
    """Every form of a limit holds all tasks back, once, as long as the server says; nothing is lost.

    Peers miss the limit without Retry-After, drop what was done, or sleep in silence.
    """
    fault, wait, scope = FORMS[form]
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(30)]
    gh = client(on_wait=waits.append, concurrency=8, requests_per_minute=None)
    rule = github.fail("jobs", fault, times=3, after=5)
    async with gh.fan_out(refs) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert all(isinstance(outcome, Fetched) for outcome in found)
    assert sorted(outcome.ref for outcome in found) == sorted(refs)
    assert rule.hits == 3
    assert len(waits) == 1
    assert waits[0].seconds == pytest.approx(wait, abs=1.1)
    assert waits[0].reason == f"{scope} rate limit"
    assert EPOCH + wait <= time.time <= EPOCH + wait + 12


async def test_no_request_leaves_during_the_pause(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """Between the limit and its end nothing is asked."""
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(20)]
    moments: list[float] = []

    def note(asked: Any) -> bool:
        moments.append(time.time)
        return False

    github.fail("jobs", faults.reset(), times=None, where=note)
    github.fail("jobs", faults.secondary_limit(60), times=1, after=3)
    async with client(concurrency=4).fan_out(refs) as outcomes:
        assert len([outcome async for outcome in outcomes]) == 20
    assert [at for at in moments if EPOCH < at < EPOCH + 60] == []


@pytest.mark.parametrize(
    ("fault", "scope", "after"),
    [
        (faults.primary_limit(3600), "primary", 3600),
        (faults.secondary_limit(3600), "secondary", 3600),
    ],
    ids=["primary", "secondary"],
)
async def test_a_wait_beyond_max_wait_raises_at_once(
    github: FakeGitHub, client: MakeClient, time: FakeClock, fault: Fault, scope: str, after: float
) -> None:
    """Nobody sleeps; the error says in an attribute when to come back."""
    run = github.add_run(REPO)
    github.fail("jobs", fault, times=None)
    with pytest.raises(RateLimitError) as caught:
        await client(max_wait=900).list_jobs(REPO, run.id)
    assert caught.value.scope == scope
    assert caught.value.retry_at.timestamp() == pytest.approx(EPOCH + after, abs=1)
    assert caught.value.status == 403
    assert time.sleeps == []


async def test_what_was_finished_stays_delivered(github: FakeGitHub, client: MakeClient) -> None:
    """A limit in the middle of a fan-out costs only the runs that were not done.

    A peer threw 163 finished runs away.
    """
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(20)]
    github.fail("jobs", faults.primary_limit(3600), times=None, after=10)
    async with client(max_wait=60, concurrency=2).fan_out(refs) as outcomes:
        found = [outcome async for outcome in outcomes]
    fetched = [outcome for outcome in found if isinstance(outcome, Fetched)]
    failed = [outcome for outcome in found if isinstance(outcome, Failed)]
    assert (len(fetched), len(failed)) == (10, 10)
    assert all(isinstance(outcome.error, RateLimitError) for outcome in failed)
    # Once one task has heard of it, nobody asks in vain.
    assert github.asked_count() <= 12


async def test_no_more_leave_than_remain(
    client: MakeClient, github: FakeGitHub, time: FakeClock, waits: list[Wait]
) -> None:
    """With two dozen ready and ten remaining, ten leave; then one wait for the reset."""
    github.budget.limit = 10
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(25)]
    gh = client(concurrency=8, max_wait=4000, on_wait=waits.append)
    await gh.list_jobs(refs[0])
    github.clear_requests()
    async with gh.fan_out(refs[1:]) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert all(isinstance(outcome, Fetched) for outcome in found)
    assert [one.status for one in github.requests if one.status == 403] == []
    assert {wait.reason for wait in waits} == {"primary rate limit"}
    assert len(waits) == 2


async def test_a_limit_that_never_ends_is_an_error(
    github: FakeGitHub, client: MakeClient, waits: list[Wait]
) -> None:
    """A server that refuses again and again is given up on; the waits grow meanwhile."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.secondary_limit(form="message"), times=None)
    with pytest.raises(RateLimitError):
        await client(max_wait=300, on_wait=waits.append).list_jobs(REPO, run.id)
    assert [round(wait.seconds) for wait in waits] == [60, 120, 240]
    assert rule.hits == 4


@pytest.mark.parametrize("times", [10, 11])
async def test_a_request_is_sent_again_ten_times(
    github: FakeGitHub, gh: GitHubJobs, times: int
) -> None:
    """A limit is waited for ten times; the next one is an error, whatever the server says."""
    run = github.add_run(REPO)
    github.fail("jobs", faults.secondary_limit(1), times=times)
    if times == 10:
        assert await gh.list_jobs(REPO, run.id)
    else:
        with pytest.raises(RateLimitError):
            await gh.list_jobs(REPO, run.id)
    assert len(github.requests) == 11


async def test_the_waits_begin_anew_after_an_answer(
    github: FakeGitHub, client: MakeClient, waits: list[Wait]
) -> None:
    """A limit that was waited for successfully does not make the next one longer."""
    run = github.add_run(REPO)
    gh = client(on_wait=waits.append)
    for _ in range(3):
        github.fail("jobs", faults.secondary_limit(form="message"), times=1)
        await gh.list_jobs(REPO, run.id)
    assert [round(wait.seconds) for wait in waits] == [60, 60, 60]


async def test_what_is_left_is_known(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """`rate_limit` is None before the first answer, then what it said, until the hour is over."""
    run = github.add_run(REPO)
    gh = client()
    before = gh.rate_limit
    await gh.list_jobs(REPO, run.id)
    known = gh.rate_limit
    assert known is not None
    assert (before, known.limit, known.remaining) == (None, 5000, 4999)
    assert EPOCH < known.reset_at.timestamp() <= EPOCH + 3600
    time.time += 3600
    assert [gh.rate_limit] == [None]


async def test_the_credential_with_the_least_left_counts(
    github: FakeGitHub, client: MakeClient
) -> None:
    """Of several, `rate_limit` is the one that will be used up first."""
    runs = [github.add_run(f"{owner}/repo") for owner in "abb"]
    gh = client({"a": "token_a", "b": "token_b"}.get)
    left = []
    for run in runs:
        await gh.list_jobs(run.ref)
        assert gh.rate_limit is not None
        left.append(gh.rate_limit.remaining)
    assert left == [4999, 4999, 4998]


async def test_a_reset_that_has_passed_is_not_hammered(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """A server that says "0 seconds" and means longer is asked a few times, with growing waits."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.secondary_limit(0), times=4)
    assert (await client().list_jobs(REPO, run.id)).complete
    assert rule.hits == 4
    assert time.time >= EPOCH + 1 + 2 + 4 + 8


@pytest.mark.parametrize("value", ["-5", "soon", "99999999999999999999", "", "1e9"])
async def test_nonsense_in_retry_after_is_survived(
    github: FakeGitHub, client: MakeClient, time: FakeClock, value: str
) -> None:
    """The limit is still a limit, and waited for as where nothing is told."""
    run = github.add_run(REPO)
    github.fail("jobs", faults.status(429, b"slow down", {"Retry-After": value}), times=1)
    assert (await client().list_jobs(REPO, run.id)).complete
    assert EPOCH + 60 <= time.time <= EPOCH + 70


async def test_a_log_s_link_waits_like_any_other(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """A limit on the request for a link is waited for too."""
    job = github.add_run(REPO).jobs[0]
    github.fail("log", faults.secondary_limit(30), times=1)
    link = await client().get_log_url(REPO, job.id)
    assert link.url.startswith(github.storage_url)
    assert time.time >= EPOCH + 30


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (faults.saml(), "sso?authorization_request="),
        (faults.missing_permission(), "actions=read"),
        (faults.blocked(), "legal"),
    ],
    ids=["saml", "permission", "451"],
)
async def test_refusals_are_no_limits(
    github: FakeGitHub, client: MakeClient, time: FakeClock, fault: Fault, hint: str
) -> None:
    """Single sign-on, a missing permission, a blocked repository: said at once, with GitHub's hint."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", fault, times=None)
    with pytest.raises(ForbiddenError) as caught:
        await client().list_jobs(REPO, run.id)
    assert hint in str(caught.value)
    assert (rule.hits, time.sleeps) == (1, [])


# The first tenth of a minute's requests leaves at once, the others at nine tenths of the rate.
@pytest.mark.parametrize(
    ("rate", "least", "most"), [(60, 100.0, 140.0), (600, 5.0, 9.0), (None, 0.0, 0.0)]
)
async def test_the_pace_can_be_chosen(
    github: FakeGitHub,
    client: MakeClient,
    time: FakeClock,
    rate: float | None,
    least: float,
    most: float,
) -> None:
    """`requests_per_minute` spreads requests, no more than it takes; GHES is not paced unasked."""
    refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(130)]
    async with client(requests_per_minute=rate).fan_out(refs) as outcomes:
        assert len([outcome async for outcome in outcomes]) == 130
    assert least <= time.time - EPOCH <= most


async def test_a_server_without_limits_is_not_waited_for(time: FakeClock) -> None:
    """GHES by default sends no limit headers: nothing is read into their absence."""
    async with (
        FakeGitHub(clock=time.now, rate_limit=None) as github,
        GitHubJobs("t", base_url=github.base_url, clock=time.clock) as gh,
    ):
        refs = [RunRef(REPO, github.add_run(REPO).id) for _ in range(50)]
        async with gh.fan_out(refs) as outcomes:
            assert len([outcome async for outcome in outcomes]) == 50
    assert time.sleeps == []
