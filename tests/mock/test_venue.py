"""The mock venue on a real socket: reachable, droppable, gone without a trace when it ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from cexspec.models import Gap, InvalidSymbol, SpecError
from tests.mock.wire import VENUES

Start = Callable[..., Any]


@pytest.mark.parametrize("name", VENUES)
async def test_the_client_works_unchanged(name: str, mock_venue: Start) -> None:
    venue = await mock_venue(name, interval=0.01)
    async with Client(name, environment=venue.environment) as client:
        assert (await client.rest.get_ticker("BTC/USDT")).symbol == "BTC/USDT"
        for stream in (client.ws.stream_trades, client.ws.stream_ticker, client.ws.stream_order_book):
            async with stream("BTC/USDT", "ETH/USDT") as events:
                seen: set[str | None] = set()
                while len(seen) < 2:
                    seen.add((await anext(events)).symbol)
        with pytest.raises(InvalidSymbol):
            await client.rest.get_ticker("NOP/USDT")
        stats = client.ws.stats
    assert (stats.decode_errors, stats.unrouted, stats.gaps, stats.reconnects) == (0, 0, 0, 0)


async def test_dropped_connections_come_back(mock_venue: Start) -> None:
    venue = await mock_venue("okx", interval=0.01)
    async with Client("okx", environment=venue.environment) as client:
        events = client.ws.stream_trades("BTC/USDT")
        await anext(events)
        await venue.drop_connections()
        while not isinstance(await anext(events), Gap):
            pass
        while isinstance(event := await anext(events), Gap):
            pass
        assert (event.symbol, client.ws.stats.reconnects) == ("BTC/USDT", 1)


async def test_what_is_no_connection_or_operation_is_refused_over_http(mock_venue: Start) -> None:
    venue = await mock_venue("okx")
    base = venue.environment["rest"]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/_ws/nothing") as answer:
            assert answer.status == 404
        async with session.get(f"{base}/api/v5/nothing") as answer:
            assert "no operation is GET" in answer.headers["X-Mock-Reason"]
        async with session.get(f"{base}/api/v5/public/time") as answer:
            assert (answer.status, (await answer.json())["code"]) == (200, "0")


async def test_binary_frames_and_broken_text_leave_it_running(mock_venue: Start) -> None:
    venue = await mock_venue("okx")
    async with aiohttp.ClientSession() as session, session.ws_connect(venue.environment["ws"]["public"]) as socket:
        await socket.send_bytes(b"\xff\xfe")
        await socket.send_str("{")
        assert '"error"' in await socket.receive_str(timeout=5)
        await socket.send_str("ping")
        assert await socket.receive_str(timeout=5) == "pong"


async def test_a_port_that_is_taken_says_so() -> None:
    async with MockVenue("okx") as venue:
        with pytest.raises(OSError):
            await MockVenue("okx", port=venue.port).start()


async def test_nothing_is_left_running_at_the_end() -> None:
    before = asyncio.all_tasks()
    async with MockVenue("okx", interval=0.01) as venue, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(venue.environment["ws"]["public"])
        await socket.send_str('{"id":"1","op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}]}')
        await socket.receive_str(timeout=5)
        await asyncio.wait_for(venue.close(), 2)
        assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSE)
        await socket.close()
    await asyncio.sleep(0)
    gc.collect()
    assert asyncio.all_tasks() == before


def test_a_spec_without_samples_says_what_is_missing(tmp_path: Any) -> None:
    from cexspec.spec.load import find

    spec = tmp_path / "okx.yaml"
    spec.write_text(find("okx").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"no samples/okx/messages\.yaml beside the spec"):
        MockVenue(str(spec))


def test_the_package_names_only_the_venue() -> None:
    import cexspec.mock

    with pytest.raises(AttributeError):
        _ = cexspec.mock.nothing
