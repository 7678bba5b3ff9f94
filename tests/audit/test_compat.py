"""Another DuckDB reads the database of an audit: ``nox -s compat`` names it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from store_tools import AT, REPO, a_job, a_run, listing, rows, store_in

from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch
from ghjobs_async.audit.sql import schema, views

PYTHON = os.environ.get("OLD_DUCKDB", "")
READ = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
found = [connection.execute(query).fetchall() for query in sys.argv[2:]]
print(json.dumps([duckdb.__version__, *found], default=str))
"""
TABLES = "SELECT table_name, comment FROM duckdb_tables() ORDER BY ALL"
VIEWS = "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
COLUMNS = (
    "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
)

pytestmark = pytest.mark.skipif(not PYTHON, reason="OLD_DUCKDB names no Python with DuckDB 1.4")


def read_by_other(path: Path, *queries: str) -> list[Any]:
    ran = subprocess.run(
        [PYTHON, "-c", READ, str(path), *queries], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: list[Any]
    version, *found = json.loads(ran.stdout)
    assert version.startswith("1.4.")
    return found


def jsoned(value: object) -> Any:
    return json.loads(json.dumps(value, default=str))


def filled(folder: Path) -> AuditStore:
    """Write many batches, so that the file has been written to, freed and checkpointed."""
    batches = [
        Batch(
            at=AT, runs=[(REPO, a_run(n % 3 + 1))], listings=[listing(a_job(n % 3 + 1, n % 3 + 1))]
        )
        for n in range(6)
    ]
    return store_in(folder, *batches)


@pytest.mark.parametrize("compacted", [False, True])
def test_an_older_duckdb_reads_tables_and_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compacted: bool
) -> None:
    """Every table, view and comment reads the same, also after the file was made smaller."""
    store = filled(tmp_path)
    if compacted:
        monkeypatch.setattr("ghjobs_async.audit.database.new_file._MIN_BYTES", -1)
        monkeypatch.setattr("ghjobs_async.audit.database.new_file._MIN_SHARE", -1)
        before = store.path.stat().st_ino
        store.compact()
        assert store.path.stat().st_ino != before
    queries = [TABLES, VIEWS, COLUMNS]
    queries += [f"FROM {table.name} ORDER BY ALL" for table in schema.TABLES]
    queries += [f"FROM {view.name} ORDER BY ALL" for view in views.VIEWS]
    assert read_by_other(store.path, *queries) == [jsoned(rows(store, query)) for query in queries]


def test_an_older_duckdb_reads_views_and_macros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Views that use macros work there too."""
    macros = (
        schema.Macro("share", "(part, whole) AS part / nullif(whole, 0)", "A share"),
        schema.Macro(
            "longest", "(n) AS TABLE SELECT job_id FROM jobs ORDER BY seconds LIMIT n", "Some"
        ),
    )
    view = schema.View(
        "half", "SELECT share(count(*), 6) AS half FROM jobs", "Half", {"half": "It"}
    )
    monkeypatch.setattr(views, "MACROS", macros)
    monkeypatch.setattr(views, "VIEWS", (view,))
    store = filled(tmp_path)
    queries = [VIEWS, "FROM half", "SELECT count(*) FROM longest(2)"]
    assert read_by_other(store.path, *queries) == [[["half", "Half"]], [[0.5]], [[2]]]
