"""Convert the errors of aiohttp and of the system into a `TransportError`."""

from __future__ import annotations

from typing import Final

import aiohttp
from yarl import URL

from ghjobs_async.errors import RequestTimeoutError, TransportError, one_line
from ghjobs_async.wire.packed import BROKEN_STREAM

#: All errors of a request or a body, timeouts included.
BROKEN: Final[tuple[type[Exception], ...]] = (
    aiohttp.ClientError,
    OSError,
    ValueError,
    *BROKEN_STREAM,
)
# The advice for a proxy's refusal.
_REFUSALS: Final = {
    403: "it does not allow this host: ask its administrator, or exclude the host with NO_PROXY",
    407: "set its user name and password: http://USER:PASSWORD@HOST:PORT",
}


def transport_error(
    error: Exception, method: str, url: str, proxy: URL | str | None = None
) -> TransportError:
    """
    Build the `TransportError` for one of the errors of `BROKEN`.

    aiohttp's own errors hold URLs, headers and proxies with their secrets. So only the system's
    error below, or the error's name, is chained. *url* holds no secrets either.
    """
    what = type(error).__name__
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy_refusal(error.status, method, url, proxy)
    if isinstance(error, TimeoutError):
        late = RequestTimeoutError(
            f"{method} {url}: no answer in time ({what})", method=method, url=url
        )
        late.__cause__ = TimeoutError(what)
        return late
    system: object = getattr(error, "os_error", None)
    words = system or (error if type(error).__module__ == "builtins" else None)
    retryable = not isinstance(error, aiohttp.InvalidURL)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        system, retryable = error.certificate_error, False
        words = f"{one_line(str(system))}; for a private CA, set SSL_CERT_FILE"
    elif isinstance(error, aiohttp.ClientProxyConnectionError):
        words = f"{_named(proxy)} cannot be reached ({one_line(str(system))}); check its address"
    elif isinstance(error, aiohttp.ClientConnectorError):
        words = f"{one_line(str(system))}; check the address and the network"
    elif isinstance(error, aiohttp.ClientPayloadError):
        words = "the connection broke off in the middle of the answer"
    failure = TransportError(
        f"{method} {url}: {one_line(str(words or '')) or what}",
        method=method,
        url=url,
        retryable=retryable,
    )
    failure.__cause__ = system if isinstance(system, Exception) else ConnectionError(what)
    return failure


def proxy_refusal(status: int, method: str, url: str, proxy: URL | str | None) -> TransportError:
    """Build the error for a proxy that answers with *status* in place of the server."""
    may_pass = status >= 500
    hint = _REFUSALS.get(status, "try again later" if may_pass else "check its address")
    failure = TransportError(
        f"{method} {url}: {_named(proxy)} refuses with {status}; {hint}",
        method=method,
        url=url,
        retryable=may_pass,
    )
    failure.__cause__ = ConnectionError(f"proxy: {status}")
    return failure


def _named(proxy: URL | str | None) -> str:
    if proxy is None:
        return "a proxy"
    address = URL(proxy)
    return f"the proxy {address.host_subcomponent}:{address.port}"
