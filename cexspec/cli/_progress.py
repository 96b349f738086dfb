"""A progress bar for calls of many pages, on stderr while that is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cexspec.compile.exchange import Exchange
from cexspec.engine.times import interval_span, nanoseconds
from cexspec.transport.http import AiohttpTransport, HttpAnswer, HttpCall


class Watched(AiohttpTransport):
    """Tells of every answer."""

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__()
        self._told = told

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        answer = await super().send(call)
        self._told()
        return answer


def pages(exchange: Exchange, operation: str, params: Mapping[str, Any]) -> int | None:
    """How many pages a call will take, where that can be told; 1 for everything that isn't paged."""
    plan = exchange.operation(operation)
    most = plan.params["limit"].max if "limit" in plan.params else None
    if plan.page is None:
        return 1
    rows = params.get("limit")
    if rows is None and {"start", "end", "interval"} <= set(params):
        span = nanoseconds(params["end"], "end") - nanoseconds(params["start"], "start")
        rows = span // interval_span(params["interval"])
    return -(-rows // most) if rows is not None and most is not None else None


@contextlib.contextmanager
def paged(title: str) -> Iterator[tuple[Watched, Callable[[int | None], None]]]:
    """A transport whose answers move the bar, and what tells how many to expect; a bar is shown from two on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("pages"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=None, visible=False)

        def expect(count: int | None) -> None:
            progress.update(task, total=count, visible=count != 1)

        yield Watched(lambda: progress.advance(task)), expect
