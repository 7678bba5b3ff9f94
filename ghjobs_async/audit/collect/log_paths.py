"""Make the paths of logs from untrusted names: never outside the folder, never two equal ones. Pure."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from ghjobs_async.logtext import plain
from ghjobs_async.models import Job

#: How many bytes of a job's name to keep. File systems allow 255 bytes in a name, and Windows 260
#: characters in a path.
_MAX_BYTES: Final = 80
#: Characters that Windows does not allow or that shells interpret.
_AWKWARD: Final = re.compile(r"""[<>:"/\\|?*'`$&;!#%{}\s~^=,]+""")
_JOINER: Final = "\u200d"
# Windows treats these names as devices, with any extension.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))}
)


def log_path(repo: str, job: Job) -> PurePosixPath:
    """
    Return the path of a job's log, relative to the folder of logs.

    The job's id makes it unique where names are equal or differ only in case. The name after it is
    for people.
    """
    name = safe(job.name)
    file = f"{job.id}-{name}.log" if name else f"{job.id}.log"
    attempt = "" if job.run_attempt is None else f"-{job.run_attempt}"
    return PurePosixPath(folder_of(repo), f"{job.run_id}{attempt}", file)


def folder_of(repo: str) -> str:
    """Return the name of a repository's folder."""
    name = repo.lower().replace("/", "--").rstrip(".")
    return f"_{name}" if name.partition(".")[0] in _DEVICES else name


def safe(text: str) -> str:
    """Return the part of *text* that is safe in a file name; it may be empty."""
    text = unicodedata.normalize("NFC", _AWKWARD.sub("-", plain(text).text))
    kept = "".join(c for c in text if c.isprintable() or c == _JOINER)
    return _cut(kept).strip("-. " + _JOINER)


def _cut(text: str) -> str:
    """Cut *text* to the limit, but never inside a character of several code points."""
    data = text.encode()
    if len(data) <= _MAX_BYTES:
        return text
    cut = data[:_MAX_BYTES].decode(errors="ignore")
    rest = text[len(cut) :]
    while cut and (unicodedata.combining(rest[0]) or _joined(cut, rest)):
        rest = cut[-1] + rest
        cut = cut[:-1]
    return cut


def _joined(before: str, after: str) -> bool:
    marks = (_JOINER, "\ufe0f", "\u20e3")
    tone = "\U0001f3fb" <= after[0] <= "\U0001f3ff"
    return before[-1] == _JOINER or after[0] in marks or tone
