"""The faults from which a client can recover, for a share of all answers in a soak."""

from __future__ import annotations

from ghjobs_async.testing.faults import answers, connection, refusals, storage
from ghjobs_async.testing.faults.script import Fault, only

#: Answers whose body is JSON about runs and jobs.
_OBJECTS = ("jobs", "job", "runs", "run")


def recoverable(*, stalls: bool = True) -> list[Fault]:
    """
    Give every fault after which another try (or a wait, or a new link) can succeed.

    Args:
        stalls: Whether to include those that only the client's timeout ends.
    """
    chosen = [
        *(only(answers.status(code), "api") for code in (500, 503, 504)),
        only(answers.bad_gateway(), "api"),
        only(refusals.secondary_limit(1), "api"),
        only(refusals.secondary_limit(1, 429), "api"),
        only(refusals.secondary_limit(form="message"), "api"),
        only(refusals.secondary_limit(form="documentation_url"), "api"),
        only(refusals.secondary_limit(form="html", status=429), "api"),
        only(refusals.primary_limit(1), "api"),
        only(answers.html(), *_OBJECTS),
        only(answers.truncated_json(), *_OBJECTS),
        only(answers.redirect(301), *_OBJECTS),
        only(answers.redirect(307), *_OBJECTS),
        only(answers.shifting_list("repeat"), "jobs"),
        only(answers.shifting_list("short"), "jobs"),
        connection.reset(),
        connection.disconnect(),
        only(connection.break_body(0), *_OBJECTS),
        only(connection.break_body(100), *_OBJECTS, "storage"),
        only(connection.lying_length(50), *_OBJECTS, "storage"),
        only(storage.ignore_range(), "storage"),
        only(storage.change_blob(), "storage"),
        only(storage.expired_link(), "storage"),
        *(only(storage.storage_status(code), "storage") for code in (401, 403, 500, 503)),
    ]
    if stalls:
        chosen += [
            connection.stall_headers(),
            only(connection.stall_body(50), *_OBJECTS, "storage"),
        ]
    return chosen
