"""The API's origin: from a request to an answer, without a socket."""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, urlencode

import attrs

from ghjobs_async.testing import payloads
from ghjobs_async.testing.answers import Answer, Asked, Call
from ghjobs_async.testing.filters import CAP, run_filter
from ghjobs_async.testing.hosting import PREFIX
from ghjobs_async.testing.storage import Storage, blob_of
from ghjobs_async.testing.times import http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ghjobs_async.testing.apps import Apps
    from ghjobs_async.testing.budget import Budget
    from ghjobs_async.testing.world import FakeRepo, FakeRun, World

_T = TypeVar("_T")

_DEFAULT_PER_PAGE: Final = 30
_MAX_PER_PAGE: Final = 100
_JOBS_DOCS: Final = f"{payloads.DOCS}/actions/workflow-jobs"
_RUNS_DOCS: Final = f"{payloads.DOCS}/actions/workflow-runs"
_VARY: Final = (
    "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With"
)
_REPO_PATH: Final = re.compile(
    r"/(?:repos/(?P<repo>[^/]+/[^/]+)|repositories/(?P<repo_id>[0-9]+))(?P<rest>/.*)?"
)
_REST: Final = tuple(
    (operation, re.compile(pattern))
    for operation, pattern in (
        ("jobs", r"/actions/runs/(?P<run>[0-9]+)/jobs"),
        ("job", r"/actions/jobs/(?P<job>[0-9]+)"),
        ("log", r"/actions/jobs/(?P<job>[0-9]+)/logs"),
        ("jobs", r"/actions/runs/(?P<run>[0-9]+)/attempts/(?P<attempt>[0-9]+)/jobs"),
        ("run", r"/actions/runs/(?P<run>[0-9]+)(?:/attempts/(?P<attempt>[0-9]+))?"),
        ("runs", r"/actions/(?:workflows/(?P<workflow>[^/]+)/)?runs"),
        ("installation", r"/installation"),
        ("repo", r""),
    )
)
_OTHER: Final = tuple(
    (operation, re.compile(pattern))
    for operation, pattern in (
        ("token", r"/app/installations/(?P<installation>[0-9]+)/access_tokens"),
        ("rate_limit", r"/rate_limit"),
        ("user", r"/user"),
        ("root", r"/?"),
    )
)


def call_of(asked: Asked, host: str, storage_root: str) -> Call:
    """Find out which operation a request asks for."""
    web_root = f"http://{host}"
    prefixed = asked.path == PREFIX or asked.path.startswith(PREFIX + "/")
    path = asked.path[len(PREFIX) :] if prefixed else asked.path
    api_root = web_root + PREFIX if prefixed else web_root
    table, rest, args = _OTHER, path, {}
    if found := _REPO_PATH.fullmatch(path):
        table, rest, args = _REST, found["rest"] or "", _given(found)
    for operation, pattern in table:
        if match := pattern.fullmatch(rest):
            args = {**args, **_given(match)}
            asked = attrs.evolve(asked, operation=operation)
            return Call(asked, path, api_root, web_root, storage_root, operation, args)
    return Call(asked, path, api_root, web_root, storage_root, "unknown", args)


def _given(match: re.Match[str]) -> dict[str, str]:
    return {key: value for key, value in match.groupdict().items() if value is not None}


def fail(message: str, status: int, docs: str = payloads.DOCS) -> Answer:
    """Answer an error as GitHub's JSON does."""
    return Answer(status, payloads.encode(payloads.error(message, status, docs)))


def target_of(world: World, call: Call) -> str | None:
    """Give the path by number of what a call asks for by a repository's name."""
    found = _REPO_PATH.fullmatch(call.path)
    name = call.args.get("repo", "").lower()
    repo = world.repos.get(name)
    number = repo.id if repo else world.former_names.get(name)
    return (
        None if found is None or number is None else f"/repositories/{number}{found['rest'] or ''}"
    )


class _MissingError(Exception):
    """There is no such thing: 404."""


@attrs.define
class Api:
    """
    The operations, each a method from a call to an answer.

    Attributes:
        tokens: Which tokens are accepted; None for any, or none.

        api_versions: Which versions are known; the first one is what a request without a
            version gets.

        capped_total: Whether ``total_count`` of a filtered run listing stops at 1,000 as the
            results do.
    """

    world: World
    storage: Storage
    budget: Budget
    apps: Apps
    clock: Callable[[], float]
    tokens: Collection[str] | None = None
    api_versions: Collection[str] = ()
    capped_total: bool = False
    _count: int = 0

    def answer(self, call: Call) -> Answer:
        """Answer one request: who asks, how much is left, and then what is asked."""
        refused = self._refuse(call)
        if refused is not None:
            return refused
        operation: Callable[[Call], Answer] | None = getattr(self, f"_{call.operation}", None)
        if operation is None or (call.asked.method != "GET") != (call.operation == "token"):
            return fail("Not Found", 404)
        try:
            return self._moved(call) or operation(call)
        except _MissingError as missing:
            return fail("Not Found", 404, str(missing))

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Add what every answer of GitHub's carries; an unchanged one becomes a 304."""
        headers = answer.headers
        self._count += 1
        request_id = f"C0DE:1A2B3C:{self._count:X}:FA4E"
        if answer.bare:
            if answer.status != HTTPStatus.OK:
                # GitHub's own edge says who it was even on its pages of HTML; a proxy does not.
                headers.setdefault("X-GitHub-Request-Id", request_id)
            return answer
        credential = call.header("authorization") or ""
        if isinstance(answer.body, bytes) and answer.body and not answer.encoded:
            answer.body = payloads.rebase(answer.body, call.api_root, call.web_root)
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
            if answer.status == HTTPStatus.OK and call.operation != "rate_limit":
                digest = hashlib.blake2b(answer.body, digest_size=32).hexdigest()
                headers["ETag"] = f'W/"{digest}"'
                if headers["ETag"] in (call.header("if-none-match") or ""):
                    self.budget.refund(credential)
                    answer.status, answer.body = 304, b""
        version = call.header("x-github-api-version") or next(iter(self.api_versions), "")
        common = {
            "Cache-Control": "private, max-age=60, s-maxage=60",
            "Vary": _VARY,
            "X-GitHub-Media-Type": "github.v3; format=json",
            "x-github-api-version-selected": version,
            "X-GitHub-Request-Id": request_id,
            **self.budget.headers(credential),
        }
        for key, value in common.items():
            headers.setdefault(key, value)
        return answer

    def date(self) -> str:
        """Give the value of the Date header."""
        return http_date(int(self.clock()))

    def _refuse(self, call: Call) -> Answer | None:
        return self._misfit(call) or self._unauthorized(call) or self._exhausted(call)

    def _misfit(self, call: Call) -> Answer | None:
        if not call.header("user-agent"):
            refusal = b"Request forbidden by administrative rules. Please make sure your request "
            body = refusal + b"has a User-Agent header (https://docs.github.com/en/rest/overview)."
            return Answer(403, body, {"Content-Type": "text/plain"}, encoded=True)
        version = call.header("x-github-api-version")
        if version is not None and version not in self.api_versions:
            known = ", ".join(self.api_versions)
            text = f"{version!r} is not a supported API version. Supported versions: {known}."
            return fail(text, 400, f"{payloads.DOCS}/about-the-rest-api/api-versions")
        return None

    def _unauthorized(self, call: Call) -> Answer | None:
        credential = call.header("authorization") or ""
        if call.operation in {"token", "installation"}:
            is_app = self.apps.is_app(credential)
            return None if is_app else fail("A JSON web token could not be decoded", 401)
        token = credential.rpartition(" ")[2]
        known_token = self.tokens is None or token in self.tokens or token in self.apps.minted
        if not known_token or not self.apps.accepts(token):
            return fail("Bad credentials" if token else "Requires authentication", 401)
        return None

    def _exhausted(self, call: Call) -> Answer | None:
        credential = call.header("authorization") or ""
        free = call.operation in {"rate_limit", "token", "installation"}
        if not free and not self.budget.spend(credential):
            who = "user ID 1" if credential else "127.0.0.1"
            text = f"API rate limit exceeded for {who}."
            docs = f"{payloads.DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"
            return fail(text, 403, docs)
        return None

    def _moved(self, call: Call) -> Answer | None:
        """Send whoever asks for a renamed repository to its number, as GitHub does."""
        name = call.args.get("repo", "").lower()
        if name in self.world.repos or name not in self.world.former_names:
            return None
        query = f"?{urlencode(call.asked.query)}" if call.asked.query else ""
        url = f"{call.api_root}{target_of(self.world, call)}{query}"
        body = {"message": "Moved Permanently", "url": url, "documentation_url": payloads.DOCS}
        return Answer(301, payloads.encode(body), {"Location": url})

    def _find_repo(self, call: Call, docs: str = payloads.DOCS) -> FakeRepo:
        if "repo_id" in call.args:
            repo = self.world.repos_by_id.get(int(call.args["repo_id"]))
        else:
            repo = self.world.repos.get(call.args["repo"].lower())
        if repo is None:
            raise _MissingError(docs)
        return repo

    def _find_run(self, call: Call, docs: str) -> tuple[FakeRun, int | None]:
        repo = self._find_repo(call, docs)
        run = self.world.runs.get(int(call.args["run"]))
        if run is None or run.repository is not repo:
            raise _MissingError(docs)
        if "attempt" not in call.args:
            return run, None
        number = int(call.args["attempt"])
        if not 1 <= number <= len(run.attempts):
            raise _MissingError(docs)
        return run, number

    def _jobs(self, call: Call) -> Answer:
        run, number = self._find_run(call, f"{_JOBS_DOCS}#list-jobs-for-a-workflow-run")
        if number is not None:
            jobs = run.attempts[number - 1].jobs
        elif call.asked.query.get("filter") == "all":
            jobs = run.all_jobs
        else:
            jobs = run.jobs
        part, headers = self._page(call, jobs)
        body = payloads.page(len(jobs), "jobs", [job.payload() for job in part])
        return Answer(200, body, headers)

    def _job(self, call: Call) -> Answer:
        docs = f"{_JOBS_DOCS}#get-a-job-for-a-workflow-run"
        repo = self._find_repo(call, docs)
        job = self.world.jobs.get(int(call.args["job"]))
        if job is None or job.run.repository is not repo:
            raise _MissingError(docs)
        return Answer(200, payloads.encode(job.payload()))

    def _log(self, call: Call) -> Answer:
        docs = f"{_JOBS_DOCS}#download-job-logs-for-a-workflow-run"
        repo = self._find_repo(call, docs)
        job = self.world.jobs.get(int(call.args["job"]))
        if job is None or job.run.repository is not repo:
            raise _MissingError(docs)
        match job.log_state:
            case "deleted":
                raise _MissingError(docs)
            case "expired":
                return fail("Server Error", 410, docs)
            case "direct":
                blob = blob_of(job)
                headers = {"Content-Type": "text/plain; charset=utf-8"}
                return Answer(200, (blob, 0, blob.size), headers)
            case "ok" | "not_ready":
                url = self.storage.link(call.storage_root, job.id)
                headers = {"Location": url, "Content-Type": "text/html;charset=utf-8"}
                return Answer(302, b"", headers)

    def _run(self, call: Call) -> Answer:
        run, number = self._find_run(call, f"{_RUNS_DOCS}#get-a-workflow-run")
        attempt = run.attempts[-1 if number is None else number - 1]
        return Answer(200, payloads.encode(payloads.run(run, attempt)))

    def _runs(self, call: Call) -> Answer:
        docs = f"{_RUNS_DOCS}#list-workflow-runs-for-a-repository"
        runs: Sequence[FakeRun] = self._find_repo(call, docs).newest_first()
        if (workflow := call.args.get("workflow")) is not None:
            runs = [r for r in runs if workflow in {str(r.workflow_id), r.path.split("/")[-1]}]
            if not runs:
                raise _MissingError(docs)
        try:
            keep = run_filter(call.asked.query)
        except ValueError:
            return fail("Validation Failed", 422, docs)
        total = len(runs)
        if keep is not None:
            runs = [run for run in runs if keep(run)]
            total = min(len(runs), CAP) if self.capped_total else len(runs)
            runs = runs[:CAP]
        part, headers = self._page(call, runs)
        items = [payloads.run(run, run.attempts[-1]) for run in part]
        return Answer(200, payloads.page(total, "workflow_runs", items), headers)

    def _page(self, call: Call, items: Sequence[_T]) -> tuple[Sequence[_T], dict[str, str]]:
        """Cut one page out of *items*, and give the Link header that goes with it."""
        query = call.asked.query
        per_page = min(_number(query, "per_page", _DEFAULT_PER_PAGE), _MAX_PER_PAGE)
        page = _number(query, "page", 1)
        last = max(1, -(-len(items) // per_page))
        links = []
        if page > 1:
            links.append(("prev", min(page - 1, last)))
        if page < last:
            links += [("next", page + 1), ("last", last)]
        if page > 1:
            links.append(("first", 1))
        rest = {key: value for key, value in query.items() if key != "page"}
        header = ", ".join(
            f'<{call.url}?{urlencode({**rest, "page": number}, quote_via=quote)}>; rel="{rel}"'
            for rel, number in links
        )
        part = items[(page - 1) * per_page : page * per_page]
        return part, {"Link": header} if header else {}

    def _repo(self, call: Call) -> Answer:
        return Answer(200, payloads.repository(self._find_repo(call)))

    def _user(self, _: Call) -> Answer:
        return Answer(200, payloads.user("octocat"))

    def _root(self, _: Call) -> Answer:
        body = {
            "current_user_url": f"{payloads.API}/user",
            "rate_limit_url": f"{payloads.API}/rate_limit",
            "repository_url": f"{payloads.API}/repos/{{owner}}/{{repo}}",
        }
        return Answer(200, payloads.encode(body))

    def _rate_limit(self, call: Call) -> Answer:
        if self.budget.limit is None:
            docs = f"{payloads.DOCS}/rate-limit/rate-limit"
            return fail("Rate limiting is not enabled.", 404, docs)
        window = self.budget.window(call.header("authorization") or "")
        rate = {
            "limit": self.budget.limit,
            "used": window.used,
            "remaining": self.budget.limit - window.used,
            "reset": window.reset,
        }
        return Answer(200, payloads.encode({"resources": {"core": rate}, "rate": rate}))

    def _token(self, call: Call) -> Answer:
        return Answer(201, payloads.encode(self.apps.mint(int(call.args["installation"]))))

    def _installation(self, call: Call) -> Answer:
        repo = self._find_repo(call)
        number = self.apps.installation_of(repo.full_name)
        return Answer(200, payloads.encode(self.apps.installation(number)))


def _number(query: Mapping[str, str], key: str, default: int) -> int:
    text = query.get(key, "")
    return int(text) if text.isdecimal() and int(text) > 0 else default
