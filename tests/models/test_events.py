"""The unified models as values: time, derived precision, their JSON, and the schema files that describe them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from cexspec.models import (
    MODELS,
    Balance,
    Bbo,
    Book,
    Candle,
    Event,
    Fill,
    FundingRate,
    Gap,
    Instrument,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Order,
    Position,
    ServerTime,
    Ticker,
    Trade,
)

SCHEMAS = Path(__file__).parents[2] / "schemas"
AT = 1_700_000_000_123_456_789
HEAD: dict[str, Any] = {"exchange": "somewhere", "symbol": "BTC/USDT", "timestamp": AT, "received": None}
SPOT: dict[str, Any] = {"id": "BTC-USDT", "kind": "spot", "base": "BTC", "quote": "USDT"}

EVENTS: list[tuple[Event, dict[str, Any]]] = [
    (Ticker(**HEAD, bid=Decimal("0.10"), last=Decimal("1E-7")), {"type": "ticker", "bid": "0.10", "last": "1E-7", "ask": None}),
    (
        Bbo(**HEAD, bid=Decimal(1), bid_size=Decimal("2.50"), ask=None, ask_size=None, sequence=7),
        {"type": "bbo", "bid": "1", "bid_size": "2.50", "ask": None, "sequence": 7},
    ),
    (Trade(**HEAD, id="t1", price=Decimal("9.90"), size=None, side="buy"), {"type": "trade", "price": "9.90", "size": None, "side": "buy"}),
    (
        Book(**HEAD, bids=[(Decimal("9.0"), Decimal("0"))], asks=[], is_snapshot=False, sequence=3),
        {"type": "book", "bids": [["9.0", "0"]], "asks": [], "is_snapshot": False, "size_unit": "base"},
    ),
    (
        Candle(**HEAD, interval="1m", open=Decimal(1), high=Decimal(2), low=Decimal(1), close=Decimal(2), closed=True),
        {"type": "candle", "interval": "1m", "open": "1", "closed": True, "base_volume": None},
    ),
    (FundingRate(**HEAD, rate=Decimal("-0.0001"), next_time=AT), {"type": "funding_rate", "rate": "-0.0001", "next_time": AT}),
    (OpenInterest(**HEAD, contracts=Decimal(12)), {"type": "open_interest", "contracts": "12", "base_size": None}),
    (MarkPrice(**HEAD, mark_price=Decimal("5.00")), {"type": "mark_price", "mark_price": "5.00", "index_price": None}),
    (Liquidation(**HEAD, price=None, size=Decimal(1), side="sell"), {"type": "liquidation", "price": None, "side": "sell"}),
    (Instrument(**HEAD, **SPOT, tick_size=Decimal("0.01")), {"type": "instrument", "id": "BTC-USDT", "kind": "spot", "tick_size": "0.01"}),
    (ServerTime(exchange="somewhere", symbol=None, timestamp=AT), {"type": "server_time", "symbol": None, "timestamp": AT}),
    (
        Order(**HEAD, order_id="7", side="buy", type="limit", status="new", quantity=Decimal("0.10"), price=Decimal("9.0")),
        {"type": "order", "order_type": "limit", "status": "new", "quantity": "0.10", "stop_price": None, "conditional": False},
    ),
    (
        Fill(**HEAD, id="1", order_id="7", side="sell", price=Decimal(9), quantity=Decimal("0.1"), fee=Decimal("-0.01")),
        {"type": "fill", "order_id": "7", "quantity": "0.1", "fee": "-0.01", "liquidity": None},
    ),
    (Position(**HEAD, side="short", quantity=Decimal("2.0")), {"type": "position", "side": "short", "quantity": "2.0", "leverage": None}),
    (
        Balance(exchange="somewhere", symbol=None, currency="BTC", total=Decimal("1.5"), free=Decimal(1), used=Decimal("0.5")),
        {"type": "balance", "symbol": None, "currency": "BTC", "total": "1.5"},
    ),
]


@pytest.mark.parametrize(("event", "expected"), EVENTS, ids=lambda value: value.get("type") if isinstance(value, dict) else "")
def test_json_holds_every_field_and_the_digits_as_received(event: Event, expected: dict[str, Any]) -> None:
    encoded = json.loads(msgspec.json.encode(event))
    assert {name: encoded[name] for name in expected} == expected
    assert set(encoded) == {"type", *type(event).__struct_encode_fields__}


@pytest.mark.parametrize(("event", "expected"), EVENTS, ids=lambda value: value.get("type") if isinstance(value, dict) else "")
def test_json_fits_the_schema_file(event: Event, expected: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / f"{expected['type']}.schema.json").read_text())
    assert not list(Draft202012Validator(schema).iter_errors(json.loads(msgspec.json.encode(event))))


def test_every_model_is_in_the_table_and_has_a_schema_file() -> None:
    assert {type(event) for event, _ in EVENTS} == set(MODELS.values())
    assert {f"{name}.schema.json" for name in MODELS} <= {file.name for file in SCHEMAS.iterdir()}


def test_models_are_named_by_their_type() -> None:
    assert {name: model.__struct_config__.tag for name, model in MODELS.items()} == {name: name for name in MODELS}
    assert Gap.__struct_config__.tag == "gap"


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (None, None),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (AT, datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)),
        (1_700_000_000_000_000_999, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1_799_999_999_999_999_999, datetime(2027, 1, 15, 7, 59, 59, 999999, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_time_is_the_timestamp_cut_to_microseconds(timestamp: int | None, expected: datetime | None) -> None:
    assert ServerTime(exchange="somewhere", symbol=None, timestamp=timestamp).time == expected


@pytest.mark.parametrize(
    ("step", "decimals"),
    [
        (None, None),
        (Decimal("0.01"), 2),
        (Decimal("0.0100"), 2),
        (Decimal("1E-8"), 8),
        (Decimal(1), 0),
        (Decimal("5"), 0),
        (Decimal("0.25"), 2),
        (Decimal("1E+3"), 0),
        (0.001, 3),
        (1e-07, 7),
        (10.0, 0),
    ],
)
def test_precision_is_derived_from_the_steps(step: Decimal | float | None, decimals: int | None) -> None:
    instrument = Instrument(**HEAD, **SPOT, tick_size=step, step_size=step)
    assert (instrument.price_precision, instrument.size_precision) == (decimals, decimals)


def test_events_are_frozen() -> None:
    with pytest.raises(AttributeError):
        EVENTS[0][0].symbol = "ETH/USDT"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["0.10", "100", "1E-7", "123456789012345678.123456789012345678", "-0"])
def test_a_decimal_keeps_its_digits_through_json_and_back(text: str) -> None:
    encoded = msgspec.json.encode(Trade(**HEAD, id=None, price=Decimal(text), size=None, side=None))
    assert json.loads(encoded)["price"] == text
