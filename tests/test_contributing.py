"""CONTRIBUTING describes the code as it is: its packages, its walks and the files it names."""

from __future__ import annotations

import ast
import os
import re
import runpy
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import attrs
import pytest
from async_tools import MakeClient

import ghjobs_async
from ghjobs_async import RunRef
from ghjobs_async.audit import Audit, AuditPlan
from ghjobs_async.testing import FakeGitHub, JobSpec, faults, scenario

ROOT = Path(__file__).parent.parent
PACKAGE = Path(ghjobs_async.__file__).parent
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
REPO = "octo-org/octo-repo"
LIST = "How a list of jobs is fetched"
LIMIT = "How a 429 is handled"
AUDIT = "How an audit runs"


@attrs.frozen
class Step:
    """One step of a walk: a file of the package, and functions of it."""

    file: str
    functions: tuple[str, ...]


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", CONTRIBUTING, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def walk(title: str) -> list[Step]:
    """Return the steps of a walk: ``1. `file.py`, `function`, `Class.method`: what it does``."""
    steps = []
    for item in re.findall(r"^\d+\. (.*(?:\n +.*)*)", section(title), re.MULTILINE):
        file, *functions = re.findall(r"`([^`]+)`", item.partition(": ")[0])
        steps.append(Step(file, tuple(functions)))
    return steps


def passed_by(title: str) -> set[str]:
    """Return the files that a walk names beside its steps."""
    return set(re.findall(r"`([\w/]+\.py)`", section(title))) - {step.file for step in walk(title)}


def defined_in(path: Path) -> set[str]:
    """Return the functions of a file and the methods of its classes."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return names


@contextmanager
def calls() -> Iterator[list[tuple[str, str]]]:
    """Note each call in the package, but for the embedded GitHub: the file and the function."""
    noted: list[tuple[str, str]] = []
    inside = f"{PACKAGE}{os.sep}"

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(inside):
            file = Path(frame.f_code.co_filename).relative_to(PACKAGE).as_posix()
            if not file.startswith("testing/"):
                noted.append((file, frame.f_code.co_qualname))

    before, of_threads = sys.getprofile(), threading.getprofile()
    sys.setprofile(note)
    threading.setprofile(note)
    try:
        yield noted
    finally:
        threading.setprofile(of_threads)
        sys.setprofile(before)


def assert_walked(steps: list[Step], noted: list[tuple[str, str]]) -> None:
    """Each function of the walk was called, in this order."""
    rest = iter(noted)
    for step in steps:
        for function in step.functions:
            assert (step.file, function) in rest, f"{step.file} {function} was not called then"


@pytest.mark.parametrize(("title", "files"), [(LIST, 9), (LIMIT, 4), (AUDIT, 8)])
def test_a_walk_opens_few_files(title: str, files: int) -> None:
    """A newcomer opens this many files to follow a list of jobs, or a limit."""
    steps = walk(title)
    assert len(steps) >= 7
    assert len({step.file for step in steps}) <= files


@pytest.mark.parametrize("title", [LIST, LIMIT, AUDIT])
def test_what_a_walk_names_exists(title: str) -> None:
    """Each step names functions of its file."""
    for step in walk(title):
        assert step.functions
        assert set(step.functions) <= defined_in(PACKAGE / step.file), step.file


async def test_a_list_takes_this_walk(github: FakeGitHub, client: MakeClient) -> None:
    """A list of three pages calls what its walk names, in that order, and no file beside them."""
    run = github.add_run(REPO, jobs=scenario.matrix(250))
    gh = client()
    ref = RunRef(REPO, run.id)
    await gh.list_jobs(ref)
    with calls() as noted:
        jobs = await gh.list_jobs(ref)
    assert len(jobs) == 250
    assert_walked(walk(LIST), noted)
    named = {step.file for step in walk(LIST)} | passed_by(LIST)
    assert {file for file, _ in noted} == named


async def test_a_limit_takes_this_walk(github: FakeGitHub, client: MakeClient) -> None:
    """A request that hits a limit calls what its walk names, in that order."""
    ref = RunRef(REPO, github.add_run(REPO).id)
    gh = client()
    github.fail("jobs", faults.secondary_limit(5, 429))
    with calls() as noted:
        await gh.list_jobs(ref)
    assert_walked(walk(LIMIT), noted)


async def test_an_audit_takes_this_walk(
    github: FakeGitHub, client: MakeClient, tmp_path: Path
) -> None:
    """An audit of a run with a failed job calls what its walk names, in that order."""
    github.add_run(REPO, jobs=[JobSpec("test", conclusion="failure")])
    audit = Audit(client(), AuditPlan(repos=(REPO,)), tmp_path)
    with calls() as noted:
        await audit.run()
    assert audit.counts.logs == 1
    assert_walked(walk(AUDIT), noted)


def test_the_table_of_packages_is_the_one_that_is_held() -> None:
    """The table says of each package what the test of the architecture lets it import."""
    allowed = runpy.run_path(str(ROOT / "tests/core/test_architecture.py"))["MAY_IMPORT"]
    found: dict[str, set[str]] = {}
    for row in re.findall(r"^\| `.*$", section("The packages"), re.MULTILINE):
        packages, _, imports = (cell.strip() for cell in row.strip("|").split("|"))
        names = set(re.findall(r"`(\w+)`", imports))
        if re.match(r"base\b", imports):
            names |= {"errors", "refs", "models"}
        for package in re.findall(r"`(\w+)/?`", packages):
            found[package] = names
    assert found == allowed


def test_every_file_that_it_names_exists() -> None:
    """Whatever looks like a file or folder is one, of the project or of the package."""
    named = set(re.findall(r"`([\w./*]*(?:\.py|\.md|\.toml|\.yaml|/))`", CONTRIBUTING))
    assert len(named) >= 30
    places = (ROOT, PACKAGE)
    assert not {name for name in named if not any([*p.glob(name)] for p in places)}


def test_its_sessions_and_tests_exist() -> None:
    """Each session of nox that it names is in the noxfile, each test in the tests."""
    sessions = set(re.findall(r"nox -s (\w+)", CONTRIBUTING)) | {"scale", "soak"}
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert len(sessions) >= 8
    assert not {name for name in sessions if f"def {name}(" not in noxfile}
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/*/test_*.py"))
    for name in re.findall(r"-k (test_\w+)", CONTRIBUTING):
        assert f"def {name}(" in tests
