"""Retries: exponential waits with jitter, but never shorter than the server asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import GHJobsError, RateLimitError, ServerError, TransportError
from ghjobs_async.models import Wait

T = TypeVar("T")

_FIRST_WAIT: Final = 0.25
_MAX_WAIT: Final = 10.0


@attrs.frozen
class Retries:
    """
    The policy: retry 5xx, timeouts and broken connections, and no other answer.

    Args:
        limit: How often, after the first try.
        clock: Time and chance.
        max_wait: The longest wait that a server may ask for, in seconds.
        report: Called for every wait before it begins.
    """

    limit: int
    clock: Clock
    max_wait: float
    report: Callable[[Wait], None]

    async def run(
        self, once: Callable[[], Awaitable[T]], resend: Callable[[int], bool] = bool
    ) -> T:
        """Call *once*, and again where that may help; after a 5xx only where *resend* says so."""
        tries = Tries(self)
        while True:
            try:
                return await once()
            except (ServerError, TransportError) as error:
                if isinstance(error, ServerError) and not resend(error.status):
                    raise
                await tries.failed(error)

    def may_pass(self, error: Exception) -> bool:
        """Return whether trying again may help."""
        if not isinstance(error, (ServerError, TransportError)) or not error.retryable:
            return False
        return not error.given_up and (error.retry_after or 0.0) <= self.max_wait

    async def back_off(self, tries: int, reason: str, *, at_least: float = 0.0) -> None:
        """Wait, after this many failed *tries*, for as long as the server asked at least."""
        seconds = min(_MAX_WAIT, _FIRST_WAIT * 2.0 ** min(tries - 1, 30))
        seconds = max(at_least, seconds * (0.5 + self.clock.random()))
        until = datetime.fromtimestamp(self.clock.now() + seconds, UTC)
        self.report(Wait(seconds, until, reason))
        await self.clock.sleep(seconds)


@attrs.define
class Tries:
    """Count the failures in a row of one operation, and give up after as many as are allowed."""

    retries: Retries
    failures: int = 0

    async def failed(self, error: GHJobsError) -> None:
        """Count a failure: wait before the next try, or raise *error* where there is none."""
        if self.failures >= self.retries.limit or not self.retries.may_pass(error):
            error.given_up = True
            raise error
        self.failures += 1
        wait = getattr(error, "retry_after", None) or 0.0
        await self.retries.back_off(self.failures, reason_of(error), at_least=wait)


def reason_of(error: GHJobsError) -> str:
    """Return the reason of a wait before another try."""
    if isinstance(error, RateLimitError):
        return f"{error.scope} rate limit"
    if isinstance(error, ServerError):
        return f"retry after {error.status}"
    # The error's text starts with its address, which a wait does not repeat.
    method, url = getattr(error, "method", ""), getattr(error, "url", "")
    return f"retry after {str(error).removeprefix(f'{method} {url}: ')}"
