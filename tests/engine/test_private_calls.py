"""Private calls: signed when their turn has come, by the venue's clock, and never without credentials."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cexspec.compile.exchange import compile_exchange
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.signing import Signer
from cexspec.models import AuthenticationError, Balance, Credentials, TimestampError
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall
from tests.engine.fake_venue import Wire, ok

SPEC = """
cexspec: 1
id: fake
name: Fake
kind: cex
docs: https://fake.example/docs
environments: {live: {rest: https://fake.example/api}}
symbols: {formats: {spot: "{base}-{quote}"}, examples: {BTC/USDT: BTC-USDT}}
limits: {few: {rate: 1, per: 10s}}
errors: {code: $.code, message: $.msg, codes: {t: TimestampError}}
auth:
  credentials: {api_key: {}, api_secret: {}}
  recipes:
    rest:
      signature: {of: "{{ now | ms }}{{ method }}{{ target }}{{ body }}", digest: hmac-sha256, key: api_secret, encode: hex}
      headers: {X-KEY: "{{ api_key }}", X-TIME: "{{ now | ms }}", X-SIGN: "{{ signature }}"}
rest:
  server_time: {get: /time, returns: server_time, fields: {timestamp: {path: $.time, unit: ms}}}
  balances:
    get: /balances
    query: {ccy: "{{ currency }}"}
    auth: rest
    limit: few
    returns: balance
    items: $[*]
    fields: {currency: $.c, total: $.t}
  cancel_all_orders: {delete: /orders, auth: rest, ignored: how many were canceled}
"""
BASE = 1_700_000_000_000
KEYS = {"api_key": "the-key", "api_secret": "the-secret"}
TIME, ROWS = ok({"time": BASE + 5000}), ok([{"c": "BTC", "t": "1.50"}])
LATE = ok({"code": "t", "msg": "too old"}, 400)


class Rig:
    """An engine on a virtual clock, and the calls that it made."""

    def __init__(self, folder: Path, answers: dict[str, list[Any]], credentials: dict[str, str] | None = None) -> None:
        path = folder / "fake.yaml"
        path.write_text(SPEC, encoding="utf-8")
        plan, self.clock, self.wire = compile_exchange(str(path)), VirtualClock(), Wire(answers)
        signer = Signer(plan, Credentials(KEYS if credentials is None else credentials), self.clock)
        limits = limiter_of(plan.pools, self.clock, exchange="fake")
        environment, markets = plan.environments["live"], Markets(plan)
        given = None if credentials == {} else signer
        self.engine = RestEngine(plan, environment, self.wire, self.clock, limits, markets, random=Random(1), signer=given)

    def times(self) -> list[str]:
        """The paths that were called, and the time that each was signed with."""
        return [f"{call.url.rpartition('/')[2]} {dict(call.headers).get('X-TIME', '-')}" for call in self.wire.calls]


def signed(call: HttpCall) -> str:
    headers = dict(call.headers)
    text = f"{headers['X-TIME']}{call.method}{call.url.removeprefix('https://fake.example')}{(call.body or b'').decode()}"
    return hmac.new(b"the-secret", text.encode(), hashlib.sha256).hexdigest()


async def test_a_private_call_is_signed_with_the_venues_time_asked_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"/time": [TIME], "/balances": [ROWS]})
    rows = await rig.clock.run(rig.engine.call("balances", {"currency": "BTC"}))
    assert [(row.currency, str(row.total)) for row in rows if isinstance(row, Balance)] == [("BTC", "1.50")]
    call = rig.wire.calls[-1]
    headers = dict(call.headers)
    assert (headers["X-KEY"], headers["X-TIME"], headers["X-SIGN"]) == ("the-key", str(BASE + 5000), signed(call))
    await rig.clock.run(rig.engine.call("balances"))
    assert rig.times() == ["time -", f"balances?ccy=BTC {BASE + 5000}", f"balances {BASE + 15_000}"]


async def test_what_waited_for_its_budget_is_signed_after_the_wait(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"/time": [TIME], "/balances": [ROWS]})
    for _ in range(2):
        await rig.clock.run(rig.engine.call("balances"))
    assert rig.times()[1:] == [f"balances {BASE + 5000}", f"balances {BASE + 15_000}"]


async def test_a_clock_that_is_off_is_measured_again_and_what_may_be_repeated_is(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"/time": [TIME, ok({"time": BASE + 60_000})], "/balances": [LATE, ROWS]})
    assert len(await rig.clock.run(rig.engine.call("balances"))) == 1
    assert [time.partition(" ")[0] for time in rig.times()] == ["time", "balances", "time", "balances"]


async def test_what_may_not_be_repeated_fails_and_the_next_one_has_the_right_time(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"/time": [TIME, ok({"time": BASE + 60_000})], "/orders": [LATE, ok({})]})
    with pytest.raises(TimestampError):
        await rig.clock.run(rig.engine.call("cancel_all_orders"))
    await rig.clock.run(rig.engine.call("cancel_all_orders"))
    assert rig.times() == ["time -", f"orders {BASE + 5000}", "time -", f"orders {BASE + 60_000}"]


async def test_without_credentials_nothing_private_is_sent(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {}, credentials={})
    with pytest.raises(AuthenticationError, match="fake balances: private, and the client has no credentials"):
        await rig.clock.run(rig.engine.call("balances"))
    assert rig.wire.calls == []


class Slow:
    """A transport on which the first request takes longest: those sent meanwhile would overtake it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.calls = clock, 0
        self.arrived: list[str] = []

    async def send(self, call: HttpCall) -> HttpAnswer:
        self.calls += 1
        await self.clock.sleep(1 / self.calls)
        self.arrived.append(dict(call.headers)["X-KEY"])
        return HttpAnswer(200, {}, b"{}")

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(("header", "ordered"), [("{{ nonce }}", True), ("{{ now | ms }}{{ api_key }}", False)])
async def test_requests_that_are_counted_arrive_in_their_order(tmp_path: Path, header: str, ordered: bool) -> None:
    path = tmp_path / "fake.yaml"
    rest = SPEC[: SPEC.index("rest:\n  server_time")] + "rest:\n  cancel_all_orders: {delete: /orders, auth: rest, ignored: nothing}\n"
    path.write_text(rest.replace('X-KEY: "{{ api_key }}"', f'X-KEY: "{header}"'), encoding="utf-8")
    plan, clock = compile_exchange(str(path)), VirtualClock()
    limits, wire, signer = limiter_of(plan.pools, clock, exchange="fake"), Slow(clock), Signer(plan, Credentials(KEYS), clock)
    engine = RestEngine(plan, plan.environments["live"], wire, clock, limits, Markets(plan), random=Random(1), signer=signer)

    async def together() -> None:
        await asyncio.gather(*(engine.call("cancel_all_orders") for _ in range(3)))

    await clock.run(together())
    assert len(wire.arrived) == 3
    assert (wire.arrived == sorted(wire.arrived) and len(set(wire.arrived)) == 3) is ordered
    assert clock.monotonic() == pytest.approx(1 + 1 / 2 + 1 / 3 if ordered else 1)
