"""Servers whose values are odd, whose answers belong to others, and whose lists never end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from async_tools import FakeClock

from ghjobs_async import DecodeError, Failed, Fetched, GitHubJobs, Job, Run, RunRef, TransportError

REPO = "octo-org/octo-repo"
URL = f"https://api.github.com/repos/{REPO}"
WHEN = "2026-10-01T12:00:00Z"
#: Takes the path's parts and the query; gives the value to answer with.
Answer = Callable[[list[str], dict[str, str]], object]


def job(id_: object, run_id: object = 7, **more: object) -> dict[str, object]:
    given = dict.fromkeys(("node_id", "head_sha", "name", "check_run_url"), "x")
    times = {"created_at": WHEN, "started_at": WHEN}
    urls = {"url": f"{URL}/actions/jobs/{id_}", "run_url": f"{URL}/actions/runs/{run_id}"}
    return {"id": id_, "run_id": run_id, "status": "queued", **given, **times, **urls, **more}


def run(id_: object, created_at: str = WHEN, **more: object) -> dict[str, object]:
    given = dict.fromkeys(("node_id", "head_sha", "event", "url"), "x")
    repository = {"id": 1, "full_name": REPO}
    numbers = {"run_number": 1, "workflow_id": 1}
    values = {"id": id_, **given, **numbers, "created_at": created_at, "repository": repository}
    return {**values, **more}


class Server:
    """Answers every request with what a function gives, and counts requests and connections."""

    def __init__(self) -> None:
        self.answer: Answer = lambda path, query: {}
        # Whether the next answer names another page.
        self.link = False
        self.asked = 0
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def close(self) -> None:
        for writer in self.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.asked += 1
                url = urlsplit(head.split()[1])
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                value = self.answer(url.path.strip("/").split("/"), query)
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                # Head and small body come together, as they do from a real server.
                length = f"Content-Length: {len(body)}\r\n"
                host = head.lower().partition("host: ")[2].split()[0]
                more = f'Link: <http://{host}/x>; rel="next"\r\n' if self.link else ""
                writer.write(f"HTTP/1.1 200 OK\r\n{length}{more}\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


@pytest.fixture
async def server() -> Server:
    return Server()


@pytest.fixture
async def gh(server: Server, time: FakeClock) -> AsyncIterator[GitHubJobs]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with GitHubJobs(None, base_url=root, clock=time.clock, retries=2) as client:
        yield client
    listening.close()
    await server.close()


ODD = [0, -1, 2**63, 2**70, "5", None, 1.5, True]


# `run_attempt` is absent on older servers.
FIELDS = [(field, odd) for field in ("id", "run_id", "run_attempt") for odd in ODD]


@pytest.mark.parametrize(("field", "odd"), [one for one in FIELDS if one != ("run_attempt", None)])
async def test_an_odd_id_costs_its_job_only(
    server: Server, gh: GitHubJobs, field: str, odd: object
) -> None:
    """The job is undecodable, with its path; the others are there."""
    jobs = [job(1), {**job(2), field: odd}, job(3)]
    server.answer = lambda path, query: {"total_count": 3, "jobs": jobs}
    found = await gh.list_jobs(REPO, 7)
    assert [one.id for one in found] == [1, 3]
    assert [problem.path for problem in found.undecodable] == [f"jobs[1].{field}"]
    assert not found.complete


@pytest.mark.parametrize("odd", ODD, ids=repr)
async def test_an_odd_run_ends_no_fan_out(server: Server, gh: GitHubJobs, odd: object) -> None:
    """Of a search whose second run has an odd id, the others are listed."""

    def answer(path: list[str], query: dict[str, str]) -> object:
        if path[-1] == "runs":
            return {"total_count": 3, "workflow_runs": [run(1), run(odd), run(3)]}
        return {"total_count": 1, "jobs": [job(9, int(path[-2]))]}

    server.answer = answer
    search = gh.iter_runs(REPO)
    async with gh.fan_out(search) as outcomes:
        found = [outcome async for outcome in outcomes]
        assert (outcomes.done, outcomes.failed, outcomes.total) == (2, 0, 2)
    assert sorted(outcome.ref.run_id for outcome in found) == [1, 3]
    assert not search.complete
    assert [problem.path for problem in search.undecodable] == ["workflow_runs[1].id"]


async def test_an_absurd_attempt_costs_its_run_only(server: Server, gh: GitHubJobs) -> None:
    """A run that says to have run again a billion times would be asked for as often."""
    runs = [run(1), run(2, run_attempt=10**9), run(3, run_attempt=1_000)]
    server.answer = lambda path, query: {"total_count": 3, "workflow_runs": runs}
    search = gh.iter_runs(REPO)
    assert [len(found.attempts) async for found in search] == [1, 1_000]
    [problem] = search.undecodable
    assert problem.path == "workflow_runs[1].run_attempt"
    assert "attempt" in problem.reason


async def test_an_odd_reference_is_an_outcome(server: Server, gh: GitHubJobs) -> None:
    """A run whose repository has no name fails by itself."""
    odd = {**run(2), "repository": {"id": 1, "full_name": "../.."}}
    runs = {"total_count": 2, "workflow_runs": [run(1), odd]}
    jobs = {"total_count": 1, "jobs": [job(9, 1)]}
    server.answer = lambda path, query: runs if path[-1] == "runs" else jobs
    async with gh.fan_out(gh.iter_runs(REPO)) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert [type(outcome) for outcome in sorted(found, key=lambda o: isinstance(o, Failed))] == [
        Fetched,
        Failed,
    ]


@pytest.mark.parametrize(
    "jobs",
    [
        [job(1), job(2, 8)],
        [job(1), job(1)],
        [job(1), {**job(2), "id": "two"}],
    ],
    ids=["another run's", "twice", "undecodable"],
)
async def test_complete_means_all_of_it(
    server: Server, gh: GitHubJobs, jobs: list[dict[str, object]]
) -> None:
    """A job of another run, one that came twice or one that is odd: the list is not complete."""
    server.answer = lambda path, query: {"total_count": len(jobs), "jobs": jobs}
    found = await gh.list_jobs(REPO, 7)
    assert not found.complete
    assert [one.id for one in found] == [1]
    odd = [problem.raw for problem in found.undecodable]
    assert odd == [other for other in (8, "two") if other in {*jobs[1].values()}]


async def test_pages_that_disagree_are_not_complete(server: Server, gh: GitHubJobs) -> None:
    """Each page names another total: not complete, though the last one fits."""
    totals = iter(range(101, 200))

    def answer(path: list[str], query: dict[str, str]) -> object:
        start = (int(query["page"]) - 1) * 100
        jobs = [job(start + n + 1) for n in range(100)]
        return {"total_count": 200 if query["page"] == "2" else next(totals), "jobs": jobs}

    server.answer = answer
    found = await gh.list_jobs(REPO, 7)
    assert (len(found), found.total_count, found.complete) == (200, 200, False)


# Answers to other questions.

CALLS: dict[str, tuple[Callable[[GitHubJobs], Any], object, object]] = {
    "job": (lambda gh: gh.get_job(REPO, 5), job(7), job(5)),
    "job's JSON": (lambda gh: gh.get_job_json(REPO, 5), job(7), job(5)),
    "run": (lambda gh: gh.get_run(REPO, 5), run(7), run(5)),
    "attempt": (
        lambda gh: gh.get_run(RunRef(REPO, 5, 2)),
        run(5, run_attempt=1),
        run(5, run_attempt=2),
    ),
    "list": (
        lambda gh: gh.list_jobs(REPO, 5),
        {"total_count": 1, "jobs": [job(1, 7)]},
        {"total_count": 1, "jobs": [job(1, 5)]},
    ),
}


@pytest.mark.parametrize(("call", "wrong", "right"), CALLS.values(), ids=CALLS.keys())
async def test_an_answer_to_another_request_is_asked_for_again(
    server: Server, gh: GitHubJobs, call: Any, wrong: object, right: object
) -> None:
    """The connection that mixed up its answers is dropped; the next one gives the right answer."""
    # A connection that is off by one stays so.
    server.answer = lambda path, query: wrong if server.connections == 1 else right
    value = await call(gh)
    assert (server.asked, server.connections) == (2, 2)
    assert isinstance(value, Job | Run | dict) or value.complete


@pytest.mark.parametrize(("call", "wrong", "right"), CALLS.values(), ids=CALLS.keys())
async def test_an_answer_that_stays_wrong_is_an_error(
    server: Server, gh: GitHubJobs, call: Any, wrong: object, right: object
) -> None:
    """After as many tries as allowed, each over a connection of its own."""
    server.answer = lambda path, query: wrong
    with pytest.raises(TransportError, match="asked for"):
        await call(gh)
    assert (server.asked, server.connections) == (3, 3)


# Lists without an end.


def full(query: dict[str, str], total: int, *, shift: int = 0) -> dict[str, object]:
    size, page = int(query["per_page"]), int(query["page"])
    start = (page - 1) * size + shift
    return {"total_count": total, "jobs": [job(start + n + 1) for n in range(size)]}


async def test_an_absurd_total_is_an_error(server: Server, gh: GitHubJobs) -> None:
    """No list has 10^17 items: the error says so, and few requests are spent."""
    server.answer = lambda path, query: full(query, 10**17)
    with pytest.raises(TransportError, match="total_count is 100000000000000000") as caught:
        await gh.list_jobs(REPO, 7)
    assert not caught.value.retryable
    assert server.asked <= 150


@pytest.mark.parametrize("total", [10_000, 99_000])
async def test_a_page_that_comes_again_and_again_is_an_error(
    server: Server, gh: GitHubJobs, total: int
) -> None:
    """A server that repeats page 1 for ever is left after a few of them."""
    server.answer = lambda path, query: full({**query, "page": "1"}, total)
    with pytest.raises(TransportError, match="the same page again") as caught:
        await gh.list_jobs(REPO, 7)
    assert not caught.value.retryable
    assert server.asked <= 80


async def test_a_page_may_come_again_twice(server: Server, gh: GitHubJobs) -> None:
    """A list that shifts may do that: it is not complete, and no error."""

    def answer(path: list[str], query: dict[str, str]) -> object:
        return full({**query, "page": "1"} if int(query["page"]) <= 3 else query, 500)

    server.answer = answer
    found = await gh.list_jobs(REPO, 7)
    assert (len(found), found.complete) == (300, False)


async def test_a_search_that_ignores_created_is_an_error(server: Server, gh: GitHubJobs) -> None:
    """It is split by time, and each part gives the same runs: nothing would ever end that."""

    def answer(path: list[str], query: dict[str, str]) -> object:
        runs = [run(n + 1, f"2026-10-{n % 28 + 1:02}T12:00:00Z") for n in range(100)]
        return {"total_count": 5000, "workflow_runs": runs}

    server.answer = answer
    with pytest.raises(TransportError, match="ignores created") as caught:
        _ = [one async for one in gh.iter_runs(REPO, status="failure")]
    assert not caught.value.retryable
    assert server.asked <= 300


async def test_parts_that_are_less_than_the_whole_are_not_complete(
    server: Server, gh: GitHubJobs
) -> None:
    """The first answer counts 1,500 runs, and its parts have none: they are missing."""

    def answer(path: list[str], query: dict[str, str]) -> object:
        total = 0 if "created" in query else 1500
        runs = [run(n + 1) for n in range(100)]
        return {"total_count": total, "workflow_runs": runs if total else []}

    server.answer = answer
    search = gh.iter_runs(REPO, status="failure")
    assert [one async for one in search] == []
    assert (search.total_count, search.complete) == (1500, False)


# Odd JSON.


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b" \n", b"\xef\xbb\xbf \n"])
async def test_json_behind_a_byte_order_mark(server: Server, gh: GitHubJobs, prefix: bytes) -> None:
    """Some proxies put one in front."""
    body = {"total_count": 1, "jobs": [job(1)]}
    server.answer = lambda path, query: prefix + json.dumps(body).encode()
    assert (await gh.list_jobs(REPO, 7)).complete


@pytest.mark.parametrize("body", [[], "text", 5, None])
async def test_json_that_is_no_object_is_no_job(
    server: Server, gh: GitHubJobs, body: object
) -> None:
    """An error that shows what came, and no request more."""
    server.answer = lambda path, query: body
    for call in (gh.get_job, gh.get_job_json):
        with pytest.raises(DecodeError) as caught:
            await call(REPO, 5)
        assert [problem.raw for problem in caught.value.problems] == [body]
    assert server.asked == 2


async def test_a_key_that_comes_twice(server: Server, gh: GitHubJobs) -> None:
    """The last one counts, as everywhere in Python."""
    text = json.dumps(job(5))[:-1] + ', "name": "last"}'
    server.answer = lambda path, query: text.encode()
    assert (await gh.get_job(REPO, 5)).name == "last"


# Lists that are told in another way.


async def test_a_total_may_stand_behind_the_items(server: Server, gh: GitHubJobs) -> None:
    """GitHub writes it first; a list where it stands last is read whole all the same."""

    def answer(path: list[str], query: dict[str, str]) -> object:
        page = full(query, 250)
        return {"jobs": page["jobs"][: 250 - 100 * (int(query["page"]) - 1)], "total_count": 250}  # type: ignore[index]

    server.answer = answer
    found = await gh.list_jobs(REPO, 7)
    assert (len(found), found.complete, server.asked) == (250, True, 3)


async def test_half_a_page_without_its_total_is_asked_for_again(
    server: Server, gh: GitHubJobs
) -> None:
    """The total stood behind the cut: page 1 comes again, and then the list is whole."""
    whole = {"jobs": [job(n) for n in range(1, 6)], "total_count": 5}
    answers = iter([json.dumps(whole).encode()[:-40], whole])
    pages: list[str] = []

    def answer(path: list[str], query: dict[str, str]) -> object:
        pages.append(query["page"])
        return next(answers)

    server.answer = answer
    assert (await gh.list_jobs(REPO, 7)).complete
    assert pages == ["1", "1"]


async def test_half_a_page_is_not_made_whole_by_another_list(
    server: Server, gh: GitHubJobs
) -> None:
    """What comes in its place is checked as well: another run's jobs are asked for once more."""
    page = {"total_count": 5, "jobs": [job(n) for n in range(1, 6)]}
    other = {"total_count": 5, "jobs": [job(n, 8) for n in range(1, 6)]}
    answers = iter([json.dumps(page).encode()[:-40], other, page])
    server.answer = lambda path, query: next(answers)
    assert (await gh.list_jobs(REPO, 7)).complete
    assert server.asked == 3


@pytest.mark.parametrize(("total", "pages"), [(100, 2), (100, 5), (150, 4), (0, 1)])
async def test_a_link_may_know_more_pages_than_the_total(
    server: Server, gh: GitHubJobs, total: int, pages: int
) -> None:
    """They are read too, though the list is not complete then."""

    def answer(path: list[str], query: dict[str, str]) -> object:
        server.link = int(query["page"]) < pages
        return full(query, total)

    server.answer = answer
    found = await gh.list_jobs(REPO, 7)
    assert [one.id for one in found] == [*range(1, 100 * pages + 1)]
    assert not found.complete
    # A list that is not complete is read once more.
    assert server.asked == 2 * pages
