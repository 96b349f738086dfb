"""Nothing that changes an account is sent without permission, beyond a bound, or in a dry run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from cexspec import InvalidOrder, NotSupported, TradingDisabled
from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.trading.dry_run import written
from cexspec.engine.trading.permission import live
from cexspec.models import Credentials
from cexspec.transport.http import HttpCall
from tests.engine.trading.scripted import Venue, client_of, good, order, run

LIMIT: dict[str, Any] = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": "0.5", "price": "50000"}
KEYS = {"api_key": "k-planted"}
LOCAL = {"rest": "http://127.0.0.1:8080"}
ELSEWHERE = {"rest": "https://venue.example"}

# environment, credentials, allow_trading -> what the refusal says; None: it is allowed
PERMISSIONS: list[tuple[Any, dict[str, str] | None, bool, str | None]] = [
    ("live", KEYS, False, "environment 'live' is live"),
    ("live", KEYS, True, None),
    ("live", None, True, "no credentials"),
    ("demo", KEYS, False, None),
    ("demo", None, False, "no credentials"),
    (LOCAL, KEYS, False, None),
    (ELSEWHERE, KEYS, False, "is live"),
    (ELSEWHERE, KEYS, True, None),
]


@pytest.mark.parametrize(("environment", "credentials", "allowed", "reason"), PERMISSIONS)
async def test_trading_is_off_unless_it_is_allowed(
    environment: Any, credentials: dict[str, str] | None, allowed: bool, reason: str | None
) -> None:
    venue = Venue({"/place": [good({"oid": "7"})], "/cancel": [good({"oid": "7"})]})
    async with client_of(venue, environment=environment, credentials=credentials, allow_trading=allowed) as client:
        trade = client.trade
        works: list[Callable[[], Coroutine[Any, Any, object]]] = [
            lambda: trade.place_order(**LIMIT),
            lambda: trade.cancel_order("7", symbol="BTC/USDT"),
            lambda: trade.set_leverage("BTC/USDT:PERP", 3),
            lambda: trade.cancel_all_orders("BTC/USDT"),
        ]
        for work in works:
            if reason is None:
                await run(client, work())
            else:
                with pytest.raises(TradingDisabled, match=reason):
                    await run(client, work())
    assert bool(venue.asked) == (reason is None)


HOSTS = [
    (EnvironmentPlan("custom", "http://localhost:1", {"public": "ws://[::1]:2"}), False),
    (EnvironmentPlan("custom", "http://127.0.0.1:1", {"public": "wss://venue.example"}), True),
    (EnvironmentPlan("custom", "http://127.0.0.1.venue.example", {}), True),
    (EnvironmentPlan("custom", None, {}), True),
    (EnvironmentPlan("demo", "https://venue.example", {}, live=False), False),
    (EnvironmentPlan("us", "https://us.venue.example", {}), True),
]


@pytest.mark.parametrize(("environment", "expected"), HOSTS)
def test_an_environment_is_live_unless_it_surely_is_not(environment: EnvironmentPlan, expected: bool) -> None:
    assert live(environment) is expected


BOUNDS: list[tuple[Any, dict[str, Any], str | None]] = [
    (25000, {}, None),
    ("24999.9", {}, "worth up to 25000 USDT, and this client's max_notional is 24999.9"),
    ({"USDT": 25000}, {}, None),
    ({"EUR": 25000}, {}, "has bounds for EUR, not for USDT"),
    (30000, {"side": "sell"}, "worth up to 31000 USDT"),  # it may be filled at the market's price, which is 62000
    (31000, {"side": "sell"}, None),
    (30000, {"type": "market", "price": None}, "worth up to 31000 USDT"),
    (31000, {"type": "market", "price": None}, None),
    (4000, {"type": "market", "price": None, "quantity": None, "quote_quantity": "4000.5"}, r"worth up to 4000\.5 USDT"),
    (499, {"symbol": "BTC/USD:PERP:BTC", "quantity": "0.01", "side": "sell"}, "worth up to 500 USD"),
    (500, {"symbol": "BTC/USD:PERP:BTC", "quantity": "0.01", "side": "sell"}, None),
]


@pytest.mark.parametrize(("bound", "fields", "reason"), BOUNDS)
async def test_an_order_is_worth_no_more_than_max_notional(bound: Any, fields: dict[str, Any], reason: str | None) -> None:
    venue = Venue({"/place": [good({"oid": "7"})], "/ticker": [good({"last": "61000", "ask": "62000"})]})
    given: dict[str, Any] = {name: value for name, value in {**LIMIT, **fields}.items() if value is not None}
    async with client_of(venue, max_notional=bound) as client:
        if reason is None:
            await run(client, client.trade.place_order(**given))
        else:
            with pytest.raises(InvalidOrder, match=reason) as refused:
                await run(client, client.trade.place_order(**given))
            assert refused.value.rule == "max_notional"
    assert len(venue.sent("/place")) == (reason is None)


async def test_an_order_whose_worth_nothing_tells_is_refused() -> None:
    venue = Venue({"/place": [good({"oid": "7"})], "/ticker": [good({"last": None})]})
    async with client_of(venue, max_notional=10**9) as client:
        with pytest.raises(InvalidOrder, match="can't be told"):
            await run(client, client.trade.place_order(symbol="BTC/USDT", side="buy", type="market", quantity="1"))
    assert venue.sent("/place") == []


async def test_an_amend_is_held_to_the_same_bound() -> None:
    venue = Venue({"/order": [good([order()])], "/amend": [good({"oid": "1"})]})
    async with client_of(venue, max_notional=25000) as client:
        with pytest.raises(InvalidOrder, match="max_notional"):
            await run(client, client.trade.amend_order("1", symbol="BTC/USDT", quantity="0.6"))
        await run(client, client.trade.amend_order("1", symbol="BTC/USDT", price="49000"))
    assert len(venue.sent("/amend")) == 1


@pytest.mark.parametrize("bound", [0, -5, "NaN", float("inf")])
def test_a_bound_is_an_amount(bound: Any) -> None:
    with pytest.raises(ValueError, match="max_notional"):
        client_of(Venue(), max_notional=bound)


async def test_a_dry_run_tells_the_request_and_sends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    venue = Venue({"/order": [good([order()])]})
    async with client_of(venue, environment="live", dry_run=True) as client:
        placed = await run(client, client.trade.place_order(**LIMIT, client_order_id="mine"))
        await run(client, client.trade.amend_order("1", symbol="BTC/USDT", price="49000"))
        await run(client, client.trade.cancel_order("1", symbol="BTC/USDT"))
        await run(client, client.trade.set_leverage("BTC/USDT:PERP", 3))
        assert await run(client, client.trade.cancel_all_orders()) == []
        told = client.trade.dry_runs
    assert (placed.order_id, placed.status, placed.quantity) == (None, "pending", Decimal("0.5"))
    assert {one.path for one in venue.asked} == {"/instruments", "/order"}
    assert [text.splitlines()[0] for text in told] == [
        f"POST https://venue.example/{path}" for path in ("place", "amend", "cancel", "leverage", "cancel_all")
    ]
    assert '"cid":"mine"' in told[0]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 5


async def test_a_dry_run_refuses_what_would_be_refused() -> None:
    async with client_of(Venue(), dry_run=True) as client:
        with pytest.raises(InvalidOrder):
            await run(client, client.trade.place_order(**{**LIMIT, "price": "0.05"}))
        assert client.trade.dry_runs == []


def test_a_request_is_written_without_secrets() -> None:
    secrets = Credentials({"api_key": "k-planted", "api_secret": "s-planted", "passphrase": "p-planted"})
    headers = (("X-KEY", "k-planted"), ("X-SIGN", "abc123"), ("X-PASSPHRASE", "p-planted"), ("X-Plain", "plain"))
    call = HttpCall(
        "POST", "https://venue.example/x?apiKey=k-planted&signature=abc123&size=1", headers, b'{"secret":"s-planted","size":"1"}'
    )
    text = written(call, secrets)
    assert "planted" not in text and "abc123" not in text
    assert "X-Plain: plain" in text and '"size":"1"' in text and "size=1" in text


async def test_what_the_spec_does_not_declare_is_not_supported() -> None:
    async with client_of(Venue()) as client:
        assert client.supports("place_order") and client.trade.supports("get_balances")
        assert not client.supports("set_margin_mode")
        with pytest.raises(NotSupported, match="set_margin_mode"):
            await client.trade.set_margin_mode("BTC/USDT:PERP", "cross")
