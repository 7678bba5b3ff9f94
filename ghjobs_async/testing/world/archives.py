"""The log archive of a run: a zip with a file for each job and for each of its steps."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence

from ghjobs_async.testing.world.logs import generate_log, steps_in
from ghjobs_async.testing.world.runs import FakeJob

_MAX_NAME = 90


def zip_logs(jobs: Sequence[FakeJob]) -> bytes:
    """
    Pack the logs of those *jobs* that have one.

    The files are ``INDEX_JOB.txt`` and ``JOB/NUMBER_STEP.txt``. A log that a test set has no files
    for its steps, since nothing is known of its lines; real archives lack them at times, too.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(jobs):
            # With the default date of ZipInfo the same logs always give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _files(jobs: Sequence[FakeJob]) -> Iterator[tuple[str, bytes]]:
    taken: Counter[str] = Counter()
    for index, job in enumerate(jobs):
        if job.log_state not in {"ok", "direct"}:
            continue
        base = _file_name(job.name)
        taken[base] += 1
        folder = base if taken[base] == 1 else f"{base} ({taken[base] - 1})"
        yield f"{index}_{folder}.txt", b"".join(job.blob.read())
        if not job.has_own_log:
            data = job.payload()
            names = {step.get("number"): str(step.get("name")) for step in steps_in(data)}
            for number, content in generate_log(data).by_step().items():
                yield f"{folder}/{number}_{_file_name(names[number])}.txt", content


def _file_name(text: str) -> str:
    """Make a part of a path as GitHub does: no slash, no colon, at most 90 UTF-16 units."""
    units = text.replace("/", "").replace(":", "").encode("utf-16-le", "replace")
    return units[: 2 * _MAX_NAME].decode("utf-16-le", "replace")
