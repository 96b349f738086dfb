"""The commands on one's own account: what is said before an order goes out, who has to agree, and how they end."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pytest
from typer.testing import CliRunner, Result

from cexspec.cli._trading import in_words, plain
from cexspec.cli.app import app
from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.models import Balance, Fill, InvalidOrder, NetworkError, Order, Position, Ticker
from cexspec.models.order_request import OrderRequest

SPEC = str(Path(__file__).parents[1] / "registry" / "venue.yaml")
ENVIRON = {"VENUE_API_KEY": "planted-key", "VENUE_API_SECRET": "planted-secret"}
LIVE = EnvironmentPlan("live", "https://example.com", {}, {})
HERE = EnvironmentPlan("custom", "http://127.0.0.1:1", {}, {})
ORDER = Order(exchange="venue", symbol="BTC/USDT", order_id="7", side="buy", status="new")


class Trade:
    """`client.trade` that remembers what it was asked."""

    dry_runs = ("POST https://example.com/order\nX-KEY: ***",)

    def __init__(self, calls: list[tuple[str, Any]], outcome: Order | Exception) -> None:
        self._calls, self._outcome = calls, outcome

    def _done(self, name: str, asked: Any) -> Order:
        self._calls.append((name, asked))
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    async def place_order(self, request: OrderRequest, *, round_to_instrument: bool) -> Order:
        return self._done("place_order", (request, round_to_instrument))

    async def amend_order(self, **asked: Any) -> Order:
        return self._done("amend_order", asked)

    async def cancel_order(self, **asked: Any) -> Order:
        return self._done("cancel_order", asked)

    async def cancel_all_orders(self, **asked: Any) -> list[Order]:
        return [self._done("cancel_all_orders", asked)]

    async def get_order(self, **asked: Any) -> Order:
        return self._done("get_order", asked)

    async def get_open_orders(self, **asked: Any) -> list[Order]:
        return [self._done("get_open_orders", asked)] * 2

    async def get_positions(self, **asked: Any) -> list[Position]:
        self._calls.append(("get_positions", asked))
        return [Position(exchange="venue", symbol="BTC/USDT:USDT", side="long", quantity=Decimal(1))]

    async def get_balances(self) -> list[Balance]:
        return [Balance(exchange="venue", symbol=None, currency=currency, total=Decimal(1)) for currency in ("BTC", "USDT", "ETH")]

    async def get_fills(self, **asked: Any) -> list[Fill]:
        self._calls.append(("get_fills", asked))
        return [Fill(exchange="venue", symbol="BTC/USDT", side="buy", price=Decimal(1), quantity=Decimal(2))]


class Rest:
    """`client.rest` with one price."""

    ticker: Ticker | Exception = Ticker(exchange="venue", symbol="BTC/USDT", ask=Decimal(50_000), bid=Decimal(49_000))

    async def get_ticker(self, symbol: str) -> Ticker:
        if isinstance(self.ticker, Exception):
            raise self.ticker
        return self.ticker


class Venue:
    """Stands in for the client: what it was made with, and what it was asked."""

    def __init__(self) -> None:
        self.environment, self.outcome = HERE, ORDER  # type: EnvironmentPlan, Order | Exception
        self.calls: list[tuple[str, Any]] = []
        self.given: dict[str, Any] = {}
        self.rest = Rest()
        self.id = "venue"

    @property
    def trade(self) -> Trade:
        return Trade(self.calls, self.outcome)

    def __call__(self, exchange: str, **given: Any) -> Self:
        self.given = given
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    made = Venue()
    monkeypatch.setattr("cexspec.client.Client", made)
    return made


def run(*arguments: str, environ: dict[str, str] | None = None, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), env=ENVIRON if environ is None else environ, input=answer)


def place(*arguments: str, answer: str | None = None) -> Result:
    return run("order", "place", SPEC, "BTC/USDT", *arguments, answer=answer)


PLACED: list[tuple[list[str], dict[str, Any], str]] = [
    (
        ["buy", "0.5", "--price", "50000"],
        {"type": "limit", "quantity": "0.5", "price": "50000"},
        "buy 0.5 BTC/USDT, limit 50000, worth 25000 USDT",
    ),
    (["buy", "0.5"], {"type": "market", "quantity": "0.5"}, "buy 0.5 BTC/USDT, market, worth about 25000 USDT"),
    (["sell", "0.5"], {"type": "market", "quantity": "0.5", "side": "sell"}, "sell 0.5 BTC/USDT, market, worth about 24500 USDT"),
    (
        ["buy", "--quote-quantity", "100"],
        {"type": "market", "quote_quantity": "100"},
        "buy 100 USDT of BTC/USDT, market, worth 100 USDT",
    ),
    (
        ["sell", "1", "--stop-price", "40000", "--reduce-only"],
        {"type": "stop_market", "side": "sell", "quantity": "1", "stop_price": "40000", "reduce_only": True},
        "sell 1 BTC/USDT, stop market, once the price is 40000, reduce only, worth about 40000 USDT",
    ),
    (
        ["buy", "1", "--price", "3", "--stop-price", "2"],
        {"type": "stop_limit", "quantity": "1", "price": "3", "stop_price": "2"},
        "buy 1 BTC/USDT, stop limit 3, once the price is 2, worth 3 USDT",
    ),
    (
        ["buy", "1", "--price", "3", "--post-only", "--time-in-force", "gtc", "--leverage", "5",
         "--margin-mode", "cross", "--position-side", "long", "--client-order-id", "x"],
        {"type": "limit", "quantity": "1", "price": "3", "post_only": True, "time_in_force": "gtc", "leverage": "5", "margin_mode": "cross",
         "position_side": "long", "client_order_id": "x"},
        "buy 1 BTC/USDT, limit 3, post only, leverage 5, worth 3 USDT",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "parts", "words"), PLACED)
def test_an_order_is_said_in_words_and_placed(arguments: list[str], parts: dict[str, Any], words: str, venue: Venue) -> None:
    result = place(*arguments)
    assert result.exit_code == 0, result.output
    request = OrderRequest(**{"symbol": "BTC/USDT", "side": "buy", **parts})
    assert venue.calls == [("place_order", (request, False))]
    assert result.stderr == f"{words} (venue, environment custom)\n"
    assert json.loads(result.stdout)["order_id"] == "7"
    assert dict(venue.given["credentials"]) == {"api_key": "planted-key", "api_secret": "planted-secret"}
    assert venue.given["allow_trading"] is True and venue.given["dry_run"] is False


def test_a_worth_that_nobody_knows_is_said_too(venue: Venue) -> None:
    venue.rest.ticker = NetworkError("no network")
    assert "market, worth an unknown amount" in place("buy", "1").stderr
    venue.rest.ticker = Ticker(exchange="venue", symbol="BTC/USDT", last=7.5)
    assert "market, worth about 7.5 USDT" in place("buy", "1").stderr


def test_a_live_order_needs_a_yes(venue: Venue) -> None:
    venue.environment = LIVE
    refused = place("buy", "1", "--price", "5")
    assert refused.exit_code == 2 and venue.calls == []
    assert "buy 1 BTC/USDT, limit 5, worth 5 USDT (venue, environment live: LIVE, with real money)" in refused.stderr
    assert "there is nobody to ask: add --yes" in refused.stderr
    assert place("buy", "1", "--price", "5", "--yes").exit_code == 0
    assert len(venue.calls) == 1


@pytest.mark.parametrize(("answer", "code", "sent"), [("y\n", 0, 1), ("n\n", 1, 0), ("\n", 1, 0), ("", 1, 0)])
def test_on_a_terminal_it_is_asked(answer: str, code: int, sent: int, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    venue.environment = LIVE
    monkeypatch.setattr("cexspec.cli._trading.somebody_there", lambda: True)
    result = place("buy", "1", "--price", "5", answer=answer)
    assert (result.exit_code, len(venue.calls)) == (code, sent), result.output
    assert "Send it? [y/N]" in result.stderr


def test_a_dry_run_asks_nobody_and_shows_the_request(venue: Venue) -> None:
    venue.environment = LIVE
    result = place("buy", "1", "--price", "5", "--dry-run", "--round", "--max-notional", "10")
    assert result.exit_code == 0
    assert result.stderr == "not sent: POST https://example.com/order\nX-KEY: ***\n"
    assert (venue.given["dry_run"], venue.given["max_notional"], venue.calls[0][1][1]) == (True, Decimal(10), True)


USAGE = [
    (["buy"], "give 'quantity' (base currency) or 'quote_quantity'"),
    (["buy", "x"], "'x' is not a number"),
    (["buy", "0"], "0 is not an amount above 0"),
    (["buy", "nan"], "nan is not an amount above 0"),
    (["hold", "1"], "'hold' is not one of 'buy', 'sell'"),
    (["buy", "1", "--type", "limit"], "a limit order has a price"),
    (["buy", "1", "--post-only"], "'post_only' is for limit orders"),
    (["buy", "1", "--price", "1", "--time-in-force", "gtd"], "'expires' goes with time_in_force 'gtd'"),
]


@pytest.mark.parametrize(("arguments", "words"), USAGE)
def test_what_contradicts_itself_is_wrong_usage(arguments: list[str], words: str, venue: Venue) -> None:
    result = place(*arguments)
    assert result.exit_code == 2 and words in result.stderr.replace("\n", " ").replace("  ", " ")
    assert venue.calls == []


def test_a_rejected_order_ends_with_1(venue: Venue) -> None:
    venue.outcome = Order(exchange="venue", symbol="BTC/USDT", order_id="7", status="rejected")
    assert place("buy", "1", "--price", "5").exit_code == 1
    venue.outcome = InvalidOrder("the price is off the tick", exchange="venue")
    result = place("buy", "1", "--price", "5")
    assert result.exit_code == 1 and "InvalidOrder: venue: the price is off the tick" in result.stderr


NAMED = {"order_id": "7", "client_order_id": None, "symbol": "BTC/USDT"}
OTHERS: list[tuple[list[str], tuple[str, dict[str, Any]], str]] = [
    (["cancel", SPEC, "BTC/USDT", "7"], ("cancel_order", NAMED), "cancel the order 7 of BTC/USDT (venue, environment custom)\n"),
    (["cancel", SPEC, "--all"], ("cancel_all_orders", {"symbol": None}), "cancel all orders (venue, environment custom)\n"),
    (
        ["cancel", SPEC, "BTC/USDT", "--all"],
        ("cancel_all_orders", {"symbol": "BTC/USDT"}),
        "cancel all orders of BTC/USDT (venue, environment custom)\n",
    ),
    (["cancel", SPEC, "BTC/USDT", "7", "--dry-run"], ("cancel_order", NAMED), "not sent: POST https://example.com/order\nX-KEY: ***\n"),
    (
        ["amend", SPEC, "BTC/USDT", "7", "--price", "4"],
        ("amend_order", {**NAMED, "price": Decimal(4), "round_to_instrument": False}),
        "change the order 7 of BTC/USDT: price 4 (venue, environment custom)\n",
    ),
    (
        ["amend", SPEC, "BTC/USDT", "7", "--quantity", "2", "--stop-price", "3", "--round", "--dry-run"],
        ("amend_order", {**NAMED, "quantity": Decimal(2), "stop_price": Decimal(3), "round_to_instrument": True}),
        "not sent: POST https://example.com/order\nX-KEY: ***\n",
    ),
    (["show", SPEC, "BTC/USDT", "7"], ("get_order", NAMED), ""),
    (["show", SPEC, "BTC/USDT", "--client-order-id", "x"], ("get_order", {**NAMED, "order_id": None, "client_order_id": "x"}), ""),
    (["open", SPEC], ("get_open_orders", {"symbol": None}), ""),
    (["open", SPEC, "BTC/USDT"], ("get_open_orders", {"symbol": "BTC/USDT"}), ""),
]


@pytest.mark.parametrize(("arguments", "call", "words"), OTHERS)
def test_orders_are_canceled_changed_and_shown(arguments: list[str], call: tuple[str, dict[str, Any]], words: str, venue: Venue) -> None:
    result = run("order", *arguments, "--json")
    assert result.exit_code == 0, result.output
    assert (venue.calls, result.stderr) == ([call], words)
    assert {json.loads(line)["order_id"] for line in result.stdout.splitlines()} == {"7"}


@pytest.mark.parametrize(
    "arguments", [["cancel", SPEC, "BTC/USDT", "7"], ["cancel", SPEC, "--all"], ["amend", SPEC, "BTC/USDT", "7", "--price", "4"]]
)
def test_changes_at_the_live_exchange_need_a_yes(arguments: list[str], venue: Venue) -> None:
    venue.environment = LIVE
    assert run("order", *arguments).exit_code == 2 and venue.calls == []
    assert run("order", *arguments, "--yes").exit_code == 0 and len(venue.calls) == 1


BAD = [
    (["cancel", SPEC, "BTC/USDT"], "name the order by ORDER_ID or by --client-order-id"),
    (["cancel", SPEC, "BTC/USDT", "7", "--all"], "--all and an order exclude each other"),
    (["show", SPEC, "BTC/USDT", "7", "--client-order-id", "x"], "one of them"),
    (["amend", SPEC, "BTC/USDT", "7"], "say what shall be different"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_an_order_is_named_once(arguments: list[str], words: str, venue: Venue) -> None:
    result = run("order", *arguments)
    assert result.exit_code == 2 and words in result.stderr.replace("\n", " ")
    assert venue.calls == []


def test_accounts_are_shown(venue: Venue) -> None:
    positions = run("positions", SPEC, "BTC/USDT:USDT", "--environment", "demo")
    assert json.loads(positions.stdout)["side"] == "long" and venue.given["environment"] == "demo"
    assert "allow_trading" not in venue.given
    balances = run("balances", SPEC, "btc", "ETH")
    assert [json.loads(line)["currency"] for line in balances.stdout.splitlines()] == ["BTC", "ETH"]
    assert json.loads(run("fills", SPEC, "BTC/USDT", "--start", "1", "--limit", "3").stdout)["quantity"] == "2"
    assert venue.calls[-1] == ("get_fills", {"symbol": "BTC/USDT", "start": 1, "limit": 3})


def test_nothing_is_said_to_be_none_on_a_terminal(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cexspec.cli._trading.for_people", lambda as_json: not as_json)
    assert run("balances", SPEC, "XYZ").stdout == "none\n"
    assert "currency" in run("balances", SPEC, "BTC").stdout
    assert run("balances", SPEC, "XYZ", "--json").stdout == ""


MISSING = [
    ([], {}, "not set in the environment: VENUE_API_KEY or VENUE_KEY, VENUE_API_SECRET or VENUE_SECRET"),
    (["--credentials-env", "MINE"], ENVIRON, "MINE_API_KEY or MINE_KEY"),
    (["--keyring"], ENVIRON, "pip install 'cexspec[keyring]'"),
]


@pytest.mark.parametrize(("arguments", "environ", "words"), MISSING)
def test_missing_credentials_are_named(
    arguments: list[str], environ: dict[str, str], words: str, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    result = run("balances", SPEC, *arguments, environ=environ)
    assert result.exit_code == 2 and words in result.stderr.replace("\n", " ")
    assert "planted" not in result.output


def test_an_exchange_without_credentials_in_its_spec_says_so(tmp_path: Path, venue: Venue) -> None:
    text = Path(SPEC).read_text(encoding="utf-8")
    bare = tmp_path / "bare.yaml"
    bare.write_text(text[: text.index("auth:\n")] + text[text.index("rest:\n  ticker") :].replace("    auth: rest\n", ""), encoding="utf-8")
    result = run("balances", str(bare))
    assert result.exit_code == 2 and "the spec of venue has market data only" in result.stderr


def test_small_and_large_worths_are_written_as_people_write_them() -> None:
    assert [plain(Decimal(text)) for text in ("0.000000001", "1E+3", "12.50", "100")] == ["0", "1000", "12.5", "100"]
    inverse = OrderRequest(symbol="BTC/USD:BTC", side="buy", type="market", quantity=Decimal(1))
    assert in_words(inverse, Decimal(5), estimated=True) == "buy 1 BTC/USD:BTC, market, worth about 5 USD"
