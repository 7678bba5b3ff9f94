"""
The aiohttp sessions of one client: its own or a borrowed one, and a clean one for the storage.

It handles addresses, headers, timeouts and proxies, but not credentials or limits, and interprets no
answer.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
import attrs
from yarl import URL

from ghjobs_async import environment
from ghjobs_async.errors import ConfigurationError, shown
from ghjobs_async.transport.body import Response
from ghjobs_async.transport.failures import BROKEN, proxy_refusal, transport_error
from ghjobs_async.transport.stats import Counters
from ghjobs_async.wire.urls import redacted

#: For every request: to connect, between two reads, and in total (except for a log's content).
DEFAULT_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
#: GitHub refuses requests without one.
USER_AGENT: Final = f"ghjobs-async/{version('ghjobs-async')}"

# Headers of GitHub and of its storages; an answer without any of them comes from elsewhere.
_SERVERS: Final = frozenset({"x-github-request-id", "x-ms-request-id", "x-amz-request-id"})


@attrs.define(eq=False)
class Sessions:
    """
    Sends one request at a time, and gives its open response. Redirects are not followed.

    Args:
        root: The API's root, without a slash at its end.
        timeout: For every request.
        borrowed: The caller's session, which is never closed; None makes one.
        trace_configs: For aiohttp's tracing; a borrowed session has its own.
        counters: Count answers and bytes.
    """

    root: str
    timeout: aiohttp.ClientTimeout
    borrowed: aiohttp.ClientSession | None
    trace_configs: Sequence[aiohttp.TraceConfig] = ()
    counters: Counters = attrs.field(factory=Counters)
    _main: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    # For the storage: a session without headers, cookies or credentials.
    _clean: aiohttp.ClientSession | None = attrs.field(default=None, init=False)
    _reads: aiohttp.ClientTimeout = attrs.field(init=False)
    _proxies: dict[tuple[str, str, int], str | None] = attrs.field(
        factory=dict, init=False, repr=False
    )
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
        self._check_tracing()
        # `Response` applies the total, since a log's content may take as long as it needs.
        total = self.timeout.total
        self._reads = aiohttp.ClientTimeout(
            total=None,
            connect=self.timeout.connect,
            sock_connect=self.timeout.sock_connect or total,
            sock_read=self.timeout.sock_read or total,
        )

    def _check_tracing(self) -> None:
        given: object = self.trace_configs
        if not isinstance(given, (list, tuple)) or not all(
            isinstance(one, aiohttp.TraceConfig) for one in given
        ):
            raise ConfigurationError(
                f"trace_configs is a list of aiohttp.TraceConfig, not {shown(given)}"
            )
        if given and self.borrowed is not None:
            raise ConfigurationError(
                "trace_configs cannot be added to a session that was made elsewhere: give them to "
                "the aiohttp.ClientSession instead"
            )

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], *, safe_url: str
    ) -> Response:
        """
        Send a request to the API.

        Args:
            method: ``"GET"`` or ``"POST"``.
            url: The address.
            headers: All of them.
            safe_url: The address as errors may show it.

        Raises:
            TransportError: No answer came.
        """
        response = await self._open(self._session(), method, url, headers, safe_url)
        self.counters.requests[response.status] += 1
        return response

    async def follow(self, url: str, headers: Mapping[str, str]) -> Response:
        """
        Open a signed link, through a session that holds no secrets.

        Raises:
            TransportError: No answer came.
        """
        return await self._open(self._storage(), "GET", url, headers, redacted(url))

    async def _open(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        headers: Mapping[str, str],
        safe_url: str,
    ) -> Response:
        total = self.timeout.total
        started = asyncio.get_running_loop().time()
        proxy: URL | str | None = None
        try:
            target = URL(url, encoded=url.isascii())
            proxy = self._proxy(session, target)
            async with asyncio.timeout(total):
                response = await session.request(
                    method,
                    target,
                    headers=headers,
                    allow_redirects=False,
                    raise_for_status=False,
                    timeout=self._reads,
                    auto_decompress=False,
                    proxy=proxy,
                )
            if not _is_from_proxy(response, proxy):
                return Response(
                    response,
                    method,
                    url,
                    safe_url,
                    started=started,
                    total=total,
                    counters=self.counters,
                )
            response.close()
            failure = proxy_refusal(response.status, method, safe_url, proxy)
        except BROKEN as error:
            failure = transport_error(error, method, safe_url, proxy)
        raise failure

    def _session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("this client is closed")
        if self._main is None:
            self._main = self.borrowed or aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=_tls(self.root.partition(":")[0])),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self.timeout,
                trace_configs=list(self.trace_configs),
            )
        return self._main

    def _storage(self) -> aiohttp.ClientSession:
        """Return a clean session: our own, or one that shares only the borrowed one's connector."""
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

    def _proxy(self, session: aiohttp.ClientSession, url: URL) -> URL | str | None:
        """Return the session's own proxy, or that of the environment."""
        own: URL | str | None = getattr(session, "_default_proxy", None)
        if own is not None or (self.borrowed is not None and not self.borrowed.trust_env):
            return own
        key = url.scheme, url.raw_host or "", url.port or 0
        if key not in self._proxies:
            self._proxies[key] = environment.proxy_for(*key, os.environ)
        found = self._proxies[key]
        # Where no proxy is given, aiohttp looks for one in the environment, by other rules.
        if (
            found is None
            and session.trust_env
            and url.scheme in getproxies_environment()
            and not proxy_bypass(key[1])
        ):
            raise ConfigurationError(
                f"NO_PROXY excludes {key[1]}, but a session with trust_env=True would use the proxy "
                "all the same; pass a session without it"
            )
        return found

    async def aclose(self) -> None:
        """Close what is ours. Twice is fine."""
        self._closed = True
        if self._clean is not None:
            await self._clean.close()
        if self._main is not None and self._main is not self.borrowed:
            await self._main.close()


def _is_from_proxy(response: aiohttp.ClientResponse, proxy: URL | str | None) -> bool:
    """Return whether a proxy refused: over plain http, it answers in the server's place."""
    if response.status == 407:
        return True
    if proxy is None or response.status != 403 or response.url.scheme != "http":
        return False
    return _SERVERS.isdisjoint(map(str.lower, response.headers))


def _tls(scheme: str) -> ssl.SSLContext | bool:
    """Return the TLS settings of the environment as it is now; aiohttp reads it when imported."""
    named = os.environ.get("SSL_CERT_FILE")
    if scheme != "https" or not (named or os.environ.get("SSL_CERT_DIR")):
        return True
    if named and not Path(named).is_file():
        raise ConfigurationError(f"SSL_CERT_FILE names no file: {named}")
    return ssl.create_default_context()
