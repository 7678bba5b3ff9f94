"""Many runs into one local database, which grows with each audit."""

from typing import TYPE_CHECKING

from ghjobs_async.audit.database.merge import Merged, merge
from ghjobs_async.audit.database.store import AuditStore
from ghjobs_async.audit.results.describe import describe
from ghjobs_async.audit.results.export import Format, export, is_formula
from ghjobs_async.audit.results.findings import Finding, findings
from ghjobs_async.audit.results.query import Result, query
from ghjobs_async.audit.results.report import report
from ghjobs_async.audit.results.summary import Summary, summarize
from ghjobs_async.audit.sql.schema import Column, Table
from ghjobs_async.lazy import lazy

if TYPE_CHECKING:
    from ghjobs_async.audit.collect.audit import Audit
    from ghjobs_async.audit.collect.counts import Counts
    from ghjobs_async.audit.collect.estimating import Estimate, RepoEstimate, estimate
    from ghjobs_async.audit.collect.feed import Feed, JobOf
    from ghjobs_async.audit.collect.plan import AuditPlan, Logs, Shard, parse_when
    from ghjobs_async.audit.gantt.svg import timeline

__all__ = [
    "Audit",
    "AuditPlan",
    "AuditStore",
    "Column",
    "Counts",
    "Estimate",
    "Feed",
    "Finding",
    "Format",
    "JobOf",
    "Logs",
    "Merged",
    "RepoEstimate",
    "Result",
    "Shard",
    "Summary",
    "Table",
    "describe",
    "estimate",
    "export",
    "findings",
    "is_formula",
    "merge",
    "parse_when",
    "query",
    "report",
    "summarize",
    "timeline",
]

if not TYPE_CHECKING:
    # What reads a folder needs neither the models nor the client.
    __getattr__, __dir__ = lazy(
        __name__,
        __all__,
        (
            "collect.plan",
            "collect.counts",
            "gantt.svg",
            "collect.feed",
            "collect.estimating",
            "collect.audit",
        ),
    )
