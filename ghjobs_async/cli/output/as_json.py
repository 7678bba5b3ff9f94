"""What ``--json`` and ``--jq`` print."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from importlib import import_module
from typing import Protocol, TypeAlias

import attrs

from ghjobs_async.cli.output.console import is_terminal, print_json
from ghjobs_async.cli.output.text import clean_line
from ghjobs_async.errors import ConfigurationError, GHJobsError

Object: TypeAlias = dict[str, object]


class _Program(Protocol):
    """A compiled jq expression."""

    def input_value(self, value: object) -> Iterable[object]:
        """Run it."""
        ...


@attrs.frozen
class JsonPrinter:
    """
    Prints objects as ``--json`` and ``--jq`` say.

    Attributes:
        fields: The fields to print; none means all.
        program: What ``--jq`` gave.
    """

    fields: tuple[str, ...]
    program: _Program | None

    @classmethod
    def of_options(cls, json: str | None, jq: str | None) -> JsonPrinter | None:
        """
        Make the printer, or return None where neither option was given. ``--jq`` implies ``--json``.

        Raises:
            ConfigurationError: The expression is malformed, or the package jq is missing.
        """
        if json is None and jq is None:
            return None
        fields = tuple(part for text in (json or "").split(",") if (part := text.strip()))
        return cls(fields, None if jq is None else _compile(jq))

    def check(self, known: Collection[str]) -> None:
        """
        Check the fields against those that there are.

        Raises:
            ConfigurationError: A field is unknown; the text lists the known ones.
        """
        unknown = [name for name in self.fields if name not in known]
        if unknown:
            raise ConfigurationError(
                f"--json has no field {', '.join(unknown)}; there are: {', '.join(known)}"
            )

    def print(self, value: Object | Sequence[Object]) -> None:
        """
        Print one object, or a list of them.

        Raises:
            GHJobsError: The expression of ``--jq`` fails on it.
        """
        chosen: object
        if isinstance(value, dict):
            chosen = self._choose(value)
        else:
            chosen = [self._choose(one) for one in value]
        if self.program is None:
            print_json(chosen)
            return
        try:
            for result in self.program.input_value(chosen):
                _print_result(result)
        except ValueError as error:
            raise GHJobsError(f"--jq: {_first_line(error)}") from error

    def _choose(self, value: Object) -> Object:
        if not self.fields:
            return value
        return {name: value.get(name) for name in self.fields}


def _compile(expression: str) -> _Program:
    try:
        jq = import_module("jq")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "--jq needs the package jq: pip install 'ghjobs-async[cli]'"
        ) from None
    try:
        program: _Program = jq.compile(expression)
    except ValueError as error:
        raise ConfigurationError(f"--jq: {_first_line(error)}") from None
    return program


def _first_line(error: ValueError) -> str:
    line = str(error).partition("\n")[0]
    return line.removeprefix("jq: error: ").rstrip(": ")


def _print_result(value: object) -> None:
    """Print one result as gh does: texts as they are, null as an empty line."""
    if value is None:
        value = ""
    if not isinstance(value, str):
        print_json(value)
    elif is_terminal(sys.stdout):
        lines = (clean_line(line, colour=False) for line in value.split("\n"))
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        sys.stdout.write(f"{value}\n")
