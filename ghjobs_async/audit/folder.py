"""The folder of an audit's results: ``jobs.ndjson``, ``failures.ndjson``, ``logs/``."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from ghjobs_async.atomic_file import write_all
from ghjobs_async.audit.names import log_path
from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import Job, to_dict

JOBS: Final = "jobs.ndjson"
FAILURES: Final = "failures.ndjson"
LOGS: Final = "logs"


def _is_empty(folder: Path) -> bool:
    """Check that a folder holds nothing, or only what an audit that found no run has left."""
    names = {JOBS, FAILURES, LOGS}
    parts = list(folder.iterdir())
    own = {part.name for part in parts} == names
    return not parts or (
        own
        and not any((folder / LOGS).iterdir())
        and not any((folder / name).stat().st_size for name in (JOBS, FAILURES))
    )


class AuditFolder:
    """
    A folder to write to: enter it with ``with``.

    Every write consists of whole lines and goes to the operating system at once, so an interrupted
    audit keeps what it had found.

    Args:
        path: The folder; created if missing.
        force: Write into a folder that is not empty. ``jobs.ndjson`` and ``failures.ndjson`` are
            overwritten, logs of the same jobs are replaced, and nothing else is touched.

    Raises:
        ConfigurationError: The folder cannot be created or written to, or is not empty.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not force and not _is_empty(path):
                raise ConfigurationError(
                    f"{path} is not empty: name another folder with --output, or add --force"
                )
            (path / LOGS).mkdir(exist_ok=True)
            self._jobs = (path / JOBS).open("wb", buffering=0)
            self._failures = (path / FAILURES).open("wb", buffering=0)
        except OSError as error:
            raise ConfigurationError(
                f"cannot write to {path}: {error.strerror or error}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._jobs.close()
        self._failures.close()

    def add_jobs(self, repo: str, jobs: Iterable[Job]) -> None:
        """Write jobs: the fields of each job, and its ``repository``."""
        _write(self._jobs, ({"repository": repo, **to_dict(job)} for job in jobs))

    def add_failure(self, failure: Mapping[str, object]) -> None:
        """Write what is missing and why."""
        _write(self._failures, (failure,))

    def place_of_log(self, repo: str, job: Job) -> Path:
        """Return the path for a job's log and create its folder."""
        path = self.path / LOGS / log_path(repo, job)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _write(file: io.FileIO, lines: Iterable[Mapping[str, object]]) -> None:
    write_all(file, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
