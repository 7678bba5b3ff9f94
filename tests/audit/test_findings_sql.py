"""The views of the findings against a second computation, and definitions that are broken."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from findings_model import Model, comparable
from findings_world import database, make
from hypothesis import given, settings
from hypothesis import strategies as st

from ghjobs_async.audit.sql.findings import FINDINGS, PARTS
from ghjobs_async.audit.sql.views import VIEWS

NAMES = [view.name for view in FINDINGS]
BY_NAME = {view.name: view for view in VIEWS}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as connection:
        yield connection


def seen(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    return comparable(connection.execute(f"FROM {name}").fetchall())


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_number_is_that_of_a_second_computation(
    connection: duckdb.DuckDBPyConnection, rng: random.Random
) -> None:
    """Each finding has the rows that plain Python makes of the same jobs, whatever they are."""
    world = make(rng)
    world.fill(connection)
    for name in NAMES:
        assert seen(connection, name) == comparable(getattr(Model(world), name)()), name


WORLDS = 200
#: What each match of a pattern becomes: a definition that is broken in one place.
CHANGES = (
    (r" AND ", " OR "),
    (r" OR ", " AND "),
    (r"\bNOT (?=inherited|late)", ""),
    (r"IS NOT DISTINCT FROM", "="),
    (r"IS DISTINCT FROM", "="),
    (r"IS NOT NULL", "IS NULL"),
    (r" <> ", " = "),
    (r" = (?!')", " <> "),
    (r" > ", " >= "),
    (r" > ", " < "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" < ", " > "),
    (r"'(?:success|failure|timed_out|cancelled|completed)'", "'neutral'"),
    (r"\bDISTINCT (?=head_sha|\(|counted)", ""),
    (r"\b60\b", "61"),
    (r"\b24 \*", "23 *"),
    (r"\b0\.5\b", "0.4"),
    (r"\b0\.95\b", "0.9"),
    (r" - (?=1\b)", " + "),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bsum\(", "max("),
    (r"\bavg\(", "max("),
    (r"\bceil\(", "floor("),
    (r"\bSEMI JOIN\b", "ANTI JOIN"),
    (r"\barg_max\(", "arg_min("),
    (r"\blist_distinct\b", ""),
    (r"\bisodow\b", "dayofweek"),
    (r"\blower\(", "upper("),
    (r" DESC, job_id DESC\) FILTER", ", job_id) FILTER"),
    (r"\bcoalesce\(", "least("),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"usd_per_minute", "2 * usd_per_minute"),
    (r"'self'", "'unpriced'"),
    (r"count\(\*\)", "max(1)"),
    (r"ASOF LEFT JOIN", "ASOF JOIN"),
    (r"LEFT JOIN", "JOIN"),
    (r"UNION ALL", "UNION"),
    (r"\n +(?:AND|OR) [^\n(]+(?=\n)", ""),
    (r"(THEN|WHEN label =) '", r"\1 '?"),
    (r"_match\(label, '\w+", "_match(label, 'bsd"),
)


def broken() -> Iterator[tuple[str, str, str]]:
    """Return each definition that is broken in one place: view, what was changed, and its SQL."""
    for view in (*PARTS, *FINDINGS):
        # The order of the rows is no number.
        head, order, tail = view.sql.rpartition("\nORDER BY")
        for pattern, new in CHANGES:
            for count, found in enumerate(re.finditer(pattern, head)):
                middle = found.expand(new)
                sql = head[: found.start()] + middle + head[found.end() :] + order + tail
                yield view.name, f"{pattern} {count}", sql


@pytest.mark.parametrize("name", BY_NAME)
def test_a_broken_definition_is_noticed(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Whatever one condition or number of a view becomes, some world shows the difference."""
    alive = {change: sql for view, change, sql in broken() if view == name}
    # What is not a finding itself shows in those that are made of it.
    shown_by = [name] if name in NAMES else NAMES
    for seed in range(WORLDS):
        if not alive:
            break
        world = make(random.Random(seed))
        world.fill(connection)
        expected = {one: comparable(getattr(Model(world), one)()) for one in shown_by}
        for change, sql in list(alive.items()):
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS {sql}")
            if any(_differs(connection, one, expected[one]) for one in shown_by):
                del alive[change]
    connection.execute(f"CREATE OR REPLACE VIEW {name} AS {BY_NAME[name].sql}")
    assert list(alive) == []


def _differs(
    connection: duckdb.DuckDBPyConnection, name: str, expected: list[tuple[Any, ...]]
) -> bool:
    try:
        return seen(connection, name) != expected
    except duckdb.Error:
        # The change made the query impossible.
        return True
