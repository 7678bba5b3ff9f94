"""The architecture of the embedded GitHub: who may import whom, without a cycle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ghjobs_async

ROOT = Path(ghjobs_async.__file__).parent
NAME = "ghjobs_async.testing"
#: What each part may import of the others; "" is the package itself.
MAY_IMPORT = {
    "world": set[str](),
    "server": {"world"},
    "site": {"server", "world"},
    "script": {"site", "server"},
    "faults": {"script", "site", "server", "world"},
    "recorded": {"world"},
    "fake": {"recorded", "faults", "script", "site", "server", "world"},
    "scenario": {"fake", "world"},
    "demo": {"scenario", "fake", "world"},
    "": {"demo", "scenario", "fake", "faults", "script", "server", "world"},
    "plugin": {""},
}
#: Pure modules of the rest of the package that the fake may import.
LEAVES = {"errors", "refs"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted((ROOT / "testing").rglob("*.py"))}


def imports(path: Path) -> set[str]:
    """What a file imports, those for types and those in functions included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            names = {f"{node.module}.{name.name}" for name in node.names}
            # A name is a module of the package, or belongs to the module before it.
            found |= {name if name in MODULES else str(node.module) for name in names}
    return found


def part_of(module: str) -> str:
    return [*module.removeprefix(NAME).split("."), ""][1]


def test_every_part_is_named() -> None:
    """A new part of the house has to say what it imports."""
    assert {part_of(module) for module in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_who_imports_whom(module: str) -> None:
    """A module imports its own part, the parts that it may, and leaves of the package."""
    part = part_of(module)
    imported = imports(MODULES[module])
    own = {name for name in imported if name in MODULES}
    assert {part_of(name) for name in own} - {part} <= MAY_IMPORT[part]
    other = [name.split(".") for name in imported - own]
    assert {name[1] for name in other if name[0] == "ghjobs_async"} <= LEAVES


def test_no_cycle() -> None:
    """No module imports itself by way of others, not even for its types."""
    graph = {module: imports(path) & set(MODULES) for module, path in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", MODULES)
def test_only_the_server_touches_the_network(module: str) -> None:
    """All else is pure: it knows neither the loop nor a socket."""
    if part_of(module) != "server":
        roots = {name.partition(".")[0] for name in imports(MODULES[module])}
        assert roots & {"asyncio", "aiohttp", "socket", "threading"} == set()
