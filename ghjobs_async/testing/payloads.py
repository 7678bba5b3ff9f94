"""
The JSON objects, with GitHub's own field names and in GitHub's own order.

URLs name github.com; `rebase` gives them the host and the prefix that a request used.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ghjobs_async.testing.steps import steps_of
from ghjobs_async.testing.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghjobs_async.testing.world import FakeAttempt, FakeJob, FakeRepo, FakeRun

API = "https://api.github.com"
WEB = "https://github.com"
DOCS = "https://docs.github.com/rest"

_encode = msgspec.json.Encoder().encode


def rebase(body: bytes, api_root: str, web_root: str) -> bytes:
    """Make every URL in *body* name the server that was asked."""
    return body.replace(b"https://api.github.com", api_root.encode()).replace(
        b'"https://github.com', b'"' + web_root.encode()
    )


def node_id(prefix: str, number: int) -> str:
    """Make an opaque id such as ``CR_kwDO...``."""
    return f"{prefix}_kwDO" + base64.b64encode(number.to_bytes(12)).decode().rstrip("=")


def job(job: FakeJob) -> dict[str, object]:
    """Make the JSON object of a job."""
    spec, run = job.spec, job.run
    repo = run.repo
    root = f"{API}/repos/{repo}"
    created = job.created
    started = created + spec.queued_for
    completed = started + spec.seconds
    unstarted = spec.status not in {"completed", "in_progress"}
    idle = spec.check_run or spec.conclusion == "skipped"
    if idle or unstarted:
        started = completed = created
    elif spec.conclusion == "cancelled" and spec.runner == "none":
        # Cancelled before a runner came: what GitHub calls its start is later than its end.
        started, completed = created + 2, created + 1
    took = spec.runner != "none" and not idle and not unstarted
    hosted = spec.runner == "hosted"
    steps = steps_of(spec, started) if took else []
    runner_id = 1 + job.id % 997
    data: dict[str, object] = {
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.workflow,
        "head_branch": run.branch,
        "run_url": f"{root}/actions/runs/{run.id}",
        "run_attempt": job.attempt,
        "node_id": node_id("CR", job.id),
        "head_sha": run.head_sha,
        "url": f"{root}/actions/jobs/{job.id}",
        "html_url": f"{WEB}/{repo}/runs/{job.id}"
        if spec.check_run
        else f"{WEB}/{repo}/actions/runs/{run.id}/job/{job.id}",
        "status": spec.status,
        "conclusion": spec.conclusion,
        "created_at": iso(created),
        "started_at": iso(started),
        "completed_at": iso(completed) if spec.status == "completed" else None,
        "name": spec.name,
        "steps": steps,
        "check_run_url": f"{root}/check-runs/{job.id}",
        "labels": [] if idle else list(spec.labels),
        "runner_id": runner_id if took else None,
        "runner_name": (f"GitHub Actions {runner_id}" if hosted else f"runner-{runner_id}")
        if took
        else None,
        "runner_group_id": (0 if hosted else 1) if took else None,
        "runner_group_name": ("GitHub Actions" if hosted else "Default") if took else None,
    }
    data.update(spec.overrides)
    for key in spec.without:
        data.pop(key, None)
    return data


def run(run: FakeRun, attempt: FakeAttempt) -> dict[str, object]:
    """Make the JSON object of a run as it stands in one of its attempts."""
    root = f"{API}/repos/{run.repo}"
    url = f"{root}/actions/runs/{run.id}"
    earlier = f"{url}/attempts/{attempt.number - 1}" if attempt.number > 1 else None
    actor = _user(run.actor)
    repo = _repository(run.repository.id, run.repo)
    data: dict[str, object] = {
        "id": run.id,
        "name": run.workflow,
        "node_id": node_id("WFR", run.id),
        "head_branch": run.branch,
        "head_sha": run.head_sha,
        "path": run.path,
        "display_title": f"Change {run.head_sha[:7]}",
        "run_number": run.number,
        "event": run.event,
        "status": attempt.status,
        "conclusion": attempt.conclusion,
        "workflow_id": run.workflow_id,
        "check_suite_id": run.check_suite_id,
        "check_suite_node_id": node_id("CS", run.check_suite_id),
        "url": url,
        "html_url": f"{WEB}/{run.repo}/actions/runs/{run.id}",
        "pull_requests": [],
        "created_at": iso(run.created),
        "updated_at": iso(attempt.updated),
        "actor": actor,
        "run_attempt": attempt.number,
        "referenced_workflows": [],
        "run_started_at": iso(attempt.started),
        "triggering_actor": actor,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{root}/check-suites/{run.check_suite_id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": earlier,
        "workflow_url": f"{root}/actions/workflows/{run.workflow_id}",
        "head_commit": {
            "id": run.head_sha,
            "tree_id": run.head_sha[::-1],
            "message": f"Change {run.head_sha[:7]}",
            "timestamp": iso(run.created),
            "author": {"name": run.actor, "email": f"{run.actor}@users.noreply.github.com"},
            "committer": {"name": "GitHub", "email": "noreply@github.com"},
        },
        "repository": repo,
        "head_repository": repo,
    }
    data.update(run.overrides)
    return data


def repository(repo: FakeRepo) -> bytes:
    """Write the JSON object of a repository."""
    return bytes(_repository(repo.id, repo.full_name))


def user(login: str) -> bytes:
    """Write the JSON object of a user."""
    return bytes(_user(login))


def error(message: str, status: int, docs: str = DOCS) -> dict[str, object]:
    """Make the JSON object GitHub answers an error with."""
    return {"message": message, "documentation_url": docs, "status": str(status)}


def encode(value: object) -> bytes:
    """Write JSON."""
    return _encode(value)


def page(total: int, key: str, items: Sequence[dict[str, object]]) -> bytes:
    """Write one page of a list."""
    return _encode({"total_count": total, key: items})


def read_page(body: bytes) -> tuple[int, str, list[dict[str, object]]]:
    """Take one page of a list apart: how many there are, the key of the items, the items."""
    data: dict[str, object] = msgspec.json.decode(body, type=dict[str, object])
    key = "jobs" if "jobs" in data else "workflow_runs"
    total = msgspec.convert(data["total_count"], int)
    return total, key, msgspec.convert(data[key], list[dict[str, object]])


# A page of 100 runs repeats the same users and repositories hundreds of times: written once.
@lru_cache(maxsize=256)
def _user(login: str) -> msgspec.Raw:
    number = 1 + sum(login.encode()) * 31
    url = f"{API}/users/{login}"
    fields: dict[str, object] = {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{WEB}/{login}",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "events_url": f"{url}/events{{/privacy}}",
    }
    for name in ("followers", "subscriptions", "organizations", "repos", "received_events"):
        fields[f"{name}_url"] = f"{url}/{name.replace('organizations', 'orgs')}"
    fields.update(type="User", user_view_type="public", site_admin=False)
    return msgspec.Raw(_encode(fields))


_REPO_URLS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}


@lru_cache(maxsize=256)
def _repository(number: int, full_name: str) -> msgspec.Raw:
    owner, name = full_name.split("/")
    url = f"{API}/repos/{full_name}"
    fields: dict[str, object] = {
        "id": number,
        "node_id": node_id("R", number),
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": _user(owner),
        "html_url": f"{WEB}/{full_name}",
        "description": "A repository that is not there",
        "fork": False,
        "url": url,
    }
    fields.update({f"{key}_url": url + path for key, path in _REPO_URLS.items()})
    return msgspec.Raw(_encode(fields))
