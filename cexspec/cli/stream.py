"""Stream market data to the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from cexspec.cli._capabilities import STREAMS
from cexspec.cli._exchange import AsJson, Environment, ExchangeName, NumberType, examples, number_type
from cexspec.cli._output import LEVELS, as_model, for_people, print_event
from cexspec.cli._run import run
from cexspec.models import Event

if TYPE_CHECKING:
    from cexspec.client import Client
    from cexspec.engine.stream import Stream
    from cexspec.transport.websocket import Library, WebSocketTransport

REFRESH = 8
"""Times a second that a live table is drawn."""


@examples
def command(
    exchange: ExchangeName,
    stream: Annotated[str, typer.Argument(help="A stream, or a channel of the spec (see `cexspec info`).", show_default=False)],
    symbols: Annotated[list[str] | None, typer.Argument(help="Unified symbols or native ids.", show_default=False)] = None,
    environment: Environment = None,
    interval: Annotated[str | None, typer.Option(help="Of candles: 1m, 4h, 1d.")] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of each side of a book.")] = None,
    count: Annotated[int | None, typer.Option(help="End after so many events.", min=1)] = None,
    duration: Annotated[float | None, typer.Option(help="End after so many seconds.", min=0)] = None,
    number: Annotated[NumberType, typer.Option(help="Exact decimals or floats.")] = NumberType.decimal,
    record_frames: Annotated[
        typer.FileTextWrite | None,
        typer.Option(
            help="Write every frame of every connection to this file, as JSON lines.", show_default=False, encoding="utf-8", lazy=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Stream market data until Ctrl-C. A live table on a terminal, JSON lines (one event each) otherwise.

    \b
    cexspec stream EXCHANGE trades BTC/USDT ETH/USDT
    cexspec stream EXCHANGE order_book BTC/USDT --depth 5
    cexspec stream EXCHANGE candles BTC/USDT --interval 1m --json
    cexspec stream EXCHANGE ticker BTC/USDT --count 10 --duration 60 | jq .last
    cexspec stream EXCHANGE trades BTC/USDT --record-frames frames.jsonl
    """
    params = {name: value for name, value in (("interval", interval), ("depth", depth)) if value is not None}
    live = for_people(as_json)
    run(_streamed(exchange, stream, symbols or [], environment, params, number, count, duration, live, record_frames))


async def _streamed(
    exchange: str,
    stream: str,
    symbols: list[str],
    environment: Any,
    params: dict[str, Any],
    number: NumberType,
    count: int | None,
    duration: float | None,
    live: bool,
    frames: TextIO | None,
) -> None:
    from cexspec.client import Client

    async with Client(exchange, environment=environment, number=number_type(number), websocket=_sockets(frames)) as client:
        with contextlib.suppress(TimeoutError), _shown(stream, live) as show:
            async with asyncio.timeout(duration), _opened(client, stream, symbols, params) as events:
                left = count
                async for event in events:
                    show(as_model(event, params.get("depth") or LEVELS))
                    left = left - 1 if left is not None else None
                    if left == 0:
                        return


def _sockets(frames: TextIO | None) -> Library | WebSocketTransport:
    """What opens the connections; where their frames are wanted, it writes them down."""
    from cexspec.transport.frame_log import FrameLog, RecordingTransport
    from cexspec.transport.websocket import DEFAULT_LIBRARY, websocket_transport

    return DEFAULT_LIBRARY if frames is None else RecordingTransport(websocket_transport(), FrameLog(frames))


def _opened(client: Client, stream: str, symbols: list[str], params: dict[str, Any]) -> Stream[Any]:
    """By the unified method where there is one, else by the channel's name."""
    if stream not in STREAMS:
        return client.ws.stream(stream, *symbols, **params)
    method: Callable[..., Stream[Any]] = getattr(client.ws, f"stream_{stream}")
    known = inspect.signature(method).parameters
    needed = [name for name, one in known.items() if one.kind is one.KEYWORD_ONLY and one.default is one.empty and name not in params]
    strange = [f"{stream} takes no --{name}" for name in params if name not in known]
    if needed or strange:
        raise ValueError(", ".join([f"{stream} needs --{name}" for name in needed] + strange))
    return method(*symbols, **params)


@contextlib.contextmanager
def _shown(stream: str, live: bool) -> Iterator[Callable[[Event], None]]:
    """What shows an event: a line of JSON, or a table that is drawn anew."""
    if not live:
        yield print_event
        return
    from rich.live import Live

    from cexspec.cli._view import view_of

    view = view_of(stream)
    with Live(get_renderable=view.table, refresh_per_second=REFRESH):
        yield view.add
