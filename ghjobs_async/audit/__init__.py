"""Many runs into one local database, which grows with each audit."""

from typing import TYPE_CHECKING

from ghjobs_async.audit.describe import describe
from ghjobs_async.audit.export import Format, export, is_formula
from ghjobs_async.audit.findings import Finding, findings
from ghjobs_async.audit.merge import Merged, merge
from ghjobs_async.audit.query import Result, query
from ghjobs_async.audit.report import report
from ghjobs_async.audit.schema import Column, Table
from ghjobs_async.audit.store import AuditStore
from ghjobs_async.audit.summary import Summary, summarize
from ghjobs_async.lazy import lazy

if TYPE_CHECKING:
    from ghjobs_async.audit.collect import Audit
    from ghjobs_async.audit.counts import Counts
    from ghjobs_async.audit.estimating import Estimate, RepoEstimate, estimate
    from ghjobs_async.audit.feed import Feed, JobOf
    from ghjobs_async.audit.gantt.svg import timeline
    from ghjobs_async.audit.plan import AuditPlan, Logs, Shard, parse_when

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
        __name__, __all__, ("plan", "counts", "gantt.svg", "feed", "estimating", "collect")
    )
