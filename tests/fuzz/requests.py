"""What callers give: odd parameters make a well-formed request or a typed error, symbols of any text are read or refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import string
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.rest_client import RestClient
from cexspec.engine.topics import topic_of
from cexspec.models import CexspecError, InvalidSymbol
from cexspec.models.symbol import Symbol
from cexspec.transport.clock import VirtualClock
from tests.exchanges.venue import IDS, LATER, plan
from tests.fuzz.answers import Answer, Answering, calls
from tests.fuzz.mutations import NUMBERS, TEXTS
from tests.fuzz.run import Target

URL = frozenset(string.ascii_letters + string.digits + "-._~:/?#[]@!$&'()*+,;=%")
REFUSED: Answer = (400, {}, b"{}")


def request(given: tuple[str, str, dict[str, Any]]) -> None:
    """The operation called with these parameters."""
    exchange, operation, params = given
    live, clock, transport = plan(exchange), VirtualClock(LATER), Answering([REFUSED])
    limiter = limiter_of(live.pools, clock)
    engine = RestEngine(live, next(iter(live.environments.values())), transport, clock, limiter, Markets(live), random=Random(1))

    async def call() -> None:
        with contextlib.suppress(CexspecError):
            await clock.run(RestClient(engine).call(operation, **params), limit=1e6)

    asyncio.run(call())
    known = {name: live.operation(name) for name in live.operation_names}
    for sent in transport.calls:
        assert set(sent.url) <= URL, f"no URL: {sent.url[:300]!r}"
        path = urlsplit(sent.url).path
        assert any(path.count("/") == one.path.count("/") + _base(live) for one in known.values()), f"another path: {path[:300]!r}"
        assert not {".", ".."} & set(path.split("/")), f"a path that leads elsewhere: {path[:300]!r}"
        if sent.body is not None:
            json.loads(sent.body, parse_constant=_no_constant)
        assert all("\n" not in name + value and "\r" not in name + value for name, value in sent.headers)


def _base(live: Any) -> int:
    return len(urlsplit(next(iter(live.environments.values())).rest or "").path.rstrip("/").split("/")) - 1


def _no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def subscribe(given: tuple[str, str, dict[str, Any]]) -> None:
    """The topic of a channel, and the message that asks for it."""
    exchange, name, params = given
    live = plan(exchange)
    channel, markets = live.channel(name), Markets(live)
    try:
        market = markets.params(params["symbol"]) if isinstance(params.get("symbol"), str) else {}
        topic = topic_of(channel, {**params, **market})
    except (CexspecError, KeyError):
        return
    for connection in channel.connections.values():
        verb = live.connection(connection).subscribe
        try:
            frame = verb.send([topic.payload], "1", {})
        except CexspecError:
            continue
        json.loads(frame, parse_constant=_no_constant)
        assert b"\n" not in frame


def symbol(given: tuple[str, str]) -> None:
    """Any text as a symbol and as a native id."""
    exchange, text = given
    for parse in (Symbol.parse, Symbol.from_ccxt):
        try:
            parsed = parse(text)
        except InvalidSymbol:
            continue
        assert Symbol.parse(str(parsed)) == parsed
        assert Symbol.from_ccxt(parsed.to_ccxt()) == parsed
    codec, markets = plan(exchange).symbols, Markets(plan(exchange))
    written = codec.format(text)
    if written is not None:
        read = codec.parse(written, codec.category(Symbol.parse(text)))
        assert read is not None and read[0] == str(Symbol.parse(text)), f"{text!r} is written {written!r}, which is {read}"
    found = codec.parse(text)
    assert found is None or str(Symbol.parse(found[0])) == found[0]
    assert markets.market(text).symbol is not None
    with contextlib.suppress(InvalidSymbol):
        markets.params(text)


@cache
def symbols(exchange: str) -> tuple[str, ...]:
    """Symbols and ids that there are, and parts of them."""
    spec = plan(exchange).spec.symbols
    whole = [*spec.examples, *spec.examples.values(), *spec.irregular, *spec.irregular.values()]
    return tuple(dict.fromkeys(whole))


def _texts(exchange: str) -> st.SearchStrategy[str]:
    known = st.sampled_from(symbols(exchange))
    parts = st.sampled_from(sorted({part for one in symbols(exchange) for part in one.replace("/", "-").replace(":", "-").split("-")}))
    glue = st.sampled_from(
        ["", "-", "/", ":", "_", ":PERP", ":FUT:", ":OPT:C:", "20260925", "20260231", "t", "@", "\n", " ", "\u0130", "\ud800"]
    )
    mixed = st.lists(known | parts | glue, max_size=6).map("".join)
    return st.one_of(known, mixed, mixed, st.sampled_from(TEXTS), st.text(max_size=30), st.text("/:-.0123456789ABCFOPTRSU", max_size=40))


_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from(["1m", "1d", "7m", "1M", "BTC/USDT", "BTC/USDT:PERP", "BTCUSDT", "2026-01-01T00:00:00Z"]),
    st.sampled_from([None, True, float("nan"), float("inf"), Decimal("1e999"), Decimal("NaN"), [], {}, ["a", "b"], {"a": 1}, b"x"]),
    st.text(max_size=20),
)


def _given(exchange: str, names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters; a symbol is a text, whatever text."""
    one = st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), _texts(exchange) if name == "symbol" else _VALUES))
    return st.lists(one, max_size=3).map(dict)


def _request(exchange: str) -> st.SearchStrategy[tuple[str, str, dict[str, Any]]]:
    def odd(one: tuple[str, Any]) -> st.SearchStrategy[tuple[str, str, dict[str, Any]]]:
        operation, call = one
        names = sorted({"symbol", "limit", "start", "end", "interval", "depth", *call, *plan(exchange).operation(operation).needs})
        return st.tuples(st.just(exchange), st.just(operation), _given(exchange, names).map(lambda new: {**call, **new}))

    return st.sampled_from(calls(exchange)).flatmap(odd)


def _topic(exchange: str) -> st.SearchStrategy[tuple[str, str, dict[str, Any]]]:
    def odd(name: str) -> st.SearchStrategy[tuple[str, str, dict[str, Any]]]:
        names = sorted({"symbol", "interval", "depth", *plan(exchange).channel(name).needs})
        given = _given(exchange, names).map(lambda new: {"symbol": "BTC/USDT", "interval": "1m", **new})
        return st.tuples(st.just(exchange), st.just(name), given)

    anybodys = [name for name in plan(exchange).channel_names if not plan(exchange).channel(name).private]
    return st.sampled_from(anybodys).flatmap(odd)


REQUESTS = Target("requests", st.sampled_from(IDS).flatmap(_request), request)
TOPICS = Target("topics", st.sampled_from(IDS).flatmap(_topic), subscribe)
SYMBOLS = Target("symbols", st.sampled_from(IDS).flatmap(lambda one: st.tuples(st.just(one), _texts(one))), symbol)
TARGETS = (REQUESTS, TOPICS, SYMBOLS)
