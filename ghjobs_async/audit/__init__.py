"""Many runs into one folder, and what they sum up to."""

from ghjobs_async.audit.collect import Audit
from ghjobs_async.audit.estimate import Estimate, RepoEstimate, estimate
from ghjobs_async.audit.feed import Feed, JobOf
from ghjobs_async.audit.folder import AuditFolder
from ghjobs_async.audit.gantt.svg import timeline
from ghjobs_async.audit.plan import AuditPlan, Logs, parse_when
from ghjobs_async.audit.tally import RepoTally, Tally

__all__ = [
    "Audit",
    "AuditFolder",
    "AuditPlan",
    "Estimate",
    "Feed",
    "JobOf",
    "Logs",
    "RepoEstimate",
    "RepoTally",
    "Tally",
    "estimate",
    "parse_when",
    "timeline",
]
