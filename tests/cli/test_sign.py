"""`cexspec sign`: a request or login as it would be sent, made offline and shown whole."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cexspec.cli.app import app

SPECS = Path(__file__).parents[1] / "signing" / "specs"
VARIABLES = {"TEST_API_KEY": "the-key", "TEST_SECRET": "the-secret", "TEST_PASSWORD": "the-phrase"}
TIME = ["--credentials-env", "TEST", "--time", "1700000000123", "--nonce", "42"]


def run(*arguments: str, env: dict[str, str] | None = None) -> Any:
    return CliRunner().invoke(app, ["sign", *arguments], env=VARIABLES if env is None else env)


def shown(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, *TIME)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


ORDER = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": "0.10", "price": "50000.50"}


def test_a_request_is_shown_whole() -> None:
    found = shown(str(SPECS / "kucoin.yaml"), "place_order", "--params", json.dumps({**ORDER, "client_order_id": "a1"}))
    assert list(found) == ["method", "url", "headers", "body", "prehash", "signature"]
    assert (found["method"], found["url"]) == ("POST", "https://api.kucoin.com/api/v1/hf/orders")
    assert json.loads(found["body"]) == {
        "clientOid": "a1", "symbol": "BTC-USDT", "side": "buy", "type": "limit", "price": "50000.50", "size": "0.10",
    }  # fmt: skip
    assert found["prehash"] == f"1700000000123POST/api/v1/hf/orders{found['body']}"
    assert found["headers"]["KC-API-SIGN"] == found["signature"]
    assert found["headers"]["KC-API-KEY"] == "the-key"


@pytest.mark.parametrize("written", ['"quantity": "0.10", "price": "1e3"', '"quantity": 0.10, "price": 1000'])
def test_numbers_are_exact_however_they_are_written(written: str) -> None:
    found = shown(
        str(SPECS / "bitget.yaml"), "place_order", "--params", f'{{"symbol": "BTC/USDT", "side": "buy", "type": "limit", {written}}}'
    )
    assert (json.loads(found["body"])["size"], json.loads(found["body"])["price"]) == ("0.10", "1000")


@pytest.mark.parametrize("name", ["open_orders", "get_open_orders"])
def test_an_operation_has_the_name_of_its_method_too(name: str) -> None:
    found = shown(str(SPECS / "gate.yaml"), name)
    assert (found["method"], found["url"], found["body"]) == ("GET", "https://api.gateio.ws/api/v4/spot/open_orders", "")


def test_a_public_request_is_shown_unsigned() -> None:
    found = shown("okx", "server_time")
    assert (found["prehash"], found["signature"]) == ("", "")


def test_a_request_is_shown_as_a_command_line() -> None:
    result = run(str(SPECS / "mexc.yaml"), "cancel_order", "--params", '{"symbol": "BTC/USDT", "order_id": "7"}', "--curl", *TIME)
    words = shlex.split(result.stdout)
    assert words[:3] == ["curl", "-X", "DELETE"]
    assert words[3].startswith(
        "https://api.mexc.com/api/v3/order?symbol=BTCUSDT&orderId=7&timestamp=1700000000123&recvWindow=5000&signature="
    )
    assert "X-MEXC-APIKEY: the-key" in words


def test_a_login_is_the_frame_that_proves_who_one_is() -> None:
    found = shown("okx", "login")
    argument = json.loads(found["body"])["args"][0]
    assert found["method"] == "WS"
    assert found["url"].startswith("wss://")
    assert argument["sign"] == found["signature"]
    assert found["prehash"] == "1700000000GET/users/self/verify"
    assert shown("okx", "private")["body"] == found["body"]


def test_a_signed_subscription_is_a_login_too() -> None:
    found = shown("binance", "login")
    message = json.loads(found["body"])
    assert message["method"] == "userDataStream.subscribe.signature"
    assert message["params"]["signature"] == found["signature"]
    assert found["prehash"] == "apiKey=the-key&recvWindow=5000&timestamp=1700000000123"


def test_a_condition_chooses_among_operations() -> None:
    named = {"symbol": "BTC/USDT:PERP", "order_id": "7"}
    assert "/fapi/v1/order?" in shown("binance_usdm", "cancel_order", "--params", json.dumps(named))["url"]
    assert "/fapi/v1/algoOrder?" in shown("binance_usdm", "cancel_order", "--params", json.dumps({**named, "conditional": True}))["url"]
    amended = {**named, "side": "buy", "type": "limit", "quantity": 1, "price": 9}
    assert "quantity=1&price=9&orderId=7" in shown("binance_usdm", "amend_order", "--params", json.dumps(amended))["body"]
    batch = {"orders": [{**ORDER, "symbol": "BTC/USDT:PERP"}]}
    assert "batchOrders=" in shown("binance_usdm", "place_orders", "--params", json.dumps(batch))["body"]


def test_another_environment_has_its_own_hosts_and_headers() -> None:
    found = shown("okx", "balances", "--environment", "demo")
    assert found["headers"]["x-simulated-trading"] == "1"


REFUSED = [
    (["gate", "balances", "--params", '{"colour": 1}'], "balances takes no colour (it takes: symbol)"),
    (["gate", "cancel_order", "--params", '{"symbol": "BTC/USDT"}'], "cancel_order needs 'order_id'"),
    (
        ["gate", "place_order", "--params", '{"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": 1}'],
        "a limit order has a price",
    ),
    (["gate", "place_order", "--params", json.dumps({**ORDER, "quantity": "much"})], "quantity is a number"),
    (["gate", "place_order", "--params", "{"], "--params is no JSON"),
    (["gate", "place_order", "--params", "[]"], "--params is an object"),
    (["gate", "positions"], "gate declares nothing that serves positions"),
    (["gate", "login"], "gate has no private connection"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED)
def test_what_cannot_be_signed_says_why(arguments: list[str], reason: str) -> None:
    result = run(str(SPECS / f"{arguments[0]}.yaml"), *arguments[1:], *TIME)
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert result.stdout == ""


def test_missing_credentials_are_named_with_their_variables() -> None:
    result = run("okx", "balances", *TIME, env={"TEST_API_KEY": "k"})
    assert result.exit_code == 1
    assert "TEST_API_SECRET or TEST_SECRET" in result.stderr
    assert "TEST_PASSPHRASE" in result.stderr
