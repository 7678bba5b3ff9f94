"""File names out of strangers' words: never outside the folder, never two alike. Pure."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from ghjobs_async.logtext import plain
from ghjobs_async.models import Job

#: Bytes of a job's name to keep: file systems stop at 255 bytes, Windows at 260 of the whole path.
_MOST_BYTES: Final = 80
#: What Windows, shells and people trip over.
_AWKWARD: Final = re.compile(r"""[<>:"/\\|?*'`$&;!#%{}\s~^=,]+""")
_JOINER: Final = "\u200d"
# Windows takes these for devices, whatever stands after a dot.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))}
)


def log_path(repo: str, job: Job) -> PurePosixPath:
    """
    Give the place of a job's log, below the folder of logs.

    The job's number makes it unique, where names are equal or differ in case only; the name behind it
    is for people.
    """
    name = safe(job.name)
    file = f"{job.id}-{name}.log" if name else f"{job.id}.log"
    attempt = "" if job.run_attempt is None else f"-{job.run_attempt}"
    return PurePosixPath(folder_of(repo), f"{job.run_id}{attempt}", file)


def folder_of(repo: str) -> str:
    """Give the name of a repository's folder."""
    name = repo.lower().replace("/", "--").rstrip(".")
    return f"_{name}" if name.partition(".")[0] in _DEVICES else name


def safe(text: str) -> str:
    """Give what of *text* may stand in a file name; possibly nothing."""
    text = unicodedata.normalize("NFC", _AWKWARD.sub("-", plain(text).text))
    kept = "".join(c for c in text if c.isprintable() or c == _JOINER)
    return _cut(kept).strip("-. " + _JOINER)


def _cut(text: str) -> str:
    """Cut after whole characters, never within an emoji of several."""
    data = text.encode()
    if len(data) <= _MOST_BYTES:
        return text
    cut = data[:_MOST_BYTES].decode(errors="ignore")
    rest = text[len(cut) :]
    while cut and (unicodedata.combining(rest[0]) or _joined(cut, rest)):
        rest = cut[-1] + rest
        cut = cut[:-1]
    return cut


def _joined(before: str, after: str) -> bool:
    marks = (_JOINER, "\ufe0f", "\u20e3")
    tone = "\U0001f3fb" <= after[0] <= "\U0001f3ff"
    return before[-1] == _JOINER or after[0] in marks or tone
