"""Conditional requests: an ETag goes with the token that got it, and a 304 costs nothing."""

from __future__ import annotations

import pytest
from app_keys import pem
from async_tools import EPOCH, FakeClock, MakeClient
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async import AppAuth, GitHubJobs, NotFoundError, Run, RunRef, TransportError
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
