"""Times as GitHub writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


@lru_cache(maxsize=4096)
def iso(epoch: int) -> str:
    """Write seconds since the epoch as GitHub's JSON does."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=16)
def http_date(epoch: int) -> str:
    """Write seconds since the epoch as HTTP headers do."""
    return formatdate(epoch, usegmt=True)


def epoch(text: object) -> int | None:
    """Read one of GitHub's date-times as whole seconds since the epoch; None if it is not one."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
