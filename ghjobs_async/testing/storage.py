"""
The storage's origin: signed links that expire, byte ranges, and errors in XML.

https://learn.microsoft.com/rest/api/storageservices/create-service-sas
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import attrs

from ghjobs_async.testing.answers import Answer, Blob, Call
from ghjobs_async.testing.times import epoch, http_date, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghjobs_async.testing.specs import LogContent
    from ghjobs_async.testing.world import FakeJob, World

_KEY: Final = b"the fake storage's signing key"
_VERSION: Final = "2025-11-05"
_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]+)-(?P<last>[0-9]*)")
_PATH: Final = re.compile(r"/actions-results/[0-9a-f-]+/job-logs/(?P<job>[0-9]+)\.txt")
_BLOCK: Final = 65_536


def blob_of(job: FakeJob) -> Blob:
    """Give a job's log as something that can be sent from any byte on."""
    return make_blob(job.log, job.measured)


def make_blob(content: LogContent, measured: tuple[int, str] | None = None) -> Blob:
    """Make a blob; content that is generated is read once to be measured, unless it has been."""
    if isinstance(content, bytes):
        data = content
        size, etag = measured or (len(data), _etag(hashlib.blake2b(data, digest_size=8)))
        return Blob(size, etag, lambda: _blocks(data))
    size, etag = measured or measure(content())
    return Blob(size, etag, content)


def job_of(world: World, path: str) -> FakeJob | None:
    """Find the job whose log lies at *path*."""
    found = _PATH.fullmatch(path)
    return world.jobs.get(int(found["job"])) if found else None


def measure(chunks: Iterator[bytes]) -> tuple[int, str]:
    """Read content to its end for its size and its ETag."""
    size, digest = 0, hashlib.blake2b(digest_size=8)
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return size, _etag(digest)


def _etag(digest: hashlib.blake2b) -> str:
    return f'"0x8{digest.hexdigest().upper()}"'


def _blocks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _BLOCK):
        yield data[start : start + _BLOCK]


@attrs.define
class Storage:
    """
    Signs links and answers whoever follows them.

    Attributes:
        link_lifetime: Seconds that a link lives; it ends on the whole second before.
    """

    world: World
    clock: Callable[[], float]
    link_lifetime: float = 60.0
    #: What a log that is not there is answered with: 404, or 200 as was once reported.
    not_ready_status: int = 404
    _count: int = 0

    def link(self, storage_root: str, job_id: int) -> str:
        """Sign a link to the log of a job."""
        now = self.clock()
        digest = hashlib.blake2b(str(job_id).encode(), digest_size=16).hexdigest()
        path = f"/actions-results/{digest[:8]}-{digest[8:]}/job-logs/{job_id}.txt"
        query = {
            "rscd": 'attachment; filename="job-logs.txt"',
            "rsct": "text/plain",
            "st": iso(int(now) - 300),
            "se": iso(int(now + self.link_lifetime)),
            "sp": "r",
            "sr": "b",
            "sv": _VERSION,
        }
        query["sig"] = _sign(path, query)
        return f"{storage_root}{path}?{urlencode(query)}"

    def answer(self, call: Call) -> Answer:
        """Answer one request for a log."""
        asked = call.asked
        if asked.method != "GET":
            return self.error(405, "UnsupportedHttpVerb", "The resource doesn't support this verb.")
        if call.header("authorization") is not None:
            text = "Authentication information is not given in the correct format."
            return self.error(400, "InvalidAuthenticationInfo", text)
        query = {key: value for key, value in asked.query.items() if key != "sig"}
        if not hmac.compare_digest(
            _sign(asked.path, query).encode(), asked.query.get("sig", "").encode()
        ):
            return self.unauthenticated("Signature did not match.")
        expires = epoch(query.get("se"))
        if expires is None or self.clock() >= expires:
            return self.expired(query.get("st", ""), query.get("se", ""))
        job = job_of(self.world, asked.path)
        if job is None or job.log_state == "not_ready":
            return self.not_found()
        return self._content(call, blob_of(job))

    def _content(self, call: Call, blob: Blob) -> Answer:
        headers = {
            "Content-Type": "text/plain",
            "ETag": blob.etag,
            "Last-Modified": http_date(1_700_000_000),
            "Accept-Ranges": "bytes",
            "Content-Disposition": 'attachment; filename="job-logs.txt"',
            "x-ms-blob-type": "AppendBlob",
        }
        condition = call.header("if-match")
        if condition is not None and condition not in {blob.etag, "*"}:
            text = "The condition specified using HTTP conditional header(s) is not met."
            return self.error(412, "ConditionNotMet", text)
        # A range that counts from the end is ignored, as the real storage does.
        asked_for = _RANGE.fullmatch(call.header("range") or "")
        if asked_for is None or call.header("if-range") not in {None, blob.etag}:
            return self._headed(Answer(200, (blob, 0, blob.size), headers))
        first = int(asked_for["first"])
        last = min(int(asked_for["last"]), blob.size - 1) if asked_for["last"] else blob.size - 1
        if first >= blob.size:
            text = "The range specified is invalid for the current size of the resource."
            answer = self.error(416, "InvalidRange", text)
            answer.headers["Content-Range"] = f"bytes */{blob.size}"
            return answer
        if last < first:
            return self._headed(Answer(200, (blob, 0, blob.size), headers))
        headers["Content-Range"] = f"bytes {first}-{last}/{blob.size}"
        return self._headed(Answer(206, (blob, first, last + 1), headers))

    def not_found(self, status: int | None = None) -> Answer:
        """Answer that there is no such log (yet)."""
        text = "The specified blob does not exist."
        return self.error(status or self.not_ready_status, "BlobNotFound", text)

    def expired(self, start: str, end: str) -> Answer:
        """Answer that a link is too old."""
        now = http_date(int(self.clock()))
        return self.unauthenticated(
            "Signature not valid in the specified time frame: "
            f"Start [{start}] - Expiry [{end}] - Current [{now}]"
        )

    def unauthenticated(self, detail: str) -> Answer:
        """Answer that a link is no good."""
        text = (
            "Server failed to authenticate the request. Make sure the value of Authorization "
            "header is formed correctly including the signature."
        )
        return self.error(403, "AuthenticationFailed", text, detail)

    def error(self, status: int, code: str, message: str, detail: str | None = None) -> Answer:
        """Answer an error in the storage's XML, which starts with a byte order mark."""
        more = f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>" if detail else ""
        answer = self._headed(Answer(status, b"", {"Content-Type": "application/xml"}))
        answer.headers["x-ms-error-code"] = code
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
