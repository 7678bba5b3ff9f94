"""Lists that the server cannot make, and lists that change while they are read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from async_tools import FakeClock, MakeClient

from ghjobs_async import (
    DecodeError,
    Failed,
    Fetched,
    GitHubJobs,
    NotFoundError,
    RunRef,
    ServerError,
)
from ghjobs_async.listing import pages
from ghjobs_async.testing import FakeGitHub, Fault, JobSpec, faults, scenario

REPO = "octo-org/octo-repo"


@pytest.fixture(params=[None, 0], ids=["small", "large"], autouse=True)
def _large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that are kept until the list is whole, and pages that are decoded as they come."""
    if request.param is not None:
        monkeypatch.setattr(pages, "_LARGE", request.param)


def sizes(github: FakeGitHub) -> list[str]:
    return [one.query["per_page"] for one in github.requests if one.operation == "jobs"]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 760])
async def test_every_job_of_a_run_is_listed(github: FakeGitHub, gh: GitHubJobs, count: int) -> None:
    """All pages are read, whatever their number, and the list says that it is whole.

    Peers read one page, and lose the rest in silence.
    """
    run = github.add_run(REPO, jobs=scenario.matrix(count))
    jobs = await gh.list_jobs(REPO, run.id)
    assert [job.id for job in jobs] == [job.id for job in run.jobs]
    assert (jobs.complete, jobs.total_count) == (True, count)
    assert len(github.requests) == max(1, -(-count // 100))


async def test_large_pages_are_not_kept_as_bytes(
    github: FakeGitHub, gh: GitHubJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of runs has a megabyte: a search of thousands holds only what it becomes."""
    run = github.add_run(REPO, jobs=300)
    kept: list[int] = []
    decode_all = pages.Reading.decode_all

    async def noted(self: Any) -> None:
        kept.extend(len(answer.raw) for answer in self._answers)
        await decode_all(self)

    monkeypatch.setattr(pages.Reading, "decode_all", noted)
    assert len(await gh.list_jobs(REPO, run.id)) == 300
    assert all(kept[1:]) is (pages._LARGE > 0)
    assert any(kept[1:]) is (pages._LARGE > 0)


async def test_waiting_lists_are_kept_as_they_came(
    github: FakeGitHub, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list becomes objects when its outcome is taken: none is decoded ahead."""
    refs = [github.add_run(REPO, jobs=150).ref for _ in range(6)]
    decoded = 0
    decode_all = pages.Reading.decode_all

    async def noted(self: Any) -> None:
        nonlocal decoded
        decoded += 1
        await decode_all(self)

    monkeypatch.setattr(pages.Reading, "decode_all", noted)
    async with client(concurrency=4).fan_out(refs) as outcomes:
        await github.wait_asked(8)
        assert decoded == 0
        taken = 0
        async for _ in outcomes:
            taken += 1
            assert decoded == taken
    assert taken == 6


async def test_a_list_that_cannot_be_decoded_is_a_failure(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """Of that reference alone, though it shows only when the outcome is taken."""
    good, bad = github.add_run(REPO), github.add_run(REPO)
    body = b'{"message": "hello"}'
    github.fail("jobs", faults.status(200, body), times=1, where=lambda a: str(bad.id) in a.path)
    async with gh.fan_out([good.ref, bad.ref]) as outcomes:
        found = {outcome.ref: outcome async for outcome in outcomes}
        assert (outcomes.done, outcomes.failed) == (2, 1)
    assert isinstance(found[good.ref], Fetched)
    failed = found[bad.ref]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DecodeError)


async def test_pages_are_fetched_side_by_side(github: FakeGitHub, client: MakeClient) -> None:
    """Once page 1 has told the total, the others are under way together, within the bound."""
    run = github.add_run(REPO, jobs=scenario.matrix(900))
    github.latency = 0.01
    await client(concurrency=4).list_jobs(REPO, run.id)
    assert 2 <= github.most_in_flight() <= 4


async def test_every_page_carries_the_token(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Also on a server that is not api.github.com, where a peer dropped it on page 2."""
    run = github.add_run(REPO, jobs=250)
    await gh.list_jobs(REPO, run.id)
    assert {one.headers["authorization"] for one in github.requests} == {"Bearer ghp_secret"}


@pytest.mark.parametrize(
    ("fails_from", "count", "worked"), [(100, 88, 50), (90, 760, 50), (30, 60, 25), (11, 30, 10)]
)
@pytest.mark.parametrize("status", [502, 504])
async def test_page_sizes_step_down(
    github: FakeGitHub, gh: GitHubJobs, fails_from: int, count: int, worked: int, status: int
) -> None:
    """A page that the server cannot make is asked for in smaller ones, and the list is complete.

    Every peer asks for the same size again and again. Once is enough to tell a passing failure.
    """
    run = github.add_run(REPO, jobs=scenario.matrix(count))
    too_large = faults.bad_gateway(min_per_page=fails_from) if status == 502 else faults.status(504)
    github.fail(
        "jobs",
        too_large,
        times=None,
        where=lambda asked: int(asked.query["per_page"]) >= fails_from,
    )
    jobs = await gh.list_jobs(REPO, run.id)
    assert [job.id for job in jobs] == [job.id for job in run.jobs]
    assert jobs.complete
    failed = [size for size in sizes(github) if int(size) >= fails_from]
    assert all(failed.count(size) == 2 for size in failed), (
        "each size is tried once more, not again"
    )
    assert sizes(github)[-1] == str(worked)


async def test_a_size_that_fails_on_a_later_page_starts_the_list_over(
    github: FakeGitHub, gh: GitHubJobs
) -> None:
    """Page 3 of 100 cannot be made: the list is read again from page 1 in pages of 50."""
    run = github.add_run(REPO, jobs=scenario.matrix(320))
    github.fail(
        "jobs",
        faults.bad_gateway(),
        times=None,
        where=lambda asked: (asked.query["per_page"], asked.query["page"]) == ("100", "3"),
    )
    jobs = await gh.list_jobs(REPO, run.id)
    assert [job.id for job in jobs] == [job.id for job in run.jobs]


async def test_the_size_that_worked_is_remembered(github: FakeGitHub, gh: GitHubJobs) -> None:
    """For that repository, in whatever case it is written, and for no other."""
    runs = [github.add_run(repo, jobs=60) for repo in (REPO, REPO, "other/repo")]
    github.fail("jobs", faults.bad_gateway(min_per_page=100), times=None)
    await gh.list_jobs(REPO, runs[0].id)
    github.heal()
    github.clear_requests()
    await gh.list_jobs(REPO.upper(), runs[1].id)
    assert set(sizes(github)) == {"50"}
    github.clear_requests()
    await gh.list_jobs("other/repo", runs[2].id)
    assert set(sizes(github)) == {"100"}


async def test_a_remembered_size_grows_again(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A bad minute of the server does not condemn a repository to small pages for ever."""
    run = github.add_run(REPO)
    github.fail("jobs", faults.bad_gateway(), times=2)
    for _ in range(13):
        await gh.list_jobs(REPO, run.id)
    assert sizes(github) == ["100", "100", *["50"] * 12, "100"]


async def test_a_passing_failure_costs_one_request(github: FakeGitHub, gh: GitHubJobs) -> None:
    """A single 502 is asked for again in the same size: the list does not start over."""
    run = github.add_run(REPO, jobs=scenario.matrix(250))
    github.fail("jobs", faults.bad_gateway(), times=1, after=1)
    assert (await gh.list_jobs(REPO, run.id)).complete
    assert sizes(github) == ["100"] * 4


async def test_the_smallest_page_is_retried(github: FakeGitHub, client: MakeClient) -> None:
    """Where even ten are too many, it is tried as often as any request, and then an error."""
    run = github.add_run(REPO, jobs=60)
    rule = github.fail("jobs", faults.bad_gateway(), times=None)
    with pytest.raises(ServerError) as caught:
        await client(retries=2).list_jobs(REPO, run.id)
    assert caught.value.status == 502
    assert rule.hits == 3 * 2 + 3


@pytest.mark.parametrize(
    ("fault", "on"),
    [(faults.shifting_list("repeat"), 2), (faults.shifting_list("total"), 2)],
    ids=["repeat", "total"],
)
async def test_a_list_that_changed_is_read_once_more(
    github: FakeGitHub, gh: GitHubJobs, fault: Fault, on: int
) -> None:
    """A job that came twice, or a total that moved: read again, and whole in the end."""
    run = github.add_run(REPO, jobs=scenario.matrix(250))
    github.fail("jobs", fault, times=1)
    jobs = await gh.list_jobs(REPO, run.id)
    assert sorted(job.id for job in jobs) == sorted(job.id for job in run.jobs)
    assert jobs.complete
    assert len(github.requests) == 6


@pytest.mark.parametrize(
    ("fault", "got", "expected"),
    [
        (faults.shifting_list("short", by=2), 4, 6),
        (faults.shifting_list("total", by=7), 250, 257),
    ],
    ids=["short", "total"],
)
async def test_what_stays_short_says_so(
    github: FakeGitHub, gh: GitHubJobs, fault: Fault, got: int, expected: int
) -> None:
    """Never a silent truncation: `complete` is False, with expected and got."""
    run = github.add_run(REPO, jobs=scenario.matrix(6 if got == 4 else 250))
    github.fail("jobs", fault, times=None)
    jobs = await gh.list_jobs(REPO, run.id)
    assert (jobs.complete, jobs.got, jobs.expected) == (False, got, expected)
    assert len({job.id for job in jobs}) == len(jobs)


@pytest.mark.parametrize("kind", ["repeat", "total", "short"])
async def test_no_job_ever_comes_twice(github: FakeGitHub, gh: GitHubJobs, kind: str) -> None:
    """However the list shifts, jobs are told apart by their id."""
    run = github.add_run(REPO, jobs=scenario.matrix(330))
    github.fail("jobs", faults.shifting_list(kind, by=1), times=None)  # type: ignore[arg-type]
    jobs = await gh.list_jobs(REPO, run.id)
    assert len({job.id for job in jobs}) == len(jobs)
    assert not jobs.complete


async def test_a_total_that_is_far_too_large_ends(github: FakeGitHub, client: MakeClient) -> None:
    """The first empty page ends the list: no million pages are asked for."""
    run = github.add_run(REPO, jobs=3)
    github.fail("jobs", faults.shifting_list("total"), times=None)
    body = b'{"total_count": 100000000, "jobs": []}'
    github.fail("jobs", faults.status(200, body), times=None)
    jobs = await client(concurrency=4).list_jobs(REPO, run.id)
    assert (jobs.complete, len(jobs)) == (False, 0)
    assert len(github.requests) < 30


async def test_a_link_to_another_host_is_not_followed(github: FakeGitHub, gh: GitHubJobs) -> None:
    """Pages are asked for by number at the API's own root, wherever the Link leads."""
    run = github.add_run(REPO, jobs=scenario.matrix(250))
    github.fail("jobs", faults.link_host("https://evil.example"), times=None)
    jobs = await gh.list_jobs(REPO, run.id)
    assert jobs.complete


async def test_one_bad_job_never_costs_its_page(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The others are there; the bad one is named with its path, reason and raw value."""
    jobs = [JobSpec("good"), JobSpec("bad", overrides={"id": "five"}), JobSpec("good too")]
    run = github.add_run(REPO, jobs=jobs)
    found = await gh.list_jobs(REPO, run.id)
    assert [job.name for job in found] == ["good", "good too"]
    assert not found.complete
    (problem,) = found.undecodable
    assert (problem.path, problem.raw) == ("jobs[1].id", "five")


async def test_an_unknown_conclusion_costs_nothing(github: FakeGitHub, gh: GitHubJobs) -> None:
    """New values come about once a year."""
    run = github.add_run(REPO, jobs=[scenario.unheard_of(), scenario.older_server("old")])
    jobs = await gh.list_jobs(REPO, run.id)
    assert jobs.complete
    assert jobs[0].conclusion == "evaporated"


async def test_another_shape_is_a_decode_error(github: FakeGitHub, gh: GitHubJobs) -> None:
    """JSON without the list is neither an empty list nor a reason to ask again."""
    run = github.add_run(REPO)
    rule = github.fail("jobs", faults.status(200, b'{"message": "hello"}'), times=None)
    with pytest.raises(DecodeError):
        await gh.list_jobs(REPO, run.id)
    assert rule.hits == 1


async def test_filters_and_attempts(github: FakeGitHub, gh: GitHubJobs) -> None:
    """The latest attempt, every attempt, or one of them."""
    run = github.add_run(REPO, jobs=3, attempts=3)
    latest = await gh.list_jobs(REPO, run.id)
    everything = await gh.list_jobs(RunRef(REPO, run.id), filter="all")
    first = await gh.list_jobs(RunRef(REPO, run.id, attempt=1))
    assert (len(latest), len(everything), len(first)) == (3, 9, 3)
    assert {job.run_attempt for job in latest} == {3}
    assert {job.run_attempt for job in first} == {1}


async def test_an_attempt_that_was_not_is_not_found(github: FakeGitHub, gh: GitHubJobs) -> None:
    """There is no fourth attempt of three."""
    run = github.add_run(REPO, attempts=3)
    with pytest.raises(NotFoundError):
        await gh.list_jobs(RunRef(REPO, run.id, attempt=4))


async def test_half_a_page_is_asked_for_again(
    github: FakeGitHub, gh: GitHubJobs, time: FakeClock
) -> None:
    """Truncated JSON on any page never becomes half a list."""
    run = github.add_run(REPO, jobs=scenario.matrix(350))
    rule = github.fail("jobs", faults.truncated_json(), times=2, after=1)
    jobs = await gh.list_jobs(REPO, run.id)
    assert [job.id for job in jobs] == [job.id for job in run.jobs]
    assert rule.hits == 2
    asked = Counter(one.query["page"] for one in github.requests)
    assert sorted(asked.values()) == [1, 1, 2, 2], "each half page again, by its own number"
