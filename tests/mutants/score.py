"""
Change the package a little, many times, and report how many of the changes a test notices.

``python tests/mutants/score.py [--count 250] [--seed 1] [--jobs 2] [--all] [PATH ...]``. Each mutant
meets the tests of tests/core that run its line. The mutants in ``equivalent.txt`` do not count. Exits
with 1 where fewer than nine in ten are noticed.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

import attrs
import coverage
from changes import Mutant, mutants

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
PACKAGE: Final = "ghjobs_async"
PLACES: Final = tuple(
    f"{PACKAGE}/{name}" for name in ("wire", "transport", "listing", "logs", "fanout.py")
)
EQUIVALENT: Final = HERE / "equivalent.txt"
MIN_SCORE: Final = 90.0
# For all tests of a mutant, in seconds. One test that hangs ends sooner.
_TIMEOUT: Final = 600
# A test that needs more seconds is left out.
_SLOW: Final = 3.0


@attrs.frozen
class Tests:
    """Which tests run which lines."""

    data: coverage.CoverageData
    times: dict[str, float]

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run a mutant's lines, or its file where that is what runs them."""
        by_line = self.data.contexts_by_lineno(str(ROOT / mutant.path))
        found = {test for line in mutant.lines for test in by_line.get(line, ())}
        if "" in found or not found:
            found = {test for tests in by_line.values() for test in tests}
        return sorted(found & self.times.keys(), key=lambda test: (self.times[test], test))


def python(*arguments: str, env: dict[str, str], shown: bool = False) -> int:
    """Run Python at the project's root; return its exit status, or 1 where it takes too long."""
    path = os.pathsep.join([env.get("PATH_FIRST", str(ROOT)), str(HERE)])
    with subprocess.Popen(
        [sys.executable, "-P", *arguments],
        cwd=ROOT,
        env={**os.environ, **env, "PYTHONPATH": path},
        stdout=None if shown else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            return 1
        finally:
            with suppress(ProcessLookupError):  # what the tests started ends, too
                os.killpg(process.pid, signal.SIGKILL)


PLUGIN: Final = ("-p", "watch_tests", "-p", "no:cacheprovider", "--hypothesis-seed=0")
PYTEST: Final = ("-m", "pytest", "-q", *PLUGIN)


def learn(folder: Path) -> Tests:
    """Run the tests once, and see which lines each of them runs."""
    data, times = folder / "coverage", folder / "times.json"
    names = {"COVERAGE_FILE": str(data), "COVERAGE_CORE": "ctrace", "MUTANTS_TIMES": str(times)}
    coverage_run = ("-m", "coverage", "run", "--rcfile=", f"--source={PACKAGE}")
    if python(*coverage_run, *PYTEST, "tests/core", shown=True, env=names):
        sys.exit("the tests fail without any change")
    measured = coverage.CoverageData(str(data))
    measured.read()
    quick = {test: time for test, time in json.loads(times.read_text()).items() if time < _SLOW}
    return Tests(measured, quick)


@attrs.define
class Bench:
    """A copy of the package in which one mutant after the other is tried."""

    folder: Path

    def __attrs_post_init__(self) -> None:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / PACKAGE, self.folder / PACKAGE, ignore=ignored)
        by_content = PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.folder, quiet=1, invalidation_mode=by_content)

    def notices(self, mutant: Mutant, tests: list[str]) -> bool:
        """Return whether one of the tests fails with a mutant in place."""
        named = self.folder / "tests.txt"
        named.write_text("\n".join(tests))
        file, source = self.folder / mutant.path, (ROOT / mutant.path).read_bytes()
        file.write_bytes(mutant.source(source))
        try:
            env = {
                "PATH_FIRST": str(self.folder),
                "MUTANTS_TESTS": str(named),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder),
            }
            files = sorted({test.partition("::")[0] for test in tests})
            return bool(tests) and python(*PYTEST, "-x", *files, env=env) != 0
        finally:
            file.write_bytes(source)


def chosen(options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants to try: those in question, or a sample of them."""
    os.chdir(ROOT)
    places = [Path(place) for place in options.paths or PLACES]
    files = [file for place in places for file in (sorted(place.rglob("*.py")) or [place])]
    lines = EQUIVALENT.read_text().splitlines()
    equivalent = {line.partition(" # ")[0] for line in lines}
    found = [one for file in files for one in mutants(file) if str(one) not in equivalent]
    if options.all or len(found) <= options.count:
        return found
    return random.Random(options.seed).sample(found, options.count)


def main() -> None:
    """Try the mutants; print those that nobody noticed, and the score of each package."""
    parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders of the package")
    parser.add_argument("--count", type=int, default=250, help="how many mutants to try")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--all", action="store_true", help="try every mutant")
    options = parser.parse_args()
    found = chosen(options)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        tests = learn(Path(folder))
        benches: queue.Queue[Bench] = queue.Queue()
        for number in range(options.jobs):
            benches.put(Bench(Path(folder) / str(number)))

        def tried(mutant: Mutant) -> bool:
            bench = benches.get()
            try:
                return bench.notices(mutant, tests.of(mutant))
            finally:
                benches.put(bench)

        score: dict[str, Counter[bool]] = {}
        for mutant, noticed in zip(found, pool.map(tried, found), strict=True):
            score.setdefault(mutant.path.parts[1], Counter())[noticed] += 1
            if not noticed:
                print(f"not noticed, line {mutant.lines.start}: {mutant}", flush=True)
    for name, counts in (*sorted(score.items()), ("all", sum(score.values(), Counter()))):
        print(f"{name:12} {counts[True]:4} of {counts.total():4}: {_percent(counts):.1f} %")
    sys.exit(_percent(counts) < MIN_SCORE)


def _percent(counts: Counter[bool]) -> float:
    return 100 * counts[True] / max(1, counts.total())


if __name__ == "__main__":
    main()
