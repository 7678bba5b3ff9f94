"""One request to the API, and the answer to it, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import attrs

T = TypeVar("T")

# GitHub's tokens are longer; a shorter one might be a word of the answer.
_MIN_SECRET: Final = 16


@attrs.frozen
class Answer:
    """
    One answer, read to its end and not interpreted yet.

    Attributes:
        url: The address that was asked; without its query where that may be a secret.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    method: str
    url: str

    @property
    def request_id(self) -> str | None:
        """GitHub's id of the request."""
        return self.headers.get("X-GitHub-Request-Id")

    def without(self, authorization: str) -> Answer:
        """Return the answer without the token that was sent: some servers repeat it in an error."""
        token = authorization.rpartition(" ")[2].encode()
        if len(token) < _MIN_SECRET or token not in self.body:
            return self
        return attrs.evolve(self, body=self.body.replace(token, b"..."))


@attrs.frozen
class Request(Generic[T]):
    """
    One request to the API.

    Attributes:
        owner: Owner of the repository in question; selects the credential.
        target: Path and query below the API's root.
        decode: Turns a successful answer into its value, or raises.
        check: Raises where an answer is, at a glance, the answer to another request.
        streamed: Whether it asks for a log: then a success stays open, and a redirect away from the
            API is an answer too.
    """

    owner: str
    target: str
    decode: Callable[[Answer], T]
    method: str = "GET"
    check: Callable[[Answer], None] | None = None
    streamed: bool = False

    def undecoded(self) -> Request[Answer]:
        """Return the same request, whose value is the answer itself."""

        def checked(answer: Answer) -> Answer:
            if self.check is not None:
                self.check(answer)
            return answer

        return Request(self.owner, self.target, checked, self.method)


def unchanged(answer: Answer) -> Answer:
    """Return the answer itself: the value of a request that is not decoded."""
    return answer
