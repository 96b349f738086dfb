"""Every cassette replays through the real client with the network closed: the requests as recorded, the events as told."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cexspec.client import Client
from cexspec.engine.normalize import Normalizer
from cexspec.models import NetworkError
from cexspec.spec.load import shipped
from cexspec.transport.clock import NANOSECONDS, VirtualClock
from cexspec.transport.http import AiohttpTransport, HttpCall
from tests.cassettes.answering import Answering
from tests.cassettes.customer import frames_of, somebody
from tests.cassettes.replay import Replay, payload, session
from tools.cassettes.calls import Call, StillClock, outcome
from tools.cassettes.folder import head_of, present
from tools.cassettes.rest import replaying
from tools.cassettes.sessions import subscribed

CASSETTES = Path(__file__).parents[2] / "cassettes"
FILES = [path for exchange in shipped() for path in present(CASSETTES, exchange)]
CALLS = [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in FILES if path.suffix == ".yaml"]
SESSIONS = [pytest.param(path, id=path.stem) for path in FILES if path.suffix == ".jsonl"]

pytestmark = pytest.mark.usefixtures("closed_network")


@pytest.mark.parametrize("path", CALLS)
async def test_a_call_sends_what_was_recorded_and_gives_what_is_told(path: Path) -> None:
    head = head_of(path)
    given, masks = somebody(head["exchange"], head["operation"])
    with replaying(path, masks) as cassette:
        async with Client(head["exchange"], clock=StillClock(head["clock"]), **given) as client:
            events = await Call(head["operation"], head["call"]).make(client)
    assert outcome(events) == {key: head[key] for key in ("count", "first") if key in head}
    assert [cassette.play_counts[number] for number in range(len(cassette))] == [1] * len(cassette)
    parts = client.exchange.operation(head["operation"]).joins or (head["operation"],)
    asked = [client.exchange.operation(name) for name in parts]
    assert any(one.path_params(urlsplit(request.uri).path) is not None for one in asked for request in cassette.requests)
    models = {one.reader.model for one in asked if one.reader is not None}
    assert {(type(event), event.exchange) for event in events} <= {(model, head["exchange"]) for model in models}
    if "symbol" in head["call"] and events:
        assert {event.symbol for event in events} <= {head["call"]["symbol"], *([None] if given else [])}


@pytest.mark.parametrize("path", SESSIONS)
async def test_a_session_sends_what_was_recorded_and_gives_what_is_told(path: Path) -> None:
    head, lines = session(path)
    clock = VirtualClock(head["clock"])
    replay = Replay(lines, clock)
    sent = [line for line in lines if line["direction"] == "out"]
    last = (sent[1:] or lines[:-1])[-1]  # of implied subscriptions nobody takes leave
    given, masks = somebody(head["exchange"], head["channel"])
    http = Answering(CASSETTES, head["exchange"], masks)
    async with Client(head["exchange"], http=http, websocket=replay, clock=clock, **given) as client:
        async with subscribed(client, Call(head["channel"], head["call"])) as found:
            await clock.advance((last["ts"] - clock.time_ns()) / NANOSECONDS)
            found.stream.unsubscribe()
            await clock.advance((lines[-1]["ts"] - clock.time_ns()) / NANOSECONDS)
        stats = client.ws.stats
    assert [frames_of(head["exchange"])(frame.decode()).encode() for frame in replay.sent] == [payload(line) for line in sent]
    assert [masks[0](url) for url in replay.urls] == [line["url"] for line in lines if line["direction"] == "connect"]
    assert outcome(found.events) == {key: head[key] for key in ("count", "first")}
    assert (stats.unrouted, stats.decode_errors, stats.venue_errors, stats.gaps) == (0, 0, 0, 0), stats.problems
    assert [socket.left for socket in replay.sockets] == [0] * len(replay.sockets)


@pytest.mark.parametrize("path", SESSIONS)
def test_every_frame_of_a_session_is_understood_offline(path: Path) -> None:
    head, lines = session(path)
    normalizer = Normalizer(head["exchange"])
    results = [normalizer.read_ws(payload(line), url=line["url"]) for line in lines if line["direction"] == "in"]
    assert [result.error or result.left_out for result in results if result.error or result.left_out] == []
    assert any(result.events for result in results)


async def test_nothing_but_the_recorded_request_is_answered() -> None:
    path = next(path for path in FILES if path.stem == "ticker" and path.suffix == ".yaml")
    with replaying(path) as cassette:
        transport = AiohttpTransport()
        with pytest.raises(NetworkError, match="CannotOverwriteExistingCassette"):
            await transport.send(HttpCall("GET", f"{cassette.requests[0].uri}&more=1"))
        await transport.close()


async def test_the_network_is_closed(closed_network: list[str]) -> None:
    transport = AiohttpTransport()
    for url in ("https://example.com/", "http://127.0.0.1:9/"):
        with pytest.raises(NetworkError):
            await transport.send(HttpCall("GET", url))
    await transport.close()
    assert closed_network != []
    closed_network.clear()
