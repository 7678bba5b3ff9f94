"""A process that is killed while it saves."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from async_tools import names_in

from ghjobs_async.testing import FakeGitHub, JobSpec, faults

LOG = b"x" * 999 + b"\n"
#: Runs a script that SIGINT ends, even where the tests themselves ignore it, as under nohup.
RUN = (
    "import runpy, signal, sys;"
    "signal.signal(signal.SIGINT, signal.default_int_handler);"
    "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)


def begun(folder: Path) -> bool:
    return any(path.stat().st_size for path in folder.glob(".*.part"))


def sweep(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by another way there")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
async def test_no_half_file_under_the_final_name(
    github: FakeGitHub, tmp_path: Path, name: str
) -> None:
    """Killed in the middle of a log, in whatever way: no file has the name of the log."""
    job = github.add_run("octo-org/octo-repo", jobs=[JobSpec(log=LOG * 1000)]).jobs[0]
    github.fail("storage", faults.stall_body(500_000), times=None)
    script = Path(__file__).with_name("killed_while_saving.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, str(script), github.base_url, str(job.id), str(tmp_path)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while not begun(tmp_path):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            process.send_signal(signal.Signals[name])
            assert await process.wait() != 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    names = names_in(tmp_path)
    assert "log.txt" not in names
    if name == "SIGINT":
        assert names == []
    sweep(tmp_path)
