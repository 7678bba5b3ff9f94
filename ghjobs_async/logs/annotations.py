"""Read the annotations of a job's check run: what GitHub says about a job besides its log."""

from __future__ import annotations

from typing import Final

from ghjobs_async.errors import ConfigurationError
from ghjobs_async.models import CheckAnnotation, Job
from ghjobs_async.transport.requester import Requester
from ghjobs_async.wire.operations import list_annotations
from ghjobs_async.wire.urls import check_run

# A check run has some hundred annotations at most.
_MAX_PAGES: Final = 50


async def read_annotations(
    requester: Requester, job: Job, *, max_pages: int = _MAX_PAGES
) -> tuple[CheckAnnotation, ...]:
    """
    Return the annotations of the job's check run, in GitHub's order; one request for each 100.

    Raises:
        ConfigurationError: The job's check run is not in the API: its address is never followed.
    """
    found = check_run(job.check_run_url, requester.sessions.root)
    if found is None:
        raise ConfigurationError(f"the check run of job {job.id} is not in this API")
    annotations: list[CheckAnnotation] = []
    for page in range(1, max_pages + 1):
        items, more = await requester.send(list_annotations(*found, page))
        annotations += items
        if not more:
            break
    return tuple(annotations)
