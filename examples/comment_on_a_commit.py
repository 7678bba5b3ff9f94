"""Wait for the runs of a commit, and write why its jobs failed as Markdown for a comment."""

import asyncio
from contextlib import suppress

from ghjobs_async import Conclusion, GitHubJobs, JobEvent, LogUnavailableError, latest_jobs
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario


async def comment(gh: GitHubJobs, repo: str, sha: str) -> str:
    async with gh.watch_commit(repo, sha, follow="run", interval=0.2) as events:
        told = [event.job async for event in events if isinstance(event, JobEvent)]
    latest = latest_jobs(told)
    failed = [job for job in latest if job.state == Conclusion.FAILURE]
    lines = [f"**{len(failed)} of {len(latest)} jobs failed** at {sha[:7]}"]
    for job in failed:
        why = None
        with suppress(LogUnavailableError):
            async with gh.open_log(repo, job.id) as log:
                why = await log.failure(job)
        headline = quoted(why.headline if why else None)
        lines.append(f"- [{quoted(job.name)}]({job.html_url}): {headline}")
    return "\n".join(lines)


def quoted(text: str | None) -> str:
    """Escape Markdown: names and logs are untrusted texts."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-!|@~" else c for c in text or "unknown")


async def main() -> None:
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        sha = "5c0de" * 8
        for jobs in ([scenario.failing("test [linux]"), JobSpec("docs")], [JobSpec("lint")]):
            fake.play(fake.add_run("octo-org/octo-repo", jobs=jobs, head_sha=sha), speed=600)
        print(await comment(gh, "octo-org/octo-repo", sha))


if __name__ == "__main__":
    asyncio.run(main())
