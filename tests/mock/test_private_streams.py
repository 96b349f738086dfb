"""The private channels of every venue that has some: logged in, subscribed, told of what happened, over loopback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cexspec.mock import MockVenue
from cexspec.mock.samples import Samples
from cexspec.spec.load import find, shipped
from tests.mock.customer import customer
from tests.mock.wire import venue_of

ROWS: dict[str, dict[str, Any]] = {
    "order": {"order_id": "4711"},
    "fill": {"order_id": "4711"},
    "position": {"entry_price": "12"},
    "balance": {"free": "12", "used": "8", "total": "20"},
}


def private() -> list[tuple[str, str]]:
    """The private channels that samples give the mock its words for."""
    plans = [(venue_of(name).exchange, {case.get("channel") for case in Samples.load(find(name)).messages}) for name in shipped()]
    return [(plan.id, name) for plan, told in plans for name in plan.channel_names if name in told and plan.channel(name).private]


@pytest.mark.parametrize(("name", "channel"), private())
async def test_a_customer_hears_of_what_happened(name: str, channel: str) -> None:
    async with MockVenue(name) as venue, customer(venue) as client:
        stream = client.stream(channel)
        await asyncio.wait_for(stream.ready(), 10)
        model = stream_model(venue, channel)
        kinds = venue.exchange.channel(channel).kinds
        listed = next(one for one in venue.listing if kinds is None or one.symbol.kind in kinds)
        await venue.tell(channel, [ROWS[model]], str(listed.symbol))
        told = await asyncio.wait_for(anext(stream), 10)
        field = next(name for name in ROWS[model] if name in told_of(venue, channel))
        assert str(getattr(told, field)) == ROWS[model][field]
        assert client.stats.unrouted == 0 and client.stats.decode_errors == 0


def told_of(venue: MockVenue, channel: str) -> set[str]:
    """The fields that a channel has: of a balance, some venues tell no more than how much there is."""
    assert venue.exchange.spec.ws is not None
    return set(venue.exchange.spec.ws.channels[channel].fields or {})


def stream_model(venue: MockVenue, channel: str) -> str:
    assert venue.exchange.spec.ws is not None
    return str(venue.exchange.spec.ws.channels[channel].returns)
