"""The small changes that a test should notice: each makes another program of the same source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

_OTHER: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
}
# Types, decorators and texts for people are not what a test is about.
_SKIPPED: Final = {"annotation", "returns", "decorator_list"}
# Whoever asks whether they are true sees no difference.
_FALSE: Final = {"None", "False", "b''", "''"}
# A condition that holds no other change.
_PLAIN: Final = (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr, ast.Await, ast.Subscript)


@attrs.frozen
class Mutant:
    """One change of one file: from the byte *start* to *end*, *new* stands in place of *old*."""

    path: Path
    line: str
    lines: range
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        """Name it by what it changes, which stays when lines move."""
        return f"{self.path}: {self.line} | {_short(self.old)} -> {_short(self.new)}"

    def source(self, original: bytes) -> bytes:
        """Return the changed file."""
        return original[: self.start] + self.new.encode() + original[self.end :]


def mutants(path: Path) -> Iterator[Mutant]:
    """Give every mutant of a file."""
    source = path.read_bytes()
    starts = [0]
    texts = source.splitlines(keepends=True)
    for line in texts:
        starts.append(starts[-1] + len(line))
    # A constant of a module tunes something: one more or less of it is the same to everybody.
    body = [part for part in ast.parse(source).body if not isinstance(part, ast.AnnAssign)]
    for node in _nodes(ast.Module(body, [])):
        for changed, new in _changes(node):
            last = changed.end_lineno or changed.lineno
            begin = starts[changed.lineno - 1] + changed.col_offset
            end = starts[last - 1] + (changed.end_col_offset or 0)
            lines = range(changed.lineno, last + 1)
            text = texts[changed.lineno - 1].decode().strip()
            yield Mutant(path, text, lines, begin, end, source[begin:end].decode(), new)


def _nodes(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, (ast.expr, ast.stmt)):
        yield node
    for name, value in ast.iter_fields(node):
        if name not in _SKIPPED and not _tells_attrs(node):
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, ast.AST):
                    yield from _nodes(inner)


def _tells_attrs(node: ast.AST) -> bool:
    """Return whether a node says what attrs makes: an argument less of a constructor."""
    return isinstance(node, ast.keyword) and node.arg == "init"


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Give what may be changed in a node, and the source that stands there then."""
    match node:
        case ast.Constant(bool(value)):
            yield node, str(not value)
        case ast.Constant(int(value) | float(value)):
            yield node, str(value + 1)
        case ast.Return(ast.expr() as value) if ast.unparse(value) not in _FALSE:
            yield node, "return None"
        case ast.Raise() | ast.AugAssign() | ast.Assign([ast.Attribute()]):
            yield node, "pass"
        case ast.Expr(ast.Call() | ast.Await()) | ast.Break() | ast.Continue():
            yield node, "pass"
        case ast.If(test) | ast.While(test) | ast.IfExp(test) if isinstance(test, _PLAIN):
            if ast.unparse(test) != "TYPE_CHECKING":
                yield test, _text(ast.UnaryOp(ast.Not(), test))
        case ast.expr():
            for other in _other_operators(node):
                yield node, _text(other)


def _other_operators(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, ops, comparators):
            for at, op in enumerate(ops):
                other: Any = [*ops[:at], _OTHER[type(op)](), *ops[at + 1 :]]
                yield ast.Compare(left, other, comparators)
        case ast.BoolOp(op, values):
            other = _OTHER[type(op)]()
            yield ast.BoolOp(other, values)
        case ast.BinOp(left, op, right) if type(op) in _OTHER:
            other = _OTHER[type(op)]()
            yield ast.BinOp(left, other, right)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"


def _short(text: str) -> str:
    return " ".join(text.split())[:90]
