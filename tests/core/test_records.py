"""Attrs classes that are stored as Structs: attrs to everybody, and cheap to hold."""

from __future__ import annotations

import copy
import gc
import pickle
from datetime import datetime
from typing import Any

import attrs
import cattrs
import msgspec
import pytest

from ghjobs_async import models
from ghjobs_async.records import record
from ghjobs_async.testing import FakeGitHub

RECORDS = [
    cls
    for cls in vars(models).values()
    if isinstance(cls, type) and issubclass(cls, msgspec.Struct)
]


def example(cls: type[Any]) -> Any:
    run = FakeGitHub().add_run("octo-org/octo-repo", jobs=1)
    job = msgspec.json.decode(msgspec.json.encode(run.jobs[0].payload()), type=models.Job)
    return job if cls is models.Job else job.steps[0]


def test_jobs_and_steps_are_records() -> None:
    """The two that come by the hundred thousand."""
    assert {models.Job, models.Step} <= set(RECORDS)


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_record_is_an_attrs_class(cls: type[Any]) -> None:
    """Fields, dicts, copies, comparison, freezing, pickles, matching: all as attrs has it."""
    one = example(cls)
    names = [field.name for field in attrs.fields(cls)]
    assert attrs.has(cls)
    assert list(attrs.asdict(one, recurse=False)) == names
    assert all(field.type is not None for field in attrs.fields(cls))
    assert attrs.asdict(one)["name"] == one.name
    other = attrs.evolve(one, name="other")
    assert (other.name, type(other), other != one) == ("other", cls, True)
    assert attrs.evolve(other, name=one.name) == one
    assert hash(attrs.evolve(one)) == hash(one)
    for twin in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert twin == one
        assert type(twin) is cls
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.name = "x"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del one.name
    assert repr(one).startswith(f"{cls.__name__}({names[0]}={getattr(one, names[0])!r}, ")
    assert repr(one).count("=") >= len(names)
    match one:
        case models.Job(name=name) | models.Step(name=name):
            assert name == one.name
        case _:
            pytest.fail("it does not match")
    positional: Any = cls
    assert positional.__match_args__ == ()
    with pytest.raises(TypeError):
        positional(one.name)
    assert (cls.__module__, cls.__qualname__) == (models.__name__, cls.__name__)
    assert cls.__doc__


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_cattrs_knows_a_record(cls: type[Any]) -> None:
    """It is structured and unstructured by a plain converter, both ways."""
    converter = cattrs.Converter()
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook_func(
        lambda kind: kind == models.Timestamp,
        lambda value, _: datetime.fromisoformat(value),
    )
    converter.register_structure_hook_func(lambda kind: kind == models.Id, lambda value, _: value)
    one = example(cls)
    assert converter.structure(converter.unstructure(one), cls) == one


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_record_is_not_walked_by_the_collector(cls: type[Any]) -> None:
    """It holds only what cannot be part of a cycle."""
    assert not gc.is_tracked(example(cls))


def test_methods_and_properties_are_kept() -> None:
    """What the class defines itself works on the Struct."""

    @record
    @attrs.frozen(kw_only=True)
    class Point:
        """A point."""

        x: int
        y: int = 0

        @property
        def total(self) -> int:
            return self.x + self.y

        @classmethod
        def origin(cls) -> Any:
            return cls(x=0)

        def __str__(self) -> str:
            return f"{self.x}/{self.y}"

    assert (Point(x=2, y=3).total, str(Point.origin()), Point.__doc__) == (5, "0/0", "A point.")


def with_validator() -> type[Any]:
    return attrs.make_class(
        "A",
        {"x": attrs.field(validator=attrs.validators.instance_of(int))},
        frozen=True,
        kw_only=True,
    )


def with_hook() -> type[Any]:
    @attrs.frozen(kw_only=True)
    class A:
        x: int

        def __attrs_post_init__(self) -> None: ...

    return A


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (with_validator, "hook at the field x"),
        (with_hook, "around __init__"),
        (lambda: attrs.make_class("A", {"x": attrs.field(converter=int)}, frozen=True, kw_only=True),
         "hook at the field x"),
        (lambda: attrs.make_class("A", {"x": attrs.field(factory=list)}, frozen=True, kw_only=True),
         "hook at the field x"),
        (lambda: attrs.make_class("A", {"x": attrs.field(repr=False)}, frozen=True, kw_only=True),
         "special options"),
        (lambda: attrs.make_class("A", ["x"], frozen=True), "kw_only"),
        (lambda: attrs.make_class("A", ["x"], kw_only=True), "attrs.frozen"),
    ],
)  # fmt: skip
def test_what_a_struct_lacks_is_refused(make: Any, why: str) -> None:
    """A class that asks for attrs' hooks is refused where it is defined."""
    with pytest.raises(TypeError, match=why):
        record(make())
