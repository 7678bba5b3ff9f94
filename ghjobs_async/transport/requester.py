"""
Sends requests to the API: credentials, the gate, limits, redirects, retries.

`Requester.send` gives the decoded value of an answer, `Requester.send_if_changed` only that of a new
one. `Requester.open` asks for a log, and `Requester.follow` opens it behind its signed link. A token
goes to the API's origin and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Final, Generic, TypeAlias, TypeVar

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import TransportError
from ghjobs_async.transport.auth import Ask, Credential, CredentialStore, label_of
from ghjobs_async.transport.body import Response
from ghjobs_async.transport.budget import Budget
from ghjobs_async.transport.gate import Gate
from ghjobs_async.transport.retries import Retries
from ghjobs_async.transport.session import USER_AGENT, Sessions
from ghjobs_async.wire.answers import raise_for
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.urls import is_log_path, is_same_resource, origin, redacted

T = TypeVar("T")

_MAX_REDIRECTS: Final = 5
# How often one request is sent again because of a limit, before the limit is an error.
_MAX_LIMIT_HITS: Final = 10
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# A log, or a part of it.
_CONTENT: Final = frozenset({200, 206})
# These, another version of it (412), or nothing beyond its end (416).
_LOG_STATUSES: Final = _CONTENT | {412, 416}

#: Takes the label of a credential; returns the ETag to send with it, or None.
EtagOf: TypeAlias = Callable[[str], str | None]


@attrs.frozen
class Changed(Generic[T]):
    """
    The answer to a conditional request that is new, or was never asked for before.

    Attributes:
        value: The decoded answer.
        etag: The ETag to send next time with the same credential; None where there is none.
        label: The label of the credential that got the answer.
    """

    value: T
    etag: str | None
    label: str


@attrs.define(eq=False)
class Requester:
    """
    Sends requests to the API and returns their answers.

    Args:
        sessions: The way to the network.
        credentials: Selects the credential of a request.
        gate: The shared gate of limits.
        api_version: Sent as ``X-GitHub-Api-Version``; None sends none.
        retries: What is sent again, and when.
        clock: Time and chance.
    """

    sessions: Sessions
    credentials: CredentialStore
    gate: Gate
    api_version: str | None
    retries: Retries
    clock: Clock
    _origin: tuple[str, str, int | None] = attrs.field(init=False)
    _headers: dict[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._origin = origin(self.sessions.root)
        self._headers = {
            "Accept": "application/vnd.github+json",
            "Accept-Encoding": "gzip",
            "User-Agent": USER_AGENT,
        }
        if self.api_version is not None:
            self._headers["X-GitHub-Api-Version"] = self.api_version

    async def send(self, request: Request[T], *, resend: Callable[[int], bool] = bool) -> T:
        """
        Send a request, again where that may help, and decode the answer.

        Args:
            request: What to ask.
            resend: Returns whether to send the request again after this 5xx status.
        """

        async def once() -> T:
            credential = await self.credentials.get(request.owner)
            return _decoded(request, *await self._ask(request, credential, {}))

        return await (self.retries.run(once, resend) if request.patient else once())

    async def send_if_changed(
        self, request: Request[T], etag_of: EtagOf, *, resend: Callable[[int], bool] = bool
    ) -> Changed[T] | None:
        """
        Send a request as `send` does, but with an ETag; return None where nothing has changed.

        A 304 costs no hourly budget, and is paced and counted like any other answer.
        https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate

        Args:
            request: What to ask.
            etag_of: Asked before each try for the ETag that this credential got for the request: a
                token that was renewed has another label. None sends no condition.
            resend: As in `send`.

        Raises:
            TransportError: There was a 304, but no condition.
        """

        async def once() -> Changed[T] | None:
            credential = await self.credentials.get(request.owner)
            answer, response = await self._ask(request, credential, {}, etag_of)
            if answer.status == 304:
                return None
            value = _decoded(request, answer, response)
            own = is_same_resource(response.url, self.sessions.root + request.target)
            return Changed(value, answer.etag if own else None, label_of(answer.secret))

        return await (self.retries.run(once, resend) if request.patient else once())

    async def open(self, request: Request[Answer], headers: Mapping[str, str]) -> Response:
        """
        Ask for a log, once: the response is its signed link (a redirect), or the open log itself.

        A link lives for a minute, so whoever asks for one tries again with a new one.

        Args:
            request: A streamed one.
            headers: Sent too (``Range``), for an API that answers with the log itself.
        """
        credential = await self.credentials.get(request.owner)
        _, response = await self._ask(
            request, credential, {"Accept-Encoding": "identity", **headers}
        )
        return self._counted(response)

    async def follow(self, url: str, headers: Mapping[str, str]) -> Response:
        """
        Open a signed link without a token, through a session that holds no secrets.

        Redirects are followed; no other status is judged here.
        """
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        for redirects in count():
            response = await self.sessions.follow(url, headers)
            if response.status not in REDIRECTS:
                return self._counted(response)
            response.close()
            if redirects == _MAX_REDIRECTS:
                raise _too_many_redirects(response.head)
            url = response.target
        raise AssertionError("the loop returns or raises")

    def _counted(self, response: Response) -> Response:
        self.sessions.counters.downloads += response.status in _CONTENT
        return response

    async def aclose(self) -> None:
        """Close what is ours. Twice is fine."""
        await self.sessions.aclose()

    async def _ask(
        self,
        request: Request[T],
        credential: Credential,
        extra: Mapping[str, str],
        etag_of: EtagOf | None = None,
    ) -> tuple[Answer, Response]:
        """
        Send a request until the API itself has answered it: through limits, redirects within the
        API's origin, and one renewal of an App's token.
        """
        asked = url = self.sessions.root + request.target
        auth = credential.auth
        redirects = hits = renewals = 0
        while True:
            authorization = await credential.header(self._ask_as, self.clock)
            condition = _condition(etag_of, authorization)
            headers = {**self._headers, **extra, **condition}
            if authorization is not None:
                headers["Authorization"] = authorization
            # Once the server has chosen the address, its query may be a secret.
            safe_url = redacted(url) if redirects else url
            async with self.gate.slot(credential.budget, safe_url, patient=request.patient) as slot:
                response = await self.sessions.ask(request.method, url, headers, safe_url=safe_url)
                streamed = request.streamed and response.status in _LOG_STATUSES
                answer = (
                    response.head if streamed else await response.read_whole(authorization or "")
                )
                limited = slot.learn(answer)
            if limited:
                hits += 1
                if hits > _MAX_LIMIT_HITS:
                    raise slot.refusal(answer)
            elif streamed or 200 <= answer.status < 300 or (condition and answer.status == 304):
                return answer, response
            elif answer.status in REDIRECTS:
                target = response.target
                if request.streamed and not is_log_path(target, self.sessions.root):
                    return answer, response
                redirects += 1
                self._check_redirect(answer, target, redirects)
                # An ETag tells versions of one resource apart: it says nothing about another one.
                etag_of = etag_of if is_same_resource(target, asked) else None
                url = target
            elif (
                answer.status == 401
                and auth
                and not renewals
                and auth.refused(authorization or "")
                and await credential.header(self._ask_as, self.clock) != authorization
            ):
                renewals += 1
                await self.retries.back_off(1, "a fresh token")
            else:
                raise_for(
                    answer,
                    api_version=self.api_version,
                    authorized=authorization is not None,
                    now=self.clock.now(),
                )

    def _check_redirect(self, answer: Answer, target: str, redirects: int) -> None:
        if origin(target) != self._origin:
            raise answer.unusable(
                f"{answer.status} leads to another origin, {redacted(target)}; not followed, since "
                "the token belongs to this one",
                retryable=False,
            )
        if redirects > _MAX_REDIRECTS:
            raise _too_many_redirects(answer)

    async def _ask_as(self, request: Request[T], authorization: str) -> T:
        """Send a request with an authorization of its own, as an App does to mint its tokens."""
        credential = Credential(_Fixed(authorization), Budget())

        async def once() -> T:
            answer, _ = await self._ask(request, credential, {})
            return request.decode(answer)

        return await self.retries.run(once)


@attrs.frozen
class _Fixed:
    """An `Auth` that always gives the same header."""

    authorization: str = attrs.field(repr=False)

    async def header(self, ask: Ask, clock: Clock) -> str:  # noqa: ARG002
        return self.authorization

    def refused(self, header: str) -> bool:  # noqa: ARG002
        return False


def _condition(etag_of: EtagOf | None, authorization: str | None) -> dict[str, str]:
    etag = None if etag_of is None else etag_of(label_of(authorization or ""))
    return {} if etag is None else {"If-None-Match": etag}


def _decoded(request: Request[T], answer: Answer, response: Response) -> T:
    try:
        return request.decode(answer)
    except TransportError:
        # Half an answer, or one to another request: more may follow on the connection.
        response.drop()
        raise


def _too_many_redirects(answer: Answer) -> TransportError:
    return answer.unusable(f"more than {_MAX_REDIRECTS} redirects", retryable=False)
