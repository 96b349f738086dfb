"""Everything that a client lets out while it uses secrets: answers, errors, logs, statistics, metrics, recordings."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from msgspec.json import encode

from cexspec import Client, Registry
from cexspec.models import AuthenticationError, CexspecError, Credentials
from cexspec.transport.frame_log import FrameLog, RecordingTransport
from cexspec.transport.websocket import Library, websocket_transport
from tests.secrets.planted import PLANTED, forms, leaks, logged, told
from tests.secrets.venue import Mood, Venue
from tools.cassettes.rest import recording

SPEC = Path(__file__).with_name("venue.yaml")
ORDER = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": "1", "price": "5"}


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
async def base(venue: Venue) -> AsyncIterator[str]:
    async with TestServer(venue.app()) as server:
        yield f"{server.host}:{server.port}"


def client(base: str, **more: object) -> Client:
    reach = {"rest": f"http://{base}", "ws": {"private": f"ws://{base}/ws"}}
    return Client(SPEC, environment=reach, credentials=PLANTED, timeout=0.3, **more)  # type: ignore[arg-type]


async def use(one: Client) -> list[object]:
    """Sign everything that there is to sign; what came of it, errors included."""
    calls = [one.trade.get_balances(), one.trade.get_positions(), one.trade.place_order(**ORDER)]  # type: ignore[arg-type]
    return list(await asyncio.gather(*calls, return_exceptions=True))


def assert_sent(venue: Venue) -> None:
    """The venue did get the credentials: the test would find what it looks for."""
    got = "\n".join(venue.seen)
    assert all(any(form in got for form in forms(PLANTED[name])) for name in ("api_key", "passphrase"))


@pytest.mark.parametrize("mood", ["good", "repeats", "cuts"])
async def test_calls(mood: Mood, venue: Venue, base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    venue.mood = mood
    async with client(base) as one:
        outcomes = await use(one)
        shown = f"{one!r} {one.stats!r} {one.limits!r} {vars(one)!r} {encode(one.stats).decode()}"
    assert_sent(venue)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(errors) == (0 if mood == "good" else 3) and all(isinstance(error, CexspecError) for error in errors)
    if mood == "repeats":
        assert "refused: /balances" in str(errors[0]) and "***" in str(errors[0])
    texts = [shown, repr(outcomes), logged(caplog.records), *map(told, errors)]
    assert [leaks(text) for text in texts] == [[]] * len(texts)


async def first_of(one: Client) -> object:
    """The first of one's orders, or what came instead."""
    try:
        async with asyncio.timeout(0.5), one.ws.private("orders") as orders:
            return await anext(orders)
    except (CexspecError, TimeoutError) as error:
        return error


@pytest.mark.parametrize("library", ["aiohttp", "websockets"])
@pytest.mark.parametrize("mood", ["good", "repeats", "cuts"])
async def test_streams(mood: Mood, library: Library, venue: Venue, base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    venue.mood = mood
    file, told_of = io.StringIO(), list[str]()
    transport = RecordingTransport(websocket_transport(library), FrameLog(file, credentials=Credentials(PLANTED)))
    async with client(base, websocket=transport) as one:
        one.ws.on_state(lambda change: told_of.append(repr(change)))
        outcome = await first_of(one)
        shown = f"{one.stats!r} {one.ws!r} {vars(one.ws)!r}"
    await transport.close()
    assert_sent(venue)
    if mood == "repeats":
        assert isinstance(outcome, AuthenticationError) and "Illegal request" in str(outcome)
    texts = [shown, repr(told_of), logged(caplog.records), file.getvalue()]
    texts += [told(outcome)] if isinstance(outcome, BaseException) else [repr(outcome)]
    assert [leaks(text) for text in texts] == [[]] * len(texts)


async def test_a_dry_run(venue: Venue, base: str, caplog: pytest.LogCaptureFixture) -> None:
    async with client(base, dry_run=True) as one:
        order = await one.trade.place_order(**ORDER)  # type: ignore[arg-type]
        assert order.status == "pending" and venue.seen == []
        (request,) = one.trade.dry_runs
    assert request.startswith("POST http://") and '"size":"1"' in request
    assert leaks(request + logged(caplog.records)) == []


async def test_a_cassette(venue: Venue, base: str, tmp_path: Path) -> None:
    with recording(tmp_path / "calls.yaml", {}):
        async with client(base) as one:
            await one.trade.get_balances()
    assert_sent(venue)
    text = (tmp_path / "calls.yaml").read_text(encoding="utf-8")
    assert "balances" in text and leaks(text) == []


async def test_metrics(venue: Venue, base: str) -> None:
    prometheus = pytest.importorskip("prometheus_client", reason="prometheus_client is not installed: pip install 'cexspec[prometheus]'")
    from cexspec.metrics import register

    registry = prometheus.CollectorRegistry()
    venue.mood = "repeats"
    async with client(base) as one:
        register(one, registry)
        await use(one)
        text = prometheus.generate_latest(registry).decode()
    assert "cexspec" in text and leaks(text) == []


async def test_a_registry(venue: Venue, base: str, tmp_path: Path) -> None:
    settings = {"spec": str(SPEC), "environment": {"rest": f"http://{base}"}, **{name: f"${{{name.upper()}}}" for name in PLANTED}}
    path = tmp_path / "exchanges.yaml"
    path.write_text(json.dumps({"exchanges": {"mine": settings}}), encoding="utf-8")
    environ = {name.upper(): value for name, value in PLANTED.items()}
    async with Registry.from_config(path, environ) as registry:
        assert len(await registry["mine"].trade.get_balances()) == 1
        assert leaks(f"{registry!r} {vars(registry)!r} {registry['mine']!r}") == []
    assert_sent(venue)
