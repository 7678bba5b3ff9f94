"""Say why a run failed: the failing step of each failed job, and its errors."""

import asyncio

from ghjobs_async import GitHubJobs
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario


async def main() -> None:
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        broken = JobSpec("build / linux", conclusion="failure", fails_at="Run tests")
        run = fake.add_run("octo-org/octo-repo", jobs=[broken, scenario.skipped("deploy")])

        for job in await gh.list_jobs(run.ref):
            if job.state == "failure":
                async with gh.open_log(job) as log:
                    why = await log.failure(job)
                print(f"{job.name}: {why}")


if __name__ == "__main__":
    asyncio.run(main())
