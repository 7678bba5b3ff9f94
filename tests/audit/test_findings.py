"""The findings in a file: their columns and comments, what narrows them, and the list of prices."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from findings_model import Model
from findings_world import START, World, make

from ghjobs_async import ConfigurationError
from ghjobs_async.audit import AuditStore, findings
from ghjobs_async.audit.results.findings import NAMES
from ghjobs_async.audit.sql.prices import list_prices

#: What people and programs rely on.
COLUMNS = {
    "flaky_jobs": "repository workflow_name name flaky commits minutes first_seen last_seen links",
    "failure_rates": "repository workflow_name name jobs failures rate change",
    "failure_reasons": "fingerprint kind headline times jobs repositories first_seen last_seen",
    "slow_jobs": "repository workflow_name name jobs total_seconds p50 p95 change",
    "slow_steps": "repository workflow_name name step steps total_seconds p50 p95 change",
    "queueing": "label hour jobs p50 p95 most",
    "waste": "repository workflow_name kind jobs minutes",
    "costs": "date repository sku jobs minutes usd",
    "incomplete": "what repository run_id job_id reason",
}
#: A world with something to say about everything.
WORLD = make(random.Random(106))


@pytest.fixture
def store(tmp_path: Path) -> AuditStore:
    store = AuditStore(tmp_path / "audit")
    with store.write() as connection:
        World(WORLD.tables).fill(connection)
    return store


@pytest.fixture
def connection(store: AuditStore) -> Iterator[duckdb.DuckDBPyConnection]:
    with store.read() as connection:
        yield connection


def test_the_names_are_those_of_the_views() -> None:
    """There are nine findings, by these names."""
    assert list(COLUMNS) == list(NAMES)


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_a_contract(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Each finding has exactly these columns, also where it is read by its view."""
    wanted = tuple(COLUMNS[name].split())
    assert findings(connection, name).columns == wanted
    view = connection.execute(f"DESCRIBE {name}").fetchall()
    assert tuple(row[0] for row in view) == wanted


@pytest.mark.parametrize("name", COLUMNS)
def test_a_view_defines_itself(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """The file says what each finding is, and what each of its columns is."""
    [(comment,)] = connection.execute(
        "SELECT comment FROM duckdb_views() WHERE view_name = ?", [name]
    ).fetchall()
    assert len(comment) > 20
    columns = connection.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?", [name]
    ).fetchall()
    assert [column for column, text in columns if not text] == []


def test_it_is_narrowed_for_one_question_only(connection: duckdb.DuckDBPyConnection) -> None:
    """Time and repository count inside the sums, and not for what else the connection is asked."""
    since = START + timedelta(days=7)
    narrow = findings(connection, "slow_jobs", since=since, repo="OCTO/a")
    model = Model(World(WORLD.tables, since, "octo/a"))
    assert {row[:5] for row in narrow.rows} == {row[:5] for row in model.slow_jobs()}
    whole = connection.execute("FROM slow_jobs").fetchall()
    assert len(whole) == len(list(Model(World(WORLD.tables)).slow_jobs())) > narrow.total


def test_a_time_may_have_a_zone(connection: duckdb.DuckDBPyConnection) -> None:
    """A time without a zone is UTC; any other is the same moment in UTC."""
    local = (START + timedelta(days=7, hours=5)).replace(tzinfo=timezone(timedelta(hours=5)))
    plain = findings(connection, "slow_jobs", since=START + timedelta(days=7))
    assert findings(connection, "slow_jobs", since=local) == plain


def test_some_rows_and_how_many_there_are(connection: duckdb.DuckDBPyConnection) -> None:
    """A limit takes the first rows, and the total still counts all."""
    whole = findings(connection, "failure_rates")
    assert whole.total == len(whole.rows) > 2
    some = findings(connection, "failure_rates", limit=2)
    assert (some.rows, some.total) == (whole.rows[:2], whole.total)
    assert next(some.to_dicts()) == dict(zip(whole.columns, whole.rows[0], strict=True))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("flaky_jobs", "flaky"),
        ("failure_rates", "failures"),
        ("failure_reasons", "times"),
        ("slow_jobs", "total_seconds"),
        ("slow_steps", "total_seconds"),
        ("queueing", "p95"),
        ("waste", "minutes"),
        ("costs", "usd"),
    ],
)
def test_what_matters_comes_first(
    connection: duckdb.DuckDBPyConnection, name: str, column: str
) -> None:
    """Rows are in the order of what people look for."""
    values: list[Any] = [row[column] or 0 for row in findings(connection, name).to_dicts()]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 1


def test_an_unknown_name(connection: duckdb.DuckDBPyConnection) -> None:
    """A name that is none of them is refused with a list of them."""
    with pytest.raises(ConfigurationError, match="flaky_jobs, failure_rates"):
        findings(connection, "jobs; DROP TABLE jobs")


def test_a_file_without_the_views(store: AuditStore) -> None:
    """A file of an older version is refused with what to do."""
    with store.write() as connection:
        connection.execute("DROP VIEW flaky_jobs")
    with store.read() as connection, pytest.raises(ConfigurationError, match="run ghjobs audit"):
        findings(connection, "costs")


def test_prices_are_the_users_to_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list stands in a new file; what a user makes of it is never reset."""
    monkeypatch.setattr("ghjobs_async.audit.database.new_file._MIN_BYTES", -1)
    monkeypatch.setattr("ghjobs_async.audit.database.new_file._MIN_SHARE", -1)
    store = AuditStore(tmp_path)
    with store.write() as connection:
        assert connection.execute("SELECT count(*) FROM prices").fetchone() == (len(PRICES),)
        connection.execute("DELETE FROM prices WHERE sku <> 'actions_linux'")
        connection.execute("INSERT INTO prices VALUES ('self', '2026-01-01', 0.01)")
        # As after an upgrade of this package: the views are made anew.
        connection.execute("UPDATE meta SET views = 'older'")
    with store.write():
        pass
    store.compact()
    with store.read() as connection:
        found = connection.execute("SELECT DISTINCT sku FROM prices ORDER BY sku").fetchall()
        [(views,)] = connection.execute("SELECT views FROM meta").fetchall()
    assert views != "older"
    assert found == [("actions_linux",), ("self",)]


PRICES = list(list_prices())


@pytest.mark.parametrize(
    ("sku", "day", "price"),
    [
        ("actions_linux", date(2025, 12, 31), 0.008),
        ("actions_linux", date(2026, 1, 1), 0.006),
        ("actions_windows", date(2026, 11, 1), 0.010),
        ("actions_macos", date(2025, 6, 1), 0.08),
        ("actions_macos", date(2026, 6, 1), 0.062),
        ("linux_96_core", date(2026, 6, 1), 0.252),
        ("windows_64_core_arm", date(2026, 6, 1), 0.194),
        ("macos_xl", date(2026, 6, 1), 0.102),
        ("linux_4_core_gpu", date(2025, 6, 1), 0.07),
    ],
)
def test_the_list_has_githubs_prices(sku: str, day: date, price: float) -> None:
    """The price of a day is the latest that had begun."""
    known = [(began, usd) for name, began, usd in PRICES if name == sku and began <= day]
    assert max(known)[1] == price


def test_each_price_began_on_a_day_of_its_own() -> None:
    """No runner has two prices on one day."""
    assert len({(sku, began) for sku, began, _ in PRICES}) == len(PRICES)


def test_times_are_datetimes(connection: duckdb.DuckDBPyConnection) -> None:
    """Python gets moments as they are stored."""
    [row] = findings(connection, "failure_reasons", limit=1).to_dicts()
    assert isinstance(row["first_seen"], datetime)
