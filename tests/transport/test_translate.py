"""Foreign exceptions become ours, and no secret comes along."""

from __future__ import annotations

import asyncio
import builtins
import errno
import socket
import ssl
from importlib import import_module

import aiohttp
import pytest
import websockets.exceptions
from aiohttp.client_reqrep import ConnectionKey

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
from cexspec.transport.translate import LONGEST, TABLE, UNSENT, origin, refused_handshake, retry_after, translate

SECRET = "https://host/path?signature=SECRET"
KEY = ConnectionKey("host", 443, True, True, None, None, None)

CASES: list[tuple[Exception, type[CexspecError], str]] = [
    (builtins.TimeoutError(SECRET), TimeoutError, "no answer in time"),
    (aiohttp.ConnectionTimeoutError(SECRET), TimeoutError, "no connection in time"),
    (aiohttp.ServerTimeoutError(SECRET), TimeoutError, "no answer in time"),
    (ConnectionRefusedError(errno.ECONNREFUSED, SECRET), NetworkError, "connection refused (Connection refused)"),
    (ConnectionResetError(errno.ECONNRESET, SECRET), ConnectionLost, "the connection broke (Connection reset by peer)"),
    (BrokenPipeError(SECRET), ConnectionLost, "the connection broke"),
    (asyncio.IncompleteReadError(b"SECRET", 9), ConnectionLost, "the connection ended early"),
    (socket.gaierror(-2, SECRET), NetworkError, "host name not found"),
    (OSError(errno.ENETUNREACH, SECRET), NetworkError, "network failure (Network is unreachable)"),
    (ssl.SSLError(1, SECRET), NetworkError, "TLS failure"),
    (ValueError(SECRET), NetworkError, "not a usable URL or header"),
    (aiohttp.InvalidURL(SECRET), NetworkError, "not a usable URL"),
    (aiohttp.ClientPayloadError(SECRET), ConnectionLost, "the connection ended within the answer"),
    (aiohttp.ServerDisconnectedError(SECRET), ConnectionLost, "the connection ended before the answer"),
    (aiohttp.ClientConnectorError(KEY, OSError(errno.EHOSTUNREACH, SECRET)), NetworkError, "can't connect (No route to host)"),
    (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, SECRET)), NetworkError, "host name not found"),
    (aiohttp.ClientProxyConnectionError(KEY, OSError(errno.ECONNREFUSED, SECRET)), NetworkError, "the proxy can't be reached"),
    (websockets.exceptions.InvalidURI(SECRET, "SECRET"), NetworkError, "not a usable URL"),
    (websockets.exceptions.ConnectionClosedError(None, None), ConnectionLost, "the connection ended"),
    (websockets.exceptions.InvalidUpgrade("SECRET"), NetworkError, "the answer is no WebSocket handshake"),
    (LookupError(SECRET), NetworkError, "unexpected LookupError"),
]


@pytest.mark.parametrize(("foreign", "ours", "text"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_a_foreign_exception_is_translated_without_its_text(foreign: Exception, ours: type[CexspecError], text: str) -> None:
    error = translate(foreign, "GET https://host/path")
    assert type(error) is ours
    assert str(error).startswith(f"GET https://host/path: {text}")
    assert "SECRET" not in str(error)


def test_our_own_errors_pass_as_they_are() -> None:
    error = ConnectionLost("ours", 1006)
    assert translate(error, "anything") is error


def test_a_refused_certificate_says_why() -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_message = "certificate has expired"
    for foreign in (refused, aiohttp.ClientConnectorCertificateError(KEY, refused)):
        assert str(translate(foreign, "GET https://host")) == "GET https://host: certificate refused (certificate has expired)"


def test_every_row_names_an_exception_that_exists() -> None:
    for name in TABLE:
        module, _, cls = name.rpartition(".")
        assert issubclass(getattr(import_module(module), cls), Exception), name


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (401, AuthenticationError),
        (403, PermissionDenied),
        (404, ExchangeError),
        (418, RateLimitExceeded),
        (429, RateLimitExceeded),
        (451, PermissionDenied),
        (503, ExchangeUnavailable),
    ],
)
def test_a_refused_handshake_is_an_error_of_the_venue(status: int, cls: type[ExchangeError]) -> None:
    error = refused_handshake(status, {"Retry-After": "7"}, "wss://host")
    assert type(error) is cls
    assert error.http_status == status
    assert getattr(error, "retry_after", 7.0) == 7.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "60"}, 60.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:58:29 GMT"}, 90.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 -0000", "date": "Fri, 31 Dec 1999 23:59:58 GMT"}, 1.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Sat, 01 Jan 2000 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon", "Date": "Fri, 31 Dec 1999 23:58:29 GMT"}, None),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "long ago"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "9" * 5000}, LONGEST),
        ({"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:59 GMT"}, LONGEST),
        ({"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Date": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://host:9443/ws/LISTENKEY?token=SECRET", "wss://host:9443"),
        ("https://user:SECRET@host/path#SECRET", "https://host"),
    ],
)
def test_an_origin_holds_no_secret(url: str, shown: str) -> None:
    assert origin(url) == shown


def test_what_fails_before_anything_is_sent_says_so() -> None:
    assert set(TABLE) > UNSENT
    for foreign, unsent in ((ConnectionRefusedError(), True), (ConnectionResetError(), False), (OSError(), False), (TimeoutError(), False)):
        failure = translate(foreign, "POST https://venue.example")
        assert isinstance(failure, TransportError)
        assert failure.unsent is unsent
