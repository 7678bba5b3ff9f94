"""One job's log: read as bytes, lines, steps or annotations, searched, and saved to disk."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from itertools import count
from typing import Final, Self

import attrs

from ghjobs_async.atomic_file import WholeFile
from ghjobs_async.errors import ConfigurationError, GHJobsError
from ghjobs_async.logs.annotations import read_annotations
from ghjobs_async.logs.continuity import ChangedError, Continuity
from ghjobs_async.logs.download import Download
from ghjobs_async.logs.storage import Storage
from ghjobs_async.logtext import (
    MAX_LINE,
    Annotation,
    AnnotationFinder,
    FailureExcerpt,
    FailureFinder,
    Hit,
    LineGrep,
    LogLine,
    LogParser,
    LogSearch,
    StepLogs,
    StepSplitter,
)
from ghjobs_async.logtext.reason import told
from ghjobs_async.logtext.search import Context, compiled
from ghjobs_async.models import CheckAnnotation, Job
from ghjobs_async.refs import JobRef
from ghjobs_async.transport.requester import Requester
from ghjobs_async.wire.operations import get_job

# How often a log that changes while it is read is written to disk from its start again.
_MAX_RESTARTS: Final = 3
# How much of a saved log is read at once: some milliseconds' work.
_CHUNK: Final = 2**16


class JobLog:
    """
    The log of one job, open: enter it with ``async with``.

    It streams in constant memory, and asks for the signed link only once it has a download slot.
    Every way of reading begins at the start of the log.

    Attributes:
        ref: The job.
        capped: How many lines the latest search cut, because they were too long.
    """

    def __init__(self, requester: Requester, storage: Storage, ref: JobRef) -> None:
        self.ref = ref
        self.capped = 0
        self._requester = requester
        self._storage = storage
        self._lease = storage.slots.lease()
        self._entered = False
        # The latest download, and whether entering opened it and no reading has taken it yet.
        self._download = Download(requester, storage, ref)
        self._fresh = False

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("a log is entered once at a time: open it again instead")
        self._entered = True
        try:
            await self._open()
        except BaseException:
            self._close()
            raise
        self._fresh = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._download.abandon()
        self._entered = False
        self._lease.release()

    @property
    def received(self) -> int:
        """How many bytes the latest reading has given."""
        return self._download.continuity.received

    @property
    def expected(self) -> int | None:
        """How many bytes the log has, once it is read, and where the storage said so."""
        return None if self._fresh else self._download.continuity.expected

    async def _open(self, promised: int = 0) -> Download:
        """Open the log at its start, in place of the download before."""
        self._download.abandon()
        continuity = Continuity(promised=promised)
        download = Download(self._requester, self._storage, self.ref, continuity)
        self._download = download
        async with self._lease:
            await download.open()
        return download

    async def _begin(self, promised: int = 0) -> Download:
        """Begin to read from the log's start, by the download that is open already or another."""
        if not self._entered:
            raise RuntimeError("a log is read inside its `async with` block")
        download = self._download if self._fresh else await self._open(promised)
        self._fresh = False
        return download

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """
        Iterate over the log's bytes as they come, from its start.

        Raises:
            LogTruncatedError: It broke off or changed, and cannot be continued safely.
        """
        download = await self._begin()
        try:
            while True:
                async with self._lease:
                    chunk = await download.read()
                if not chunk:
                    return
                yield chunk
        except ChangedError as error:
            raise download.truncated(error) from error
        finally:
            download.abandon()

    async def lines(self, *, max_line: int = MAX_LINE) -> AsyncGenerator[LogLine, None]:
        """
        Iterate over the log's lines, from its start. Iterating over the log itself does the same.

        Args:
            max_line: How many bytes of a line to keep, as in `LogParser`.
        """
        async with aclosing(_batches(self.chunks(), max_line)) as batches:
            async for lines in batches:
                for line in lines:
                    yield line

    def __aiter__(self) -> AsyncIterator[LogLine]:
        return self.lines()

    async def text(self) -> str:
        """
        Return the whole log as one text: UTF-8 without the byte order mark at its start.

        What is not UTF-8 becomes U+FFFD. The log is kept in memory; `save` and `chunks` do not.

        Raises:
            LogTruncatedError: It broke off or changed, and cannot be continued safely.
        """
        async with aclosing(self.chunks()) as chunks:
            data = b"".join([chunk async for chunk in chunks])
        return data.decode("utf-8-sig", "replace")

    async def tail(self, n: int = 10) -> list[LogLine]:
        """
        Return the last *n* lines, with their numbers in the log.

        Raises:
            ConfigurationError: *n* is negative.
        """
        if n < 0:
            raise ConfigurationError(f"a tail has 0 lines or more, not {n}")
        last: deque[LogLine] = deque(maxlen=n)
        async with aclosing(_batches(self.chunks())) as batches:
            async for lines in batches:
                last += lines
        return list(last)

    async def steps(self, job: Job | None = None) -> StepLogs:
        """
        Return the lines of each step, and how sure that is. All lines are kept in memory.

        Args:
            job: The job, where it is at hand; otherwise it is fetched.
        """
        splitter = StepSplitter(await self._job(job))
        async with aclosing(_batches(self.chunks())) as batches:
            async for lines in batches:
                splitter.feed(lines)
        return splitter.close()

    async def annotations(self) -> AsyncGenerator[Annotation, None]:
        """Iterate over the errors, warnings and notices, with their groups and following lines."""
        finder = AnnotationFinder()
        async with aclosing(_batches(self.chunks())) as batches:
            async for lines in batches:
                for annotation in finder.feed(lines):
                    yield annotation
        for annotation in finder.close():
            yield annotation

    async def failure(
        self,
        job: Job | None = None,
        *,
        context: int | None = None,
        annotations: bool | Sequence[CheckAnnotation] = True,
        saved: str | os.PathLike[str] | None = None,
    ) -> FailureExcerpt | None:
        """
        Return why the job failed: the reason, and the errors of its failing step, capped.

        Return None where the job did not fail.

        Args:
            job: The job, where it is at hand; otherwise it is fetched.
            context: How many lines to show before and after each error; by default 5, but 50 before
                an error that says nothing where no other error does.
            annotations: Whether to ask GitHub for the job's annotations where the log does not say
                why, if the token may read them; or these annotations, where they are at hand.
            saved: Where `save` has written the log: it is read there, and not asked for once more.

        Raises:
            OSError: *saved* cannot be read.
        """
        job = await self._job(job)
        finder = FailureFinder(job, context=context)
        chunks = self.chunks() if saved is None else _chunks_of(saved)
        async with aclosing(_batches(chunks)) as batches:
            async for lines in batches:
                finder.feed(lines)
        excerpt = finder.close()
        if excerpt is None or not annotations or not excerpt.unexplained:
            return excerpt
        if annotations is True:
            try:
                annotations = await read_annotations(self._requester, job, max_pages=1)
            except GHJobsError:
                return excerpt
        reason = told(one.message for one in annotations if one.annotation_level == "failure")
        return excerpt if reason is None else attrs.evolve(excerpt, reason=reason)

    async def grep(
        self,
        pattern: str | re.Pattern[str],
        *,
        context: Context = 0,
        invert: bool = False,
        max_count: int | None = None,
    ) -> AsyncGenerator[Hit, None]:
        """
        Search for lines that match, without their timestamps, markers and colours.

        Args:
            pattern: A regular expression.
            context: How many lines to give around each hit: one number for both sides, or a pair.
            invert: Give the lines that do not match.
            max_count: Stop reading after this many hits; None gives them all.

        Raises:
            ConfigurationError: *pattern* is not a regular expression, *context* is negative, or
                *max_count* is not positive.
        """
        regex = compiled(pattern, context, max_count)
        search = LogSearch(LineGrep(regex, context=context, invert=invert, max_count=max_count))
        try:
            async with aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    for hit in search.feed(chunk):
                        yield hit
                    if search.done:
                        return
            for hit in search.close():
                yield hit
        finally:
            self.capped = search.capped

    async def _job(self, job: Job | None) -> Job:
        if job is not None:
            return job
        return await self._requester.send(get_job(self.ref.repo, self.ref.job_id))

    async def save(self, path: str | os.PathLike[str]) -> int:
        """
        Write the log to *path*, byte for byte: to a file beside it, which is then renamed.

        A log that changes while it is read is written again from its start.

        Returns:
            The number of bytes written.

        Raises:
            LogTruncatedError: It broke off and cannot be completed; then no file is written.
            OSError: The file cannot be written.
        """
        promised = 0
        with WholeFile(path) as file:
            for restarts in count():
                download = await self._begin(promised)
                try:
                    async with self._lease:
                        while chunk := await download.read():
                            file.write(chunk)
                except ChangedError as error:
                    if restarts == _MAX_RESTARTS:
                        raise download.truncated(error) from error
                    file.clear()
                    promised = download.continuity.promised
                else:
                    return download.continuity.received
                finally:
                    download.abandon()
        raise AssertionError("the loop returns or raises")


async def _batches(
    chunks: AsyncGenerator[bytes, None], max_line: int = MAX_LINE
) -> AsyncGenerator[list[LogLine], None]:
    """Iterate over the lines, some at a time."""
    parser = LogParser(max_line)
    async with aclosing(chunks):
        async for chunk in chunks:
            yield parser.feed(chunk)
    yield parser.close()


async def _chunks_of(path: str | os.PathLike[str]) -> AsyncGenerator[bytes, None]:
    """Iterate over the bytes of a file; other tasks run in between."""
    with io.FileIO(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            await asyncio.sleep(0)
