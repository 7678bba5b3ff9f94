"""
Use PyGithub in threads, each with its own client, since they cannot share one.

https://pygithub.readthedocs.io

Its pause of 0.25 s between requests is switched off. Runs and jobs are lazy objects, so that they
cost no requests of their own.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from bench.work import CONCURRENCY, TOKEN, Setting, Tally

PACKAGES = ("PyGithub", "requests")
_local = threading.local()


def _requester(setting: Setting) -> Any:
    if not hasattr(_local, "gh"):
        github = import_module("github")
        _local.gh = github.Github(
            auth=github.Auth.Token(TOKEN),
            base_url=setting.api,
            per_page=100,
            seconds_between_requests=None,
        )
    return _local.gh.requester


def audit(setting: Setting) -> dict[str, int]:
    """List many runs at once, each page by page."""
    workflow_run = import_module("github.WorkflowRun").WorkflowRun
    tally = Tally()

    def jobs(run_id: int) -> list[Any]:
        requester = _requester(setting)
        url = setting.api + setting.jobs_path(run_id)
        return list(workflow_run(requester, {}, {"jobs_url": url}, completed=True).jobs())

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for found in pool.map(jobs, setting.run_ids):
            tally.add(found)
    return tally.proof()


def logs(setting: Setting) -> dict[str, int]:
    """Get the link with PyGithub, and follow it with requests, as its users must."""
    requests, workflow_job = import_module("requests"), import_module("github.WorkflowJob")

    def save(job_id: int) -> None:
        url = setting.api + setting.log_path(job_id).removesuffix("/logs")
        job = workflow_job.WorkflowJob(_requester(setting), {}, {"url": url}, completed=True)
        with (
            requests.get(job.logs_url(), stream=True, timeout=60) as response,
            setting.file(job_id).open("wb") as file,
        ):
            response.raise_for_status()
            for chunk in response.iter_content(1 << 16):
                file.write(chunk)

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(save, setting.log_ids))
    return {}
