"""
Asks the API: credentials, the gate, limits, redirects, retries.

`Api.send` gives the decoded value of an answer; `Api.ask_log` asks where a log lies, and
`Api.follow` opens it there. A token goes to the API's origin and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import attrs

from ghjobs_async.clock import Clock
from ghjobs_async.errors import TransportError
from ghjobs_async.transport.auth import Ask, Credential, Wallet
from ghjobs_async.transport.budget import Budget
from ghjobs_async.transport.gate import Gate
from ghjobs_async.transport.retries import Retries
from ghjobs_async.transport.session import USER_AGENT, Body, Transport
from ghjobs_async.wire.answers import raise_for, rate_limit_error, unusable
from ghjobs_async.wire.limits import Limited, find_limit
from ghjobs_async.wire.messages import Answer, Request
from ghjobs_async.wire.urls import is_log_path, location, origin, redacted

T = TypeVar("T")

_REDIRECTS_MOST: Final = 5
# How often one request is sent again because of a limit, before the limit is an error.
_LIMIT_HITS_MOST: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@attrs.define(eq=False)
class Api:
    """
    Everything between a request and its answer.

    Args:
        transport: The door to the network.

        wallet: Which credential a request carries.

        gate: The shared gate of limits.

        api_version: Sent as ``X-GitHub-Api-Version``; None sends none.

        retries: What is sent again, and when.

        clock: Time and chance.
    """

    transport: Transport
    wallet: Wallet
    gate: Gate
    api_version: str | None
    retries: Retries
    clock: Clock
    _root: str = attrs.field(init=False)
    _origin: tuple[str, str, int | None] = attrs.field(init=False)
    _headers: dict[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._root = self.transport.root
        self._origin = origin(self._root)
        self._headers = {"Accept": "application/vnd.github+json", "User-Agent": USER_AGENT}
        if self.api_version is not None:
            self._headers["X-GitHub-Api-Version"] = self.api_version

    async def send(self, request: Request[T], *, resend: Callable[[int], bool] = bool) -> T:
        """
        Ask the API and decode the answer.

        Args:
            request: What to ask.

            resend: Whether a 5xx status is worth sending the same request again.
        """

        async def once() -> T:
            credential = await self.wallet.credential(request.owner)
            answer, _ = await self._ask(request, credential)
            return request.decode(answer)

        return await self.retries.run(once, resend)

    async def aclose(self) -> None:
        """Close what is ours. Twice is fine."""
        await self.transport.aclose()

    async def ask_log(self, request: Request[str], headers: Mapping[str, str]) -> str | Body:
        """
        Ask the API for a log, once: the signed URL that it redirects to, or the log itself.

        A link lives for a minute, so whoever asks for one tries again with a new one, by `retries`.

        Args:
            request: Made by `get_log`.

            headers: For the case that the API answers with the log itself: ``Range``.
        """
        credential = await self.wallet.credential(request.owner)
        answer, body = await self._ask(request, credential, log=headers)
        return request.decode(answer) if body is None else body

    async def follow(self, url: str, headers: Mapping[str, str]) -> Body:
        """
        Open a signed link: without a token, through a session that knows nobody's secrets.

        Redirects are followed; no other status is judged here.
        """
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        for _ in range(_REDIRECTS_MOST + 1):
            body = await self.transport.open(url, headers)
            if body.status not in _REDIRECTS:
                return body
            body.close()
            url = location(Answer(body.status, body.headers, b"", "GET", body.url), url)
        raise _too_many_redirects("GET", redacted(url))

    async def _ask(
        self,
        request: Request[T],
        credential: Credential,
        *,
        log: Mapping[str, str] | None = None,
    ) -> tuple[Answer, Body | None]:
        """
        Send a request until the API itself has answered it: through limits, redirects within the
        API's origin, and one renewal of an App's token. With *log*, a redirect away is an answer,
        and the log itself stays open.
        """
        url = self._root + request.target
        auth = credential.auth
        redirects = hits = renewals = 0
        while True:
            authorization = await auth.header(self._ask_as, self.clock) if auth else None
            # A query may be a secret once the server has chosen the address.
            safe = redacted(url) if redirects else url
            answer, body, limited = await self._exchange(
                request.method, url, safe, credential.budget, authorization, log
            )
            if limited is not None:
                hits += 1
                until = credential.budget.until
                if hits > _LIMIT_HITS_MOST or until - self.clock.now() > self.gate.max_wait:
                    raise rate_limit_error(limited.scope, until, url=answer.url, answer=answer)
            elif body is not None or 200 <= answer.status < 300:
                return answer, body
            elif answer.status in _REDIRECTS:
                target = location(answer, url)
                if log is not None and not is_log_path(target, self._root):
                    led = Answer(
                        answer.status, {"Location": target}, b"", answer.method, answer.url
                    )
                    return led, None
                if origin(target) != self._origin:
                    raise _leads_away(answer, target)
                redirects += 1
                if redirects > _REDIRECTS_MOST:
                    raise _too_many_redirects(answer.method, answer.url)
                url = target
            elif (
                answer.status == 401
                and auth
                and not renewals
                and auth.refused(authorization or "")
                and await auth.header(self._ask_as, self.clock) != authorization
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

    async def _ask_as(self, request: Request[T], authorization: str) -> T:
        """Ask with an authorization of its own, as an App does to mint its tokens."""
        credential = Credential(_Fixed(authorization), Budget())

        async def once() -> T:
            answer, _ = await self._ask(request, credential)
            return request.decode(answer)

        return await self.retries.run(once)

    async def _exchange(
        self,
        method: str,
        url: str,
        safe: str,
        budget: Budget,
        authorization: str | None,
        log: Mapping[str, str] | None,
    ) -> tuple[Answer, Body | None, Limited | None]:
        """One request through the gate, and what its answer says about limits."""
        headers = self._headers
        if authorization is not None:
            headers = {**headers, "Authorization": authorization}
        if log is not None:
            headers = {**headers, "Accept-Encoding": "identity", **log}
        departed = await self.gate.enter(budget, safe)
        try:
            answer, body = await self.transport.ask(method, url, safe, headers, log=log is not None)
        finally:
            self.gate.leave(budget)
        now = self.clock.now()
        budget.learn(answer.headers, now)
        limited = find_limit(answer.status, answer.headers, answer.body, now)
        if limited is not None:
            budget.pause(limited, departed, now)
        else:
            budget.relax(departed)
        return answer, body, limited


@attrs.frozen
class _Fixed:
    """One authorization, as it is."""

    authorization: str = attrs.field(repr=False)

    async def header(self, ask: Ask, clock: Clock) -> str:  # noqa: ARG002
        return self.authorization

    def refused(self, header: str) -> bool:  # noqa: ARG002
        return False


def _too_many_redirects(method: str, safe: str) -> TransportError:
    return TransportError(
        f"{method} {safe}: more than {_REDIRECTS_MOST} redirects",
        method=method,
        url=safe,
        retryable=False,
    )


def _leads_away(answer: Answer, target: str) -> TransportError:
    return unusable(
        answer,
        f"{answer.status} leads to another origin, {redacted(target)}; not followed, since the "
        "token belongs to this one",
        retryable=False,
    )
