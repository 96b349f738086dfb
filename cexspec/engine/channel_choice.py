"""Which channel of a venue serves a stream: by the kind of the instrument, and by depth for books."""

from __future__ import annotations

from collections.abc import Sequence

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.socket_plan import ChannelPlan
from cexspec.models import InvalidRequest, Market, NotSupported

MARKET_HOLES = frozenset({"id", "symbol", "base", "quote"})
"""Holes of a topic that only a symbol fills: a topic without them is shared by symbols."""


def channels_for(plan: ExchangePlan, stream: str) -> tuple[ChannelPlan, ...]:
    """The channels of a unified stream. Raises `NotSupported` naming what there is, also where it is polled."""
    channels = plan.channels_of(stream)
    if stream in plan.polls:
        raise NotSupported(f"{plan.id} has no channel for the stream {stream!r}: it is polled over REST")
    if not channels:
        offered = sorted({plan.channel(name).stream for name in plan.channel_names}.union(plan.polls))
        raise NotSupported(f"{plan.id} declares no stream {stream!r} (it has: {', '.join(offered) or 'none'})")
    return channels


def choose(plan: ExchangePlan, channels: Sequence[ChannelPlan], market: Market, depth: int | None) -> ChannelPlan:
    """The channel for a market (of whatever kind, while that isn't known) and, for books, a depth.

    The smallest declared depth that holds the request, else one of no declared depth; without a request the first.
    Raises `NotSupported` where no channel serves such markets, `InvalidRequest` where none is deep enough.
    """
    fits = carriers(plan, channels, market)
    if depth is None:
        return fits[0]
    deep = sorted((channel for channel in fits if (channel.depth or 0) >= depth), key=lambda channel: channel.depth or 0)
    unbounded = [channel for channel in fits if channel.depth is None]
    if not deep and not unbounded:
        most = max(channel.depth or 0 for channel in fits)
        raise InvalidRequest(f"no {fits[0].stream} channel holds {depth} levels: the deepest has {most}", exchange=plan.id)
    return (deep or unbounded)[0]


def carriers(plan: ExchangePlan, channels: Sequence[ChannelPlan], market: Market) -> list[ChannelPlan]:
    """The channels that carry a market (of whatever kind, while that isn't known). Raises `NotSupported` where none does."""
    kind = market.kind
    fits = [channel for channel in channels if channel.kinds is None or kind is None or kind in channel.kinds]
    fits = [channel for channel in fits if kind is None or channel.connection_of(market.category) is not None]
    if not fits:
        line = f" in {market.category}" if market.category is not None else ""
        raise NotSupported(f"{plan.id} declares no stream {channels[0].stream!r} for instruments of the kind {kind}{line}")
    return fits


def is_shared(channel: ChannelPlan) -> bool:
    """Whether one topic carries many symbols."""
    return not channel.needs & MARKET_HOLES
