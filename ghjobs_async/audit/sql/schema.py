"""The tables of an audit's database, explained, and how older ones are upgraded: SQL, as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import attrs

from ghjobs_async.audit.sql.prices import list_prices

#: The version of `TABLES`. Whoever changes them raises it and adds a step to `UPGRADES`.
VERSION: Final = 1
#: For each older version the statements that lead to the next one. They run in one transaction.
UPGRADES: Final[Mapping[int, tuple[str, ...]]] = {}


@attrs.frozen
class Column:
    """A column: its type in SQL, and what it holds."""

    name: str
    type: str
    comment: str


@attrs.frozen
class Table:
    """A table: what a row of it is, and its columns."""

    name: str
    comment: str
    columns: tuple[Column, ...]


@attrs.frozen
class View:
    """
    A view that the database has.

    Attributes:
        sql: The query.
        columns: The comment of each column.
    """

    name: str
    sql: str
    comment: str
    columns: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Macro:
    """
    A macro that the database has.

    Attributes:
        sql: Its parameters and what it stands for: ``(x) AS x + 1``, ``(x) AS TABLE SELECT x``.
    """

    name: str
    sql: str
    comment: str


def _table(name: str, comment: str, *columns: tuple[str, str, str]) -> Table:
    return Table(name, comment, tuple(Column(*column) for column in columns))


_REPOSITORY: Final = ("repository", "VARCHAR", "Repository, as OWNER/NAME")
_RUN: Final = ("run_id", "BIGINT", "Id of the run")
_ATTEMPT: Final = ("run_attempt", "BIGINT", "Number of the attempt, from 1")
_JOB: Final = ("job_id", "BIGINT", "Id of the job")
_STATUS: Final = ("status", "VARCHAR", "Status: queued, in_progress, completed, ...")
_CONCLUSION: Final = ("conclusion", "VARCHAR", "Conclusion: success, failure, cancelled, ...")
_BRANCH: Final = ("head_branch", "VARCHAR", "Branch of the commit")
_SHA: Final = ("head_sha", "VARCHAR", "SHA of the commit")
_URL: Final = ("html_url", "VARCHAR", "Address of its page")

TABLES: Final = (
    _table(
        "runs",
        "The runs: one row for each, as its latest attempt stands",
        _REPOSITORY,
        _RUN,
        ("run_attempt", "BIGINT", "Number of its latest attempt"),
        ("workflow_id", "BIGINT", "Id of the workflow"),
        ("workflow_name", "VARCHAR", "Name of the workflow"),
        ("path", "VARCHAR", "File of the workflow"),
        ("event", "VARCHAR", "What triggered it: push, pull_request, schedule, ..."),
        _STATUS,
        _CONCLUSION,
        _BRANCH,
        _SHA,
        ("actor", "VARCHAR", "Who triggered the first attempt"),
        ("triggering_actor", "VARCHAR", "Who triggered the latest attempt"),
        ("display_title", "VARCHAR", "Title: mostly that of the commit or the pull request"),
        ("run_number", "BIGINT", "Number of the run within its workflow"),
        ("created_at", "TIMESTAMP", "When it was created, in UTC"),
        ("run_started_at", "TIMESTAMP", "When its latest attempt started, in UTC"),
        ("updated_at", "TIMESTAMP", "When it last changed, in UTC"),
        _URL,
        ("gone_at", "TIMESTAMP", "When GitHub was first seen without it, in UTC; NULL: it has it"),
    ),
    _table(
        "attempts",
        "The attempts that are complete: their jobs are all stored and change no more",
        _REPOSITORY,
        _RUN,
        _ATTEMPT,
        ("jobs", "BIGINT", "How many jobs GitHub counts in it"),
        ("settled_at", "TIMESTAMP", "When its jobs were stored, in UTC"),
    ),
    _table(
        "jobs",
        "The jobs of all attempts: one row for each",
        _REPOSITORY,
        _RUN,
        _ATTEMPT,
        _JOB,
        ("node_id", "VARCHAR", "Id in the GraphQL API"),
        ("name", "VARCHAR", "Name"),
        ("workflow_name", "VARCHAR", "Name of the workflow"),
        _BRANCH,
        _SHA,
        _STATUS,
        _CONCLUSION,
        ("created_at", "TIMESTAMP", "When it was created, in UTC"),
        ("started_at", "TIMESTAMP", "When it started, in UTC; while it is queued: since when"),
        ("completed_at", "TIMESTAMP", "When it ended, in UTC"),
        (
            "queued_seconds",
            "DOUBLE",
            "How long it waited for a runner; NULL: nothing ran, or the times do not tell",
        ),
        (
            "seconds",
            "DOUBLE",
            "How long it ran; NULL: nothing ran, it has not ended, or the times do not tell",
        ),
        ("labels", "VARCHAR[]", "Labels that its runner must have"),
        ("runner_id", "BIGINT", "Id of its runner"),
        ("runner_name", "VARCHAR", "Name of its runner"),
        ("runner_group_id", "BIGINT", "Id of the group of its runner"),
        ("runner_group_name", "VARCHAR", "Name of the group of its runner"),
        _URL,
        (
            "inherited",
            "BOOLEAN",
            "Whether a re-run took it over from an earlier attempt: sums leave it out",
        ),
        ("api_url", "VARCHAR", "Address of the repository in the API"),
        ("other", "VARCHAR", "How GitHub's JSON differs from these columns: a JSON merge patch"),
    ),
    _table(
        "steps",
        "The steps of the jobs",
        _REPOSITORY,
        _RUN,
        _ATTEMPT,
        _JOB,
        ("number", "BIGINT", "Number within the job; has gaps"),
        ("name", "VARCHAR", "Name"),
        _STATUS,
        _CONCLUSION,
        ("started_at", "TIMESTAMP", "When it started, in UTC"),
        ("completed_at", "TIMESTAMP", "When it ended, in UTC"),
        ("seconds", "DOUBLE", "How long it ran; NULL: it did not, or the times do not tell"),
    ),
    _table(
        "reasons",
        "Why jobs failed, as their logs say",
        _REPOSITORY,
        _RUN,
        _JOB,
        ("step", "VARCHAR", "Name of the step that failed"),
        ("kind", "VARCHAR", "Kind of failure"),
        ("headline", "VARCHAR", "The failure in one line"),
        ("fingerprint", "VARCHAR", "Equal for equal failures"),
        ("excerpt", "VARCHAR", "The lines of the log around it"),
        ("certainty", "VARCHAR", "How sure this is"),
    ),
    _table(
        "logs",
        "The logs that are saved in the folder",
        _REPOSITORY,
        _RUN,
        _JOB,
        ("path", "VARCHAR", "File, relative to the folder of the audit, with /"),
        ("bytes", "BIGINT", "Size of the file"),
        ("fetched_at", "TIMESTAMP", "When it was saved, in UTC"),
    ),
    _table(
        "failures",
        "What could not be fetched",
        _REPOSITORY,
        ("run_id", "BIGINT", "Id of the run; NULL: it is about the repository"),
        ("job_id", "BIGINT", "Id of the job; NULL: it is about the run"),
        ("what", "VARCHAR", "What is missing: search, jobs or log"),
        ("error", "VARCHAR", "Class of the error"),
        ("reason", "VARCHAR", "Why there is no log: expired, deleted, never_ran, lost, not_ready"),
        ("text", "VARCHAR", "The error in words"),
        ("failed_at", "TIMESTAMP", "When it was last tried, in UTC"),
        ("audit_id", "VARCHAR", "Id of the audit that tried it last"),
    ),
    _table(
        "audits",
        "The audits that wrote here",
        ("id", "VARCHAR", "Random id"),
        ("started_at", "TIMESTAMP", "When it started, in UTC"),
        ("ended_at", "TIMESTAMP", "When it ended, in UTC; NULL: it runs, or was killed"),
        ("arguments", "VARCHAR", "What was asked for, as JSON"),
        ("requests", "BIGINT", "How many requests it sent to the API"),
        ("not_modified", "BIGINT", "How many of them cost nothing: the page had not changed"),
        ("runs", "BIGINT", "How many runs it stored"),
        ("jobs", "BIGINT", "How many jobs it stored"),
        ("outcome", "VARCHAR", "How it ended: complete, incomplete, interrupted, failed, killed"),
    ),
    _table(
        "pages",
        "The pages of run searches, to ask GitHub only for what has changed",
        _REPOSITORY,
        ("search", "VARCHAR", "Filters of the search besides the window, as JSON"),
        ("credential", "VARCHAR", "Hash of the credential that the ETag is for"),
        ("window_start", "TIMESTAMP", "Start of the window of created, in UTC"),
        ("window_end", "TIMESTAMP", "End of the window of created, in UTC"),
        ("page", "INTEGER", "Number of the page, from 1"),
        ("etag", "VARCHAR", "ETag of the page"),
        ("total", "BIGINT", "How many runs GitHub counts in the window"),
        ("run_ids", "BIGINT[]", "Ids of the runs on the page"),
        ("fetched_at", "TIMESTAMP", "When it was last fetched, in UTC"),
    ),
    _table(
        "prices",
        "What a minute on each runner costs: GitHub's list, yours to edit; no audit resets it",
        ("sku", "VARCHAR", "The runner: GitHub's name on the bill, a label, or self"),
        ("from_date", "DATE", "The day from which the price holds"),
        ("usd_per_minute", "DOUBLE", "US dollars a minute"),
    ),
    _table(
        "meta",
        "What this file is: one row",
        ("schema_version", "INTEGER", "Version of these tables"),
        ("views", "VARCHAR", "Fingerprint of the views and macros"),
    ),
)


def create() -> tuple[str, ...]:
    """Return the statements that make all tables, without views and macros."""
    statements: list[str] = []
    for table in TABLES:
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        statements.append(f"CREATE TABLE {table.name} ({columns})")
        statements.append(f"COMMENT ON TABLE {table.name} IS {quote(table.comment)}")
        statements += [
            f'COMMENT ON COLUMN {table.name}."{column.name}" IS {quote(column.comment)}'
            for column in table.columns
        ]
    prices = ", ".join(f"('{sku}', DATE '{day}', {usd})" for sku, day, usd in list_prices())
    statements.append(f"INSERT INTO prices VALUES {prices}")
    statements.append(f"INSERT INTO meta VALUES ({VERSION}, NULL)")
    return tuple(statements)


def upgrade(version: int) -> tuple[str, ...]:
    """Return the statements that lead from an older *version* to this one."""
    steps = [statement for old in range(version, VERSION) for statement in UPGRADES[old]]
    return (*steps, f"UPDATE meta SET schema_version = {VERSION}") if steps else ()


def define(macros: tuple[Macro, ...], views: tuple[View, ...]) -> tuple[str, ...]:
    """Return the statements that make macros and views, or replace older ones."""
    statements: list[str] = []
    for macro in macros:
        kind = "MACRO TABLE" if " AS TABLE " in " ".join(macro.sql.split()) else "MACRO"
        statements.append(f"CREATE OR REPLACE MACRO {macro.name}{macro.sql}")
        statements.append(f"COMMENT ON {kind} {macro.name} IS {quote(macro.comment)}")
    for view in views:
        statements.append(f"CREATE OR REPLACE VIEW {view.name} AS {view.sql}")
        statements.append(f"COMMENT ON VIEW {view.name} IS {quote(view.comment)}")
        statements += [
            f'COMMENT ON COLUMN {view.name}."{name}" IS {quote(comment)}'
            for name, comment in view.columns.items()
        ]
    statements.append(f"UPDATE meta SET views = {quote(fingerprint(macros, views))}")
    return tuple(statements)


def fingerprint(macros: tuple[Macro, ...], views: tuple[View, ...]) -> str:
    """Return a text that differs when a macro, a view or a comment does."""
    return sha256(repr((macros, views)).encode()).hexdigest()[:16]


def quote(text: str) -> str:
    """Return *text* as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
