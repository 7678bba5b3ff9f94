"""
The faults: one function for each, for `FakeGitHub.fail` or `FakeGitHub.fault_rate`.

``fake.fail("jobs", faults.bad_gateway(min_per_page=100), times=None)``
"""

from ghjobs_async.testing.faults.answers import (
    bad_gateway,
    html,
    link_host,
    log_location,
    redirect,
    shifting_list,
    status,
    truncated_json,
)
from ghjobs_async.testing.faults.bombs import gzip_bomb, huge_answer
from ghjobs_async.testing.faults.connection import (
    break_body,
    disconnect,
    lying_length,
    reset,
    stall_body,
    stall_headers,
)
from ghjobs_async.testing.faults.refusals import (
    LimitForm,
    bad_credentials,
    blocked,
    missing_permission,
    primary_limit,
    saml,
    secondary_limit,
    unknown_api_version,
)
from ghjobs_async.testing.faults.script import only
from ghjobs_async.testing.faults.storage import (
    blob_not_found,
    change_blob,
    expired_link,
    ignore_range,
    storage_status,
)

__all__ = [
    "LimitForm",
    "bad_credentials",
    "bad_gateway",
    "blob_not_found",
    "blocked",
    "break_body",
    "change_blob",
    "disconnect",
    "expired_link",
    "gzip_bomb",
    "html",
    "huge_answer",
    "ignore_range",
    "link_host",
    "log_location",
    "lying_length",
    "missing_permission",
    "only",
    "primary_limit",
    "redirect",
    "reset",
    "saml",
    "secondary_limit",
    "shifting_list",
    "stall_body",
    "stall_headers",
    "status",
    "storage_status",
    "truncated_json",
    "unknown_api_version",
]
