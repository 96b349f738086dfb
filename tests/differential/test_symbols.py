"""Native ids and symbols of a venue's lists of instruments are one to one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cexspec.models.symbol import Symbol
from tests.differential.bodies import Source
from tests.differential.run import conflicts, instruments
from tests.differential.test_differential import SOURCES
from tests.differential.venues import VENUES
from tests.exchanges.venue import Feed

MADE_UP = {"ETH-26JUN26-16000-P": "its deliveryTime, of a fixture, is a day in May"}
"""Listed ids that their own records contradict."""


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_no_two_listed_instruments_share_a_symbol(venue: str, source: Source, tell: Callable[[str], None]) -> None:
    assert conflicts(venue, source) == ()
    markets, listed = Feed(venue).markets, instruments(venue, source)
    markets.load(listed)
    assert len({markets.find(each.id).symbol for each in listed}) == len(listed)
    assert [each.id for each in listed if markets.find(str(each.symbol)).id != each.id] == []
    tell(f"{venue}, {source}: {len(listed)} ids and as many symbols")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_the_rules_say_of_a_listed_id_what_its_instrument_says_or_nothing(venue: str, source: Source) -> None:
    rules = Feed(venue).markets
    named = [
        (rules.market(each.id), each.symbol) for each in instruments(venue, source) if each.symbol != each.id and each.id not in MADE_UP
    ]
    assert [(market.id, market.symbol, symbol) for market, symbol in named if market.kind is not None and market.symbol != symbol] == []
    assert any(market.kind is not None for market, _ in named)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_symbols_go_to_the_notation_of_ccxt_and_back(venue: str, source: Source) -> None:
    symbols = [Symbol.parse(each.symbol) for each in instruments(venue, source) if each.symbol != each.id and each.symbol]
    assert [str(one) for one in symbols if Symbol.from_ccxt(one.to_ccxt()) != one] == []
    assert symbols
