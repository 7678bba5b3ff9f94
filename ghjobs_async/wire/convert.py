"""
The one converter: JSON into models.

msgspec fills the attrs classes straight from the bytes. What it rejects goes through cattrs' detailed
validation, item by item: good items are kept, and each bad one is reported with path and value.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

import attrs
import cattrs
import msgspec
from cattrs.cols import list_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ClassValidationError,
    IterableValidationError,
    IterableValidationNote,
)

from ghjobs_async.errors import Undecodable
from ghjobs_async.models import AttemptNumber, CheckAnnotation, Id, Job, Run, Timestamp
from ghjobs_async.refs import MAX_ATTEMPT, MAX_ID

T = TypeVar("T")


@attrs.frozen
class Page(Generic[T]):
    """One page of a list: the decoded items, and those that could not be decoded."""

    total_count: int
    items: tuple[T, ...]
    undecodable: tuple[Undecodable, ...] = ()


class NotJsonError(ValueError):
    """The bytes are not JSON: half an answer, or none of the API."""


class ShapeError(ValueError):
    """
    The bytes are JSON, but not of the documented shape.

    Attributes:
        problems: What did not fit.
    """

    def __init__(self, problems: tuple[Undecodable, ...]) -> None:
        super().__init__("; ".join(f"{p.reason} @ {p.path}" for p in problems))
        self.problems = problems


# GitHub's key for the items of a page, and their type.
_PAGES: Final[dict[type, tuple[str, object]]] = {
    Job: ("jobs", tuple[Job, ...]),
    Run: ("workflow_runs", tuple[Run, ...]),
    CheckAnnotation: ("annotations", tuple[CheckAnnotation, ...]),
}
# How much of a page is looked at before it is decoded.
_MAX_PEEK: Final = 1024
_TOTAL: Final = re.compile(rb'\s*\{\s*"total_count"\s*:\s*([0-9]{1,18})\s*[,}]')
_FIRST_ID: Final = re.compile(rb'\[\s*\{\s*"id"\s*:\s*([0-9]{1,19})\s*,')
_FIRST_RUN: Final = re.compile(
    rb'\[\s*\{\s*"id"\s*:\s*[0-9]{1,19}\s*,\s*"run_id"\s*:\s*([0-9]{1,19})\s*,'
)


def load(body: bytes, cls: type[T]) -> T:
    """
    Decode *body* into *cls*: a model, a `Page` of models, or ``dict[str, object]`` for any object.

    Raises:
        NotJsonError: *body* is not JSON.
        ShapeError: It is JSON, but not a *cls*. A page is rejected only if it has no list of items.
    """
    return _converter.structure(body.removeprefix(BOM_UTF8), cls)


def peek_total(body: bytes) -> int | None:
    """Read a page's total_count without decoding it; None where it is not the first field."""
    found = _TOTAL.match(body)
    return int(found[1]) if found else None


def peek_id(body: bytes) -> int | None:
    """Read the id of a page's first item without decoding it; None where it is not the first field."""
    found = _FIRST_ID.search(body, 0, _MAX_PEEK)
    return int(found[1]) if found else None


def peek_run_id(body: bytes) -> int | None:
    """Read the run id of a page's first job, as `peek_id` does."""
    found = _FIRST_RUN.search(body, 0, _MAX_PEEK)
    return int(found[1]) if found else None


def is_empty_page(body: bytes) -> bool:
    """Return whether a page has no items; any real item is longer than that."""
    return len(body) < 100 and re.search(rb'"\s*:\s*\[\s*\]', body) is not None


def _read(body: bytes, decode: Callable[[bytes], T]) -> T | None:
    """Decode the bytes with msgspec; None where it rejects them."""
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _model_hook(cls: type[T], converter: cattrs.Converter) -> Callable[[Any, Any], T]:
    """Structure *cls* from JSON bytes, or from what untyped JSON gives."""
    decode = msgspec.json.Decoder(cls).decode
    from_dict = converter.gen_structure_attrs_fromdict(cls)

    def structure(value: object, kind: type[T]) -> T:
        if not isinstance(value, bytes):
            if not isinstance(value, dict):
                raise TypeError(f"expected object, got {type(value).__name__}")
            return from_dict(value, kind)
        found = _read(value, decode)
        if found is not None:
            return found
        item = _structure_item(_untyped(value), cls, "$")
        if isinstance(item, Undecodable):
            raise ShapeError((item,))
        return item

    return structure


def _page_hook(kind: Any, _: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """Structure a page from JSON bytes."""
    cls = get_args(kind)[0]
    key, items = _PAGES[cls]
    envelope = msgspec.defstruct(cls.__name__, [("total_count", int), (key, items)])
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(envelope).decode

    def structure(body: bytes, _: object) -> Page[Any]:
        found = _read(body, decode)
        if found is not None:
            return Page(found.total_count, getattr(found, key))
        return _page_by_item(_object(body), cls, key)

    return structure


def _object(body: bytes, _: object = None) -> dict[str, object]:
    """Decode a JSON object, whatever it contains."""
    value = _untyped(body)
    if not isinstance(value, dict):
        raise ShapeError((Undecodable("$", "expected an object", value),))
    return value


def _untyped(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error)
    # A name that was cut in the middle of a character must not cost the whole page, so bytes that are
    # not UTF-8 are replaced. The error of json holds the body, so it must not become our context.
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(body.decode("utf-8", "replace")), ensure_ascii=False)
        # So are lone surrogates, which UTF-8 cannot encode.
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    raise NotJsonError(problem)


def _page_by_item(value: dict[str, object], cls: type[T], key: str) -> Page[T]:
    total, raws = value.get("total_count"), value.get(key)
    if type(total) is not int:
        raise ShapeError((Undecodable("total_count", "expected int", total),))
    if not isinstance(raws, list):
        raise ShapeError((Undecodable(key, "expected a list", raws),))
    items: list[T] = []
    problems: list[Undecodable] = []
    for index, raw in enumerate(raws):
        item = _structure_item(raw, cls, f"{key}[{index}]")
        if isinstance(item, Undecodable):
            problems.append(item)
        else:
            items.append(item)
    return Page(total, tuple(items), tuple(problems))


def _structure_item(raw: object, cls: type[T], path: str) -> T | Undecodable:
    try:
        return _converter.structure(raw, cls)
    except (BaseValidationError, TypeError, ValueError, KeyError) as error:
        found = _problems(error, path, raw)
        reason = "; ".join(
            p.reason if p.path == found[0].path else f"{p.reason} @ {p.path}" for p in found
        )
        return Undecodable(found[0].path, reason, found[0].raw)


def _problems(error: BaseException, path: str, value: Any) -> list[Undecodable]:
    """Flatten a tree of cattrs errors: each leaf with its path and the raw value there."""
    if not isinstance(error, (ClassValidationError, IterableValidationError)):
        if isinstance(error, KeyError):
            return [Undecodable(path, f"required field missing: {error.args[0]}", value)]
        return [Undecodable(path, str(error) or type(error).__name__, value)]
    found: list[Undecodable] = []
    for inner in error.exceptions:
        there, part = path, value
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote) and not isinstance(inner, KeyError):
                there, part = f"{path}.{note.name}", value[note.name]
            elif isinstance(note, IterableValidationNote) and type(note.index) is int:
                there, part = f"{path}[{note.index}]", value[note.index]
        found += _problems(inner, there, part)
    return found


def _exactly(kind: type) -> Callable[[object, object], object]:
    """Accept only *kind*: cattrs' own hook would turn None into the text ``"None"``."""

    def structure(value: object, _: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
        return value

    return structure


def _id(value: object, _: object) -> int:
    if type(value) is not int:
        raise TypeError(f"expected int, got {type(value).__name__}")
    if not 1 <= value <= MAX_ID:
        raise ValueError("expected a positive number below 2^63")
    return value


def _attempt(value: object, kind: object) -> int:
    number = _id(value, kind)
    if number > MAX_ATTEMPT:
        raise ValueError(f"expected the number of an attempt, at most {MAX_ATTEMPT:,}")
    return number


def _time(value: object, _: object) -> datetime:
    # msgspec reads every form that GitHub has sent; its error would name another path.
    try:
        return msgspec.convert(value, Timestamp)
    except msgspec.ValidationError:
        raise TypeError("expected a date-time with its offset") from None


def _tuple_hook(kind: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """Accept a list only, not a string; null is an empty list."""
    items: Any = list[get_args(kind)[0]]  # type: ignore[misc]
    from_list = list_structure_factory(items, converter)

    def structure(value: Any, _: Any) -> Any:
        if value is None:
            return ()
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {type(value).__name__}")
        return tuple(from_list(value, kind))

    return structure


def _is_generic(cls: type) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is cls


def _make() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook_func(lambda kind: kind == Id, _id)
    converter.register_structure_hook_func(lambda kind: kind == AttemptNumber, _attempt)
    converter.register_structure_hook_func(lambda kind: kind in (datetime, Timestamp), _time)
    converter.register_structure_hook_factory(_is_generic(tuple), _tuple_hook)
    # Every model, also a nested one: anything but an object is reported.
    converter.register_structure_hook_factory(attrs.has, lambda cls: _model_hook(cls, converter))
    converter.register_structure_hook_func(lambda kind: kind == dict[str, object], _object)
    converter.register_structure_hook_factory(_is_generic(Page), _page_hook)
    return converter


_converter: Final = _make()
