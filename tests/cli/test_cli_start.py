"""What a command imports: the less, the sooner it starts."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from findings_world import World, make
from store_tools import AT, REPO, a_job, a_run

import ghjobs_async
from ghjobs_async import audit, logtext
from ghjobs_async.audit import AuditStore
from ghjobs_async.audit.database.batch import Batch, Listing
from ghjobs_async.audit.database.rows import write_batch

CODE = """\
import sys
from ghjobs_async.cli import main
status = main(sys.argv[1:])
print(*({"aiohttp", "ghjobs_async.models", "importlib.metadata"} & sys.modules.keys()), file=sys.stderr)
sys.exit(status)
"""


def imported(*argv: object, folder: Path) -> set[str]:
    """Run ``ghjobs`` by itself; return which slow modules it has imported."""
    ran = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, argv)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.splitlines()[-1].split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an audit, where the commands look for it."""
    there = tmp_path_factory.mktemp("start")
    with AuditStore(there / "ghjobs-audit").write() as connection:
        World(make(random.Random(24)).tables).fill(connection)
    return there


@pytest.mark.parametrize(
    "argv",
    [
        ["findings"],
        ["query", "SELECT count(*) FROM jobs"],
        ["schema"],
        ["export", "--format", "csv", "-o", "out"],
        ["report", "-o", "audit.html"],
        ["merge", "ghjobs-audit", "-o", "merged"],
    ],
    ids=lambda argv: argv[0],
)
def test_a_command_that_reads_a_folder_imports_no_client(folder: Path, argv: list[str]) -> None:
    """It needs neither aiohttp nor the models of GitHub's answers."""
    assert imported(*argv, folder=folder) <= {"importlib.metadata"}  # which duckdb imports


def test_the_help_imports_no_metadata(tmp_path: Path) -> None:
    """Only ``--version`` looks up the version."""
    assert imported("--help", folder=tmp_path) == set()


def test_the_timeline_of_a_stored_run_imports_no_client(tmp_path: Path) -> None:
    """It is drawn from the folder, so aiohttp is not needed."""
    with AuditStore(tmp_path / "ghjobs-audit").write() as connection:
        batch = Batch(
            at=AT, audit_id="id", runs=[(REPO, a_run())], listings=[Listing(REPO, 7, (a_job(),))]
        )
        write_batch(connection, batch)
    argv = ("timeline", "-R", REPO, 7, "-o", "run.svg")
    assert "aiohttp" not in imported(*argv, folder=tmp_path)


@pytest.mark.parametrize("package", [ghjobs_async, audit, logtext], ids=lambda one: one.__name__)
def test_a_lazy_package_has_all_its_names(package: Any) -> None:
    """Each name is found in a fresh process, is no module, and stands in `dir`; others are refused."""
    code = (
        f"import {package.__name__} as p\nprint(*(type(getattr(p, n)).__name__ for n in p.__all__))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(ran.stdout.split()) == len(package.__all__)
    assert "module" not in ran.stdout.split()
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing
