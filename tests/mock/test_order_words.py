"""Orders at the mock venue: values written back by the rules that read them, and requests read back through tables and batches."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cexspec.compile.http_request import pairs_of
from cexspec.mock import MockVenue
from cexspec.mock.agreement import agreed
from cexspec.mock.bodies import Refused
from cexspec.mock.encode import Encoder
from cexspec.mock.listing import Listing
from cexspec.mock.requests import Asked, Requests
from cexspec.mock.samples import Samples
from cexspec.models import Market
from cexspec.models.execution import Order
from cexspec.spec.model import FieldRule
from tests.compile.made_up import Notes, answering, exchange

FIELDS: dict[str, Any] = {
    "symbol": "$.s",
    "filled": "$.f",
    "average_price": {"path": "$.cost", "over": "$.f", "or": {"path": "$.avg", "zero": "absent"}},
    "fee": {"path": "$.fee", "negate": "true", "zero": "absent", "or": {"path": "$.paid", "absent": ["-"]}},
    "side": {"path": "$.q", "sign": {"positive": "buy", "negative": "sell"}, "zero": "absent"},
}
SAMPLES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        {"cost": "10", "f": "2", "fee": "-0.1", "paid": "-"},
        {"filled": "4", "average_price": "2.5", "fee": "0.3"},
        {"cost": "10.0", "fee": "-0.3"},
    ),
    ({"cost": "0", "avg": "1", "f": "0", "fee": "0", "paid": "5"}, {"average_price": "7", "fee": "0.3"}, {"avg": "7", "paid": "0.3"}),
    ({"cost": "1", "f": "1", "fee": "1", "q": "3"}, {"side": "sell"}, {"q": "-3"}),
]


@pytest.mark.parametrize(("sample", "values", "written"), SAMPLES)
def test_a_value_is_written_by_the_rule_that_reads_it(sample: dict[str, Any], values: dict[str, Any], written: dict[str, Any]) -> None:
    compiled = answering({"returns": "order", "fields": {name: rule for name, rule in FIELDS.items() if _read(name, sample)}})
    exact = {name: value if name == "side" else Decimal(value) for name, value in values.items()}
    document = Encoder([compiled.spec.rest["call"]], {"s": "S", **sample}, {}).encode([exact])
    assert {name: document[name] for name in written} == written
    reader = compiled.operation("call").reader
    assert reader is not None
    (event,) = reader.read(msgspec.json.encode(document), Notes(markets={"S": Market("S", "BTC/USDT", "spot")}))
    assert isinstance(event, Order)
    assert {name: getattr(event, name) for name in exact} == exact


def _read(name: str, sample: dict[str, Any]) -> bool:
    """Whether the sample has what the rule of a field reads."""
    return {"average_price": "cost", "filled": "f", "fee": "fee", "side": "q", "symbol": "f"}[name] in sample


ORDER = {"pair": "{{ id }}", "side": "{{ side }}", "size": "{{ size }}", "word": "{{ word }}", "till": "{{ expires | ms }}"}
WORD = [
    {"is": {"kind": "maker"}, "when": {"type": "limit", "post_only": "true"}},
    {"is": {"kind": "L"}, "when": {"type": "limit"}},
    {"when": {"type": "market"}},
]
PARAMS = {"word": {"choose": WORD}, "side": {"words": {"buy": "Buy", "sell": "Sell"}}}
VENUE: dict[str, Any] = {
    "place_order": {"post": "/order", "body": ORDER, "params": PARAMS, "ignored": "an id"},
    "place_orders": {"post": "/orders", "body": {"all": "{{ orders }}"}, "each_order": ORDER, "params": PARAMS, "ignored": "ids"},
    "plain": {"serves": "place_orders", "post": "/plain", "body": "{{ orders }}", "each_order": ORDER, "params": PARAMS, "ignored": "ids"},
    "cancel_orders": {
        "delete": "/orders",
        "query": {"list": "{{ orders | json }}"},
        "each_order": {"pair": "{{ id }}", "order": "{{ order_id }}"},
        "ignored": "ids",
    },
}
CALLS: list[dict[str, Any]] = [
    {"side": "buy", "size": "1.50", "type": "limit"},
    {"side": "sell", "size": "2", "type": "limit", "post_only": "true", "expires": 7_000_000_000},
    {"side": "sell", "size": "2", "type": "market"},
]


def asked(name: str, params: dict[str, Any]) -> Asked:
    """What the venue understands of a call."""
    made = exchange(rest={name: VENUE[name]})
    request = made.operation(name).build(params)
    body = json.loads(request.body) if request.body else None
    return Requests(made, Listing(made, Samples((), ()))).read(request.method, request.path, dict(pairs_of(request.query)), body)


@pytest.mark.parametrize("call", CALLS)
def test_an_order_is_read_as_it_was_asked_for(call: dict[str, Any]) -> None:
    order = {"id": "XBT-USDT", **call}
    sent = {**order, "post_only": order.get("post_only") == "true", "size": Decimal(order["size"])}
    assert asked("place_order", sent).params == order
    for batch in ("place_orders", "plain"):
        found = asked(batch, {"orders": [sent, sent]})
        assert found.operations == (batch,) and found.params["orders"] == [order, order]


def test_the_orders_of_a_query_are_read_as_json() -> None:
    orders = [{"id": "XBT-USDT", "order_id": "1"}, {"id": "XBT-USDT", "order_id": "2"}]
    assert asked("cancel_orders", {"orders": orders}).params == {"orders": orders}


@pytest.mark.parametrize(
    ("path", "query", "body", "reason"),
    [
        ("/order", {}, {"pair": "XBT-USDT", "side": "Buy", "size": "1", "word": {"kind": "?"}}, "is no call with word"),
        ("/order", {}, {"pair": "XBT-USDT", "side": "buy", "size": "1"}, "no side 'buy'"),
        ("/order", {}, {"pair": "XBT-USDT", "other": "1"}, "the body is not that of place_order"),
        ("/orders", {}, {"all": {}}, "takes a list of orders"),
        ("/orders", {}, {"all": [{"pair": 1, "size": {}}]}, "takes a list of orders"),
    ],
)
def test_what_no_call_sends_is_refused(path: str, query: dict[str, str], body: Any, reason: str) -> None:
    made = exchange(rest=VENUE)
    with pytest.raises(Refused, match=reason):
        Requests(made, Listing(made, Samples((), ()))).read("POST", path, query, body)


def test_a_list_that_is_no_json_is_refused() -> None:
    made = exchange(rest=VENUE)
    with pytest.raises(Refused, match="is no JSON"):
        Requests(made, Listing(made, Samples((), ()))).read("DELETE", "/orders", {"list": "[{"}, None)


def test_an_order_that_is_partly_filled_is_open_where_the_venue_has_no_word_for_it() -> None:
    fields = {"symbol": "$.s", "status": {"path": "$.state", "map": {"open": "new", "done": "filled"}}, "filled": "$.f", "quantity": "$.q"}
    compiled = answering({"returns": "order", "fields": fields})
    event = {"status": "partially_filled", "filled": Decimal(1), "quantity": Decimal(2)}
    document = Encoder([compiled.spec.rest["call"]], {"s": "S", "state": "done", "f": "2", "q": "2"}, {}).encode([event])
    assert document == {"s": "S", "state": "open", "f": "1", "q": "2"}


def test_of_fields_that_share_a_word_the_state_is_right() -> None:
    words = {"conditional": {"waiting": "true"}, "status": {"waiting": "pending", "gone": "canceled"}}
    fields = {name: FieldRule(path="$.state", map=map) for name, map in words.items()}
    item, written = agreed({"state": "waiting"}, fields, {"status": "canceled", "conditional": True})
    assert item == {"state": "gone"} and written == frozenset(words)


def test_orders_in_an_object_are_under_their_own_ids() -> None:
    compiled = answering({"returns": "order", "items": "$.open.*", "fields": {"symbol": "$.s", "order_id": {"of": "key"}}})
    events = [{"key": "S", "symbol": "S", "order_id": name} for name in ("1", "2")]
    document = Encoder([compiled.spec.rest["call"]], {"open": {"9": {"s": "S"}}}, {}).encode(events)
    assert document == {"open": {"1": {"s": "S"}, "2": {"s": "S"}}}


@pytest.mark.parametrize(("word", "written"), [("limit", {"p": "5", "q": "0"}), ("stop", {"p": "1", "q": "5"})])
def test_a_value_is_not_written_where_something_else_stands(word: str, written: dict[str, str]) -> None:
    price = {"path": "$.p", "unless": {"$.type": "stop"}, "or": {"path": "$.q", "zero": "absent"}}
    compiled = answering({"returns": "order", "fields": {"symbol": "$.s", "price": price}})
    sample = {"s": "S", "type": word, "p": "1", "q": "0"}
    document = Encoder([compiled.spec.rest["call"]], sample, {}).encode([{"price": Decimal(5)}])
    assert document == {"s": "S", "type": word, **written}


def test_what_depends_on_the_kind_of_the_instrument_is_read_so() -> None:
    """The same words stand for an amount of quote currency in spot, and for contracts in derivatives."""
    requests, given = MockVenue("okx")._requests, {"side": "buy", "ordType": "market", "sz": "10", "tdMode": "cross"}
    for name, expected in (("BTC-USDT", (None, "10")), ("BTC-USDT-SWAP", ("10", None))):
        read = requests.read("POST", "/api/v5/trade/order", {}, {**given, "instId": name}, "rest").params
        assert (read.get("size"), read.get("quote_quantity")) == expected
    with pytest.raises(Refused, match="no instrument"):
        requests.read("POST", "/api/v5/trade/batch-orders", {}, [{**given, "instId": "NONE-USDT"}], "rest")
