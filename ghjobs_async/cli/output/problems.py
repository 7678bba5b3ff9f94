"""Errors in plain words: what the parser does not take, and what GitHub does not find."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from cyclopts import CoercionError, CycloptsError, MissingArgumentError
from cyclopts.exceptions import RepeatArgumentError, UnknownCommandError, UnusedCliTokensError

from ghjobs_async.errors import NotFoundError

_NUMBERED: Final = re.compile(r"([^/]+/[^/]+)/actions/(run|job)s/([0-9]+)(?:/attempts/([0-9]+))?")
_OWNER: Final = re.compile(r"/(org|user)s/([^/]+)/repos$")


def usage(error: CycloptsError) -> str:
    """Say in one line what is wrong with the arguments."""
    see = f"see {' '.join(('ghjobs', *(error.command_chain or ())))} --help"
    match error:
        case UnusedCliTokensError() if error.unused_tokens:
            return f"unexpected argument {error.unused_tokens[0]!r}: {see}"
        case MissingArgumentError(argument=argument) if argument is not None:
            name = error.keyword or argument.name
            return f"{name} needs a value: {see}" if name[0] == "-" else f"{name} is missing: {see}"
        case UnknownCommandError() if error.unused_tokens and error.unused_tokens[0][0] == "-":
            return f"unknown option {error.unused_tokens[0]}: {see}"
        case RepeatArgumentError():
            return f"{error.token.keyword} is given twice: leave one of them out"
        case CoercionError(token=token) if token is not None and token.keyword:
            if error.target_type is bool:
                return f"{token.keyword} takes no value, not {token.value!r}"
            if error.target_type in {int, float}:
                return f"{token.keyword} is a number, not {token.value!r}"
    return " ".join(str(error).split())


def explain(error: Exception) -> str:
    """Say in one line what is wrong and what to check; --verbose shows the request."""
    return _not_found(error) if isinstance(error, NotFoundError) else str(error)


def _not_found(error: NotFoundError) -> str:
    path = urlsplit(error.url).path
    if owner := _OWNER.search(path):
        return f"check the name, {owner[1]} {owner[2]}: 404, {error.hint}"
    where = path.rpartition("/repos/")[2]
    found = _NUMBERED.match(where)
    if found is None:
        return f"check the name, {where}: 404, {error.hint}"
    repo, what, number, attempt = found.groups()
    if attempt is not None:
        number += f", attempt {attempt}"
    run = f" (if {number} is a run: ghjobs list {number})" if what == "job" else ""
    return f"check the number, {repo} {what} {number}: 404, {error.hint}{run}"
