"""Foreign exceptions become ours here and nowhere else, by one table.

Messages are made from the table, the host and the system's error number, never from the foreign message: that may
hold a query string or a header, and those may hold secrets.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from cexspec.models import (
    AuthenticationError,
    CexspecError,
    ConnectionLost,
    ExchangeError,
    ExchangeUnavailable,
    NetworkError,
    PermissionDenied,
    RateLimitExceeded,
    TimeoutError,
    TransportError,
)

# By qualified name, so that the table needs none of the libraries; the most derived class with a row decides.
TABLE: dict[str, tuple[type[TransportError], str]] = {
    "builtins.TimeoutError": (TimeoutError, "no answer in time"),
    "builtins.ConnectionRefusedError": (NetworkError, "connection refused"),
    "builtins.ConnectionError": (ConnectionLost, "the connection broke"),
    "builtins.EOFError": (ConnectionLost, "the connection ended early"),
    "builtins.OSError": (NetworkError, "network failure"),
    "builtins.ValueError": (NetworkError, "not a usable URL or header"),
    "builtins.UnicodeError": (NetworkError, "not a usable host name"),
    "socket.gaierror": (NetworkError, "host name not found"),
    "ssl.SSLCertVerificationError": (NetworkError, "certificate refused"),
    "ssl.SSLError": (NetworkError, "TLS failure"),
    "aiohttp.client_exceptions.ServerTimeoutError": (TimeoutError, "no answer in time"),
    "aiohttp.client_exceptions.ConnectionTimeoutError": (TimeoutError, "no connection in time"),
    "aiohttp.client_exceptions.ClientConnectorDNSError": (NetworkError, "host name not found"),
    "aiohttp.client_exceptions.ClientConnectorCertificateError": (NetworkError, "certificate refused"),
    "aiohttp.client_exceptions.ClientConnectorSSLError": (NetworkError, "TLS failure"),
    "aiohttp.client_exceptions.ServerFingerprintMismatch": (NetworkError, "certificate refused"),
    "aiohttp.client_exceptions.ClientProxyConnectionError": (NetworkError, "the proxy can't be reached"),
    "aiohttp.client_exceptions.ClientHttpProxyError": (NetworkError, "the proxy refused"),
    "aiohttp.client_exceptions.ClientConnectorError": (NetworkError, "can't connect"),
    "aiohttp.client_exceptions.ClientConnectionResetError": (ConnectionLost, "the connection broke"),
    "aiohttp.client_exceptions.ServerDisconnectedError": (ConnectionLost, "the connection ended before the answer"),
    "aiohttp.client_exceptions.ClientPayloadError": (ConnectionLost, "the connection ended within the answer"),
    "aiohttp.client_exceptions.ClientOSError": (ConnectionLost, "the connection broke"),
    "aiohttp.client_exceptions.ClientConnectionError": (ConnectionLost, "the connection broke"),
    "aiohttp.client_exceptions.ClientResponseError": (NetworkError, "the answer is not HTTP"),
    "aiohttp.client_exceptions.InvalidURL": (NetworkError, "not a usable URL"),
    "aiohttp.client_exceptions.NonHttpUrlClientError": (NetworkError, "not a usable URL"),
    "aiohttp.client_exceptions.ClientError": (NetworkError, "HTTP failure"),
    "aiohttp._websocket.models.WebSocketError": (ConnectionLost, "the peer broke the WebSocket protocol"),
    "websockets.exceptions.ConnectionClosed": (ConnectionLost, "the connection ended"),
    "websockets.exceptions.InvalidURI": (NetworkError, "not a usable URL"),
    "websockets.exceptions.InvalidProxy": (NetworkError, "not a usable proxy"),
    "websockets.exceptions.ProxyError": (NetworkError, "the proxy refused"),
    "websockets.exceptions.InvalidHandshake": (NetworkError, "the answer is no WebSocket handshake"),
    "websockets.exceptions.WebSocketException": (ConnectionLost, "the peer broke the WebSocket protocol"),
}

UNSENT = frozenset(
    {
        "builtins.ConnectionRefusedError",
        "socket.gaierror",
        "ssl.SSLCertVerificationError",
        "aiohttp.client_exceptions.ConnectionTimeoutError",
        "aiohttp.client_exceptions.ClientConnectorDNSError",
        "aiohttp.client_exceptions.ClientConnectorCertificateError",
        "aiohttp.client_exceptions.ClientConnectorSSLError",
        "aiohttp.client_exceptions.ServerFingerprintMismatch",
        "aiohttp.client_exceptions.ClientProxyConnectionError",
        "aiohttp.client_exceptions.ClientHttpProxyError",
        "aiohttp.client_exceptions.ClientConnectorError",
        "aiohttp.client_exceptions.InvalidURL",
        "aiohttp.client_exceptions.NonHttpUrlClientError",
    }
)
"""What fails while a connection is opened, before any request has left."""

HANDSHAKE: dict[int, type[ExchangeError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    418: RateLimitExceeded,
    429: RateLimitExceeded,
    451: PermissionDenied,
}


def translate(error: Exception, where: str) -> CexspecError:
    """The error of ours that a foreign one means; `where` says what was being done, without secrets.

    What no row names is a `NetworkError` with the class's name: nothing foreign leaves the transport.
    """
    if isinstance(error, CexspecError):
        return error
    for cls in type(error).__mro__:
        name = f"{cls.__module__}.{cls.__qualname__}"
        row = TABLE.get(name)
        if row is not None:
            failure = row[0](f"{where}: {row[1]}{_detail(error)}")
            failure.unsent = name in UNSENT
            return failure
    return NetworkError(f"{where}: unexpected {type(error).__name__}")


def refused_handshake(status: int, headers: Mapping[str, str], where: str) -> ExchangeError:
    """The error of a WebSocket handshake that the venue answered with an HTTP status."""
    cls = HANDSHAKE.get(status, ExchangeUnavailable if status >= 500 else ExchangeError)
    error = cls("the WebSocket handshake was refused", endpoint=where, http_status=status)
    if isinstance(error, RateLimitExceeded):
        error.retry_after = retry_after(headers)
    return error


LONGEST = 7 * 86400.0
"""Seconds: no venue bans for longer, and what says so is no answer of its own."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After` header, at most `LONGEST`; a date counts from the answer's own `Date`, which is by the venue's clock."""
    known = {name.lower(): value.strip() for name, value in headers.items()}
    text = known.get("retry-after", "")
    if text.replace(".", "", 1).isdecimal():
        return min(float(text), LONGEST)
    then, now = _date(text), _date(known.get("date", ""))
    return min(max(0.0, (then - now).total_seconds()), LONGEST) if then is not None and now is not None else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def origin(url: str) -> str:
    """Scheme, host and port of a URL: what an error may show of it."""
    return place(url)[0]


def place(url: str) -> tuple[str, str]:
    """The origin and the path of a URL; of one that is none only that it is none: it may be anything."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a broken URL", ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path


def _detail(error: Exception) -> str:
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    if isinstance(cause, ssl.SSLError):
        text = getattr(cause, "verify_message", None) or getattr(cause, "reason", None)
        return f" ({text})" if text else ""
    number = getattr(cause, "errno", None)
    return f" ({os.strerror(number)})" if isinstance(number, int) and number > 0 else ""
