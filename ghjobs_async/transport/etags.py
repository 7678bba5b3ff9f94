"""Remember answers with their ETags, so that an unchanged one costs neither budget nor decoding."""

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
# the rest of an answer some 3 KB.
_PER_BYTE: Final = 2.5
_PER_ANSWER: Final = 4096


@attrs.frozen
class Remembered(Generic[T]):
    """
    An answer, as it was when it last changed.

    Attributes:
        answer: The answer, not decoded.
        value: What it decodes to; shared by all who ask, so it must not be changed.
    """

    answer: Answer
    value: T

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
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
    Asks for what may be known already, and remembers the answers that were used last.

    An answer belongs to the token that got it, and to its URL. The server and the API version are
    those of the requester.

    Args:
        requester: Asks GitHub.
        bound: How many bytes the answers may take; the ones not used for longest are dropped.
    """

    requester: Requester
    bound: int = DEFAULT_BOUND
    #: How many bytes they take.
    size: int = attrs.field(default=0, init=False)
    _entries: OrderedDict[tuple[str, str], _Entry] = attrs.field(factory=OrderedDict, init=False)

    async def send(
        self, request: Request[T], *, resend: Callable[[int], bool] = bool
    ) -> Remembered[T]:
        """
        Send a request as `Requester.send` does, on the condition that its answer has changed.

        Args:
            request: What to ask. Requests for the same URL decode to the same type.
            resend: As in `Requester.send`.
        """
        # A 304 confirms the ETag that was sent; its entry may have been dropped from the memory by then.
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
    """Return the same request, whose value has the answer too."""
    return Request(
        request.owner,
        request.target,
        lambda answer: Remembered(answer, request.decode(answer)),
        request.method,
        patient=request.patient,
    )
