"""Failures do not multiply: what random faults cost in requests."""

from __future__ import annotations

import random
from collections.abc import Callable

from async_tools import FakeClock, MakeClient

from ghjobs_async import Fetched
from ghjobs_async.testing import FakeGitHub, faults

REPO = "octo-org/octo-repo"
RUNS = 2000
RATE = 0.01
MAX_COST = 1.1


def now_and_then(seed: int) -> Callable[[object], bool]:
    chance = random.Random(seed)
    return lambda asked: chance.random() < RATE


async def test_random_faults_cost_little(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """One in a hundred answers each is a 502, a reset or half a body: 1.1 times the requests."""
    runs = [github.add_run(REPO, jobs=101) for _ in range(RUNS)]
    for seed, fault in enumerate((faults.bad_gateway(), faults.reset(), faults.break_body(500))):
        github.fail("jobs", fault, times=None, where=now_and_then(seed))
    gh = client(requests_per_minute=None)
    async with gh.fan_out([run.ref for run in runs]) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert all(isinstance(one, Fetched) and one.value.complete for one in found)
    assert sum(len(one.value) for one in found if isinstance(one, Fetched)) == RUNS * 101
    assert len(github.requests) <= RUNS * 2 * MAX_COST
