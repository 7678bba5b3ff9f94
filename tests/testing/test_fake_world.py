"""What the fake holds: runs from code, from scenarios, from a folder; and how it is started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from ghjobs_async.errors import ConfigurationError
from ghjobs_async.refs import JobRef, RunRef
from ghjobs_async.testing import FakeGitHub, JobSpec, fill_demo, scenario

if TYPE_CHECKING:
    from pathlib import Path

REPO = "octo-org/octo-repo"


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub(clock=lambda: 1_800_000_000.0)


def test_threaded(fake_github: FakeGitHub) -> None:
    """The fixture serves sync clients from a thread."""
    run = fake_github.add_run(REPO, jobs=2)
    with urlopen(f"{fake_github.base_url}/repos/{REPO}/actions/runs/{run.id}/jobs") as answer:
        assert json.load(answer)["total_count"] == 2
    assert [asked.operation for asked in fake_github.requests] == ["jobs"]


def test_two_at_once() -> None:
    """Several fakes live side by side, and each only once."""
    with FakeGitHub() as one, FakeGitHub() as two:
        assert one.base_url != two.base_url
        with pytest.raises(RuntimeError, match="already"):
            one.__enter__()


def test_no_url_before_it_is_entered(fake: FakeGitHub) -> None:
    """Asking for the URL too early says what to do."""
    with pytest.raises(RuntimeError, match="enter it first"):
        _ = fake.base_url


def test_references(fake: FakeGitHub) -> None:
    """Runs and jobs give the references a client asks with, their ids beyond 32 bits."""
    run = fake.add_run(REPO, jobs=2, attempts=2)
    assert run.ref == RunRef(REPO, run.id)
    assert run.jobs[1].ref == JobRef(REPO, run.jobs[1].id)
    assert run.id > 2**32
    assert len({job.id for job in run.all_jobs}) == 4


def test_bad_runs_are_refused(fake: FakeGitHub) -> None:
    """What cannot be is refused where it is written."""
    fake.add_run(REPO, run_id=7)
    with pytest.raises(ValueError, match="already"):
        fake.add_run(REPO, run_id=7)
    with pytest.raises(ConfigurationError):
        fake.add_run("no slash")
    with pytest.raises(ValueError, match="at least one attempt"):
        fake.add_run(REPO, attempts=0)
    with pytest.raises(KeyError):
        fake.rename("octo-org/none", "octo-org/some")


@pytest.mark.parametrize(
    ("jobs", "conclusion", "wanted"),
    [
        (3, "failure", ("completed", "failure")),
        (3, None, ("in_progress", None)),
        (0, "startup_failure", ("completed", "startup_failure")),
        ([scenario.failing(), JobSpec("b")], "success", ("completed", "failure")),
        ([scenario.skipped()], "success", ("completed", "skipped")),
        ([scenario.queued()], "success", ("queued", None)),
        ([JobSpec(), scenario.in_progress("c")], "success", ("in_progress", None)),
    ],
)
def test_conclusion(
    fake: FakeGitHub,
    jobs: int | list[JobSpec],
    conclusion: str | None,
    wanted: tuple[str, str | None],
) -> None:
    """A run ends as it is told, or as its jobs imply."""
    attempt = fake.add_run(REPO, jobs=jobs, conclusion=conclusion).attempts[-1]
    assert (attempt.status, attempt.conclusion) == wanted


def test_everything(fake: FakeGitHub) -> None:
    """There is a run of every kind, and each of its jobs is JSON."""
    runs = scenario.everything(fake)
    assert max(len(run.jobs) for run in runs) == 250
    assert min(len(run.jobs) for run in runs) == 0
    for run in runs:
        json.dumps([job.data for job in run.all_jobs])


def test_shapes_in_the_wild(fake: FakeGitHub) -> None:
    """The odd jobs are as odd as the recorded ones."""
    specs = [scenario.skipped(), scenario.check_run(), scenario.inverted_clocks()]
    skipped, check, inverted = (job.data for job in fake.add_run(REPO, jobs=specs).jobs)
    for data in (skipped, check):
        assert (data["labels"], data["steps"], data["runner_name"]) == ([], [], None)
        assert data["created_at"] == data["started_at"] == data["completed_at"]
    assert str(inverted["completed_at"]) < str(inverted["started_at"])
    assert str(inverted["started_at"]) < str(inverted["created_at"])


def test_demo_is_believable(fake: FakeGitHub) -> None:
    """The demo has 200 runs of 30 days, thousands of jobs, and is the same each time."""
    runs = fill_demo(fake)
    jobs = [job for run in runs for job in run.all_jobs]
    assert len(runs) == 200
    assert 2000 <= len(jobs) <= 6000
    assert max(len(run.attempts) for run in runs) == 3
    assert 1_800_000_000 - 30 * 86_400 <= runs[0].created <= runs[-1].created < 1_800_000_000
    again = fill_demo(FakeGitHub(clock=lambda: 1_800_000_000.0))
    assert [run.id for run in again] == [run.id for run in runs]
    assert [job.spec for run in again for job in run.all_jobs] == [job.spec for job in jobs]


def test_from_folder(tmp_path: Path) -> None:
    """Recorded lists, jobs, webhook bodies and logs become runs."""
    with FakeGitHub() as source:
        run = source.add_run(REPO, jobs=2, conclusion="failure")
        data = [job.data for job in run.jobs]
        other = source.add_run("octo-org/other").jobs[0]
    (tmp_path / "list.json").write_text(json.dumps({"total_count": 2, "jobs": data}))
    (tmp_path / "event.json").write_text(json.dumps({"workflow_job": other.data}))
    (tmp_path / "same.json").write_text(json.dumps(data[0]))
    (tmp_path / "noise.json").write_text("[1, {}]")
    (tmp_path / f"ci_job{data[0]['id']}.txt").write_bytes(b"recorded\n")
    fake = FakeGitHub.from_folder(tmp_path)
    found = {run.id: run for run in fake.runs}
    assert set(found) == {run.id, other.run.id}
    assert [job.data for job in found[run.id].jobs] == data
    assert found[run.id].attempts[-1].conclusion == "failure"
    assert found[run.id].jobs[0].log == b"recorded\n"
    assert found[other.run.id].repo == "octo-org/other"


def test_from_folder_says_what_is_wrong(tmp_path: Path) -> None:
    """A missing folder and a broken file are named."""
    with pytest.raises(NotADirectoryError):
        FakeGitHub.from_folder(tmp_path / "none")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json"):
        FakeGitHub.from_folder(tmp_path)
