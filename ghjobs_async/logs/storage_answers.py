"""
Recognize answers that are not a log: errors of the storage, and pages of something in between.

Storages report errors as XML, some with status 200, and proxies send pages of their own. No log
begins like these: GitHub's lines begin with a time.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from typing import Final, TypeGuard
from urllib.parse import urlsplit

import msgspec

from ghjobs_async.errors import ServerError, TransportError
from ghjobs_async.wire.limits import retry_after
from ghjobs_async.wire.messages import Answer

#: How much of a body is examined: an error has some hundred bytes.
MAX_ERROR: Final = 4096
_COMMENTS: Final = rb"(?:<!--.*?-->\s*)*"
_HTML: Final = re.compile(_COMMENTS + rb"<(?:!doctype|html|head|body)", re.IGNORECASE | re.DOTALL)
_XML_ERROR: Final = re.compile(rb"(?:<\?xml[^>]*>\s*)?" + _COMMENTS + rb"<Error[\s>]", re.DOTALL)
_CODE: Final = re.compile(rb"<Code>\s*([A-Za-z0-9]{1,64})\s*</Code>")
_EXPIRED: Final = re.compile(rb"not valid in the specified time frame|has expired", re.IGNORECASE)
_NO_BLOB: Final = frozenset({"BlobNotFound", "ContainerNotFound", "ResourceNotFound", "NoSuchKey"})


class NoBlobError(Exception):
    """The storage has no such log."""


def is_suspect(head: bytes) -> bool:
    """Return whether a body that begins like this may be something other than a log."""
    return _start(head).startswith((b"<", b"{"))


def not_a_log(head: bytes, answer: Answer, now: float) -> Exception | None:
    """
    Return the error for a body with status 200 that is not a log; None for a log.

    *head* is its first `MAX_ERROR` bytes, or the whole body where it is shorter.
    """
    start = _start(head)
    if _XML_ERROR.match(start) or (start.startswith(b"<?xml") and _CODE.search(start)):
        return storage_error(head, answer, now)
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    html = start.startswith(b"<") and kind in {"text/html", "application/xhtml+xml"}
    unclosed = start.startswith(b"<!--")
    json = start.startswith(b"{") and (kind == "application/json" or _is_json_error(head))
    if html or unclosed or json or _HTML.match(start):
        return TransportError(
            f"GET {answer.url}: {answer.status}, but not a log; is something between here and the "
            "storage?",
            url=answer.url,
        )
    return None


def storage_error(head: bytes, answer: Answer, now: float) -> Exception:
    """
    Return the error for a storage's refusal: no such log, a busy server, or a refused link.

    It has a ``retry_after`` where the answer says when to ask again, or where a fresh link helps.
    """
    found = _CODE.search(head)
    code = found[1].decode() if found else ""
    status = answer.status
    if status == 404 or code in _NO_BLOB:
        return NoBlobError()
    wait = retry_after(answer.headers, now)
    text = f"GET {answer.url}: the storage answered {status} {code}".rstrip()
    later = "later" if wait is None else f"in {wait:.0f} s"
    error: ServerError | TransportError
    if status >= 500:
        error = ServerError(f"{text}; try again {later}", status=status, url=answer.url)
    elif status == 429:
        error = TransportError(f"{text}; it is busy, try again {later}", url=answer.url)
        wait = wait or 0.0
    elif _EXPIRED.search(head):
        error = TransportError(f"{text}; the signed link has expired", url=answer.url)
        wait = wait or 0.0
    else:
        host = urlsplit(answer.url).netloc
        error = TransportError(
            f"{text}; the signed link is refused: check that no firewall or proxy blocks {host}",
            url=answer.url,
        )
    error.retry_after = wait
    return error


def is_refusal(error: Exception) -> TypeGuard[TransportError]:
    """Return whether the storage may refuse every link in the same way."""
    return isinstance(error, TransportError) and error.retryable and error.retry_after is None


def _start(head: bytes) -> bytes:
    return head.removeprefix(BOM_UTF8).lstrip()


def _is_json_error(head: bytes) -> bool:
    """Return whether a short body is a JSON object that reports an error."""
    if len(head) >= MAX_ERROR:
        return False
    try:
        value = msgspec.json.decode(head.removeprefix(BOM_UTF8))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(value, dict) and not value.keys().isdisjoint(
        {"message", "error", "errors", "code"}
    )
