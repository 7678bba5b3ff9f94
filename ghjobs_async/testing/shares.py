"""The faults from which a client can recover, for a share of all answers in a soak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghjobs_async.testing import faults

if TYPE_CHECKING:
    from ghjobs_async.testing.script import Fault


def recoverable(*, stalls: bool = True) -> list[Fault]:
    """
    Give every fault after which another try (or a wait, or a new link) can succeed.

    Args:
        stalls: Whether to include the ones that only a timeout of the client's ends.
    """
    only = faults.only
    chosen = [
        *(only(faults.status(code), "api") for code in (500, 503, 504)),
        only(faults.bad_gateway(), "api"),
        only(faults.secondary_limit(1), "api"),
        only(faults.secondary_limit(1, 429), "api"),
        only(faults.secondary_limit(form="message"), "api"),
        only(faults.secondary_limit(form="documentation_url"), "api"),
        only(faults.secondary_limit(form="html", status=429), "api"),
        only(faults.primary_limit(1), "api"),
        only(faults.html(), "jobs", "job", "runs", "run"),
        only(faults.truncated_json(), "jobs", "job", "runs", "run"),
        only(faults.redirect(301), "jobs", "job", "runs", "run"),
        only(faults.redirect(307), "jobs", "job", "runs", "run"),
        only(faults.shifting_list("repeat"), "jobs"),
        only(faults.shifting_list("short"), "jobs"),
        faults.reset(),
        faults.disconnect(),
        only(faults.break_body(0), "jobs", "job", "runs", "run"),
        only(faults.break_body(100), "jobs", "job", "runs", "run", "storage"),
        only(faults.lying_length(50), "jobs", "job", "runs", "run", "storage"),
        only(faults.ignore_range(), "storage"),
        only(faults.change_blob(), "storage"),
        only(faults.expired_link(), "storage"),
        *(only(faults.storage_status(code), "storage") for code in (401, 403, 500, 503)),
    ]
    if stalls:
        chosen += [
            faults.stall_headers(),
            only(faults.stall_body(50), "jobs", "job", "runs", "run", "storage"),
        ]
    return chosen
