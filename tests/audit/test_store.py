"""The database file: who may open it, what is refused, and what is left."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb
import pytest

from ghjobs_async.audit import AuditStore, export, merge
from ghjobs_async.audit.database import new_file
from ghjobs_async.audit.sql import schema, views
from ghjobs_async.errors import ConfigurationError, GHJobsError

ADD = "INSERT INTO runs (run_id) VALUES (1)"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def count(store: AuditStore, table: str = "runs") -> int:
    with store.read() as connection:
        [(found,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(found)


@pytest.fixture
def store(tmp_path: Path) -> AuditStore:
    made = AuditStore(tmp_path / "audit")
    with made.write() as connection:
        connection.execute(ADD)
    return made


@contextmanager
def program(code: str, store: AuditStore) -> Iterator[subprocess.Popen[str]]:
    """Run code in a process of its own, up to its first line of output; it ends with the block."""
    head = f"import sys, time\nfrom ghjobs_async.audit import AuditStore\nstore = AuditStore({str(store.folder)!r})\n"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", head + code], stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


HOLD = "with store.{how}() as c:\n    print('ready', flush=True)\n    sys.stdin.read()"


def test_it_is_made_by_the_first_write(tmp_path: Path) -> None:
    """A folder gets its database when something is written, and nothing besides."""
    store = AuditStore(tmp_path / "a" / "b")
    with store.write() as connection:
        connection.execute(ADD)
    assert names(store.folder) == ["audit.duckdb"]
    assert count(store) == 1


def test_every_table_and_column_is_explained(store: AuditStore) -> None:
    """The file itself says what its tables and columns hold, exactly as the schema does."""
    with store.read() as connection:
        tables = connection.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall()
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, comment FROM duckdb_columns()"
            " WHERE NOT internal"
        ).fetchall()
    assert set(tables) == {(table.name, table.comment) for table in schema.TABLES}
    assert set(columns) >= {
        (table.name, column.name, column.type, column.comment)
        for table in schema.TABLES
        for column in table.columns
    }
    assert all(text for *_, text in (*tables, *columns))


def test_it_is_in_the_older_format(store: AuditStore) -> None:
    """DuckDB 1.4 reads the file, also after it was written to again."""
    with store.write() as connection:
        connection.execute(ADD)
    with store.read() as connection:
        [(tags,)] = connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = 'audit'"
        ).fetchall()
    assert tags["storage_version"].startswith("v1.4.0")


def test_no_index_doubles_the_file(store: AuditStore) -> None:
    """No table has a primary key or a unique index."""
    with store.read() as connection:
        assert connection.execute("SELECT * FROM duckdb_indexes()").fetchall() == []
        assert connection.execute("SELECT * FROM duckdb_constraints()").fetchall() == []


def test_a_reader_cannot_write(store: AuditStore) -> None:
    """What `read` gives changes nothing."""
    with store.read() as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute(ADD)


def test_an_error_undoes_the_whole_write(store: AuditStore) -> None:
    """A write is done at the end of its block, or not at all."""
    with pytest.raises(ZeroDivisionError), store.write() as connection:  # noqa: PT012
        connection.execute(ADD)
        raise ZeroDivisionError
    assert count(store) == 1


def test_extensions_are_never_loaded(store: AuditStore) -> None:
    """Neither a reader nor a writer installs or loads an extension by itself."""
    for opened in (store.read, store.write):
        with opened() as connection:
            found = connection.execute(
                "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'"
            ).fetchall()
        assert set(found) == {
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
        }


def test_there_is_no_audit(tmp_path: Path) -> None:
    """Reading a folder without an audit says what to do, and makes nothing."""
    with pytest.raises(ConfigurationError, match="run ghjobs audit"), AuditStore(tmp_path).read():
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_a_file(tmp_path: Path) -> None:
    """A file cannot become the folder of an audit."""
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(ConfigurationError, match="not a folder"),
        AuditStore(tmp_path / "file").write(),
    ):
        pass


def test_without_the_extra(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where duckdb is missing, the error tells what to install."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for opened in (store.read, store.write):
        with pytest.raises(ConfigurationError, match=r"pip install 'ghjobs-async\[audit\]'"):
            opened().__enter__()


# What is refused.


def other(kind: str, path: Path) -> None:
    """Make a file that is no audit's database."""
    if kind == "sqlite":
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE meta (schema_version)")
        database.close()
    elif kind == "text":
        path.write_text("schema_version,1\n")
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "headers":
        path.write_bytes(bytes(8) + b"DUCK" + bytes(30_000))
    elif kind == "newer":
        with AuditStore(path.parent).write() as connection:
            connection.execute("UPDATE meta SET schema_version = schema_version + 1")
    else:
        with duckdb.connect(str(path)) as connection:
            connection.execute("CREATE TABLE theirs AS SELECT 1 AS schema_version")
            if kind == "meta":
                connection.execute("CREATE TABLE meta AS SELECT 1 AS schema_version")


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
@pytest.mark.parametrize("name", ["md:x", "sqlite:x", "s3:x", "it's {a} [b]* %41 #;"])
def test_a_folder_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A name that DuckDB would take for a service or another format is a folder all the same."""
    monkeypatch.chdir(tmp_path)
    store = AuditStore(name)
    with store.write() as connection:
        connection.execute(ADD)
    assert count(store) == 1
    assert merge([name], f"{name} 2").runs == 1
    assert all(path.is_file() for path in export(name, f"{name} 3", "csv"))


def test_a_name_that_duckdb_cannot_open_is_refused(tmp_path: Path) -> None:
    """What follows a question mark would be options: nothing is written."""
    store = AuditStore(tmp_path / "what?")
    with pytest.raises(ConfigurationError, match="question mark"), store.write():
        pass
    assert not store.folder.exists()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() if p.is_file() else b"" for p in folder.iterdir()}


KINDS = ["sqlite", "text", "empty", "folder", "headers", "duckdb", "meta"]


@pytest.mark.parametrize("kind", KINDS if sys.platform == "win32" else [*KINDS, "pipe"])
def test_other_files_are_refused(tmp_path: Path, kind: str) -> None:
    """A file of another kind is refused by one line that says what to do, and left as it was."""
    other(kind, tmp_path / "audit.duckdb")
    before = contents(tmp_path)
    for opened in (AuditStore(tmp_path).read, AuditStore(tmp_path).write):
        with pytest.raises(ConfigurationError, match=r"audit\.duckdb is .* move it away") as caught:
            opened().__enter__()
        assert "\n" not in str(caught.value)
        assert "xtension" not in str(caught.value)
        assert contents(tmp_path) == before


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A file of a later version says what to install, and is left as it was."""
    other("newer", tmp_path / "audit.duckdb")
    before = contents(tmp_path)
    for opened in (AuditStore(tmp_path).read, AuditStore(tmp_path).write):
        with pytest.raises(ConfigurationError, match="pip install --upgrade ghjobs-async"):
            opened().__enter__()
        assert contents(tmp_path) == before


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_part_of_a_file_is_refused(store: AuditStore, share: float) -> None:
    """A file that was cut off is refused wherever it was cut, though DuckDB opens some of them."""
    with store.write() as connection:
        connection.execute(
            "INSERT INTO steps (job_id, name) SELECT range, md5(range::VARCHAR) FROM range(100_000)"
        )
    with store.write() as connection:
        # Leaves free blocks in the middle, and the newest data at the end.
        connection.execute("DELETE FROM steps WHERE job_id < 50_000")
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: int(len(whole) * share)])
    before = contents(store.folder)
    for opened in (AuditStore(store.folder).read, AuditStore(store.folder).write):
        with pytest.raises(ConfigurationError, match=r"part of a database|not an audit"):
            opened().__enter__()
        assert contents(store.folder) == before


def test_a_file_whose_end_became_free_is_whole(store: AuditStore) -> None:
    """DuckDB cuts free blocks off the end of a file and still counts them: that is no damage."""
    with store.write() as connection:
        connection.execute(
            "INSERT INTO steps (name) SELECT md5(range::VARCHAR) FROM range(200_000)"
        )
    for _ in range(3):
        with store.write() as connection:
            connection.execute("DELETE FROM steps")
            connection.execute(ADD)
    assert count(AuditStore(store.folder), "steps") == 0


# Upgrades.


def test_an_older_schema_is_upgraded(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an older version gets the newer tables when it is written to."""
    steps = {1: ("ALTER TABLE runs ADD COLUMN added INTEGER",), 2: ("UPDATE runs SET added = 7",)}
    monkeypatch.setattr(schema, "UPGRADES", steps)
    monkeypatch.setattr(schema, "VERSION", 3)
    with AuditStore(store.folder).write():
        # It is in the file itself before anything else is written: a kill leaves nothing to replay.
        assert names(store.folder) == ["audit.duckdb"]
    with store.read() as connection:
        assert connection.execute("SELECT added FROM runs").fetchall() == [(7,)]
        assert connection.execute("SELECT schema_version FROM meta").fetchall() == [(3,)]


def test_an_upgrade_that_fails_changes_nothing(
    store: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of an upgrade are done together or not at all."""
    steps = {1: ("ALTER TABLE runs ADD COLUMN added INTEGER", "SELECT error('no')")}
    monkeypatch.setattr(schema, "UPGRADES", steps)
    monkeypatch.setattr(schema, "VERSION", 2)
    with pytest.raises(duckdb.Error, match="no"), AuditStore(store.folder).write():
        pass
    with store.read() as connection:
        assert connection.execute("SELECT schema_version FROM meta").fetchall() == [(1,)]
        assert "added" not in [d[0] for d in connection.execute("FROM runs").description or ()]


def test_views_and_macros_are_kept_up_to_date(
    store: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made, explained and replaced when the file is opened for writing."""
    for number in (1, 2):
        macro = schema.Macro("plus", f"(x) AS x + {number}", "Adds")
        table = schema.Macro("few", "(n) AS TABLE SELECT run_id FROM runs LIMIT n", "A few")
        view = schema.View("plain", "SELECT plus(1) AS two", "It's 2", {"two": "2, or 3"})
        monkeypatch.setattr(views, "MACROS", (macro, table))
        monkeypatch.setattr(views, "VIEWS", (view,))
        with store.write():
            pass
        with store.read() as connection:
            assert connection.execute("FROM plain").fetchall() == [(1 + number,)]
            assert connection.execute("FROM few(1)").fetchall() == [(1,)]
            assert connection.execute(
                "SELECT comment FROM duckdb_views() WHERE view_name = 'plain'"
            ).fetchall() == [("It's 2",)]


# Several processes.


def test_a_reader_waits_for_a_writer(store: AuditStore) -> None:
    """A reader waits while another process writes, and sees all of it."""
    with program(HOLD.format(how="write"), store) as writer:
        assert writer.stdin is not None
        waiting = AuditStore(store.folder, sleep=lambda _: writer.stdin and writer.stdin.close())
        assert count(waiting) == 1


@pytest.mark.parametrize("how", ["read", "write"])
def test_waiting_ends(store: AuditStore, how: str) -> None:
    """After 10 s the error names the process that is in the way."""
    waited: list[float] = []
    clock = iter(range(100))
    impatient = AuditStore(store.folder, sleep=waited.append, clock=lambda: next(clock))
    other = program(HOLD.format(how="write" if how == "read" else "read"), store)
    with other, pytest.raises(ConfigurationError, match="is in use"):
        getattr(impatient, how)().__enter__()
    assert len(waited) == 9


def test_readers_read_together(store: AuditStore) -> None:
    """A reader keeps no other reader out, in this process or in another one."""
    with program(HOLD.format(how="read"), store), store.read(), store.read() as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_writer_in_the_same_process_waits(store: AuditStore) -> None:
    """A reader of the same process is waited for, too."""
    reader = store.read()
    reader.__enter__()
    waiting = AuditStore(store.folder, sleep=lambda _: reader.__exit__(None, None, None))
    with waiting.write() as connection:
        connection.execute(ADD)
    assert count(store) == 2


def test_looking_at_a_file_keeps_its_locks(store: AuditStore) -> None:
    """A reader that comes second in a process does not undo the lock of the first."""
    with store.read():
        with AuditStore(store.folder).read():
            pass
        code = "print('ready'); store._open(read_only=False)"
        clock = "import itertools; n = itertools.count(); store._clock = lambda: next(n) * 9;"
        with program(clock + code, store) as process:
            assert process.wait(20) != 0


@pytest.mark.skipif(sys.platform == "win32", reason="the order is not kept there")
def test_a_waiting_writer_goes_first(store: AuditStore) -> None:
    """While a writer waits for a reader, no new reader comes before it."""
    clock = iter(range(0, 100, 9))
    second = AuditStore(store.folder, sleep=lambda _: None, clock=lambda: next(clock))
    with program(HOLD.format(how="read"), store) as reader:

        def sleep(_: float) -> None:
            with pytest.raises(ConfigurationError, match="is in use"):
                second.read().__enter__()
            reader.kill()
            reader.wait()

        with AuditStore(store.folder, sleep=sleep).write() as connection:
            connection.execute(ADD)
    assert count(store) == 2


def test_a_loop_of_queries_is_always_consistent(store: AuditStore) -> None:
    """A process that queries without a pause sees whole writes, and keeps no writer out."""
    code = (
        "print('ready', flush=True)\n"
        "while True:\n"
        "    with store.read() as c:\n"
        "        assert c.execute('SELECT count(*) FROM runs').fetchall()[0][0] % 2\n"
        "        time.sleep(0.1)"
    )
    with program(code, store) as reader:
        for _ in range(3):
            with store.write() as connection:
                connection.execute(ADD)
                connection.execute(ADD)
        assert reader.poll() is None
    assert count(store) == 7


def test_a_second_audit_is_refused(store: AuditStore) -> None:
    """Two audits never write to one folder: the error names the first one's process."""
    with program(HOLD.format(how="lock"), store) as first:
        with pytest.raises(ConfigurationError, match=f"process {first.pid}"), store.lock():
            pass
        # Others may read meanwhile.
        assert count(store) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_the_lock_follows_no_link(store: AuditStore, tmp_path: Path) -> None:
    """A folder from elsewhere cannot have the lock empty another file."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (store.folder / ".audit.lock").symlink_to(mine)
    with pytest.raises(OSError, match="symbolic links"), store.lock():
        pass
    assert mine.read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_a_killed_audit_keeps_nobody_out(store: AuditStore) -> None:
    """The lock of a process ends with it, and leaves no file once the next one has ended."""
    with program(HOLD.format(how="lock"), store) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
    with store.lock(), pytest.raises(ConfigurationError, match=f"process {os.getpid()}"):
        store.lock().__enter__()
    assert names(store.folder) == ["audit.duckdb"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_what_was_committed_survives_a_kill(store: AuditStore) -> None:
    """A process that is killed before the file is checkpointed loses nothing, for readers too."""
    code = (
        "c = store._open(read_only=False); c.begin(); c.execute('INSERT INTO runs FROM runs')\n"
        "c.commit(); print('ready', flush=True); sys.stdin.read()"
    )
    with program(code, store) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert count(store) == 2
    with store.write() as connection:
        connection.execute(ADD)
    assert count(store) == 3
    assert names(store.folder) == ["audit.duckdb"]


def test_a_kill_while_it_is_made_leaves_a_folder_that_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has its name only when it is complete; what a kill left is removed."""
    store = AuditStore(tmp_path)

    def killed(self: Path, _: Path) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(SystemExit), store.write():
            pass
    assert not store.path.exists()
    (tmp_path / ".audit.duckdb.new").write_bytes(b"half a file")
    (tmp_path / ".audit.duckdb.new.wal").write_bytes(b"half a log")
    with store.write() as connection:
        connection.execute(ADD)
    assert names(tmp_path) == ["audit.duckdb"]


def spacious(folder: Path) -> AuditStore:
    """Make an audit with much free space in its file."""
    store = AuditStore(folder)
    for _ in range(3):
        with store.write() as connection:
            connection.execute("DELETE FROM steps")
            connection.execute(
                "INSERT INTO steps (name) SELECT md5(range::VARCHAR) FROM range(100_000)"
            )
    with store.write() as connection:
        connection.execute("DELETE FROM steps WHERE rowid > 100")
        connection.execute(ADD)
    return store


def test_readers_do_not_keep_a_file_large(tmp_path: Path) -> None:
    """A reader of another process goes on with the old file while a smaller one replaces it."""
    store = spacious(tmp_path)
    size, rows = store.path.stat().st_size, count(store, "steps")
    with program(HOLD.format(how="read"), store):
        store.compact()
    assert store.path.stat().st_size < size
    assert count(store, "steps") == rows
    assert names(tmp_path) == ["audit.duckdb"]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_file_in_use_stays_as_large_as_it_is(tmp_path: Path, where: str) -> None:
    """Making a file smaller is optional: a reader of this process, or another writer, prevents it."""
    store = spacious(tmp_path)
    before = store.path.stat().st_ino
    if where == "here":
        with store.read():
            store.compact()
    else:
        hold = "print('ready', flush=True); sys.stdin.read()"
        code = f"import duckdb; c = duckdb.connect({str(store.path)!r}, read_only=False); {hold}"
        with store.read() as connection:
            assert new_file.is_worth_compacting(connection)
        with pytest.MonkeyPatch.context() as patch, program(code, store):
            # It was looked at before the other one came.
            patch.setattr(AuditStore, "read", lambda self: nullcontext())
            patch.setattr(new_file, "is_worth_compacting", lambda _: True)
            store.compact()
    assert store.path.stat().st_ino == before
    assert names(tmp_path) == ["audit.duckdb"]


def test_what_a_killed_process_left_is_removed(store: AuditStore) -> None:
    """A process that was killed while it made a smaller file leaves nothing for long."""
    (store.folder / ".audit.duckdb.new").write_bytes(b"half")
    (store.folder / ".audit.duckdb.new.wal").write_bytes(b"half")
    with AuditStore(store.folder).write():
        pass
    assert names(store.folder) == ["audit.duckdb"]


def test_an_error_of_the_disk_is_no_damage(
    store: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operating system says about a file is passed on as its own error."""

    def connect(*_: object, **__: object) -> None:
        raise duckdb.IOException("IO Error: Cannot open file: Too many open files")

    monkeypatch.setattr(duckdb, "connect", connect)
    with pytest.raises(OSError, match="Too many open files"):
        store.read().__enter__()


def test_a_full_disk_is_an_os_error(store: AuditStore) -> None:
    """What DuckDB says about the disk is an error on one line, and no traceback."""
    said = f"cannot write {re.escape(str(store.path))}: .*full$"
    with pytest.raises(OSError, match=said), store.write():
        raise duckdb.IOException("IO Error: the disk is full\nmore")
    assert not issubclass(duckdb.IOException, (OSError, GHJobsError))
