"""Describe the tables and views of an audit."""

from __future__ import annotations

from ghjobs_async.audit.database.store import AuditStore
from ghjobs_async.audit.sql import schema, views
from ghjobs_async.audit.sql.schema import Column, Table

_COLUMNS = """
    SELECT table_name, column_name, data_type, coalesce(comment, '')
    FROM duckdb_columns() WHERE NOT internal AND database_name = current_database()
    ORDER BY table_name, column_index
"""
_COMMENTS = """
    SELECT table_name, comment FROM duckdb_tables() WHERE database_name = current_database()
    UNION ALL
    SELECT view_name, comment FROM duckdb_views()
    WHERE NOT internal AND database_name = current_database()
"""


def describe(store: AuditStore | None = None) -> tuple[Table, ...]:
    """
    Return the tables and views of an audit, or those that this version makes.

    Raises:
        ConfigurationError: There is no audit, or it is in use by a writer.
    """
    if store is None:
        made = [
            Table(view.name, view.comment, tuple(Column(n, "", c) for n, c in view.columns.items()))
            for view in views.VIEWS
        ]
        return (*schema.TABLES, *made)
    with store.read() as connection:
        columns = connection.execute(_COLUMNS).fetchall()
        comments: dict[str, str | None] = dict(connection.execute(_COMMENTS).fetchall())
    # In the order of the schema; what others have added comes last.
    ours = [*(table.name for table in schema.TABLES), *(view.name for view in views.VIEWS)]
    known = {name: place for place, name in enumerate(ours)}
    names = sorted(comments, key=lambda name: (known.get(name, len(known)), name))
    return tuple(
        Table(
            name,
            comments[name] or "",
            tuple(Column(*rest) for table, *rest in columns if table == name),
        )
        for name in names
    )
