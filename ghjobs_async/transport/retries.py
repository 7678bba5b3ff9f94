"""What is done again, and when: exponential waits with jitter, the server's own word first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

import attrs
import tenacity

from ghjobs_async.clock import Clock
from ghjobs_async.errors import GHJobsError, ServerError, TransportError
from ghjobs_async.models import Wait

T = TypeVar("T")

_FIRST: Final = 0.25
_MOST: Final = 10.0


@attrs.frozen
class Retries:
    """
    The policy: 5xx, timeouts and broken connections are tried again; never 4xx.

    Args:
        most: How often, after the first try.

        clock: Time and chance.

        max_wait: A server that wants a longer wait than this, in seconds, is not waited for.

        tell: Told of every wait before it begins.
    """

    most: int
    clock: Clock
    max_wait: float
    tell: Callable[[Wait], None]

    async def run(
        self, once: Callable[[], Awaitable[T]], resend: Callable[[int], bool] = bool
    ) -> T:
        """
        Do *once*, and again where that may help.

        Args:
            once: What to do.

            resend: Whether a 5xx status is worth doing the same again.
        """

        def passing(error: BaseException) -> bool:
            if isinstance(error, ServerError):
                return resend(error.status) and (error.retry_after or 0) <= self.max_wait
            return isinstance(error, TransportError) and error.retryable

        try:
            return await once()
        except GHJobsError as error:
            if not passing(error):
                raise
            failed: list[GHJobsError] = [error]

        async def attempt() -> T:
            # The first try has been made: nearly all requests need no more, and no loop around.
            if failed:
                raise failed.pop()
            return await once()

        return await tenacity.AsyncRetrying(
            sleep=self.clock.sleep,
            stop=tenacity.stop_after_attempt(self.most + 1),
            wait=self._wait,
            retry=tenacity.retry_if_exception(passing),
            before_sleep=self._announce,
            reraise=True,
        )(attempt)

    async def back_off(self, tries: int, reason: str) -> None:
        """Wait as before another try, after *tries* of them."""
        seconds = self._seconds(tries)
        self._tell(seconds, reason)
        await self.clock.sleep(seconds)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        told = error.retry_after if isinstance(error, ServerError) else None
        return max(told or 0.0, self._seconds(state.attempt_number))

    def _announce(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        what = f"{error.status}" if isinstance(error, ServerError) else type(error).__name__
        self._tell(seconds, f"retry after {what}")

    def _tell(self, seconds: float, reason: str) -> None:
        until = datetime.fromtimestamp(self.clock.now() + seconds, UTC)
        self.tell(Wait(seconds, until, reason))

    def _seconds(self, tries: int) -> float:
        return min(_MOST, _FIRST * 2.0 ** (tries - 1)) * (0.5 + self.clock.random())
