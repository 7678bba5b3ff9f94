"""Audits in tests, and what their folders hold in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from async_tools import FakeClock, MakeClient

from ghjobs_async.audit import Audit, AuditPlan, AuditStore, Logs
from ghjobs_async.testing import FakeGitHub, JobSpec
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec

REPO = "octo-org/octo-repo"
#: Columns that tell when something was done, and with which token.
TIMES = {"gone_at", "fetched_at", "failed_at", "settled_at", "credential", "etag"}


def rows(folder: Path, sql: str) -> list[Any]:
    """The answer to a query."""
    with AuditStore(folder).read() as connection:
        return connection.execute(sql).fetchall()


def dump(folder: Path) -> dict[str, object]:
    """Everything that a folder has, but for times: equal for equal audits."""
    found: dict[str, object] = {}
    with AuditStore(folder).read() as connection:
        for table in ("runs", "attempts", "jobs", "steps", "reasons", "logs", "failures", "pages"):
            columns = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
            names = ", ".join(name for name in columns if name not in TIMES)
            found[table] = connection.execute(
                f"SELECT {names} FROM {table} ORDER BY ALL"
            ).fetchall()
    logs = sorted(path for path in (folder / "logs").rglob("*") if path.is_file())
    found["files"] = [(str(path.relative_to(folder)), path.read_bytes()) for path in logs]
    return found


def rerun(github: FakeGitHub, run: FakeRun, *jobs: JobSpec) -> None:
    """Run a run again: its next attempt has these jobs."""
    github._add_attempts(run, [AttemptSpec(jobs)])


class Audits:
    """Makes audits of one folder; `asked` is what the last one asked for."""

    def __init__(
        self, github: FakeGitHub, client: MakeClient, time: FakeClock, folder: Path
    ) -> None:
        self.github = github
        self.client = client
        self.time = time
        self.folder = folder

    async def __call__(
        self, *repos: str, auth: Any = "ghp_secret", logs: Logs = Logs.NONE, **options: Any
    ) -> Audit:
        """Audit, a minute after the one before."""
        self.time.time += 60
        self.github.clear_requests()
        plan = AuditPlan(repos=repos or (REPO,), logs=logs, **options)
        audit = Audit(self.client(auth), plan, self.folder)
        await audit.run()
        return audit

    @property
    def asked(self) -> list[tuple[str, int]]:
        return [(one.operation, one.status) for one in self.github.requests]

    @property
    def paths(self) -> list[str]:
        """The lists of jobs that were asked for, without the repository."""
        found = [one for one in self.github.requests if one.operation == "jobs"]
        return [one.path.partition("/actions/runs/")[2] for one in found]

    def rows(self, sql: str) -> list[Any]:
        return rows(self.folder, sql)
