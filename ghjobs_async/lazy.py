"""Import the names of a package when they are used: whoever needs some of them starts fast."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from importlib import import_module


def lazy(
    package: str, names: Collection[str], homes: Sequence[str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """
    Make the ``__getattr__`` and ``__dir__`` of a package.

    A name that is also the name of a module of the package must be imported at once: the import of
    that module would put the module in its place.

    Args:
        package: The package's name.
        names: Its public names.
        homes: Its modules that may have them. They are looked through in this order, so what is
            used alone and starts fast comes first.
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
