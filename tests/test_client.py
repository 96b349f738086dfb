"""`Client` joins the parts: hosts, budgets, symbols, REST and streams, against mock venues on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from cexspec import Client, MemoryStore
from cexspec.engine.books.view import BookView
from cexspec.mock import MockVenue
from cexspec.models import Gap, InvalidSymbol, NotSupported, RateLimitExceeded, SpecError, Trade

VENUES = ("okx", "binance", "bitfinex")
SOMEWHERE = {"rest": "http://127.0.0.1:9"}


@pytest.fixture(params=VENUES)
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[MockVenue]:
    """Each shipped venue that has samples."""
    async with MockVenue(request.param, interval=0.02) as venue:
        yield venue


async def test_rest_and_streams_speak_one_language_at_every_venue(venue: MockVenue) -> None:
    async with Client(venue.exchange.id, environment=venue.environment) as client:
        ticker = await client.rest.get_ticker("BTC/USDT")
        book = await client.rest.get_order_book("BTC/USDT", depth=10)
        candles = await client.rest.get_candles("BTC/USDT", "1m", limit=5)
        trades = [trade async for trade in first(client.ws.stream_trades("BTC/USDT"), 3)]
        books = [event async for event in first(client.ws.stream_order_book("BTC/USDT"), 2)]
    assert ticker.symbol == "BTC/USDT"
    assert ticker.bid is not None and ticker.ask is not None
    assert ticker.bid < ticker.ask
    assert len(book.bids) == 10
    assert book.bids[0][0] < book.asks[0][0]
    assert len({candle.timestamp for candle in candles}) == 5
    assert all(isinstance(trade, Trade) and trade.symbol == "BTC/USDT" and trade.side in ("buy", "sell") for trade in trades)
    assert isinstance(books[0], BookView) and books[0].exchange == venue.exchange.id


async def first(stream: Any, count: int) -> AsyncIterator[Any]:
    """The first events of a stream; a gap would be none of them."""
    async with stream:
        async for event in stream:
            assert not isinstance(event, Gap)
            yield event
            count -= 1
            if not count:
                return


async def test_floats_where_asked_for() -> None:
    async with MockVenue("okx") as venue, Client("okx", environment=venue.environment, number=float) as client:
        ticker = await client.rest.get_ticker("BTC/USDT")
    assert isinstance(ticker.last, float)


async def test_a_native_id_is_taken_wherever_a_symbol_is() -> None:
    async with MockVenue("okx") as venue, Client("okx", environment=venue.environment) as client:
        assert (await client.rest.get_ticker("BTC-USDT")).symbol == "BTC/USDT"


async def test_what_the_venue_refuses_raises_its_error_with_code_and_message() -> None:
    async with MockVenue("okx") as venue, Client("okx", environment=venue.environment) as client:
        with pytest.raises(InvalidSymbol) as caught:
            await client.rest.call("ticker", id="NO SUCH THING")
    assert caught.value.code is not None and caught.value.exchange == "okx"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"exchange": "nosuch"}, SpecError, "unknown exchange"),
        ({"exchange": "okx", "environment": "moon"}, NotSupported, "no environment 'moon' (it has: live, demo"),
        ({"exchange": "okx", "environment": {"rset": "http://x"}}, ValueError, "headers, paper, rest, rest_private, ws, not rset"),
        ({"exchange": "okx", "environment": {"ws": {"privat": "ws://x"}}}, ValueError, "not privat"),
        ({"exchange": "okx", "rate_limits": {"nosuch": {"rate": 1, "period": 1}}}, ValueError, "no pool is called 'nosuch'"),
        ({"exchange": "okx", "rate_limits": {"calls_20": {"rate": 1}}}, ValueError, "has the keys rate and period"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Client(**arguments)
    assert message in str(caught.value)
    assert "sesame" not in str(caught.value)


async def test_it_tells_beforehand_what_it_supports() -> None:
    async with Client("binance", environment=SOMEWHERE) as client:
        answers = {name: client.supports(name) for name in ("ticker", "order_book", "open_interest", "funding_rate", "bbo")}
    assert answers == {"ticker": True, "order_book": True, "open_interest": False, "funding_rate": False, "bbo": True}


async def test_what_is_polled_is_supported() -> None:
    async with Client("binance_usdm", environment=SOMEWHERE) as client:
        assert client.supports("open_interest") and "open_interest" not in client.exchange.streams
        assert not client.supports("bid")


async def test_what_the_spec_lacks_is_not_supported() -> None:
    async with Client("binance", environment=SOMEWHERE) as client:
        with pytest.raises(NotSupported):
            await client.rest.get_funding_rate("BTC/USDT")
        with pytest.raises(NotSupported):
            client.ws.stream_funding_rate("BTC/USDT")


async def test_limits_of_the_user_take_the_place_of_the_specs() -> None:
    limits = {"calls_20": {"rate": 3, "period": 60}, "global": {"rate": 5, "period": 60}}
    async with MockVenue("okx") as venue, Client("okx", environment=venue.environment, rate_limits=limits, on_limit="raise") as client:
        assert repr(client) == "Client('okx', environment='custom')"
        for _ in range(3):
            await client.rest.get_ticker("BTC/USDT")
        with pytest.raises(RateLimitExceeded) as caught:
            await client.rest.get_ticker("BTC/USDT")
        left = (client.limits["calls_20"].remaining, client.limits["global"].remaining, client.limits["calls_40"].remaining)
        assert left == (0, 2, 40)
        (ticker,) = client.limits["calls_20"].buckets
        assert (ticker.operation, ticker.remaining, ticker.waiting, ticker.paused) == ("ticker", 0, 0, 0.0)
        assert client.limits.store.kind == "memory"
    assert caught.value.retry_after is not None and 0 < caught.value.retry_after <= 60


async def test_clients_that_share_a_store_share_the_budgets_of_their_address() -> None:
    store = MemoryStore()
    async with MockVenue("okx") as venue, MockVenue("okx") as elsewhere:
        one, other = (Client("okx", environment=venue.environment, limits_store=store) for _ in range(2))
        alone, far = Client("okx", environment=venue.environment), Client("okx", environment=elsewhere.environment, limits_store=store)
        async with one, other, alone, far:
            await one.rest.get_ticker("BTC/USDT")
            await other.rest.get_ticker("ETH/USDT")
            assert [client.limits["calls_20"].remaining for client in (one, other, alone, far)] == [18, 18, 20, 20]


async def test_contract_sizes_are_known_before_the_first_contract_arrives() -> None:
    async with MockVenue("okx", interval=0.02) as venue, Client("okx", environment=venue.environment) as client:
        trades = [trade async for trade in first(client.ws.stream_trades("BTC/USDT:PERP"), 2)]
        size = client.markets.market("BTC-USDT-SWAP").contract_size
    assert size is not None
    assert all(trade.contracts is not None and trade.size == trade.contracts * size for trade in trades)
    assert isinstance(trades[0].size, Decimal)
