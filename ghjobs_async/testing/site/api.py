"""The API's origin: it checks credentials and limits, and answers each operation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import attrs

from ghjobs_async.testing.server.messages import Answer, Call
from ghjobs_async.testing.site.credentials import Apps, Budget
from ghjobs_async.testing.site.routes import CAP, created_within, numbered_url, run_filter
from ghjobs_async.testing.site.storage import Storage
from ghjobs_async.testing.world import payloads
from ghjobs_async.testing.world.runs import FakeAttempt, FakeJob, FakeRepo, FakeRun
from ghjobs_async.testing.world.world import World

_T = TypeVar("_T")

_DEFAULT_PER_PAGE: Final = 30
_MAX_PER_PAGE: Final = 100
_VARY: Final = (
    "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With"
)
_ROOT: Final = {
    "current_user_url": f"{payloads.API}/user",
    "rate_limit_url": f"{payloads.API}/rate_limit",
    "repository_url": f"{payloads.API}/repos/{{owner}}/{{repo}}",
}
_NO_USER_AGENT: Final = (
    b"Request forbidden by administrative rules. Please make sure your request has a User-Agent "
    b"header (https://docs.github.com/en/rest/overview)."
)


class RefusedError(Exception):
    """Carry the answer to a request that is refused or redirected."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@attrs.define
class Api:
    """Answers calls; *tokens*, *api_versions* and *capped_total* are arguments of `FakeGitHub`."""

    clock: Callable[[], float]
    world: World
    storage: Storage
    budget: Budget
    apps: Apps
    tokens: Collection[str] | None
    api_versions: Sequence[str]
    capped_total: bool
    _count: int = 0

    def answer(self, call: Call) -> Answer:
        """Answer one request: check its credential and the limit, then run the operation."""
        if not call.header("user-agent"):
            return Answer(403, _NO_USER_AGENT, {"Content-Type": "text/plain"}, encoded=True)
        wanted = "POST" if call.operation == "token" else "GET"
        try:
            self._check(call)
            if call.asked.method != wanted or call.operation == "unknown":
                return Answer.fail("Not Found", 404)
            return self._operations()[call.operation](call)
        except RefusedError as refused:
            return refused.answer

    def _operations(self) -> dict[str, Callable[[Call], Answer]]:
        repo, run, job = self._find_repo, self._find_run, self._find_job
        return {
            "jobs": self._jobs,
            "job": lambda call: Answer.ok(job(call).payload()),
            "log": self._log,
            "run": lambda call: Answer.ok(FakeRun.payload(*run(call))),
            "run_log": self._run_log,
            "artifacts": self._artifacts,
            "runs": self._runs,
            "workflows": lambda call: _list(
                call, "workflows", repo(call).workflows(), FakeRun.workflow_payload
            ),
            "workflow": self._workflow,
            "annotations": lambda call: Answer.ok(*_page(call, job(call).annotations())),
            "branch": self._branch,
            "pull": self._pull,
            "installation": lambda call: Answer.ok(self.apps.installation(repo(call).full_name)),
            "repo": lambda call: Answer.ok(repo(call).payload()),
            "org_repos": self._owned,
            "user_repos": self._owned,
            "token": lambda _: Answer(201, payloads.encode(self.apps.mint())),
            "rate_limit": self._rate_limit,
            "user": lambda _: Answer.ok(payloads.user("octocat")),
            "root": lambda _: Answer.ok(_ROOT),
        }

    def _check(self, call: Call) -> None:
        version = call.header("x-github-api-version")
        if version is not None and version not in self.api_versions:
            known = ", ".join(self.api_versions)
            text = f"{version!r} is not a supported API version. Supported versions: {known}."
            raise RefusedError(
                Answer.fail(text, 400, f"{payloads.DOCS}/about-the-rest-api/api-versions")
            )
        scheme, _, token = call.credential.rpartition(" ")
        if call.operation in {"token", "installation"}:
            # The JSON web token of an app is not verified.
            if scheme.lower() != "bearer" or token.count(".") != 2:
                raise RefusedError(Answer.fail("A JSON web token could not be decoded", 401))
            return
        known_token = self.tokens is None or token in self.tokens or token in self.apps.minted
        if not known_token or not self.apps.accepts(token):
            raise RefusedError(
                Answer.fail("Bad credentials" if token else "Requires authentication", 401)
            )
        if call.operation != "rate_limit" and not self.budget.spend(call.credential):
            who = "user ID 1" if call.credential else "127.0.0.1"
            docs = f"{payloads.DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"
            raise RefusedError(Answer.fail(f"API rate limit exceeded for {who}.", 403, docs))

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Add the headers of the API; an unchanged answer becomes a 304."""
        self._count += 1
        common = {
            "Server": "github.com",
            "Date": payloads.http_date(int(self.clock())),
            "X-GitHub-Request-Id": f"C0DE:1A2B3C:{self._count:X}:FA4E",
        }
        if answer.bare and answer.status == 200:
            # A page with status 200 is a proxy's: only GitHub's own pages have this header.
            del common["X-GitHub-Request-Id"]
        elif not answer.bare:
            self._tag(call, answer)
            version = call.header("x-github-api-version") or "".join(self.api_versions[:1])
            common |= {
                "Cache-Control": "private, max-age=60, s-maxage=60",
                "Vary": _VARY,
                "X-GitHub-Media-Type": "github.v3; format=json",
                "x-github-api-version-selected": version,
                **self.budget.headers(call.credential),
            }
        answer.headers = common | answer.headers
        return answer

    def _tag(self, call: Call, answer: Answer) -> None:
        """Put the URLs of this server into JSON and add an ETag, or make it a 304."""
        if not isinstance(answer.body, bytes) or not answer.body or answer.encoded:
            return
        answer.body = payloads.rebase(answer.body, call.api_root, call.web_root)
        answer.headers.setdefault("Content-Type", "application/json; charset=utf-8")
        if answer.status != 200:
            return
        # ETags differ by credential, as `Vary` says.
        key = hashlib.blake2b(call.credential.encode(), digest_size=32).digest()
        digest = hashlib.blake2b(answer.body, digest_size=32, key=key).hexdigest()
        etag = answer.headers["ETag"] = f'W/"{digest}"'
        if call.holds(etag):
            if call.operation != "rate_limit":
                self.budget.refund(call.credential)
            answer.status, answer.body = 304, b""
            del answer.headers["Content-Type"]

    def _find_repo(self, call: Call) -> FakeRepo:
        if "repo_id" in call.args:
            repo = self.world.repos_by_id.get(int(call.args["repo_id"]))
        else:
            repo = self.world.repos.get(call.args["repo"].lower())
        if repo is None:
            # A former name redirects to the number, as on GitHub.
            url = numbered_url(self.world, call)
            raise _missing(call) if url is None else RefusedError(Answer.redirect(url))
        return repo

    def _find_run(self, call: Call) -> tuple[FakeRun, FakeAttempt]:
        repo = self._find_repo(call)
        run = self.world.runs_by_id.get(int(call.args["run"]))
        if run is None or run.repository is not repo:
            raise _missing(call)
        attempts = run.begun()
        number = int(call.args.get("attempt", len(attempts)))
        if not 1 <= number <= len(attempts):
            raise _missing(call)
        return run, attempts[number - 1]

    def _find_job(self, call: Call) -> FakeJob:
        repo = self._find_repo(call)
        job = self.world.jobs.get(int(call.args["job"]))
        if job is None or job.run.repository is not repo or job.created > job.run.moment.now:
            raise _missing(call)
        return job

    def _jobs(self, call: Call) -> Answer:
        run, attempt = self._find_run(call)
        every = call.asked.query.get("filter") == "all" and "attempt" not in call.args
        jobs = run.listed(run.begun() if every else [attempt])
        return _list(call, "jobs", jobs, FakeJob.payload)

    def _log(self, call: Call) -> Answer:
        job = self._find_job(call)
        match job.log_state:
            case "deleted":
                raise _missing(call)
            case "expired":
                return Answer.fail("Server Error", 410, call.docs)
            case "direct":
                headers = {"Content-Type": "text/plain; charset=utf-8"}
                return Answer(200, job.blob, headers)
            case "ok" | "not_ready":
                return _found(
                    self.storage.link(call.storage_root, f"job-logs/{job.id}.txt", "job-logs.txt")
                )

    def _run_log(self, call: Call) -> Answer:
        run, attempt = self._find_run(call)
        states = {job.log_state for job in run.listed([attempt])}
        if states & {"ok", "direct"}:
            name = f"run-logs/{run.id}-{attempt.number}.zip"
            return _found(self.storage.link(call.storage_root, name, f"logs_{run.id}.zip"))
        if "expired" in states:
            return Answer.fail("Server Error", 410, call.docs)
        raise _missing(call)

    def _artifacts(self, call: Call) -> Answer:
        self._find_run(call)
        # No run of this fake has artifacts.
        return Answer.ok({"total_count": 0, "artifacts": []})

    def _runs(self, call: Call) -> Answer:
        runs: Sequence[FakeRun] = self._find_repo(call).newest_first
        if (workflow := call.args.get("workflow")) is not None:
            runs = [run for run in runs if workflow in run.workflow_keys]
            if not runs:
                raise _missing(call)
        try:
            keep = run_filter(call.asked.query)
            within = created_within(runs, call.asked.query)
        except ValueError:
            return Answer.fail("Validation Failed", 422, call.docs)
        total = len(runs)
        if keep is not None:
            runs = [run for run in within if keep(run)]
            total = min(len(runs), CAP) if self.capped_total else len(runs)
            runs = runs[:CAP]
        return _list(call, "workflow_runs", runs, FakeRun.payload, total)

    def _workflow(self, call: Call) -> Answer:
        for run in self._find_repo(call).workflows():
            if call.args["workflow"] in run.workflow_keys:
                return Answer.ok(run.workflow_payload())
        raise _missing(call)

    def _owned(self, call: Call) -> Answer:
        """List the repositories of an owner; an owner without any is a 404."""
        owner = call.args["owner"].lower()
        names = sorted(name for name in self.world.repos if name.partition("/")[0] == owner)
        if not names:
            raise _missing(call)
        part, headers = _page(call, [self.world.repos[name] for name in names])
        return Answer.ok([repo.payload() for repo in part], headers)

    def _branch(self, call: Call) -> Answer:
        """Answer with a branch, whose head is the commit of its newest run."""
        for run in self._find_repo(call).newest_first:
            if run.branch == call.args["branch"]:
                return Answer.ok({"name": run.branch, "commit": {"sha": run.head_sha}})
        raise _missing(call)

    def _pull(self, call: Call) -> Answer:
        number = int(call.args["pull"])
        sha = self._find_repo(call).pulls.get(number)
        if sha is None:
            raise _missing(call)
        return Answer.ok({"number": number, "state": "open", "head": {"sha": sha}})

    def _rate_limit(self, call: Call) -> Answer:
        if self.budget.limit is None:
            return Answer.fail("Rate limiting is not enabled.", 404, call.docs)
        window = self.budget.window(call.credential)
        rate = {
            "limit": self.budget.limit,
            "used": window.used,
            "remaining": self.budget.limit - window.used,
            "reset": window.reset,
        }
        return Answer.ok({"resources": {"core": rate}, "rate": rate})


def _missing(call: Call) -> RefusedError:
    return RefusedError(Answer.fail("Not Found", 404, call.docs))


def _found(url: str) -> Answer:
    return Answer(302, b"", {"Location": url, "Content-Type": "text/html;charset=utf-8"})


def _list(
    call: Call,
    key: str,
    items: Sequence[_T],
    payload: Callable[[_T], dict[str, object]],
    total: int | None = None,
) -> Answer:
    part, headers = _page(call, items)
    total = len(items) if total is None else total
    return Answer.ok({"total_count": total, key: [payload(item) for item in part]}, headers)


def _page(call: Call, items: Sequence[_T]) -> tuple[Sequence[_T], dict[str, str]]:
    """Return one page of *items* and its Link header."""
    per_page = min(call.number("per_page", _DEFAULT_PER_PAGE), _MAX_PER_PAGE)
    page = call.number("page", 1)
    last = max(1, -(-len(items) // per_page))
    back = {"prev": min(page - 1, last)} if page > 1 else {}
    on = {"next": page + 1, "last": last} if page < last else {}
    links = {**back, **on, **({"first": 1} if back else {})}
    url = call.api_root + call.path
    rest = {key: value for key, value in call.asked.query.items() if key != "page"}
    header = ", ".join(
        f'<{url}?{urlencode({**rest, "page": number}, quote_via=quote)}>; rel="{rel}"'
        for rel, number in links.items()
    )
    part = items[(page - 1) * per_page : page * per_page]
    return part, {"Link": header} if header else {}
