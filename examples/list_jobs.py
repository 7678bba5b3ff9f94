"""List the jobs of a run and how long each took."""

import asyncio

from ghjobs_async import GitHubJobs
from ghjobs_async.testing import FakeGitHub, scenario


async def main() -> None:
    # For real runs: `async with GitHubJobs() as gh`, with the token in GH_TOKEN.
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        run = fake.add_run("octo-org/octo-repo", jobs=scenario.matrix(250, "test"))

        jobs = await gh.list_jobs(run.ref)
        assert jobs.complete, f"{jobs.got} of {jobs.expected} jobs"
        for job in jobs[:5]:
            print(f"{job.name:12} {job.state:10} {job.duration}")
        print(f"... {len(jobs)} jobs, {sum(job.state == 'failure' for job in jobs)} failed")


if __name__ == "__main__":
    asyncio.run(main())
