"""
Every check of this project: ``nox`` runs the tests, the types and the style.

The Pythons are those of the classifiers in ``pyproject.toml``; one that is not installed is
skipped, in CI too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
# What everything else stands on: nearly each line and branch of it is held by a test.
CORE = (
    "api",
    "arguments",
    "auth",
    "client",
    "clock",
    "collector",
    "convert",
    "download",
    "environment",
    "errors",
    "fanout",
    "gate",
    "grep",
    "limits",
    "logs",
    "models",
    "pages",
    "refs",
    "retries",
    "runs",
    "saving",
    "transport",
    "wire",
)
CORE_LEAST = 95
# The snippets of README are laid out for reading, not by the formatter.
CODE = [path for path in ("ghjobs_async", "tests", "examples", "noxfile.py") if Path(path).exists()]


def offer_pyenv() -> None:
    """Let pyenv's ``pythonX.Y`` start every Python it holds: by default only its global one does."""
    pyenv = shutil.which("pyenv")
    if pyenv is None or "PYENV_VERSION" in os.environ:
        return
    listed = subprocess.run(  # noqa: S603
        [pyenv, "versions", "--bare"], capture_output=True, text=True, check=False
    )
    held = listed.stdout.split()
    wanted = [v for p in PYTHONS for v in held if v == p or v.startswith(f"{p}.")]
    if wanted:
        os.environ["PYENV_VERSION"] = ":".join(wanted)


def installed() -> list[str]:
    """The Pythons of the classifiers that this machine has."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [p for p in PYTHONS if p == here or shutil.which(f"python{p}")]


offer_pyenv()
nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["tests", "typing", "lint"]
# Missing ones are skipped; but where none would be tested, that is no success.
nox.options.error_on_missing_interpreters = not installed()


def group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests; the core rooms are covered by branch."""
    session.install(".[all]", *group("tests"))
    env = {"COVERAGE_FILE": str(Path(session.create_tmp()) / "coverage")}
    session.run("coverage", "run", "-m", "pytest", *session.posargs, env=env)
    if not session.posargs:
        rooms = ",".join(f"ghjobs_async/{room}.py" for room in CORE)
        least = f"--fail-under={CORE_LEAST}"
        session.run("coverage", "report", f"--include={rooms}", least, env=env)


@nox.session
def typing(session: nox.Session) -> None:
    """Types of the package, the tests, the examples and this file."""
    session.install("-e", ".[all]", "nox", *group("typing"))
    session.run("mypy", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and form."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check", *CODE)


@nox.session
def readme(session: nox.Session) -> None:
    """The snippets of README, run."""
    session.install(".[all]", *group("tests"))
    session.run("pytest", "tests/test_readme.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed beside the bare minimum; with ``-- --peers`` beside other clients too."""
    peers = group("peers") if "--peers" in session.posargs else []
    session.install(".[all]", *group("bench"), *peers)
    session.run("python", "tests/benchmarks/run.py", *session.posargs)


@nox.session
def scale(session: nox.Session) -> None:
    """Cost for each run, memory, stalls of the event loop, start-up."""
    session.install(".[all]", *group("bench"))
    session.run("python", "tests/benchmarks/scale.py", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """20,000 runs of which one answer in twenty is faulty: nothing lost, nothing left."""
    session.install(".[all]")
    session.run("python", "tests/benchmarks/soak.py", *session.posargs)
