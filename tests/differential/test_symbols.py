"""Native ids and symbols of a venue's lists of instruments are one to one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cexspec.engine.markets import Markets
from cexspec.models import Instrument, Market
from cexspec.models.symbol import Symbol
from tests.differential.bodies import Source
from tests.differential.run import instruments
from tests.differential.test_differential import SOURCES
from tests.differential.venues import VENUES
from tests.exchanges.venue import Feed, plan

MADE_UP = {"ETH-26JUN26-16000-P": "its deliveryTime, of a fixture, is a day in May"}
"""Listed ids that their own records contradict."""


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_ids_and_symbols_of_all_lists_are_one_to_one(venue: str, source: Source, tell: Callable[[str], None]) -> None:
    markets, listed = Feed(venue).markets, instruments(venue, source)
    assert markets.load(listed) == ()
    there = [named(markets, each).symbol for each in listed]
    assert there == [each.symbol or each.id for each in listed]
    assert [markets.find(str(symbol)).id for symbol in there] == [each.id for each in listed]
    tell(f"{venue}, {source}: {len(listed)} ids and as many symbols")


def named(markets: Markets, listed: Instrument) -> Market:
    """What an instrument's id names in its product line."""
    category = plan(listed.exchange).category(listed.kind, listed.settle)
    return markets.within(category.name if category is not None else None)(listed.id)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_the_rules_say_of_a_listed_id_what_its_instrument_says_or_nothing(venue: str, source: Source) -> None:
    listed = [each for each in instruments(venue, source) if each.symbol != each.id and each.id not in MADE_UP]
    read = [(named(Feed(venue).markets, each), each) for each in listed]
    told = [(market.id, market.symbol, each.symbol) for market, each in read if market.kind is not None]
    assert [one for one in told if one[1] != one[2]] == []
    assert told


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_symbols_go_to_the_notation_of_ccxt_and_back(venue: str, source: Source) -> None:
    symbols = [Symbol.parse(each.symbol) for each in instruments(venue, source) if each.symbol != each.id and each.symbol]
    assert [str(one) for one in symbols if Symbol.from_ccxt(one.to_ccxt()) != one] == []
    assert symbols
