"""What ``--json`` and ``--jq`` print, and the three ways to show records."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib import import_module
from typing import TypeAlias, TypeVar

import attrs
from rich.console import Console

from ghjobs_async.cli.output.console import console, is_terminal, row
from ghjobs_async.cli.output.text import clean_line, escape_unsafe
from ghjobs_async.errors import ConfigurationError, GHJobsError

T = TypeVar("T")

Object: TypeAlias = dict[str, object]


def print_json(value: object) -> None:
    """Print JSON: indented on a terminal, one line elsewhere."""
    if is_terminal(sys.stdout):
        text = escape_unsafe(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        # In ASCII, whatever the encoding of the pipe.
        text = json.dumps(value, separators=(",", ":"))
    sys.stdout.write(f"{text}\n")


@attrs.frozen
class JsonPrinter:
    """Print objects as ``--json`` and ``--jq`` say: these *fields*, or all; through *jq*."""

    fields: tuple[str, ...]
    jq: Callable[[object], Iterable[object]] | None

    @classmethod
    def of_options(
        cls, fields: str | None, jq: str | None, known: Collection[str] = ()
    ) -> JsonPrinter | None:
        """Make the printer; None where neither option was given. ``--jq`` implies ``--json``."""
        if fields is None and jq is None:
            return None
        names = tuple(part for text in (fields or "").split(",") if (part := text.strip()))
        printer = cls(names, None if jq is None else _compile(jq))
        if known:
            printer.check(known)
        return printer

    def check(self, known: Collection[str]) -> None:
        """Check the fields; raise a `ConfigurationError` that lists the *known* ones."""
        if unknown := [name for name in self.fields if name not in known]:
            raise ConfigurationError(
                f"--json has no field {', '.join(unknown)}; there are: {', '.join(known)}"
            )

    def print(self, value: Object | Sequence[Object]) -> None:
        """Print one object, or a list; raise a `GHJobsError` where ``--jq`` fails on it."""
        chosen: object
        if isinstance(value, dict):
            chosen = self._choose(value)
        else:
            chosen = [self._choose(one) for one in value]
        if self.jq is None:
            print_json(chosen)
            return
        try:
            for result in self.jq(chosen):
                _print_result(result)
        except ValueError as error:
            raise GHJobsError(f"--jq: {_first_line(error)}") from error

    def _choose(self, value: Object) -> Object:
        return {name: value.get(name) for name in self.fields} if self.fields else value


def check_web(web: bool, printer: JsonPrinter | None, *, exit_status: bool) -> None:
    """Raise a `ConfigurationError` where ``--web`` is given together with what it replaces."""
    if web and (printer is not None or exit_status):
        raise ConfigurationError("--web only opens a page: leave out --json, --jq, --exit-status")


def _compile(expression: str) -> Callable[[object], Iterable[object]]:
    try:
        program: Callable[[object], Iterable[object]]
        program = import_module("jq").compile(expression).input_value
    except ModuleNotFoundError:
        problem = "--jq needs the package jq: pip install 'ghjobs-async[cli]'"
        raise ConfigurationError(problem) from None
    except ValueError as error:
        raise ConfigurationError(f"--jq: {_first_line(error)}") from None
    return program


def _first_line(error: ValueError) -> str:
    line = str(error).partition("\n")[0]
    return line.removeprefix("jq: error: ").rstrip(": ")


def _print_result(value: object) -> None:
    """Print one result as gh does: texts as they are, null as an empty line."""
    text = "" if value is None else value
    if not isinstance(text, str):
        print_json(text)
    elif is_terminal(sys.stdout):
        lines = (clean_line(line, colour=False) for line in text.split("\n"))
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        sys.stdout.write(f"{text}\n")


def show(
    records: Sequence[T],
    printer: JsonPrinter | None,
    *,
    to_dict: Callable[[T], Object],
    cells: Callable[[T], Iterable[object]],
    draw: Callable[[Console], None],
) -> None:
    """Show records: as JSON if so asked, drawn on a terminal, else as lines of cells with tabs."""
    if printer is not None:
        printer.print([to_dict(one) for one in records])
    elif is_terminal(sys.stdout):
        draw(console(sys.stdout))
    else:
        for one in records:
            row(*cells(one))
