"""Remember answers by their ETags: an unchanged one costs no budget and is not decoded again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import attrs
import msgspec

from ghjobs_async.transport.requester import Requester
from ghjobs_async.wire.messages import Answer, Request

T = TypeVar("T")

#: How many bytes the remembered answers of one client may take.
DEFAULT_BOUND: Final = 32 * 2**20
# Measured: decoded jobs and runs take 2.1 to 2.5 times the bytes of their JSON, and the headers and
# the rest of an answer about 3 KB.
_PER_BYTE: Final = 2.5
_PER_ANSWER: Final = 4096


@attrs.frozen
class Remembered(Generic[T]):
    """
    The last answer that was not a 304.

    Attributes:
        answer: The answer, not decoded.
        value: The decoded answer, shared by all callers: do not change it.
    """

    answer: Answer
    value: T

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        encoded = len(msgspec.json.encode(self.value))
        return _PER_ANSWER + len(self.answer.raw) + int(_PER_BYTE * encoded)


@attrs.frozen
class _Entry:
    etag: str
    known: Remembered[Any]
    size: int


@attrs.define(eq=False)
class EtagMemory:
    """
    Sends conditional requests, and remembers the most recently used answers.

    An answer is remembered for its token and URL. The server and the API version are those of the
    requester.

    Args:
        requester: Asks GitHub.
        bound: How many bytes the answers may take; the least recently used are dropped.
    """

    requester: Requester
    bound: int = DEFAULT_BOUND
    #: How many bytes the answers take.
    size: int = attrs.field(default=0, init=False)
    _entries: OrderedDict[tuple[str, str], _Entry] = attrs.field(factory=OrderedDict, init=False)

    async def send(
        self, request: Request[T], *, resend: Callable[[int], bool] = bool
    ) -> Remembered[T]:
        """
        Send a request as `Requester.send` does, with the ETag of the remembered answer.

        Args:
            request: The request. Requests for the same URL decode to the same type.
            resend: As in `Requester.send`.
        """
        # The entry whose ETag was sent: it may be dropped from the memory before a 304 comes.
        sent: list[_Entry] = []

        def etag_of(label: str) -> str | None:
            sent[:] = self._recall(label, request.target)
            return sent[0].etag if sent else None

        changed = await self.requester.send_if_changed(_known(request), etag_of, resend=resend)
        if changed is None:
            return sent[0].known
        self._keep((changed.label, request.target), changed.etag, changed.value)
        return changed.value

    def _recall(self, label: str, target: str) -> list[_Entry]:
        key = label, target
        if key not in self._entries:
            return []
        self._entries.move_to_end(key)
        return [self._entries[key]]

    def _keep(self, key: tuple[str, str], etag: str | None, known: Remembered[Any]) -> None:
        if key in self._entries:
            self.size -= self._entries.pop(key).size
        if etag is None:
            return
        self._entries[key] = entry = _Entry(etag, known, known.size)
        self.size += entry.size
        while self.size > self.bound:
            _, dropped = self._entries.popitem(last=False)
            self.size -= dropped.size


def _known(request: Request[T]) -> Request[Remembered[T]]:
    """Return the request so that its value includes the answer."""
    return Request(
        request.owner,
        request.target,
        lambda answer: Remembered(answer, request.decode(answer)),
        request.method,
        patient=request.patient,
    )
