"""Conditional requests: an ETag goes with the token that got it, and a 304 costs nothing."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import msgspec
import pytest
from app_keys import pem
from async_tools import EPOCH, FakeClock, MakeClient
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import (
    AppAuth,
    ConfigurationError,
    GitHubJobs,
    NotFoundError,
    Run,
    RunRef,
    TokenAuth,
    TransportError,
)
from ghjobs_async.testing import FakeGitHub, faults
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.transport.auth import ANONYMOUS, label_of
from ghjobs_async.transport.requester import Changed
from ghjobs_async.wire.messages import Answer
from ghjobs_async.wire.operations import get_run
from ghjobs_async.wire.urls import is_same_resource

REPO = "octo-org/octo-repo"
ROOT = "https://ghe.example.com/api/v3"


@pytest.fixture
def run(github: FakeGitHub) -> FakeRun:
    return github.add_run(REPO)


class Memory:
    """The last ETag of one request by the label of the credential, and the labels asked for."""

    def __init__(self) -> None:
        self.etags: dict[str, str | None] = {}
        self.labels: list[str] = []

    def __call__(self, label: str) -> str | None:
        self.labels.append(label)
        return self.etags.get(label)

    async def ask(self, gh: GitHubJobs, ref: RunRef) -> Changed[Run] | None:
        """Ask for a run, and keep the ETag of the answer."""
        changed = await gh._requester.send_if_changed(get_run(ref), self)
        if changed is not None:
            self.etags[changed.label] = changed.etag
        return changed


def conditions(github: FakeGitHub) -> list[bool]:
    """Whether each request carried a condition."""
    return ["if-none-match" in one.headers for one in github.requests]


def statuses(github: FakeGitHub) -> list[int]:
    return [one.status for one in github.requests]


async def test_what_has_not_changed_is_not_sent_again(
    github: FakeGitHub, gh: GitHubJobs, run: FakeRun
) -> None:
    """The first answer comes with its ETag; sent back, it gives None until the answer changes."""
    memory = Memory()
    first = await memory.ask(gh, run.ref)
    assert first is not None
    assert (first.value.id, first.label) == (run.id, label_of("Bearer ghp_secret"))
    assert first.etag is not None
    assert await memory.ask(gh, run.ref) is None
    run.overrides["display_title"] = "another"
    second = await memory.ask(gh, run.ref)
    assert second is not None
    assert second.value.display_title == "another"
    assert second.etag not in {None, first.etag}
    assert statuses(github) == [200, 304, 200]


async def test_a_304_costs_no_budget(github: FakeGitHub, gh: GitHubJobs, run: FakeRun) -> None:
    """What remains of the hour is the same after any number of unchanged answers."""
    memory = Memory()
    await memory.ask(gh, run.ref)
    before = gh.rate_limit
    assert before is not None
    for _ in range(5):
        assert await memory.ask(gh, run.ref) is None
    assert gh.rate_limit == before


async def test_a_304_is_paced_as_any_answer(
    client: MakeClient, run: FakeRun, time: FakeClock
) -> None:
    """Unchanged answers leave no faster than others: they count for the secondary limit."""
    gh = client(requests_per_minute=10)
    memory = Memory()
    for _ in range(4):
        await memory.ask(gh, run.ref)
    assert time.now() - EPOCH == pytest.approx(60 / 9 * 3 - 6)


async def test_no_token_has_a_label_too(client: MakeClient, run: FakeRun) -> None:
    """Without a token the label is fixed, and conditions work."""
    gh = client(None)
    memory = Memory()
    first = await memory.ask(gh, run.ref)
    assert first is not None
    assert first.label == ANONYMOUS
    assert await memory.ask(gh, run.ref) is None


async def test_an_etag_is_sent_only_with_its_own_token(
    github: FakeGitHub, client: MakeClient, run: FakeRun
) -> None:
    """Another token has another label, so it is asked for its own ETag."""
    memory = Memory()
    await memory.ask(client("ghp_one"), run.ref)
    assert await memory.ask(client("ghp_two"), run.ref) is not None
    assert conditions(github) == [False, False]
    assert len(set(memory.labels)) == 2


async def test_a_renewed_token_is_asked_for_its_own_etag(
    github: FakeGitHub, client: MakeClient, run: FakeRun
) -> None:
    """An App's token that is refused is renewed, and the old one's ETag does not go with the new."""
    gh = client(AppAuth(7, pem(), installation_id=5))
    memory = Memory()
    await memory.ask(gh, run.ref)
    github.fail("run", faults.bad_credentials())
    changed = await memory.ask(gh, run.ref)
    assert changed is not None
    assert changed.label == memory.labels[-1] != memory.labels[0]
    sent = [one for one in github.requests if one.operation == "run"]
    assert ["if-none-match" in one.headers for one in sent] == [False, True, False]


async def test_a_retry_keeps_the_condition(
    github: FakeGitHub, gh: GitHubJobs, run: FakeRun, time: FakeClock
) -> None:
    """After a 502 and a limit the same condition is sent, and the 304 is no failure."""
    memory = Memory()
    await memory.ask(gh, run.ref)
    github.fail("run", faults.bad_gateway())
    github.fail("run", faults.secondary_limit(2))
    assert await memory.ask(gh, run.ref) is None
    assert statuses(github) == [200, 502, 403, 304]
    assert conditions(github) == [False, True, True, True]
    assert len(time.sleeps) == 2


@pytest.mark.parametrize("conditional", [False, True])
async def test_a_304_without_a_condition_is_an_error(
    github: FakeGitHub, gh: GitHubJobs, run: FakeRun, time: FakeClock, conditional: bool
) -> None:
    """Where nothing was sent to compare with, a 304 is told at once: no loop, no retry."""
    github.fail("run", faults.status(304, b""), times=None)
    with pytest.raises(TransportError, match="304 says that nothing has changed") as caught:
        await (Memory().ask(gh, run.ref) if conditional else gh.get_run(run.ref))
    assert not caught.value.retryable
    assert statuses(github) == [304]
    assert time.sleeps == []


async def test_a_renamed_repository_keeps_its_etags(
    github: FakeGitHub, gh: GitHubJobs, run: FakeRun
) -> None:
    """A redirect to the same resource, below the repository's number, is asked with the condition."""
    memory = Memory()
    github.rename(REPO, "new/name")
    old = RunRef(REPO, run.id)
    first = await memory.ask(gh, old)
    assert first is not None
    assert first.etag is not None
    assert await memory.ask(gh, old) is None
    assert statuses(github) == [301, 200, 301, 304]


async def test_a_condition_does_not_follow_to_another_resource(
    github: FakeGitHub, gh: GitHubJobs, run: FakeRun
) -> None:
    """A redirect to another address is asked without the condition, and gives no ETag to keep."""
    memory = Memory()
    await memory.ask(gh, run.ref)
    elsewhere = f"{github.base_url}/repos/{REPO}/actions/runs/{run.id}/attempts/1"
    github.fail(
        "run", faults.redirect(302, elsewhere), where=lambda asked: "attempts" not in asked.path
    )
    changed = await memory.ask(gh, run.ref)
    assert changed is not None
    assert changed.etag is None
    assert conditions(github) == [False, True, False]


async def test_errors_stay_errors(github: FakeGitHub, gh: GitHubJobs, run: FakeRun) -> None:
    """A run that is gone is a NotFoundError, condition or not."""
    memory = Memory()
    await memory.ask(gh, run.ref)
    github.fail("run", faults.status(404))
    with pytest.raises(NotFoundError):
        await memory.ask(gh, run.ref)


@pytest.mark.parametrize(
    "given", ["", "abc", 'W/"a b"', 'w/"a"', '"a', '"' + "x" * 300 + '"', '"\udce9"', "*"]
)
async def test_a_malformed_etag_is_not_kept(given: str) -> None:
    """What is no ETag, or could not be sent back in a header, counts as none."""
    assert Answer(200, {"ETag": given}, b"", "GET", "https://x").etag is None


@pytest.mark.parametrize("given", ['"a"', 'W/"a"', '""', 'W/"!#~"'])
def test_an_etag_is_kept_as_it_came(given: str) -> None:
    """Weak or strong; of a 200 only."""
    assert Answer(200, {"ETag": given}, b"", "GET", "https://x").etag == given
    assert Answer(202, {"ETag": given}, b"", "GET", "https://x").etag is None


@given(st.text(min_size=1), st.text(min_size=1))
def test_labels_differ_and_hide_the_token(one: str, other: str) -> None:
    """Equal tokens have equal labels, others other ones, and no label shows its token."""
    assert (label_of(one) == label_of(other)) is (one == other)
    assert len(label_of(one)) == 16
    assert label_of("Bearer ghp_secret").find("secret") == -1


@pytest.mark.parametrize(
    ("target", "same"),
    [
        ("/repos/o/r/actions/runs/1?page=2", True),
        ("/repositories/7/actions/runs/1?page=2", True),
        ("/repos/new/name/actions/runs/1?page=2", True),
        ("/repositories/7/actions/runs/1", False),
        ("/repositories/7/actions/runs/2?page=2", False),
        ("/actions/runs/1?page=2", False),
        ("/repositories/x/actions/runs/1?page=2", False),
    ],
)
def test_a_resource_is_known_under_another_name(target: str, same: bool) -> None:
    """Only the part that names the repository may differ."""
    assert is_same_resource(ROOT + target, f"{ROOT}/repos/o/r/actions/runs/1?page=2") is same
    assert is_same_resource(f"{ROOT}/user?a", f"{ROOT}/user?b") is False


# What a client remembers.


@pytest.mark.parametrize(
    ("name", "value"), [("_BURST", 4), ("_LARGE", 0), ("peek_total", lambda _: None)]
)
async def test_unchanged_answers_are_given_again(
    github: FakeGitHub, client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    """
    With conditional=True an unchanged run, job and list cost no budget and no decoding.

    That holds for large pages, and where the total comes after the items, too.
    """
    monkeypatch.setattr(f"ghjobs_async.listing.pages.{name}", value)
    gh = client(conditional=True)
    run = github.add_run(REPO, jobs=250)
    job = run.jobs[0].id
    first = await gh.get_run(run.ref), await gh.get_job(REPO, job), await gh.list_jobs(run.ref)
    before = gh.rate_limit
    monkeypatch.setattr("ghjobs_async.wire.answers.load", None)
    again = await gh.get_run(run.ref), await gh.get_job(REPO, job), await gh.list_jobs(run.ref)
    assert again == first
    assert again[0] is first[0]
    assert again[2].complete
    assert all(new is old for new, old in zip(again[2], first[2], strict=True))
    assert gh.rate_limit == before
    assert statuses(github) == [200] * 5 + [304] * 5


async def test_a_304_is_paced(
    github: FakeGitHub, client: MakeClient, run: FakeRun, time: FakeClock
) -> None:
    """An answer that costs no budget is sent at the pace of all others."""
    gh = client(conditional=True, requests_per_minute=60)
    begun = time.time
    for _ in range(70):
        await gh.get_run(run.ref)
    assert statuses(github) == [200] + [304] * 69
    assert time.time - begun >= 60


async def test_only_what_changed_is_fetched(github: FakeGitHub, client: MakeClient) -> None:
    """One job of a long list changes: one page comes anew, and the list shows it."""
    gh = client(conditional=True)
    run = github.add_run(REPO, jobs=250)
    await gh.list_jobs(run.ref)
    github.clear_requests()
    run.jobs[120].data["name"] = "renamed"
    jobs = await gh.list_jobs(run.ref)
    assert jobs.complete
    assert jobs[120].name == "renamed"
    assert gh._etags is not None
    assert gh._etags.size == sum(entry.size for entry in gh._etags._entries.values())
    assert {(one.query["page"], one.status) for one in github.requests} == {
        ("1", 304),
        ("2", 200),
        ("3", 304),
    }


async def test_each_list_is_remembered_for_itself(github: FakeGitHub, client: MakeClient) -> None:
    """The filter and the attempt are part of the address, so no list is taken for another."""
    gh = client(conditional=True)
    run = github.add_run(REPO, attempts=2, jobs=3)
    for _ in range(2):
        assert len(await gh.list_jobs(run.ref)) == 3
        assert len(await gh.list_jobs(run.ref, filter="all")) == 6
        assert {job.run_attempt for job in await gh.list_jobs(REPO, run.id)} == {2}
        attempt = await gh.list_jobs(RunRef(REPO, run.id, attempt=1))
        assert {job.run_attempt for job in attempt} == {1}
    assert statuses(github) == [200, 200, 304, 200, 304, 304, 304, 304]


async def test_nothing_is_remembered_unless_asked(
    github: FakeGitHub, gh: GitHubJobs, run: FakeRun
) -> None:
    """By default every answer is asked for in full."""
    for _ in range(2):
        await gh.get_run(run.ref)
        await gh.list_jobs(run.ref)
    assert conditions(github) == [False] * 4


async def test_other_operations_send_no_condition(
    github: FakeGitHub, client: MakeClient, run: FakeRun
) -> None:
    """Searches of runs and plain JSON are asked for in full, whatever is remembered."""
    gh = client(conditional=True)
    for _ in range(2):
        assert len([found async for found in gh.iter_runs(REPO)]) == 1
        await gh.get_job_json(REPO, run.jobs[0].id)
    assert conditions(github) == [False] * 4


async def test_a_new_token_gets_no_one_else_s_answer(
    github: FakeGitHub, client: MakeClient, run: FakeRun
) -> None:
    """A client whose token changes asks in full with the new one, and conditionally with the old."""
    tokens = iter(["ghp_one", "ghp_two", "ghp_one"])

    async def token() -> str:
        return next(tokens)

    gh = client(TokenAuth(token), conditional=True)
    for _ in range(3):
        assert (await gh.get_run(run.ref)).id == run.id
    assert statuses(github) == [200, 200, 304]


async def test_an_answer_without_etag_is_forgotten(
    github: FakeGitHub, client: MakeClient, run: FakeRun
) -> None:
    """Where a new answer has no ETag, the one before is not asked about again."""
    gh = client(conditional=True)
    await gh.get_run(run.ref)
    payload = msgspec.json.encode(run.payload(run.attempts[0]))
    github.fail("run", faults.status(200, payload))
    await gh.get_run(run.ref)
    await gh.get_run(run.ref)
    assert conditions(github) == [False, True, False]


async def test_half_an_answer_is_not_remembered(
    github: FakeGitHub, client: MakeClient, run: FakeRun
) -> None:
    """A page that came by half is asked for again, and only the whole one is kept."""
    gh = client(conditional=True)
    github.fail("jobs", faults.truncated_json())
    assert (await gh.list_jobs(run.ref)).complete
    assert (await gh.list_jobs(run.ref)).complete
    assert statuses(github) == [200, 200, 304]


async def test_what_could_not_be_decoded_stays_so(github: FakeGitHub, client: MakeClient) -> None:
    """A list with an odd job is remembered with its verdict, whatever the odd value is."""
    gh = client(conditional=True)
    run = github.add_run(REPO, jobs=3)
    run.jobs[1].data["name"] = 10**30
    first = await gh.list_jobs(run.ref)
    assert (len(first), first.complete) == (2, False)
    assert await gh.list_jobs(run.ref) == first
    assert set(statuses(github)[1:]) == {304}


@pytest.mark.parametrize("bound", [1, 20_000, 100_000, 400_000])
async def test_memory_is_bounded(github: FakeGitHub, client: MakeClient, bound: int) -> None:
    """The answers that were not used for longest are dropped, and asked for in full again."""
    gh = client(conditional=bound)
    memory = gh._etags
    assert memory is not None
    refs = [github.add_run(REPO, jobs=2).ref for _ in range(60)]
    for ref in refs:
        await gh.list_jobs(ref)
        assert memory.size <= bound
    kept = len(memory._entries)
    assert memory.size == sum(entry.size for entry in memory._entries.values())
    github.clear_requests()
    for ref in reversed(refs):
        await gh.list_jobs(ref)
    assert statuses(github)[:kept] == [304] * kept
    assert 200 in statuses(github)
    assert (kept > 0) is (bound > 20_000 // 2)


async def test_the_bound_is_what_memory_takes(github: FakeGitHub, client: MakeClient) -> None:
    """What the answers are counted as is near what Python allocates for them, and not below."""
    gh = client(conditional=True)
    memory = gh._etags
    assert memory is not None
    refs = [github.add_run(REPO, jobs=20).ref for _ in range(40)]
    await gh.list_jobs(refs[0])
    gc.collect()
    before = memory.size
    tracemalloc.start()
    for ref in refs[1:]:
        await gh.list_jobs(ref)
    github.clear_requests()
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    counted = memory.size - before
    assert 0.5 * counted < taken < 1.2 * counted


async def test_what_is_used_stays(github: FakeGitHub, client: MakeClient) -> None:
    """An answer that is asked for again and again outlives the others."""
    gh = client(conditional=100_000)
    often = github.add_run(REPO, jobs=2).ref
    await gh.list_jobs(often)
    for _ in range(40):
        await gh.list_jobs(github.add_run(REPO, jobs=2).ref)
        await gh.list_jobs(often)
    assert statuses(github).count(304) == 40


@pytest.mark.parametrize("conditional", [0, -1, 1.5, "yes", None])
def test_conditional_is_a_switch_or_a_bound(conditional: Any) -> None:
    """Anything but True, False or a positive number of bytes is refused."""
    with pytest.raises(ConfigurationError, match="conditional is True, False or a number of bytes"):
        GitHubJobs(None, conditional=conditional)


async def test_faults_give_the_same_lists(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """Whatever goes wrong on the way, a remembered list is the list as it is now."""
    gh = client(conditional=True, retries=20)
    run = github.add_run(REPO, jobs=250)
    github.fault_rate(0.3, seed=14)
    for number in range(8):
        run.jobs[number * 30].data["name"] = f"renamed {number}"
        jobs = await gh.list_jobs(run.ref)
        assert [job.name for job in jobs] == [job.data["name"] for job in run.jobs]
        assert jobs.complete
    assert 304 in statuses(github)
    assert time.sleeps
