"""Faults of the storage: expired links, missing and changed logs, ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ghjobs_async.testing.faults.script import Fault
from ghjobs_async.testing.server.messages import Answer, Call, Handler
from ghjobs_async.testing.site.site import Site

_STORAGE_CODES: Final = {
    401: ("NoAuthenticationInformation", "Server failed to authenticate the request."),
    403: ("AuthorizationFailure", "This request is not authorized to perform this operation."),
    500: ("InternalError", "The server encountered an internal error. Please retry the request."),
    503: ("ServerBusy", "The server is busy."),
}
#: Written before a log that has changed, so that no byte stays where it was.
CHANGED: Final = b"2026-01-01T00:00:00.0000000Z This log has been written anew.\n"


def ignore_range() -> Fault:
    """Ignore Range: answer 200 with the whole body."""
    return Fault(
        "ignore_range",
        lambda _site, call, normal: normal(call.without_header("range")),
        lambda call: call.header("range") is not None,
    )


def change_blob() -> Fault:
    """Change the log before it is sent: from now on it has other content and another ETag."""

    def apply(site: Site, call: Call, normal: Handler) -> Answer:
        job = site.storage.job_at(call.path)
        if job is not None and job.log_state == "ok":
            before = job.blob

            def changed() -> Iterator[bytes]:
                yield CHANGED
                yield from before.read()

            job.set_log(changed, "ok", before.size + len(CHANGED), f'{before.etag[:-1]}1"')
        return normal(call)

    return Fault("change_blob", apply, lambda call: call.operation == "storage")


def expired_link() -> Fault:
    """Answer that the signed link has expired."""

    def apply(site: Site, call: Call, _: Handler) -> Answer:
        query = call.asked.query
        return site.storage.expired(query.get("st", ""), query.get("se", ""))

    return Fault("expired_link", apply)


def storage_status(code: int) -> Fault:
    """Answer with 401, 403, 500 or 503 and the storage's XML."""

    def apply(site: Site, _call: Call, _: Handler) -> Answer:
        return site.storage.error(code, *_STORAGE_CODES.get(code, ("Error", "An error.")))

    return Fault(f"storage_status {code}", apply)


def blob_not_found(status: int = 404) -> Fault:
    """Answer with BlobNotFound, with status 404 or 200."""
    return Fault(f"blob_not_found {status}", lambda site, *_: site.storage.not_found(status))
