"""``ghjobs export`` and ``ghjobs merge``: an audit taken away, and audits joined."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from store_tools import AT, REPO, a_job, a_run, listing, rows, store_in

from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch, SavedLog


def audit_in(folder: Path, number: int) -> Path:
    batch = Batch(
        at=AT,
        runs=[(REPO, a_run(number))],
        listings=[listing(a_job(number, number))],
        logs=[SavedLog(REPO, number, number, f"logs/{number}.log", 2)],
    )
    (folder / "logs").mkdir(parents=True)
    (folder / f"logs/{number}.log").write_text("ok")
    return store_in(folder, batch).folder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_ndjson(ghjobs: Any, tmp_path: Path) -> None:
    """``--format ndjson`` writes GitHub's JSON of each job of the audit here."""
    audit_in(tmp_path / "ghjobs-audit", 1)
    ran = ghjobs("export", "--format", "ndjson", "--output", "out")
    assert (ran.status, ran.out, ran.err) == (0, "", "jobs.ndjson is in out\n")
    found = json.loads((tmp_path / "out/jobs.ndjson").read_text())
    assert found == {"repository": REPO, **a_job(1, 1).to_dict()}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables(ghjobs: Any, tmp_path: Path, form: str) -> None:
    """The other formats write a file for each table, of the audit that ``--audit`` names."""
    audit_in(tmp_path / "october", 1)
    ran = ghjobs("export", "--format", form, "-o", "lake", "--audit", "october", "-q")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    names = {path.name for path in (tmp_path / "lake").iterdir()}
    assert {f"runs.{form}", f"jobs.{form}", f"steps.{form}"} <= names


def test_merging(ghjobs: Any, tmp_path: Path) -> None:
    """Audits become one, with their logs; a second merge changes nothing."""
    parts = [audit_in(tmp_path / str(number), number) for number in (1, 2)]
    for _ in range(2):
        ran = ghjobs("merge", *parts, "--output", "all")
        assert (ran.status, ran.out) == (0, "")
        assert ran.err == "2 runs, 2 jobs, 2 logs are in all\n"
    assert (tmp_path / "all/logs/2.log").read_text() == "ok"
    assert rows(AuditStore(tmp_path / "all"), "SELECT job_id FROM jobs ORDER BY 1") == [(1,), (2,)]


def test_a_missing_log_is_incomplete(ghjobs: Any, tmp_path: Path) -> None:
    """A log that a part names and does not have ends with status 3."""
    part = audit_in(tmp_path / "part", 1)
    (part / "logs/1.log").unlink()
    ran = ghjobs("merge", part, "--output", "all", "--quiet")
    assert ran.status == 3
    assert ran.err == "ghjobs: incomplete: 1 log had no file in these folders\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["export", "--format", "xlsx", "--output", "x"], "--format"),
        (["export", "--output", "x"], "--format"),
        (["export", "--format", "csv"], "--output"),
        (["export", "--format", "csv", "--output", "x"], "no audit in ghjobs-audit"),
        (["export", "--format", "csv", "--audit", "real", "--output", "file"], "not a folder"),
        (["export", "--format", "csv", "--audit", "real", "--output", "file/x"], "not a folder"),
        (["merge", "--output", "x"], "which audits"),
        (["merge", "a"], "--output"),
        (["merge", "a", "--output", "x"], "no audit in a"),
        (["merge", "real", "--output", "real"], "is the output itself"),
        (["merge", "real", "--output", "file"], "not a folder"),
    ],
)
def test_wrong_usage(ghjobs: Any, tmp_path: Path, argv: list[str], said: str) -> None:
    """What cannot be right ends with status 2 and one line, and writes nothing."""
    audit_in(tmp_path / "real", 1)
    (tmp_path / "file").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    ran = ghjobs(*argv)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert said in ran.err
    assert sorted(tmp_path.rglob("*")) == before
