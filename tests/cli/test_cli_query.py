"""``ghjobs query`` and ``ghjobs schema``: SQL that only reads, and what there is to read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from store_tools import AT, REPO, a_job, a_run, a_step, listing, store_in

from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch
from ghjobs_async.audit.sql import schema
from ghjobs_async.cli.output.result import print_objects

#: Bold and dim.
STYLE = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "a\x1b[2J\tb\nc"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an audit, where the command looks for one."""
    monkeypatch.chdir(tmp_path)
    jobs = [a_job(1), a_job(2, name=HOSTILE, conclusion="failure"), a_job(3, name="=1+1")]
    batch = Batch(at=AT, runs=[(REPO, a_run())], listings=[listing(*jobs)])
    return store_in(tmp_path / "ghjobs-audit", batch).folder


def test_rows_are_lines_with_tabs(ghjobs: Any, folder: Path) -> None:
    """In a pipe the first line has the names, each other one a row; names cannot break a line."""
    ran = ghjobs("query", "SELECT job_id, name, completed_at, labels FROM jobs ORDER BY 1")
    assert ran.rows == [
        ["job_id", "name", "completed_at", "labels"],
        ["1", "build", "2026-11-01T12:01:05Z", '["ubuntu-latest"]'],
        ["2", "a b c", "2026-11-01T12:01:05Z", '["ubuntu-latest"]'],
        ["3", "=1+1", "2026-11-01T12:01:05Z", '["ubuntu-latest"]'],
    ]
    assert (ran.status, ran.err) == (0, "")


def test_a_table_on_a_terminal(ghjobs: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets a table, and nothing of a name that would control it."""
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    ran = ghjobs("query", "SELECT name, seconds FROM jobs ORDER BY job_id")
    lines = [line.split() for line in STYLE.sub("", ran.out).splitlines()]
    assert lines[:2] == [["name", "seconds"], ["build", "60.0"]]
    assert lines[2] == ["a", "b", "c", "60.0"]
    assert lines[-1] == ["3", "rows"]
    assert "\x1b[2J" not in ran.out


def test_a_value_wider_than_the_terminal_is_whole(
    ghjobs: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on in the next line, since a part of it would look like the value."""
    monkeypatch.setenv("GH_FORCE_TTY", "40")
    ran = ghjobs("query", f"SELECT 'job' AS name, '{'x' * 100}y' AS sha, 1 AS n")
    lines = STYLE.sub("", ran.out).splitlines()
    assert max(map(len, lines)) <= 40
    assert "x" * 100 + "y" in "".join(line.strip() for line in lines)


def test_json_is_exact(ghjobs: Any, folder: Path) -> None:
    """``--json`` gives objects, with times in GitHub's form and names as they are."""
    sql = "SELECT name, started_at, NULL AS nothing, 1.5 AS d, 'NaN'::DOUBLE AS n, {'a': [1]} AS s"
    ran = ghjobs("query", f"{sql} FROM jobs WHERE job_id = 2", "--json")
    assert ran.json == [
        {
            "name": HOSTILE,
            "started_at": "2026-11-01T12:00:05Z",
            "nothing": None,
            "d": 1.5,
            "n": None,
            "s": {"a": [1]},
        }
    ]


def test_json_comes_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe, a result may be larger than the memory: each row is printed as it comes."""

    class Rows:
        columns = ("n",)

        def __iter__(self) -> Iterator[tuple[object, ...]]:
            yield (1,)
            yield (2,)
            assert capsys.readouterr().out == '[{"n":1},{"n":2}'

    print_objects(Rows())
    assert capsys.readouterr().out == "]\n"


def test_json_without_rows(ghjobs: Any, folder: Path) -> None:
    """No row is an empty list; in a pipe the names are there all the same."""
    assert ghjobs("query", "FROM jobs WHERE false", "--json").json == []
    assert ghjobs("query", "SELECT name FROM jobs WHERE false").out == "name\n"


def test_csv_is_for_spreadsheets(ghjobs: Any, folder: Path) -> None:
    """``--csv`` gives CSV in which no text is a formula, and numbers are numbers."""
    ran = ghjobs("query", "SELECT name, -job_id AS n FROM jobs ORDER BY job_id", "--csv")
    read = list(csv.reader(io.StringIO(ran.out, newline="")))
    assert read == [["name", "n"], ["build", "-1"], [HOSTILE, "-2"], ["'=1+1", "-3"]]


def test_equal_names_are_told_apart(ghjobs: Any, folder: Path) -> None:
    """Two columns of one name do not hide each other."""
    ran = ghjobs("query", "SELECT 1 AS a, 2 AS a, 3 AS a_2", "--json")
    assert ran.json == [{"a": 1, "a_2": 2, "a_2_2": 3}]


def test_another_folder(ghjobs: Any, folder: Path, tmp_path: Path) -> None:
    """``--audit`` names the audit."""
    store_in(tmp_path / "other")
    assert ghjobs("query", "SELECT count(*) AS n FROM jobs", "--audit", "other").out == "n\n0\n"


def test_a_pivot_and_several_statements(ghjobs: Any, folder: Path) -> None:
    """Whatever reads is possible; of several statements the last one is shown."""
    ran = ghjobs("query", "SELECT 1; PIVOT jobs ON conclusion USING count(*) GROUP BY run_id")
    assert ran.rows == [["run_id", "failure", "success"], ["7", "1", "2"]]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY jobs TO 'out.csv'",
        "COPY jobs FROM 'other'",
        "EXPORT DATABASE 'out'",
        "ATTACH 'other.duckdb' AS o",
        "ATTACH ':memory:' AS o",
        "SET threads = 1",
        "SET VARIABLE x = 1",
        "RESET threads",
        "PRAGMA enable_profiling",
        "INSTALL httpfs",
        "LOAD httpfs",
        "FROM read_csv('{file}')",
        "FROM read_text('{file}')",
        "FROM read_blob('{file}')",
        "FROM glob('{folder}/*')",
        "FROM '{file}'",
        "FROM sniff_csv('{file}')",
        "SELECT 1; DELETE FROM jobs",
        "EXPLAIN ANALYZE DELETE FROM jobs",
        "EXPLAIN ANALYZE COPY jobs TO 'out.csv'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE SECRET (TYPE s3)",
        "CALL enable_logging(storage := 'file', storage_path := 'out')",
        "FROM enable_logging(storage := 'file', storage_path := 'out')",
        "FROM duckdb_secrets()",
        "USE memory",
        "DETACH audit",
        "VACUUM",
    ],
)
def test_a_query_only_reads(ghjobs: Any, folder: Path, tmp_path: Path, sql: str) -> None:
    """Writing, settings, extensions and other files are refused in one line; nothing changes."""
    secret = tmp_path / "secret.csv"
    secret.write_text("secret,1\n")
    before = (folder / "audit.duckdb").read_bytes()
    ran = ghjobs("query", sql.format(file=secret, folder=tmp_path))
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert (folder / "audit.duckdb").read_bytes() == before
    found = sorted(path.name for path in tmp_path.rglob("*"))
    assert found == ["audit.duckdb", "ghjobs-audit", "secret.csv"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["SELECT nothing FROM jobs"], "nothing"),
        (["SELEC 1"], "syntax error"),
        (["SELECT st_area(1)"], "st_area"),
        (["SELECT CAST(name AS INTEGER) FROM jobs"], "Could not convert"),
        (["  "], "empty"),
        (["SELECT 1", "--json", "--csv"], "not both"),
        (["SELECT 1", "--audit", "nowhere"], "no audit in nowhere"),
    ],
)
def test_a_wrong_query_is_one_line(ghjobs: Any, folder: Path, argv: list[str], said: str) -> None:
    """What is wrong with a query ends with status 2, one line, and no advice to install things."""
    ran = ghjobs("query", *argv)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert said in ran.err
    assert "xtension" not in ran.err
    assert "\x1b" not in ran.err


def test_the_variables_of_the_program_are_no_tables(ghjobs: Any, folder: Path) -> None:
    """SQL does not reach Python's variables."""
    assert ghjobs("query", "FROM sql").status == 2


# The schema.


def test_the_schema_lists_every_column(ghjobs: Any, folder: Path) -> None:
    """Each table and each column has a line with its comment, from the file or without one."""
    for argv in ((), ("--audit", folder)):
        found = ghjobs("schema", *argv).rows
        for table in schema.TABLES:
            assert [table.name, "", "", table.comment] in found
            for column in table.columns:
                assert [table.name, column.name, column.type, column.comment] in found


def test_the_schema_of_a_file_has_what_others_added(ghjobs: Any, folder: Path) -> None:
    """Views that somebody made in the file are listed too, after the tables."""
    with AuditStore(folder).write() as connection:
        connection.execute("CREATE VIEW mine AS SELECT 1 AS one")
    found = ghjobs("schema", "--audit", folder).rows
    assert found[-2:] == [["mine", "", "", ""], ["mine", "one", "INTEGER", ""]]


def test_the_schema_as_json(ghjobs: Any, folder: Path) -> None:
    """``--json`` gives a list of tables with their columns."""
    first = ghjobs("schema", "--json").json[0]
    assert first["name"] == "runs"
    assert first["columns"][0] == {
        "name": "repository",
        "type": "VARCHAR",
        "comment": "Repository, as OWNER/NAME",
    }


def test_the_schema_on_a_terminal(
    ghjobs: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal gets a block for each table, within its width."""
    monkeypatch.setenv("GH_FORCE_TTY", "60")
    with AuditStore(folder).write() as connection:
        connection.execute("COMMENT ON TABLE runs IS 'x\x1b[2Jy'")
    lines = STYLE.sub("", ghjobs("schema", "--audit", folder).out).splitlines()
    assert lines[0] == "runs  xy"
    assert lines[1].split() == ["repository", "varchar", "Repository,", "as", "OWNER/NAME"]
    assert max(map(len, lines)) <= 60
    assert "\x1b" not in "".join(lines)


def test_the_schema_on_a_narrow_terminal(ghjobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where comments have no room beside their columns they stand below them, by whole words."""
    monkeypatch.setenv("GH_FORCE_TTY", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = [line.rstrip() for line in ghjobs("schema").out.splitlines()]
    assert max(map(len, lines)) <= 40
    assert lines[2:6] == [
        "  repository  varchar",
        "    Repository, as OWNER/NAME",
        "  run_id  bigint",
        "    Id of the run",
    ]
    words = {
        word for table in schema.TABLES for one in table.columns for word in one.comment.split()
    }
    assert words <= set(" ".join(lines).split())


# What can befall any command that reads.

READERS = [
    ["query", "FROM jobs JOIN steps USING (job_id)"],
    ["findings"],
    ["report", "-o", "audit.html"],
    ["export", "--format", "csv", "-o", "tables"],
    ["timeline", "7", "--audit", "ghjobs-audit"],
]


@pytest.mark.parametrize("argv", READERS, ids=lambda argv: argv[0])
def test_a_damaged_block_is_one_line(ghjobs: Any, folder: Path, argv: list[str]) -> None:
    """A block is only read when it is needed: then the error says the same as on opening."""
    damage(folder)
    ran = ghjobs(*argv)
    assert (ran.status, ran.out.count("\n")) == (2, 0)
    assert ran.err == (
        "ghjobs: ghjobs-audit/audit.duckdb is damaged, or only a part of a database: copy it again,"
        " or move it away, or name another folder\n"
    )


@pytest.mark.parametrize("argv", READERS, ids=lambda argv: argv[0])
@pytest.mark.parametrize("hours", [14, -14])
def test_times_that_python_cannot_hold(
    ghjobs: Any, folder: Path, argv: list[str], hours: int
) -> None:
    """A server may send a moment that is before the year 1 in UTC, or after the year 9999."""
    zone = timezone(timedelta(hours=hours))
    odd = datetime.min.replace(tzinfo=zone) if hours > 0 else datetime.max.replace(tzinfo=zone)
    times: dict[str, Any] = {
        "created_at": odd,
        "started_at": odd,
        "completed_at": odd,
        "conclusion": "failure",
    }
    job = a_job(4, run_id=7, steps=(a_step(1, started_at=odd, completed_at=odd),), **times)
    store_in(folder, Batch(at=AT, listings=[listing(job, complete=False)]))
    ran = ghjobs(*argv)
    assert ran.status == 0


def test_a_report_does_not_replace_the_audit(ghjobs: Any, folder: Path) -> None:
    """The database is no place for a page."""
    before = (folder / "audit.duckdb").read_bytes()
    ran = ghjobs("report", "-o", folder / "audit.duckdb")
    assert ran.status == 2
    assert "name another file" in ran.err
    assert (folder / "audit.duckdb").read_bytes() == before


def test_a_damaged_part_of_a_merge_is_one_line(ghjobs: Any, folder: Path, tmp_path: Path) -> None:
    """DuckDB does not tell which of two files it is: the error names both."""
    damage(folder)
    ran = ghjobs("merge", folder, "-o", "all")
    assert ran.status == 2
    assert "all/audit.duckdb or " in ran.err
    assert ran.err.count("\n") == 1


def test_an_audit_of_a_damaged_file_is_one_line(ghjobs: Any, fake: Any, folder: Path) -> None:
    """What cannot be read cannot be continued."""
    fake.add_run(REPO)
    damage(folder)
    ran = ghjobs("audit", REPO)
    assert ran.status == 2
    assert "damaged" in ran.err
    assert ran.err.count("\n") == 1


def test_a_column_named_interrupted_is_no_interruption(ghjobs: Any, folder: Path) -> None:
    """Only Ctrl-C ends with 130, not an error that speaks of it."""
    ran = ghjobs("query", "SELECT interrupted FROM jobs")
    assert ran.status == 2
    assert "Binder Error" in ran.err


def damage(folder: Path) -> None:
    """Flip a bit in each block that holds jobs or attempts."""
    with AuditStore(folder).read() as connection:
        blocks = connection.execute(
            "SELECT block_id FROM pragma_storage_info('jobs') WHERE block_id >= 0"
            " UNION SELECT block_id FROM pragma_storage_info('attempts') WHERE block_id >= 0"
        ).fetchall()
    path = folder / "audit.duckdb"
    data = bytearray(path.read_bytes())
    for (block,) in blocks:
        data[12_288 + block * 262_144 + 100] ^= 1
    path.write_bytes(data)
