"""Why did this run fail? The failing step of each failed job, and its errors."""

import asyncio

from ghjobs_async import GitHubJobs
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario


async def main() -> None:
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        broken = JobSpec("build / linux", conclusion="failure", fails_at="Run tests")
        run = fake.add_run("octo-org/octo-repo", jobs=[broken, scenario.skipped("deploy")])

        for job in await gh.list_jobs(run.ref):
            if job.conclusion != "failure":
                continue
            async with gh.open_log(run.repo, job.id) as log:
                why = await log.failure(job)
            if why is None:
                continue
            step = why.step.name if why.step else "no step"
            print(f"{job.name}: failed in {step!r} ({why.certainty} that these lines are its own)")
            for line in why.errors:
                print(f"  {line.number:5}  {line.text}")


if __name__ == "__main__":
    asyncio.run(main())
