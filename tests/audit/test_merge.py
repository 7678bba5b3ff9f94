"""Merged audits: the same as one audit, however they overlap and how often they are merged."""

from __future__ import annotations

import shutil
from itertools import permutations
from pathlib import Path
from typing import Any

import attrs
import pytest
from store_tools import AT, REPO, a_job, a_run, a_step, at, listing, rows, store_in

from ghjobs_async.audit import AuditStore, merge
from ghjobs_async.audit.database.batch import (
    Attempt,
    AuditRow,
    Batch,
    Failure,
    Listing,
    Missing,
    Reason,
    SavedLog,
    StoredPage,
)
from ghjobs_async.errors import ConfigurationError

TABLES = ("runs", "attempts", "jobs", "steps", "reasons", "logs", "failures", "audits")


def dump(folder: Path) -> dict[str, list[str]]:
    """Return the rows of all tables, and the logs."""
    store = AuditStore(folder)
    found = {table: sorted(map(str, rows(store, f"FROM {table}"))) for table in TABLES}
    logs = [path for path in folder.rglob("*.log") if path.is_file()]
    return found | {"files": sorted(f"{p.relative_to(folder)} {p.read_text()}" for p in logs)}


def of_run(run_id: int, *, attempts: int = 2) -> dict[str, Any]:
    """Return what an audit stores of a run with a re-run, a failure and a log."""
    first = [a_job(run_id * 10 + n, run_id, name=f"job {n}") for n in range(3)]
    again = [attrs.evolve(job, id=job.id + 5, run_attempt=2) for job in first[:2]]
    jobs = [*first, *(again if attempts == 2 else ())]
    return {
        "runs": [(REPO, a_run(run_id, run_attempt=attempts, updated_at=at(100 * attempts)))],
        "listings": [Listing(REPO, run_id, jobs)],
        "attempts": [Attempt(REPO, run_id, n, 3) for n in range(1, attempts + 1)],
        "logs": [SavedLog(REPO, run_id, run_id * 10, f"logs/o/{run_id}.log", 2)],
        "reasons": [Reason(repository=REPO, run_id=run_id, job_id=run_id * 10, kind="test")],
        "failures": [
            Failure(REPO, run_id, run_id * 10 + 1, "log", "LogUnavailableError", "no", "expired")
        ],
    }


def batch(*runs: dict[str, Any], **changes: Any) -> Batch:
    names = ("runs", "listings", "attempts", "logs", "reasons", "failures")
    joined = {name: [one for run in runs for one in run[name]] for name in names}
    return Batch(**{"at": AT, "audit_id": "a", **joined, **changes})


def audit_in(folder: Path, *batches: Batch) -> Path:
    store = store_in(folder, *batches)
    for (path,) in rows(store, "SELECT path FROM logs"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("ok")
    return folder


def test_parts_equal_one_audit(tmp_path: Path) -> None:
    """Shards that are merged, in any order and twice, are what one audit would have stored."""
    runs = [of_run(number, attempts=1 + number % 2) for number in range(1, 7)]
    one = audit_in(tmp_path / "one", batch(*runs))
    parts = [audit_in(tmp_path / str(n), batch(*runs[n::3])) for n in range(3)]
    for place, order in enumerate(permutations(parts)):
        merged = tmp_path / f"merged-{place}"
        result = merge(order, merged)
        assert dump(merged) == dump(one)
        assert (result.runs, result.jobs, result.logs, result.missing) == (6, 24, 6, 0)
    again = tmp_path / "merged-0"
    merge([*parts, parts[0]], again)
    assert dump(again) == dump(one)
    assert sorted(path.name for path in again.iterdir()) == ["audit.duckdb", "logs"]


def test_parts_may_overlap(tmp_path: Path) -> None:
    """What two parts both have is there once, also in the order of its steps."""
    steps = (a_step(9), a_step(1), a_step(5))
    runs = [of_run(number) for number in range(1, 4)]
    runs[1]["listings"] = [listing(a_job(20, 2, steps=steps))]
    one = audit_in(tmp_path / "one", batch(*runs))
    parts = [audit_in(tmp_path / str(n), batch(*runs[n : n + 2])) for n in range(2)]
    merge(parts, tmp_path / "merged")
    assert dump(tmp_path / "merged") == dump(one)
    found = rows(
        AuditStore(tmp_path / "merged"), "SELECT number FROM steps WHERE job_id = 20 ORDER BY rowid"
    )
    assert found == [(9,), (1,), (5,)]


def test_an_existing_audit_grows(tmp_path: Path) -> None:
    """The output may be an audit already: it keeps what it has."""
    one = audit_in(tmp_path / "one", batch(of_run(1), of_run(2)))
    part = audit_in(tmp_path / "part", batch(of_run(2)))
    into = audit_in(tmp_path / "into", batch(of_run(1)))
    merge([part], into)
    assert dump(into) == dump(one)


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_state_of_a_run_wins(tmp_path: Path, turned: bool) -> None:
    """An older audit of a run adds nothing to a newer one, whichever comes first."""
    older = audit_in(tmp_path / "older", batch(of_run(1, attempts=1)))
    newer = audit_in(tmp_path / "newer", batch(of_run(1, attempts=2)))
    order = [newer, older] if turned else [older, newer]
    merge(order, tmp_path / "merged")
    assert dump(tmp_path / "merged") == dump(newer)


@pytest.mark.parametrize("turned", [False, True])
def test_a_job_that_was_running(tmp_path: Path, turned: bool) -> None:
    """Of an attempt that had not ended the later state is kept, with all jobs that either has."""
    running = a_job(1, status="in_progress", conclusion=None, completed_at=None, steps=())
    older = Batch(
        at=AT, runs=[(REPO, a_run(updated_at=at(1)))], listings=[listing(running, a_job(2))]
    )
    newer = Batch(
        at=AT,
        runs=[(REPO, a_run(updated_at=at(2)))],
        listings=[listing(a_job(1), a_job(3), complete=False)],
    )
    parts = [store_in(tmp_path / "a", older).folder, store_in(tmp_path / "b", newer).folder]
    merge(parts[::-1] if turned else parts, tmp_path / "merged")
    store = AuditStore(tmp_path / "merged")
    found = rows(store, "SELECT job_id, status FROM jobs ORDER BY ALL")
    assert found == [(number, "completed") for number in (1, 2, 3)]
    assert rows(store, "SELECT count(*) FROM steps") == [(6,)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_complete_attempt_wins(tmp_path: Path, turned: bool) -> None:
    """A part that has all jobs of an attempt replaces one that has some of them."""
    run = (REPO, a_run())
    some = Batch(
        at=AT, runs=[run], listings=[listing(a_job(1, name="old"), a_job(9), complete=False)]
    )
    whole = Batch(
        at=AT, runs=[run], listings=[listing(a_job(1), a_job(2))], attempts=[Attempt(REPO, 7, 1, 2)]
    )
    parts = [store_in(tmp_path / "a", some).folder, store_in(tmp_path / "b", whole).folder]
    merge(parts[::-1] if turned else parts, tmp_path / "merged")
    found = rows(AuditStore(tmp_path / "merged"), "SELECT job_id, name FROM jobs ORDER BY ALL")
    assert found == [(1, "build"), (2, "build")]


@pytest.mark.parametrize("turned", [False, True])
def test_attempts_of_several_parts_are_one_run(tmp_path: Path, turned: bool) -> None:
    """A job is inherited also where another part has the earlier attempt; each id is there once."""
    first = Batch(at=AT, listings=[listing(a_job(1), attempt=1)])
    again = (a_job(1, run_attempt=2), a_job(2, run_attempt=2))
    second = Batch(at=AT, listings=[listing(*again, attempt=2)])
    parts = [store_in(tmp_path / "a", first).folder, store_in(tmp_path / "b", second).folder]
    merge(parts[::-1] if turned else parts, tmp_path / "merged")
    store = AuditStore(tmp_path / "merged")
    found = rows(store, "SELECT job_id, run_attempt, inherited FROM jobs ORDER BY ALL")
    assert found == [(1, 1, False), (2, 2, True)]
    found = rows(store, "SELECT job_id, run_attempt, count(*) FROM steps GROUP BY ALL ORDER BY ALL")
    assert found == [(1, 1, 2), (2, 2, 2)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_run_that_is_gone_stays_gone(tmp_path: Path, turned: bool) -> None:
    """A part that has not seen that a run is gone does not bring it back."""
    there = Batch(at=AT, runs=[(REPO, a_run())])
    parts = [
        store_in(tmp_path / "a", there).folder,
        store_in(tmp_path / "b", there, Batch(at=at(5), gone=[(REPO, 7)])).folder,
    ]
    merge(parts[::-1] if turned else parts, tmp_path / "merged")
    [(gone,)] = rows(AuditStore(tmp_path / "merged"), "SELECT gone_at FROM runs")
    assert gone is not None


# Failures.

SEARCH = Failure(REPO, None, None, "search", "TransportError", "no")
FAILED = "SELECT what, text FROM failures ORDER BY ALL"


def audit(name: str, start: float, **changes: Any) -> AuditRow:
    given: dict[str, Any] = {
        "id": name,
        "started_at": at(start),
        "ended_at": at(start + 5),
        "arguments": "",
    }
    return AuditRow(**given | changes)


def test_what_a_part_has_settled_is_no_failure(tmp_path: Path) -> None:
    """A part that is merged again takes away the failures that it has settled since."""
    part, other = tmp_path / "part", tmp_path / "other"
    store_in(part, Batch(at=at(1), audit_id="a", audit=audit("a", 0), failures=[SEARCH]))
    mine = Failure("o/other", None, None, "search", "TransportError", "mine")
    store_in(other, Batch(at=at(1), audit_id="b", audit=audit("b", 0), failures=[mine]))
    earlier = tmp_path / "earlier"
    shutil.copytree(part, earlier)
    merged = tmp_path / "merged"
    merge([part, other], merged)
    assert rows(AuditStore(merged), FAILED) == [("search", "mine"), ("search", "no")]
    settled = Missing(REPO, None, None, "search")
    store_in(part, Batch(at=at(9), audit_id="c", audit=audit("c", 8), settled=[settled]))
    merge([part], merged)
    assert rows(AuditStore(merged), FAILED) == [("search", "mine")]
    merge([earlier, other, part, earlier], merged)
    assert rows(AuditStore(merged), FAILED) == [("search", "mine")]


def test_the_later_failure_stays(tmp_path: Path) -> None:
    """Of two failures about the same, the later one is kept."""
    for name, time in (("a", 1), ("b", 2)):
        failed = attrs.evolve(SEARCH, text=name)
        store_in(
            tmp_path / name,
            Batch(at=at(time), audit_id=name, audit=audit(name, 0), failures=[failed]),
        )
    merge([tmp_path / "b", tmp_path / "a"], tmp_path / "merged")
    assert rows(AuditStore(tmp_path / "merged"), FAILED) == [("search", "b")]


def test_what_another_part_has_got_is_no_failure(tmp_path: Path) -> None:
    """A log or the jobs of a run that one part lacks may be in another."""
    lost = [
        Failure(REPO, 1, 10, "log", "TransportError", "no"),
        Failure(REPO, 1, None, "jobs", "E", "no"),
    ]
    store_in(tmp_path / "a", Batch(at=AT, runs=of_run(1)["runs"], failures=lost))
    part = of_run(1) | {"failures": []}
    for order in (("a", "b"), ("b", "a")):
        audit_in(tmp_path / "b", batch(part))
        merge([tmp_path / name for name in order], tmp_path / f"merged-{order[0]}")
        assert rows(AuditStore(tmp_path / f"merged-{order[0]}"), FAILED) == []


def test_an_audit_that_has_ended_replaces_itself(tmp_path: Path) -> None:
    """The row of an audit that was merged while it ran is brought up to date."""
    part, merged = tmp_path / "part", tmp_path / "merged"
    store_in(part, Batch(at=AT, audit=audit("a", 0, ended_at=None)))
    merge([part], merged)
    store_in(part, Batch(at=AT, audit=audit("a", 0, outcome="complete")))
    merge([part, part], merged)
    assert rows(AuditStore(merged), "SELECT id, outcome FROM audits") == [("a", "complete")]


def test_etags_are_not_merged(tmp_path: Path) -> None:
    """An ETag says that its own audit has the runs of a page: a merge of some shards has not."""
    page = StoredPage(
        repository=REPO, search="", credential="", window_start=AT, window_end=AT,
        page=1, etag="x", total=1, run_ids=[7],
    )  # fmt: skip
    store_in(tmp_path / "part", Batch(at=AT, pages=[page]))
    store_in(tmp_path / "merged", Batch(at=AT, pages=[attrs.evolve(page, page=2)]))
    merge([tmp_path / "part"], tmp_path / "merged")
    assert rows(AuditStore(tmp_path / "merged"), "SELECT page FROM pages") == [(2,)]


# Logs.


def test_a_log_without_its_file_is_left_out(tmp_path: Path) -> None:
    """A log whose file somebody deleted is counted as missing, and can still come from elsewhere."""
    part = audit_in(tmp_path / "part", batch(of_run(1), of_run(2)))
    (part / "logs/o/1.log").unlink()
    assert merge([part], tmp_path / "merged").missing == 1
    store = AuditStore(tmp_path / "merged")
    assert rows(store, "SELECT path FROM logs") == [("logs/o/2.log",)]
    (part / "logs/o/1.log").write_text("ok")
    assert merge([part], tmp_path / "merged").missing == 0
    assert dump(tmp_path / "merged") == dump(part)


@pytest.mark.parametrize(
    "path",
    [
        "../x.log",
        "logs/../../x.log",
        "/etc/passwd",
        "x.log",
        "logs",
        "audit.duckdb",
        "logs\\..\\x",
        f"logs/{300 * 'x'}",
        None,
    ],
)
def test_a_log_never_leaves_its_folder(tmp_path: Path, path: str) -> None:
    """The paths of a part are not trusted: nothing outside of its logs is read or written."""
    (tmp_path / "x.log").write_text("secret")
    run = of_run(1) | {"logs": [SavedLog(REPO, 1, 10, path, 2)]}
    part = store_in(tmp_path / "part", batch(run)).folder
    (part / "logs").mkdir()
    (part / "x.log").write_text("x")
    assert merge([part], tmp_path / "a/b/merged").missing == 1
    assert rows(AuditStore(tmp_path / "a/b/merged"), "FROM logs") == []
    assert [one.name for one in (tmp_path / "a").rglob("*")] == ["b", "merged", "audit.duckdb"]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("logs/o", "../../secret"),
        ("logs/o/1.log", "../../../secret/1.log"),
        ("logs/o/1.log", "../../audit.duckdb"),
    ],
)
def test_links_are_not_followed(tmp_path: Path, name: str, target: str) -> None:
    """A part's log that is a link to another file, be it one of the part, is not copied."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/1.log").write_text("secret")
    part = store_in(tmp_path / "part", batch(of_run(1))).folder
    (part / name).parent.mkdir(parents=True)
    (part / name).symlink_to(target)
    assert (part / "logs/o/1.log").exists()
    assert merge([part], tmp_path / "merged").missing == 1
    assert list((tmp_path / "merged").rglob("*.log")) == []


@pytest.mark.parametrize(
    "path",
    [
        "logs/o/t\xe4sk.log",
        "logs/O/T\xc4SK.LOG",
        "logs/o/ta\u0308sk.log",
        "logs/o/TA\u0308SK.log",
        "logs/o/t\xe4\u017f\u212a.log",
        "logs//o/t\xe4sk.log",
        "logs/./o/t\xe4sk.log",
        "logs/o/t\xe4sk.log.",
        "logs/o /t\xe4sk.log",
        "logs/o/TSK~1.LOG",
        "logs/o/t\xe4sk.log::$DATA",
    ],
)
def test_a_part_never_replaces_another_jobs_log(tmp_path: Path, path: str) -> None:
    """A part that names the file of a log that is here does not have it, on whatever file system."""
    ours = "logs/o/t\xe4sk.log"
    run = of_run(1) | {"logs": [SavedLog(REPO, 1, 10, ours, 2)]}
    into = audit_in(tmp_path / "into", batch(run))
    before = (into / ours).read_text()
    other = of_run(2) | {"logs": [SavedLog(REPO, 2, 20, path, 2)]}
    part = store_in(tmp_path / "part", batch(other)).folder
    file = part / path
    file.parent.mkdir(parents=True)
    file.write_text("another")
    assert merge([part], into).missing == 1
    assert (into / ours).read_text() == before
    assert rows(AuditStore(into), "SELECT job_id FROM logs") == [(10,)]


@pytest.mark.parametrize(
    "statements",
    [
        ('CREATE VIEW "REASONS" AS {view}',),
        ("CREATE VIEW reasons AS {view}", "CREATE MACRO list_contains(a, b) AS false"),
        (
            "CREATE VIEW reasons AS {view}",
            "CREATE MACRO duckdb_views() AS TABLE SELECT '' AS database_name, '' AS view_name",
        ),
    ],
    ids=["upper case", "a macro", "a table macro"],
)
def test_a_view_in_place_of_a_table_is_no_audit(tmp_path: Path, statements: list[str]) -> None:
    """However it hides itself, it brings no other file of this machine into the merged audit."""
    (tmp_path / "secret.txt").write_text("secret")
    part = audit_in(tmp_path / "part", batch(of_run(1)))
    view = (
        "SELECT 1 AS rowid, * REPLACE (content AS headline)"
        f" FROM real, read_text('{tmp_path / 'secret.txt'}')"
    )
    with AuditStore(part).write() as connection:
        connection.execute("ALTER TABLE reasons RENAME TO real")
        for statement in statements:
            connection.execute(statement.format(view=view))
    with pytest.raises(ConfigurationError, match="is not an audit's database"):
        merge([part], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE logs ALTER path TYPE BLOB USING path::BLOB",
        "ALTER TABLE runs ALTER updated_at TYPE VARCHAR USING 'x'",
        "ALTER TABLE jobs ALTER seconds TYPE VARCHAR USING 'x'",
        "ALTER TABLE runs DROP COLUMN actor",
        "DROP TABLE reasons",
    ],
)
def test_a_part_with_odd_data_is_refused(tmp_path: Path, statement: str) -> None:
    """Other columns or types are an error of one line that names the part; nothing is merged."""
    part = audit_in(tmp_path / "part", batch(of_run(1)))
    with AuditStore(part).write() as connection:
        connection.execute(statement)
    with pytest.raises(ConfigurationError, match="is not as an audit wrote it") as caught:
        merge([part], tmp_path / "merged")
    assert "\n" not in str(caught.value)
    assert rows(AuditStore(tmp_path / "merged"), "SELECT run_id FROM runs") == []


def test_a_merge_that_fails_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge that ends in the middle leaves whole parts, and is completed by the next one."""
    runs = [of_run(1), of_run(2)]
    parts = [audit_in(tmp_path / str(n), batch(run)) for n, run in enumerate(runs)]
    one = audit_in(tmp_path / "one", batch(*runs))
    with monkeypatch.context() as patch:
        patch.setattr("ghjobs_async.audit.sql.merge.END", ("SELECT error('killed')",))
        with pytest.raises(Exception, match="killed"):
            merge(parts, tmp_path / "merged")
    assert rows(AuditStore(tmp_path / "merged"), "FROM jobs") == []
    merge(parts, tmp_path / "merged")
    assert dump(tmp_path / "merged") == dump(one)
    assert list((tmp_path / "merged").rglob("*.part")) == []


# What is refused.


def test_a_folder_without_an_audit(tmp_path: Path) -> None:
    """A part that is none is found before anything is written."""
    part = audit_in(tmp_path / "part", batch(of_run(1)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match=r"no audit in .*empty"):
        merge([part, tmp_path / "empty"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_the_output_is_no_part(tmp_path: Path) -> None:
    """An audit cannot be merged into itself, whatever it is called."""
    part = audit_in(tmp_path / "part", batch(of_run(1)))
    with pytest.raises(ConfigurationError, match="is the output itself"):
        merge([part / ".." / "part"], part)


def test_an_audit_keeps_a_merge_out(tmp_path: Path) -> None:
    """Nothing is merged into a folder while an audit writes to it."""
    part = audit_in(tmp_path / "part", batch(of_run(1)))
    with (
        AuditStore(tmp_path / "into").lock(),
        pytest.raises(ConfigurationError, match="another audit"),
    ):
        merge([part], tmp_path / "into")


def test_parts_are_only_read(tmp_path: Path) -> None:
    """A part is byte for byte what it was, and has no other files."""
    part = audit_in(tmp_path / "part", batch(of_run(1)))
    before = {path: path.read_bytes() for path in part.rglob("*") if path.is_file()}
    merge([part], tmp_path / "merged")
    assert {path: path.read_bytes() for path in part.rglob("*") if path.is_file()} == before
