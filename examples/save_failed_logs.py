"""Save the logs of all failed jobs of a run, many at the same time."""

import asyncio
import tempfile
from pathlib import Path

from ghjobs_async import Failed, Fetched, GitHubJobs, JobLog
from ghjobs_async.testing import FakeGitHub, scenario


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        async def save(log: JobLog) -> int:
            return await log.save(folder / f"{log.ref.job_id}.log")

        async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
            run = fake.add_run(
                "octo-org/octo-repo", jobs=scenario.matrix(40, "test", failing=(3, 8))
            )

            jobs = await gh.list_jobs(run.ref)
            failed = (job.ref for job in jobs if job.state == "failure")
            async with gh.fan_out_logs(failed, save) as outcomes:
                async for outcome in outcomes:
                    match outcome:
                        case Fetched(ref, size):
                            print(f"{ref}: {size} bytes")
                        case Failed(ref, error):
                            print(f"{ref}: {error}")


if __name__ == "__main__":
    asyncio.run(main())
