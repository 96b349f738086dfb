"""Private streams over loopback: the mock venue makes the signatures itself, and gives out listen keys and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cexspec.engine.stream import Stream
from cexspec.engine.stream_client import StreamClient
from cexspec.mock import MockVenue
from cexspec.models import AuthenticationError, Balance, Fill, Gap, Order
from cexspec.transport.clock import SystemClock
from tests.engine.private.vault import VAULT
from tests.mock.customer import customer

ROW = '{"id":"BTC-USDT","o":"1","st":"live","t":1790000000000}'
EVENT = "[{symbol: BTC/USDT, order_id: '1', status: new}]"
MESSAGES = f"""
- {{role: greeting, connection: login, raw: '{{"event":"login"}}'}}
- {{role: ack, connection: login, raw: '{{"event":"subscribe","arg":{{"ch":"orders"}}}}'}}
- {{role: ack, connection: token, raw: '{{"event":"subscribe","arg":{{"ch":"orders"}}}}'}}
- {{role: ack, connection: open, raw: '{{"event":"subscribe","arg":{{"ch":"orders"}}}}'}}
- {{role: ack, connection: signed, raw: '{{"id":"1","status":200,"result":{{"number":7}}}}'}}
- {{operation: ws_token, raw: '{{"result":{{"token":"sample"}}}}'}}
- {{operation: listen_key, raw: '{{"listenKey":"sample"}}'}}
- {{operation: keep_listen_key, raw: '{{}}'}}
- {{channel: orders, connection: login, raw: '{{"arg":{{"ch":"orders"}},"data":[{ROW}]}}', events: {EVENT}}}
- {{channel: token_orders, connection: token, raw: '{{"arg":{{"ch":"orders"}},"data":[{ROW}]}}', events: {EVENT}}}
- {{channel: listened_orders, connection: listen, raw: '{{"arg":{{"ch":"orders"}},"data":[{ROW}]}}', events: {EVENT}}}
- {{channel: addressed_orders, connection: open, raw: '{{"arg":{{"ch":"orders"}},"data":[{ROW}]}}', events: {EVENT}}}
- channel: reports
  connection: signed
  raw: '{{"number":7,"event":{{"e":"report","id":"BTC-USDT","o":"1","x":"TRADE","d":"buy","p":"1","q":"1"}}}}'
  events: {EVENT}
- channel: wallet
  connection: signed
  raw: '{{"number":7,"event":{{"e":"wallet","b":[{{"a":"USDT","f":"5"}}]}}}}'
  events: [{{currency: USDT, free: '5'}}]
"""
ERRORS = """
- {connection: login, error: AuthenticationError, raw: '{"event":"error","code":"401","msg":"bad signature"}'}
- {connection: login, error: TimestampError, raw: '{"event":"error","code":"408","msg":"too late"}'}
- {connection: token, error: AuthenticationError, raw: '{"event":"error","code":"401","msg":"no such token","arg":{"ch":"orders"}}'}
- {connection: signed, error: AuthenticationError, raw: '{"id":"1","status":401,"error":{"code":"401","msg":"bad signature"}}'}
"""


class Ahead(SystemClock):
    """A local clock that is wrong."""

    def time_ns(self) -> int:
        return super().time_ns() + 3600 * 10**9


@asynccontextmanager
async def joined(
    folder: Path, credentials: Mapping[str, str] | None = None, clock: SystemClock | None = None
) -> AsyncIterator[tuple[MockVenue, StreamClient]]:
    """A venue, and a client that has its customer's credentials, or these."""
    (folder / "samples" / "vault").mkdir(parents=True)
    (folder / "vault.yaml").write_text(VAULT)
    (folder / "samples" / "vault" / "messages.yaml").write_text(MESSAGES)
    (folder / "samples" / "vault" / "errors.yaml").write_text(ERRORS)
    async with MockVenue(str(folder / "vault.yaml")) as venue, customer(venue, credentials, clock) as client:
        yield venue, client


async def event(stream: Stream[Any]) -> Any:
    return await asyncio.wait_for(anext(stream), 5)


STYLES = ["orders", "token_orders", "listened_orders", "addressed_orders", "reports"]


@pytest.mark.parametrize("channel", STYLES)
async def test_a_customer_hears_of_its_orders(channel: str, tmp_path: Path) -> None:
    async with joined(tmp_path) as (venue, client):
        stream = client.stream(channel)
        await asyncio.wait_for(stream.ready(), 5)
        await venue.tell(channel, [{"order_id": "77", "status": "filled"}], "BTC/USDT")
        told = await event(stream)
        assert isinstance(told, Order) and (told.symbol, told.order_id) == ("BTC/USDT", "77")


@pytest.mark.parametrize("channel", STYLES)
async def test_a_connection_that_is_lost_is_made_anew(channel: str, tmp_path: Path) -> None:
    async with joined(tmp_path) as (venue, client):
        stream = client.stream(channel)
        await asyncio.wait_for(stream.ready(), 5)
        again = asyncio.Event()
        client.on_private_ready(lambda recovered: again.set())
        await venue.drop_connections()
        await asyncio.wait_for(again.wait(), 5)
        await venue.tell(channel, [{"order_id": "78", "status": "new"}], "BTC/USDT")
        gap, told = await event(stream), await event(stream)
        assert isinstance(gap, Gap) and isinstance(told, Order) and told.order_id == "78"


@pytest.mark.parametrize("channel", ["orders", "reports"])
async def test_who_signs_with_another_secret_is_refused(channel: str, tmp_path: Path) -> None:
    wrong = {"api_key": "bW9jayBhcGlfa2V5", "api_secret": "another", "address": "x"}
    async with joined(tmp_path, wrong) as (_, client):
        with pytest.raises(AuthenticationError, match="bad signature"):
            await asyncio.wait_for(client.stream(channel).ready(), 5)


async def test_one_subscription_tells_of_orders_fills_and_balances(tmp_path: Path) -> None:
    async with joined(tmp_path) as (venue, client):
        streams = [client.stream(name) for name in ("reports", "executions", "wallet")]
        for stream in streams:
            await asyncio.wait_for(stream.ready(), 5)
        row = {"order_id": "5", "side": "sell", "price": "10", "quantity": "2"}
        await venue.tell("reports", [row], "BTC/USDT")
        await venue.tell("wallet", [{"currency": "BTC", "free": "3"}], "BTC/USDT")
        order, fill, balance = [await event(stream) for stream in streams]
        assert isinstance(order, Order) and order.order_id == "5"
        assert isinstance(fill, Fill) and fill.order_id == "5"
        assert isinstance(balance, Balance) and (balance.currency, str(balance.free)) == ("BTC", "3")


async def test_what_the_venue_has_forgotten_is_got_anew(tmp_path: Path) -> None:
    async with joined(tmp_path) as (venue, client):
        stream = client.stream("listened_orders")
        await asyncio.wait_for(stream.ready(), 5)
        again = asyncio.Event()
        client.on_private_ready(lambda recovered: again.set())
        venue.admission.forget()
        await venue.drop_connections()
        await asyncio.wait_for(again.wait(), 5)
        await venue.tell("listened_orders", [{"order_id": "79", "status": "new"}], "BTC/USDT")
        gap, told = await event(stream), await event(stream)
        assert isinstance(gap, Gap) and isinstance(told, Order) and told.order_id == "79"


async def test_a_login_at_the_wrong_time_is_refused_as_such(tmp_path: Path) -> None:
    async with joined(tmp_path, clock=Ahead()) as (_, client):
        reasons: asyncio.Queue[str] = asyncio.Queue()
        client.on_state(lambda transition: reasons.put_nowait(transition.reason))
        client.private("orders")
        while "too late" not in await asyncio.wait_for(reasons.get(), 5):
            pass
        assert "failed" not in client.states.values()
