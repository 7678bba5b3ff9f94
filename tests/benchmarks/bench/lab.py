"""Starts the server and the measured processes, and checks what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import data
from bench.rows import MODULES, Row
from bench.work import CONCURRENCY, Setting

HERE = Path(__file__).parents[1]
#: What one measurement may take, in seconds.
LONGEST = 600.0


class WrongError(Exception):
    """A contender failed, or its answer is wrong."""


class Lab:
    """The server, and a folder for what is written: enter it with ``with``."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "bench.server"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.api: str = self._hear()["api"]
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()
        self._folder.cleanup()

    def _hear(self) -> dict[str, Any]:
        assert self._server.stdout
        found: dict[str, Any] = json.loads(self._server.stdout.readline())
        return found

    def ask_server(self, latency: float) -> dict[str, Any]:
        """Set the server's latency; what it did since it was asked last."""
        assert self._server.stdin
        print(json.dumps({"latency": latency}), file=self._server.stdin, flush=True)
        return self._hear()

    def measure(self, row: Row, contender: str, *, ticking: bool = False) -> dict[str, Any]:
        """
        Let a contender do a row's work.

        Raises:
            WrongError: It failed, or its answer is wrong.
        """
        folder = Path(self._folder.name) / "out"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        setting = {"api": self.api, "repo": data.REPO, "folder": str(folder), **row.setting}
        job = {
            "contender": MODULES[contender],
            "work": row.work_of(contender),
            "setting": setting,
            "ticking": ticking,
        }
        # What was written before is on the disk, and costs nobody else anything.
        os.sync()
        self.ask_server(row.latency)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench.child", json.dumps(job)],
                cwd=HERE,
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise WrongError(f"not done within {LONGEST:g} s") from None
        if done.returncode:
            raise WrongError((done.stderr.strip() or "no message").splitlines()[-1][:300])
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        found["server"] = self.ask_server(0.0)
        _check(row, Setting(**setting), found)
        return found


def _check(row: Row, setting: Setting, found: dict[str, Any]) -> None:
    expected, server = row.expected(), found["server"]
    if expected is not None and found["proof"] != expected:
        raise WrongError(f"found {found['proof']} in place of {expected}")
    if server["in_flight"] > CONCURRENCY:
        raise WrongError(f"{server['in_flight']:g} requests in flight at once")
    if row.work != "logs":
        return
    for job_id in setting.log_ids:
        size, crc = data.log_proof(job_id)
        file = setting.file(job_id)
        if not file.exists() or file.stat().st_size != size or _crc(file) != crc:
            raise WrongError(f"the log {job_id} is not as it was sent")


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc
