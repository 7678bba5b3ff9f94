"""
An asyncio client for GitHub's workflow jobs and their logs, made for concurrent fan-out.

https://docs.github.com/rest/actions/workflow-jobs
"""

from ghjobs_async.auth import AppAuth, TokenAuth
from ghjobs_async.client import GitHubJobs
from ghjobs_async.clock import Clock
from ghjobs_async.convert import to_dict
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
)
from ghjobs_async.fanout import FanOut, Outcome
from ghjobs_async.logs import JobLog
from ghjobs_async.logtext import LogLine, LogParser, parse_log
from ghjobs_async.models import (
    Actor,
    Conclusion,
    Failed,
    Fetched,
    Job,
    JobList,
    LogLink,
    Repository,
    Run,
    Status,
    Step,
    Undecodable,
    Wait,
)
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.runs import RunSearch

__all__ = [
    "Actor",
    "ApiVersionError",
    "AppAuth",
    "AuthError",
    "Clock",
    "Conclusion",
    "ConfigurationError",
    "DecodeError",
    "Failed",
    "FanOut",
    "Fetched",
    "ForbiddenError",
    "GHJobsError",
    "GitHubJobs",
    "Job",
    "JobList",
    "JobLog",
    "JobRef",
    "LogLine",
    "LogLink",
    "LogParser",
    "LogTruncatedError",
    "LogUnavailableError",
    "NotFoundError",
    "Outcome",
    "RateLimitError",
    "Repository",
    "RequestTimeoutError",
    "ResponseError",
    "Run",
    "RunRef",
    "RunSearch",
    "ServerError",
    "Status",
    "Step",
    "TokenAuth",
    "TransportError",
    "Undecodable",
    "Wait",
    "parse_log",
    "to_dict",
]
