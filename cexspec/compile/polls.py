"""Operations that are polled: streams of what no channel tells."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from cexspec.compile.limits import compile_pools
from cexspec.compile.request import RequestParts
from cexspec.models import MODELS
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

STREAMS = {
    "ticker": "ticker",
    "bbo": "bbo",
    "trades": "trade",
    "candles": "candle",
    "mark_price": "mark_price",
    "funding_rate": "funding_rate",
    "open_interest": "open_interest",
    "liquidations": "liquidation",
}
"""The unified streams that can be polled, and their models. Books are none of them: changes between two answers would be lost."""
SHARE = 10
"""One symbol may take a tenth of a budget: the others, and all other calls, draw from it as well."""


def polled_streams(spec: ExchangeSpec) -> dict[str, str]:
    """Stream -> the operation that is polled for it, the first where several are."""
    found: dict[str, str] = {}
    for name, operation in spec.rest.items():
        if operation.poll is not None:
            found.setdefault(operation.stream or name, name)
    return found


def check_poll(name: str, parts: RequestParts, spec: ExchangeSpec, findings: Findings) -> None:
    """What is wrong with polling an operation goes to `findings`."""
    operation = spec.rest[name]
    if operation.poll is None:
        return
    stream = operation.stream or name
    where = (*operation.where, "poll" if operation.stream is None else "stream")
    for message, hint in _strangers(name, stream, operation, spec):
        findings.error("CEX073", where, message, hint)
    _check_pace(operation.poll, parts, spec, findings, (*operation.where, "poll"))


def _strangers(name: str, stream: str, operation: Operation, spec: ExchangeSpec) -> Iterator[tuple[str, str]]:
    """Why the stream can't be this operation's."""
    served = [channel for channel, one in (spec.ws.channels if spec.ws else {}).items() if (one.stream or channel) == stream]
    first = polled_streams(spec)[stream]
    models = [model for model in MODELS if model in STREAMS.values()]
    if served:
        yield f"the channel '{served[0]}' serves the stream '{stream}' already", "remove 'poll'"
    elif first != name:
        yield f"'{first}' is polled for the stream '{stream}' already", "poll one of them"
    if operation.returns not in models:
        what = f"a {operation.returns} can't be" if operation.returns is not None else "nothing is"
        yield f"{what} streamed by polling", f"one of: {', '.join(models)}"
    elif (model := STREAMS.get(stream, operation.returns)) != operation.returns:
        yield f"the stream '{stream}' is of {model}, and this returns {operation.returns}", "name a stream of its own: 'stream: ...'"


def _check_pace(seconds: float, parts: RequestParts, spec: ExchangeSpec, findings: Findings, where: Where) -> None:
    """Whether polling one symbol leaves enough to all others."""
    calls = max(1, len(parts.each))
    weight = parts.weight(dict.fromkeys(("id", "symbol", "base", "quote"), "-")) * calls
    for name in (one for one in parts.pools if one in spec.limits):
        for window in compile_pools({name: spec.limits[name]}, findings)[name].windows:
            least = weight * window.per * SHARE / window.rate
            if seconds < least:
                share = f"{100 * weight * window.per / window.rate / seconds:.0f} %"
                text = f"so often, one symbol alone takes {share} of the pool '{name}'"
                findings.error("CEX074", where, text, f"leave nine tenths to others: {ceil(least)}s or longer")
                return
