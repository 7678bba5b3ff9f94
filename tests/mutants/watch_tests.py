"""
A pytest plugin for mutants: learns which tests run which lines, or runs the tests that are named.

With ``MUTANTS_TIMES`` it writes there how much time each test needs, for a run under coverage. With
``MUTANTS_TESTS``, a file of names, it runs these, the quickest first, and ends one that hangs.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import coverage
import pytest

_LIMIT: Final = 60
_MEMORY: Final = 4 * 2**30
_times: Final[dict[str, float]] = {}


def pytest_configure() -> None:
    if "MUTANTS_TESTS" in os.environ:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if named := os.environ.get("MUTANTS_TESTS"):
        order = {name: at for at, name in enumerate(Path(named).read_text().splitlines())}
        items[:] = sorted(
            (item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid]
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if measured := coverage.Coverage.current():
        measured.switch_context(item.nodeid)
    else:
        signal.alarm(_LIMIT)
    begun = time.process_time()
    result = yield
    _times[item.nodeid] = time.process_time() - begun
    signal.alarm(0)
    return result


def pytest_sessionfinish() -> None:
    if path := os.environ.get("MUTANTS_TIMES"):
        Path(path).write_text(json.dumps(_times))
