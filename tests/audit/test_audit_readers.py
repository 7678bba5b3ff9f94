"""Another process that reads while an audit writes."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from async_tools import EPOCH, MakeClient

from ghjobs_async.audit import Audit, AuditPlan, Logs
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario

REPO = "octo-org/octo-repo"
RUNS = 60


async def test_a_reader_in_a_loop_sees_whole_runs(
    github: FakeGitHub, client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it looks, each run has all its jobs and steps; and both come to their end."""
    monkeypatch.setattr("ghjobs_async.audit.database.writer._SOON", 0.05)
    monkeypatch.setattr("ghjobs_async.audit.database.writer._SHARE", 0)
    for n in range(RUNS):
        jobs = [scenario.failing("a"), JobSpec("b")]
        created = datetime.fromtimestamp(EPOCH, UTC) - timedelta(hours=n)
        github.add_run(REPO, jobs=jobs, attempts=1 + n % 2, created_at=created)
    github.latency = 0.01
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("reader.py"))),
        *(str(tmp_path), str(RUNS)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        plan = AuditPlan(repos=(REPO,), logs=Logs.FAILED)
        await Audit(client(concurrency=2), plan, tmp_path).run()
        out, err = await asyncio.wait_for(reader.communicate(), 60)
    finally:
        if reader.returncode is None:
            reader.kill()
            await reader.wait()
    assert reader.returncode == 0, err.decode()
    looks, states = map(int, out.split())
    assert looks >= states >= 2
