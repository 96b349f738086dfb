"""Hyperliquid's signature: the vectors of the venue's own SDK, the same as ccxt's, and what it refuses to sign."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.hooks import SIGNERS, SignHook
from cexspec.hooks.hyperliquid import number, wire
from cexspec.models.errors import AuthenticationError, InvalidOrder, InvalidRequest

HOOK: SignHook = SIGNERS["hyperliquid"]
KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
ADDRESS = "0x14791697260e4c9a71f18484c9f997b308e59325"
VAULT = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
CLOID = "0x00000000000000000000000000000001"
NOW = 1_700_000_000_000


def order(asset: int = 1, price: str = "100", size: str = "100", kind: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"a": asset, "b": True, "p": price, "s": size, "r": False, "t": kind or {"limit": {"tif": "Gtc"}}, **more}


def orders(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "order", "orders": list(items), "grouping": "na"}


# https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/tests/signing_test.py; r and s there are integers in hex
VECTORS: list[tuple[str, dict[str, Any], str, str, str, int]] = [
    (
        "an order on the main network",
        orders(order()),
        "live",
        "0xd65369825a9df5d80099e513cce430311d7d26ddf477f5b3a33d2806b100d78e",
        "0x2b54116ff64054968aa237c20ca9ff68000f977c93289157748a3162b6ea940e",
        28,
    ),
    (
        "the same on the test network",
        orders(order()),
        "testnet",
        "0x82b2ba28e76b3d761093aaded1b1cdad4960b3af30212b343fb2e6cdfa4e3d54",
        "0x6b53878fc99d26047f4d7e8c90eb98955a109f44209163f52d8dc4278cbbd9f5",
        27,
    ),
    (
        "with a client id",
        orders(order(c=CLOID)),
        "live",
        "0x041ae18e8239a56cacbc5dad94d45d0b747e5da11ad564077fcac71277a946e3",
        "0x3c61f667e747404fe7eea8f90ab0e76cc12ce60270438b2058324681a00116da",
        27,
    ),
]


@pytest.mark.parametrize(("what", "action", "environment", "r", "s", "v"), VECTORS, ids=[case[0] for case in VECTORS])
def test_signs_as_the_venues_own_client(what: str, action: dict[str, Any], environment: str, r: str, s: str, v: int) -> None:
    signed = HOOK.sign(action, {"private_key": KEY}, 0, environment)
    assert signed.body == {"action": action, "nonce": 0, "signature": {"r": r, "s": s, "v": v}}
    assert signed.signature == r + s[2:] + f"{v:x}"


def test_the_connection_id_is_that_of_the_venues_own_client() -> None:
    action = orders(order(4, "1670.1", "0.0147", {"limit": {"tif": "Ioc"}}))
    signed = HOOK.sign(action, {"private_key": KEY}, 1677777606040, "live")
    assert signed.prehash == "0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908"


ACTIONS: dict[str, dict[str, Any]] = {
    "a limit order": orders(order()),
    "a market order: a limit that doesn't rest": orders(order(0, "65000", "0.001", {"limit": {"tif": "Ioc"}})),
    "a stop": orders(order(5, "0.5", "12.3", {"trigger": {"isMarket": True, "triggerPx": "0.51", "tpsl": "sl"}}, c=CLOID)),
    "several": orders(order(10107, "1234.5", "3"), order(110003, "0.00012345", "1000000", c=CLOID)),
    "a cancel": {"type": "cancel", "cancels": [{"a": 1, "o": 123456789012}]},
    "a cancel by client id": {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": CLOID}]},
    "a change": {"type": "modify", "oid": 123456789012, "order": order()},
    "a change by client id": {"type": "modify", "oid": CLOID, "order": order(c=CLOID)},
    "several changes": {"type": "batchModify", "modifies": [{"oid": 1, "order": order()}, {"oid": 2, "order": order(2)}]},
    "a leverage": {"type": "updateLeverage", "asset": 1, "isCross": False, "leverage": 20},
    "a margin": {"type": "updateIsolatedMargin", "asset": 1, "isBuy": True, "ntli": -2500000},
    "a dead man's switch": {"type": "scheduleCancel", "time": NOW + 60_000},
    "nothing at all": {"type": "noop"},
}


@pytest.mark.parametrize("expires", [None, NOW + 5_000], ids=["for good", "expiring"])
@pytest.mark.parametrize("vault", [None, VAULT], ids=["for oneself", "for a vault"])
@pytest.mark.parametrize("environment", ["live", "testnet"])
@pytest.mark.parametrize("what", ACTIONS)
def test_signs_every_action_as_ccxt_does(what: str, environment: str, vault: str | None, expires: int | None) -> None:
    action = ACTIONS[what]
    credentials = {"private_key": KEY} if vault is None else {"private_key": KEY, "vault_address": vault}
    parameters = {} if expires is None else {"expires_after": str(expires)}
    body = HOOK.sign(action, credentials, NOW, environment, parameters).body
    known = {"vaultAddress": vault, "expiresAfter": expires}
    assert list(body) == ["action", "nonce", "signature", *(name for name, value in known.items() if value is not None)]
    assert body["action"] == action and body.get("vaultAddress") == vault and body.get("expiresAfter") == expires
    assert body["signature"] == peer(environment).sign_l1_action(action, NOW, vault and vault[2:], expires)


@pytest.mark.parametrize("expires", [None, NOW + 5_000], ids=["for good", "expiring"])
def test_a_signed_action_tells_what_was_signed(expires: int | None) -> None:
    parameters = {} if expires is None else {"expires_after": str(expires)}
    signed = HOOK.sign(ACTIONS["several"], {"private_key": KEY}, NOW, "live", parameters)
    assert HOOK.opened(signed.body) == (ACTIONS["several"], NOW, parameters)


@pytest.mark.parametrize("body", [None, [], {"nonce": 1}, {"action": {"type": "noop"}}, {"action": [], "nonce": 1}])
def test_what_is_not_signed_tells_nothing(body: Any) -> None:
    with pytest.raises(InvalidRequest, match="an action comes signed"):
        HOOK.opened(body)


ORDERED: dict[str, tuple[str, str, str, str | None, dict[str, Any]]] = {
    "a limit order": ("limit", "buy", "0.5", "3000.10", {}),
    "post only": ("limit", "sell", "0.5", "3000", {"postOnly": True, "clientOrderId": CLOID}),
    "reduce only": ("limit", "buy", "0.5", "3000", {"reduceOnly": True, "timeInForce": "ioc"}),
    "a market order": ("market", "buy", "0.5", "3000", {"slippage": "0.05"}),
    "a stop": ("market", "sell", "0.5", "3000", {"slippage": "0.05", "stopPrice": "2900.0"}),
    "a stop with a limit": ("limit", "sell", "0.50", "3000", {"stopPrice": "2900", "vaultAddress": VAULT}),
}


@pytest.mark.parametrize("what", ORDERED)
def test_signs_the_orders_that_ccxt_makes(what: str) -> None:
    kind, side, amount, price, parameters = ORDERED[what]
    ordered = {"symbol": "ETH/USDC:USDC", "type": kind, "side": side, "amount": amount, "price": price, "params": parameters}
    vault = {name: value for name, value in parameters.items() if name == "vaultAddress"}
    request = peer("live").create_orders_request([ordered], vault)
    credentials = {"private_key": KEY, "vault_address": vault.get("vaultAddress", "")}
    body = HOOK.sign(request["action"], credentials, request["nonce"], "live").body
    assert body["signature"] == request["signature"]
    assert body["action"] == request["action"]


def test_signs_the_cancels_that_ccxt_makes() -> None:
    for ids, parameters in ((["123"], {}), ([], {"clientOrderId": [CLOID]})):
        request = peer("testnet").cancel_orders_request(ids, "ETH/USDC:USDC", parameters)
        body = HOOK.sign(request["action"], {"private_key": KEY}, request["nonce"], "testnet").body
        assert body == request


def peer(environment: str) -> Any:
    """ccxt's, with the one market these tests trade."""
    venue = ccxt.hyperliquid({"privateKey": KEY, "walletAddress": ADDRESS, "options": {"sandboxMode": environment == "testnet"}})
    venue.set_markets([venue.parse_market({"name": "ETH", "szDecimals": "4", "maxLeverage": "50", "markPx": "3000", "baseId": 1})])
    return venue


FORMS: list[tuple[str, str]] = [
    ("100", "100"),
    ("100.0", "100"),
    ("0.10", "0.1"),
    ("0.00000001", "0.00000001"),
    ("1E+3", "1000"),
    ("1e-8", "0.00000001"),
    ("-2.50", "-2.5"),
    ("0", "0"),
    ("0.000", "0"),
    ("-0", "0"),
]


@pytest.mark.parametrize(("given_text", "text"), FORMS, ids=[case[0] for case in FORMS])
def test_writes_a_number_in_its_one_form(given_text: str, text: str) -> None:
    assert number(given_text) == text


@given(st.decimals(min_value=0, max_value=10**9, places=8))
def test_the_form_of_a_number_is_its_own(value: Any) -> None:
    assert number(number(str(value))) == number(str(value))


def test_the_same_action_written_otherwise_is_signed_the_same() -> None:
    plain = orders(order(kind={"trigger": {"isMarket": False, "triggerPx": "0.5", "tpsl": "tp"}}, c="0x" + "ab" * 16))
    otherwise = orders(order(1, "100.0", "1e2", {"trigger": {"isMarket": False, "triggerPx": "0.50", "tpsl": "tp"}}, c="0X" + "AB" * 16))
    assert wire(otherwise) == plain
    key = {"private_key": KEY}
    assert HOOK.sign(otherwise, key, NOW, "live") == HOOK.sign(plain, {"private_key": KEY[2:].upper()}, NOW, "live")


def test_the_order_of_keys_counts() -> None:
    moved = {name: orders(order())[name] for name in ("orders", "type", "grouping")}
    key = {"private_key": KEY}
    assert HOOK.sign(moved, key, NOW, "live").signature != HOOK.sign(orders(order()), key, NOW, "live").signature


USERS: list[tuple[str, dict[str, str], str]] = [
    ("the key's own account", {"private_key": KEY}, ADDRESS),
    ("the account an agent signs for", {"private_key": KEY, "wallet_address": "0x" + "AB" * 20}, "0x" + "ab" * 20),
    ("no key to look", {"wallet_address": "0x" + "ab" * 20}, "0x" + "ab" * 20),
    ("the vault traded for", {"private_key": KEY, "wallet_address": ADDRESS, "vault_address": VAULT}, VAULT),
]


@pytest.mark.parametrize(("what", "credentials", "user"), USERS, ids=[case[0] for case in USERS])
def test_knows_whose_orders_they_are(what: str, credentials: dict[str, str], user: str) -> None:
    assert HOOK.values(credentials) == {"user": user} and HOOK.offers == {"user"}


def test_knows_nobody_without_credentials() -> None:
    assert HOOK.values({}) == {}


BAD: list[tuple[str, dict[str, str], str]] = [
    ("no key", {}, "credential 'private_key' is missing"),
    ("an empty key", {"private_key": ""}, "credential 'private_key' is missing"),
    ("a short key", {"private_key": "0xabc123"}, "'private_key' is no private key"),
    ("no hexadecimal", {"private_key": "0x" + "zz" * 32}, "'private_key' is no private key"),
    ("beyond the curve", {"private_key": "f" * 64}, "'private_key' is no private key"),
    ("no address", {"private_key": KEY, "vault_address": "0xabc123"}, "'vault_address' is no address"),
]


@pytest.mark.parametrize(("what", "credentials", "message"), BAD, ids=[case[0] for case in BAD])
def test_names_the_credential_that_is_unusable_and_never_its_value(what: str, credentials: dict[str, str], message: str) -> None:
    uses: list[Callable[[], object]] = [lambda: HOOK.sign(orders(order()), credentials, NOW, "live"), lambda: HOOK.values(credentials)]
    for use in uses[: 1 + any(credentials.values())]:
        with pytest.raises(AuthenticationError, match=message) as raised:
            use()
        assert not any(value and value[2:] in str(raised.value) for value in credentials.values())
        assert raised.value.__cause__ is None


@pytest.mark.parametrize("text", ["0.123456789", "ten", "NaN", "Infinity", ""])
def test_refuses_numbers_the_venue_has_no_form_for(text: str) -> None:
    with pytest.raises(InvalidOrder):
        HOOK.sign(orders(order(price=text)), {"private_key": KEY}, NOW, "live")


@pytest.mark.parametrize("body", [None, [], {"orders": []}, "order"])
def test_refuses_what_is_no_action(body: Any) -> None:
    with pytest.raises(InvalidRequest, match="what is signed is an action"):
        HOOK.sign(body, {"private_key": KEY}, NOW, "live")


@pytest.mark.parametrize("module", ["coincurve", "Crypto.Hash.keccak"])
def test_says_what_to_install(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'cexspec\[evm\]'"):
        HOOK.values({"private_key": KEY})
