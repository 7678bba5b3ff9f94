"""Search many logs at once, and give the hits as they come. No log is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from typing import Self

import attrs

from ghjobs_async.checks import JobLike, resolve_job
from ghjobs_async.fanout import Failed, FanOutMany
from ghjobs_async.logs.job_log import JobLog
from ghjobs_async.logtext import Hit, LogLine
from ghjobs_async.refs import JobRef


@attrs.frozen
class JobHit:
    """
    A line that matches, in the log of some job.

    Attributes:
        job: The job of the log.
        hit: The line, its context, and where it matches.
    """

    job: JobRef
    hit: Hit

    @property
    def line(self) -> LogLine:
        """The line that matches."""
        return self.hit.line

    @property
    def before(self) -> tuple[LogLine, ...]:
        """The lines before it, as many as were asked for."""
        return self.hit.before

    @property
    def after(self) -> tuple[LogLine, ...]:
        """The lines after it."""
        return self.hit.after

    @property
    def match(self) -> str:
        """The text that matches."""
        return self.hit.match


class LogGrep:
    """
    A search over many logs: enter it with ``async with``, and iterate over its `JobHit` objects.

    A log that cannot be read does not end the search: ``failures`` reports it.

    Attributes:
        searched: How many logs have been searched to their end.
        capped: How many lines were too long, so that only their beginning was searched.
        failures: The jobs whose logs could not be read, and why.
    """

    def __init__(
        self,
        refs: Iterable[JobLike] | AsyncIterable[JobLike],
        open_log: Callable[[JobRef], JobLog],
        search: Callable[[JobLog], AsyncGenerator[Hit, None]],
        *,
        concurrency: int,
    ) -> None:
        self._open_log = open_log
        self._search = search
        self._fan = FanOutMany(refs, self._hits, resolve=resolve_job, concurrency=concurrency)
        self.searched = self.capped = 0
        self.failures: list[Failed[JobRef]] = []

    async def _hits(self, ref: JobRef) -> AsyncGenerator[JobHit, None]:
        async with self._open_log(ref) as log:
            async for hit in self._search(log):
                yield JobHit(ref, hit)
            self.capped += log.capped
        self.searched += 1

    async def __aenter__(self) -> Self:
        await self._fan.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._fan.__aexit__(*exc)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JobHit:
        async for outcome in self._fan:
            if isinstance(outcome, Failed):
                self.failures.append(outcome)
            else:
                return outcome.value
        raise StopAsyncIteration
