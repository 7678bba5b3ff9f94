"""Use the client in a service: with the service's session, reported waits and typed errors."""

import asyncio

import aiohttp

from ghjobs_async import GHJobsError, GitHubJobs, LogUnavailableError, RateLimitError
from ghjobs_async.testing import FakeGitHub, faults, scenario


async def main() -> None:
    async with FakeGitHub() as fake, aiohttp.ClientSession() as session:
        run = fake.add_run("octo-org/octo-repo", jobs=[scenario.queued("deploy")])
        client = GitHubJobs(
            None, base_url=fake.base_url, session=session, max_wait=30, on_wait=print
        )
        async with client as gh:  # does not close the session, which belongs to the service
            (job,) = await gh.list_jobs(run.ref)
            print(f"{job.name}: {job.state}")
            try:
                async with gh.open_log(job) as log:
                    print(await log.tail(10))
            except LogUnavailableError as error:
                print(f"{error.reason}: {error}")

            fake.fail("jobs", faults.primary_limit(reset_in=3600), times=None)
            try:
                await gh.list_jobs(run.ref)
            except RateLimitError as error:
                print(f"{error.scope} limit, again at {error.retry_at:%H:%M}")
            except GHJobsError as error:
                print(error)


if __name__ == "__main__":
    asyncio.run(main())
