"""Find the jobs that used an action: search the logs of many jobs without storing them."""

import asyncio
from collections.abc import AsyncIterator

from ghjobs_async import Fetched, GitHubJobs, JobRef
from ghjobs_async.testing import FakeGitHub


async def main() -> None:
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        runs = [fake.add_run("octo-org/octo-repo", jobs=3) for _ in range(5)]

        # The jobs of later runs are listed while the logs of earlier ones are searched.
        async with gh.fan_out(run.ref for run in runs) as outcomes:

            async def jobs() -> AsyncIterator[JobRef]:
                async for outcome in outcomes:
                    if isinstance(outcome, Fetched):
                        for job in outcome.value:
                            yield job.ref

            async with gh.grep(jobs(), r"Run actions/checkout@\S+") as hits:
                async for hit in hits:
                    print(f"{hit.job} line {hit.line.number}: {hit.match}")
                print(f"{hits.searched} logs searched, {len(hits.failures)} could not be read")


if __name__ == "__main__":
    asyncio.run(main())
