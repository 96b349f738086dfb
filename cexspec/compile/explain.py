"""Explains what a name of a spec was compiled to: what is sent, what is read, what was assumed, and which lines say so."""

from __future__ import annotations

from cexspec.compile.exchange import Exchange
from cexspec.compile.explanation.rest import operation
from cexspec.compile.explanation.socket import channel, connection
from cexspec.compile.explanation.symbols import symbols
from cexspec.compile.explanation.text import Section, rendered
from cexspec.models import NotSupported

SYMBOLS = "symbols"


def explain(exchange: Exchange, name: str) -> str:
    """Everything about an operation, a stream or a channel: REST first, then each channel; or about `symbols`.

    Raises `NotSupported`.
    """
    sections: list[Section] = list(symbols(exchange)) if name == SYMBOLS else []
    called = name if name in exchange.operation_names else exchange.polls.get(name)
    if called is not None:
        sections += operation(exchange, called)
    served = [plan.name for plan in exchange.channels_of(name)] or [one for one in exchange.channel_names if one == name]
    for one in served:
        sections += channel(exchange, one)
    with_errors = called is None
    for used in dict.fromkeys(name for one in served for name in exchange.channel(one).connections.values()):
        sections += connection(exchange, used, with_errors=with_errors)
    if not sections:
        known = ", ".join(dict.fromkeys((*exchange.operation_names, *exchange.channel_names, SYMBOLS)))
        raise NotSupported(f"{exchange.id} has no operation or channel '{name}' (it has: {known})")
    return rendered(sections)
