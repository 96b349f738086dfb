"""The session without a socket: frames and time in, values out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cexspec.engine.early import MAX_EARLY
from cexspec.engine.markets import Markets
from cexspec.engine.options import Patience, StreamOptions
from cexspec.engine.outputs import (
    Deliver,
    Idle,
    Missed,
    Output,
    Reconnect,
    Refused,
    Send,
    Stale,
    StateChanged,
    Subscribed,
    Undecodable,
    Unrouted,
    Unsubscribed,
    VenueError,
)
from cexspec.engine.session import Session
from cexspec.engine.topics import Topic, topic_of
from cexspec.models import ExchangeError, InvalidSymbol, RateLimitExceeded, TimeoutError
from tests.simulation.specs import BAZAAR, HARBOR, exchange

OPTIONS = StreamOptions(patience=Patience(answer=10.0, attempts=3, greeting=8.0, idle=5.0))


def session(spec: str = BAZAAR, connection: str = "public", options: StreamOptions | None = OPTIONS) -> Session:
    plan = exchange(spec)
    channels = {name: plan.channel(name) for name in plan.channel_names}
    return Session(plan.id, plan.connection(connection), channels, Markets(plan), options)


def topic(native_id: str, channel: str = "trades", spec: str = BAZAAR, **more: Any) -> Topic:
    return topic_of(exchange(spec).channel(channel), {"id": native_id, **more})


def topics(count: int) -> list[Topic]:
    return [topic(f"A{number}-B") for number in range(count)]


def give(mine: Session, message: Any, now: float = 0.0) -> list[Output]:
    mine.received(message if isinstance(message, str) else json.dumps(message), now, 1)
    return mine.drain()


def sent(outputs: list[Output]) -> list[Any]:
    frames = [output.frame.decode() for output in outputs if isinstance(output, Send)]
    return [json.loads(frame) if frame.startswith("{") else frame for frame in frames]


def ids(message: Any) -> list[str]:
    return [arg["id"] for arg in message["args"]]


def of(kind: type, outputs: list[Output]) -> list[Any]:
    return [output for output in outputs if isinstance(output, kind)]


def ack(mine: Session, asked: Topic, request: str | None = None, verb: str = "subscribe", now: float = 0.0) -> list[Output]:
    return give(mine, {"event": verb, "arg": asked.payload, **({"id": request} if request else {})}, now)


def opened(
    wanted: list[Topic], spec: str = BAZAAR, connection: str = "public", options: StreamOptions = OPTIONS
) -> tuple[Session, list[Any]]:
    """A session with an open socket, and what it sent."""
    mine = session(spec, connection, options)
    mine.subscribe(wanted, 0.0)
    assert not sent(mine.drain()), "nothing is sent before the socket is open"
    mine.connected(0.0)
    return mine, sent(mine.drain())


def test_topics_are_asked_for_in_batches_at_the_pace_the_venue_allows() -> None:
    mine, first = opened(topics(17))
    assert [len(message["args"]) for message in first] == [3, 3, 3, 3, 3], "topics_per_message, messages_per"
    assert mine.next_deadline() == 1.0
    mine.tick(0.5)
    assert not mine.drain()
    mine.tick(1.0)
    assert [ids(message) for message in sent(mine.drain())] == [["A15-B", "A16-B"]]
    assert len({message["id"] for message in first}) == 5


def test_a_message_stays_below_the_venues_size() -> None:
    long = [topic("A" * 60 + f"{number}-B") for number in range(4)]
    mine, messages = opened(long)
    assert [len(message["args"]) for message in messages] == [2, 2]
    assert all(len(json.dumps(message, separators=(",", ":"))) <= 260 for message in messages)
    assert mine.wanted == tuple(long)


def test_an_ack_is_matched_by_the_topic_it_repeats() -> None:
    mine, (message,) = opened(topics(2))
    assert of(Subscribed, ack(mine, topics(2)[1])) == [Subscribed(topics(2)[1])]
    extra = {"event": "subscribe", "arg": {**topics(2)[0].payload, "more": 1}, "id": message["id"]}  # type: ignore[dict-item]
    assert of(Subscribed, give(mine, extra)) == [Subscribed(topics(2)[0])]
    assert not give(mine, extra), "a second ack says nothing new"
    mine.tick(15.0)
    assert not sent(mine.drain()), "nothing is asked for again"


def test_an_ack_with_an_id_alone_answers_the_whole_message() -> None:
    mine, (message,) = opened(topics(2))
    assert of(Subscribed, give(mine, {"event": "subscribe", "id": message["id"]})) == [Subscribed(each) for each in topics(2)]


def test_an_ack_that_repeats_several_topics_answers_each() -> None:
    mine, _ = opened(topics(3))
    outputs = give(mine, {"event": "subscribe", "arg": [each.payload for each in topics(2)]})
    assert of(Subscribed, outputs) == [Subscribed(each) for each in topics(2)]


def test_an_ack_for_something_else_is_nobodys() -> None:
    mine, (message,) = opened(topics(2))
    assert not give(mine, {"event": "subscribe", "arg": {"ch": "trades", "id": "X-Y"}, "id": message["id"]})
    assert not give(mine, {"event": "subscribe", "id": "999"})
    assert not give(mine, {"event": "hello"})


def test_a_refusal_fails_its_topic_alone_with_the_venues_words() -> None:
    mine, (message,) = opened(topics(2))
    outputs = give(mine, {"event": "error", "id": message["id"], "arg": topics(2)[0].payload, "code": "404", "msg": "no such market"})
    (refused,) = of(Refused, outputs)
    assert refused.topic == topics(2)[0] and isinstance(refused.error, InvalidSymbol)
    assert (refused.error.code, refused.error.message) == ("404", "no such market")
    assert mine.wanted == (topics(2)[1],)
    assert of(Subscribed, ack(mine, topics(2)[1]))


def test_a_message_refused_as_a_whole_is_halved_until_the_culprit_is_alone() -> None:
    mine, messages = opened(topics(3))
    outputs: list[Output] = []
    now, rounds = 0.0, 0
    while messages and rounds < 20:
        message, rounds, now = messages.pop(0), rounds + 1, now + 1.0
        bad = "A1-B" in ids(message)
        reply = {"event": "error", "code": "404", "msg": "bad"} if bad else {"event": "subscribe"}
        new = give(mine, {**reply, "id": message["id"]}, now)
        messages += sent(new)
        outputs += new
    assert [refused.topic for refused in of(Refused, outputs)] == [topics(3)[1]]
    assert {each.topic for each in of(Subscribed, outputs)} == {topics(3)[0], topics(3)[2]}


def test_a_refusal_without_topic_and_id_is_of_the_only_message_under_way() -> None:
    mine, _ = opened(topics(1))
    assert of(Refused, give(mine, {"event": "error", "code": "404", "msg": "no"}))
    assert of(VenueError, give(mine, {"event": "error", "code": "1", "msg": "no"})), "nothing is under way any more"


def test_not_now_is_asked_again_later_and_refused_in_the_end() -> None:
    mine, (message,) = opened(topics(1))
    now = 0.0
    for attempt in range(3):
        outputs = give(mine, {"event": "error", "id": message["id"], "code": "429", "msg": "slow down"}, now)
        if attempt == 2:
            break
        assert not of(Refused, outputs) and not sent(outputs)
        now += 10.0
        give(mine, {"event": "heartbeat"}, now)
        mine.tick(now)
        (message,) = [each for each in sent(mine.drain()) if isinstance(each, dict)]
    (refused,) = of(Refused, outputs)
    assert isinstance(refused.error, RateLimitExceeded)


def test_an_answer_that_never_comes_is_asked_for_again_and_then_an_error() -> None:
    mine, (message,) = opened(topics(1))
    seen: list[Output] = []
    for now in (10.0, 20.0, 30.0):
        give(mine, {"event": "heartbeat"}, now)
        assert (mine.next_deadline() or 0) <= now
        mine.tick(now)
        seen += mine.drain()
    asked = [each for each in sent(seen) if isinstance(each, dict)]
    assert [ids(each) for each in asked] == [["A0-B"]] * 2 and len({message["id"], *(each["id"] for each in asked)}) == 3
    assert of(Reconnect, seen) == [Reconnect("no answer to 3 requests for " + topics(1)[0].text)], "the line may be at fault"
    assert not of(Refused, seen) and mine.wanted
    mine.disconnected("closed", 30.0)
    mine.connected(31.0)
    mine.drain()
    for now in (41.0, 51.0, 61.0):
        give(mine, {"event": "heartbeat"}, now)
        mine.tick(now)
        seen += mine.drain()
    (refused,) = of(Refused, seen)
    assert isinstance(refused.error, TimeoutError) and not mine.wanted


def test_data_says_as_much_as_an_ack() -> None:
    mine, _ = opened(topics(1))
    mine.confirm(topics(1)[0], 0.0)
    assert of(Subscribed, mine.drain())
    mine.confirm(topics(1)[0], 0.0)
    mine.confirm(topic("X-Y"), 0.0)
    assert not mine.drain()
    outputs = give(mine, {"event": "error", "arg": topics(1)[0].payload, "code": "404", "msg": "dup"})
    assert of(VenueError, outputs) and not of(Refused, outputs), "what is served already is not taken away"


def test_data_is_delivered_before_and_after_the_ack() -> None:
    mine, _ = opened(topics(1))
    message = {"arg": topics(1)[0].payload, "data": [{"i": "1", "p": "1", "s": "1", "d": "buy", "t": 1}]}
    for _ in range(2):
        (deliver,) = of(Deliver, give(mine, message))
        assert deliver.parts[0][0] == "trades" and deliver.parts[0][1][0].received == 1
        ack(mine, topics(1)[0])


def test_only_what_is_still_wanted_is_asked_for_after_a_reconnect() -> None:
    mine, _ = opened(topics(3))
    ack(mine, topics(3)[0])
    mine.unsubscribe([topics(3)[1]], 1.0)
    mine.subscribe([topic("Z-B")], 1.0)
    mine.disconnected("gone", 2.0)
    assert mine.next_deadline() is None
    mine.drain()
    mine.connected(3.0)
    assert [ids(message) for message in sent(mine.drain())] == [["A0-B", "A2-B", "Z-B"]]


def test_leaving_and_coming_back_ends_with_what_was_wanted_last() -> None:
    mine, (message,) = opened(topics(1))
    mine.unsubscribe(topics(1), 0.0)
    assert not sent(mine.drain()), "it leaves when it has arrived"
    (leave,) = sent(give(mine, {"event": "subscribe", "id": message["id"], "arg": topics(1)[0].payload}))
    assert leave["op"] == "unsubscribe"
    mine.subscribe(topics(1), 0.0)
    outputs = ack(mine, topics(1)[0], leave["id"], "unsubscribe")
    assert of(Unsubscribed, outputs) and sent(outputs)[0]["op"] == "subscribe"


def test_a_topic_never_sent_is_forgotten_and_one_live_is_confirmed_at_once() -> None:
    mine = session()
    mine.subscribe(topics(1), 0.0)
    mine.unsubscribe(topics(1), 0.0)
    mine.unsubscribe([topic("X-Y")], 0.0)
    mine.connected(0.0)
    assert not sent(mine.drain())
    mine.subscribe(topics(1), 0.0)
    mine.drain()
    ack(mine, topics(1)[0])
    mine.subscribe(topics(1), 0.0)
    assert mine.drain() == [Subscribed(topics(1)[0])]


def test_leaving_that_is_refused_or_not_answered_is_over() -> None:
    for refused in (True, False):
        mine, (message,) = opened(topics(2))
        give(mine, {"event": "subscribe", "id": message["id"]})
        mine.unsubscribe([topics(2)[0]], 1.0)
        (leave,) = sent(mine.drain())
        if refused:
            outputs = give(mine, {"event": "error", "id": leave["id"], "code": "9", "msg": "no"}, 2.0)
            assert of(VenueError, outputs)
        else:
            asked: list[Output] = []
            for now in (11.0, 21.0, 31.0):
                asked += give(mine, {"event": "heartbeat"}, now)
                mine.tick(now)
                asked += mine.drain()
            assert len([each for each in sent(asked) if "op" in each]) == 2 and of(Unsubscribed, asked)
        mine.subscribe([topics(2)[0]], 32.0)
        assert sent(mine.drain())[0]["op"] == "subscribe"


def test_a_venue_that_never_answers_is_taken_at_its_word() -> None:
    mine, (message,) = opened([topic("A-B", "bbo"), topic("C-D", "bbo")], connection="quiet")
    assert ids(message) == ["A-B", "C-D"]
    mine.subscribe([topic("E-F", "bbo")], 0.0)
    assert of(Subscribed, mine.drain()) == [Subscribed(topic("E-F", "bbo"), certain=False)]
    mine.unsubscribe([topic("E-F", "bbo")], 0.0)
    outputs = mine.drain()
    assert sent(outputs)[0]["op"] == "unsubscribe" and of(Unsubscribed, outputs)


def test_pings_go_out_after_silence_of_ours_and_unanswered_ones_end_the_connection() -> None:
    mine, _ = opened(topics(1))
    ack(mine, topics(1)[0])
    assert mine.next_deadline() == 20.0
    mine.tick(20.0)
    assert sent(mine.drain()) == ["ping"]
    give(mine, "pong", 21.0)
    mine.tick(25.0)
    assert not mine.drain()
    mine.tick(40.0)
    assert sent(mine.drain()) == ["ping"] and mine.next_deadline() == 45.0
    mine.tick(45.0)
    assert mine.drain() == [Reconnect("no answer to a ping within 5 s")]
    mine.tick(46.0)
    assert not mine.drain() and mine.next_deadline() is None


def test_any_frame_is_a_sign_of_life_and_silence_is_death() -> None:
    mine, _ = opened(topics(1))
    ack(mine, topics(1)[0])
    mine.tick(20.0)
    give(mine, {"event": "heartbeat"}, 21.0)
    mine.tick(25.0)
    assert not of(Reconnect, mine.drain()), "the heartbeat stands for the pong"
    quiet, _ = opened(topics(1))
    ack(quiet, topics(1)[0])
    for now in (19.0, 38.0, 57.0):
        quiet.unsubscribe([], now)
        quiet._life.sent = now  # busy sending: no ping is due
    quiet.tick(60.0)
    assert quiet.drain() == [Reconnect("nothing arrived for 60 s")]


def test_server_pings_are_answered() -> None:
    mine, _ = opened(topics(1))
    assert sent(give(mine, {"ping": 1700})) == [{"pong": 1700}]


def test_while_nobody_reads_silence_means_nothing() -> None:
    mine, _ = opened(topics(1))
    ack(mine, topics(1)[0])
    mine.hold()
    for now in (20.0, 40.0, 60.0, 80.0):
        mine.tick(now)
    assert sent(mine.drain()) == ["ping"] * 4
    mine.release(80.0)
    mine.tick(81.0)
    assert not mine.drain()


def test_the_venue_may_ask_for_a_reconnect() -> None:
    mine, _ = opened(topics(1))
    assert give(mine, {"event": "restart"}) == [Reconnect("the venue asks for it (the venue restarts)")]


def test_errors_of_the_venue_unknown_and_broken_frames_are_told() -> None:
    mine, _ = opened(topics(1))
    (error,) = of(VenueError, give(mine, {"event": "trouble", "code": "77", "msg": "oops"}))
    assert isinstance(error.error, ExchangeError) and error.error.code == "77"
    (unrouted,) = of(Unrouted, give(mine, {"event": "news", "text": "x" * 1000}))
    assert len(unrouted.sample) == 500
    assert of(Undecodable, give(mine, "{"))
    partly = {"arg": topics(1)[0].payload, "data": [{"i": "1", "p": "1", "s": "1", "d": "buy", "t": 1}, {}]}
    outputs = give(mine, partly)
    assert of(Deliver, outputs) and of(Undecodable, outputs)


def test_nothing_wanted_for_a_while_is_idle() -> None:
    mine, (message,) = opened(topics(1))
    give(mine, {"event": "subscribe", "id": message["id"]})
    mine.unsubscribe(topics(1), 7.0)
    mine.drain()
    assert mine.next_deadline() == 12.0
    mine.tick(12.0)
    assert mine.drain() == [Idle()] and mine.next_deadline() is None


def harbor(count: int = 1) -> list[Topic]:
    return [topic(f"A{number}-B", spec=HARBOR) for number in range(count)]


def greeted(wanted: list[Topic], options: StreamOptions = OPTIONS) -> Session:
    mine, first = opened(wanted, HARBOR, options=options)
    assert first == [{"event": "conf", "flags": 1}]
    mine.drain()
    outputs = give(mine, {"event": "conf", "status": "OK"})
    assert of(StateChanged, outputs) == [StateChanged("ready")]
    assert [message["symbol"] for message in sent(outputs)] == [each.params["id"] for each in wanted]
    assert not give(mine, {"event": "conf", "status": "OK"})
    return mine


def subscribed(symbol: str, number: int, **more: Any) -> dict[str, Any]:
    return {"event": "subscribed", "chanId": number, "channel": "trades", "symbol": symbol, **more}


def te(number: int, sequence: int, trade: int = 1) -> list[Any]:
    return [number, "te", sequence, [trade, 5, -2, 1.5]]


def test_nothing_is_asked_for_before_the_greeting_and_no_greeting_is_no_connection() -> None:
    greeted(harbor(2))
    mine, _ = opened(harbor(1), HARBOR)
    assert mine.next_deadline() == 8.0
    mine.subscribe(harbor(2), 1.0)
    assert not sent(mine.drain())
    mine.tick(8.0)
    assert mine.drain() == [Reconnect("no greeting within 8 s")]


def test_data_before_its_ack_waits_for_it_and_keeps_its_order() -> None:
    mine = greeted(harbor(2))
    assert not give(mine, te(50, 1, 1)) and not give(mine, te(60, 2, 9)) and not give(mine, te(50, 3, 2))
    outputs = give(mine, subscribed("A0-B", 50))
    assert [type(output) for output in outputs] == [Subscribed, Deliver, Deliver]
    assert [(each.topic.text, each.parts[0][1][0].id, each.parts[0][1][0].symbol) for each in of(Deliver, outputs)] == [
        (harbor()[0].text, "1", "A0/B"),
        (harbor()[0].text, "2", "A0/B"),
    ]
    mine.tick(10.0)
    assert len(of(Unrouted, mine.drain())) == 1, "the other number was never announced"


def test_a_learned_number_is_never_taken_for_that_of_a_request() -> None:
    mine, (first, second) = greeted(harbor(2)), harbor(2)
    give(mine, subscribed("A0-B", 4))
    give(mine, subscribed("A1-B", 9))
    mine.unsubscribe([first, second], 0.0)  # the third and the fourth message
    mine.drain()
    assert give(mine, {"event": "unsubscribed", "chanId": 4}) == [Unsubscribed(first)]
    assert give(mine, {"event": "unsubscribed", "chanId": 9}) == [Unsubscribed(second)]


def test_a_second_ack_of_a_live_topic_teaches_its_number_too() -> None:
    mine = greeted(harbor(1))
    give(mine, subscribed("A0-B", 50))
    give(mine, subscribed("A0-B", 60))
    first, second = give(mine, te(50, 1, 1)), give(mine, te(60, 2, 2))
    assert [each.topic for output in (first, second) for each in of(Deliver, output)] == [harbor()[0]] * 2


def test_what_came_before_another_request_for_its_topic_is_not_taken_for_what_follows_its_ack() -> None:
    mine = greeted(harbor(1))
    assert not give(mine, te(50, 1, 1), 5.0)
    mine.tick(10.0)
    assert sent(mine.drain()), "it is asked for again"
    outputs = give(mine, subscribed("A0-B", 50), 10.0)
    assert not of(Deliver, outputs) and of(Unrouted, outputs)
    assert [each.parts[0][1][0].id for each in of(Deliver, give(mine, te(50, 2, 2), 10.0))] == ["2"]


def test_what_waits_for_its_ack_is_worth_nothing_once_frames_were_lost() -> None:
    mine = greeted(harbor(1))
    assert not give(mine, te(50, 1, 1))
    outputs = give(mine, te(50, 3, 3))
    assert of(Missed, outputs) and len(of(Unrouted, outputs)) == 1
    outputs = give(mine, subscribed("A0-B", 50))
    assert [each.parts[0][1][0].id for each in of(Deliver, outputs)] == ["3"], "what followed the hole is whole"


def test_a_heartbeat_of_a_subscription_says_that_it_is_served() -> None:
    mine = greeted(harbor(1), StreamOptions(expect_every={"trades": 30.0}))
    give(mine, subscribed("A0-B", 50))
    for number in range(1, 10):
        mine.tick(number * 20.0)
        assert not of(Stale, give(mine, [50, "hb", number], number * 20.0))
    mine.tick(9 * 20.0 + 30.0)
    assert [each.topic for each in of(Stale, mine.drain())] == harbor(1)


def test_early_frames_are_bounded_and_strange_ones_are_told() -> None:
    mine = greeted(harbor(1))
    for number in range(MAX_EARLY):
        assert not give(mine, te(50, number + 1, number))
    assert of(Unrouted, give(mine, te(50, MAX_EARLY + 1)))
    mine.received(json.dumps([50, "odd"]), 0.0)
    mine.drain()
    assert len(of(Deliver, give(mine, subscribed("A0-B", 50)))) == MAX_EARLY
    strange = greeted(harbor(1))
    assert not give(strange, [50, "odd"])
    assert of(Unrouted, give(strange, subscribed("A0-B", 50)))


def test_a_topic_that_is_acked_twice_is_read_under_its_new_number() -> None:
    mine = greeted(harbor(2))
    give(mine, subscribed("A0-B", 50, pair="A0B"))
    assert not give(mine, subscribed("A0-B", 70, pair="A0B"))
    (deliver,) = of(Deliver, give(mine, te(70, 1)))
    assert deliver.topic == harbor(2)[0]
    mine.unsubscribe([harbor(2)[0]], 1.0)
    assert sent(mine.drain()) == [{"event": "unsubscribe", "chanId": 70}]


def test_what_was_learned_serves_unsubscribing_and_dies_with_the_connection() -> None:
    mine = greeted(harbor(2))
    give(mine, subscribed("A0-B", 50))
    give(mine, subscribed("A1-B", 51))
    mine.unsubscribe([harbor(2)[1]], 1.0)
    assert sent(mine.drain()) == [{"event": "unsubscribe", "chanId": 51}]
    assert of(Unsubscribed, give(mine, {"event": "unsubscribed", "status": "OK", "chanId": 51}))
    mine.disconnected("gone", 2.0)
    mine.connected(3.0)
    give(mine, {"event": "conf"}, 3.0)
    assert not of(Deliver, give(mine, te(50, 1), 3.0)), "the old number means nothing here"


def test_a_refusal_that_repeats_the_topics_keys_fails_that_topic() -> None:
    mine = greeted(harbor(2))
    outputs = give(mine, {"event": "error", "channel": "trades", "symbol": "A1-B", "code": 404, "msg": "symbol: invalid"})
    assert [refused.topic for refused in of(Refused, outputs)] == [harbor(2)[1]]


def test_a_hole_in_the_connections_numbers_is_told() -> None:
    mine = greeted(harbor(1))
    give(mine, subscribed("A0-B", 50))
    assert not of(Missed, give(mine, te(50, 4))) and not of(Missed, give(mine, [50, "hb", 5]))
    assert [one.count for one in of(Missed, give(mine, te(50, 9)))] == [3]
    assert not of(Missed, give(mine, "{")), "a broken frame is told by the reader"
    mine.disconnected("gone", 1.0)
    mine.connected(1.0)
    give(mine, {"event": "conf"}, 1.0)
    assert not of(Missed, give(mine, te(50, 1), 1.0))


def test_a_frame_that_repeats_the_last_is_not_read_and_a_late_one_counts_as_a_hole() -> None:
    mine = greeted(harbor(1))
    give(mine, subscribed("A0-B", 50))
    assert of(Deliver, give(mine, te(50, 4)))
    assert not give(mine, te(50, 4))
    assert of(Deliver, give(mine, te(50, 5)))
    late = give(mine, te(50, 4))
    assert of(Missed, late) and of(Deliver, late), "trades can be told apart by their ids: it is delivered"


def test_a_topic_that_is_renewed_is_left_and_asked_for_again_once() -> None:
    mine, (message,) = opened(topics(2))
    one, other = topics(2)
    mine.renew(one, 0.0)
    assert not mine.drain(), "nothing is served yet"
    for each in (one, other):
        ack(mine, each, message["id"])
    mine.renew(one, 1.0)
    mine.renew(topic("X-Y"), 1.0)
    (leave,) = sent(mine.drain())
    assert (leave["op"], ids(leave)) == ("unsubscribe", [one.params["id"]])
    (ask,) = sent(ack(mine, one, leave["id"], "unsubscribe", 1.0))
    assert (ask["op"], ids(ask)) == ("subscribe", [one.params["id"]])
    assert not sent(ack(mine, one, ask["id"], now=1.0))
    assert set(mine.wanted) == {one, other}


class Wire:
    """A session on a wire that may lose messages, and the venue at its end."""

    def __init__(self) -> None:
        self.session, self.now = session(options=StreamOptions(patience=Patience(5.0, 99, idle=1e9))), 0.0
        self.pool = topics(6)
        self.wanted: set[str] = set()
        self.served: set[str] = set()
        self.under_way: list[dict[str, Any]] = []
        self.session.connected(0.0)

    def want(self, number: int) -> None:
        self.wanted.add(self.pool[number].params["id"])
        self.session.subscribe([self.pool[number]], self.now)

    def drop(self, number: int) -> None:
        self.wanted.discard(self.pool[number].params["id"])
        self.session.unsubscribe([self.pool[number]], self.now)

    def answer(self, _number: int) -> None:
        for message in self.under_way[:1]:
            del self.under_way[0]
            for arg in message["args"]:
                (self.served.add if message["op"] == "subscribe" else self.served.discard)(arg["id"])
                answer = {"event": message["op"], "arg": arg, "id": message["id"]}
                self.session.received(json.dumps(answer), self.now)

    def lose(self, _number: int) -> None:
        del self.under_way[:1]

    def reconnect(self, _number: int) -> None:
        self.under_way.clear()
        self.served.clear()
        self.session.disconnected("gone", self.now)
        self.session.drain()
        self.session.connected(self.now)

    def wait(self, number: int) -> None:
        self.now += 2.0 * number
        self.session.received("pong", self.now)
        self.session.tick(self.now)


STEP = st.tuples(st.sampled_from(["want", "drop", "answer", "lose", "reconnect", "wait"]), st.integers(0, 5))


@settings(max_examples=150)
@given(st.lists(STEP, max_size=40))
@example([("want", 2), ("drop", 2), ("answer", 0), ("wait", 2), ("want", 2), ("wait", 1)])
@example([("want", 1), ("want", 0), ("drop", 0), ("wait", 3), ("want", 0)])
@example([("want", 1), ("wait", 3), ("drop", 1), ("answer", 0), ("answer", 0), ("lose", 0)])
def test_whatever_happens_the_venue_ends_up_serving_exactly_what_is_wanted(steps: list[tuple[str, int]]) -> None:
    wire = Wire()
    for step, number in [*steps, *[("answer", 0), ("wait", 3)] * 30]:
        getattr(wire, step)(number)
        wire.under_way += [message for message in sent(wire.session.drain()) if isinstance(message, dict)]
    assert {each.params["id"] for each in wire.session.wanted} == wire.wanted == wire.served


@pytest.mark.parametrize("spec", [BAZAAR, HARBOR])
@settings(max_examples=60)
@given(frames=st.lists(st.binary(max_size=60), max_size=8))
def test_no_frame_breaks_a_session(spec: str, frames: list[bytes]) -> None:
    mine = session(spec)
    mine.connected(0.0)
    for frame in frames:
        mine.received(frame, 0.0, 1)
    mine.tick(0.0)
    assert not mine.wanted
