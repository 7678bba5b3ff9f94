"""What a request asks for: the operation, and the filters of a listing of runs."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final
from urllib.parse import urlencode

import attrs

from ghjobs_async.testing.server.messages import PREFIX, Asked, Call
from ghjobs_async.testing.world.payloads import DOCS
from ghjobs_async.testing.world.runs import FakeRun
from ghjobs_async.testing.world.world import World

_REPO: Final = re.compile(
    r"/(?:repos/(?P<repo>[^/]+/[^/]+)|repositories/(?P<repo_id>[0-9]+))(?P<rest>/.*)?"
)
_RUN: Final = r"/actions/runs/(?P<run>[0-9]+)"
_ATTEMPT: Final = rf"{_RUN}(?:/attempts/(?P<attempt>[0-9]+))?"
_JOB: Final = r"/actions/jobs/(?P<job>[0-9]+)"
_WORKFLOW: Final = r"/actions/workflows/(?P<workflow>[^/]+)"
_RUNS: Final = rf"(?:/actions|{_WORKFLOW})/runs"
_CHECK_RUN: Final = r"/check-runs/(?P<job>[0-9]+)"
#: Each operation below a repository: its path, and its page of the documentation.
_REPO_ROUTES: Final = {
    "jobs": (rf"{_ATTEMPT}/jobs", "/actions/workflow-jobs#list-jobs-for-a-workflow-run"),
    "job": (_JOB, "/actions/workflow-jobs#get-a-job-for-a-workflow-run"),
    "log": (rf"{_JOB}/logs", "/actions/workflow-jobs#download-job-logs-for-a-workflow-run"),
    "run": (_ATTEMPT, "/actions/workflow-runs#get-a-workflow-run"),
    "run_log": (rf"{_ATTEMPT}/logs", "/actions/workflow-runs#download-workflow-run-logs"),
    "artifacts": (rf"{_RUN}/artifacts", "/actions/artifacts#list-workflow-run-artifacts"),
    "runs": (_RUNS, "/actions/workflow-runs#list-workflow-runs-for-a-repository"),
    "workflows": (r"/actions/workflows", "/actions/workflows#list-repository-workflows"),
    "workflow": (_WORKFLOW, "/actions/workflows#get-a-workflow"),
    "annotations": (rf"{_CHECK_RUN}/annotations", "/checks/runs#list-check-run-annotations"),
    "branch": (r"/branches/(?P<branch>.+)", "/branches/branches#get-a-branch"),
    "pull": (r"/pulls/(?P<pull>[0-9]+)", "/pulls/pulls#get-a-pull-request"),
    "installation": (r"/installation", ""),
    "repo": (r"", ""),
}
_OTHER_ROUTES: Final = {
    "token": (r"/app/installations/[0-9]+/access_tokens", ""),
    "org_repos": (r"/orgs/(?P<owner>[^/]+)/repos", "/repos/repos#list-organization-repositories"),
    "user_repos": (r"/users/(?P<owner>[^/]+)/repos", "/repos/repos#list-repositories-for-a-user"),
    "rate_limit": (r"/rate_limit", "/rate-limit/rate-limit"),
    "user": (r"/user", ""),
    "root": (r"/?", ""),
}

#: The most results of a listing with any filter.
CAP: Final = 1000
#: Whether a run fits the value of each filter but ``created``, which is a range.
_FILTERS: Final[dict[str, Callable[[FakeRun, str], bool]]] = {
    "actor": lambda run, value: run.actor.lower() == value.lower(),
    "branch": lambda run, value: run.branch == value,
    "check_suite_id": lambda run, value: str(run.check_suite_id) == value,
    "event": lambda run, value: run.event == value,
    "head_sha": lambda run, value: run.head_sha == value,
    "status": lambda run, value: value in run.begun()[-1].state(run.moment)[:2],
}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY: Final = timedelta(days=1) - timedelta(seconds=1)

OPERATIONS: Final = frozenset({*_REPO_ROUTES, *_OTHER_ROUTES, "storage", "unknown"})


def call_of(asked: Asked, web_root: str, storage_root: str) -> Call:
    """Find out which operation a request asks for."""
    if asked.origin == "storage":
        asked = attrs.evolve(asked, operation="storage")
        return Call(asked, asked.path, storage_root, web_root, storage_root)
    # URLs name the server as the client does.
    web_root = f"http://{asked.headers['host']}" if "host" in asked.headers else web_root
    prefixed = asked.path == PREFIX or asked.path.startswith(PREFIX + "/")
    path = asked.path.removeprefix(PREFIX) if prefixed else asked.path
    routes, rest, args, docs = _OTHER_ROUTES, path, dict[str, str](), DOCS
    if found := _REPO.fullmatch(path):
        routes, rest, args = _REPO_ROUTES, found["rest"] or "", _given(found)
    for operation, (pattern, page) in routes.items():
        if match := re.fullmatch(pattern, rest):
            args |= _given(match)
            asked = attrs.evolve(asked, operation=operation)
            docs = DOCS + page
            break
    return Call(asked, path, web_root + PREFIX * prefixed, web_root, storage_root, args, docs)


def numbered_url(world: World, call: Call) -> str | None:
    """Give the URL below ``/repositories/ID`` of a request that names a repository."""
    found = _REPO.fullmatch(call.path)
    name = call.args.get("repo", "").lower()
    repo = world.repos.get(name)
    number = repo.id if repo else world.former_names.get(name)
    if found is None or number is None:
        return None
    return f"{call.api_root}/repositories/{number}{found['rest'] or ''}{query_of(call)}"


def query_of(call: Call) -> str:
    """Give the query of a request, with its question mark if it has one."""
    return f"?{urlencode(call.asked.query)}" if call.asked.query else ""


def _given(match: re.Match[str]) -> dict[str, str]:
    return {key: value for key, value in match.groupdict().items() if value is not None}


def run_filter(query: Mapping[str, str]) -> Callable[[FakeRun], bool] | None:
    """
    Make a predicate of a run listing's query; None if it filters nothing.

    Raises:
        ValueError: ``created`` cannot be read.
    """
    wanted = {key: query[key] for key in _FILTERS if query.get(key)}
    created = query.get("created")
    if not wanted and not created:
        return None
    first, last = _created_range(created) if created else (-inf, inf)

    def keep(run: FakeRun) -> bool:
        fits = all(_FILTERS[key](run, value) for key, value in wanted.items())
        return fits and first <= run.created <= last

    return keep


def created_within(runs: Sequence[FakeRun], query: Mapping[str, str]) -> Sequence[FakeRun]:
    """
    Give the runs, the newest first, without those that ``created`` leaves out.

    Raises:
        ValueError: ``created`` cannot be read.
    """
    if not query.get("created"):
        return runs
    first, last = _created_range(query["created"])
    start = bisect_left(runs, -last, key=lambda run: -run.created)
    return runs[start : bisect_right(runs, -first, key=lambda run: -run.created)]


def _created_range(text: str) -> tuple[float, float]:
    """
    Read ``A..B``, ``>=A``, ``>A``, ``<=B``, ``<B``, ``*..B``, ``A..*`` or one date.

    Gives the first and the last second that match, since the epoch. A date without a time means
    its whole day, in UTC.
    """
    # An unescaped plus arrives as a space.
    text = text.strip().replace(" ", "+")
    low, dots, high = text.partition("..")
    if dots:
        return (-inf if low == "*" else _moment(low)[0]), (inf if high == "*" else _moment(high)[1])
    sign = text[: len(text) - len(text.lstrip("<>="))]
    first, last = _moment(text.removeprefix(sign))
    ranges = {
        "": (first, last),
        ">=": (first, inf),
        ">": (last + 1, inf),
        "<=": (-inf, last),
        "<": (-inf, first - 1),
    }
    if sign not in ranges:
        raise ValueError(text)
    return ranges[sign]


def _moment(text: str) -> tuple[float, float]:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    end = moment + _DAY if _DATE.fullmatch(text) else moment
    return moment.timestamp(), end.timestamp()
