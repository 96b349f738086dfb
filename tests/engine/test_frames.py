"""Frames: everything a peer can send becomes a Reading; what acks teach; early data; shared subscriptions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.socket_plan import Answer
from cexspec.engine import frames as frames_module
from cexspec.engine.frames import FrameReader
from cexspec.engine.markets import Markets
from cexspec.engine.topics import topic_of
from cexspec.models import DecodeError, Instrument, MarkPrice, Ticker, Trade
from tests.simulation.specs import BAZAAR, HARBOR, exchange

ROW: dict[str, Any] = {"i": "1", "p": "1.50", "s": "2", "d": "buy", "t": 5}
TRADE: dict[str, Any] = {"arg": {"ch": "trades", "id": "BTC-USDT"}, "data": [ROW]}


def reader(spec: str = BAZAAR, *, live: bool = False, max_frame: int = 10_000) -> FrameReader:
    plan = exchange(spec)
    channels = {name: plan.channel(name) for name in plan.channel_names}
    return FrameReader(plan.id, plan.connection("public"), channels, Markets(plan), live=live, max_frame=max_frame)


def dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


DEEP = b'{"arg":{"ch":"trades","id":"A-B"},"data":' + b"[" * 4000 + b"]" * 4000 + b"}"
BAD = {
    "empty": b"",
    "not json": b"<html>502 Bad Gateway</html>",
    "truncated": dumps(TRADE)[:-5],
    "two documents": dumps(TRADE) * 2,
    "invalid utf-8 in a field": dumps(TRADE).replace(b'"BTC-USDT"', b'"\xff\xfe"'),
    "lone surrogate": '{"arg":{"ch":"trades","id":"\ud800"},"data":[]}',
    "deeply nested": DEEP,
    "deeply nested, cut": DEEP[:4000],
    "too large": b'"' + b"x" * 10_001 + b'"',
    "wrong type": dumps({**TRADE, "data": "soon"}),
    "null data": dumps({**TRADE, "data": None}),
    "missing field": dumps({**TRADE, "data": [{"i": "1"}]}),
    "NaN": dumps({**TRADE, "data": [{**ROW, "p": "NaN"}]}),
    "Infinity": dumps({**TRADE, "data": [{**ROW, "p": "Infinity"}]}),
    "bare NaN": b'{"arg":{"ch":"trades","id":"A-B"},"data":[{"i":"1","p":NaN,"s":"1","d":"buy","t":1}]}',
    "unknown side": dumps({**TRADE, "data": [{**ROW, "d": "up"}]}),
}


@pytest.mark.parametrize("frame", BAD.values(), ids=BAD)
@pytest.mark.parametrize("live", [False, True])
def test_a_bad_frame_is_a_decode_error_and_the_next_good_one_is_read(frame: bytes | str, live: bool) -> None:
    mine = reader(live=live)
    reading = mine.read(frame, 7)
    assert reading.role in ("undecodable", "data")
    assert not reading.events
    assert [(type(error), error.exchange) for error in reading.errors] == [(DecodeError, "bazaar")]
    assert [event.id for event in mine.read(dumps(TRADE), 7).events if isinstance(event, Trade)] == ["1"]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_whatever_arrives_nothing_is_raised(frame: bytes | str) -> None:
    for spec in (BAZAAR, HARBOR):
        for live in (False, True):
            reading = reader(spec, live=live).read(frame)
            assert (reading.role == "undecodable") <= bool(reading.errors)


KEYS = ["event", "arg", "ch", "data", "id", "ping", "chanId"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["subscribe", "error", "trades", "hb", "te", "conf"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@given(JSON)
def test_no_json_is_too_strange(document: Any) -> None:
    for spec in (BAZAAR, HARBOR):
        reading = reader(spec).read(json.dumps(document))
        assert (reading.role == "undecodable") <= bool(reading.errors)


ROLES = [
    ({"event": "subscribe", "id": "4", "arg": {"ch": "trades", "id": "A-B"}}, "ack"),
    ({"event": "error", "id": "4", "code": "404", "msg": "no such market"}, "refusal"),
    ({"event": "trouble", "code": 429, "msg": "slow down"}, "error"),
    ({"event": "heartbeat"}, "heartbeat"),
    ({"event": "hello"}, "ack"),
    ({"event": "restart"}, "notice"),
    ({"event": "what"}, "unrouted"),
    ({"arg": {"ch": "new"}, "data": []}, "unrouted"),
    ({"ping": 17}, "ping"),
]


@pytest.mark.parametrize(("message", "role"), ROLES, ids=str)
def test_every_message_has_a_role(message: dict[str, Any], role: str) -> None:
    reading = reader().read(dumps(message))
    assert reading.role == role and not reading.events and reading.channel is None


def test_answers_pings_and_notices_carry_what_they_are_for() -> None:
    mine = reader()
    refusal = mine.read(dumps(ROLES[1][0]))
    assert refusal.answer is not None and refusal.answer.id == "4" and refusal.answer.error is not None
    assert (refusal.answer.error.code, refusal.answer.error.message) == ("404", "no such market")
    assert mine.read(b"pong").role == "pong"
    assert mine.read('{"ping": 17}').reply == b'{"pong":17}'
    assert mine.read(dumps({"event": "restart"})).reconnect


def test_text_and_bytes_read_alike_and_received_is_kept() -> None:
    text, raw = reader().read(dumps(TRADE).decode(), 9), reader().read(dumps(TRADE), 9)
    assert text == raw
    assert raw.channel == "trades" and raw.events[0].received == 9 and raw.events[0].symbol == "BTC/USDT"


def test_frames_that_begin_alike_are_each_of_their_own_market_and_of_what_its_id_is_now() -> None:
    plan = exchange(BAZAAR)
    markets = Markets(plan)
    mine = FrameReader(plan.id, plan.connection("public"), {name: plan.channel(name) for name in plan.channel_names}, markets)
    frames = {name: dumps({**TRADE, "arg": {"ch": "trades", "id": f"{'LONG' * 5}{name}-USDT"}}) for name in "AB"}
    assert frames["A"][: frames_module.PREFIX] == frames["B"][: frames_module.PREFIX]

    def symbols(names: str) -> list[str | None]:
        return [mine.read(frames[name]).events[0].symbol for name in names]

    assert symbols("AAABAB") == [f"{'LONG' * 5}{name}/USDT" for name in "AAABAB"]
    markets.load([Instrument("bazaar", "NEW/USDT", id=f"{'LONG' * 5}A-USDT", kind="spot", base="NEW", quote="USDT")])
    assert symbols("ABA") == ["NEW/USDT", f"{'LONG' * 5}B/USDT", "NEW/USDT"]


def test_one_bad_record_is_left_out_and_told() -> None:
    reading = reader().read(dumps({**TRADE, "data": [ROW, {"i": "2"}, {**ROW, "i": "3"}]}))
    assert [event.id for event in reading.events if isinstance(event, Trade)] == ["1", "3"]
    assert len(reading.errors) == 1 and "record 1" in str(reading.errors[0])
    assert not reader().read(dumps(TRADE)).errors


def test_a_shared_subscription_feeds_each_of_its_channels() -> None:
    message: dict[str, Any] = {"arg": {"ch": "state", "id": "BTC-USDT-P"}, "data": {"l": "2", "m": "3", "t": 1}}
    reading = reader().read(dumps(message))
    assert [(name, type(events[0])) for name, events in reading.parts] == [("perp_ticker", Ticker), ("mark_price", MarkPrice)]
    del message["data"]["m"]
    half = reader().read(dumps(message))
    assert [name for name, _ in half.parts] == ["perp_ticker"] and half.errors[0].channel == "mark_price"


ACK = {"event": "subscribed", "channel": "trades", "symbol": "BTC-USDT", "chanId": 12, "pair": "x"}
DATA = [12, "te", 1, [77, 5, -2, 1.5]]


def test_offline_an_ack_teaches_whose_data_a_number_is() -> None:
    mine = reader(HARBOR)
    before = mine.read(dumps(DATA))
    assert before.events[0].symbol is None and before.params is None
    assert mine.read(dumps(ACK)).role == "ack"
    for _ in range(3):  # however often: the number tells, not how the frame begins
        after = mine.read(dumps(DATA))
        assert after.events[0].symbol == "BTC/USDT" and after.params == {"id": "BTC-USDT"}
    assert mine.read(dumps([13, *DATA[1:]])).events[0].symbol is None


def test_live_data_before_its_ack_is_early_and_then_read() -> None:
    mine = reader(HARBOR, live=True)
    early = mine.read(dumps(DATA))
    assert (early.role, early.value, early.events) == ("early", "12", [])
    assert mine.read(dumps([12, "strange"])).role == "early"
    answer = mine.read(dumps(ACK)).answer
    assert answer is not None and mine.read(dumps(DATA)).role == "early", "live, whoever subscribed decides what an ack teaches"
    topic = topic_of(exchange(HARBOR).channel("trades"), {"id": "ETH-USDT"})
    assert mine.learn(answer, topic) == "12"
    assert mine.read(dumps(DATA)).events[0].symbol == "ETH/USDT"
    assert mine.read(dumps([12, "strange"])).role == "unrouted"
    assert mine.read(dumps([12, "hb", 3])).role == "heartbeat"


def test_an_ack_that_teaches_nothing_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = reader(HARBOR)
    for answer in (
        Answer(topic=None, id=None, learned={"channel": 5}, error=None),
        Answer(topic={"channel": "nothing"}, id=None, learned={"channel": 5}, error=None),
        Answer(topic={"channel": "trades", "symbol": "A-B"}, id=None, learned={}, error=None),
        Answer(topic={"channel": "trades", "symbol": "A-B"}, id=None, learned={"channel": [5]}, error=None),
    ):
        assert mine.learn(answer) is None
    monkeypatch.setattr(frames_module, "MAX_LEARNED", 3)
    for number in range(9):
        mine.read(dumps({**ACK, "chanId": number}))
    assert list(mine._learned) == ["6", "7", "8"] == list(mine._topics)
