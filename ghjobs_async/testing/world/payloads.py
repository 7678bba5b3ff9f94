"""
Parts that several JSON objects share, with GitHub's field names, order and way to write times.

URLs name github.com; `rebase` replaces that by the server and the prefix that a client used.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

import msgspec

API = "https://api.github.com"
WEB = "https://github.com"
DOCS = "https://docs.github.com/rest"

#: ``KEY PATH`` of each URL in the JSON objects of a repository and of a user.
_REPO_URLS = """
archive /{archive_format}{/ref}  assignees /assignees{/user}  blobs /git/blobs{/sha}
branches /branches{/branch}  collaborators /collaborators{/collaborator}
comments /comments{/number}  commits /commits{/sha}  compare /compare/{base}...{head}
contents /contents/{+path}  contributors /contributors  deployments /deployments
downloads /downloads  events /events  forks /forks  git_commits /git/commits{/sha}
git_refs /git/refs{/sha}  git_tags /git/tags{/sha}  hooks /hooks
issue_comment /issues/comments{/number}  issue_events /issues/events{/number}
issues /issues{/number}  keys /keys{/key_id}  labels /labels{/name}  languages /languages
merges /merges  milestones /milestones{/number}
notifications /notifications{?since,all,participating}  pulls /pulls{/number}
releases /releases{/id}  stargazers /stargazers  statuses /statuses/{sha}
subscribers /subscribers  subscription /subscription  tags /tags  teams /teams
trees /git/trees{/sha}
"""
_USER_URLS = """
following /following{/other_user}  gists /gists{/gist_id}  starred /starred{/owner}{/repo}
events /events{/privacy}  followers /followers  subscriptions /subscriptions
organizations /orgs  repos /repos  received_events /received_events
"""

encode = msgspec.json.Encoder().encode


def rebase(body: bytes, api_root: str, web_root: str) -> bytes:
    """Make every URL in *body* name the server that was asked."""
    return body.replace(b"https://api.github.com", api_root.encode()).replace(
        b'"https://github.com', b'"' + web_root.encode()
    )


@lru_cache(maxsize=4096)
def iso(epoch: int) -> str:
    """Write seconds since the epoch as GitHub's JSON does."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=16)
def http_date(epoch: int) -> str:
    """Write seconds since the epoch as HTTP headers do."""
    return formatdate(epoch, usegmt=True)


def epoch(text: object) -> int | None:
    """Read one of GitHub's date-times as whole seconds since the epoch; None if it is not one."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def steps_in(job: Mapping[str, object]) -> list[dict[str, object]]:
    """Give the steps in a job's JSON object, whatever else it holds in their place."""
    steps = job.get("steps")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def node_id(prefix: str, number: int) -> str:
    """Make an opaque id such as ``CR_kwDO...``."""
    return f"{prefix}_kwDO" + base64.b64encode(number.to_bytes(12)).decode().rstrip("=")


def sha_of(*parts: object) -> str:
    """Make 40 hex digits that depend on *parts* only."""
    return hashlib.sha1("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


# A page of 100 runs repeats the same users and repositories hundreds of times, so both are kept.
@lru_cache(maxsize=256)
def user(login: str) -> msgspec.Raw:
    """Write the JSON object of a user."""
    number = 1 + sum(login.encode()) * 31
    url = f"{API}/users/{login}"
    fields = {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{WEB}/{login}",
        **urls(url, _USER_URLS),
        "type": "User",
        "user_view_type": "public",
        "site_admin": False,
    }
    return msgspec.Raw(encode(fields))


@lru_cache(maxsize=256)
def repository(
    number: int, full_name: str, *, archived: bool | None = None, fork: bool = False
) -> msgspec.Raw:
    """Write the JSON object of a repository; within a run it does not say whether it is archived."""
    owner, name = full_name.split("/")
    url = f"{API}/repos/{full_name}"
    fields = {
        "id": number,
        "node_id": node_id("R", number),
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": user(owner),
        "html_url": f"{WEB}/{full_name}",
        "description": "A repository of the fake GitHub",
        "fork": fork,
        "url": url,
        **urls(url, _REPO_URLS),
        "default_branch": "main",
        **({} if archived is None else {"archived": archived, "disabled": False}),
    }
    return msgspec.Raw(encode(fields))


def urls(root: str, table: str) -> dict[str, str]:
    """Give the URLs of a *table* of ``KEY PATH`` below *root*."""
    words = table.split()
    return {f"{key}_url": root + path for key, path in zip(words[::2], words[1::2], strict=True)}
