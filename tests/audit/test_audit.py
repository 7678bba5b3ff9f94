"""An audit that continues: what it asks for, what it keeps, and what it says is missing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from async_tools import EPOCH, FakeClock, MakeClient
from audit_tools import REPO, Audits, dump, rerun

from ghjobs_async import ConfigurationError, NotFoundError
from ghjobs_async.audit import Audit, AuditPlan, AuditStore, Logs, Shard
from ghjobs_async.testing import FakeGitHub, JobSpec, faults, scenario
from ghjobs_async.testing.world.runs import FakeRun

NOW = datetime.fromtimestamp(EPOCH, UTC)


@pytest.fixture
def audit(github: FakeGitHub, client: MakeClient, time: FakeClock, tmp_path: Path) -> Audits:
    return Audits(github, client, time, tmp_path / "audit")


def remove(github: FakeGitHub, run: FakeRun) -> None:
    run.repository.runs.remove(run)
    run.repository.newest_first.remove(run)
    del github.runs_by_id[run.id]


def bring_back(github: FakeGitHub, run: FakeRun) -> None:
    run.repository.runs.append(run)
    run.repository.newest_first.append(run)
    run.repository.newest_first.sort(key=lambda run: (-run.created, -run.id))
    github.runs_by_id[run.id] = run


# What is asked for.


async def test_what_is_known_is_not_asked_for(github: FakeGitHub, audit: Audits) -> None:
    """The second audit asks for pages only, and the answers cost no quota."""
    for n in range(250):
        github.add_run(REPO, created_at=NOW - timedelta(hours=n))
    first = await audit()
    assert (first.counts.asked, first.complete) == (250, True)
    window = github.budget.window("Bearer ghp_secret")
    used = window.used
    second = await audit()
    assert {status for _, status in audit.asked} == {304}
    assert second.requests == second.not_modified == len(audit.asked)
    assert (second.counts.asked, second.counts.found, second.counts.jobs) == (0, 250, 0)
    assert window.used == used
    assert audit.rows("SELECT outcome, requests = not_modified, runs, jobs FROM audits") == [
        ("complete", False, 250, 250),
        ("complete", True, 0, 0),
    ]


async def test_a_rerun_costs_its_page_and_its_new_attempt(
    github: FakeGitHub, audit: Audits
) -> None:
    """The first attempt is not asked for again, and keeps its rows."""
    runs = [github.add_run(REPO, created_at=NOW - timedelta(hours=n)) for n in range(250)]
    await audit()
    rerun(github, runs[40], JobSpec("again"))
    await audit()
    statuses = [status for operation, status in audit.asked if operation == "runs"]
    assert statuses.count(200) == 1
    assert audit.paths == [f"{runs[40].id}/attempts/2/jobs"]
    assert audit.rows(
        f"SELECT run_attempt, name FROM jobs WHERE run_id = {runs[40].id} ORDER BY ALL"
    ) == [(1, "build"), (2, "again")]
    assert audit.rows(f"SELECT run_attempt FROM runs WHERE run_id = {runs[40].id}") == [(2,)]


async def test_a_run_under_way_is_asked_for_again(github: FakeGitHub, audit: Audits) -> None:
    """Also where its page has not changed; once it has completed, no more."""
    run = github.add_run(REPO, jobs=[JobSpec("a"), scenario.in_progress("b")])
    github.add_run(REPO)
    await audit()
    assert audit.rows("SELECT count(*) FROM attempts") == [(1,)]
    await audit()
    assert audit.asked == [("runs", 304), ("jobs", 200)]
    run.attempts[0].status, run.attempts[0].conclusion = "completed", "success"
    run.jobs[1].data |= {"status": "completed", "conclusion": "success"}
    await audit()
    assert audit.asked == [("runs", 200), ("jobs", 200)]
    assert audit.rows("SELECT DISTINCT status FROM jobs") == [("completed",)]
    await audit()
    assert audit.asked == [("runs", 304)]


async def test_a_run_under_way_is_followed_beyond_the_window(
    github: FakeGitHub, audit: Audits, time: FakeClock
) -> None:
    """A run that had not ended when it was last seen is asked for by itself later."""
    run = github.add_run(REPO, jobs=[scenario.in_progress("b")], created_at=NOW)
    await audit(since="2027-01-15")
    time.time += 5 * 86_400
    run.attempts[0].status, run.attempts[0].conclusion = "completed", "success"
    run.jobs[0].data |= {"status": "completed", "conclusion": "success"}
    await audit(since="2027-01-19")
    assert audit.asked == [("runs", 200), ("run", 200), ("jobs", 200)]
    assert audit.rows("SELECT status, conclusion FROM runs") == [("completed", "success")]
    assert audit.rows("SELECT count(*) FROM attempts") == [(1,)]


async def test_the_latest_attempt_alone_is_the_narrow_way(
    github: FakeGitHub, audit: Audits
) -> None:
    """With latest, earlier attempts are left out; without, only these are asked for later."""
    run = github.add_run(REPO, attempts=3)
    await audit(latest=True)
    assert [one.query.get("filter") for one in github.requests][-1] == "latest"
    assert audit.rows("SELECT run_attempt FROM jobs") == [(3,)]
    await audit(latest=True)
    assert audit.asked == [("runs", 304)]
    await audit()
    assert sorted(audit.paths) == [f"{run.id}/attempts/1/jobs", f"{run.id}/attempts/2/jobs"]
    assert audit.rows("SELECT run_attempt FROM jobs ORDER BY 1") == [(1,), (2,), (3,)]


async def test_a_run_counts_once_whatever_its_attempts(github: FakeGitHub, audit: Audits) -> None:
    """Progress counts runs, though several attempts of one are asked for, each by itself."""
    run = github.add_run(REPO, attempts=3)
    await audit(latest=True)
    rerun(github, run, JobSpec("again"))
    counts = (await audit()).counts
    assert len(audit.paths) == 3
    assert (counts.found, counts.listed, counts.exact) == (1, 1, True)


async def test_all_attempts_come_with_one_request(github: FakeGitHub, audit: Audits) -> None:
    """It asks with filter=all, so a job that failed and then passed is seen."""
    github.add_run(REPO, attempts=3)
    await audit()
    assert audit.asked == [("runs", 200), ("jobs", 200)]
    assert audit.rows("SELECT count(*), count(DISTINCT run_attempt) FROM attempts") == [(3, 3)]


async def test_other_filters_are_other_searches(github: FakeGitHub, audit: Audits) -> None:
    """What is stored is not asked for again, whatever search finds it."""
    github.add_run(REPO, branch="main")
    github.add_run(REPO, branch="dev")
    await audit(branch="dev")
    await audit()
    assert audit.asked == [("runs", 200), ("jobs", 200)]
    await audit(branch="dev")
    assert audit.asked == [("runs", 304)]


async def test_names_have_no_case(github: FakeGitHub, audit: Audits) -> None:
    """A repository that is written in another way is the same."""
    github.add_run(REPO)
    await audit()
    await audit(REPO.upper(), REPO)
    assert audit.asked == [("runs", 304)]
    assert audit.rows("SELECT DISTINCT repository FROM jobs") == [(REPO,)]


async def test_another_token_costs_the_pages(github: FakeGitHub, audit: Audits) -> None:
    """ETags belong to the token that got them; old ones are forgotten."""
    github.add_run(REPO)
    await audit()
    await audit(auth="ghp_other")
    assert audit.asked == [("runs", 200)]
    assert audit.rows("SELECT count(*) FROM pages") == [(1,)]


async def test_pages_of_days_gone_by_are_forgotten(
    github: FakeGitHub, audit: Audits, time: FakeClock
) -> None:
    """The window that moves with --since leaves no page behind."""
    for n in range(150):
        github.add_run(REPO, created_at=NOW - timedelta(hours=n))
    for day in range(4):
        since = datetime.fromtimestamp(time.time, UTC) - timedelta(days=7)
        await audit(since=f"{since:%Y-%m-%d}")
        pages = audit.rows("SELECT count(*) FROM pages")[0][0]
        assert pages <= 9 + day
        assert [status for operation, status in audit.asked if operation == "runs"].count(200) <= (
            2 if day else 99
        )
        time.time += 86_400


async def test_each_owner_has_its_own_credential(github: FakeGitHub, audit: Audits) -> None:
    """With a function of the owner, each repository is asked for with its own."""
    github.add_run(REPO)
    github.add_run("other/repo")
    await audit(REPO, "other/repo", auth=lambda owner: f"ghp_token_of_{owner}")
    used = {
        (one.path.split("/repos/")[1].split("/")[0], one.headers["authorization"])
        for one in github.requests
    }
    assert used == {
        ("octo-org", "Bearer ghp_token_of_octo-org"),
        ("other", "Bearer ghp_token_of_other"),
    }
    assert len(audit.rows("SELECT DISTINCT credential FROM pages")) == 2


# What is gone.


async def test_a_run_that_is_gone_keeps_its_rows(github: FakeGitHub, audit: Audits) -> None:
    """It gets the time; if it comes back, the time is taken away."""
    first, second = github.add_run(REPO), github.add_run(REPO)
    await audit()
    remove(github, first)
    assert (await audit()).complete
    gone = "SELECT run_id FROM runs WHERE gone_at IS NOT NULL"
    assert audit.rows(gone) == [(first.id,)]
    assert audit.rows("SELECT count(*) FROM jobs") == [(2,)]
    at = audit.rows("SELECT max(gone_at) FROM runs")
    await audit()
    assert audit.rows("SELECT max(gone_at) FROM runs") == at
    bring_back(github, first)
    await audit()
    assert audit.rows(gone) == []
    assert second.id


async def test_a_search_with_filters_says_nothing_of_the_others(
    github: FakeGitHub, audit: Audits
) -> None:
    """A run that does not match is not gone, and neither is one of another day."""
    github.add_run(REPO, branch="dev", created_at=NOW)
    github.add_run(REPO, branch="main", created_at=NOW - timedelta(days=9))
    await audit()
    await audit(branch="main")
    await audit(since="2027-01-14")
    await audit(since="2027-01-05", until="2027-01-10")
    assert audit.rows("SELECT run_id FROM runs WHERE gone_at IS NOT NULL") == []


async def test_a_run_that_answers_404_is_gone(github: FakeGitHub, audit: Audits) -> None:
    """A run that is deleted between its page and its jobs is no failure."""
    run = github.add_run(REPO)
    github.fail("jobs", faults.status(404))
    done = await audit()
    assert done.complete
    assert audit.rows("SELECT run_id, gone_at IS NOT NULL FROM runs") == [(run.id, True)]
    await audit()
    assert audit.paths == [f"{run.id}/jobs"]
    assert audit.rows("SELECT gone_at FROM runs") == [(None,)]


async def test_an_incomplete_search_takes_no_run_for_gone(
    github: FakeGitHub, audit: Audits
) -> None:
    """Where a run cannot be decoded, it may be the one that is missing."""
    run = github.add_run(REPO)
    github.add_run(REPO)
    await audit()
    run.overrides["id"] = "odd"
    assert not (await audit()).complete
    assert audit.rows("SELECT what, text FROM failures") == [
        ("search", "2 expected, 1 got; expected int, got str @ workflow_runs[1].id")
    ]
    assert audit.rows("SELECT count(*) FROM runs WHERE gone_at IS NOT NULL") == [(0,)]
    del run.overrides["id"]
    assert (await audit()).complete
    assert audit.rows("FROM failures") == []


# What is missing.


async def test_a_failure_is_tried_again(github: FakeGitHub, audit: Audits) -> None:
    """Jobs that could not be listed are asked for by the next audit, and then nothing is missing."""
    bad, good = github.add_run(REPO), github.add_run(REPO)
    rule = github.fail(
        "jobs", faults.status(400), times=None, where=lambda r: str(bad.id) in r.path
    )
    first = await audit()
    assert (first.may_come, first.complete) == (1, False)
    assert audit.rows("SELECT run_id, job_id, what, error FROM failures") == [
        (bad.id, None, "jobs", "ResponseError")
    ]
    rule.stop()
    assert (await audit()).complete
    assert audit.asked == [("runs", 304), ("jobs", 200)]
    assert audit.rows("FROM failures") == []
    assert sorted(audit.rows("SELECT run_id FROM jobs")) == [(bad.id,), (good.id,)]


async def test_how_an_audit_ended_is_stored(github: FakeGitHub, audit: Audits) -> None:
    """It is incomplete as long as something may still come."""
    github.add_run(REPO)
    github.fail("jobs", faults.status(400))
    await audit()
    await audit()
    assert audit.rows("SELECT outcome FROM audits ORDER BY started_at") == [
        ("incomplete",),
        ("complete",),
    ]


async def test_an_incomplete_list_is_tried_again(github: FakeGitHub, audit: Audits) -> None:
    """What came of it is stored meanwhile."""
    run = github.add_run(REPO, jobs=3)
    run.jobs[1].data["id"] = None
    assert not (await audit()).complete
    assert audit.rows("SELECT count(*) FROM jobs") == [(2,)]
    run.jobs[1].data["id"] = run.jobs[1].id
    assert (await audit()).complete
    assert audit.rows("SELECT count(*) FROM jobs") == [(3,)]


async def test_a_search_that_fails_is_tried_again(github: FakeGitHub, audit: Audits) -> None:
    """One repository that cannot be searched costs the others nothing."""
    github.add_run(REPO)
    assert not (await audit(REPO, "octo-org/later")).complete
    assert audit.rows("SELECT repository, what, error FROM failures") == [
        ("octo-org/later", "search", "NotFoundError")
    ]
    github.add_run("octo-org/later")
    assert (await audit(REPO, "octo-org/later")).complete
    assert audit.rows("SELECT count(*) FROM jobs") == [(2,)]


async def test_no_repository_at_all_is_an_error(github: FakeGitHub, audit: Audits) -> None:
    """Where none could be searched, the first error is raised, after all is written down."""
    with pytest.raises(NotFoundError):
        await audit("octo-org/nope")
    assert len(audit.asked) == 1
    assert audit.rows("SELECT what FROM failures") == [("search",)]


async def test_a_failure_is_settled_under_any_spelling(github: FakeGitHub, audit: Audits) -> None:
    """A repository that could not be searched is known by its failure only: names have no case."""
    github.add_run(REPO)
    assert not (await audit(REPO, "Octo-Org/NEW")).complete
    github.add_run("octo-org/new")
    assert (await audit(REPO, "octo-org/new")).complete
    assert audit.rows("FROM failures") == []


# Logs.


@pytest.mark.parametrize(
    ("state", "reason"), [("expired", "expired"), ("deleted", "deleted"), ("not_ready", "lost")]
)
async def test_a_log_that_never_comes_is_asked_for_once(
    github: FakeGitHub, audit: Audits, state: str, reason: str
) -> None:
    """It is kept with its reason, and the folder misses nothing that may still come."""
    run = github.add_run(REPO, jobs=[scenario.failing("a"), scenario.failing("b")])
    github.set_log(run.jobs[0].id, state=state)  # type: ignore[arg-type]
    first = await audit(logs=Logs.FAILED)
    assert (first.complete, first.counts.logs) == (True, 1)
    kept = [("log", run.jobs[0].id, reason)]
    assert audit.rows("SELECT what, job_id, reason FROM failures") == kept
    assert (await audit(logs=Logs.FAILED)).complete
    assert audit.asked == [("runs", 304)]
    assert audit.rows("SELECT what, job_id, reason FROM failures") == kept


async def test_a_log_that_may_come_is_tried_again(github: FakeGitHub, audit: Audits) -> None:
    """A log that is not there yet leaves the table of failures when it comes."""
    run = github.add_run(REPO, jobs=[scenario.failing("a")], created_at=NOW - timedelta(hours=1))
    github.set_log(run.jobs[0].id, state="not_ready")
    assert not (await audit(logs=Logs.FAILED)).complete
    assert audit.rows("SELECT reason FROM failures") == [("not_ready",)]
    github.set_log(run.jobs[0].id, state="ok")
    assert (await audit(logs=Logs.FAILED)).complete
    assert audit.rows("FROM failures") == []
    [(path, size)] = audit.rows("SELECT path, bytes FROM logs")
    assert (audit.folder / path).stat().st_size == size


async def test_the_log_of_a_run_that_is_gone_never_comes(github: FakeGitHub, audit: Audits) -> None:
    """It stays written down, but the folder misses nothing that may still come."""
    run = github.add_run(REPO, jobs=[scenario.failing("a")], created_at=NOW - timedelta(hours=1))
    github.add_run(REPO, created_at=NOW - timedelta(hours=2))
    github.fail("log", faults.status(500), times=None)
    assert not (await audit(logs=Logs.FAILED)).complete
    remove(github, run)
    assert (await audit(logs=Logs.FAILED)).complete
    assert audit.rows("SELECT what, reason FROM failures") == [("log", None)]
    bring_back(github, run)
    assert not (await audit(logs=Logs.FAILED)).complete


async def test_more_logs_can_be_wanted_later(github: FakeGitHub, audit: Audits) -> None:
    """The logs of stored jobs come without asking for the jobs again, and each of them once."""
    github.add_run(REPO, jobs=[scenario.failing("a"), JobSpec("b"), scenario.skipped("c")])
    github.add_run(REPO, jobs=[JobSpec("d")])
    await audit()
    assert (await audit(logs=Logs.FAILED)).counts.logs == 1
    assert audit.asked == [("runs", 304), ("log", 302), ("storage", 200)]
    assert (await audit(logs=Logs.ALL)).counts.logs == 2
    assert audit.paths == []
    assert (await audit(logs=Logs.ALL)).counts.logs_wanted == 0
    assert audit.rows("SELECT count(*) FROM logs") == [(3,)]


async def test_the_reason_is_stored_with_the_log(github: FakeGitHub, audit: Audits) -> None:
    """Why a job failed is read from the log that was saved, without another request."""
    github.add_run(REPO, jobs=[scenario.failing("a"), JobSpec("b")])
    await audit(logs=Logs.ALL)
    assert [operation for operation, _ in audit.asked].count("storage") == 2
    [(step, kind, headline, fingerprint, excerpt, certainty)] = audit.rows(
        "SELECT step, kind, headline, fingerprint, excerpt, certainty FROM reasons"
    )
    assert headline
    assert headline in excerpt
    assert (step, bool(kind), bool(fingerprint), certainty) == ("Run tests", True, True, "certain")


# Parts, interruptions, other processes.


async def test_shards_take_each_run_once(
    github: FakeGitHub, client: MakeClient, time: FakeClock, tmp_path: Path
) -> None:
    """The parts together are the whole, also where they share a folder."""
    runs = {github.add_run(REPO).id for _ in range(40)}
    parts = [Audits(github, client, time, tmp_path / str(n)) for n in (1, 2, 3)]
    taken = []
    for n, part in enumerate(parts, 1):
        await part(shard=Shard(n, 3))
        taken.append({row[0] for row in part.rows("SELECT run_id FROM runs")})
        await part(shard=Shard(n, 3))
        assert part.asked == [("runs", 304)]
    assert set.union(*taken) == runs
    assert sum(map(len, taken)) == 40
    for n in (2, 3):
        await parts[0](shard=Shard(n, 3))
    assert {row[0] for row in parts[0].rows("SELECT run_id FROM jobs")} == runs


@pytest.mark.parametrize("after", [1, 20, 33])
async def test_an_interrupted_audit_is_continued(
    github: FakeGitHub, client: MakeClient, time: FakeClock, tmp_path: Path, after: int
) -> None:
    """What had come is stored, and the next audit ends like one that was never interrupted."""
    for n in range(30):
        jobs = [scenario.failing("a"), JobSpec("b")] if n % 3 else [JobSpec("c")]
        github.add_run(REPO, jobs=jobs, created_at=NOW - timedelta(hours=3 * n))
    whole, broken = (Audits(github, client, time, tmp_path / name) for name in ("whole", "broken"))
    await whole(logs=Logs.FAILED)
    plan = AuditPlan(repos=(REPO,), logs=Logs.FAILED)
    task: asyncio.Task[object] | None = None
    count = 0

    def stop(asked: object) -> bool:
        nonlocal count
        count += 1
        if count == after and task is not None:
            task.cancel()
        return False

    rule = github.fail("any", faults.status(500), where=stop, times=None)
    task = asyncio.ensure_future(Audit(client(concurrency=4), plan, broken.folder).run())
    with pytest.raises(asyncio.CancelledError):
        await task
    rule.stop()
    assert broken.rows("SELECT outcome FROM audits") == [("interrupted",)]
    stored = broken.rows("SELECT count(*) FROM runs")[0][0]
    assert (stored > 0) == (after > 15)
    await broken(logs=Logs.FAILED)
    assert len(broken.paths) == 30 - stored
    assert dump(broken.folder) == dump(whole.folder)


async def test_parts_of_logs_are_swept(github: FakeGitHub, audit: Audits) -> None:
    """What an audit that was killed left of a log is deleted by the next one."""
    github.add_run(REPO, jobs=[scenario.failing("a")])
    await audit(logs=Logs.FAILED)
    [(path,)] = audit.rows("SELECT path FROM logs")
    part = (audit.folder / path).with_name(".0123456789abcdef.part")
    part.write_bytes(b"half")
    with AuditStore(audit.folder).write() as connection:
        connection.execute("UPDATE audits SET ended_at = NULL, outcome = NULL")
    await audit(logs=Logs.FAILED)
    assert not part.exists()
    assert audit.rows("SELECT outcome FROM audits ORDER BY started_at") == [
        ("killed",),
        ("complete",),
    ]
    assert (audit.folder / path).exists()


async def test_the_file_is_small_at_the_end(
    github: FakeGitHub, audit: Audits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit ends by making its file smaller, where that is worth it."""
    github.add_run(REPO)
    await audit()
    path = AuditStore(audit.folder).path
    before = path.stat().st_ino
    await audit()
    assert path.stat().st_ino == before
    monkeypatch.setattr("ghjobs_async.audit.database.new_file._MIN_BYTES", -1)
    monkeypatch.setattr("ghjobs_async.audit.database.new_file._MIN_SHARE", -1)
    await audit()
    assert path.stat().st_ino != before


async def test_one_audit_at_a_time(github: FakeGitHub, audit: Audits) -> None:
    """A second audit on the same folder is refused at once, and asks for nothing."""
    with AuditStore(audit.folder).lock(), pytest.raises(ConfigurationError, match="another audit"):
        await audit()
    assert audit.asked == []


async def test_a_disk_that_fails_ends_the_audit(
    github: FakeGitHub, audit: Audits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the disk is raised as it is, not taken for a failure of one log."""
    github.add_run(REPO, jobs=[scenario.failing("a")])
    audit.folder.mkdir()
    (audit.folder / "logs").write_text("in the way")
    with pytest.raises(OSError, match="logs"):
        await audit(logs=Logs.FAILED)
    assert audit.rows("SELECT outcome FROM audits") == [("failed",)]
    assert audit.rows("SELECT count(*) FROM jobs") == [(1,)]
