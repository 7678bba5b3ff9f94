"""
An asyncio client for GitHub's workflow jobs and their logs, made for concurrent fan-out.

https://docs.github.com/rest/actions/workflow-jobs
"""

from typing import TYPE_CHECKING

from ghjobs_async.lazy import lazy

if TYPE_CHECKING:
    from ghjobs_async.client import GitHubJobs
    from ghjobs_async.clock import Clock
    from ghjobs_async.errors import (
        ApiVersionError,
        AuthError,
        ConfigurationError,
        DecodeError,
        ForbiddenError,
        GHJobsError,
        LogTruncatedError,
        LogUnavailableError,
        NotFoundError,
        RateLimitError,
        RequestTimeoutError,
        ResponseError,
        ServerError,
        TransportError,
        Undecodable,
    )
    from ghjobs_async.fanout import Failed, FanOut, Fetched, Outcome
    from ghjobs_async.listing.attempts import inherited, latest_jobs
    from ghjobs_async.listing.run_search import RunSearch
    from ghjobs_async.logs.job_log import JobLog
    from ghjobs_async.logs.log_grep import JobHit, LogGrep
    from ghjobs_async.logtext import (
        Annotation,
        Certainty,
        FailureExcerpt,
        FailureKind,
        FailureReason,
        Hit,
        LineKind,
        LogLine,
        LogParser,
        StepLog,
        StepLogs,
        parse_log,
        plain,
        split_steps,
    )
    from ghjobs_async.models import (
        Actor,
        CheckAnnotation,
        Conclusion,
        Job,
        JobList,
        LogLink,
        RateLimit,
        Repository,
        Run,
        Status,
        Step,
        Wait,
        to_dict,
    )
    from ghjobs_async.refs import JobRef, RunRef
    from ghjobs_async.transport.app import AppAuth
    from ghjobs_async.transport.auth import TokenAuth
    from ghjobs_async.transport.stats import Stats
    from ghjobs_async.watch.events import JobEvent, RunEvent, StepEvent, Verdict, Waited, WatchEvent
    from ghjobs_async.watch.watch import Watch

__all__ = [
    "Actor",
    "Annotation",
    "ApiVersionError",
    "AppAuth",
    "AuthError",
    "Certainty",
    "CheckAnnotation",
    "Clock",
    "Conclusion",
    "ConfigurationError",
    "DecodeError",
    "Failed",
    "FailureExcerpt",
    "FailureKind",
    "FailureReason",
    "FanOut",
    "Fetched",
    "ForbiddenError",
    "GHJobsError",
    "GitHubJobs",
    "Hit",
    "Job",
    "JobEvent",
    "JobHit",
    "JobList",
    "JobLog",
    "JobRef",
    "LineKind",
    "LogGrep",
    "LogLine",
    "LogLink",
    "LogParser",
    "LogTruncatedError",
    "LogUnavailableError",
    "NotFoundError",
    "Outcome",
    "RateLimit",
    "RateLimitError",
    "Repository",
    "RequestTimeoutError",
    "ResponseError",
    "Run",
    "RunEvent",
    "RunRef",
    "RunSearch",
    "ServerError",
    "Stats",
    "Status",
    "Step",
    "StepEvent",
    "StepLog",
    "StepLogs",
    "TokenAuth",
    "TransportError",
    "Undecodable",
    "Verdict",
    "Wait",
    "Waited",
    "Watch",
    "WatchEvent",
    "inherited",
    "latest_jobs",
    "parse_log",
    "plain",
    "split_steps",
    "to_dict",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(
        __name__,
        __all__,
        (
            *("errors", "clock", "refs", "models", "listing.attempts", "logtext", "fanout"),
            *("transport.auth", "transport.app", "transport.stats", "watch.events"),
            *("listing.run_search", "logs.job_log", "logs.log_grep", "watch.watch", "client"),
        ),
    )
