"""Settle an audit: mark runs that are gone, count what is missing, mark audits that were killed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from ghjobs_async.audit.collect.missing import FINAL
from ghjobs_async.audit.collect.repo_work import RepoWork
from ghjobs_async.audit.database.duck import execute, in_utc

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def conclude(
    connection: DuckDBPyConnection, work: RepoWork, began: datetime, now: datetime
) -> None:
    """
    Mark the runs of a repository that are gone or back; delete pages that no search will ask for.

    Only what was read completely counts; with filters, nothing is known of the runs beside them.
    """
    windows = [end.window for end in work.ends if end.settled]
    days = work.search.days
    if not windows or work.error is not None:
        return
    given = {
        "repo": work.repo,
        "search": work.plan.key,
        "first": in_utc(days[-1].start),
        "last": in_utc(days[0].end),
        "starts": [in_utc(window.start) for window in windows],
        "ends": [in_utc(window.end) for window in windows],
        "kept_starts": [in_utc(window.start) for window, _, _ in work.kept],
        "kept_ends": [in_utc(window.end) for window, _, _ in work.kept],
        "kept_pages": [number for _, number, _ in work.kept],
        "kept_labels": [label for _, _, label in work.kept],
        "began": in_utc(began),
        "now": in_utc(now),
    }
    statements = [] if work.plan.filters else [_GONE, _BACK]
    if len(windows) == len(work.ends):
        statements.insert(0, _FORGET)
    for sql in statements:
        execute(connection, sql, given)


def may_come(connection: DuckDBPyConnection, repos: list[str]) -> int:
    """Return how many things of these repositories are missing that may still come."""
    [(count,)] = connection.execute(_MAY_COME, {"repos": repos, "final": FINAL}).fetchall()
    return int(count)


def mark_killed(connection: DuckDBPyConnection) -> bool:
    """Mark the audits that never ended; return whether there were any: they may have left files."""
    sql = "UPDATE audits SET outcome = 'killed' WHERE ended_at IS NULL AND outcome IS NULL"
    [(count,)] = connection.execute(sql).fetchall()
    return bool(count)


_READ: Final = "(SELECT unnest($starts) AS window_start, unnest($ends) AS window_end)"
_KEPT: Final = """(
    SELECT unnest($kept_starts) AS window_start, unnest($kept_ends) AS window_end,
        unnest($kept_pages) AS page, unnest($kept_labels) AS credential
)"""
# Those of windows that are read no more, and of other credentials. A page of a window that was
# divided has no runs.
_FORGET: Final = f"""
    DELETE FROM pages WHERE repository = $repo AND search = $search AND (
        window_start < $first AND window_end >= $first
        OR window_start >= $first AND window_end <= $last
            AND NOT (total > 0 AND len(run_ids) = 0)
            AND (window_start, window_end, page, credential) NOT IN (
                SELECT (window_start, window_end, page, credential) FROM {_KEPT}
            )
    )
"""
_THERE: Final = f"""(
    SELECT unnest(run_ids) FROM pages SEMI JOIN {_READ} USING (window_start, window_end)
    WHERE repository = $repo AND search = $search
)"""
_GONE: Final = f"""
    UPDATE runs SET gone_at = $now WHERE repository = $repo AND gone_at IS NULL
        AND EXISTS (
            FROM {_READ} AS read
            WHERE created_at >= window_start AND created_at < window_end + INTERVAL 1 SECOND
        )
        AND run_id NOT IN {_THERE}
"""
_BACK: Final = f"""
    UPDATE runs SET gone_at = NULL
    WHERE repository = $repo AND gone_at < $began AND run_id IN {_THERE}
"""
_MAY_COME: Final = """
    SELECT count(*) FROM failures
    WHERE list_contains($repos, repository) AND NOT coalesce(list_contains($final, reason), false)
        AND NOT EXISTS (
            SELECT 1 FROM runs WHERE runs.repository = failures.repository
                AND runs.run_id = failures.run_id AND runs.gone_at IS NOT NULL
        )
"""
