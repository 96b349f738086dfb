"""Place, cancel, amend and show your own orders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from cexspec.cli._exchange import AsJson, Environment, ExchangeName, examples
from cexspec.cli._run import run
from cexspec.cli._trading import DryRun, Keyring, Prefix, Yes, account, agree, in_words, show, show_requests
from cexspec.models import CexspecError, Order, Side
from cexspec.models.execution import MarginMode, OrderType, PositionSide, TimeInForce
from cexspec.models.order_request import OrderRequest

if TYPE_CHECKING:
    from cexspec.client import Client

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def amount(text: str) -> Decimal:
    """An exact number above 0."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"'{text}' is not a number") from None
    if not found.is_finite() or found <= 0:
        raise typer.BadParameter(f"{text} is not an amount above 0")
    return found


def option(text: str, *names: str, metavar: str = "AMOUNT") -> Any:
    """An option that takes an amount."""
    return typer.Option(*names, parser=amount, metavar=metavar, help=text, show_default=False)


Symbol = Annotated[str, typer.Argument(help="A unified symbol or native id.", show_default=False)]
OrderId = Annotated[str | None, typer.Argument(help="The venue's id of the order.", show_default=False)]
ClientOrderId = Annotated[str | None, typer.Option(help="Your own id of the order, in place of the venue's.", show_default=False)]
Price = Annotated[Any, option("The limit, in quote currency.", metavar="PRICE")]


@app.command()
@examples
def place(
    exchange: ExchangeName,
    symbol: Symbol,
    side: Annotated[Side, typer.Argument(help="What to do.", show_default=False)],
    quantity: Annotated[Any, typer.Argument(parser=amount, metavar="QUANTITY", help="In base currency.", show_default=False)] = None,
    price: Price = None,
    stop_price: Annotated[Any, option("What triggers the order.", metavar="PRICE")] = None,
    order_type: Annotated[
        OrderType | None, typer.Option("--type", help="By default what follows from the prices given.", show_default=False)
    ] = None,
    quote_quantity: Annotated[Any, option("Buy or sell for so much quote currency, at the market.")] = None,
    time_in_force: Annotated[TimeInForce | None, typer.Option(help="How long it rests.", show_default=False)] = None,
    post_only: Annotated[bool, typer.Option("--post-only", help="Only if it rests at first.")] = False,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="Only to close a position.")] = False,
    client_order_id: Annotated[str | None, typer.Option(help="An id of your own; one is made otherwise.", show_default=False)] = None,
    leverage: Annotated[Any, option("Where the venue takes it with an order.")] = None,
    margin_mode: Annotated[MarginMode | None, typer.Option(help="Where the venue takes it with an order.", show_default=False)] = None,
    position_side: Annotated[
        PositionSide | None, typer.Option(help="Which position it is about, where the account holds both.", show_default=False)
    ] = None,
    expires: Annotated[int | None, typer.Option(help="When one with `gtd` ends, in nanoseconds.", show_default=False)] = None,
    round_to_instrument: Annotated[
        bool, typer.Option("--round", help="Round to the instrument's tick and step instead of refusing.")
    ] = False,
    max_notional: Annotated[Any, option("Refuse the order where it is worth more quote currency.")] = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Place an order. Says what will be sent, and asks before it is sent to the live exchange.

    Exits with 1 where the order is rejected, with 2 where there is nobody to ask and --yes is not given.

    \b
    cexspec order place EXCHANGE BTC/USDT buy 0.001 --price 50000 --environment demo
    cexspec order place EXCHANGE BTC/USDT sell 0.001 --environment demo
    cexspec order place EXCHANGE BTC/USDT buy 0.001 --price 50000 --dry-run
    """
    request = _request(
        symbol=symbol,
        side=side,
        type=order_type or _type(price, stop_price),
        quantity=quantity,
        price=price,
        stop_price=stop_price,
        quote_quantity=quote_quantity,
        time_in_force=time_in_force,
        post_only=post_only,
        reduce_only=reduce_only,
        client_order_id=client_order_id,
        leverage=leverage,
        margin_mode=margin_mode,
        position_side=position_side,
        expires=expires,
    )

    async def placed(client: Client) -> list[Order]:
        if not dry_run:
            agree(client, await _said(client, request), yes=yes)
        return [await client.trade.place_order(request, round_to_instrument=round_to_instrument)]

    _finish(run(_with(placed, exchange, environment, credentials_env, keyring, dry_run=dry_run, max_notional=max_notional)), as_json)


@app.command()
@examples
def cancel(
    exchange: ExchangeName,
    symbol: Annotated[str | None, typer.Argument(help="The order's symbol; with --all only its orders.", show_default=False)] = None,
    order_id: OrderId = None,
    client_order_id: ClientOrderId = None,
    every: Annotated[bool, typer.Option("--all", help="All open orders, of the symbol or of the account.")] = False,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel an order, or all of them. Asks before that is done on the live exchange.

    \b
    cexspec order cancel EXCHANGE BTC/USDT 680800019749904384 --environment demo
    cexspec order cancel EXCHANGE BTC/USDT --all --environment demo
    """
    if not every:
        _named(order_id, client_order_id)
    elif order_id or client_order_id:
        raise typer.BadParameter("--all and an order exclude each other")
    name = "all orders" if every else f"the order {order_id or client_order_id}"

    async def canceled(client: Client) -> list[Order]:
        if not dry_run:
            agree(client, f"cancel {name}{f' of {symbol}' if symbol else ''}", yes=yes)
        if every:
            return await client.trade.cancel_all_orders(symbol=symbol)
        return [await client.trade.cancel_order(order_id=order_id, client_order_id=client_order_id, symbol=symbol)]

    _finish(run(_with(canceled, exchange, environment, credentials_env, keyring, dry_run=dry_run)), as_json)


@app.command()
@examples
def amend(
    exchange: ExchangeName,
    symbol: Symbol,
    order_id: OrderId = None,
    client_order_id: ClientOrderId = None,
    price: Price = None,
    quantity: Annotated[Any, option("The whole quantity, what is filled included, in base currency.")] = None,
    stop_price: Annotated[Any, option("What triggers the order.", metavar="PRICE")] = None,
    round_to_instrument: Annotated[
        bool, typer.Option("--round", help="Round to the instrument's tick and step instead of refusing.")
    ] = False,
    max_notional: Annotated[Any, option("Refuse the order where it is worth more quote currency.")] = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change price or quantity of an open order. Asks before that is done on the live exchange.

    \b
    cexspec order amend EXCHANGE BTC/USDT 680800019749904384 --price 49000 --environment demo
    """
    _named(order_id, client_order_id)
    wanted: dict[str, Any] = {
        name: value for name, value in (("price", price), ("quantity", quantity), ("stop_price", stop_price)) if value is not None
    }
    if not wanted:
        raise typer.BadParameter("say what shall be different: --price, --quantity or --stop-price")
    changes = ", ".join(f"{name} {value}" for name, value in wanted.items())

    async def amended(client: Client) -> list[Order]:
        if not dry_run:
            agree(client, f"change the order {order_id or client_order_id} of {symbol}: {changes}", yes=yes)
        named: dict[str, Any] = {"order_id": order_id, "client_order_id": client_order_id, "symbol": symbol}
        return [await client.trade.amend_order(**named, **wanted, round_to_instrument=round_to_instrument)]

    _finish(run(_with(amended, exchange, environment, credentials_env, keyring, dry_run=dry_run, max_notional=max_notional)), as_json)


@app.command("show")
@examples
def show_one(
    exchange: ExchangeName,
    symbol: Symbol,
    order_id: OrderId = None,
    client_order_id: ClientOrderId = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    as_json: AsJson = False,
) -> None:
    """Show an order as the venue knows it.

    \b
    cexspec order show EXCHANGE BTC/USDT 680800019749904384
    """
    _named(order_id, client_order_id)

    async def found(client: Client) -> list[Order]:
        return [await client.trade.get_order(order_id=order_id, client_order_id=client_order_id, symbol=symbol)]

    show(run(_with(found, exchange, environment, credentials_env, keyring)) or [], as_json)


@app.command("open")
@examples
def show_open(
    exchange: ExchangeName,
    symbol: Annotated[str | None, typer.Argument(help="Only orders of this symbol.", show_default=False)] = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    as_json: AsJson = False,
) -> None:
    """Show open orders.

    \b
    cexspec order open EXCHANGE
    cexspec order open EXCHANGE BTC/USDT --json
    """

    async def found(client: Client) -> list[Order]:
        return await client.trade.get_open_orders(symbol=symbol)

    show(run(_with(found, exchange, environment, credentials_env, keyring)) or [], as_json)


def _type(price: Decimal | None, stop_price: Decimal | None) -> str:
    """The type that follows from the prices given."""
    kind = "market" if price is None else "limit"
    return kind if stop_price is None else f"stop_{kind}"


def _request(**parts: Any) -> OrderRequest:
    """The order. Ends the command with a usage error where the parts contradict each other."""
    try:
        return OrderRequest(**parts)
    except ValidationError as error:
        reasons = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors(include_url=False))
        raise typer.BadParameter(reasons) from None


def _named(order_id: str | None, client_order_id: str | None) -> None:
    if (order_id is None) == (client_order_id is None):
        raise typer.BadParameter("name the order by ORDER_ID or by --client-order-id, one of them")


async def _said(client: Client, request: OrderRequest) -> str:
    """The order in words, with what it is worth."""
    if request.quote_quantity is not None:
        return in_words(request, request.quote_quantity, estimated=False)
    assert request.quantity is not None
    price = request.price or request.stop_price or await _market_price(client, request)
    notional = price * request.quantity if price is not None else None
    return in_words(request, notional, estimated=not request.limited)


async def _market_price(client: Client, request: OrderRequest) -> Decimal | None:
    """What a market order would be filled at, about; None where nothing tells."""
    try:
        ticker = await client.rest.get_ticker(request.symbol)
    except CexspecError:
        return None
    best = ticker.ask if request.side == "buy" else ticker.bid
    found = best if best is not None else ticker.last
    return None if found is None else Decimal(str(found))


async def _with(
    work: Callable[[Client], Awaitable[list[Order]]], exchange: str, environment: Any, prefix: str | None, keyring: bool, **given: Any
) -> list[Order]:
    """What the work makes of a client that may trade: who runs the command has agreed by then."""
    arguments = {"allow_trading": True, **{name: value for name, value in given.items() if value is not None}} if given else {}
    async with account(exchange, environment, prefix, keyring, **arguments) as client:
        orders = await work(client)
        if given.get("dry_run"):
            show_requests(client.trade.dry_runs)
        return orders


def _finish(orders: list[Order] | None, as_json: bool) -> None:
    """Show the orders; those that the venue rejected are a failure."""
    show(orders or [], as_json)
    if any(order.status == "rejected" for order in orders or ()):
        raise typer.Exit(1)
