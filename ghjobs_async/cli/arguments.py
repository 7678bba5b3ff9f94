"""The command line, made ready for the parser. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

#: Commands whose ``--json`` may be followed by fields.
_WITH_FIELDS: Final = frozenset({"job", "list", "runs"})
# A RUN, a JOB or a repository begins with a digit or holds a slash: nothing else that may follow
# reads like this. So a mistyped field is still taken for a field, and reported as one.
_FIELDS: Final = re.compile(r"[^\W\d][^/:]*")


def prepare(argv: Sequence[str]) -> list[str]:
    """
    Put a leading ``--verbose`` behind the command, and join ``--json`` with its fields.

    The parser knows no option whose value may be missing: ``--json`` alone becomes ``--json=``.
    """
    leading = len(list(takewhile(lambda word: word == "--verbose", argv)))
    words = list(argv[leading:])
    if leading and words and not words[0].startswith("-"):
        words.insert(1, "--verbose")
    if not words or words[0] not in _WITH_FIELDS:
        return words
    prepared: list[str] = []
    while words and words[0] != "--":
        word = words.pop(0)
        if word == "--json":
            fields = words.pop(0) if words and _FIELDS.fullmatch(words[0]) else ""
            word = f"--json={fields}"
        prepared.append(word)
    return prepared + words
