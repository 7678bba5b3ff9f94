"""List the jobs of many runs at the same time, and find the slowest ones."""

import asyncio
from collections import defaultdict
from statistics import median

from ghjobs_async import Failed, Fetched, GitHubJobs
from ghjobs_async.testing import FakeGitHub, fill_demo


async def main() -> None:
    durations: dict[str, list[float]] = defaultdict(list)
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        fill_demo(fake, runs=50)
        repo = fake.runs[0].repo

        refs = (run.ref async for run in gh.iter_runs(repo))
        async with gh.fan_out(refs, filter="all") as outcomes:
            async for outcome in outcomes:
                match outcome:
                    case Fetched(ref, jobs):
                        if not jobs.complete:
                            print(f"{ref}: only {jobs.got} of {jobs.expected} jobs")
                        for job in jobs:
                            if job.ran and job.duration is not None:
                                durations[job.name].append(job.duration.total_seconds())
                    case Failed(ref, error):
                        print(f"{ref}: {error}")

    slowest = sorted(durations.items(), key=lambda item: median(item[1]), reverse=True)
    for name, taken in slowest[:5]:
        print(f"{name:30} median {median(taken):.0f} s over {len(taken)} jobs")


if __name__ == "__main__":
    asyncio.run(main())
