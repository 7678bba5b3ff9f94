"""
Store attrs classes of many small objects as msgspec Structs.

A large list becomes half a million objects. msgspec fills Structs from JSON in C; they take less
memory, and the garbage collector skips them: frozen objects of strings, numbers, times and tuples
of these cannot form a cycle. They remain attrs classes for all users: `attrs.fields`, `asdict`,
`evolve`, cattrs, `match` and type checkers work as usual.

The cost: such objects have no weak references and none of attrs' hooks (validators, converters,
factories, ``__attrs_post_init__``, ``on_setattr``). Defining a class that uses one is an error.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, Final, TypeVar

import attrs
import msgspec

T = TypeVar("T")

_FACTORY: Final[Any] = attrs.Factory

_KEPT: Final = (FunctionType, property, classmethod, staticmethod)
# Made by attrs; a Struct has its own.
_MADE: Final = frozenset(
    {
        *("__init__", "__repr__", "__eq__", "__ne__", "__hash__", "__lt__", "__le__", "__gt__"),
        *("__ge__", "__setattr__", "__delattr__", "__getstate__", "__setstate__"),
        *("__replace__", "__attrs_init__"),
    }
)


def record(cls: type[T]) -> type[T]:
    """
    Store the objects of a frozen attrs class as msgspec Structs.

    Args:
        cls: Made by ``attrs.frozen(kw_only=True)``, without hooks.

    Raises:
        TypeError: The class needs what a Struct does not have.
    """
    attrs.resolve_types(cls)  # type: ignore[type-var]
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)  # type: ignore[arg-type]
    _check(cls, fields)
    struct = msgspec.defstruct(
        cls.__name__,
        [(f.name, f.type, *(() if f.default is attrs.NOTHING else (f.default,))) for f in fields],
        module=cls.__module__,
        namespace={
            "__doc__": cls.__doc__,
            "__qualname__": cls.__qualname__,
            **{
                name: part
                for name, part in vars(cls).items()
                if isinstance(part, _KEPT) and name not in _MADE
            },
        },
        frozen=True,
        kw_only=True,
        gc=False,
    )
    return attrs.define(  # type: ignore[return-value]
        struct,
        these={f.name: attrs.field(default=f.default, kw_only=True) for f in fields},
        frozen=True,
        slots=False,
        init=False,
        eq=False,
        repr=False,
        match_args=False,
    )


def _check(cls: Any, fields: tuple[Any, ...]) -> None:
    """Raise for a class that needs what a Struct does not have."""
    if cls.__setattr__ is object.__setattr__ or not all(f.kw_only for f in fields):
        raise _refused(cls, "is not made by attrs.frozen(kw_only=True)")
    if hasattr(cls, "__attrs_post_init__") or hasattr(cls, "__attrs_pre_init__"):
        raise _refused(cls, "has a hook around __init__")
    for f in fields:
        if f.validator or f.converter or f.on_setattr or isinstance(f.default, _FACTORY):
            raise _refused(cls, f"has a hook at the field {f.name}")
        if not (f.init and f.repr and f.eq is True and f.hash is None and f.alias == f.name):
            raise _refused(cls, f"has special options for the field {f.name}")


def _refused(cls: Any, why: str) -> TypeError:
    return TypeError(f"{cls.__qualname__} cannot be stored as a Struct: it {why}")
