"""Requests and signatures that venues publish (or that follow from their rules), signed by the recipes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from cexspec.compile.http_request import HttpRequest, pairs_of, urlencoded
from cexspec.compile.recipe import Moment
from cexspec.models import Credentials
from tests.signing import keys
from tests.signing.rivals import ours

MS = 1_000_000


class Vector(NamedTuple):
    """A request, when it is signed, and the signature that it has."""

    exchange: str
    credentials: dict[str, str]
    moment: Moment
    request: HttpRequest
    signature: str


def at(milliseconds: int) -> Moment:
    return Moment(milliseconds * MS, milliseconds, 5000)


_BINANCE = {"api_key": "k", "api_secret": "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"}
_USDM = {"api_key": "k", "api_secret": "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"}
_OKX = {"api_key": "k", "passphrase": "p", "api_secret": "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO"}
_BYBIT = {"api_key": "test_api_key", "api_secret": "test_secret"}
_KRAKEN = {"api_key": "k", "api_secret": "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="}
_BITFINEX = {"api_key": "k", "api_secret": "mheO6dR8ovSsxZQCOYEFCtelpuxcWGTfHw7te326y6jOwq5WpvFQ9JNljoTwBXZGv5It07m9RXSPpDQEK2w"}
_COINBASE = {"api_key": "k", "passphrase": "p", "api_secret": "Y2V4c3BlYy1jb2luYmFzZS1zZWNyZXQ="}
_KUCOIN = {"api_key": "k", "passphrase": "QWIxMjM0NTY3OCkoKiZeJSQjQA==", "api_secret": "f03a5284-5c39-4aaa-9b20-dea10bdcf8e3"}
_PLAIN = {"api_key": "k", "passphrase": "p", "api_secret": "secret"}
_HTX = {"api_key": "e2xxxxxx-99xxxxxx-84xxxxxx-7xxxx", "api_secret": "XXXXXXXXXX"}
_MEXC = {"api_key": "mx0aBYs33eIilxBWC5", "api_secret": "45d0b3c26f2644f19bfb98b07741b2f5"}

_ASKED = {"method": "GET", "path": "/", "raw_target": "/", "raw_query": "", "body": ""}
"""Parts of a request, for a recipe of requests."""

VECTORS = [
    Vector("okx", _OKX, at(int(datetime(2020, 12, 8, 9, 8, 57, 715000, UTC).timestamp() * 1000)),
           HttpRequest("GET", "/api/v5/account/balance"), "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k="),
    Vector("bybit", _BYBIT, at(1700000000000), HttpRequest("GET", "/v5/order/realtime", "category=linear&symbol=BTCUSDT"),
           "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
    Vector("bybit", _BYBIT, at(1700000000000),
           HttpRequest("POST", "/v5/order/cancel", body=b'{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}'),
           "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1"),
    Vector("kraken", _KRAKEN, at(1616492376594),
           HttpRequest("POST", "/0/private/AddOrder", form="ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"),
           "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="),
    Vector("bitfinex", _BITFINEX, at(1696751141337),
           HttpRequest("POST", "/v2/auth/w/order/submit", body=b'{"type":"LIMIT","symbol":"tBTCUSD","price":15,"amount":"0.1"}'),
           "b27b3f276d8d08dc5783c4d848f94605f98c62b7ec76db2acd48d337a479efb65b8002a0aa10999650622e66d6c631de"),
    Vector("coinbase_exchange", _COINBASE, at(1700000000000), HttpRequest("GET", "/accounts"),
           "mwdv/uqoSxRpJ9HB7OnlPEZvfBcm9YKeh5ZVm6ObegM="),
    Vector("coinbase_exchange", _COINBASE, at(1700000000000),
           HttpRequest("POST", "/orders", body=b'{"product_id":"BTC-USD","side":"buy","type":"limit","price":"10000.00","size":"0.01"}'),
           "RgX9Q5Gh6yVrolc3N4YmO5eMaGIDMFpARg/9tMHUVzQ="),
    Vector("htx", _HTX, at(int(datetime(2017, 5, 11, 15, 19, 30, tzinfo=UTC).timestamp() * 1000)),
           HttpRequest("GET", "/v1/order/orders", "order-id=1234567890"), "2ZQ7/roKBjdnAv8z5DymwzgSaOPyPgJl0BIlq9fa94w="),
    Vector("kucoin", _KUCOIN, at(1547015186532), HttpRequest("POST", "/api/v1/deposit-addresses", body=b'{"currency":"BTC"}'),
           "7QP/oM0ykidMdrfNEUmng8eZjg/ZvPafjIqmxiVfYu4="),
    Vector("gate", _PLAIN, at(1541993715000),
           HttpRequest("GET", "/futures/orders", "contract=BTC_USD&status=finished&limit=50"),
           "55f84ea195d6fe57ce62464daaa7c3c02fa9d1dde954e4c898289c9a2407a3d6fb3faf24deff16790d726b66ac9f74526668b13bd01029199cc4fcc522418b8a"),
    Vector("gate", _PLAIN, at(1541993715000),
           HttpRequest("POST", "/futures/orders",
                       body=b'{"contract":"BTC_USD","type":"limit","size":100,"price":6800,"time_in_force":"gtc"}'),
           "eae42da914a590ddf727473aff25fc87d50b64783941061f47a3fdb92742541fc4c2c14017581b4199a1418d54471c269c03a38d788d802e2c306c37636389f0"),
    Vector("bitget", _PLAIN, at(1659076670000), HttpRequest("POST", "/api/v2/mix/order/place-order", body=b'{"symbol":"BTCUSDT"}'),
           "o3jIHwJLUAeJur1xFKdLREoqzE38yty9htWEmoa70TM="),
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.exchange}-{vector.request.method}")
def test_a_published_signature_is_ours(vector: Vector) -> None:
    exchange = ours(vector.exchange)
    base = exchange.environments["live"].rest or ""
    signed = exchange.recipe("rest").sign(vector.request, base, Credentials(vector.credentials), vector.moment)
    assert signed.signature == vector.signature


TOTALS = [
    ("binance", _BINANCE, 1499827319559, "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1",
     "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
    ("binance", _BINANCE, 1499827319559,
     "symbol=１２３４５６&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1",  # noqa: RUF001
     "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"),
    ("binance_usdm", _USDM, 1591702613943, "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC",
     "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"),
    ("mexc", _MEXC, 1644489390087, "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11",
     "fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a"),
]  # fmt: skip


@pytest.mark.parametrize(("secrets", "now", "own", "signature"), [row[1:] for row in TOTALS], ids=[row[0] for row in TOTALS])
def test_published_totals_of_parameters_have_the_published_signature(secrets: dict[str, str], now: int, own: str, signature: str) -> None:
    """The examples put the window before the time; the recipes of the venues have ccxt's order, which is as good."""
    request = HttpRequest("POST", "/order", form=urlencoded(pairs_of(own)))
    signed = ours("published").recipe("totals").sign(request, "https://example.com", Credentials(secrets), at(now))
    assert signed.signature == signature
    assert signed.request.form.rpartition("&")[2] == f"signature={signature}"
    assert signed.prehash == (signed.request.payload or b"").decode().rpartition("&signature=")[0]


MESSAGES = [
    ("bybit", "login", _BYBIT, 1700000000000 - 10_000, {}, "signature", "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925"),
    ("bitget", "login", _PLAIN, 1538054050000, {}, "signature", "QW9NDIxQTfljkfSeZydUIsfx+5D1GgkIbDzvrCplpp4="),
    ("coinbase_exchange", "subscribe", _COINBASE, 1700000000000, {}, "signature", "4LoKeXjfYSjBMXzWWiQwc+I2gRjaWp10neLa0CzJNHM="),
    ("kucoin", "rest", _KUCOIN, 1547015186532, _ASKED, "passphrase_sign", "HFkKIy8cKfQF3Ognmbamq9Bd8VfYy3eUQj7uC8NvMes="),
    ("gate", "rest", _PLAIN, 1541993715000, _ASKED, "body_hash",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
    ("published", "order", {**_BINANCE, "api_key": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"}, 1645423376532,
     {"price": "52000.00", "quantity": "0.01000000", "side": "SELL", "symbol": "BTCUSDT", "type": "LIMIT"}, "signature",
     "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"),
]  # fmt: skip


@pytest.mark.parametrize(("exchange", "recipe", "secrets", "now", "given", "name", "expected"), MESSAGES, ids=[row[0] for row in MESSAGES])
def test_a_published_value_is_ours(
    exchange: str, recipe: str, secrets: dict[str, str], now: int, given: dict[str, str], name: str, expected: str
) -> None:
    moment = Moment(now * MS, now, 100 if recipe == "order" else 5000)
    assert ours(exchange).recipe(recipe).values(Credentials(secrets), moment, given)[name] == expected


@pytest.mark.parametrize("secret", [keys.ED25519_BASE64, keys.ED25519_PAIR, keys.ED25519, keys.ED25519.replace("\n", "\\n")])
def test_an_ed25519_key_signs_the_same_however_it_is_written(secret: str) -> None:
    who = Credentials({"api_key": "test-key", "api_secret": secret})
    request = HttpRequest("GET", "/api/v3/brokerage/accounts")
    signed = ours("published").recipe("token").sign(request, "https://api.coinbase.com", who, at(1700000000000))
    assert signed.signature == "zQn9mZBuTN6Xta0-G12jOie9_TMtU8y4i1MBfCDpnb-Rl78EJt4-4_0ZcN4lVsdmWRZAp8BTKf-yi36IUGTZAg"
