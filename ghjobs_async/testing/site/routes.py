"""Which operation a request asks for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import attrs

from ghjobs_async.testing.server.messages import PREFIX, Asked, Call
from ghjobs_async.testing.world.world import World

_REPO: Final = re.compile(
    r"/(?:repos/(?P<repo>[^/]+/[^/]+)|repositories/(?P<repo_id>[0-9]+))(?P<rest>/.*)?"
)
_RUN: Final = r"/actions/runs/(?P<run>[0-9]+)"
_ATTEMPT: Final = rf"{_RUN}(?:/attempts/(?P<attempt>[0-9]+))?"
#: Paths below a repository.
_REPO_ROUTES: Final = {
    "jobs": re.compile(rf"{_ATTEMPT}/jobs"),
    "job": re.compile(r"/actions/jobs/(?P<job>[0-9]+)"),
    "log": re.compile(r"/actions/jobs/(?P<job>[0-9]+)/logs"),
    "run": re.compile(_ATTEMPT),
    "run_log": re.compile(rf"{_ATTEMPT}/logs"),
    "artifacts": re.compile(rf"{_RUN}/artifacts"),
    "runs": re.compile(r"/actions/(?:workflows/(?P<workflow>[^/]+)/)?runs"),
    "workflows": re.compile(r"/actions/workflows"),
    "workflow": re.compile(r"/actions/workflows/(?P<workflow>[^/]+)"),
    "annotations": re.compile(r"/check-runs/(?P<job>[0-9]+)/annotations"),
    "installation": re.compile(r"/installation"),
    "repo": re.compile(r""),
}
_OTHER_ROUTES: Final = {
    "token": re.compile(r"/app/installations/(?P<installation>[0-9]+)/access_tokens"),
    "rate_limit": re.compile(r"/rate_limit"),
    "user": re.compile(r"/user"),
    "root": re.compile(r"/?"),
}

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
    routes, rest, args = _OTHER_ROUTES, path, dict[str, str]()
    if found := _REPO.fullmatch(path):
        routes, rest, args = _REPO_ROUTES, found["rest"] or "", _given(found)
    for operation, pattern in routes.items():
        if match := pattern.fullmatch(rest):
            args |= _given(match)
            asked = attrs.evolve(asked, operation=operation)
            break
    return Call(asked, path, web_root + PREFIX * prefixed, web_root, storage_root, args)


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
