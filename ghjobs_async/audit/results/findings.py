"""Read a finding by its name, narrowed to a time and a repository."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.audit.database.duck import in_utc, load
from ghjobs_async.audit.sql.findings import FINDINGS
from ghjobs_async.errors import ConfigurationError, shown

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: People need not see the rate of a job that never failed. In an audit from elsewhere, the column may
#: be of any type.
_NOTABLE: Final = {"failure_rates": "failures::VARCHAR <> '0'"}

#: The findings that there are.
NAMES: Final = tuple(view.name for view in FINDINGS)
_COLUMNS: Final = {view.name: view.columns.keys() for view in FINDINGS}


@attrs.frozen
class Finding:
    """
    The rows of one finding.

    Attributes:
        name: Its name, which is also that of its view.
        columns: The names of the columns.
        rows: The rows, those that matter most first; perhaps not all of them.
        total: How many rows there are in all.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    total: int

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return iter(self.rows)

    def to_dicts(self) -> Iterator[dict[str, object]]:
        """Return the rows as dictionaries; times are in UTC, without a time zone."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


def findings(
    connection: DuckDBPyConnection,
    name: str,
    *,
    since: datetime | None = None,
    repo: str | None = None,
    limit: int | None = None,
    notable: bool = False,
) -> Finding:
    """
    Read one finding from an audit.

    Args:
        connection: A connection to the database, such as `AuditStore.read` gives.
        name: flaky_jobs, failure_rates, failure_reasons, slow_jobs, slow_steps, queueing, waste, costs
            or incomplete. The view of that name says in its comment what it holds.
        since: Count only jobs created from then on. Without a time zone it is UTC.
        repo: Count only this repository, as OWNER/NAME.
        limit: Read at most this many rows, those that matter most.
        notable: Leave out the rows that say nothing to people: jobs that never failed.

    Raises:
        ConfigurationError: There is no finding of this name, or its view is not that of this version.
    """
    check_name(name)
    with narrowed(connection, since, repo) as cursor:
        # The total comes last, and is taken off again.
        which = _NOTABLE.get(name, "true") if notable else "true"
        sql = f"SELECT *, count(*) OVER () FROM {name} WHERE {which} LIMIT ?"
        cursor.execute(sql, [limit])
        columns = tuple(column[0] for column in cursor.description or ())[:-1]
        if not _COLUMNS[name] <= set(columns):
            raise _older()
        rows = cursor.fetchall()
    return Finding(name, columns, tuple(row[:-1] for row in rows), rows[0][-1] if rows else 0)


def check_audited(connection: DuckDBPyConnection, repo: str | None) -> None:
    """Raise a `ConfigurationError` where the audit has no run of this repository."""
    sql = "SELECT 1 FROM runs WHERE lower(repository) = lower(?) LIMIT 1"
    if repo is not None and not connection.execute(sql, [repo]).fetchall():
        raise ConfigurationError(f"{repo} is not in this audit: check the name, or audit it first")


def check_name(name: str) -> None:
    """Raise a `ConfigurationError` where there is no finding of this name."""
    if name not in NAMES:
        raise ConfigurationError(f"no finding {shown(name)}: name one of {', '.join(NAMES)}")


def narrowed(
    connection: DuckDBPyConnection, since: datetime | None, repo: str | None
) -> DuckDBPyConnection:
    """Return a cursor on which all findings count only what is asked for. Variables are its own."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"FROM {NAMES[0]} LIMIT 0")
    except load().CatalogException as error:
        raise _older() from error
    for variable, value in (("since", in_utc(since)), ("repo", repo)):
        if value is not None:
            cursor.execute(f"SET VARIABLE {variable} = ?", [value])
    return cursor


def _older() -> ConfigurationError:
    return ConfigurationError(
        "this audit is from an older version: run ghjobs audit on its folder once"
    )
