"""Private streams on a simulated network in virtual time: logins, tokens, listen keys, signed and addressed subscriptions."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from cexspec.engine.private import Recovered
from cexspec.models import AuthenticationError, Balance, Credentials, Fill, InvalidRequest, NetworkError, Order
from tests.engine.private.vault import ADDRESS, KEY, SECRET, Scene, digest, perform
from tests.simulation.stage import Collector

MS = 1_000_000


def orders(collected: Collector) -> list[str | None]:
    return [event.order_id for event in collected.events if isinstance(event, Order)]


async def test_a_login_comes_before_what_is_subscribed() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.private("orders")
        await stream.ready()
        mine = Collector(stream)
        login, subscribe = scene.sent(0)
        at = int(login["at"])
        assert login == {"op": "login", "key": KEY, "at": at, "sign": digest(at)}
        assert subscribe == {"op": "subscribe", "args": [{"ch": "orders"}, {"ch": "algo"}]}
        scene.vault.order("1")
        scene.vault.order("2", ch="algo")
        await scene.wait(1)
        assert orders(mine) == ["1", "2"]
        assert scene.client.states == {"login-1": "connected"}

    await perform(play)


async def test_only_the_symbols_that_were_named_pass() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.private("orders", ["BTC/USDT"])
        await stream.ready()
        mine = Collector(stream)
        for ch in ("orders", "algo"):
            scene.vault.order(f"btc {ch}", ch)
            scene.vault.order(f"eth {ch}", ch, "ETH-USDT")
        await scene.wait(1)
        assert orders(mine) == ["btc orders", "btc algo"]

    await perform(play)


async def test_a_login_that_is_refused_for_good_ends_in_failed() -> None:
    async def play(scene: Scene) -> None:
        scene.vault.refusing = ["999"]
        seen: list[Any] = []
        scene.client.on_state(seen.append)
        stream = scene.client.private("orders")
        with pytest.raises(AuthenticationError, match="no login for") as refused:
            await stream.ready()
        assert refused.value.code == "999" and KEY not in str(refused.value) + refused.value.raw
        assert seen[-1].after == "failed" and isinstance(seen[-1].error, AuthenticationError)
        assert len(scene.network.opened) == 1

    await perform(play)


@pytest.mark.parametrize("code", ["408", "503"])
async def test_a_login_that_may_succeed_later_is_tried_again(code: str) -> None:
    async def play(scene: Scene) -> None:
        scene.vault.refusing = [code]
        await scene.client.private("orders").ready()
        assert len(scene.network.opened) == 2
        assert scene.vault.measured == [False, code == "408"], "the clock is looked at again where it was said to be wrong"

    await perform(play)


async def test_a_lost_connection_logs_in_anew_and_tells_since_when_events_may_be_missing() -> None:
    async def play(scene: Scene) -> None:
        ready: list[Recovered] = []
        stop = scene.client.on_private_ready(ready.append)
        stream = scene.client.private("orders")
        await stream.ready()
        mine = Collector(stream)
        await scene.wait(60)
        scene.vault.order("1")
        await scene.wait(1)
        proven = ready[0].at + 60 * 10**9
        scene.network.opened[0].cut()
        await scene.wait(10)
        logins = [scene.sent(line)[0] for line in (0, 1)]
        assert logins[0]["sign"] != logins[1]["sign"] and logins[1]["at"] > logins[0]["at"]
        first, second = ready
        assert (first.connection, first.streams, first.proven) == ("login-1", frozenset({"orders"}), None)
        assert second.proven is not None and abs(second.proven - proven) < 10**9 and second.at > second.proven
        gaps = [gap for gap in mine.gaps if gap.from_time == second.proven]
        assert {gap.channel for gap in gaps} == {"orders", "algo_orders"}
        scene.vault.order("2")
        await scene.wait(1)
        assert orders(mine) == ["1", "2"]
        stop()
        scene.network.opened[1].cut()
        await scene.wait(10)
        assert len(ready) == 2 and len(scene.network.opened) == 3

    await perform(play)


async def test_a_token_of_rest_goes_along_and_is_got_anew_for_every_connection() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.stream("token_orders")
        await stream.ready()
        scene.network.opened[0].cut()
        await scene.wait(10)
        assert [scene.sent(line)[0]["token"] for line in (0, 1)] == ["given-1-by-rest", "given-2-by-rest"]
        assert scene.vault.calls == ["ws_token", "ws_token"]
        await stream.close()
        await scene.wait(1)
        assert scene.sent(1)[-1] == {"op": "unsubscribe", "args": [{"ch": "orders"}], "token": "given-2-by-rest"}

    await perform(play)


async def test_a_call_before_connecting_that_fails_on_the_way_is_made_again() -> None:
    async def play(scene: Scene) -> None:
        scene.vault.failing = [NetworkError("no way there")]
        await scene.client.stream("token_orders").ready()
        assert scene.vault.calls == ["ws_token", "ws_token"]

    await perform(play)


async def test_a_call_before_connecting_that_is_refused_ends_in_failed() -> None:
    async def play(scene: Scene) -> None:
        scene.vault.failing = [AuthenticationError(f"the key {KEY} has no permission", exchange="vault")]
        with pytest.raises(AuthenticationError) as refused:
            await scene.client.stream("token_orders").ready()
        assert str(refused.value) == "vault: the key *** has no permission"
        assert scene.network.opened == []

    await perform(play)


async def test_a_listen_key_stands_in_the_url_and_everything_comes_by_itself() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.stream("listened_orders")
        await stream.ready()
        mine = Collector(stream)
        assert scene.network.opened[0].url == "wss://vault.test/listen?listenKey=given-1-by-rest"
        scene.vault.order("1")
        await scene.wait(1)
        assert orders(mine) == ["1"] and scene.sent(0) == []

    await perform(play)


async def test_a_listen_key_is_kept_alive_as_long_as_it_is_used() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.stream("listened_orders")
        await stream.ready()
        await scene.wait(2 * 3600)
        assert scene.vault.calls == ["listen_key", *["keep_listen_key"] * 3]
        scene.vault.failing = [NetworkError("no way there")]
        await scene.wait(90)
        assert scene.vault.calls[4:] == ["keep_listen_key", "keep_listen_key"], "a failure on the way is made up for soon"
        assert len(scene.network.opened) == 1
        await stream.close()
        await scene.wait(3600)
        assert len(scene.vault.calls) == 6

    await perform(play)


async def test_an_expired_listen_key_is_replaced() -> None:
    async def play(scene: Scene) -> None:
        ready: list[Recovered] = []
        scene.client.on_private_ready(ready.append)
        await scene.client.stream("listened_orders").ready()
        scene.vault.say({"ch": "orders"}, {"event": "expired"})
        await scene.wait(10)
        assert scene.network.opened[1].url.endswith("given-2-by-rest"), "the venue says so"
        scene.vault.keys.clear()
        await scene.wait(3600)
        assert scene.network.opened[2].url.endswith("given-3-by-rest"), "it can't be kept alive"
        assert [one.proven is None for one in ready] == [True, False, False]

    await perform(play)


async def test_one_signed_subscription_brings_orders_fills_and_balances() -> None:
    async def play(scene: Scene) -> None:
        streams = [scene.client.stream(name) for name in ("reports", "executions", "wallet")]
        for stream in streams:
            await stream.ready()
        mine = [Collector(stream) for stream in streams]
        (message,) = scene.sent(0)
        at = int(message["params"]["at"])
        assert message["params"] == {"key": KEY, "at": at, "sign": digest(at)}
        report = {"e": "report", "id": "BTC-USDT", "o": "1", "x": "NEW"}
        trade = {**report, "x": "TRADE", "d": "buy", "p": "100", "q": "2"}
        for event in (report, trade, {"e": "wallet", "b": [{"a": "USDT", "f": "5"}]}):
            scene.vault.say("account", {"number": 7, "event": event})
        await scene.wait(1)
        assert [len(one.events) for one in mine] == [2, 1, 1]
        assert [type(one.events[-1]) for one in mine] == [Order, Fill, Balance]
        for stream in streams:
            await stream.close()
        await scene.wait(1)
        assert scene.sent(0)[1]["params"] == {"number": 7}

    await perform(play)


async def test_a_signed_subscription_that_is_refused_says_why_and_hides_secrets() -> None:
    async def play(scene: Scene) -> None:
        scene.vault.refusing = ["always"]
        with pytest.raises(AuthenticationError, match=r"invalid \*\*\*"):
            await scene.client.stream("reports").ready()

    await perform(play)


async def test_an_address_in_the_topic_needs_no_login() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.stream("addressed_orders")
        await stream.ready()
        mine = Collector(stream)
        assert scene.sent(0) == [{"op": "subscribe", "args": [{"ch": "orders", "user": ADDRESS}]}]
        scene.vault.order("1", user=ADDRESS)
        await scene.wait(1)
        assert orders(mine) == ["1"]

    await perform(play, Credentials({"address": ADDRESS}))


LACKING = [
    (None, "orders", "the connection 'login' needs credentials: api_key, api_secret missing"),
    (Credentials({"api_key": KEY}), "orders", "the connection 'login' needs credentials: api_secret missing"),
    (Credentials({"api_secret": SECRET}), "token_orders", "the connection 'token' needs credentials: api_key missing"),
    (Credentials({"api_key": KEY}), "addressed_orders", "addressed_orders needs credentials: address missing"),
]


@pytest.mark.parametrize(("credentials", "channel", "message"), LACKING, ids=[row[1] for row in LACKING])
async def test_missing_credentials_are_named_before_anything_is_connected(
    credentials: Credentials | None, channel: str, message: str
) -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(AuthenticationError, match=message):
            scene.client.stream(channel)
        await scene.wait(10)
        assert scene.network.attempts == [] and scene.vault.calls == [] and scene.client.states == {}

    await perform(play, credentials)


async def test_balances_have_no_symbols() -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(InvalidRequest, match="of currencies"):
            scene.client.private("balances", ["BTC/USDT"])

    await perform(play)


async def test_nothing_that_is_logged_or_told_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Scene) -> None:
        told: list[str] = []
        scene.client.on_state(lambda transition: told.append(f"{transition.reason} {transition.error!r}"))
        scene.vault.refusing = ["503", "999"]
        stream = scene.client.private("orders")
        with pytest.raises(AuthenticationError):
            await stream.ready()
        await scene.client.stream("listened_orders").ready()
        scene.network.opened[-1].push({"unknown": f"{SECRET} given-1-by-rest"})
        scene.vault.keys.clear()
        await scene.wait(3600)
        text = "\n".join([*told, *(record.getMessage() for record in caplog.records), repr(scene.client.stats)])
        assert "can't be kept alive" in text
        for secret in (KEY, SECRET, "given-1-by-rest"):
            assert secret not in text

    with caplog.at_level(logging.DEBUG):
        await perform(play)
