"""Plan the start of a stream: connections, messages, weight, seconds until ready."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cexspec.cli._exchange import AsJson, ExchangeName, examples, exchange_of
from cexspec.cli._output import for_people, print_json, print_tables, table
from cexspec.cli._run import errors

if TYPE_CHECKING:
    from rich.table import Table

    from cexspec.compile.exchange import Exchange
    from cexspec.engine.planning import StartPlan

SHOWN = 5
"""Symbols named in a table."""


@examples
def command(
    exchange: ExchangeName,
    stream: Annotated[str, typer.Argument(help="A stream (see `cexspec info`).", show_default=False)],
    symbols: Annotated[
        list[str] | None, typer.Option(help="Unified symbols or native ids, with commas between them.", show_default=False)
    ] = None,
    count: Annotated[int | None, typer.Option(help="So many symbols, made up as far as fewer are named.", min=1)] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of each side of a book.", min=1)] = None,
    interval: Annotated[str | None, typer.Option(help="Of candles: 1m, 4h, 1d.")] = None,
    round_trip: Annotated[float, typer.Option(help="Seconds that the venue takes to answer.", min=0.0)] = 0.25,
    as_json: AsJson = False,
) -> None:
    """Plan the start of a stream, offline: connections, the topics on each, messages and weight to spend, seconds until ready.

    All budgets are taken to be full. A table on a terminal, JSON otherwise; the JSON has every topic, and the order of snapshots.

    \b
    cexspec plan EXCHANGE order_book --symbols BTC/USDT,ETH/USDT
    cexspec plan EXCHANGE order_book --count 500 --depth 100
    cexspec plan EXCHANGE trades --count 1000 --json | jq .seconds
    """
    given = {name: value for name, value in (("depth", depth), ("interval", interval)) if value is not None}
    named = [symbol.strip() for text in symbols or [] for symbol in text.split(",") if symbol.strip()]
    if not named and count is None:
        raise typer.BadParameter("name symbols, or how many there are (--count)", param_hint="--symbols")
    with errors():
        plan = exchange_of(exchange)
        total, found = _planned(plan, stream, named, count or 0, given, round_trip)
    if for_people(as_json):
        print_tables(*_tables(plan.id, stream, total, found))
    else:
        print_json({"exchange": plan.id, "stream": stream, "symbols": total, "messages": found.messages, **asdict(found)})


def _planned(plan: Exchange, stream: str, named: list[str], count: int, params: dict[str, Any], round_trip: float) -> tuple[int, StartPlan]:
    """How many symbols there are, and their start."""
    from cexspec.engine.books.settings import BookSettings
    from cexspec.engine.channel_choice import channels_for
    from cexspec.engine.markets import Markets
    from cexspec.engine.planning import made_up, plan_start, wanted_of
    from cexspec.engine.poll_planning import plan_polls, polled_of

    markets = Markets(plan)
    if stream in plan.polls:
        ask = partial(polled_of, plan, markets, stream, params=params)
        polled = [*map(ask, named), *made_up(count - len(named), ask)]
        return len(polled), plan_polls(plan, polled, round_trip)
    channels_for(plan, stream)
    want = partial(wanted_of, plan, markets, stream, params=params)
    wanted = [*map(want, named), *made_up(count - len(named), want)]
    return len(wanted), plan_start(plan, wanted, BookSettings(), round_trip)


def _tables(exchange: str, stream: str, count: int, found: StartPlan) -> list[Table]:
    head = [
        ("symbols", count),
        ("connections", len(found.connections)),
        ("messages", found.messages),
        ("weight", ", ".join(f"{weight} of {pool}" for pool, weight in found.weights.items()) or None),
        ("seconds until ready", found.seconds),
    ]
    lines = [(one.name, one.opens, len(one.topics), one.messages, one.served, one.topics[0]) for one in found.connections]
    tables = [table(f"{stream} of {exchange}, from nothing", ("", ""), head)]
    if found.connections:
        tables.append(table("Connections", ("name", "open after", "topics", "messages", "served after", "first topic"), lines))
    if found.polls:
        some = found.polls[0]
        calls = [(some.operation, len(found.polls), some.weight, some.every, some.ready, found.polls[-1].ready)]
        tables.append(table("Polls", ("operation", "calls", "weight of each", "every", "first after", "last after"), calls))
    if found.snapshots:
        each = found.snapshots[0]
        symbols = [one.symbol for one in found.snapshots]
        names = ", ".join([*symbols[:SHOWN], *(["..."] if len(symbols) > SHOWN else [])])
        row = (each.operation, len(found.snapshots), each.depth, each.weight, each.ready, found.snapshots[-1].ready, names)
        columns = ("operation", "calls", "levels", "weight of each", "first after", "last after", "in this order")
        tables.append(table("Snapshots", columns, [row]))
    return tables
