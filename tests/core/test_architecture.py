"""The architecture: who may import whom, who opens connections, who starts tasks."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import get_origin

import pytest

import ghjobs_async

ROOT = Path(ghjobs_async.__file__).parent
# What each package, or module of the root, may import of this package: that and nothing else. The
# table is read from the ground up, so nobody imports what stands below.
BASE = {"errors", "refs", "models"}
LIBRARY = BASE | {"checks", "clock", "environment", "fanout", "logtext", "transport", "wire"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "atomic_file": set(),
    "fanout": set(),
    "lazy": set(),
    "records": set(),
    "refs": {"errors"},
    "models": {"errors", "records", "refs"},
    "environment": {"errors"},
    "checks": BASE,
    "wire": BASE,
    "logtext": BASE | {"lazy"},
    "display": {"logtext"},
    "transport": BASE | {"clock", "environment", "wire"},
    "listing": BASE | {"checks", "clock", "fanout", "transport", "wire"},
    "logs": BASE | {"atomic_file", "checks", "fanout", "logtext", "transport", "wire"},
    "operations": BASE | {"checks", "listing", "logs", "transport", "wire"},
    "watch": BASE | {"checks", "fanout", "listing", "operations", "transport", "wire"},
    "client": LIBRARY | {"listing", "logs", "watch"},
    "audit": LIBRARY - {"transport"}
    | {"atomic_file", "client", "display", "lazy", "listing", "logs"},
    "testing": {"errors", "refs"},
    "cli": LIBRARY
    | {"atomic_file", "audit", "client", "display", "listing", "logs", "testing", "watch"},
}
# The same for the packages in the package of audits.
IN_AUDIT: dict[str, set[str]] = {
    "gantt": set(),
    "sql": set(),
    "database": {"sql"},
    "collect": {"database", "sql"},
    "results": {"database", "sql"},
    "__init__": {"gantt", "sql", "database", "collect", "results"},
}
PURE = (
    *("atomic_file", "checks", "display", "environment", "errors"),
    *("logtext", "models", "records", "refs", "wire"),
    *("audit/gantt", "audit/sql", "audit/database/batch.py", "audit/database/rows.py"),
    *("audit/collect/counts.py", "audit/collect/log_paths.py", "audit/collect/missing.py"),
    *("audit/collect/settled.py", "audit/results/plots.py", "audit/results/readable.py"),
    *("watch/run_lists.py", "watch/trackers.py", "watch/events.py", "watch/pace.py"),
    *("listing/attempts.py", "listing/windows.py", "logs/continuity.py", "logs/storage_answers.py"),
)
STARTERS = {"create_task", "ensure_future", "TaskGroup", "gather", "run_coroutine_threadsafe"}
MAX_FLAT = 13
MAX_LINES = 450


def package_of(path: Path, root: Path = ROOT) -> str:
    """Return the package that a file belongs to, or its own name where it is flat."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    """Return a file's full module name."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted(path for path in ROOT.rglob("*.py") if package_of(path) != "__init__")
MODULES = {name_of(path): path for path in FILES}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path, *, typing_too: bool = True) -> list[str]:
    """Return what a file imports, by full name; on request without what only type checkers read."""
    found: list[str] = []
    skipped: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if node in skipped:
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            if not typing_too:
                skipped.update(inner for part in node.body for inner in ast.walk(part))
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports name the whole path"
            found += [f"{node.module}.{name.name}" for name in node.names]
    return found


def own_modules(path: Path) -> set[str]:
    """Return the modules of this package that a file imports, for types too."""
    return {
        next(part for part in (name, name.rpartition(".")[0]) if part in MODULES)
        for name in imports(path)
        if name.startswith("ghjobs_async.")
    }


def test_every_package_is_in_the_table() -> None:
    """Each package is in the table, and may import only those above it in the table."""
    assert {package_of(path) for path in FILES} == set(MAY_IMPORT)
    packages = list(MAY_IMPORT)
    for name, allowed in MAY_IMPORT.items():
        assert allowed <= set(packages[: packages.index(name)])


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_run_downward_only(path: Path) -> None:
    """A package imports what the table allows, types included, and itself."""
    used = {package_of(MODULES[name]) for name in own_modules(path)}
    assert used - {package_of(path)} - MAY_IMPORT[package_of(path)] == set()


@pytest.mark.parametrize("path", [p for p in FILES if package_of(p) == "audit"], ids=ids)
def test_imports_run_downward_in_the_audit_too(path: Path) -> None:
    """`collect` and `results` may import the database and its SQL, and not each other."""
    audit = ROOT / "audit"
    used = {
        package_of(found, audit)
        for name in own_modules(path)
        if audit in (found := MODULES[name]).parents
    }
    assert used - {package_of(path, audit)} - IN_AUDIT[package_of(path, audit)] == set()


def test_no_module_imports_itself_through_others() -> None:
    """There is no cycle of imports between modules, types included."""
    graph = {name: own_modules(path) - {name} for name, path in MODULES.items()}
    while leaves := {name for name, below in graph.items() if not below & graph.keys()}:
        graph = {name: below for name, below in graph.items() if name not in leaves}
    assert graph == {}


def test_few_modules_stay_flat() -> None:
    """There is a package for each subject; few modules stand beside the packages."""
    assert len([path for path in FILES if path.parent == ROOT]) <= MAX_FLAT


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_no_module_is_long(path: Path) -> None:
    """A longer module should be two, divided by what they do."""
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", [p for p in FILES if ids(p).startswith(PURE)], ids=ids)
def test_pure_packages_touch_neither_loop_nor_network(path: Path) -> None:
    """Values and decisions import neither asyncio nor aiohttp, not even for their types."""
    roots = {name.partition(".")[0] for name in imports(path)}
    assert roots & {"asyncio", "aiohttp", "socket", "threading"} == set()


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_one_package_opens_connections(path: Path) -> None:
    """Only the transport imports aiohttp at run time; the fake imports its server."""
    used = {name for name in imports(path, typing_too=False) if name.split(".")[0] == "aiohttp"}
    if package_of(path) == "testing":
        used = {name for name in used if not name.startswith("aiohttp.web")}
    elif package_of(path) == "transport":
        used = set()
    assert used == set()


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_one_place_starts_tasks(path: Path) -> None:
    """Only `fanout` creates tasks, so that it alone has to end them."""
    if package_of(path) == "fanout":
        return
    tree = ast.parse(path.read_text())
    started = {
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in STARTERS
        and ast.unparse(node.func) != "fanout.gather"
    }
    assert started == set()


def test_public_names_are_sorted() -> None:
    """`__all__` is in order, and names nothing twice."""
    assert ghjobs_async.__all__ == sorted(set(ghjobs_async.__all__))


@pytest.mark.parametrize("name", ghjobs_async.__all__)
def test_public_names_are_documented(name: str) -> None:
    """Every public name can be imported, and says what it is."""
    value = getattr(ghjobs_async, name)
    if get_origin(value) is not None:
        return  # an alias of types
    assert inspect.getdoc(value)


def test_public_classes_document_their_methods() -> None:
    """Every public method and property of a public class, and of its bases, says what it does."""
    bare = [
        f"{name}.{attribute}"
        for name in ghjobs_async.__all__
        if isinstance(cls := getattr(ghjobs_async, name), type)
        for base in cls.__mro__
        if base.__module__.startswith("ghjobs_async.")
        for attribute, value in vars(base).items()
        if not attribute.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, (property, classmethod)))
        and not inspect.getdoc(value)
    ]
    assert bare == []


def test_importing_the_package_imports_no_extra() -> None:
    """What needs an extra is imported only where it is used."""
    package: ModuleType = importlib.import_module("ghjobs_async")
    names = {
        name.partition(".")[0]
        for path in FILES
        if package_of(path) not in {"audit", "cli", "testing"}
        for name in _at_top(path)
    }
    assert package is ghjobs_async
    assert names & {"jwt", "rich", "cyclopts", "duckdb", "pyarrow", "plotly", "dask"} == set()


def _at_top(path: Path) -> set[str]:
    nodes = ast.parse(path.read_text()).body
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
