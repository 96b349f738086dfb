"""Symbols and native ids, by rule and by instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.engine.markets import MAX_GUESSES, Conflict, Markets
from cexspec.models import Instrument, InvalidSymbol, Market
from tests.compile.made_up import exchange
from tests.engine.fake_venue import Codec, Plan


def instrument(id: str, symbol: str | None, **others: Any) -> Instrument:
    given: dict[str, Any] = {"exchange": "fake", "kind": "spot", "base": "BTC", "quote": "USDT", **others}
    return Instrument(id=id, symbol=symbol, **given)


SPOT = instrument("BTC-USDT", "BTC/USDT")
LINEAR = instrument(
    "BTC-USDT-SWAP", "BTC/USDT:PERP", kind="perpetual", settle="USDT", contract_size=Decimal("0.01"), contract_currency="BTC"
)
INVERSE = instrument(
    "BTC-USD-SWAP", "BTC/USD:PERP:BTC", kind="perpetual", quote="USD", settle="BTC", contract_size=Decimal(100), contract_currency="USD"
)


@pytest.fixture
def markets() -> Markets:
    return Markets(Plan({}))


def test_offline_the_rules_read_and_write(markets: Markets) -> None:
    assert not markets.loaded
    assert markets.market("BTC-USDT-SWAP") == Market("BTC-USDT-SWAP", "BTC/USDT:PERP", "perpetual", category="swap")
    assert markets.native_id("BTC/USDT") == markets.native_id("BTC-USDT") == "BTC-USDT"
    assert markets.params("BTC/USDT:PERP") == {
        "id": "BTC-USDT-SWAP",
        "symbol": "BTC/USDT:PERP",
        "base": "BTC",
        "quote": "USDT",
        "category": "SWAP",
    }
    assert markets.instrument("BTC/USDT") is None


def test_an_id_that_no_rule_reads_is_its_own_label(markets: Markets) -> None:
    assert markets.market("weird") == Market("weird", "weird", None)
    assert markets.params("weird") == {"id": "weird", "symbol": "weird"}


def test_offline_a_symbol_that_no_rule_writes_is_refused(markets: Markets) -> None:
    with pytest.raises(InvalidSymbol, match=r"^fake: no symbol or native id 'BTC/USDT:FUT:20260925'") as caught:
        markets.native_id("BTC/USDT:FUT:20260925")
    assert caught.value.symbol == "BTC/USDT:FUT:20260925"


def test_loaded_instruments_are_the_authority(markets: Markets) -> None:
    assert markets.market("BTC-USDT-SWAP").contract_size is None
    assert markets.load([SPOT, LINEAR, INVERSE]) == ()
    assert markets.loaded
    assert markets.market("BTC-USDT-SWAP") == Market("BTC-USDT-SWAP", "BTC/USDT:PERP", "perpetual", Decimal("0.01"), False, category="swap")
    assert markets.market("BTC-USD-SWAP").contract_in_quote
    assert markets.native_id("BTC/USD:PERP:BTC") == markets.native_id("BTC-USD-SWAP") == "BTC-USD-SWAP"
    assert markets.instrument("BTC/USDT") is SPOT
    assert markets.params("BTC-USD-SWAP") == {
        "id": "BTC-USD-SWAP",
        "symbol": "BTC/USD:PERP:BTC",
        "base": "BTC",
        "quote": "USD",
        "category": "SWAP",
        "code": None,
    }


@pytest.mark.parametrize(("asked", "close"), [("BTC/USDC", "BTC/USDT"), ("btc-usdt", "BTC-USDT"), ("nothing like it", None)])
def test_what_no_instrument_lists_is_refused_with_close_matches(markets: Markets, asked: str, close: str | None) -> None:
    markets.load([SPOT, LINEAR, INVERSE])
    with pytest.raises(InvalidSymbol) as caught:
        markets.native_id(asked)
    assert (close in str(caught.value)) if close else ("did you mean" not in str(caught.value))


def test_of_two_with_one_symbol_or_id_the_first_wins_and_the_others_are_reported(markets: Markets) -> None:
    twin, again = instrument("XBT-USDT", "BTC/USDT"), instrument("BTC-USDT", "OTHER/USDT")
    conflicts = (Conflict("XBT-USDT", "BTC/USDT", "BTC-USDT"), Conflict("BTC-USDT", "OTHER/USDT", "BTC-USDT"))
    assert markets.load([SPOT, twin, again]) == markets.conflicts == conflicts
    assert markets.native_id("BTC/USDT") == "BTC-USDT"


def test_an_unlisted_id_never_takes_the_symbol_of_a_listed_one(markets: Markets) -> None:
    markets.load([instrument("XBT-USDT", "BTC/USDT")])
    assert markets.market("BTC-USDT") == Market("BTC-USDT", "BTC-USDT", None)
    assert markets.market("ETH-USDT").symbol == "ETH/USDT"


def test_another_spelling_of_an_id_is_the_listed_market(markets: Markets) -> None:
    spelt = "BTC\\USDT\\SWAP"
    assert markets.native_id(spelt) == spelt, "offline an id is sent as it is"
    assert markets.market(spelt) == Market(spelt, "BTC/USDT:PERP", "perpetual", category="swap")
    own = instrument("XBT-USDT-SWAP", "BTC/USDT:PERP", kind="perpetual", contract_size=Decimal("0.01"))
    markets.load([own])
    assert markets.native_id(spelt) == "XBT-USDT-SWAP"
    assert markets.market(spelt) is markets.market("XBT-USDT-SWAP")
    assert markets.params(spelt)["id"] == "XBT-USDT-SWAP" and markets.instrument(spelt) is own
    assert markets.market("BTC-USDT-SWAP") == Market("BTC-USDT-SWAP", "BTC-USDT-SWAP", None), "an ordinary id, which is not listed"


def test_another_spelling_of_what_is_not_listed_is_read_by_rule_and_not_known(markets: Markets) -> None:
    markets.load([SPOT])
    assert markets.market("ETH\\USDT") == Market("ETH\\USDT", "ETH/USDT", "spot", category="spot")
    with pytest.raises(InvalidSymbol, match="ETH"):
        markets.native_id("ETH\\USDT")


def test_an_id_that_the_venue_lists_by_itself_is_no_other_spelling(markets: Markets) -> None:
    markets.load([SPOT, instrument("BTC\\USDT", "BTC/USDT")])
    assert markets.market("BTC\\USDT") == Market("BTC\\USDT", "BTC\\USDT", None)


@pytest.mark.parametrize("text", ["FOO/BAR\\X", "FOO\\BAR/X"])
def test_offline_another_spelling_that_looks_like_a_symbol_is_refused_where_its_symbol_is_not_written(text: str) -> None:
    class Unwriting(Codec):
        def format(self, symbol: str) -> str | None:
            return None

    with pytest.raises(InvalidSymbol):
        Markets(Plan({}, symbols=Unwriting())).native_id(text)
    assert Markets(Plan({}, symbols=Unwriting())).native_id("FOO\\BAR") == "FOO\\BAR"


SPELT_BY_LINE: dict[str, Any] = {
    "formats": {
        "spot": ["{base}{quote}", {"format": "{base}-{quote}", "read_only": True}],
        "perpetual": ["{base}{quote}", {"format": "{base}-{quote}", "read_only": True}],
    },
    "quotes": ["USDT"],
    "unique_in": "category",
    "irregular": {"XB": "BTC/USDC:PERP"},
    "examples": {"BTC/USDT": "BTCUSDT", "BTC/USDT:PERP": "BTCUSDT", "ETH/USDT": "ETH-USDT", "ETH/USDT:PERP": "ETH-USDT"},
}
LINES = {"spot": {"kind": ["spot"]}, "linear": {"kind": ["perpetual"]}}


def test_other_spellings_are_those_of_a_product_line_where_ids_are() -> None:
    markets = Markets(exchange(symbols=SPELT_BY_LINE, categories=LINES))
    spot = instrument("BTCUSDT", "BTC/USDT")
    linear = instrument("BTCUSDT", "BTC/USDT:PERP", kind="perpetual", settle="USDT")
    irregular = instrument("BTCPERP", "BTC/USDC:PERP", kind="perpetual", quote="USDC", settle="USDC")
    markets.load([spot, linear, irregular])
    assert markets.within("spot")("BTC-USDT") is markets.within("spot")("BTCUSDT")
    assert markets.within("linear")("BTC-USDT") is markets.within("linear")("BTCUSDT")
    assert markets.market("BTC-USDT") == Market("BTC-USDT", "BTC-USDT", None)
    with pytest.raises(InvalidSymbol, match="name one of these"):
        markets.find("BTC-USDT")
    assert markets.within("linear")("XB").symbol == markets.find("XB").symbol == "BTC/USDC:PERP"
    assert markets.within("spot")("XB") == Market("XB", "XB", None)
    assert markets.native_id("XB") == "BTCPERP"


def test_loading_nothing_keeps_what_was_loaded(markets: Markets) -> None:
    markets.load([SPOT])
    markets.load([])
    assert markets.loaded


def test_loading_again_replaces(markets: Markets) -> None:
    markets.load([SPOT, LINEAR])
    markets.load([SPOT])
    assert markets.market("BTC-USDT-SWAP").contract_size is None


def test_guesses_are_bounded_and_listed_markets_stay(markets: Markets) -> None:
    markets.load([LINEAR])
    listed = markets.market("BTC-USDT-SWAP")
    for number in range(MAX_GUESSES + 10):
        markets.market(f"noise{number}")
    assert len(markets._tables[None]) <= MAX_GUESSES + 1
    assert markets.market("BTC-USDT-SWAP") == listed


def test_float_clients_keep_exact_contract_sizes() -> None:
    markets = Markets(Plan({}), float)
    markets.load([instrument("BTC-USDT-SWAP", "BTC/USDT:PERP", kind="perpetual", contract_size=0.1)])
    market = markets.market("BTC-USDT-SWAP")
    assert (market.contract_size, market.base_size(3.0, None)) == (Decimal("0.1"), 3.0 * 0.1)


@given(st.lists(st.tuples(st.text("AB-/", min_size=1, max_size=3), st.text("AB/", min_size=1, max_size=3))))
def test_loaded_markets_are_bijective(pairs: list[tuple[str, str]]) -> None:
    markets = Markets(Plan({}))
    markets.load(instrument(id, symbol) for id, symbol in pairs)
    kept = {id: markets.market(id).symbol for id, _ in pairs if (None, id) in markets._instruments}
    assert len(set(kept.values())) == len(kept)
    for id, symbol in kept.items():
        assert markets.native_id(str(symbol)) == id
