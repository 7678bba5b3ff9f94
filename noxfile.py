"""
Every check of this project: ``nox`` runs the tests, the types and the style.

The Pythons are those of the classifiers in ``pyproject.toml``. One that is not installed is
skipped, in CI too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import nox
from nox.command import CommandFailed

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
# The Pythons that the audit is measured on, beside this one.
BENCH_PYTHONS = ("3.12", "3.13")
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# The tests must cover this share (in percent) of all packages except these.
MIN_COVERAGE = 95
# Microsoft's emulator of Azure Blob Storage, a package of npm.
AZURITE = "azurite@^3.35"
# The oldest version that reads the database of an audit.
OLD_DUCKDB = "duckdb==1.4.*"
NOT_COVERED = ("audit", "cli", "testing")
# Thousands of random cases, kills, and pages in a browser: one Python is enough for these.
SLOW = (
    *("core/test_logs_property.py", "core/test_fault_cost.py", "audit/test_audit_kill.py"),
    *("audit/test_report_browser.py", "audit/test_gantt_browser.py"),
    *("audit/test_findings_scale.py", "audit/test_findings_sql.py"),
    "audit/test_merge.py::test_parts_equal_one_audit",
    "audit/test_export.py::test_ndjson_is_the_json_of_github",
    "audit/test_gantt_svg.py::test_six_hundred_jobs_are_small_and_fast",
)
SKIPPED = tuple(f"--deselect=tests/{name}" for name in SLOW)
# The formatter leaves README alone: its snippets are laid out for readers.
CODE = ("ghjobs_async", "tests", "examples", "noxfile.py")


def activate_pyenv() -> None:
    """Make every matching Python of pyenv available: by default only its global one is."""
    pyenv = shutil.which("pyenv")
    if pyenv is None or "PYENV_VERSION" in os.environ:
        return
    listed = subprocess.run(  # noqa: S603
        [pyenv, "versions", "--bare"], capture_output=True, text=True, check=False
    )
    versions = listed.stdout.split()
    wanted = [v for p in PYTHONS for v in versions if v == p or v.startswith(f"{p}.")]
    if wanted:
        os.environ["PYENV_VERSION"] = ":".join(wanted)


activate_pyenv()
nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["tests", "coverage", "typing", "lint", "storage", "compat"]
# Skip a Python that is missing, but fail where none of them is installed.
nox.options.error_on_missing_interpreters = THIS_PYTHON not in PYTHONS and not any(
    shutil.which(f"python{version}") for version in PYTHONS
)


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests, but the slow ones on one Python only; arguments go to pytest."""
    session.install(".[all]", *group("tests"))
    with_slow = session.python == THIS_PYTHON or THIS_PYTHON not in PYTHONS
    session.run(
        "pytest", *(session.posargs or ("-q", "-n", "auto", *(() if with_slow else SKIPPED)))
    )


@nox.session
def coverage(session: nox.Session) -> None:
    """Check what the tests of the library cover, branch by branch."""
    session.install("-e", ".[all]", *group("tests"))
    folders = ("tests/core", "tests/logtext", "tests/watch")
    pytest = ("-m", "pytest", "-q", "-n", "auto", *folders, *SKIPPED)
    env = {"COVERAGE_FILE": str(Path(session.create_tmp()) / "coverage")}
    session.run("coverage", "run", *pytest, env=env)
    session.run("coverage", "combine", "-q", env=env)
    omit = ",".join(f"ghjobs_async/{name}/*" for name in NOT_COVERED)
    minimum = f"--fail-under={MIN_COVERAGE}"
    session.run("coverage", "report", f"--omit={omit}", minimum, env=env)


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of the package, the tests, the examples and this file."""
    session.install("-e", ".[all]", "nox", *group("typing"))
    session.run("mypy", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check", *CODE)


@nox.session
def storage(session: nox.Session) -> None:
    """Read logs from Azurite and from moto's S3 server; skipped where there is no node or npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        session.skip("Azurite needs node and npm, and they are not installed")
    folder = Path(session.create_tmp()).resolve()
    script = folder / "node_modules/azurite/dist/src/blob/main.js"
    npm = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1")
    try:
        if not script.is_file():
            session.run(*npm, "--prefix", str(folder), AZURITE, external=True, silent=True)
    except CommandFailed:
        session.skip("npm could not install Azurite: is its registry reachable?")
    session.install(".[all]", *group("tests"), *group("storage"))
    session.run("pytest", "tests/storage", *session.posargs, env={"AZURITE": str(script)})


@nox.session
def compat(session: nox.Session) -> None:
    """Read the database of an audit with DuckDB 1.4, in an environment of its own."""
    folder = Path(session.create_tmp()).resolve() / "duckdb-1.4"
    python = str(folder / "bin" / "python")
    try:
        session.run(sys.executable, "-m", "venv", str(folder), external=True, silent=True)
        session.run(python, "-m", "pip", "install", "-q", OLD_DUCKDB, external=True, silent=True)
    except CommandFailed:
        session.skip(f"pip could not install {OLD_DUCKDB}: is there a wheel for this Python?")
    session.install(".[audit]", *group("tests"))
    tests = "tests/audit/test_compat.py"
    session.run("pytest", tests, *session.posargs, env={"OLD_DUCKDB": python})


@nox.session
def readme(session: nox.Session) -> None:
    """Run the snippets of README."""
    session.install(".[all]", *group("tests"))
    session.run("pytest", "tests/test_readme.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Write the API reference to build/docs; a warning is an error."""
    session.install("-e", ".[all]", *group("docs"))
    pdoc = ("python", "-W", "error", "-m", "pdoc", "--docformat", "google")
    # `GitHubJobs` has most of its methods from `operations`.
    modules = (
        *("ghjobs_async", "ghjobs_async.operations", "ghjobs_async.watch.methods"),
        "ghjobs_async.testing",
    )
    session.run(*pdoc, "--output-directory", "build/docs", *modules)


@nox.session
def package(session: nox.Session) -> None:
    """Build sdist and wheel into dist, check them, and run the tests from the sdist."""
    session.install(*group("package"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    folder = Path(session.create_tmp()) / "sdist"
    shutil.rmtree(folder, ignore_errors=True)
    [sdist] = Path("dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    with session.chdir(next(folder.iterdir())):
        session.run("nox", "--session", f"tests-{THIS_PYTHON}", "--", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the speed; ``-- --peers`` adds other clients, ``--write`` updates the tables."""
    needed = [".[all]", *group("bench")]
    session.install(*needed, *(group("peers") if "--peers" in session.posargs else []))
    others: list[str] = []
    for version in BENCH_PYTHONS:
        if version != THIS_PYTHON and (found := shutil.which(f"python{version}")):
            folder = Path(session.create_tmp()).absolute() / version
            python = str(folder / "bin" / "python")
            session.run(found, "-m", "venv", str(folder), external=True)
            session.run(python, "-m", "pip", "install", "-q", *needed, external=True)
            others += ["--python", f"{version}={python}"]
    session.run("python", "tests/benchmarks/run.py", *others, *session.posargs)


@nox.session
def scale(session: nox.Session) -> None:
    """Measure the cost of each run, memory, stalls of the event loop and start-up."""
    session.install(".[all]", *group("bench"))
    session.run("python", "tests/benchmarks/scale.py", *session.posargs)
    session.run("python", "tests/benchmarks/audit.py")


@nox.session
def soak(session: nox.Session) -> None:
    """List 20,000 runs while one answer in twenty is faulty: nothing may be lost or left over."""
    session.install(".[all]")
    session.run("python", "tests/benchmarks/soak.py", *session.posargs)


@nox.session
def kill(session: nox.Session) -> None:
    """Kill 1,000 audits at random moments: each folder must end as if nothing had happened."""
    session.install(".[all]")
    session.run("python", "tests/audit/kill.py", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Change the package here and there: how much do the tests notice? ``-- --all`` tries it all."""
    session.install("-e", ".[all]", *group("tests"))
    session.run("python", "tests/mutants/score.py", *session.posargs)
