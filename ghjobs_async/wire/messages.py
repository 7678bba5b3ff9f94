"""One request to the API, and the answer to it, as plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final, Generic, TypeVar

import attrs

from ghjobs_async.errors import TransportError, one_line
from ghjobs_async.wire.packed import BROKEN_STREAM, Stream, is_packed, unpack

T = TypeVar("T")

# GitHub's tokens are longer; a shorter one may occur in an answer by chance.
_MIN_SECRET: Final = 16
#: The largest answer that is read: a page of 100 runs has some 2 MB.
MAX_ANSWER: Final = 16 * 2**20
# Pages of jobs pack to a twentieth of their size. What unpacks to a hundred times its size, and to
# more than 4 MB, is not a page.
_MAX_RATIO: Final = 100
_MIN_UNPACKED: Final = 4 * 2**20
_HEAD: Final = 4096
# https://www.rfc-editor.org/rfc/rfc9110#name-etag, without what no header can send back.
_ETAG: Final = re.compile(r'(?:W/)?"[!#-~]{0,256}"')


@attrs.frozen
class Answer:
    """
    One answer, read to its end and not interpreted yet.

    Attributes:
        raw: The body as it came, perhaps packed: so it takes little memory until it is decoded.
        url: The address that was asked; without its query where that may be a secret.
        secret: The ``Authorization`` that was sent.
    """

    status: int
    headers: Mapping[str, str]
    raw: bytes = attrs.field(repr=False)
    method: str
    url: str
    secret: str = attrs.field(default="", repr=False)

    @property
    def request_id(self) -> str | None:
        """GitHub's id of the request."""
        return self.headers.get("X-GitHub-Request-Id")

    @property
    def etag(self) -> str | None:
        """The ETag; None where there is none, or a malformed one."""
        given = self.headers.get("ETag", "")
        return given if self.status == 200 and _ETAG.fullmatch(given) else None

    @property
    def body(self) -> bytes:
        """
        The body, unpacked.

        Raises:
            TransportError: It is cut off, or holds more than `MAX_ANSWER`.
        """
        if not self.raw or not is_packed(self.headers):
            return self.raw
        try:
            body = unpack(self.raw, min(MAX_ANSWER, max(_MIN_UNPACKED, len(self.raw) * _MAX_RATIO)))
        except BROKEN_STREAM as error:
            raise self.unusable(f"the packed answer is broken ({one_line(str(error))})") from None
        if body is None:
            raise self.too_large()
        return body

    @cached_property
    def head(self) -> bytes:
        """The first 4 KB of the body, unpacked; fewer where it has no more, or is broken."""
        if not self.raw or not is_packed(self.headers):
            return self.raw[:_HEAD]
        try:
            return Stream(self.raw).unpack(_HEAD)
        except BROKEN_STREAM:
            return b""

    def too_large(self) -> TransportError:
        """Build the error for a body that is too large to be read."""
        words = f"the answer is larger than {MAX_ANSWER >> 20} MB; ask for less"
        return self.unusable(words, retryable=False)

    def unusable(self, words: str, *, retryable: bool = True) -> TransportError:
        """Build the error for a response that is not a usable API answer."""
        return TransportError(
            f"{self.method} {self.url}: {words}",
            retryable=retryable,
            method=self.method,
            url=self.url,
            request_id=self.request_id,
        )

    def wrapped(self, begin: bytes) -> Answer:
        """Return the answer with its body, a bare list, as the last field of the object *begin*."""
        body = begin + self.body + b"}"
        return Answer(self.status, {}, body, self.method, self.url, self.secret)

    def cleaned(self) -> Answer:
        """Return the answer without the token that was sent: some servers repeat it in an error."""
        token = self.secret.rpartition(" ")[2].encode()
        if len(token) < _MIN_SECRET or token not in self.body:
            return self
        return Answer(self.status, {}, self.body.replace(token, b"..."), self.method, self.url)


@attrs.frozen
class Request(Generic[T]):
    """
    One request to the API.

    Attributes:
        owner: Owner of the repository in question; selects the credential.
        target: Path and query below the API's root.
        decode: Turns a successful answer into its value, or raises.
        check: Checks without decoding, and raises where this is the answer to another request.
        streamed: Whether it asks for a log: then the body of a success is left unread, and a redirect
            away from the API is an answer, too.
        patient: Whether it is sent again after a failure, and waits for limits.
    """

    owner: str
    target: str
    decode: Callable[[Answer], T]
    method: str = "GET"
    check: Callable[[Answer], None] | None = None
    streamed: bool = False
    patient: bool = True

    def undecoded(self) -> Request[Answer]:
        """Return the same request, whose value is the answer itself."""

        def checked(answer: Answer) -> Answer:
            if self.check is not None:
                self.check(answer)
            return answer

        return Request(self.owner, self.target, checked, self.method)
