"""Start the server and the measured processes, and check their answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import data
from bench.rows import MODULES, ZLIB, Row
from bench.work import CONCURRENCY, Setting

HERE = Path(__file__).parents[1]
#: The time limit of one measurement, in seconds.
MAX_SECONDS = 600.0


class WrongError(Exception):
    """A contender failed, or its answer is wrong."""


class Lab:
    """
    The server, and a folder for the logs that contenders write: enter it with ``with``.

    Args:
        pythons: The executables of other Pythons, by version.
    """

    def __init__(self, pythons: Mapping[str, str] | None = None) -> None:
        self._pythons = {"": sys.executable, **(pythons or {})}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "bench.server"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.api: str = self._read_line()["api"]
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

    def _read_line(self) -> dict[str, Any]:
        assert self._server.stdout
        found: dict[str, Any] = json.loads(self._server.stdout.readline())
        return found

    def ask_server(self, latency: float = 0.0, *, gzip: bool = False) -> dict[str, Any]:
        """Set how the server answers, and return what it did since the last call."""
        assert self._server.stdin
        command = json.dumps({"latency": latency, "gzip": gzip})
        print(command, file=self._server.stdin, flush=True)
        return self._read_line()

    def measure(self, row: Row, contender: str, *, ticking: bool = False) -> dict[str, Any]:
        """
        Let a contender do the work of a row.

        Raises:
            WrongError: The contender failed, or its answer is wrong.
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
            "again": row.again,
            "hidden": ["isal"] if contender == ZLIB else [],
        }
        # Flush earlier writes, so that they do not slow this contender down.
        os.sync()
        self.ask_server(row.latency, gzip=row.gzip)
        try:
            done = subprocess.run(
                [self._pythons[row.python], "-m", "bench.child", json.dumps(job)],
                cwd=HERE,
                capture_output=True,
                text=True,
                timeout=MAX_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise WrongError(f"not finished within {MAX_SECONDS:g} s") from None
        if done.returncode:
            raise WrongError((done.stderr.strip() or "no message").splitlines()[-1][:300])
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        server = self.ask_server()
        found["server_cpu"] = server["cpu"]
        _check(row, Setting(**setting), found["proof"], server["in_flight"])
        return found


def _check(row: Row, setting: Setting, proof: dict[str, int], in_flight: int) -> None:
    expected = row.expected()
    if expected is not None and proof != expected:
        raise WrongError(f"found {proof} instead of {expected}")
    if in_flight > CONCURRENCY:
        raise WrongError(f"{in_flight} requests in flight at once")
    if row.work != "logs":
        return
    for job_id in setting.log_ids:
        size, crc = data.log_proof(job_id)
        file = setting.file(job_id)
        if not file.exists() or file.stat().st_size != size or _crc(file) != crc:
            raise WrongError(f"the log {job_id} differs from what was sent")


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc
