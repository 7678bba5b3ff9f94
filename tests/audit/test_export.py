"""An audit's tables as files: exact, atomic, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import json
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_tools import AT, REPO, a_job, a_run, a_step, at, listing, rows, store_in

from ghjobs_async import Job
from ghjobs_async.audit import AuditStore, export
from ghjobs_async.audit.database.batch import Batch, Failure
from ghjobs_async.audit.sql.schema import TABLES
from ghjobs_async.errors import ConfigurationError

NAMES = [one.name for one in TABLES if one.name != "pages"]
FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]


def table(path: Path) -> duckdb.DuckDBPyRelation:
    found = duckdb.query(f"FROM '{path}'")
    assert found is not None
    return found


def exported(folder: Path) -> list[dict[str, Any]]:
    [path] = export(folder, folder / "out", "ndjson")
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def plain(value: Any) -> Any:
    """Write each time as its instant, and lists as JSON has them."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str) and value[:1].isdigit() and "T" in value:
        return datetime.fromisoformat(value)
    return value


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5).map(lambda text: f"x{text}")
maybe = st.none() | texts
times = st.none() | st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=5))]),
).map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000))
steps = st.builds(
    a_step,
    st.integers(-(2**63), 2**63 - 1),
    name=texts,
    conclusion=maybe,
    started_at=times,
    completed_at=times,
)
jobs = st.builds(
    a_job,
    run_attempt=st.sampled_from([None, 1, 2, 2**63 - 1]),
    node_id=texts,
    name=texts,
    workflow_name=maybe,
    head_branch=maybe,
    html_url=maybe,
    url=st.sampled_from(["", "https://x/actions/jobs/1", "/actions/jobs/1"]) | texts,
    run_url=st.just("https://x/actions/runs/7") | texts,
    check_run_url=st.just("https://x/check-runs/1") | texts,
    created_at=times,
    started_at=times,
    completed_at=times,
    labels=st.lists(texts, max_size=2).map(tuple),
    steps=st.lists(steps, max_size=3).map(tuple),
    runner_id=st.none() | st.integers(-(2**63), 2**63 - 1),
    runner_name=maybe,
    runner_group_id=st.none() | st.integers(0, 3),
    runner_group_name=maybe,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(jobs, min_size=30, max_size=30))
def test_ndjson_is_the_json_of_github(some: list[Job]) -> None:
    """Each line is a job as `Job.to_dict` gives it, and its repository; times are the same."""
    listed = [attrs.evolve(job, id=number) for number, job in enumerate(some, 1)]
    with tempfile.TemporaryDirectory() as folder:
        store_in(Path(folder), Batch(at=AT, listings=[listing(*listed)]))
        found = exported(Path(folder))
    assert [plain(one) for one in found] == [
        plain({"repository": REPO, **job.to_dict()}) for job in listed
    ]


def test_the_first_key(tmp_path: Path) -> None:
    """A line begins with the repository, then comes the job's id."""
    store_in(tmp_path, Batch(at=AT, listings=[listing(a_job())]))
    assert list(exported(tmp_path)[0])[:3] == ["repository", "id", "run_id"]


@pytest.mark.parametrize("text", ["a\0b", "\u2028", '"', "\\", "\x01", "a\nb", "é\U0001f600", "'"])
def test_odd_names_are_exact(tmp_path: Path, text: str) -> None:
    """NDJSON and Parquet hold every name as it is."""
    store_in(tmp_path, Batch(at=AT, listings=[listing(a_job(name=text))]))
    assert exported(tmp_path)[0]["name"] == text
    export(tmp_path, tmp_path / "out", "parquet")
    assert table(tmp_path / "out/jobs.parquet").project("name").fetchall() == [(text,)]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_table_is_a_file(tmp_path: Path, form: str) -> None:
    """Each table is a file of its own, with all its columns, and nothing else is left."""
    store_in(tmp_path / "audit", Batch(at=AT, runs=[(REPO, a_run())], listings=[listing(a_job())]))
    paths = export(tmp_path / "audit", tmp_path / "out", form)
    assert sorted(paths) == sorted((tmp_path / "out").iterdir())
    assert sorted(path.name for path in paths) == sorted(f"{name}.{form}" for name in NAMES)
    for one in TABLES:
        if one.name in NAMES:
            relation = table(tmp_path / f"out/{one.name}.{form}")
            assert relation.columns == [column.name for column in one.columns]


def test_parquet_is_exact(tmp_path: Path) -> None:
    """A Parquet file has the rows and the types of its table."""
    hostile = [a_job(number, name=text) for number, text in enumerate(FORMULAS, 1)]
    store = store_in(tmp_path, Batch(at=AT, listings=[listing(*hostile)]))
    export(tmp_path, tmp_path / "out", "parquet")
    for name in ("jobs", "steps"):
        relation = table(tmp_path / f"out/{name}.parquet")
        assert relation.fetchall() == rows(store, f"FROM {name}")
        with store.read() as connection:
            assert relation.types == connection.table(name).types


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_defused_in_csv(tmp_path: Path, text: str) -> None:
    """No text cell starts as a formula does, in any table."""
    batch = Batch(
        at=AT,
        runs=[(REPO, a_run(display_title=text))],
        listings=[listing(a_job(name=text, labels=(text,), steps=(a_step(name=text),)))],
        failures=[Failure(REPO, 7, None, "jobs", "Error", text)],
    )
    store_in(tmp_path, batch)
    export(tmp_path, tmp_path / "out", "csv")
    assert read_csv(tmp_path / "out/jobs.csv")[0]["name"] == f"'{text}"
    assert read_csv(tmp_path / "out/steps.csv")[0]["name"] == f"'{text}"
    assert read_csv(tmp_path / "out/runs.csv")[0]["display_title"] == f"'{text}"
    assert read_csv(tmp_path / "out/failures.csv")[0]["text"] == f"'{text}"
    assert json.loads(read_csv(tmp_path / "out/jobs.csv")[0]["labels"]) == [text]


def test_numbers_and_other_texts_are_exact_in_csv(tmp_path: Path) -> None:
    """A negative number stays a number, and a text that is no formula stays as it is."""
    job = a_job(name="a=b -c", runner_id=-5, head_branch="", workflow_name=None)
    store_in(tmp_path, Batch(at=AT, listings=[listing(job)]))
    export(tmp_path, tmp_path / "out", "csv")
    [row] = read_csv(tmp_path / "out/jobs.csv")
    assert (row["name"], row["runner_id"], row["seconds"]) == ("a=b -c", "-5", "60.0")
    assert row["created_at"] == "2026-11-01 12:00:00"


def test_older_files_are_replaced(tmp_path: Path) -> None:
    """A second export replaces the first."""
    store_in(tmp_path, Batch(at=AT, listings=[listing(a_job(1))]))
    assert [one["id"] for one in exported(tmp_path)] == [1]
    store_in(tmp_path, Batch(at=AT, listings=[listing(a_job(2))]))
    assert [one["id"] for one in exported(tmp_path)] == [2]


def test_a_failed_export_leaves_the_older_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written whole is not there, and what was there before still is."""
    store_in(tmp_path, Batch(at=AT, listings=[listing(a_job(started_at=at(1)))]))
    [path] = export(tmp_path, tmp_path / "out", "ndjson")
    before = path.read_bytes()
    monkeypatch.setattr("ghjobs_async.audit.sql.jobs.AS_JSON", "SELECT error('full') FROM jobs")
    with pytest.raises(duckdb.Error, match="full"):
        export(tmp_path, tmp_path / "out", "ndjson")
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["jobs.ndjson"]
    assert path.read_bytes() == before


def test_nothing_to_export(tmp_path: Path) -> None:
    """Without an audit there is no folder of output either."""
    with pytest.raises(ConfigurationError, match="no audit"):
        export(tmp_path, tmp_path / "out", "csv")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_audit(tmp_path: Path) -> None:
    """An audit that has found nothing gives empty files."""
    store: AuditStore = store_in(tmp_path)
    assert exported(store.folder) == []
    export(tmp_path, tmp_path / "out", "csv")
    assert read_csv(tmp_path / "out/jobs.csv") == []
