"""Count runs and jobs by state for OpenMetrics; all unknown states share one label."""

import asyncio
from collections import Counter

from ghjobs_async import Conclusion, GitHubJobs, Job, JobEvent, Run, RunEvent, RunRef, Status
from ghjobs_async.testing import FakeGitHub, scenario

STATES = {*Status, *Conclusion}


async def metrics(gh: GitHubJobs, refs: list[RunRef]) -> str:
    """Watch the runs to their ends; a service would answer each scrape with the counts so far."""
    of: dict[str, dict[int, Run | Job]] = {"jobs": {}, "runs": {}}
    async with gh.watch(refs, interval=0.2) as events:
        async for event in events:
            match event:
                case RunEvent(_, Run() as run):
                    of["runs"][run.id] = run
                case JobEvent(_, job):
                    of["jobs"][job.id] = job
    lines = []
    for kind in ("jobs", "runs"):
        # States are untrusted texts: a label for each would make any number of time series.
        states = [one.state if one.state in STATES else "other" for one in of[kind].values()]
        lines.append(f"# TYPE ghjobs_{kind} gauge")
        lines += [f'ghjobs_{kind}{{state="{s}"}} {n}' for s, n in Counter(states).items()]
    return "\n".join([*lines, "# EOF"])


async def main() -> None:
    async with FakeGitHub() as fake, GitHubJobs(None, base_url=fake.base_url) as gh:
        jobs = [*scenario.matrix(3, failing=[1]), scenario.unheard_of(), scenario.skipped()]
        run = fake.play(fake.add_run("octo-org/octo-repo", jobs=jobs), speed=600)
        print(await metrics(gh, [run.ref]))


if __name__ == "__main__":
    asyncio.run(main())
