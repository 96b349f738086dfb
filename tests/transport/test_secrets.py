"""What is taken out of texts that are written down, and what is left to the character."""

from __future__ import annotations

from pathlib import Path

import pytest

from cexspec.transport.secrets import masked_form, masked_headers, masked_text, masked_url

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.cGxhbnRlZA-_"
PEM = "-----BEGIN EC PRIVATE KEY-----\nplanted\nplanted==\n-----END EC PRIVATE KEY-----"
LISTEN_KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"

URLS = [
    (f"wss://h/ws/{LISTEN_KEY}", "wss://h/ws/***"),
    (f"wss://h/ws/{LISTEN_KEY}/x?listenKey={LISTEN_KEY}", "wss://h/ws/***/x?listenKey=***"),
    ("https://h/v1?AccessKeyId=planted&SignatureMethod=HmacSHA256&Signature=planted%3D", "https://h/v1?AccessKeyId=***&SignatureMethod=HmacSHA256&Signature=***"),
    (f"wss://h/ws?x={JWT}", "wss://h/ws?x=***"),
    ("https://h/api/v5/market/history-candles?instId=BTC-USDT", "https://h/api/v5/market/history-candles?instId=BTC-USDT"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "masked"), URLS)
def test_urls(url: str, masked: str) -> None:
    assert masked_url(url) == masked


FORMS = [
    ("symbol=BTCUSDT&timestamp=1&signature=planted", "symbol=BTCUSDT&timestamp=1&signature=***"),
    ("api_key=planted&amount=1", "api_key=***&amount=1"),
    ("nonce=1616492376594&ordertype=limit&pair=XBTUSD", "nonce=1616492376594&ordertype=limit&pair=XBTUSD"),
    ("design=1&keys=2", "design=1&keys=2"),
]


@pytest.mark.parametrize(("text", "masked"), FORMS)
def test_forms(text: str, masked: str) -> None:
    assert masked_form(text) == masked_text(text) == masked


HEADERS = [
    "OK-ACCESS-KEY", "OK-ACCESS-SIGN", "OK-ACCESS-PASSPHRASE", "X-MBX-APIKEY", "X-BAPI-API-KEY", "X-BAPI-SIGN", "API-Key", "API-Sign",
    "bfx-apikey", "bfx-signature", "CB-ACCESS-SIGN", "Authorization", "KC-API-PASSPHRASE", "KEY", "SIGN", "ACCESS-KEY", "X-MEXC-APIKEY",
    "Cookie", "Proxy-Authorization",
]  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_venues(name: str) -> None:
    assert masked_headers([(name, "planted")]) == [(name, "***")]


def test_other_headers_are_left_alone_but_for_tokens() -> None:
    plain = [("Content-Type", "application/json"), ("User-Agent", "cexspec"), ("X-BAPI-RECV-WINDOW", "5000"), ("OK-ACCESS-TIMESTAMP", "1")]
    assert masked_headers(plain) == plain
    assert masked_headers([("X-Other", f"Bearer {JWT}")]) == [("X-Other", "Bearer ***")]


TEXTS = [
    ('{"action":{"type":"order"},"nonce":1,"signature":{"r":"0xplanted","s":"0xplanted","v":27}}',
     '{"action":{"type":"order"},"nonce":1,"signature":"***"}'),
    ('{"time":1,"channel":"spot.orders","auth":{"method":"api_key","KEY":"planted","SIGN":"planted"}}',
     '{"time":1,"channel":"spot.orders","auth":"***"}'),
    ('{"type":"subscribe","key":"planted","signature":"planted","passphrase":"planted","timestamp":"1"}',
     '{"type":"subscribe","key":"***","signature":"***","passphrase":"***","timestamp":"1"}'),
    ('{"method":"subscribe","params":{"channel":"executions","token":"planted"}}',
     '{"method":"subscribe","params":{"channel":"executions","token":"***"}}'),
    (f'{{"jwt":"x","note":"{JWT}"}}', '{"jwt":"***","note":"***"}'),
    (f"key:\n{PEM}\nrest", "key:\n***\nrest"),
    (f"[{JWT}]", "[***]"),
    ('{"hash":"0x%s","cloid":"0x01"}' % ("ab" * 32), '{"hash":"0x%s","cloid":"0x01"}' % ("ab" * 32)),
    ('{"listenKey":"planted"}', '{"listenKey":"***"}'),
    ('{"privateKey": "planted", "mnemonic": "planted planted"}', '{"privateKey": "***", "mnemonic": "***"}'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), TEXTS)
def test_texts(text: str, masked: str) -> None:
    assert masked_text(text) == masked


def test_public_data_holds_nothing_that_is_masked() -> None:
    recorded = sorted((Path(__file__).parents[2] / "cassettes" / "ws").glob("*.jsonl"))
    assert len(recorded) > 50
    for path in recorded:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert masked_text(line) == line, path.name
