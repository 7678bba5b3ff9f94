"""Store what comes in batches, in a thread: the event loop goes on, and the file is open briefly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import attrs

from ghjobs_async.audit.database.batch import Batch
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.database.store import AuditStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A batch is written after a second if it has enough listings and logs; after a longer time where
# writing the last one took long, so that at most a tenth of the time goes into writing; and after five
# seconds in any case.
_SOON: Final = 1.0
_ENOUGH: Final = 20
_SHARE: Final = 10
_AT_LATEST: Final = 5.0
# At most this many jobs wait in memory. When more come before the batch is due, they are written as
# parts of one transaction, because each commit takes as long as writing a part. The task that brings
# more waits until the part is written.
_MAX_JOBS: Final = 4_000


@attrs.define(eq=False)
class Writer:
    """
    The batches of an audit, written one after another.

    Args:
        store: Where to.
        audit_id: The audit's id.
        now: Returns the time in epoch seconds.

    Attributes:
        batch: What has come and is not being written yet.
    """

    store: AuditStore
    audit_id: str
    now: Callable[[], float]
    batch: Batch = attrs.field(init=False)
    _thread: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(1), init=False)
    _writing: Future[None] | None = attrs.field(default=None, init=False)
    _timer: asyncio.TimerHandle | None = attrs.field(default=None, init=False)
    # How long the batch has waited, as far as the timer knows.
    _waited: float = attrs.field(default=0.0, init=False)
    # The transaction of a batch of which parts are written, and its connection.
    _open: tuple[ExitStack, DuckDBPyConnection] | None = attrs.field(default=None, init=False)
    _failed: bool = attrs.field(default=False, init=False)
    # How long the last batch took, in seconds.
    _took: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.batch = self._empty()

    async def turn(self) -> None:
        """
        Let a batch be written when it is due; call this after everything that was added.

        Raises:
            ConfigurationError: The database stays in use by another process.
            OSError: It cannot be written.
        """
        if self._writing is not None and self._writing.done():
            self._check()
        if self._timer is None:
            self._set_timer()
        while self.batch.jobs > _MAX_JOBS:
            if self._writing is None:
                self._start(part=not self._waited)
            else:
                await self._written()

    async def release(self) -> None:
        """Let others open the file: end the transaction of a batch in parts. Raises as `turn` does."""
        await self._written()
        if self._open is not None:
            self._start()
            await self._written()

    @contextmanager
    def transaction(self, *, part: bool = False) -> Iterator[DuckDBPyConnection]:
        """
        Give the transaction that was left open, or a new one, in which to write. This blocks.

        It is committed at the end, unless this is only a *part*: then it stays open. An error undoes
        all parts.
        """
        opened, self._open = self._open, None
        with ExitStack() as stack:
            if opened is None:
                connection = stack.enter_context(self.store.write())
            else:
                connection = opened[1]
                stack.enter_context(opened[0])
            yield connection
            if part:
                self._open = stack.pop_all(), connection

    async def last(self) -> Batch:
        """End: return what has come and is not written yet. Raises as `turn` does."""
        await self._written()
        self._thread.shutdown()
        return self._take()

    def close(self) -> None:
        """Write everything that has come, unless writing has failed. This blocks."""
        self._thread.shutdown()
        self._check()
        if not self._failed:
            self._write(self._take())

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_SOON, self._due)

    def _due(self) -> None:
        self._waited += _SOON
        free = self._writing is None or self._writing.done()
        items = len(self.batch.listings) + len(self.batch.logs)
        enough = items >= _ENOUGH and self._waited >= _SHARE * self._took
        if free and (enough or self._open is not None or self._waited >= _AT_LATEST):
            self._start()
        else:
            self._set_timer()

    def _start(self, *, part: bool = False) -> None:
        # After a failure, the next turn raises; what comes until then is lost with it.
        if self._writing is None or self._writing.exception() is None:
            self._writing = self._thread.submit(self._write, self._take(part=part), part=part)

    def _empty(self) -> Batch:
        return Batch(at=datetime.fromtimestamp(self.now(), UTC), audit_id=self.audit_id)

    def _take(self, *, part: bool = False) -> Batch:
        new = self._empty()
        if part:
            # Jobs are what is large. The rest waits for the end: each statement costs its time.
            new.listings, self.batch.listings = self.batch.listings, []
            return new
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waited = 0.0
        taken, self.batch = self.batch, new
        taken.at = new.at
        return taken

    def _write(self, batch: Batch, *, part: bool = False) -> None:
        began = time.monotonic()
        with self.transaction(part=part) as connection:
            write_batch(connection, batch)
        self._took = time.monotonic() - began

    async def _written(self) -> None:
        while self._writing is not None:
            if self._writing.done():
                self._check()
            else:
                await asyncio.wait([asyncio.wrap_future(self._writing)])

    def _check(self) -> None:
        """Raise the error of the write that has ended."""
        writing, self._writing = self._writing, None
        if writing is not None and (error := writing.exception()) is not None:
            self._failed = True
            raise error
