"""Whatever comes: nothing is lost or made up, nobody owes anything, and orders go where a naive book lets them go."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.models.errors import ExchangeError
from cexspec.models.execution import FINAL, Balance, Fill, Order, OrderStatus, follows
from cexspec.paper.amending import Change
from cexspec.paper.exact import exact
from cexspec.paper.rules import Rules
from tests.paper.stage import FUNDS, INVERSE, LINEAR, NAMES, SPOT, Stage

Step = tuple[str, dict[str, Any]]

symbols = st.sampled_from([SPOT, LINEAR, INVERSE])
traders = st.sampled_from(NAMES)
prices = st.integers(90, 110)
limits = st.fixed_dictionaries(
    {"price": prices},
    optional={"time_in_force": st.sampled_from(["gtc", "ioc", "fok"]), "reduce_only": st.booleans()},
)
orders = st.one_of(
    limits,
    limits,
    prices.map(lambda price: {"price": price, "post_only": True}),
    prices.map(lambda price: {"price": price, "time_in_force": "gtd", "expires": price * 10**9}),
    st.fixed_dictionaries({}, optional={"time_in_force": st.just("fok"), "reduce_only": st.booleans()}),
    prices.map(lambda price: {"type": "stop_market", "stop_price": price}),
    st.tuples(prices, prices).map(lambda both: {"type": "stop_limit", "stop_price": both[0], "price": both[1]}),
)
levels = st.lists(st.integers(1, 4), max_size=3)
sides, quantities, places = st.sampled_from(["buy", "sell"]), st.one_of(st.integers(1, 60), st.integers(1, 60_000)), st.integers(0, 9)


def step(name: str, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.fixed_dictionaries(given))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


placing = step("place", who=traders, side=sides, quantity=quantities, symbol=symbols, more=orders)
steps: st.SearchStrategy[Step] = st.one_of(
    placing,
    placing,
    placing,
    step("cancel", who=traders, at=places),
    step("amend", who=traders, at=places, quantity=maybe(st.integers(1, 60)), price=maybe(prices)),
    step("market", symbol=symbols, mid=prices, bids=levels, asks=levels),
    step("mark", symbol=symbols, price=prices),
    step("leverage", who=traders, symbol=symbols, leverage=st.integers(1, 50)),
)


def perform(stage: Stage, step: Step) -> None:
    """Do one thing; what is refused is refused."""
    match step:
        case "place", {"who": who, "side": side, "quantity": quantity, "symbol": symbol, "more": more}:
            given = {"price": None, **more}
            stage.place(who, side, quantity, given.pop("price"), symbol=symbol, **given)
        case "cancel", {"who": who, "at": at}:
            stage.venue.cancel(who, _open(stage, who, at), stage.tick())
        case "amend", {"who": who, "at": at, "quantity": quantity, "price": price}:
            change = Change(contracts=None if quantity is None else Decimal(quantity), price=None if price is None else Decimal(price))
            stage.venue.amend(who, _open(stage, who, at), change, stage.tick())
        case "market", {"symbol": symbol, "mid": mid, "bids": bids, "asks": asks}:
            below, above = ([(mid - at, size) for at, size in enumerate(bids, 1)], [(mid + at, size) for at, size in enumerate(asks, 1)])
            stage.market(below, above, symbol)
        case "mark", {"symbol": symbol, "price": price}:
            stage.venue.set_price(symbol, Decimal(price), stage.tick())
        case "leverage", {"who": who, "symbol": symbol, "leverage": leverage}:
            stage.venue.set_leverage(who, symbol, Decimal(leverage), stage.tick())


def _open(stage: Stage, who: str, at: int) -> str:
    ids = [str(order.order_id) for order in stage.venue.open_orders(who)]
    return ids[at % len(ids)] if ids else "none"


@exact
def check_conservation(stage: Stage) -> None:
    """Money and coins only change hands: what positions have cost counts as what is still owed."""
    accounts = stage.venue.accounts.values()
    worth = {currency: sum(account.total(currency) for account in accounts) for currency in FUNDS}
    for account in accounts:
        for position in account.positions.values():
            worth[position.terms.money] += position.cost * (1 if position.terms.inverse else -1)
    assert worth == {currency: amount * len(NAMES) for currency, amount in FUNDS.items()}
    for symbol in (LINEAR, INVERSE):
        assert not sum(account.positions[symbol].units for account in accounts if symbol in account.positions)


@exact
def check_accounts(stage: Stage, with_fee: Decimal = Decimal(1)) -> None:
    """Nobody owes anything, and what open orders need is there. `with_fee`: what buying takes for each that is paid."""
    for name in NAMES:
        account = stage.venue.accounts[name]
        for currency in FUNDS:
            assert account.total(currency) >= 0
            spot = [order for order in account.open.values() if order.terms.spot]
            held = {
                "USDT": sum(
                    (order.remaining * (order.price or order.stop_price or 0) * with_fee for order in spot if order.buys), Decimal(0)
                ),
                "BTC": sum((order.remaining for order in spot if not order.buys), Decimal(0)),
            }
            margins = [account.margin(position) for position in account.positions.values() if position.terms.money == currency]
            assert account.used(currency) == held[currency] + sum(margins, Decimal(0))
            assert account.free(currency) >= 0 or not any(
                currency in (order.terms.quote, order.terms.money) for order in spot if order.buys
            )


def check_orders(stage: Stage) -> None:
    """States follow each other, and quantities add up."""
    states: dict[str, OrderStatus | None] = {}
    for _, event in stage.events:
        if isinstance(event, Order):
            assert follows(states.get(str(event.order_id)), event.status), (states.get(str(event.order_id)), event.status)
            states[str(event.order_id)] = event.status
            assert isinstance(event.filled, Decimal) and isinstance(event.remaining, Decimal)
            assert event.filled + event.remaining == event.quantity
            assert (event.status == "filled") == (event.remaining == 0)
        if isinstance(event, Balance):
            assert isinstance(event.free, Decimal) and isinstance(event.used, Decimal)
            assert event.total == event.free + event.used and min(event.free, event.used) >= 0
    for name in NAMES:
        account = stage.venue.accounts[name]
        assert all(not order.final for order in account.open.values())
        assert all(states[order.id] in FINAL for order in account.ended.values())
        filled = [str(event.order_id) for who, event in stage.events if who == name and isinstance(event, Fill)]
        assert set(filled) == {order.id for order in (*account.open.values(), *account.ended.values()) if order.filled}


@settings(max_examples=150)
@given(
    st.lists(steps, max_size=40), st.sampled_from([Rules(), Rules(maker=Decimal("-0.0001"), taker=Decimal("0.001")), Rules(in_quote=True)])
)
def test_nothing_is_lost_or_made_up(script: list[Step], rules: Rules) -> None:
    stage = Stage(rules)
    for step in script:
        with suppress(ExchangeError):
            perform(stage, step)
        stage.events += stage.venue.drain()
        check_conservation(stage)
        check_accounts(stage, 1 + rules.taker if rules.in_quote else Decimal(1))
    check_orders(stage)


@settings(max_examples=100)
@given(st.lists(steps, max_size=30))
def test_the_same_script_gives_the_same_events(script: list[Step]) -> None:
    told = []
    for _ in range(2):
        stage = Stage()
        for step in script:
            try:
                perform(stage, step)
            except ExchangeError as error:
                stage.events.append(("", str(error)))  # type: ignore[arg-type]
            stage.events += stage.venue.drain()
        told.append(stage.events)
    assert told[0] == told[1]


@dataclass
class Naive:
    """An order of the reference: the best price first, then the oldest."""

    id: int
    who: str
    side: str
    price: int
    left: int


@dataclass(frozen=True)
class Given:
    who: str
    side: str
    price: int
    quantity: int
    cancels: int | None = None


@settings(max_examples=200)
@given(st.lists(st.builds(Given, traders, sides, st.integers(98, 102), st.integers(1, 9), maybe(places)), max_size=40))
def test_who_trades_with_whom_is_what_a_naive_book_says(script: list[Given]) -> None:
    stage, resting, expected = Stage(), list[Naive](), list[tuple[str, str, int, int]]()
    number = 0
    for step in script:
        own = [order for order in resting if order.who == step.who]
        if step.cancels is not None and own:
            gone = own[step.cancels % len(own)]
            resting.remove(gone)
            stage.venue.cancel(gone.who, str(gone.id), stage.tick())
            continue
        number += 1
        stage.place(step.who, step.side, step.quantity, step.price, symbol=SPOT)
        left = _taken(step, resting, expected)
        if left:
            resting.append(Naive(number, step.who, step.side, step.price, left))
    fills = [(event.side, who, int(event.price), int(str(event.quantity))) for who, event in stage.events if isinstance(event, Fill)]
    assert fills == expected
    open_orders = {int(str(order.order_id)): order.remaining for name in NAMES for order in stage.venue.open_orders(name)}
    assert open_orders == {order.id: order.left for order in resting}


def _taken(step: Given, resting: list[Naive], expected: list[tuple[str, str, int, int]]) -> int:
    """What an order leaves; 0 too where its own account's order is next."""
    sign, left = (1 if step.side == "buy" else -1), step.quantity
    for maker in sorted((order for order in resting if order.side != step.side), key=lambda order: (order.price * sign, order.id)):
        if not left or maker.price * sign > step.price * sign:
            break
        if maker.who == step.who:
            left = 0
            break
        quantity = min(left, maker.left)
        expected += [(step.side, step.who, maker.price, quantity), (maker.side, maker.who, maker.price, quantity)]
        left -= quantity
        maker.left -= quantity
    resting[:] = [order for order in resting if order.left]
    return left
