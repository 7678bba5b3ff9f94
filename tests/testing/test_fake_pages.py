"""What gh, octokit and PyGithub ask for while they show a run, a job or a log."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import TYPE_CHECKING

import aiohttp
import msgspec
import pytest

from ghjobs_async.testing import FakeGitHub, JobSpec, StepSpec, faults, scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ghjobs_async.testing import FakeRun

REPO = "octo-org/octo-repo"
BOM = b"\xef\xbb\xbf"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(clock=lambda: 1_800_000_000.0) as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(fake: FakeGitHub, http: aiohttp.ClientSession, path: str) -> tuple[int, bytes]:
    async with http.get(f"{fake.base_url}/repos/{REPO}/{path}") as response:
        return response.status, await response.read()


async def archive(
    fake: FakeGitHub, http: aiohttp.ClientSession, run: FakeRun, attempt: str = ""
) -> dict[str, bytes]:
    """The files in a run's log archive."""
    url = f"{fake.base_url}/repos/{REPO}/actions/runs/{run.id}{attempt}/logs"
    async with http.get(url, allow_redirects=False) as response:
        assert (response.status, await response.read()) == (302, b"")
        link = response.headers["Location"]
    assert link.startswith(fake.storage_url + "/")
    async with http.get(link) as response:
        assert response.headers["Content-Type"] == "application/zip"
        assert f'filename="logs_{run.id}.zip"' in response.headers["Content-Disposition"]
        opened = zipfile.ZipFile(io.BytesIO(await response.read()))
        return {name: opened.read(name) for name in opened.namelist()}


async def test_workflows(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A repository's workflows are those of its runs, each once."""
    for workflow in ("CI", "Nightly", "CI"):
        fake.add_run(REPO, workflow=workflow)
    fake.add_run("octo-org/other", workflow="Release")
    status, body = await get(fake, http, "actions/workflows")
    page = msgspec.json.decode(body)
    assert (status, page["total_count"]) == (200, 2)
    assert [workflow["name"] for workflow in page["workflows"]] == ["CI", "Nightly"]
    assert (await get(fake, http, "actions/workflows?per_page=1&page=2"))[1].count(b"Nightly") > 0


async def test_a_workflow(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A workflow is found by the URL in its run, by its number and by its file's name."""
    run = fake.add_run(REPO, workflow="Nightly")
    for key in (str(run.workflow_id), "nightly.yml"):
        status, body = await get(fake, http, f"actions/workflows/{key}")
        workflow = msgspec.json.decode(body)
        assert (status, workflow["id"], workflow["name"]) == (200, run.workflow_id, "Nightly")
        assert (workflow["path"], workflow["state"]) == (run.path, "active")
        _, sent = await get(fake, http, f"actions/runs/{run.id}")
        assert workflow["url"] == msgspec.json.decode(sent)["workflow_url"]
    assert (await get(fake, http, "actions/workflows/other.yml"))[0] == 404
    assert (await get(fake, http, "actions/workflows/7"))[0] == 404


@pytest.mark.parametrize(
    ("conclusion", "messages"),
    [
        ("failure", ["Process completed with exit code 1."]),
        ("timed_out", ["The job has exceeded the maximum execution time of 6h0m0s"]),
        ("cancelled", ["The operation was canceled."]),
        ("success", []),
    ],
)
async def test_annotations(
    fake: FakeGitHub, http: aiohttp.ClientSession, conclusion: str, messages: list[str]
) -> None:
    """A job's check run is annotated with the reason why it did not succeed."""
    job = fake.add_run(REPO, jobs=[JobSpec("test", conclusion)]).jobs[0]
    status, body = await get(fake, http, f"check-runs/{job.id}/annotations")
    annotations = msgspec.json.decode(body)
    assert status == 200
    assert [annotation["message"] for annotation in annotations] == messages
    assert {annotation["annotation_level"] for annotation in annotations} <= {"failure"}
    assert (await get(fake, http, "check-runs/7/annotations"))[0] == 404


async def test_annotations_of_ones_own(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A job may be given annotations: messages, or any keys of their objects."""
    given = ("The runner is gone.", {"annotation_level": "notice", "path": "a.py"})
    job = fake.add_run(REPO, jobs=[JobSpec("test", "failure", annotations=given)]).jobs[0]
    _, body = await get(fake, http, f"check-runs/{job.id}/annotations")
    first, second = msgspec.json.decode(body)
    assert (first["message"], first["annotation_level"]) == ("The runner is gone.", "failure")
    assert (second["message"], second["annotation_level"]) == ("", "notice")
    assert second["path"] == "a.py"


async def test_artifacts(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A run has a list of artifacts, which is empty."""
    run = fake.add_run(REPO)
    status, body = await get(fake, http, f"actions/runs/{run.id}/artifacts")
    assert (status, msgspec.json.decode(body)) == (200, {"total_count": 0, "artifacts": []})
    assert (await get(fake, http, "actions/runs/7/artifacts"))[0] == 404


async def test_archive_has_each_job_and_step(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The archive of a run's logs has a file for each job and for each of its steps."""
    steps = [StepSpec("Set up job"), StepSpec("Run make", "failure"), StepSpec("Complete job")]
    specs = [JobSpec("lint"), JobSpec("build / x: y", "failure", steps=steps), scenario.skipped()]
    run = fake.add_run(REPO, jobs=specs)
    files = await archive(fake, http, run)
    assert [name for name in files if "/" not in name] == ["0_lint.txt", "1_build  x y.txt"]
    assert [name for name in files if name.startswith("build")] == [
        "build  x y/1_Set up job.txt",
        "build  x y/2_Run make.txt",
        "build  x y/3_Complete job.txt",
    ]
    assert files["1_build  x y.txt"] == run.jobs[1].log
    assert files["build  x y/2_Run make.txt"].startswith(BOM)
    assert b"##[error]Process completed" in files["build  x y/2_Run make.txt"]
    parts = b"".join(
        content.removeprefix(BOM) for name, content in files.items() if name.startswith("build")
    )
    assert files["1_build  x y.txt"].endswith(parts)


async def test_archive_of_an_attempt(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """Each attempt has an archive; a run's own is that of the last one."""
    run = fake.add_run(REPO, attempts=scenario.rerun_failed([scenario.failing("test")]))
    first = await archive(fake, http, run, "/attempts/1")
    assert first["0_test.txt"] == run.attempts[0].jobs[0].log
    last = await archive(fake, http, run)
    assert last["0_test.txt"] == run.jobs[0].log != first["0_test.txt"]
    assert (await get(fake, http, f"actions/runs/{run.id}/attempts/3/logs"))[0] == 404


async def test_archive_of_awkward_names(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """File names are cut off, never climb out of a folder, and no two are the same."""
    run = fake.add_run(REPO, jobs=scenario.awkward_names())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # zipfile warns of a name that repeats
        files = await archive(fake, http, run)
    assert {"4_same name (1).txt", "2_....etcpasswd.txt"} <= set(files)
    assert max(len(name.partition("/")[0]) for name in files) <= 90 + len("11_.txt")
    assert all(name.count("/") <= 1 for name in files)


async def test_archive_of_a_set_log(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """A log that a test set is in the job's file only, since nothing is known of its steps."""
    run = fake.add_run(REPO)
    fake.set_log(run.jobs[0].id, b"mine\n")
    assert await archive(fake, http, run) == {"0_build.txt": b"mine\n"}


@pytest.mark.parametrize(("state", "status"), [("expired", 410), ("deleted", 404)])
async def test_archives_that_are_gone(
    fake: FakeGitHub, http: aiohttp.ClientSession, state: str, status: int
) -> None:
    """The archive is gone as soon as every log is: 410 if they expired, else 404."""
    run = fake.add_run(REPO, jobs=2)
    gone = {job.id for job in run.jobs}
    for job_id in gone:
        assert (await get(fake, http, f"actions/runs/{run.id}/logs"))[0] == 200
        fake.set_log(job_id, state="expired" if state == "expired" else "deleted")
    assert (await get(fake, http, f"actions/runs/{run.id}/logs"))[0] == status


async def test_each_operation_can_fail(fake: FakeGitHub, http: aiohttp.ClientSession) -> None:
    """The operations have names, for `requests` and for `fail`."""
    run = fake.add_run(REPO)
    for operation, path in {
        "workflows": "actions/workflows",
        "workflow": "actions/workflows/ci.yml",
        "annotations": f"check-runs/{run.jobs[0].id}/annotations",
        "artifacts": f"actions/runs/{run.id}/artifacts",
        "run_log": f"actions/runs/{run.id}/logs",
    }.items():
        fake.fail(operation, faults.status(500))
        assert (await get(fake, http, path))[0] == 500
        assert fake.requests[-1].operation == operation
