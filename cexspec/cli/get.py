"""Make one REST call and print its answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cexspec.cli._capabilities import CALLS
from cexspec.cli._exchange import AsJson, Environment, ExchangeName, NumberType, examples, number_type, time_of
from cexspec.cli._output import event_tables, for_people, print_event, print_tables
from cexspec.cli._run import run
from cexspec.models import Event

if TYPE_CHECKING:
    from cexspec.client import Client

_BY_NAME_ONLY = {"server_time"}
"""Operations whose unified method returns no event."""


@examples
def command(
    exchange: ExchangeName,
    operation: Annotated[str, typer.Argument(help="An operation, unified or the spec's own (see `cexspec info`).", show_default=False)],
    symbol: Annotated[str | None, typer.Argument(help="A unified symbol or native id.", show_default=False)] = None,
    environment: Environment = None,
    interval: Annotated[str | None, typer.Option(help="Of candles and open interest: 1m, 4h, 1d.")] = None,
    start: Annotated[str | None, typer.Option(help="From this time on: ISO text, or nanoseconds.")] = None,
    end: Annotated[str | None, typer.Option(help="Up to this time, excluded.")] = None,
    limit: Annotated[int | None, typer.Option(help="So many rows; more than a page are fetched page by page.")] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of each side of a book.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="A parameter of the venue's own.", metavar="KEY=VALUE")] = None,
    number: Annotated[NumberType, typer.Option(help="Exact decimals or floats.")] = NumberType.decimal,
    as_json: AsJson = False,
) -> None:
    """Make one REST call. A table on a terminal, JSON lines (one event each) otherwise.

    Exits with 1, and the venue's code and message, where the call fails.

    \b
    cexspec get EXCHANGE ticker BTC/USDT
    cexspec get EXCHANGE order_book BTC/USDT --depth 10
    cexspec get EXCHANGE candles BTC/USDT --interval 1h --start 2026-08-01 --limit 1000 --json
    cexspec get EXCHANGE ticker BTC/USDT --environment '{"rest": "http://127.0.0.1:8080"}'
    """
    given = {"symbol": symbol, "interval": interval, "start": time_of(start), "end": time_of(end), "limit": limit, "depth": depth}
    params = {name: value for name, value in given.items() if value is not None}
    events = run(_called(exchange, operation, environment, number, params, _own(param or [])))
    if not for_people(as_json):
        for event in events or ():
            print_event(event)
    elif events:
        print_tables(*event_tables(events))


async def _called(
    exchange: str, operation: str, environment: Any, number: NumberType, params: dict[str, Any], own: dict[str, str]
) -> list[Event]:
    from cexspec.cli._progress import paged, pages
    from cexspec.client import Client

    with paged(operation) as (http, expect):
        async with Client(exchange, environment=environment, number=number_type(number), http=http) as client:
            expect(pages(client.exchange, operation, params))
            return await _call(client, operation, params, own)


async def _call(client: Client, operation: str, params: dict[str, Any], own: Mapping[str, Any]) -> list[Event]:
    """By the unified method where there is one and it takes these parameters, else by the operation's name."""
    method: Callable[..., Any] | None = getattr(client.rest, f"get_{operation}", None) if operation in CALLS else None
    if method is not None and "symbols" in inspect.signature(method).parameters and "symbol" in params:
        params = {**params, "symbols": [params["symbol"]]}
        del params["symbol"]
    if method is None or operation in _BY_NAME_ONLY or own or set(params) - set(inspect.signature(method).parameters):
        return await client.rest.call(operation, **params, **own)
    found = await method(**params)
    return found if isinstance(found, list) else [found]


def _own(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for text, (key, equals, _) in zip(texts, pairs, strict=True):
        if not key or not equals:
            raise typer.BadParameter(f"'{text}' is not KEY=VALUE", param_hint="--param")
    return {key: value for key, _, value in pairs}
