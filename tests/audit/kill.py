"""
Kill audits with SIGKILL and let others continue them: each folder ends as if nothing had happened.

``python tests/audit/kill.py [--kills 1000] [--seed 0] [--keep FOLDER]``

Each audit is a fork of this process, so it starts at once. It reports when it has made so many calls
to the database and the file system; a moment later it is killed. So kills fall into the creation of
the file, its upgrade, the statements of a batch, the commit and the checkpoint alike.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs

sys.path.insert(0, str(Path(__file__).parent.parent))

import duckdb
from audit_tools import REPO, dump, rerun

from ghjobs_async import GitHubJobs, atomic_file
from ghjobs_async.audit import Audit, AuditPlan, AuditStore, Logs
from ghjobs_async.audit.database import writer
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario

#: The calls that are counted.
_CALLS: Final[tuple[tuple[Any, str], ...]] = (
    *((duckdb.DuckDBPyConnection, name) for name in ("begin", "execute", "commit", "close")),
    (duckdb, "connect"),
    (os, "replace"),
    (os, "unlink"),
    (atomic_file, "write_all"),
)
#: A fork is killed up to this long after its call, in seconds.
_LATER: Final = 0.004
#: An audit that takes longer hangs.
_PATIENCE: Final = 60.0


def fill(github: FakeGitHub) -> None:
    """Runs of some days, with failures and re-runs."""
    now = datetime.now(UTC).replace(microsecond=0)
    for n in range(8):
        jobs = (
            [scenario.failing("a"), JobSpec("b"), *scenario.matrix(4)] if n % 3 else [JobSpec("c")]
        )
        github.add_run(
            REPO,
            attempts=scenario.rerun_failed(jobs) if n % 4 == 1 else [jobs],
            created_at=now - timedelta(hours=1 + 11 * n),
        )


def grow(github: FakeGitHub) -> None:
    """What happens later: new runs, and one that runs again."""
    rerun(github, github.runs[0], JobSpec("c"), scenario.failing("d"))
    for _ in range(3):
        github.add_run(REPO, jobs=[scenario.failing("a"), JobSpec("b", steps=9)])


def serve(address: int, order: int) -> None:
    """Serve a GitHub; it grows at the first byte of *order*, and ends with that pipe."""
    with FakeGitHub(rate_limit=None, record=False) as github:
        fill(github)
        os.write(address, github.base_url.encode())
        os.close(address)
        if os.read(order, 1):
            grow(github)
            os.read(order, 1)


def audit(base_url: str, folder: Path, call: int, pipe: int, most: int, soon: float) -> None:
    """
    Audit; report the *call*-th counted call on *pipe*, and at the end how many there were.

    At most *most* jobs are written at once, and a batch every *soon* seconds, however small.
    """
    count = 0
    for constant, value in (("_MAX_JOBS", most), ("_SOON", soon), ("_ENOUGH", 1), ("_SHARE", 0)):
        setattr(writer, constant, value)

    def counted(made: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == call:
                os.write(pipe, b"!")
            return made(*args, **options)

        return wrapper

    for owner, name in _CALLS:
        setattr(owner, name, counted(getattr(owner, name)))

    async def run() -> None:
        async with GitHubJobs("ghp_secret", base_url=base_url, concurrency=4) as gh:
            plan = AuditPlan(repos=(REPO,), logs=Logs.FAILED)
            assert (await Audit(gh, plan, folder).run()).missing == 0

    asyncio.run(run())
    os.write(pipe, str(count).encode())


def fork(work: Callable[[], None]) -> int:
    """Run *work* in a fork that ends with it."""
    if child := os.fork():
        return child
    try:
        work()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 -- the fork must never return
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


@attrs.define
class Killer:
    """Audits one GitHub into many folders, and kills most of these audits."""

    base_url: str
    chance: random.Random
    kills: int = 0
    ended: int = 0
    _seen: int = attrs.field(default=1, init=False)

    def audit(self, folder: Path, *, kill: bool) -> bool:
        """Audit; return whether that ended, or was killed at a random moment."""
        call = self.chance.randrange(1, self._seen + 1) if kill else -1
        most = self.chance.choice((2, 8, 4_000))
        # The whole audit is one batch, or many.
        soon = self.chance.choice((0.002, 1.0))
        reader, told = os.pipe()
        child = fork(lambda: audit(self.base_url, folder, call, told, most, soon))
        os.close(told)
        said = b""
        if select.select([reader], [], [], _PATIENCE)[0]:
            said = os.read(reader, 20)
            if said.startswith(b"!"):
                end = time.perf_counter() + self.chance.random() * _LATER
                while time.perf_counter() < end:
                    pass
        if not said or said.startswith(b"!"):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(reader)
        if os.WIFSIGNALED(status):
            self.kills += 1
            return False
        assert os.waitstatus_to_exitcode(status) == 0, "an audit failed"
        self._seen = max(self._seen, int(said) if said.isdigit() else 0)
        return True

    def digest(self, folder: Path) -> str:
        """What a folder holds; read in a fork, since DuckDB's threads would not survive one."""
        reader, told = os.pipe()
        child = fork(
            lambda: (os.write(told, hashlib.sha256(repr(dump(folder)).encode()).digest()), None)[1]
        )
        os.close(told)
        found = os.read(reader, 32)
        os.close(reader)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, f"{folder} cannot be read"
        return found.hex()


def outdate(folder: Path) -> None:
    """Let the file need an upgrade."""
    with AuditStore(folder).write() as connection:
        connection.execute("UPDATE meta SET views = 'older'")


def main() -> int:
    """Kill, continue, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="copy the folders that differ to here")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    address, told = os.pipe()
    order, orders = os.pipe()
    server = fork(lambda: serve(told, order))
    with tempfile.TemporaryDirectory() as name:
        killer = Killer(os.read(address, 200).decode(), chance)
        folders = Path(name)
        before = folders / "before"
        killer.audit(before, kill=False)
        os.waitpid(fork(lambda: outdate(before)), 0)
        os.write(orders, b"!")
        whole = folders / "whole"
        killer.audit(whole, kill=False)
        wanted = killer.digest(whole)
        different = []
        while killer.kills < given.kills:
            folder = folders / f"after-{killer.kills}"
            if chance.random() < 0.5:
                shutil.copytree(before, folder)
            while not killer.audit(folder, kill=True):
                pass
            killer.ended += 1
            if killer.digest(folder) == wanted and not list(folder.rglob("*.part")):
                shutil.rmtree(folder)
            else:
                different.append(killer.kills)
                if given.keep:
                    shutil.copytree(folder, given.keep / folder.name)
    os.kill(server, signal.SIGTERM)
    os.waitpid(server, 0)
    print(json.dumps({"kills": killer.kills, "folders": killer.ended, "different": different}))
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
