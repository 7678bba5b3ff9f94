"""What aiohttp and the system raise, as the errors of this library."""

from __future__ import annotations

import zlib
from typing import Final

import aiohttp

from ghjobs_async.errors import RequestTimeoutError, TransportError, one_line

#: Everything that may go wrong on the way, timeouts included.
BROKEN: Final = (aiohttp.ClientError, OSError, ValueError, EOFError, zlib.error)


def transport_error(error: Exception, method: str, url: str) -> TransportError:
    """
    Build the `TransportError` for one of the errors of `BROKEN`.

    aiohttp's own errors hold URLs, headers and proxies, secrets included. So only the system's error
    below, or its name, is chained.

    Args:
        error: The error.
        method: Method of the request.
        url: Its address, without secrets.
    """
    what = type(error).__name__
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
