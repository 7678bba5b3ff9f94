"""Batches of an audit: when they are written, and what a transaction holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_tools import rows
from store_tools import AT, REPO, a_job, a_run

from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database import writer as module
from ghjobs_async.audit.database.batch import Listing
from ghjobs_async.audit.database.rows import write_batch
from ghjobs_async.audit.database.writer import Writer

MOST = 3


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    """A writer that holds few jobs, and whose timer stays still."""
    monkeypatch.setattr(module, "_MAX_JOBS", MOST)
    monkeypatch.setattr(module, "_SOON", 1000.0)
    writer = Writer(AuditStore(tmp_path), "id", AT.timestamp)
    yield writer
    writer.close()


async def add(writer: Writer, runs: range) -> None:
    """Bring runs of two jobs each."""
    for run in runs:
        jobs = (a_job(2 * run, run), a_job(2 * run + 1, run))
        writer.batch.runs.append((REPO, a_run(run)))
        writer.batch.listings.append(Listing(REPO, run, jobs))
        await writer.turn()


def stored(writer: Writer) -> int:
    """Return how many jobs are stored, each with its run."""
    [(jobs, runs)] = rows(
        writer.store.folder,
        "SELECT count(*), count(runs.run_id) FROM jobs LEFT JOIN runs USING (repository, run_id)",
    )
    assert jobs == runs
    return int(jobs)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for each transaction."""
    begun: list[int] = []
    write = AuditStore.write

    def counted(store: AuditStore) -> object:
        begun.append(1)
        return write(store)

    monkeypatch.setattr(AuditStore, "write", counted)
    return begun


async def test_many_jobs_are_parts_of_one_transaction(writer: Writer, begun: list[int]) -> None:
    """Never are more in memory than the limit and a listing, and all are committed together."""
    for run in range(1, 21):
        await add(writer, range(run, run + 1))
        assert writer.batch.jobs <= MOST
    assert len(begun) == 1
    last = await writer.last()
    assert len(last.runs) == 20
    with writer.transaction() as connection:
        write_batch(connection, last)
    assert len(begun) == 1
    assert stored(writer) == 40


async def test_a_transaction_of_parts_ends_when_the_batch_is_due(
    writer: Writer, begun: list[int]
) -> None:
    """It is committed then, by itself or with the next part: others wait for the file."""
    await add(writer, range(1, 5))
    await writer._written()
    writer._due()
    await writer._written()
    assert stored(writer) == 8
    await add(writer, range(5, 6))
    writer._waited = 1.0
    await add(writer, range(6, 7))
    await writer._written()
    assert stored(writer) == 12
    assert len(begun) == 2


async def test_a_released_file_can_be_read(writer: Writer) -> None:
    """The audit itself reads what it has stored."""
    await add(writer, range(1, 5))
    await writer.release()
    assert stored(writer) == 8
    await writer.release()


async def test_an_error_undoes_all_parts(writer: Writer) -> None:
    """Nothing half is stored, and the file is free."""
    await add(writer, range(1, 5))
    await writer.last()
    with pytest.raises(ZeroDivisionError), writer.transaction():
        raise ZeroDivisionError
    assert stored(writer) == 0


async def test_a_writer_that_is_closed_commits_its_parts(writer: Writer) -> None:
    """What had come is stored, in parts or not yet written at all."""
    await add(writer, range(1, 6))
    writer.close()
    assert stored(writer) == 10
