"""Every public payload of the corpus becomes the right model, or is ignored for a reason; nothing is unrouted."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from cexspec.engine.normalize import Normalized, Normalizer
from cexspec.models import Event
from cexspec.models.encode import to_dict
from cexspec.spec.load import shipped
from tests.conformance.corpus import Record, needs_corpus, payloads, symbol_of

VENUES = tuple(shipped())
MODELS = {
    "trade": {"trade"},
    "book_snapshot": {"book"},
    "book_delta": {"book"},
    "ticker": {"ticker", "bbo", "mark_price", "funding_rate", "open_interest"},
    "bbo": {"bbo"},
    "candle": {"candle"},
    "funding": {"funding_rate"},
    "open_interest": {"open_interest"},
    "liquidation": {"liquidation"},
    "mark_price": {"mark_price", "funding_rate", "open_interest"},
    "instruments": {"instrument"},
}
"""Corpus kind -> the models it may become. Other kinds are answers, heartbeats, or private."""

EXPLAINED = {
    "hb:test_hyperliquid_perpetual_derivative.test_fetch_last_fee_payment_with_zero_payment#0": "a funding payment of an account",
    "hb:test_hyperliquid_perpetual_derivative.test_update_trading_rules_with_perpmeta_assetctxs_mismatch#1": "made up: no such answer",
    "hb:test_hyperliquid_exchange.configure_erroneous_trading_rules_response#0": "broken on purpose: tokens without szDecimals",
    "nt:hyperliquid/ws_all_dexs_asset_ctxs.json": "contexts by their place in a list: nothing names the coins",
    "hb:test_okx_exchange.configure_canceled_order_status_response#0": "edited: 'limit' is no side",
    "nt:okx/http_place_algo_order_rejected.json": "an order that is refused: an error is right",
    "hb:test_okx_perpetual_derivative.funding_payment_mock_response#0": "a funding payment of an account, no market data",
    "br:binance/trade.rs#1": "broken on purpose (m is 'yes'): a DecodeError is right",
    "br:bitfinex/message.rs#2": "tu repeats the te before it: taking both would double the trade",
    "td:map bitfinex messages#4": "tu repeats a te",
    "cf:BITFINEX.0#2": "a list of currencies: no instruments",
    "nt:binance_it/http_responses/http_spot_market_avg_price.json": "a five-minute average price: no unified model",
    "nt:binance_it/http_responses/http_wallet_trading_fee.json": "the account's fees; no path is recorded",
    "hb:test_kraken_exchange.network_status_request_successful_mock_response#0": "edited: the venue's answer has the pair's key around it",
    "hb:test_kraken_exchange.configure_completely_filled_order_status_response#0": "made up: an order that doesn't say of which market",
    "nt:kraken/ws_l3_update_add.json": "a single order of a book: no unified model",
    "nt:kraken/ws_l3_update_modify_price.json": "a single order of a book: no unified model",
    "nt:kraken/ws_l3_update_modify_qty.json": "a single order of a book: no unified model",
    "nt:bybit/ws_orderbook_snapshot.json": "the level 1 of a book: the best bid and offer as well",
    "hb:test_bybit_perpetual_api_order_book_data_source.test_get_new_order_book_successful#0": "under a made-up path",
    "hb:test_bybit_perpetual_derivative.test_listen_for_funding_info_update_initializes_funding_info#0": "under a made-up path",
    "hb:test_bybit_perpetual_derivative.funding_payment_mock_response#0": "funding payments of an account, no market data",
    "hb:test_bybit_perpetual_derivative.configure_trade_fills_response#0": "fills of an account; no path is recorded",
    "nt:bybit/http_get_user_sub_apikeys.json": "keys of accounts; no path is recorded",
    "nt:bybit/http_get_user_sub_members_paged.json": "accounts; no path is recorded",
    "nt:bybit/http_post_user_update_master_api.json": "keys of accounts; no path is recorded",
    "nt:binance_it/http_responses/http_futures_market_ticker_price.json": "version 1 of the last price: its successor is mapped",
    "nt:binance_it/http_responses/http_futures_market_global_long_short_account_ratio.json": "long and short accounts: no unified model",
    "nt:binance_it/http_responses/http_futures_market_top_long_short_account_ratio.json": "long and short accounts: no unified model",
    "nt:binance_it/http_responses/http_futures_wallet_commission_rate_btcusdt.json": "the account's fees; no path is recorded",
    "nt:binance_it/http_responses/http_futures_wallet_commission_rate_ethusdt.json": "the account's fees; no path is recorded",
    "hb:test_binance_exchange.order_creation_request_successful_mock_response#0": "a bare acknowledgement: the spec asks for full ones",
}
"""Records that become no model, and why that is right."""

PLACEHOLDERS = {
    "nt:binance/futures/market_data_json/depth_update_stream.json": 123456788,
    "nt:binance/futures/market_data_json/trade_stream.json": 123456785,
    "hb:test_binance_exchange.balance_request_mock_response_for_base_and_quote#0": 123456789,
    "hb:test_binance_exchange.balance_request_mock_response_only_base#0": 123456789,
    "hb:test_binance_perpetual_derivative.test_update_order_status_successful#0": 2000,
    "hb:test_bybit_exchange.test_create_limit_order_successfully#1": 1640790000,
    "hb:test_bybit_exchange.test_create_market_order_successfully#1": 1640790000,
    "nt:bybit/http_get_wallet_balance.json": 1234567890,
    "nt:bybit/http_get_wallet_balance_spot_short.json": 1234567890,
}
"""Records of a documentation, or made up for a test, whose milliseconds are no time of this century."""
WITH_PRICES = "hyperliquid's instruments with their prices beside them: read as both"
EXPLAINED |= dict.fromkeys(
    (
        "hb:test_hyperliquid_perpetual_api_order_book_data_source.test_get_funding_info_hip3_market_with_data_message#0",
        "hb:test_hyperliquid_perpetual_derivative.configure_trading_rules_response#0",
        "hb:test_hyperliquid_perpetual_derivative.test_get_last_traded_price_for_hip3_market#0",
    ),
    WITH_PRICES,
)
IN_AN_ENVELOPE_OF_MARKET_DATA = "an account's message as market data comes: made up, and no connection brings it so"
EXPLAINED |= dict.fromkeys(
    (
        f"nt:binance_it/ws_messages/ws_spot_execution_report_{name}.json"
        for name in (
            "calculated", "expired", "new_price_match", "new_stop_limit_price_match", "pending_cancel", "trade_prevention", "binance_us",
            "custom_client_id", "trade_l_zero_canceled", "trade_l_zero_expired", "trade_l_zero_partial",
        )
    ),
    IN_AN_ENVELOPE_OF_MARKET_DATA,
)  # fmt: skip


def read(normalizer: Normalizer, record: Record) -> Normalized:
    """One record through the offline path of the client."""
    if record["transport"] == "ws":
        return normalizer.read_ws(record["raw"])
    return normalizer.read_rest(record["raw"], path=record["channel_or_endpoint"], params=symbol_of(record))


def problem(record: Record, result: Normalized) -> str | None:
    """What is wrong with the reading of a record; None where it is right."""
    kinds = {str(to_dict(event)["type"]) for event in result.events}
    if result.error is not None and "unrouted" in str(result.error):
        return f"unrouted: {result.error}"
    if record["kind"] == "error":
        return None if result.error is not None else f"an error read as {result}"
    if record["kind"] not in MODELS:
        return f"{result.error}" if result.error is not None else None
    if result.left_out:
        return f"left out: {result.left_out[0]}"
    if not kinds or not kinds <= MODELS[record["kind"]]:
        return f"became {sorted(kinds)}, ignored: {result.ignored}, error: {result.error}"
    return None


@needs_corpus
@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize("venue", VENUES)
def test_every_payload_becomes_its_model_or_is_ignored_for_a_reason(venue: str, number: type[Decimal] | type[float]) -> None:
    normalizer = Normalizer(venue, number=number)
    wrong = {}
    read_as: Counter[str] = Counter()
    public = sum(record["kind"] in MODELS and record["id"] not in EXPLAINED for record in payloads(venue))
    for record in payloads(venue):
        result = read(normalizer, record)
        read_as["decoded" if result.events else "an error" if result.error else "ignored"] += 1
        found = problem(record, result)
        if found is not None and record["id"] not in EXPLAINED:
            wrong[record["id"]] = found
    assert not wrong
    assert read_as["decoded"] >= public > 0


@needs_corpus
def test_every_explanation_is_still_needed() -> None:
    unneeded = set(EXPLAINED)
    for venue in VENUES:
        normalizer = Normalizer(venue)
        unneeded -= {record["id"] for record in payloads(venue) if problem(record, read(normalizer, record)) is not None}
    assert not unneeded


@needs_corpus
@pytest.mark.parametrize("venue", VENUES)
def test_every_event_says_where_it_is_from(venue: str) -> None:
    normalizer = Normalizer(venue)
    events: list[tuple[str, Event]] = [(record["id"], event) for record in payloads(venue) for event in read(normalizer, record).events]
    assert {event.exchange for _, event in events} == {venue}
    odd = {record: event.timestamp for record, event in events if event.timestamp is not None and not 10**18 < event.timestamp < 3 * 10**18}
    assert odd == {record: PLACEHOLDERS.get(record, 0) * 10**6 for record in odd}
