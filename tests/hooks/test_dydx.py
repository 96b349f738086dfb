"""dYdX's signature of transactions: the same bytes as ccxt's, what they say, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from typing import Any

import pytest

from cexspec.hooks import SIGNERS, SignHook
from cexspec.models.errors import AuthenticationError, InvalidRequest

pytest.importorskip("v4_proto", reason="the extra 'dydx' is not installed")

HOOK: SignHook = SIGNERS["dydx"]
KEY = "0123456789" * 6 + "0123"
OWNER = "dydx1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
ID = {"subaccount_id": {"owner": OWNER, "number": 0}, "client_id": 1234567890, "order_flags": 0, "clob_pair_id": 1}
ORDER = {
    "order_id": ID,
    "side": "SIDE_BUY",
    "quantums": "100000000",
    "subticks": "4000000000",
    "good_til_block": 20000000,
    "time_in_force": "TIME_IN_FORCE_POST_ONLY",
    "reduce_only": True,
    "client_metadata": 0,
}
LONG = {**ORDER, "order_id": {**ID, "order_flags": 64}, "good_til_block_time": 1800000000}
del LONG["good_til_block"]
BODIES: dict[str, dict[str, Any]] = {
    "a short-term order": {"place_order": {"order": ORDER}, "account_number": 7},
    "a long-term order": {"place_order": {"order": LONG}, "account_number": 7, "sequence": 42},
    "a cancel": {"cancel_order": {"order_id": ID, "good_til_block": 20000000}, "account_number": 7},
    "several cancels": {
        "batch_cancel": {
            "subaccount_id": {"owner": OWNER, "number": 0},
            "short_term_cancels": [{"clob_pair_id": 1, "client_ids": [5, 6]}],
            "good_til_block": 20000000,
        },
        "account_number": 7,
    },
}

PEER = """
import json, sys, ccxt
from coincurve import PrivateKey
from base64 import b64encode
key, url, message, chain, number, sequence = json.load(sys.stdin)
venue = ccxt.dydx()
venue.milliseconds = lambda: sequence
public = b64encode(PrivateKey(bytes.fromhex(key)).public_key.format(compressed=True)).decode()
account = {"pub_key": {"key": public}, "account_number": number}
print(venue.sign_dydx_tx(key, {"typeUrl": url, "value": message}, "", chain, account, None))
"""
"""ccxt has protobufs of the same names, and one process has room for one of each."""


@pytest.mark.parametrize(("environment", "chain"), [("live", "dydx-mainnet-1"), ("testnet", "dydx-testnet-4")])
@pytest.mark.parametrize("what", BODIES)
def test_makes_the_transactions_that_ccxt_makes(what: str, environment: str, chain: str) -> None:
    body = BODIES[what]
    name = next(iter(body))
    url = {"place_order": "MsgPlaceOrder", "cancel_order": "MsgCancelOrder", "batch_cancel": "MsgBatchCancel"}[name]
    given = [KEY, f"/dydxprotocol.clob.{url}", body[name], chain, body["account_number"], body.get("sequence", 0)]
    theirs = subprocess.run([sys.executable, "-c", PEER], input=json.dumps(given), capture_output=True, text=True, check=True).stdout
    signed = HOOK.sign(body, {"private_key": KEY}, 0, environment)
    assert b64decode(signed.body["params"]["tx"]).hex() == theirs.strip().removeprefix("0x")
    assert signed.body["method"] == "broadcast_tx_sync"


@pytest.mark.parametrize("what", BODIES)
def test_a_transaction_tells_what_it_asks_for(what: str) -> None:
    body, name = BODIES[what], next(iter(BODIES[what]))
    signed = HOOK.sign(body, {"private_key": "0x" + KEY}, 0, "live")
    told, _, _ = HOOK.opened(signed.body)
    again = HOOK.sign({**told, "account_number": 7}, {"private_key": KEY}, 0, "live")
    assert name in told and told["sequence"] == body.get("sequence", 0)
    assert again == signed


def test_another_chain_is_a_parameter() -> None:
    body = BODIES["a cancel"]
    mine = HOOK.sign(body, {"private_key": KEY}, 0, "live", {"chain_id": "dydx-testnet-4"})
    assert mine == HOOK.sign(body, {"private_key": KEY}, 0, "testnet") != HOOK.sign(body, {"private_key": KEY}, 0, "live")


BAD: list[tuple[Any, str]] = [
    (None, "one of: place_order"),
    ({}, "one of: place_order"),
    ({"place_order": {}, "cancel_order": {}}, "one of: place_order"),
    ({"place_order": {"order": {"side": "SIDE_UP"}}}, "place_order: "),
    ({"place_order": {"no_such_field": 1}}, "place_order: "),
]


@pytest.mark.parametrize(("body", "reason"), BAD)
def test_refuses_what_is_no_message(body: Any, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        HOOK.sign(body, {"private_key": KEY}, 0, "live")


@pytest.mark.parametrize("body", [None, {}, {"params": {"tx": "AAAA"}}, {"params": {"tx": ""}}, {"params": {"tx": "?"}}])
def test_what_is_no_transaction_tells_nothing(body: Any) -> None:
    with pytest.raises(InvalidRequest, match="a transaction comes signed"):
        HOOK.opened(body)


@pytest.mark.parametrize("credentials", [{}, {"private_key": "0xabc"}])
def test_refuses_keys_that_are_none(credentials: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError, match="private_key"):
        HOOK.sign(BODIES["a cancel"], credentials, 0, "live")
    assert HOOK.values(credentials) == {}


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "v4_proto.dydxprotocol.clob.tx_pb2", None)
    with pytest.raises(ImportError, match=r"pip install 'cexspec\[dydx\]'"):
        HOOK.sign(BODIES["a cancel"], {"private_key": KEY}, 0, "live")
