"""
The one door to the network: sessions, timeouts, proxies, and the reading of what comes.

It knows addresses, headers and which answer is a log that stays open; neither credentials nor limits,
nor what any other answer means.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

import aiohttp
import attrs
from yarl import URL

from ghjobs_async import environment
from ghjobs_async.errors import (
    ConfigurationError,
    RequestTimeoutError,
    TransportError,
    one_line,
    shown,
)
from ghjobs_async.wire.messages import Answer
from ghjobs_async.wire.urls import redacted

#: On every hop: to connect, between two reads, and in all (but for logs).
DEFAULT_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
# The largest answer of the API that is read: pages of 100 runs have some 2 MB.
ANSWER_MOST: Final = 16 * 2**20
_UNPACKED_MOST: Final = 2**18
_ZLIB_OR_GZIP: Final = 47
_GZIP: Final = b"\x1f\x8b"
_LARGE: Final = 4 * 2**20
# Pages of jobs pack to a twentieth; what unpacks to a hundred times its size is no page.
_PACKED_MOST: Final = 100
#: GitHub refuses requests without one.
USER_AGENT: Final = f"ghjobs-async/{version('ghjobs-async')}"
# A log, a part of it, or none beyond where it ends.
_LOG_STATUSES: Final = frozenset({200, 206, 416})
# What aiohttp and the system raise for whatever goes wrong on the way, timeouts among it.
_BROKEN: Final = (aiohttp.ClientError, OSError, ValueError)


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
        except (*_BROKEN, EOFError, zlib.error) as error:
            failure = _transport_error(error, "GET", self.url)
        raise failure

    async def _unpacked(self, inflate: zlib._Decompress) -> bytes:
        while True:
            data = inflate.unconsumed_tail or inflate.unused_data
            data = data or await self._response.content.readany()
            if inflate.eof:
                # A gzip stream may have several members; what is none is no part of the log.
                if not data.startswith(_GZIP[: len(data)]) or not data:
                    return b""
                self._inflate = inflate = zlib.decompressobj(_ZLIB_OR_GZIP)
            if not data:
                raise EOFError("the packed log was cut off")
            if unpacked := inflate.decompress(data, _UNPACKED_MOST):
                return unpacked

    def close(self) -> None:
        """Let go of the connection; at once where bytes are left."""
        self._response.close()


@attrs.define(eq=False)
class Transport:
    """
    One exchange after the other, over sessions of its own or a borrowed one.

    Args:
        root: The API's root, without a slash at its end.

        timeout: For every hop.

        borrowed: A session to use and never to close; None makes one.
    """

    root: str
    timeout: aiohttp.ClientTimeout
    borrowed: aiohttp.ClientSession | None
    _main: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    # For the storage: a session without anybody's headers, cookies or credentials.
    _clean: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    _log_timeout: aiohttp.ClientTimeout = attrs.field(init=False)
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
        # A log may take as long as it needs, but no single wait for it. What comes before its body
        # is bounded by the total all the same.
        total = self.timeout.total
        self._log_timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self.timeout.connect,
            sock_connect=self.timeout.sock_connect or total,
            sock_read=self.timeout.sock_read or total,
        )

    async def ask(
        self, method: str, url: str, safe: str, headers: Mapping[str, str], *, log: bool
    ) -> tuple[Answer, Body | None]:
        """
        Ask the API, once; redirects are not followed.

        Args:
            method: ``"GET"`` or ``"POST"``.

            url: The address.

            safe: What errors may say of it.

            headers: All of them.

            log: Whether a log is asked for: where it comes at once, it stays open, beside an answer
                without a body.

        Raises:
            TransportError: There is no answer, or one that is too large.
        """
        response = await self._request(self._session(), method, url, safe, headers, log=log)
        if log and response.status in _LOG_STATUSES:
            answer = Answer(response.status, response.headers, b"", method, safe)
            return answer, Body(response, safe)
        data = await self._read_whole(response, method, safe, log=log)
        return Answer(response.status, response.headers, data, method, safe), None

    async def open(self, url: str, headers: Mapping[str, str]) -> Body:
        """
        Open a signed link, through a session that knows nobody's secrets; redirects are not
        followed.

        Raises:
            TransportError: There is no answer.
        """
        safe = redacted(url)
        response = await self._request(self._storage(), "GET", url, safe, headers, log=True)
        return Body(response, safe)

    async def _read_whole(
        self, response: aiohttp.ClientResponse, method: str, safe: str, *, log: bool
    ) -> bytes:
        """Read an answer of the API, but no endless one: a small gzip body can hold gigabytes."""
        try:
            if not log or response.content.at_eof():
                data = await self._read(response)
            else:
                async with asyncio.timeout(self.timeout.total):
                    data = await self._read(response)
            if data is not None:
                return data
        except _BROKEN as error:
            failure = _transport_error(error, method, safe)
        else:
            failure = TransportError(
                f"{method} {safe}: the answer is larger than {ANSWER_MOST >> 20} MB; ask for less",
                retryable=False,
                method=method,
                url=safe,
            )
        finally:
            # Gives the connection back where all was read, and cuts it where not.
            response.release() if response.content.at_eof() else response.close()
        failure.request_id = response.headers.get("X-GitHub-Request-Id")
        raise failure

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """All that comes; None where it is too much."""
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
        finally:
            if alone:
                self._large.release()
        if size > most:
            return None
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _request(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        safe: str,
        headers: Mapping[str, str],
        *,
        log: bool,
    ) -> aiohttp.ClientResponse:
        """Send one request; *safe* is what errors may say of its URL."""
        try:
            target = URL(url, encoded=url.isascii())
            asked = session.request(
                method,
                target,
                headers=headers,
                allow_redirects=False,
                raise_for_status=False,
                timeout=self._log_timeout if log else self.timeout,
                auto_decompress=not log,
                proxy=self._proxy(target),
            )
            if not log:
                return await asked
            async with asyncio.timeout(self.timeout.total):
                return await asked
        except _BROKEN as error:
            failure = _transport_error(error, method, safe)
        raise failure

    # Sessions.

    def _session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("this client is closed")
        if self._main is None:
            self._main = self.borrowed or aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=_tls(self.root.partition(":")[0])),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self.timeout,
            )
        return self._main

    def _storage(self) -> aiohttp.ClientSession:
        """Our own session is clean; a borrowed one lends its connector, and nothing else."""
        session = self._session()
        if session is not self.borrowed:
            return session
        if self._clean is None:
            login = getattr(session, "_default_proxy_auth", None)
            self._clean = aiohttp.ClientSession(
                connector=session.connector,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=session.trace_configs,
                # aiohttp gives no other way to ask a session for its proxy.
                proxy=getattr(session, "_default_proxy", None),
                **({"proxy_auth": login} if login is not None else {}),
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
        if self._main is not None and self._main is not self.borrowed:
            await self._main.close()


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
        words = f"{one_line(str(system))}; for a private CA, set SSL_CERT_FILE"
    elif isinstance(error, aiohttp.ClientConnectorError):
        words = f"{one_line(str(system))}; check the address and the network"
    elif isinstance(error, aiohttp.ClientPayloadError):
        words = "the connection broke off in the middle of the answer"
    failure = TransportError(
        f"{method} {url}: {one_line(str(words or '')) or what}",
        method=method,
        url=url,
        retryable=not certificate and not isinstance(error, aiohttp.InvalidURL),
    )
    failure.__cause__ = system if isinstance(system, Exception) else ConnectionError(what)
    return failure
