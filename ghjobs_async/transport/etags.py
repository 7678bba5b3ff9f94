"""Conditional requests: what an ETag belongs to, and the answer that it vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Generic, TypeAlias, TypeVar

import attrs

T = TypeVar("T")

#: The label of a request without a token.
ANONYMOUS: Final = "anonymous"
#: Takes the label of a credential; returns the ETag to send with it, or None.
EtagOf: TypeAlias = Callable[[str], str | None]


def label_of(authorization: str) -> str:
    """
    Return a label of a credential that does not disclose it.

    The same token has the same label in every process, so ETags can be kept in a file.

    Args:
        authorization: The value of the ``Authorization`` header; empty for no token.
    """
    if not authorization:
        return ANONYMOUS
    return hashlib.blake2b(authorization.encode(), digest_size=8).hexdigest()


@attrs.frozen
class Changed(Generic[T]):
    """
    The answer to a conditional request whose ETag was not, or no longer, the current one.

    Attributes:
        value: The decoded answer.
        etag: The ETag to send next time with the same credential; None where there is none.
        label: The label of the credential that got the answer.
    """

    value: T
    etag: str | None
    label: str
