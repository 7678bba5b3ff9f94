"""The garbage collector rests while lists are made, and never for long."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from async_tools import MakeClient, take_all

from ghjobs_async import RunRef, pages
from ghjobs_async.collector import REST_MOST, Turns
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"


@pytest.fixture(autouse=True)
def _switched_back() -> Iterator[None]:
    yield
    gc.enable()


@pytest.fixture
def turns() -> Turns:
    return Turns()


async def take(turns: Turns, bursts: int, seen: list[bool]) -> None:
    """Have a turn of so many bursts; note after each whether the collector is on."""
    async with turns.turn():
        for _ in range(bursts):
            with turns.burst():
                assert not gc.isenabled()
            seen.append(gc.isenabled())
            await asyncio.sleep(0)


async def test_it_is_on_after_a_single_turn(turns: Turns) -> None:
    """A list that nobody waits behind leaves the collector on."""
    await take(turns, 2, [])
    assert gc.isenabled()


async def test_it_rests_from_turn_to_turn(turns: Turns) -> None:
    """While the next list waits, the collector rests on, and is on after the last one."""
    seen: list[bool] = []
    await asyncio.gather(*[take(turns, 1, seen) for _ in range(3)])
    assert seen == [False] * 3
    assert gc.isenabled()


async def test_it_never_rests_for_long(turns: Turns) -> None:
    """However many lists wait, it is on again after so many bursts in a row."""
    seen: list[bool] = []
    await asyncio.gather(*[take(turns, 1, seen) for _ in range(2 * REST_MOST + 1)])
    assert [index for index, on in enumerate(seen, 1) if on] == [REST_MOST, 2 * REST_MOST]


async def test_it_never_rests_for_long_in_one_list(turns: Turns) -> None:
    """The same for one long list."""
    seen: list[bool] = []
    await take(turns, REST_MOST + 1, seen)
    assert seen.count(True) == 1


async def test_it_stays_off_where_the_program_switched_it_off(turns: Turns) -> None:
    """A collector that was off before is never switched on."""
    gc.disable()
    await asyncio.gather(*[take(turns, REST_MOST, []) for _ in range(2)])
    assert not gc.isenabled()


async def test_one_client_does_not_end_the_rest_of_another(turns: Turns) -> None:
    """Whoever began the rest ends it."""
    other = Turns()
    async with turns.turn():
        with turns.burst():
            pass
        async with other.turn():
            with other.burst():
                pass
        assert not gc.isenabled()
    assert gc.isenabled()


async def test_it_is_on_after_an_error(turns: Turns) -> None:
    """What fails in the middle of a burst switches it on again."""

    async def fail() -> None:
        async with turns.turn():
            with turns.burst():
                raise ValueError("half a page")

    with pytest.raises(ValueError, match="half"):
        await fail()
    assert gc.isenabled()


@pytest.mark.parametrize("ticks", range(6))
async def test_it_is_on_after_cancellation(turns: Turns, ticks: int) -> None:
    """Lists that are cancelled, waiting or in their turn, switch it on again."""
    tasks = [asyncio.create_task(take(turns, 2, [])) for _ in range(3)]
    for _ in range(ticks):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gc.isenabled()


async def test_lists_are_made_while_it_rests(
    github: FakeGitHub, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages of a list become objects without the collector."""
    on: list[bool] = []
    whole = pages._Reading._whole

    def noted(self: Any, number: int, answer: Any) -> Any:
        on.append(gc.isenabled())
        return whole(self, number, answer)

    monkeypatch.setattr(pages._Reading, "_whole", noted)
    run = github.add_run(REPO, jobs=150)
    async with client() as gh:
        await gh.list_jobs(REPO, run.id)
    assert on == [False, False]


async def test_a_fan_out_leaves_it_on(github: FakeGitHub, client: MakeClient) -> None:
    """Many lists side by side, and a fan-out that is left early: it is on."""
    refs = [RunRef(REPO, github.add_run(REPO, jobs=30).id) for _ in range(40)]
    async with client() as gh:
        async with gh.fan_out(refs) as outcomes:
            assert len(await take_all(outcomes)) == 40
        assert gc.isenabled()
        async with gh.fan_out(refs) as outcomes:
            await anext(outcomes)
        assert gc.isenabled()


FORKED = """
import asyncio, gc, os
from ghjobs_async.collector import Turns

async def main():
    turns = Turns()
    async with turns.turn():
        with turns.burst():
            child = os.fork()
            if not child:
                os._exit(0 if gc.isenabled() else 1)
            assert not gc.isenabled()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

raise SystemExit(asyncio.run(main()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_forked_child_has_it_on() -> None:
    """A process that is forked off meanwhile does not start with the collector off for good."""
    done = subprocess.run([sys.executable, "-c", FORKED], check=False)
    assert done.returncode == 0


CLOSED = """
import asyncio, gc, sys
from ghjobs_async.collector import Turns

async def take(turns):
    async with turns.turn():
        for _ in range(3):
            with turns.burst():
                pass
            await asyncio.sleep(0)

loop = asyncio.new_event_loop()
turns = Turns()
tasks = [loop.create_task(take(turns)) for _ in range(4)]
loop.run_until_complete(asyncio.sleep(0))
assert not gc.isenabled()
if sys.argv[1] == "drop":
    tasks.clear()
loop.close()
raise SystemExit(0 if gc.isenabled() else 1)
"""


@pytest.mark.parametrize("tasks", ["keep", "drop"])
def test_a_loop_closed_in_the_middle_leaves_it_on(tasks: str) -> None:
    """Whoever stops a loop in the middle of a list has a collector nevertheless."""
    done = subprocess.run(
        [sys.executable, "-c", CLOSED, tasks], check=False, stderr=subprocess.DEVNULL
    )
    assert done.returncode == 0
