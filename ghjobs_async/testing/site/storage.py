"""
The storage's origin: signed links that expire, byte ranges, archives, and errors in XML.

https://learn.microsoft.com/rest/api/storageservices/create-service-sas
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import urlencode

import attrs

from ghjobs_async.testing.server.messages import Answer, Call
from ghjobs_async.testing.world.blobs import Blob
from ghjobs_async.testing.world.logs import generate_log
from ghjobs_async.testing.world.payloads import epoch, http_date, iso, steps_in
from ghjobs_async.testing.world.runs import FakeJob
from ghjobs_async.testing.world.world import World

_KEY: Final = b"the fake storage's signing key"
_VERSION: Final = "2025-11-05"
_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]+)-(?P<last>[0-9]*)")
_JOB_LOG: Final = re.compile(r"/actions-results/[0-9a-f-]+/job-logs/([0-9]+)\.txt")
_RUN_LOG: Final = re.compile(r"/actions-results/[0-9a-f-]+/run-logs/([0-9]+)-([0-9]+)\.zip")
#: The length of file names in archives, in UTF-16 units.
_MAX_FILE_NAME: Final = 90
_TYPES: Final = {"txt": "text/plain", "zip": "application/zip"}
_MESSAGES: Final = {
    "AuthenticationFailed": (
        "Server failed to authenticate the request. Make sure the value of Authorization "
        "header is formed correctly including the signature."
    ),
    "AuthorizationFailure": "This request is not authorized to perform this operation.",
    "BlobNotFound": "The specified blob does not exist.",
    "ConditionNotMet": "The condition specified using HTTP conditional header(s) is not met.",
    "InternalError": "The server encountered an internal error. Please retry the request.",
    "InvalidAuthenticationInfo": "Authentication information is not given in the correct format.",
    "InvalidRange": "The range specified is invalid for the current size of the resource.",
    "NoAuthenticationInformation": "Server failed to authenticate the request.",
    "ServerBusy": "The server is busy.",
    "UnsupportedHttpVerb": "The resource doesn't support this verb.",
}


@attrs.define
class Storage:
    """Signs links, and answers the requests that follow them."""

    world: World
    clock: Callable[[], float]
    #: A link ends on the whole second before.
    link_lifetime: float = 60.0
    #: The status for a log that does not exist: 404, or 200 as was once reported.
    not_ready_status: int = 404
    _count: int = 0

    def link(self, root: str, name: str, file_name: str) -> str:
        """Sign a link to ``job-logs/JOB.txt`` or ``run-logs/RUN-ATTEMPT.zip``."""
        now = self.clock()
        # A link to the same log is always the same but for its times.
        digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        path = f"/actions-results/{digest[:8]}-{digest[8:]}/{name}"
        query = {
            "rscd": f'attachment; filename="{file_name}"',
            "rsct": _TYPES[name[-3:]],
            "st": iso(int(now) - 300),
            "se": iso(int(now + self.link_lifetime)),
            "sp": "r",
            "sr": "b",
            "sv": _VERSION,
        }
        query["sig"] = _sign(path, query)
        return f"{root}{path}?{urlencode(query)}"

    def job_at(self, path: str) -> FakeJob | None:
        """Find the job whose log is at *path*."""
        found = _JOB_LOG.fullmatch(path)
        return self.world.jobs.get(int(found[1])) if found else None

    def _blob_at(self, path: str) -> Blob | None:
        if found := _RUN_LOG.fullmatch(path):
            attempt = self.world.runs_by_id[int(found[1])].attempts[int(found[2]) - 1]
            return Blob.of(_zip_logs(attempt.jobs))
        job = self.job_at(path)
        return None if job is None or job.log_state == "not_ready" else job.blob

    def answer(self, call: Call) -> Answer:
        """Answer one request."""
        asked = call.asked
        if asked.method != "GET":
            return self.error(405, "UnsupportedHttpVerb")
        if call.header("authorization") is not None:
            return self.error(400, "InvalidAuthenticationInfo")
        query = {key: value for key, value in asked.query.items() if key != "sig"}
        signature = asked.query.get("sig", "").encode()
        if not hmac.compare_digest(_sign(asked.path, query).encode(), signature):
            return self.error(403, "AuthenticationFailed", "Signature did not match.")
        expires = epoch(query.get("se"))
        if expires is None or self.clock() >= expires:
            return self.expired(call)
        blob = self._blob_at(asked.path)
        if blob is None:
            return self.error(self.not_ready_status, "BlobNotFound")
        return self._content(call, blob)

    def finish(self, _: Call, answer: Answer) -> Answer:
        """Add the headers of every answer of the storage."""
        answer.encoded = True
        answer.headers.setdefault("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
        answer.headers.setdefault("Date", http_date(int(self.clock())))
        return answer

    def _content(self, call: Call, blob: Blob) -> Answer:
        if call.header("if-match") not in {None, "*", blob.etag}:
            return self.error(412, "ConditionNotMet")
        headers = {
            "Content-Type": call.asked.query["rsct"],
            "ETag": blob.etag,
            "Last-Modified": http_date(1_700_000_000),
            "Accept-Ranges": "bytes",
            "Content-Disposition": call.asked.query["rscd"],
            "x-ms-blob-type": "AppendBlob",
        }
        # A range that counts from the end is ignored, as the real storage does.
        asked = _RANGE.fullmatch(call.header("range") or "")
        if asked is not None and call.header("if-range") in {None, blob.etag}:
            first = int(asked["first"])
            last = min(int(asked["last"] or blob.size), blob.size - 1)
            if first >= blob.size:
                answer = self.error(416, "InvalidRange")
                answer.headers["Content-Range"] = f"bytes */{blob.size}"
                return answer
            if first <= last:
                headers["Content-Range"] = f"bytes {first}-{last}/{blob.size}"
                return self._headed(Answer(206, blob.part(first, last + 1), headers))
        return self._headed(Answer(200, blob, headers))

    def expired(self, call: Call) -> Answer:
        """Answer that the request's link has expired."""
        start, end = (call.asked.query.get(key, "") for key in ("st", "se"))
        detail = (
            "Signature not valid in the specified time frame: "
            f"Start [{start}] - Expiry [{end}] - Current [{http_date(int(self.clock()))}]"
        )
        return self.error(403, "AuthenticationFailed", detail)

    def error(self, status: int, code: str, detail: str = "") -> Answer:
        """Answer an error in the storage's XML, which starts with a byte order mark."""
        message = _MESSAGES.get(code, "An error.")
        more = f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>" if detail else ""
        headers = {"Content-Type": "application/xml", "x-ms-error-code": code}
        answer = self._headed(Answer(status, b"", headers))
        text = (
            f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
            f"<Message>{message}\nRequestId:{answer.headers['x-ms-request-id']}\n"
            f"Time:{iso(int(self.clock()))}</Message>{more}</Error>"
        )
        answer.body = text.encode()
        return answer

    def _headed(self, answer: Answer) -> Answer:
        self._count += 1
        answer.headers["x-ms-request-id"] = f"{self._count:08x}-001e-0000-0000-000000000000"
        answer.headers["x-ms-version"] = _VERSION
        return answer


def _sign(path: str, query: dict[str, str]) -> str:
    text = "\n".join([path, *(f"{key}={query[key]}" for key in sorted(query))])
    return base64.b64encode(hmac.digest(_KEY, text.encode(), "sha256")).decode()


def _zip_logs(jobs: Sequence[FakeJob]) -> bytes:
    """
    Pack the logs of those *jobs* that have one.

    The files are ``INDEX_JOB.txt`` and ``JOB/NUMBER_STEP.txt``. A log that a test set has no files
    for its steps, since nothing is known of its lines; real archives lack them at times, too.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(jobs):
            # With the default date of ZipInfo the same logs always give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _files(jobs: Sequence[FakeJob]) -> Iterator[tuple[str, bytes]]:
    taken: Counter[str] = Counter()
    for index, job in enumerate(jobs):
        if job.log_state not in {"ok", "direct"}:
            continue
        base = _file_name(job.name)
        taken[base] += 1
        folder = base if taken[base] == 1 else f"{base} ({taken[base] - 1})"
        yield f"{index}_{folder}.txt", b"".join(job.blob.read())
        if not job.has_own_log:
            data = job.payload()
            names = {step.get("number"): str(step.get("name")) for step in steps_in(data)}
            for number, content in generate_log(data).by_step().items():
                yield f"{folder}/{number}_{_file_name(names[number])}.txt", content


def _file_name(text: str) -> str:
    """Make a part of a path as GitHub does: no slash, no colon, at most 90 UTF-16 units."""
    units = text.replace("/", "").replace(":", "").encode("utf-16-le", "replace")
    return units[: 2 * _MAX_FILE_NAME].decode("utf-16-le", "replace")
