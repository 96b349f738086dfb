"""Orders held against the rules of their instrument, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cexspec.engine.trading.exact import down, plain, up, whole
from cexspec.engine.trading.terms import Terms
from cexspec.models import Side
from cexspec.models.order_request import OrderRequest


@dataclass(frozen=True, slots=True)
class Measured:
    """An order's numbers as they go out: `size` is what the venue counts, None for a `quote_quantity` it sizes itself."""

    price: Decimal | None
    stop_price: Decimal | None
    size: Decimal | None
    quantity: Decimal | None


def measure(request: OrderRequest, terms: Terms, *, rounded: bool) -> Measured:
    """An order's numbers. Raises `InvalidOrder` that names the rule, the value, and the nearest valid ones.

    `rounded`: prices go to the tick (of a buy down, of a sell up) and sizes down to the step instead.
    """
    price = on_tick("price", request.price, request.side, terms, rounded=rounded)
    stop_price = on_tick("stop_price", request.stop_price, request.side, terms, rounded=rounded)
    at = price if price is not None else stop_price
    if request.quantity is None:
        size = terms.size_of_quote(request.quote_quantity) if request.quote_quantity is not None else None
        if size is None:
            _check_notional(request.quote_quantity, "quote_quantity", None, terms)
            return Measured(price, stop_price, None, None)
    else:
        size = terms.size(request.quantity, at)
    size = sized(size, at, terms, rounded=rounded)
    return Measured(price, stop_price, size, terms.quantity(size, at))


def on_tick(name: str, price: Decimal | None, side: Side, terms: Terms, *, rounded: bool) -> Decimal | None:
    """A price that is a multiple of the tick size."""
    tick = terms.tick_at(price) if price is not None else None
    if price is None or tick is None or whole(price, tick):
        return price
    if rounded:
        price = down(price, tick) if side == "buy" else up(price, tick)
        if price > 0:
            return price
    below, above = down(price, tick), up(price, tick)
    nearest = (below, above) if below > 0 else (above,)
    raise terms.refusal(
        "tick_size",
        price,
        f"{name} {plain(price)} of {terms.symbol} is no multiple of the tick size {plain(tick)}: {_near(nearest)}",
        nearest,
    )


def sized(size: Decimal, price: Decimal | None, terms: Terms, *, rounded: bool) -> Decimal:
    """A size within the bounds of the instrument, a multiple of its step."""
    step = terms.step
    if step is not None and not whole(size, step):
        if not rounded:
            raise _off_step(size, step, price, terms)
        size = down(size, step)
    least, most = terms.least, terms.most
    if size <= 0 or (least is not None and size < least):
        bound = max(least or Decimal(0), step or Decimal(0))
        raise _bound("min_size", "less than the least", size, up(bound, step) if step else bound, price, terms)
    if most is not None and size > most:
        raise _bound("max_size", "more than the most", size, down(most, step) if step else most, price, terms)
    _check_notional(terms.notional(size, price), "size", price, terms)
    return size


def _off_step(size: Decimal, step: Decimal, price: Decimal | None, terms: Terms) -> Exception:
    near = tuple(each for each in (down(size, step), up(size, step)) if each > 0)
    unit = "contracts" if terms.counted else terms.base
    nearest = _quantities(near, price, terms)
    text = f"{plain(size)} {unit} of {terms.symbol} are no multiple of the step {plain(step)}: {_near(nearest)} {terms.base}"
    return terms.refusal("step_size", size, text, nearest)


def _bound(rule: str, words: str, size: Decimal, bound: Decimal, price: Decimal | None, terms: Terms) -> Exception:
    nearest = _quantities((bound,), price, terms)
    unit = "contracts" if terms.counted else terms.base
    text = f"{plain(size)} {unit} of {terms.symbol} are {words}, {plain(bound)}: {_near(nearest)} {terms.base}"
    return terms.refusal(rule, size, text, nearest)


def _check_notional(notional: Decimal | None, what: str, price: Decimal | None, terms: Terms) -> None:
    least = terms.least_notional
    if least is None or notional is None or notional >= least:
        return
    text = f"the order is worth {plain(notional)} {terms.quote}, and one of {terms.symbol} is worth {plain(least)} at least"
    if what == "quote_quantity" or price is None or terms.inverse:
        raise terms.refusal("min_notional", notional, text, (least,))
    size = terms.size(least / price, price)
    nearest = _quantities((up(size, terms.step) if terms.step else size,), price, terms)
    raise terms.refusal("min_notional", notional, f"{text}: {_near(nearest)} {terms.base} at this price", nearest)


def _quantities(sizes: tuple[Decimal, ...], price: Decimal | None, terms: Terms) -> tuple[Decimal, ...]:
    """Sizes in base, as the caller gives them; where that takes a price that isn't there, as they are."""
    return tuple(quantity if (quantity := terms.quantity(size, price)) is not None else size for size in sizes)


def _near(values: tuple[Decimal, ...]) -> str:
    return ("the nearest is " if len(values) == 1 else "the nearest are ") + " and ".join(plain(value) for value in values)
