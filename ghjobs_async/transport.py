"""
The one door to the network: session, credentials, gate, retries, redirects.

`Transport.send` asks the API and gives the decoded value; `Transport.ask_log` asks it where a log
lies, and `Transport.follow` opens it there. A token goes to the API's origin and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
import attrs
from yarl import URL

from ghjobs_async import environment, limits, wire
from ghjobs_async.auth import Ask, Credential, Wallet
from ghjobs_async.clock import Clock
from ghjobs_async.errors import (
    ConfigurationError,
    RequestTimeoutError,
    TransportError,
    shown,
)
from ghjobs_async.gate import Gate
from ghjobs_async.retries import Retries

T = TypeVar("T")

#: On every hop: to connect, between two reads, and in all (but for logs).
DEFAULT_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
# The largest answer of the API that is read: pages of 100 runs have some 2 MB.
ANSWER_MOST: Final = 16 * 2**20
_UNPACKED_MOST: Final = 2**18
_ZLIB_OR_GZIP: Final = 47
_LARGE: Final = 4 * 2**20
# Pages of jobs pack to a twentieth; what unpacks to a hundred times its size is no page.
_PACKED_MOST: Final = 100
_REDIRECTS_MOST: Final = 5
# How often one request is sent again because of a limit, before the limit is an error.
_LIMIT_HITS_MOST: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_USER_AGENT: Final = f"ghjobs-async/{version('ghjobs-async')}"


class Body:
    """
    The open body of a log: its status and headers, and its bytes as they come.

    Raises (from `read`):
        TransportError: The connection broke off, or a read took too long.
    """

    def __init__(self, response: aiohttp.ClientResponse, url: str) -> None:
        self._response = response
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        #: Whether it comes packed, though it was asked for as it is: a proxy may not care.
        self.packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        # aiohttp does not tell a gzip stream that was cut from one that has ended.
        self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP) if self.packed else None

    async def read(self) -> bytes:
        """The next bytes, as many as have come; none at the end."""
        try:
            if self._inflate is None:
                return await self._response.content.readany()
            return await self._unpacked(self._inflate)
        except (
            aiohttp.ClientError,
            OSError,
            TimeoutError,
            EOFError,
            ValueError,
            zlib.error,
        ) as error:
            failure = _transport_error(error, "GET", self.url)
        raise failure

    async def _unpacked(self, inflate: zlib._Decompress) -> bytes:
        while not inflate.eof:
            data = inflate.unconsumed_tail or await self._response.content.readany()
            if not data:
                raise EOFError("the packed log was cut off")
            if unpacked := inflate.decompress(data, _UNPACKED_MOST):
                return unpacked
        return b""

    def close(self) -> None:
        """Let go of the connection; at once where bytes are left."""
        self._response.close()


@attrs.define(eq=False)
class Transport:
    """
    Everything between a request and its answer.

    Args:
        root: The API's root, without a slash at its end.

        wallet: Which credential a request carries.

        gate: The shared gate of limits.

        api_version: Sent as ``X-GitHub-Api-Version``; None sends none.

        timeout: For every hop.

        retries: What is sent again, and when.

        clock: Time and chance.

        borrowed: A session to use and never to close; None makes one.
    """

    root: str
    wallet: Wallet
    gate: Gate
    api_version: str | None
    timeout: aiohttp.ClientTimeout
    retries: Retries
    clock: Clock
    borrowed: aiohttp.ClientSession | None
    _api: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    # For the storage: a session without anybody's headers, cookies or credentials.
    _clean: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    _headers: dict[str, str] = attrs.field(init=False)
    _log_timeout: aiohttp.ClientTimeout = attrs.field(init=False)
    _origin: tuple[str, str, int | None] = attrs.field(init=False)
    _proxies: dict[tuple[str, str], str | None] = attrs.field(factory=dict, init=False)
    # Large answers are read one at a time, so that many of them do not fill the memory.
    _large: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.timeout, aiohttp.ClientTimeout):
            raise ConfigurationError(
                f"timeout is an aiohttp.ClientTimeout(total=60), not {shown(self.timeout)}"
            )
        if not isinstance(self.borrowed, aiohttp.ClientSession | None):
            raise ConfigurationError(
                f"session is an aiohttp.ClientSession, not {shown(self.borrowed)}"
            )
        self._origin = wire.origin(self.root)
        total = self.timeout.total
        # A log may take as long as it needs, but no single wait for it. Only a borrowed session may
        # let a request wait for a connection.
        self._log_timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self.timeout.connect or (total if self.borrowed else None),
            sock_connect=self.timeout.sock_connect or total,
            sock_read=self.timeout.sock_read or total,
        )
        self._headers = {"Accept": "application/vnd.github+json", "User-Agent": _USER_AGENT}
        if self.api_version is not None:
            self._headers["X-GitHub-Api-Version"] = self.api_version

    # The API.

    async def send(self, request: wire.Request[T], *, resend: Callable[[int], bool] = bool) -> T:
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

    async def ask_log(self, request: wire.Request[str], headers: Mapping[str, str]) -> str | Body:
        """
        Ask the API for a log, once: the signed URL that it redirects to, or the log itself.

        A link lives for a minute, so whoever asks for one tries again with a new one, by `retries`.

        Args:
            request: Made by `wire.get_log`.

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
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **headers}
        safe = wire.redacted(url)
        for _ in range(_REDIRECTS_MOST + 1):
            session, timeout = self._storage(), self._log_timeout
            response = await self._request(session, "GET", url, safe, headers, timeout, log=True)
            if response.status not in _REDIRECTS:
                return Body(response, safe)
            response.close()
            url = wire.location(
                wire.Answer(response.status, response.headers, b"", "GET", safe), url
            )
            safe = wire.redacted(url)
        raise _too_many_redirects(wire.Answer(302, {}, b"", "GET", safe))

    async def _ask(
        self,
        request: wire.Request[T],
        credential: Credential,
        *,
        log: Mapping[str, str] | None = None,
    ) -> tuple[wire.Answer, Body | None]:
        """
        Send a request until the API itself has answered it: through limits, redirects within the
        API's origin, and one renewal of an App's token. With *log*, a redirect away is an answer,
        and a 200 stays open.
        """
        url = self.root + request.target
        auth = credential.auth
        redirects = hits = renewals = 0
        while True:
            authorization = await auth.header(self._ask_as, self.clock) if auth else None
            answer, body, limited = await self._exchange(
                request.method, url, credential.budget, authorization, log
            )
            if limited is not None:
                hits += 1
                until = credential.budget.until
                if hits > _LIMIT_HITS_MOST or until - self.clock.now() > self.gate.max_wait:
                    raise wire.rate_limit_error(answer, limited.scope, until)
            elif body is not None or 200 <= answer.status < 300:
                return answer, body
            elif answer.status in _REDIRECTS:
                target = wire.location(answer, url)
                if log is not None and not wire.is_log_path(target, self.root):
                    led = wire.Answer(
                        answer.status, {"Location": target}, b"", answer.method, answer.url
                    )
                    return led, None
                if wire.origin(target) != self._origin:
                    raise _leads_away(answer, target)
                redirects += 1
                if redirects > _REDIRECTS_MOST:
                    raise _too_many_redirects(answer)
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
                wire.raise_for(
                    answer,
                    api_version=self.api_version,
                    authorized=authorization is not None,
                    now=self.clock.now(),
                )

    async def _ask_as(self, request: wire.Request[T], authorization: str) -> T:
        """Ask with an authorization of its own, as an App does to mint its tokens."""
        credential = Credential(_Fixed(authorization), limits.Budget())

        async def once() -> T:
            answer, _ = await self._ask(request, credential)
            return request.decode(answer)

        return await self.retries.run(once)

    async def _exchange(
        self,
        method: str,
        url: str,
        budget: limits.Budget,
        authorization: str | None,
        log: Mapping[str, str] | None,
    ) -> tuple[wire.Answer, Body | None, limits.Hit | None]:
        """One request through the gate, and what its answer says about limits."""
        headers = self._headers
        if authorization is not None:
            headers = {**headers, "Authorization": authorization}
        timeout = self.timeout
        if log is not None:
            headers = {**headers, "Accept-Encoding": "identity", **log}
            timeout = self._log_timeout
        # A query may be a secret once the server has chosen the address.
        safe = url if url.startswith(f"{self.root}/repos/") else wire.redacted(url)
        departed = await self.gate.enter(budget, safe)
        try:
            response = await self._request(
                self._session(), method, url, safe, headers, timeout, log=log is not None
            )
            data, body = b"", None
            if log is not None and response.status in {200, 206, 416}:
                body = Body(response, safe)
            else:
                data = await self._read_whole(response, method, safe)
        finally:
            self.gate.leave(budget)
        now = self.clock.now()
        budget.learn(response.headers, now)
        limited = limits.hit(response.status, response.headers, data, now)
        if limited is not None:
            budget.pause(limited, departed, now)
        else:
            budget.relax(departed)
        return wire.Answer(response.status, response.headers, data, method, safe), body, limited

    async def _read_whole(self, response: aiohttp.ClientResponse, method: str, safe: str) -> bytes:
        """Read an answer of the API, but no endless one: a small gzip body can hold gigabytes."""
        chunks: list[bytes] = []
        size = 0
        alone = False
        most = _most_of(response.headers)
        try:
            while size <= most and (chunk := await response.content.readany()):
                chunks.append(chunk)
                size += len(chunk)
                if size > _LARGE and not alone:
                    alone = await self._large.acquire()
            if size <= most:
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            failure = _transport_error(error, method, safe)
        else:
            failure = TransportError(
                f"{method} {safe}: the answer is larger than {ANSWER_MOST >> 20} MB; ask for less",
                retryable=False,
                method=method,
                url=safe,
            )
        finally:
            if alone:
                self._large.release()
            # Gives the connection back where all was read, and cuts it where not.
            response.release() if response.content.at_eof() else response.close()
        failure.request_id = response.headers.get("X-GitHub-Request-Id")
        raise failure

    async def _request(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        safe: str,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 -- aiohttp's, not a deadline here
        *,
        log: bool,
    ) -> aiohttp.ClientResponse:
        """Send one request; *safe* is what errors may say of its URL."""
        try:
            target = URL(url, encoded=url.isascii())
            return await session.request(
                method,
                target,
                headers=headers,
                allow_redirects=False,
                raise_for_status=False,
                timeout=timeout,
                auto_decompress=not log,
                proxy=self._proxy(target),
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            failure = _transport_error(error, method, safe)
        raise failure

    # Sessions.

    def _session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("this client is closed")
        if self._api is None:
            self._api = self.borrowed or aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=_tls(self._origin[0])),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self.timeout,
            )
        return self._api

    def _storage(self) -> aiohttp.ClientSession:
        """Our own session is clean; a borrowed one lends its connector, and nothing else."""
        session = self._session()
        if session is not self.borrowed:
            return session
        if self._clean is None:
            self._clean = aiohttp.ClientSession(
                connector=session.connector,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=session.trace_configs,
                # aiohttp gives no other way to ask a session for its proxy.
                proxy=getattr(session, "_default_proxy", None),
            )
        return self._clean

    def _proxy(self, url: URL) -> str | None:
        """The environment's proxy; a borrowed session decides for itself."""
        if self.borrowed is not None and not self.borrowed.trust_env:
            return None
        key = (url.scheme, url.raw_host or "")
        if key not in self._proxies:
            self._proxies[key] = environment.proxy_for(*key)
        return self._proxies[key]

    async def aclose(self) -> None:
        """Close what is ours. Twice is fine."""
        self._closed = True
        if self._clean is not None:
            await self._clean.close()
        if self._api is not None and self._api is not self.borrowed:
            await self._api.close()


@attrs.frozen
class _Fixed:
    """One authorization, as it is."""

    authorization: str = attrs.field(repr=False)

    async def header(self, ask: Ask, clock: Clock) -> str:  # noqa: ARG002
        return self.authorization

    def refused(self, header: str) -> bool:  # noqa: ARG002
        return False


def _tls(scheme: str) -> ssl.SSLContext | bool:
    """Aiohttp reads the certificates' variables when imported: what was set since counts too."""
    named = os.environ.get("SSL_CERT_FILE")
    if scheme != "https" or not (named or os.environ.get("SSL_CERT_DIR")):
        return True
    if named and not Path(named).is_file():
        raise ConfigurationError(f"SSL_CERT_FILE names no file: {named}")
    return ssl.create_default_context()


def _most_of(headers: Mapping[str, str]) -> int:
    """How much of an answer is read; nothing of one that says itself that it is too large."""
    length = headers.get("Content-Length", "")
    if not length.isdecimal():
        return ANSWER_MOST
    if headers.get("Content-Encoding", "identity") == "identity":
        return ANSWER_MOST if int(length) <= ANSWER_MOST else -1
    return min(ANSWER_MOST, max(_LARGE, int(length) * _PACKED_MOST))


def _transport_error(error: Exception, method: str, url: str) -> TransportError:
    """
    Our error for one of aiohttp's or of the system's.

    aiohttp's own hold URLs, headers and proxies, secrets and all: what is chained is only the
    system's error below, or the name.
    """
    system = getattr(error, "os_error", None)
    what = type(error).__name__
    if isinstance(error, TimeoutError):
        failure: TransportError = RequestTimeoutError(
            f"{method} {url}: no answer in time ({what})", method=method, url=url
        )
        failure.__cause__ = TimeoutError(what)
        return failure
    words = system or (error if type(error).__module__ == "builtins" else None)
    certificate = isinstance(error, aiohttp.ClientConnectorCertificateError)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        system = error.certificate_error
        words = f"{wire.said(str(system))}; for a private CA, set SSL_CERT_FILE"
    elif isinstance(error, aiohttp.ClientPayloadError):
        words = "the connection broke off in the middle of the answer"
    failure = TransportError(
        f"{method} {url}: {wire.said(str(words or '')) or what}",
        method=method,
        url=url,
        retryable=not certificate and not isinstance(error, aiohttp.InvalidURL),
    )
    failure.__cause__ = system if isinstance(system, Exception) else ConnectionError(what)
    return failure


def _too_many_redirects(answer: wire.Answer) -> TransportError:
    return TransportError(
        f"{answer.method} {answer.url}: more than {_REDIRECTS_MOST} redirects",
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
        retryable=False,
    )


def _leads_away(answer: wire.Answer, target: str) -> TransportError:
    return TransportError(
        f"{answer.method} {answer.url}: {answer.status} leads to another origin, "
        f"{wire.redacted(target)}; not followed, since the token belongs to this one",
        method=answer.method,
        url=answer.url,
        request_id=answer.request_id,
        retryable=False,
    )
