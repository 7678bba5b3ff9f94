"""Import the names of a package when they are used, so that a program that needs few starts fast."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from importlib import import_module


def lazy(
    package: str, names: Collection[str], homes: Sequence[str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """
    Make the ``__getattr__`` and ``__dir__`` of a package.

    The package must import a name itself if one of its modules has the same name: importing that
    module would put it in place of the name.

    Args:
        package: The package's name.
        names: Its public names.
        homes: Its modules that may have them, in the order of the search: put those first that are
            fast to import and often used alone.
    """
    values = vars(sys.modules[package])

    def get(name: str) -> object:
        if name in names:
            for home in homes:
                module = import_module(f"{package}.{home}")
                if hasattr(module, name):
                    return values.setdefault(name, getattr(module, name))
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted({*values, *names})
