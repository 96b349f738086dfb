"""The exchange plan: what it offers, what it refuses and where, product lines and hosts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cexspec.compile.exchange import Exchange, compile_exchange
from cexspec.compile.paths import PathError, parse
from cexspec.models import NotSupported, SpecError
from tests.compile.made_up import SYMBOLS, VERB, answering, errors_of, exchange, streaming

Where = tuple[str | int, ...]
PRICE: dict[str, Any] = {"returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": "$.p"}}
CHANNEL = {**PRICE, "match": {"$.e": "mark"}}
BOOK: dict[str, Any] = {"returns": "book", "snapshot_when": "always", "fields": {"symbol": "$.s", "bids": "$.b", "asks": "$.a"}}
PUBLIC = {"subscribe": VERB, "unsubscribe": VERB}


def found(check: Callable[[], object]) -> list[tuple[str, str, Where]]:
    """The errors for which something is refused."""
    with pytest.raises(SpecError) as raised:
        check()
    assert "spec.yaml" in str(raised.value)
    return [(problem.rule, problem.message, problem.where) for problem in errors_of(raised.value)]


def checked(whole: Exchange) -> list[tuple[str, str, Where]]:
    """The errors that compiling all of it finds."""
    findings = whole.findings()
    whole.check(findings)
    return [(problem.rule, problem.message, problem.where) for problem in findings.errors]


def two_channels(**parts: Any) -> Exchange:
    """An exchange of two connections, and of three channels that serve two streams."""
    channels = {
        "mark_price": {"on": "public", "topic": "m", **CHANNEL},
        "fast": {"on": "public", "stream": "mark_price", "topic": "f", **CHANNEL, "match": {"$.e": "fast"}},
        "index": {"on": "other", "topic": "i", **CHANNEL},
    }
    hosts = {"rest": "https://venue.test", "ws": {"public": "wss://a.test", "other": "wss://b.test"}, "headers": {"x-test": "1"}}
    given = {"environments": {"live": hosts}, "ws": {"connections": {"public": PUBLIC, "other": PUBLIC}, "channels": channels}, **parts}
    return exchange(rest={"mark_price": {"get": "/m", **PRICE}}, **given)


def test_an_exchange_offers_what_its_spec_declares() -> None:
    whole = two_channels(intervals={"1m": "60"})
    assert (whole.id, whole.name, whole.kind, whole.docs, whole.version) == ("venue", "Venue", "cex", "https://docs.test/", "1")
    assert (whole.operation_names, whole.connection_names) == (("mark_price",), ("public", "other"))
    assert whole.channel_names == ("mark_price", "fast", "index")
    assert dict(whole.intervals) == {"1m": "60"}
    assert whole.number is Decimal
    live = whole.environments["live"]
    assert (live.name, live.rest, dict(live.ws)["other"], dict(live.headers)) == (
        "live",
        "https://venue.test",
        "wss://b.test",
        {"x-test": "1"},
    )
    assert dict(whole.streams) == {"mark_price": ("mark_price", "fast"), "index": ("index",)}
    assert checked(whole) == []


def test_a_piece_is_compiled_once_and_kept() -> None:
    whole = two_channels()
    assert whole.operation("mark_price") is whole.operation("mark_price")
    assert whole.connection("public") is whole.connection("public")
    assert whole.channel("fast") is whole.channel("fast")
    assert [channel.name for channel in whole.channels_of("mark_price")] == ["mark_price", "fast"]
    assert whole.channels_of("trades") == ()
    assert whole.symbols is whole.symbols
    assert whole.errors is whole.errors
    assert whole.symbols.parse("XBT-USDT") == ("BTC/USDT", "spot")


def test_budgets_are_the_specs() -> None:
    whole = exchange(limits={"market": {"rate": 20, "per": "2s"}})
    assert [(window.rate, window.per) for window in whole.pools["market"].windows] == [(20, 2.0)]


UNKNOWN: list[tuple[Callable[[Exchange], object], str]] = [
    (lambda one: one.operation("tickers"), "venue declares no operation 'tickers' (it has: mark_price)"),
    (lambda one: one.channel("trades"), "venue declares no channel 'trades' (it has: mark_price, fast, index)"),
    (lambda one: one.connection("private"), "venue declares no connection 'private' (it has: public, other)"),
]


@pytest.mark.parametrize(("ask", "what"), UNKNOWN, ids=[row[1] for row in UNKNOWN])
def test_what_a_spec_does_not_declare_is_not_supported(ask: Callable[[Exchange], object], what: str) -> None:
    with pytest.raises(NotSupported) as raised:
        ask(two_channels())
    assert str(raised.value) == what


def test_an_exchange_of_nothing_supports_nothing() -> None:
    whole = exchange()
    assert (whole.channel_names, whole.connection_names, dict(whole.streams)) == ((), (), {})
    assert checked(whole) == []
    for ask in (whole.operation, whole.channel, whole.connection):
        with pytest.raises(NotSupported, match="it has: none"):
            ask("trades")


def test_a_shipped_id_or_a_file_is_compiled(tmp_path: Path) -> None:
    assert compile_exchange("okx", float).number is float
    with pytest.raises(SpecError, match="there is no spec file"):
        compile_exchange(str(tmp_path / "venue.yaml"))


def test_a_wrong_part_is_refused_when_it_is_asked_for_and_other_parts_work() -> None:
    whole = exchange(
        symbols={**SYMBOLS, "examples": {**SYMBOLS["examples"], "ETH/USDT": "ETH_USDT"}},
        rest={"good": {"get": "/good", **PRICE}, "bad": {"get": "/bad", **PRICE, "fields": {"symbol": "$.s", "price": "$.p"}}},
    )
    with pytest.raises(SpecError, match="symbols of venue can't be compiled"):
        _ = whole.symbols
    assert whole.operation("good").name == "good"
    assert found(lambda: whole.operation("bad")) == [("CEX041", "a mark_price has no field 'price'", ("rest", "bad", "fields", "price"))]
    assert {rule for rule, _, _ in checked(whole)} >= {"CEX041"}


def test_wrong_errors_are_refused_wherever_they_are_needed() -> None:
    whole = answering(PRICE, errors={"code": "$.[", "message": "$.msg", "codes": {}})
    [(rule, _, where)] = found(lambda: whole.operation("call"))
    assert (rule, where[:2]) == ("CEX044", ("errors", "code"))


CATEGORIES = {
    "linear": {"kind": ["perpetual", "future"], "settle": ["USDT", "USDC"]},
    "inverse": {"kind": ["perpetual", "future"], "value": "COIN"},
    "spot": {"kind": ["spot"], "value": "SPOT"},
}
LINES: list[tuple[str, str | None, str | None]] = [
    ("perpetual", "USDT", "linear"),
    ("future", "USDC", "linear"),
    ("perpetual", "BTC", "COIN"),
    ("perpetual", None, "COIN"),
    ("spot", None, "SPOT"),
    ("option", "USDT", None),
]


@pytest.mark.parametrize(("kind", "settle", "word"), LINES)
def test_an_instrument_belongs_to_the_first_product_line_that_fits(kind: str, settle: str | None, word: str | None) -> None:
    whole = exchange(categories=CATEGORIES)
    found = whole.category(kind, settle)
    assert (found.word if found is not None else None) == word
    assert checked(whole) == []


HOSTS: dict[str, tuple[dict[str, Any], list[tuple[str, str, Where]]]] = {
    "a connection without a host": (
        {"environments": {"live": {"rest": "https://venue.test", "ws": {"public": "wss://a.test"}}}},
        [("CEX058", "connection 'other' has no URL here", ("environments", "live", "ws"))],
    ),
    "another environment need not have them all": (
        {"environments": {"live": {"ws": {"public": "wss://a.test", "other": "wss://b.test"}}, "test": {}}},
        [],
    ),
    "a host of nothing": (
        {"environments": {"live": {"ws": {"public": "wss://a.test", "other": "wss://b.test", "pubic": "wss://c.test"}}}},
        [("CEX058", "no connection is called 'pubic'", ("environments", "live", "ws", "pubic"))],
    ),
    "a channel on nothing": (
        {"ws": {"connections": {"public": PUBLIC, "other": PUBLIC}, "channels": {"index": {"on": "privat", "topic": "i", **CHANNEL}}}},
        [("CEX058", "no connection is called 'privat'", ("ws", "channels", "index", "on"))],
    ),
    "an interval of another form": (
        {"intervals": {"1 minute": "60"}},
        [("CEX064", "'1 minute' is no unified interval", ("intervals", "1 minute"))],
    ),
    "a word for two intervals": (
        {"intervals": {"1m": "60", "1h": "60"}},
        [("CEX064", "'60' already stands for 1m", ("intervals", "1h"))],
    ),
}


@pytest.mark.parametrize("case", HOSTS.values(), ids=HOSTS)
def test_hosts_and_intervals_are_checked(case: tuple[dict[str, Any], list[tuple[str, str, Where]]]) -> None:
    parts, problems = case
    assert checked(two_channels(**parts)) == problems


AT = ("ws", "connections", "public")
CONNECTIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, Where]]]] = {
    "a payload that is no path": ({}, {"payload": "$.["}, [("CEX044", "", (*AT, "payload"))]),
    "a payload that is no member": ({}, {"payload": "$[0]"}, [("CEX044", "the payload is one member of the frame", (*AT, "payload"))]),
    "a payload that is everything": ({}, {"payload": "$"}, [("CEX044", "the payload is one member of the frame", (*AT, "payload"))]),
    "a route that nothing teaches": (
        {},
        {"route": {"by": "$[0]", "learned": "channel"}},
        [("CEX055", "no ack teaches 'channel'", (*AT, "route", "learned"))],
    ),
    "a route of another name": (
        {},
        {"route": {"by": "$[0]", "learned": "chanel"}, "subscribe": {**VERB, "learn": {"channel": "$.chanId"}}},
        [("CEX055", "no ack teaches 'chanel'", (*AT, "route", "learned"))],
    ),
    "a condition at no path": ({"match": {"$.[": "x"}}, {}, [("CEX044", "", ("ws", "channels", "one", "match", "$.["))]),
    "a parameter that the topic doesn't send": (
        {"params": {"depth": {"default": "5"}}},
        {},
        [("CEX062", "the topic doesn't send 'depth'", ("ws", "channels", "one", "params", "depth"))],
    ),
    "a symbol that messages don't say": (
        {"fields": {"symbol": {"of": "request"}, "mark_price": "$.p"}},
        {},
        [
            (
                "CEX055",
                "messages don't say their symbol: with several subscriptions on 'public' it can't be told",
                ("ws", "channels", "one", "fields", "symbol"),
            )
        ],
    ),
    "a snapshot that no operation gives": (
        {**BOOK, "sync": {"rest": "order_book", "depth": 10}},
        {},
        [("CEX059", "no operation is called 'order_book'", ("ws", "channels", "one", "sync", "rest"))],
    ),
}


@pytest.mark.parametrize("case", CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_connection_that_cannot_work_is_refused(case: tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, Where]]]) -> None:
    channel, connection, problems = case
    whole = streaming({"one": {**CHANNEL, **channel}}, **connection)
    refused = found(lambda: whole.connection("public"))
    assert [(rule, where) for rule, _, where in refused] == [(rule, where) for rule, _, where in problems]
    assert all(text in message for (_, message, _), (_, text, _) in zip(refused, problems, strict=True))
    assert {rule for rule, _, _ in checked(whole)} == {rule for rule, _, _ in problems}


CALL = ("rest", "call")
SIDE = {"path": "$.d", "map": {"b": "buy", "s": "sell"}}
TRADE = {"symbol": "$.s", "id": "$.i", "price": "$.p", "size": "$.q", "side": SIDE}
LEVELS = {"bids": "$.b", "asks": "$.a", "price": "$[0]", "size": "$[1]"}
MAPPINGS: dict[str, tuple[dict[str, Any], list[tuple[str, str, Where]]]] = {
    "no such model": ({**PRICE, "returns": "mark_prise"}, [("CEX040", "no unified model is called 'mark_prise'", (*CALL, "returns"))]),
    "no such path": ({**PRICE, "item": "$.["}, [("CEX044", "'$.[' is no path: ", (*CALL, "item"))]),
    "many for one": (
        {"returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": "$.p[*]"}},
        [("CEX044", "'$.p[*]' finds many values where one is wanted", (*CALL, "fields", "mark_price"))],
    ),
    "many lists for one in pairs": (
        {**PRICE, "items": {"zip": ["$.a[*]", "$.b"]}},
        [("CEX044", "'$.a[*]' finds many values where one is wanted", (*CALL, "items", "zip", 0))],
    ),
    "many lists for one in columns": (
        {**PRICE, "items": {"columns": {"s": "$.a", "p": "$.b[*]"}}},
        [("CEX044", "'$.b[*]' finds many values where one is wanted", (*CALL, "items", "columns", "p"))],
    ),
    "a required field": (
        {"returns": "mark_price", "fields": {"mark_price": "$.p"}},
        [("CEX042", "nothing says where 'symbol' of a mark_price comes from", (*CALL, "fields"))],
    ),
    "a symbol by kind": (
        {"returns": "mark_price", "fields": {"symbol": {"by_kind": {"spot": "$.s", "other": "$.t"}}}},
        [("CEX043", "'symbol' is read before a market's kind is known", (*CALL, "fields", "symbol"))],
    ),
    "contracts of a price": (
        {"returns": "trade", "fields": {**TRADE, "price": {"path": "$.p", "scale": "contract_size"}}},
        [("CEX065", "'price' is no size that contracts could be converted to", (*CALL, "fields", "price"))],
    ),
    "contracts of one kind": (
        {
            "returns": "trade",
            "fields": {**TRADE, "size": {"by_kind": {"perpetual": {"path": "$.q", "scale": "contract_size"}, "other": "$.q"}}},
        },
        [("CEX043", "'scale' is for all markets", (*CALL, "fields", "size", "by_kind", "perpetual"))],
    ),
    "words of books": (
        {**PRICE, "levels": LEVELS, "snapshot_when": "always"},
        [
            ("CEX060", "'levels' is for books, and this returns a mark_price", (*CALL, "levels")),
            ("CEX060", "'snapshot_when' is for books, and this returns a mark_price", (*CALL, "snapshot_when")),
        ],
    ),
    "nothing at all": (
        {"returns": "server_time"},
        [
            ("CEX042", "nothing says where 'timestamp' of a server_time comes from", (*CALL, "fields")),
            ("CEX060", "a mapping without fields", (*CALL, "returns")),
        ],
    ),
    "nothing about snapshots": (
        {**BOOK, "snapshot_when": None},
        [("CEX060", "nothing says which messages hold the whole book", (*CALL, "returns"))],
    ),
    "no such checksum": (
        {**BOOK, "checksum": {"hook": "crc33", "depth": 5, "value": "$.c"}},
        [("CEX047", "no checksum hook is registered as 'crc33'", (*CALL, "checksum", "hook"))],
    ),
    "a rule that compares more": (
        {**BOOK, "sequence": {"rule": "previous", "last": "$.u"}},
        [("CEX061", "the rule 'previous' compares 'previous' as well", (*CALL, "sequence"))],
    ),
}


@pytest.mark.parametrize("case", MAPPINGS.values(), ids=MAPPINGS)
def test_a_mapping_that_cannot_work_is_refused_where_it_is_wrong(case: tuple[dict[str, Any], list[tuple[str, str, Where]]]) -> None:
    mapping, problems = case
    given = {name: value for name, value in mapping.items() if value is not None}
    refused = found(lambda: answering(given).operation("call"))
    assert [(rule, where) for rule, _, where in refused] == [(rule, where) for rule, _, where in problems]
    assert all(text in message for (_, message, _), (_, text, _) in zip(refused, problems, strict=True))


def test_a_path_that_is_walked_costs_a_warning() -> None:
    for whole, cost in (
        (answering({**PRICE, "items": "$..x"}), "for every answer"),
        (streaming({"one": {**CHANNEL, "items": "$..x"}}), "for every message of the stream"),
    ):
        findings = whole.findings()
        whole.check(findings)
        assert findings.errors == []
        assert [one.message for one in findings.problems if one.rule == "CEX045"] == [
            f"'$..x' can't be lowered to typed decoding: it is walked {cost}"
        ]
    assert answering({**PRICE, "items": "$..x"}).operation("call").reader.unlowered == ("$..x",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b", r"a path starts with '\$'"),
        ("$" + ".a" * 300, "longer than 500 characters"),
        ("$[", "Parse error near the end of string"),
        ("$.a.`len`", "functions"),
        ("$.a.`sub(/(a+)+$/, x)`", "functions"),
        ("$[?(@.a =~ '(a+)+$')]", "=~"),
        ("$.a * $.b", "arithmetic"),
        ("$[?(@.a + 1 > 2)]", "arithmetic"),
        ("$.a,b", "Parse error"),
        ("$.a | $.b", "put paths together"),
        ("$.a & $.b", "put paths together"),
        ("$.a where $.b", "put paths together"),
    ],
)
def test_text_that_is_no_path_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PathError, match=reason):
        parse(text)


def everywhere(**channel: Any) -> Exchange:
    """One channel on two connections of the same form, and on one whose messages are wrapped."""
    connections = {"a": PUBLIC, "b": PUBLIC, "wrapped": {**PUBLIC, "payload": "$.data"}}
    marks = {"on": {"spot": "a", "linear": "b", "inverse": "wrapped"}, "topic": "marks", **CHANNEL, **channel}
    environments = {"live": {"rest": "https://venue.test", "ws": dict.fromkeys(connections, "wss://venue.test")}}
    categories = {"spot": {"kind": ["spot"]}, "linear": {"kind": ["perpetual"]}, "inverse": {"kind": ["future"]}}
    return exchange(ws={"connections": connections, "channels": {"marks": marks}}, environments=environments, categories=categories)


def test_connections_share_the_readers_of_messages_of_one_form() -> None:
    whole, frame = everywhere(), b'{"e":"mark","s":"A","p":"1"}'
    a, b, wrapped = (
        whole.connection(name).router.route(text, {})[0].readers
        for name, text in (("a", frame), ("b", frame), ("wrapped", b'{"data":' + frame + b"}"))
    )
    assert [name for name, _ in a] == [name for name, _ in b] == [name for name, _ in wrapped] == ["marks"]
    assert a[0][1] is b[0][1] is not wrapped[0][1]


def test_what_is_wrong_with_a_channel_is_told_for_each_connection_that_has_it() -> None:
    whole = everywhere(fields={**PRICE["fields"], "volume": "$.v"})
    for name in ("a", "b", "wrapped"):
        assert [(rule, where[-1]) for rule, _, where in found(lambda name=name: whole.connection(name))] == [("CEX041", "volume")]  # type: ignore[misc]


def test_what_looks_like_computing_may_stand_in_a_name() -> None:
    assert list(parse("$[?(@.a == '`=~`')].b").find([{"a": "`=~`", "b": 1}])) == [1]


@pytest.mark.parametrize("document", ["x", 7, {"a": 1}, [{"a": 1}, {"a": "x"}]])
def test_an_expression_finds_nothing_where_it_can_not_be_applied(document: object) -> None:
    assert list(parse(r"$[\a]").find(document)) == []
