"""
The bytes of one log, from the first to the last: link, renewal, resume.

Whatever breaks is asked for again over a fresh link, from where it stopped. What cannot be joined
without a doubt is never joined: the caller starts over, or the log is said to be truncated.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import attrs

from ghjobs_async.errors import (
    ApiVersionError,
    GHJobsError,
    LogTruncatedError,
    LogUnavailableError,
    NotFoundError,
    ResponseError,
    ServerError,
    TransportError,
    one_line,
)
from ghjobs_async.models import LogLink, Status
from ghjobs_async.refs import JobRef
from ghjobs_async.transport.requester import Api
from ghjobs_async.transport.session import Body
from ghjobs_async.wire.operations import get_job, get_log
from ghjobs_async.wire.urls import link_expiry

T = TypeVar("T")

# A break after new bytes is no failure of the resume; a log that breaks this often is one.
_BREAKS_MOST: Final = 1000
# An error of the storage is an XML text of some hundred bytes.
_ERROR_MOST: Final = 4096
_BOM: Final = b"\xef\xbb\xbf"
# So many bytes are waited for to tell a log from whatever else it may be, and so many are looked at.
_HEAD_LEAST: Final = 16
_HEAD_MOST: Final = 512
# How a web page begins, which a proxy may give instead of a log, with 200. A log begins with a time.
_PAGE: Final = re.compile(rb"\s*<(?:!doctype|html)", re.IGNORECASE)


_ENDED: Final = "this reading has ended: the log was closed, or read anew"


class ChangedError(Exception):
    """The log is not the one that was begun: what came so far cannot be continued."""

    def __str__(self) -> str:
        return "the log changed meanwhile, or its length was not as announced"


@attrs.define(eq=False)
class Download:
    """
    One pass over the bytes of a log.

    Args:
        api: Asks GitHub.

        ref: Whose log.

    Attributes:
        received: How many bytes `read` has given.

        expected: How many there are, where the server says so.
    """

    api: Api
    ref: JobRef
    received: int = 0
    expected: int | None = None
    _body: Body | None = None
    _ahead: list[bytes] = attrs.field(factory=list)
    # What tells one version of the log from another.
    _validator: str | None = None
    # Whether the end of the body is known to be the end of the log.
    _framed: bool = True
    # How much had come when a body last ended that was not framed.
    _ended_at: int = -1
    _resumable: bool = True
    # Of what came, where neither a length nor the connection says that it is all.
    _checksum: int | None = None
    _breaks: int = 0
    _stuck: int = 0
    _finished: bool = False
    _abandoned: bool = False

    async def link(self) -> LogLink:
        """
        Ask for the signed link only.

        Raises:
            LogUnavailableError, NotFoundError: As `open` does.

            TransportError: This server gives the log itself, and no link.
        """

        async def once() -> LogLink:
            request = get_log(self.ref.repo, self.ref.job_id)
            found = await self.api.ask_log(request, {})
            if isinstance(found, str):
                return LogLink(found, link_expiry(found))
            found.close()
            raise TransportError(
                f"GET {found.url}: this server answers with the log itself, there is no link to "
                "give; read it with open_log",
                url=found.url,
                retryable=False,
            )

        return await self._explained(once)

    async def open(self) -> None:
        """
        Ask for a link and open it.

        Raises:
            LogUnavailableError: There is no log; its ``reason`` says why.

            NotFoundError: There is no such job, or the token cannot see it.
        """
        body = await self._opened(0)
        length = body.headers.get("Content-Length", "")
        self._validator = _validator(body.headers)
        self._resumable = not body.packed
        self.expected = int(length) if length.isdecimal() and not body.packed else None
        # A packed stream tells its own end.
        self._framed = _is_framed(body.headers) or body.packed
        self._checksum = None if self._framed else 0

    async def read(self) -> bytes:
        """
        The next bytes, as many as have come; none at the end of the log.

        Raises:
            ChangedError: The log has to be read from its start again.

            LogTruncatedError: It broke off, was resumed as often as allowed, and is still short.
        """
        while True:
            if self._ahead:
                chunk = self._ahead.pop(0)
            elif self._finished:
                return b""
            elif self._body is None or self._abandoned:
                raise RuntimeError(_ENDED)
            else:
                try:
                    chunk = await self._body.read()
                except TransportError as error:
                    await self._resume(error)
                    continue
            if chunk:
                self.received += len(chunk)
                if self._checksum is not None:
                    self._checksum = zlib.crc32(chunk, self._checksum)
                self._stuck = 0
                return chunk
            self.close()
            ended = self._framed or self.received == self._ended_at
            if self.expected == self.received or (self.expected is None and ended):
                self._finished = True
                return b""
            if self.expected is not None and self.received > self.expected:
                raise ChangedError
            # The connection's end is all that told the log's end: ask whether there is more.
            self._ended_at = self.received
            await self._resume(None)

    def close(self) -> None:
        """Let go of the connection."""
        body, self._body = self._body, None
        self._ahead.clear()
        if body is not None:
            body.close()

    def abandon(self) -> None:
        """Let go of the connection for good: a reading that still goes on is an error."""
        self._abandoned = True
        self.close()

    async def _resume(self, error: TransportError | None) -> None:
        if self._abandoned:
            raise RuntimeError(_ENDED) from error
        self.close()
        self._breaks += 1
        self._stuck += 1
        if not self._resumable:
            raise ChangedError from error
        if self._stuck > self.api.retries.most + 1 or self._breaks > _BREAKS_MOST:
            raise self.truncated(error) from error
        if self._stuck > 1:
            await self.api.retries.back_off(self._stuck - 1, "resume of a log")
        try:
            if self.received:
                self._framed = _is_framed((await self._opened(self.received)).headers)
            else:
                await self.open()
        except (TransportError, ServerError) as failure:
            raise self.truncated(failure) from failure

    def truncated(self, error: Exception | None) -> LogTruncatedError:
        """The error for a log that stays short."""
        of = "" if self.expected is None else f" of {self.expected}"
        why = "" if error is None else f" ({one_line(str(error))})"
        return LogTruncatedError(
            f"the log of {self.ref} broke off after {self.received}{of} bytes and could not be "
            f"continued; try again{why}",
            expected=self.expected,
            received=self.received,
        )

    def _opened(self, offset: int) -> Awaitable[Body]:
        """Open the log at *offset*: over a fresh link, as often as it takes."""
        return self._explained(lambda: self._open_once(offset))

    async def _explained(self, once: Callable[[], Awaitable[T]]) -> T:
        """Try, again where that may help; where there is no log, say why."""
        try:
            return await self.api.retries.run(once)
        except NotFoundError as error:
            raise await self._gone(error, "deleted") from error
        except ResponseError as error:
            if error.status == 410 and not isinstance(error, ApiVersionError):
                raise LogUnavailableError(
                    f"the log of {self.ref} has expired: it is past the repository's retention",
                    reason="expired",
                ) from error
            raise
        except _NoBlobError as error:
            raise await self._gone(None, "not_ready") from error

    async def _open_once(self, offset: int) -> Body:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        found = await self.api.ask_log(get_log(self.ref.repo, self.ref.job_id), headers)
        if isinstance(found, str):
            found = await self.api.follow(found, headers)
        self._body = found
        try:
            await self._check(found, offset)
        except BaseException:
            self.close()
            raise
        return found

    async def _check(self, body: Body, offset: int) -> None:
        """Make sure that what comes is the log, from *offset* on."""
        if body.status == 416 and offset:
            total = body.headers.get("Content-Range", "").rpartition("/")[2]
            if self.expected in {None, offset} and total in {"", "*", str(offset)}:
                self.close()
                self._finished = True
                return
            raise ChangedError
        if body.status != 200 and not (body.status == 206 and offset):
            raise _storage_error(body, await self._code(body))
        if not offset:
            await self._look_ahead(body)
            return
        if _validator(body.headers) != self._validator:
            raise ChangedError
        if body.status == 206:
            self._check_part(body, offset)
            return
        length = body.headers.get("Content-Length", "")
        # The server ignores Range: the same log comes from its start, if it is the same.
        known = self._validator is not None or self._checksum is not None
        if not known and (self.expected is None or length != str(self.expected)):
            raise ChangedError
        await self._skip(body, offset)

    def _check_part(self, body: Body, offset: int) -> None:
        """Make sure that a part is the one that was asked for, of a log as long as was said."""
        span = re.fullmatch(
            r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)",
            body.headers.get("Content-Range", ""),
        )
        if not span or int(span[1]) != offset:
            raise ChangedError
        if span[2] != "*":
            if self.expected is not None and span[2] != str(self.expected):
                raise ChangedError
            self.expected = int(span[2])

    async def _look_ahead(self, body: Body) -> None:
        """The storage may answer an error with 200: no log begins like one."""
        head = b""
        while len(head) < _HEAD_LEAST:
            try:
                chunk = await body.read()
            except TransportError:
                # Whoever reads on finds out, and resumes behind what has come.
                break
            if not chunk:
                break
            self._ahead.append(chunk)
            head += chunk
        head = head[:_HEAD_MOST].removeprefix(_BOM)
        json = body.headers.get("Content-Type", "").startswith("application/json")
        if _PAGE.match(head) or (json and head.startswith(b"{")):
            raise TransportError(f"GET {body.url}: {body.status}, but no log", url=body.url)
        if head.startswith((b"<?xml", b"<Error")):
            code = await self._code(body)
            if code:
                raise _storage_error(body, code)

    async def _code(self, body: Body) -> str:
        """The storage's error code, where the body is one of its errors."""
        size = sum(map(len, self._ahead))
        while size < _ERROR_MOST and (chunk := await body.read()):
            self._ahead.append(chunk)
            size += len(chunk)
        found = re.search(rb"<Code>([A-Za-z0-9]{1,64})</Code>", b"".join(self._ahead))
        return found[1].decode() if found else ""

    async def _skip(self, body: Body, count: int) -> None:
        checksum = 0
        while count > 0:
            chunk = await body.read()
            if not chunk:
                raise ChangedError
            if len(chunk) > count:
                self._ahead.append(chunk[count:])
            if self._checksum is not None:
                checksum = zlib.crc32(chunk[:count], checksum)
            count -= len(chunk)
        if self._checksum is not None and checksum != self._checksum:
            raise ChangedError

    async def _gone(self, error: NotFoundError | None, reason: str) -> GHJobsError:
        """Tell apart why there is no log: the job itself knows."""
        try:
            job = await self.api.send(get_job(self.ref.repo, self.ref.job_id))
        except NotFoundError as unknown:
            return error or unknown
        except GHJobsError:
            job = None
        if job is not None:
            if job.status != Status.COMPLETED:
                reason = "not_ready"
            elif not job.ran:
                reason = "never_ran"
        text = {
            "not_ready": "is not there yet: ask again once the job has completed",
            "never_ran": "does not exist: no runner ever took the job",
            "deleted": "was deleted",
        }[reason]
        return LogUnavailableError(f"the log of {self.ref} {text}", reason=reason)


class _NoBlobError(Exception):
    """The storage has no such log."""


def _is_framed(headers: Mapping[str, str]) -> bool:
    """Whether a body's end can be told from the connection's."""
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    return chunked or headers.get("Content-Length", "").isdecimal()


def _validator(headers: Mapping[str, str]) -> str | None:
    return headers.get("ETag") or headers.get("Last-Modified")


def _storage_error(body: Body, code: str) -> Exception:
    """What a storage's refusal means: no such log, or one more try over a fresh link."""
    if body.status == 404 or code in {"BlobNotFound", "ContainerNotFound", "ResourceNotFound"}:
        return _NoBlobError()
    text = f"GET {body.url}: the storage answered {body.status} {code}".rstrip()
    if body.status >= 500:
        return ServerError(text, status=body.status, url=body.url)
    return TransportError(f"{text}; the signed link is refused", url=body.url)
