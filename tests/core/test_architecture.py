"""The house: who may import whom, who touches the network, who starts tasks."""

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
# The floors, from the ground up; rooms on one floor do not import each other but downward, in the
# order in which they stand here.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("refs",),
    ("models", "arguments"),
    ("clock", "collector", "fanout", "saving"),
    ("convert", "environment", "limits", "logtext"),
    ("wire", "webhooks"),
    ("auth",),
    ("gate", "retries"),
    ("transport",),
    ("api",),
    ("pages", "download"),
    ("runs", "logs"),
    ("grep",),
    ("client",),
    ("audit", "watch"),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
PURE = (
    "models",
    "errors",
    "refs",
    "arguments",
    "convert",
    "wire",
    "limits",
    "logtext",
    "environment",
    "saving",
)
STARTERS = {"create_task", "ensure_future", "TaskGroup", "gather", "run_coroutine_threadsafe"}


def room_of(path: Path) -> str:
    """The room that a file belongs to: its folder, or its own name."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = sorted(path for path in ROOT.rglob("*.py") if room_of(path) != "__init__")


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path, *, typing_too: bool = True) -> list[str]:
    """What a file imports, by full name; without what only type checkers read, if so wished."""
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


def own_rooms(path: Path) -> set[str]:
    """The rooms of this package that a file imports at run time."""
    names = [name.split(".") for name in imports(path, typing_too=False)]
    return {name[1] for name in names if name[0] == "ghjobs_async" and len(name) > 1}


def test_every_room_has_its_floor() -> None:
    """A room that stands nowhere could import everything."""
    assert {room_of(path) for path in FILES} - {"testing"} <= set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_run_downward_only(path: Path) -> None:
    """A room imports only from floors below its own, or from itself."""
    room = room_of(path)
    if room == "testing":
        return
    top = len(FLOORS)
    above = {
        name for name in own_rooms(path) - {room} if FLOOR.get(name, -1) >= FLOOR.get(room, top)
    }
    assert above == set()


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) == "testing"], ids=ids)
def test_the_fake_knows_nothing_of_the_client(path: Path) -> None:
    """The fake GitHub imports nothing of the transport, nor of anything above it."""
    limit = FLOOR["transport"]
    assert {name for name in own_rooms(path) if FLOOR.get(name, -1) >= limit} == set()


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in PURE], ids=ids)
def test_pure_rooms_touch_neither_loop_nor_network(path: Path) -> None:
    """Values and decisions import neither asyncio nor aiohttp, not even for their types."""
    roots = {name.partition(".")[0] for name in imports(path)}
    assert roots & {"asyncio", "aiohttp", "socket", "threading"} == set()


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_one_door_to_the_network(path: Path) -> None:
    """Only the transport imports aiohttp at run time; the fake imports its server."""
    used = {name for name in imports(path, typing_too=False) if name.split(".")[0] == "aiohttp"}
    if room_of(path) == "testing":
        used = {name for name in used if not name.startswith("aiohttp.web")}
    elif room_of(path) == "transport":
        used = set()
    assert used == set()


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_one_place_starts_tasks(path: Path) -> None:
    """Only `fanout` creates tasks, so that it alone has to end them."""
    if room_of(path) == "fanout":
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
    """Every public method and property of a public class says what it does."""
    bare = [
        f"{name}.{attribute}"
        for name in ghjobs_async.__all__
        if isinstance(cls := getattr(ghjobs_async, name), type)
        for attribute, value in vars(cls).items()
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
        if FLOOR.get(room_of(path), 99) <= FLOOR["client"]
        for name in _at_top(path)
    }
    assert package is ghjobs_async
    assert names & {"jwt", "rich", "cyclopts", "duckdb", "pyarrow", "plotly", "dask"} == set()


def _at_top(path: Path) -> set[str]:
    nodes = ast.parse(path.read_text()).body
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
