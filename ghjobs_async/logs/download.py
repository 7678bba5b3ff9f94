"""
Download one log from its first byte to its last: link, renewal, resume.

A download that breaks off is resumed over a fresh link from where it stopped. `Continuity` decides
whether the rest continues the same log; where it does not, the caller starts over or gets an error.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, NoReturn, TypeVar

import attrs

from ghjobs_async.errors import (
    GHJobsError,
    LogTruncatedError,
    LogUnavailableError,
    NotFoundError,
    ResponseError,
    ServerError,
    TransportError,
    one_line,
)
from ghjobs_async.logs.continuity import Continuity, Next
from ghjobs_async.logs.storage import Opening, Storage
from ghjobs_async.logs.storage_answers import (
    MAX_ERROR,
    NoBlobError,
    is_refusal,
    is_suspect,
    not_a_log,
    storage_error,
)
from ghjobs_async.models import Job, LogLink, Status
from ghjobs_async.refs import JobRef
from ghjobs_async.transport.body import Response
from ghjobs_async.transport.requester import REDIRECTS, Requester
from ghjobs_async.transport.retries import Tries
from ghjobs_async.wire.operations import get_job, get_log
from ghjobs_async.wire.urls import link_expiry

T = TypeVar("T")

# A break after new bytes is not a failed try, but a log that breaks this often is given up.
_MAX_BREAKS: Final = 1000
# This many bytes between two breaks are progress; fewer make the waits longer and longer.
_PROGRESS: Final = 64 * 2**10
# This many bytes are needed to distinguish a log from an error.
_MIN_HEAD: Final = 16
# A runner uploads a log within minutes after its job, or never.
_UPLOAD: Final = 3600.0
_ENDED: Final = "this reading has ended: the log was closed, or read anew"


@attrs.define(eq=False)
class Download:
    """One pass over the bytes of a log. Its `Continuity` knows what has come."""

    requester: Requester
    storage: Storage
    ref: JobRef
    continuity: Continuity = attrs.field(factory=Continuity)
    _response: Response | None = None
    _tries: Tries = attrs.field(init=False)
    # How much had come when the current body began.
    _begun_at: int = 0
    _breaks: int = 0
    _slow: int = 0
    # Whether the latest try got as far as the storage.
    _at_storage: bool = False
    _finished: bool = False
    _abandoned: bool = False

    def __attrs_post_init__(self) -> None:
        self._tries = Tries(self.requester.retries)

    async def link(self) -> LogLink:
        """
        Ask for the signed link only.

        Raises:
            LogUnavailableError, NotFoundError: As `open` does.
            TransportError: This server answers with the log itself: there is no link.
        """

        async def once() -> LogLink:
            response = await self.requester.open(get_log(self.ref.repo, self.ref.job_id), {})
            if response.status in REDIRECTS:
                return LogLink(response.target, link_expiry(response.target))
            response.close()
            raise TransportError(
                f"GET {response.safe_url}: this server answers with the log itself, there is no "
                "link to give; read it with open_log",
                url=response.safe_url,
                retryable=False,
            )

        return await self._explained(self.requester.retries.run(once))

    async def open(self) -> None:
        """
        Ask for a link and open it.

        Raises:
            LogUnavailableError: There is no log; its ``reason`` says why.
            NotFoundError: There is no such job, or the token cannot see it.
        """
        await self._explained(self._connect())

    async def read(self) -> bytes:
        """
        Return the bytes that have come; none at the end of the log.

        Raises:
            ChangedError: The log has to be read from its start again.
            LogTruncatedError: It broke off, was resumed as often as allowed, and is still short.
        """
        while not self._finished:
            if self._response is None or self._abandoned:
                raise RuntimeError(_ENDED)
            try:
                chunk = await self._response.read()
            except TransportError as error:
                await self._resume(error)
                continue
            if chunk:
                if fresh := self.continuity.take(chunk):
                    return fresh
            elif self.continuity.ended():
                self._finished = True
                self._let_go()
            else:
                await self._resume(None)
        return b""

    def abandon(self) -> None:
        """Release the connection for good; to read on is an error."""
        self._abandoned = True
        self._let_go()

    def truncated(self, error: Exception | None) -> LogTruncatedError:
        """Build the error for a log that cannot be completed."""
        received, expected = self.continuity.received, self.continuity.expected
        of = "" if expected is None else f" of {expected}"
        why = "" if error is None else f" ({one_line(str(error))})"
        return LogTruncatedError(
            f"the log of {self.ref} broke off after {received}{of} bytes and could not be "
            f"continued; try again{why}",
            expected=expected,
            received=received,
        )

    def _let_go(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()

    async def _resume(self, error: TransportError | None) -> None:
        """Ask for the rest: after *error*, or after an end that does not prove the log's end."""
        if self._abandoned:
            raise RuntimeError(_ENDED) from error
        self._let_go()
        self._breaks += 1
        gained = self.continuity.received - self._begun_at
        if self._breaks > _MAX_BREAKS:
            raise self.truncated(error) from error
        if not gained:
            stopped = error or TransportError(f"the log of {self.ref} ended too early")
            await self._failed(stopped)
        else:
            self._tries.failures = 0
            self._slow = 0 if gained >= _PROGRESS else self._slow + 1
            if self._slow > 1:
                await self.requester.retries.back_off(self._slow - 1, "resume of a log")
        await self._explained(self._connect())

    async def _failed(
        self, error: TransportError | ServerError, opening: Opening | None = None
    ) -> None:
        try:
            if opening and self._at_storage and is_refusal(error):
                await opening.refused(error, self._tries)
            else:
                await self._tries.failed(error)
        except GHJobsError:
            if not self.continuity.received:
                raise
            raise self.truncated(error) from error

    async def _connect(self) -> None:
        """Open the log where it stopped, over fresh links, until one works or the tries are used up."""
        async with self.storage.opening() as opening:
            while True:
                try:
                    begun = await self._open_once()
                except (TransportError, ServerError) as error:
                    await self._failed(error, opening)
                    continue
                if begun is not Next.ASK:
                    self._begun_at = self.continuity.received
                    return

    async def _open_once(self) -> Next:
        headers = self.continuity.headers
        self._at_storage = False
        response = await self.requester.open(get_log(self.ref.repo, self.ref.job_id), headers)
        if response.status in REDIRECTS:
            link = response.target
            self._at_storage = True
            response = await self.requester.follow(link, headers)
        # From here on, this download closes it.
        self._response = response
        try:
            begun = await self._begin(response, part=bool(headers))
        except BaseException:
            self._let_go()
            raise
        if begun is not Next.BODY:
            self._let_go()
            self._finished = begun is Next.END
        return begun

    async def _begin(self, response: Response, *, part: bool) -> Next:
        """Check that the response is the log, or the rest of it."""
        now = self.requester.clock.now()
        if response.status == 200:
            head = await response.peek(_MIN_HEAD)
            if is_suspect(head):
                problem = not_a_log(await response.peek(MAX_ERROR), response.head, now)
                if problem is not None:
                    raise problem
        elif not part or response.status not in {206, 412, 416}:
            raise storage_error(await response.peek(MAX_ERROR), response.head, now)
        return self.continuity.begin(
            response.status, response.headers, framed=response.framed, packed=response.packed
        )

    async def _explained(self, opening: Awaitable[T]) -> T:
        """Await *opening*; where there is no log, raise the error that says why."""
        try:
            return await opening
        except NotFoundError as error:
            await self._raise_gone(error, "deleted")
        except ResponseError as error:
            if error.status == 410 and "version" not in (error.message or "").lower():
                raise LogUnavailableError(
                    f"the log of {self.ref} has expired: it is past the repository's retention",
                    reason="expired",
                ) from error
            raise
        except NoBlobError as error:
            await self._raise_gone(error, "not_ready")

    async def _raise_gone(self, error: NotFoundError | NoBlobError, reason: str) -> NoReturn:
        """Raise the error that says why there is no log, by the state of the job."""
        try:
            job = await self.requester.send(get_job(self.ref.repo, self.ref.job_id))
        except NotFoundError as unknown:
            # There is no such job either, so the log's own 404 says it all.
            raise (error if isinstance(error, NotFoundError) else unknown) from None
        except GHJobsError:
            job = None
        if job is not None:
            if job.status != Status.COMPLETED:
                reason = "not_ready"
            elif not job.ran:
                reason = "never_ran"
            elif reason == "not_ready" and self._is_lost(job):
                reason = "lost"
        text = {
            "not_ready": "is not there yet: ask again once the job has completed",
            "never_ran": "does not exist: no runner ever took the job",
            "deleted": "was deleted",
            "lost": "was never uploaded: the job's runner was probably lost",
        }[reason]
        raise LogUnavailableError(f"the log of {self.ref} {text}", reason=reason) from error

    def _is_lost(self, job: Job) -> bool:
        """Return whether the log of a completed job is not to be expected any more."""
        ended = job.completed_at
        now = self.requester.clock.now()
        return ended is not None and now - ended.timestamp() > _UPLOAD
